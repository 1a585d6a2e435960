//! The effects gate in front of databases and secrets.
//!
//! **Invariant:** a refused effect reaches neither a database nor AWS.

use crate::base::secret::{ExposeSecret, Secret};
use crate::cloud::dns::{DnsQuestion, RecordKind, ResolverName};
use crate::cloud::http::{HttpAddress, HttpMethod, HttpRequest};
use crate::cloud::process::Command;
use crate::cloud::sql::{SqlConnector, SqlError, SqlMode, SqlRows, SqlSession, SqlTarget};
use crate::cloud::tests::answers::{json, json_error};
use crate::cloud::tests::ports::{World, ports};
use crate::cloud::tests::scripted::{REGION, Script};
use crate::cloud::{
    DNS_READ, EffectError, EffectOutcome, Effects, ErrorClass, GuardPolicy, HTTP_READ, HTTP_SEND,
    PROCESS_RUN, SQL_READ, SQL_WRITE, SecretStage, VARIABLE_READ,
};
use crate::estate::SqlRoute;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A database that counts sessions, or refuses the password.
#[derive(Debug, Default)]
struct Database {
    opened: AtomicU32,
}

struct Session;

#[async_trait]
impl SqlSession for Session {
    async fn query(&mut self, _statement: &str) -> Result<SqlRows, SqlError> {
        Ok(SqlRows::default())
    }

    async fn close(self: Box<Self>) {}
}

#[async_trait]
impl SqlConnector for Database {
    async fn connect(&self, target: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        if target.user == "stranger" {
            return Err(SqlError::Authentication {
                place: format!("{}:{}", target.host, target.port),
                user: target.user.clone(),
                why: "no".to_owned(),
            });
        }
        Ok(Box::new(Session))
    }
}

fn target(mode: SqlMode, user: &str) -> SqlTarget {
    SqlTarget {
        host: "db.test".to_owned(),
        port: 5432,
        database: "orders".to_owned(),
        user: user.to_owned(),
        password: Secret::from("hunter2"),
        route: SqlRoute::Direct,
        trust: None,
        mode,
        statement_timeout: Duration::from_secs(1),
        connect_timeout: Duration::from_secs(1),
    }
}

async fn effects(script: &Script, policy: GuardPolicy) -> (Effects, Arc<Database>) {
    let (effects, database, _) = with_world(script, policy).await;
    (effects, database)
}

async fn with_world(script: &Script, policy: GuardPolicy) -> (Effects, Arc<Database>, Arc<World>) {
    let (database, world) = (Arc::new(Database::default()), Arc::new(World::default()));
    let cloud = script.open(policy).await;
    (cloud.effects(ports(database.clone(), &world)), database, world)
}

fn request(method: HttpMethod) -> HttpRequest {
    let headers = vec![("authorization".to_owned(), Secret::from("hunter6"))];
    HttpRequest { headers, ..plain(method, "https://app.test/x?token=hunter5") }
}

/// A request that logs in nowhere.
fn plain(method: HttpMethod, address: &str) -> HttpRequest {
    HttpRequest {
        method,
        address: HttpAddress::parse(address).expect("an address"),
        headers: Vec::new(),
        body: Secret::from("hunter7"),
        redirects: 0,
        trust: None,
        timeout: Duration::from_secs(1),
    }
}

fn command() -> Command {
    Command {
        words: vec!["rm".to_owned(), "password=hunter8".to_owned()],
        directory: None,
        variables: vec![("X".to_owned(), Secret::from("hunter9"))],
        timeout: Duration::from_secs(1),
        rehearsal: None,
    }
}

fn question() -> DnsQuestion {
    DnsQuestion {
        name: "app.test".to_owned(),
        kind: RecordKind::A,
        resolver: ResolverName::System,
        timeout: Duration::from_secs(1),
    }
}

/// An address without a secret.
const PLAIN: &str = "https://app.test/x";

/// Tries every way out beside SQL; the names of those that were let through.
async fn tried(effects: &Effects) -> Vec<&'static str> {
    let outcomes = [
        (HTTP_READ, effects.http(&plain(HttpMethod::Get, PLAIN)).await.map(drop)),
        (HTTP_READ, effects.http(&plain(HttpMethod::Head, PLAIN)).await.map(drop)),
        (DNS_READ, effects.dns(&question()).await.map(drop)),
        (HTTP_SEND, effects.http(&request(HttpMethod::Post)).await.map(drop)),
        (PROCESS_RUN, effects.process(&command()).await.map(drop)),
        (VARIABLE_READ, effects.variable("TOKEN").map(drop)),
    ];
    let passed = outcomes.into_iter().filter_map(|(name, outcome)| match outcome {
        Ok(()) => Some(name),
        Err(error) => {
            assert_eq!(error.class(), ErrorClass::Refused, "{error}");
            None
        }
    });
    passed.collect()
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_lets_declared_reads_through_and_nothing_else() {
    let (effects, _, world) = with_world(&Script::new([]), GuardPolicy::DryRun).await;
    assert_eq!(tried(&effects).await, [HTTP_READ, HTTP_READ, DNS_READ]);
    assert_eq!(world.used.load(Ordering::Relaxed), 3, "what is refused reaches nobody");
    let log = effects.log();
    assert_eq!(log.iter().filter(|record| record.outcome == EffectOutcome::Done).count(), 3);
    assert_eq!(log.iter().filter(|record| record.outcome == EffectOutcome::Refused).count(), 3);
    assert_eq!(log[0].effect, "GET https://app.test/x");
    assert!(!format!("{log:?} {effects:?}").contains("hunter"), "{log:?}");
    assert!(effects.wall().is_some_and(|wall| wall.contains("http:Read and dns:Read")));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_logs_in_nowhere() {
    let (effects, _, world) = with_world(&Script::new([]), GuardPolicy::DryRun).await;
    let bearing = HttpRequest {
        headers: vec![("Authorization".to_owned(), Secret::from("Bearer hunter6"))],
        ..plain(HttpMethod::Get, PLAIN)
    };
    let keyed = plain(HttpMethod::Get, "https://app.test/x?api_key=hunter5");
    for (request, why) in [(bearing, "x with headers"), (keyed, "(secret) with a secret in its")] {
        let error = effects.http(&request).await.expect_err(why);
        assert_eq!(error.class(), ErrorClass::Refused, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(world.used.load(Ordering::Relaxed), 0, "what is refused reaches nobody");
    let log = effects.log();
    assert!(log.len() == 2 && log.iter().all(|record| record.outcome == EffectOutcome::Refused));
    assert!(!format!("{log:?}").contains("hunter"), "{log:?}");
    let (effects, _, world) = with_world(&Script::new([]), GuardPolicy::live([HTTP_READ])).await;
    effects.http(&request(HttpMethod::Get)).await.expect("a live run may");
    assert_eq!(world.used.load(Ordering::Relaxed), 1);
    assert_eq!(effects.log()[0].effect, "GET https://app.test/x?token=(secret)");
}

#[tokio::test(start_paused = true)]
async fn every_hop_passes_the_gate_and_a_dry_run_makes_one() {
    let away = HttpRequest { redirects: 2, ..plain(HttpMethod::Get, "https://app.test/moved") };
    let (effects, _, world) = with_world(&Script::new([]), GuardPolicy::live([HTTP_READ])).await;
    let answer = effects.http(&away).await.expect("an answer");
    assert_eq!((answer.status, answer.place.as_str()), (200, "https://elsewhere.test/here"));
    let asked = ["GET https://app.test/moved", "GET https://elsewhere.test/here"];
    assert_eq!(effects.log().iter().map(|it| it.effect.as_str()).collect::<Vec<_>>(), asked);
    assert_eq!(world.used.load(Ordering::Relaxed), 2);
    let (effects, _, world) = with_world(&Script::new([]), GuardPolicy::DryRun).await;
    assert_eq!(effects.http(&away).await.expect("an answer").status, 302);
    assert_eq!(world.used.load(Ordering::Relaxed), 1);
    assert_eq!(effects.log().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_live_run_has_the_declared_ways_out_and_no_other() {
    for name in [HTTP_READ, HTTP_SEND, DNS_READ, PROCESS_RUN, VARIABLE_READ, SQL_READ] {
        let (effects, _, world) = with_world(&Script::new([]), GuardPolicy::live([name])).await;
        let passed = tried(&effects).await;
        assert!(passed.iter().all(|found| *found == name), "{name}: {passed:?}");
        assert_eq!(passed.is_empty(), name == SQL_READ, "{name}");
        let used = world.used.load(Ordering::Relaxed);
        assert_eq!(usize::try_from(used).ok(), Some(passed.len()), "{name}");
        assert!(!format!("{:?}", effects.log()).contains("hunter"));
        assert_eq!(effects.wall(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_variable_that_is_not_set_says_so() {
    let (effects, ..) = with_world(&Script::new([]), GuardPolicy::live([VARIABLE_READ])).await;
    let absent = effects.variable("ABSENT").expect_err("not set");
    assert!(absent.to_string().contains("`ABSENT` is not set"), "{absent}");
    assert!(effects.has_variable("TOKEN") && !effects.has_variable("ABSENT"));
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_has_no_effects() {
    let script = Script::new([]);
    let (effects, database) = effects(&script, GuardPolicy::DryRun).await;
    let refused = effects.sql(&target(SqlMode::ReadOnly, "app")).await.err().expect("refused");
    assert_eq!(
        refused,
        EffectError::DryRunRefused {
            effect: "a read-only SQL session with db.test:5432/orders".to_owned()
        }
    );
    let refused = effects.database_login(REGION, "orders", SecretStage::Current).await;
    let refused = refused.expect_err("refused");
    assert_eq!(refused.class(), ErrorClass::Refused);
    assert!(refused.to_string().contains("secretsmanager:GetSecretValue"), "{refused}");
    assert_eq!(database.opened.load(Ordering::Relaxed), 0);
    assert!(script.sent().is_empty());
    let log = effects.log();
    assert!(log.len() == 2 && log.iter().all(|record| record.outcome == EffectOutcome::Refused));
}

#[tokio::test(start_paused = true)]
async fn a_live_run_has_the_declared_effects() {
    for (declared, reads, writes) in
        [(SQL_READ, true, false), (SQL_WRITE, true, true), ("rds:DeleteDBInstance", false, false)]
    {
        let script = Script::new([]);
        let (effects, _) = effects(&script, GuardPolicy::live([declared])).await;
        let read = effects.sql(&target(SqlMode::ReadOnly, "app")).await;
        let write = effects.sql(&target(SqlMode::ReadWrite, "app")).await;
        assert_eq!((read.is_ok(), write.is_ok()), (reads, writes), "{declared}");
        if let Some(error) = write.err() {
            assert!(matches!(error, EffectError::NotDeclared { .. }), "{error}");
        }
        let secret = effects.database_login(REGION, "s", SecretStage::Current).await;
        assert!(matches!(secret, Err(EffectError::NotDeclared { .. })), "{declared}");
        assert!(script.sent().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_database_says_is_passed_on_and_recorded() {
    let script = Script::new([]);
    let (effects, _) = effects(&script, GuardPolicy::live([SQL_READ])).await;
    let refused = effects.sql(&target(SqlMode::ReadOnly, "stranger")).await.err().expect("refused");
    assert!(matches!(&refused, EffectError::Sql(error) if error.is_authentication()));
    assert_eq!(refused.class(), ErrorClass::Permanent, "another password may help, not a log-in");
    let log = effects.log();
    assert!(matches!(&log[0].outcome, EffectOutcome::Failed(why) if why.contains("stranger")));
    assert!(!format!("{log:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn logins_are_read_from_secrets() {
    let secret =
        |text: &str| json(&serde_json::json!({ "Name": "s", "SecretString": text }).to_string());
    let script = Script::new([
        secret(r#"{"username":"app","password":"hunter2","dbname":"orders","port":5432}"#),
        secret("hunter3\n"),
        secret(r#"{"username":"app"}"#),
        secret(r#"{"password":"hunter2""#),
        secret(""),
        json(r#"{"Name":"s","SecretBinary":"aGk="}"#),
        json_error("ResourceNotFoundException", "no AWSPREVIOUS"),
    ]);
    let declared = GuardPolicy::live(["secretsmanager:GetSecretValue"]);
    let (effects, _) = effects(&script, declared).await;
    let login = |stage| effects.database_login(REGION, "s", stage);
    let found = login(SecretStage::Current).await.expect("JSON");
    assert_eq!((found.user.as_deref(), found.database.as_deref()), (Some("app"), Some("orders")));
    assert_eq!(found.password.expose_secret(), "hunter2");
    assert!(!format!("{found:?}").contains("hunter2"));
    let found = login(SecretStage::Previous).await.expect("plain");
    assert_eq!((found.user, found.password.expose_secret()), (None, "hunter3"));
    for words in ["no text `password`", "not a valid one", "empty", "bytes", "no AWSPREVIOUS"] {
        let failed = login(SecretStage::Previous).await.expect_err(words);
        assert_eq!(failed.class(), ErrorClass::Permanent, "{failed}");
        let text = failed.to_string();
        assert!(text.contains(words) && !text.contains("hunter"), "{words}: {text}");
    }
    assert!(script.sent()[0].body.contains("AWSCURRENT"));
    assert!(script.sent()[1].body.contains("AWSPREVIOUS"));
    assert!(!format!("{:?}", effects.log()).contains("hunter"));
}
