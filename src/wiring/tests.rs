//! Reads and writes of a failover: `cloud` as it is, against the simulated AWS.
//!
//! **Invariant:** what `cloud` writes the simulator reads, and the other way round; neither shares code with
//! the other.

use super::Session;
use crate::base::clock::simulated_epoch;
use crate::base::seed::Seed;
use crate::cloud::model::{IngressRule, PromotionRequest, RuleSource};
use crate::cloud::{Cloud, ErrorClass, GuardPolicy, Overlay, SecretStage};
use crate::estate::{self, Estate};
use crate::sim::{SimOptions, Simulator};
use std::time::Duration;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders: { instance: orders, secret: shop/orders, subnet_group: shop-private, security_groups: [sg-db], kms_key: alias/shop }
  west: { instance: orders-west, replica_of: orders, region: us-west-2, kms_key: alias/shop }
security_groups:
  database:
    id: sg-db
    ingress:
      - { from_port: 5432, sources: [sg-app, 10.0.0.0/16], description: the application }
      - { protocol: "-1", sources: ["2001:db8::/32"] }
exports: { orders: { database: orders, bucket: backups, every: 24h } }
environments:
  sim:
    { type: simulated, account: "123456789012", region: us-east-1, allowed_regions: [us-west-2], seed: 3 }
"#;

const CALLS: [&str; 7] = [
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupIngress",
    "rds:ModifyDBInstance",
    "rds:PromoteReadReplica",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
];

async fn session(faults: &[&str]) -> (Estate, Session, Cloud) {
    let estate = estate::load("shop.yaml", ESTATE).expect("valid");
    let environment = &estate.environments["sim"];
    let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
    let simulator = Simulator::create(&estate, environment, SimOptions { seed: None, faults })
        .expect("a world");
    let session = Session::in_memory(simulator, environment, Seed::new(3), simulated_epoch());
    let cloud = session.cloud(GuardPolicy::live(CALLS)).await.expect("open");
    let cloud = cloud.protecting(&estate);
    (estate, session, cloud)
}

#[tokio::test(start_paused = true)]
async fn a_group_is_emptied_and_gets_back_exactly_what_it_had() {
    let (_, session, cloud) = session(&[]).await;
    let (view, writer) = (cloud.view(Overlay::new()), cloud.writer().expect("live"));
    let group = || async { view.security_group("us-east-1", "sg-db").await.expect("read") };
    let before = group().await.expect("there");
    assert_eq!(before.ingress.len(), 3, "{before:?}");
    assert!(before.ingress.iter().any(|rule| rule.reaches(5432)
        && rule.source == RuleSource::Group { id: "sg-app".to_owned(), account: None }
        && rule.description.as_deref() == Some("the application")));
    writer.revoke_ingress("us-east-1", "sg-db", &before.ingress).await.expect("accepted");
    let gone = writer.revoke_ingress("us-east-1", "sg-db", &before.ingress).await;
    assert!(gone.expect_err("not there any more").is("InvalidPermission.NotFound"));
    session.clock.sleep(Duration::from_secs(120)).await;
    assert_eq!(group().await.expect("there").ingress, []);
    writer.authorize_ingress("us-east-1", "sg-db", &before.ingress).await.expect("accepted");
    let twice = writer.authorize_ingress("us-east-1", "sg-db", &before.ingress[..1]).await;
    assert!(twice.expect_err("there already").is("InvalidPermission.Duplicate"));
    session.clock.sleep(Duration::from_secs(120)).await;
    assert_eq!(group().await, Some(before));
    assert_eq!(view.security_group("us-east-1", "sg-none").await.expect("an answer"), None);
    assert_eq!(view.security_group("us-west-2", "sg-db").await.expect("an answer"), None);
}

#[tokio::test(start_paused = true)]
async fn faults_strike_ec2_as_they_strike_the_others() {
    let rule = || IngressRule {
        protocol: "tcp".to_owned(),
        from_port: Some(1),
        to_port: Some(2),
        source: RuleSource::Ipv4("10.9.0.0/16".to_owned()),
        description: None,
    };
    for (fault, class) in [
        ("lost-answer=AuthorizeSecurityGroupIngress", ErrorClass::InDoubt),
        ("error-after-effect=AuthorizeSecurityGroupIngress", ErrorClass::InDoubt),
        ("access-denied=AuthorizeSecurityGroupIngress", ErrorClass::Credentials),
        ("control-plane-down=us-east-1", ErrorClass::InDoubt),
    ] {
        let (_, _, cloud) = session(&[fault]).await;
        let writer = cloud.writer().expect("live");
        let failed = writer.authorize_ingress("us-east-1", "sg-db", &[rule()]).await;
        assert_eq!(failed.expect_err(fault).class, class, "{fault}");
    }
    let (_, session, cloud) = session(&["stale-read=90"]).await;
    let (view, writer) = (cloud.view(Overlay::new()), cloud.writer().expect("live"));
    writer.authorize_ingress("us-east-1", "sg-db", &[rule()]).await.expect("accepted");
    let has = || async {
        let group = view.security_group("us-east-1", "sg-db").await.expect("read").expect("there");
        group.ingress.contains(&rule())
    };
    assert!(!has().await, "a stale read");
    session.clock.sleep(Duration::from_secs(91)).await;
    assert!(has().await);
}

#[tokio::test(start_paused = true)]
async fn a_replica_lags_is_promoted_and_has_no_lag_any_more() {
    let (_, session, cloud) = session(&[]).await;
    let (view, writer) = (cloud.view(Overlay::new()), cloud.writer().expect("live"));
    let replica = || async {
        view.db_instance("us-west-2", "orders-west").await.expect("read").expect("there")
    };
    let found = replica().await;
    assert!(
        found
            .replica_source
            .is_some_and(|source| source.ends_with("us-east-1:123456789012:db:orders"))
    );
    assert!(found.replication.is_some_and(|replication| replication.is_active()));
    let lag = view.replica_lag("us-west-2", "orders-west", None).await.expect("read");
    let lag = lag.expect("a figure");
    assert!(lag.lag.is_some_and(|lag| (2..5).contains(&lag.as_secs())), "{lag:?}");
    assert_eq!(view.replica_lag("us-east-1", "orders", None).await.expect("read"), None);
    let simulator = session.simulator.clone().expect("a world");
    let writers = || {
        let all = simulator.open_writers(session.clock.now()).into_iter();
        all.map(|one| (one.instance, one.fenced)).collect::<Vec<_>>()
    };
    assert_eq!(writers(), [("orders".to_owned(), false)]);
    let group = view.security_group("us-east-1", "sg-db").await.expect("read").expect("there");
    writer.revoke_ingress("us-east-1", "sg-db", &group.ingress).await.expect("accepted");
    assert_eq!(writers(), [("orders".to_owned(), true)]);
    let request = PromotionRequest { instance: "orders-west".to_owned(), backup_retention_days: 7 };
    writer.promote_replica("us-west-2", &request).await.expect("accepted");
    assert_eq!(replica().await.status, "available", "that proves nothing");
    for _ in 0..60 {
        session.clock.sleep(Duration::from_secs(30)).await;
        if replica().await.replica_source.is_none() {
            break;
        }
    }
    session.clock.sleep(Duration::from_secs(600)).await;
    let writer_now = replica().await;
    assert_eq!((writer_now.replica_source, writer_now.replication), (None, None));
    assert_eq!((writer_now.status.as_str(), writer_now.backup_retention_days), ("available", 7));
    assert_eq!(writers(), [("orders".to_owned(), true), ("orders-west".to_owned(), false)]);
    let failed = writer.promote_replica("us-west-2", &request).await.expect_err("no replica");
    assert!(failed.is("InvalidDBInstanceState"));
}

#[tokio::test(start_paused = true)]
async fn faults_of_replication_are_unknown_lags_and_endless_promotions() {
    let (_, _, unknown) = session(&["replica-lag-unknown"]).await;
    let lag = unknown.view(Overlay::new()).replica_lag("us-west-2", "orders-west", None).await;
    assert_eq!(lag.expect("an answer"), None);
    let (_, session, cloud) = session(&["promotion-stuck"]).await;
    let request = PromotionRequest { instance: "orders-west".to_owned(), backup_retention_days: 7 };
    cloud.writer().expect("live").promote_replica("us-west-2", &request).await.expect("accepted");
    session.clock.sleep(Duration::from_secs(24 * 3600)).await;
    let view = cloud.view(Overlay::new());
    let stuck = view.db_instance("us-west-2", "orders-west").await.expect("read").expect("there");
    assert_eq!((stuck.status.as_str(), stuck.replica_source.is_some()), ("modifying", true));
}

#[tokio::test(start_paused = true)]
async fn an_instance_is_renamed_and_a_secret_goes_there_and_back() {
    let (_, session, cloud) = session(&[]).await;
    let (view, writer) = (cloud.view(Overlay::new()), cloud.writer().expect("live"));
    let old = view.db_instance("us-east-1", "orders").await.expect("read").expect("there");
    writer.rename_instance("us-east-1", ("orders", "orders-old")).await.expect("accepted");
    session.clock.sleep(Duration::from_secs(1800)).await;
    assert_eq!(view.db_instance("us-east-1", "orders").await.expect("read"), None);
    let new = view.db_instance("us-east-1", "orders-old").await.expect("read").expect("there");
    assert_eq!(new.resource_id, old.resource_id);

    let effects = cloud.effects(session.ports.clone());
    let current = SecretStage::Current;
    let text = effects.secret_version("us-east-1", "shop/orders", current).await.expect("read");
    let versions = || async {
        let all = view.secret_versions("us-east-1", "shop/orders").await.expect("read");
        let has = |stage: &str| {
            let found = all.iter().find(|it| it.stages.iter().any(|name| name == stage));
            found.map(|it| it.id.clone()).expect("staged")
        };
        (has("AWSCURRENT"), has("AWSPREVIOUS"))
    };
    let (first, _) = versions().await;
    let token = "0123456789abcdef0123456789abcdef";
    for _ in 0..2 {
        writer.put_secret_value("us-east-1", "shop/orders", token, &text).await.expect("once");
    }
    assert_eq!(versions().await, (token.to_owned(), first.clone()));
    let stages = (token, first.as_str());
    writer.move_secret_stage("us-east-1", "shop/orders", stages).await.expect("accepted");
    assert_eq!(versions().await, (first.clone(), token.to_owned()));
    let wrong = ("someother", token);
    let failed = writer.move_secret_stage("us-east-1", "shop/orders", wrong).await;
    assert_eq!(failed.expect_err("not current").class, ErrorClass::Permanent);
}

#[tokio::test(start_paused = true)]
async fn exports_are_told_of_and_fail_when_they_are_made_to() {
    let (_, session, cloud) = session(&[]).await;
    let view = cloud.view(Overlay::new());
    let tasks = view.snapshot_exports("us-east-1", "backups").await.expect("read");
    let newest = &tasks[0];
    assert_eq!((newest.status.as_str(), newest.ended_at.is_some()), ("COMPLETE", true));
    let age = session.clock.now() - newest.snapshot_at.expect("told");
    assert_eq!(age.num_hours(), 3);
    assert!(newest.source.contains(":snapshot:rds:orders-2026-01-15"), "{newest:?}");
    assert_eq!(tasks.len(), 14, "AWS tells of two weeks");
    assert_eq!(view.snapshot_exports("us-east-1", "elsewhere").await.expect("read"), []);
    let (_, _, failing) = self::session(&["export-failed"]).await;
    let tasks =
        failing.view(Overlay::new()).snapshot_exports("us-east-1", "backups").await.expect("read");
    let words: Vec<&str> = tasks.iter().take(4).map(|task| task.status.as_str()).collect();
    assert_eq!(words, ["FAILED", "FAILED", "FAILED", "COMPLETE"]);
    assert!(tasks[0].failure.is_some());
}
