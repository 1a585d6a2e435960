//! Credentials, accounts, endpoints, protection. These use sockets on loopback, and real time.

use crate::env::{TestEnv, mutations};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// An estate whose environments answer at `endpoint`.
fn estate(endpoint: &str, retention: u32) -> String {
    let at = format!(
        "{{ rds: '{endpoint}', sts: '{endpoint}', secretsmanager: '{endpoint}', default: '{endpoint}' }}"
    );
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders:
    instance: shop-orders
    engine_version: "15.3"
    class: db.t3.medium
    storage_gib: 100
    kms_key: alias/shop
    backup_retention_days: {retention}
    subnet_group: shop-private
    security_groups: [sg-0a1b2c3d4e5f60001]
    parameter_group: shop-postgres15
    database: orders
    user: orders_admin
    secret: shop/orders
    dataset: {{ heartbeat_every: 1s, tables: {{ orders: {{ rows: 10 }} }} }}
environments:
  sim: {{ type: simulated, account: "123456789012", region: us-east-1, seed: 1 }}
  there: {{ type: endpoints, account: "123456789012", region: us-east-1, endpoints: {at} }}
  other: {{ type: endpoints, account: "999999999999", region: us-east-1, endpoints: {at} }}
  guarded:
    type: endpoints
    account: "123456789012"
    region: us-east-1
    protected: true
    endpoints: {at}
  nowhere:
    type: endpoints
    account: "123456789012"
    region: us-east-1
    endpoints: {{ rds: 'http://127.0.0.1:9', sts: 'http://127.0.0.1:9', default: 'http://127.0.0.1:9' }}
  cloud: {{ type: aws, account: "123456789012", region: us-east-1 }}
"#
    )
}

/// `drctl sim serve` on a free port; it ends with the test.
struct Served {
    child: Child,
    endpoint: String,
    env: TestEnv,
}

impl Served {
    fn start() -> Self {
        let env = TestEnv::new();
        env.write("estates/shop.yaml", &estate("http://127.0.0.1:1", 7));
        let mut command = env.command(&["sim", "serve", "--estate", "shop", "--port", "0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let endpoint = line.split_whitespace().find(|word| word.starts_with("http://"));
        let endpoint = endpoint.expect("it says where").to_owned();
        Self { child, endpoint, env }
    }

    fn mutations(&self) -> Vec<String> {
        mutations(&self.env.state().join("worlds/shop-sim"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const RUN: &str = "run restore-db --estate shop -p database=orders --env";

#[test]
fn an_endpoint_that_is_down_is_named() {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate("http://127.0.0.1:9", 7));
    env.line(&format!("{RUN} nowhere --yes")).expect(18).says(&[
        "sts:GetCallerIdentity",
        "nobody answers",
        "help: ",
        "127.0.0.1:9",
    ]);
    env.assert_untouched();
}

#[test]
fn without_credentials_it_ends_before_anything_is_planned() {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate("http://127.0.0.1:9", 7));
    env.line(&format!("{RUN} cloud --yes")).expect(18).says(&["no usable credentials", "help: "]);
    env.line("drill restore-db --env production").expect(18).says(&["help: "]);
    env.assert_untouched();
}

#[test]
fn another_account_than_the_environments_is_refused_and_both_are_named() {
    let served = Served::start();
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(&served.endpoint, 7));
    for line in [format!("{RUN} other --yes"), format!("{RUN} other --dry-run")] {
        env.line(&line).expect(18).says(&["999999999999", "123456789012"]);
    }
    env.assert_untouched();
    assert_eq!(served.mutations(), Vec::<String>::new());
}

#[test]
fn a_protected_environment_wants_a_person_and_yes_is_not_enough() {
    let served = Served::start();
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(&served.endpoint, 7));
    for line in [format!("{RUN} guarded"), format!("{RUN} guarded --yes")] {
        env.line(&line).expect(12).says(&[
            "`guarded` is protected",
            "--yes is not enough",
            "help: ",
        ]);
    }
    env.line(&format!("{RUN} guarded --dry-run")).expect(0).shows(&["DRY RUN", "all reads"]);
    env.assert_untouched();
    assert_eq!(served.mutations(), Vec::<String>::new());
}

#[test]
fn options_of_the_simulator_are_refused_elsewhere() {
    let env = TestEnv::new();
    for option in ["--pace 60", "--fault throttled", "--seed 3"] {
        let line = format!("drill restore-db --env production {option}");
        env.line(&line).expect(2).says(&["environment `production` is not simulated", "--pace"]);
    }
    assert!(!env.state().exists());
}

#[test]
fn a_source_without_backups_fails_before_anything_is_created() {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate("http://127.0.0.1:9", 0));
    env.line(&format!("{RUN} sim --dry-run")).expect(10).shows(&["WONT", "backup retention 0"]);
    env.assert_untouched();
    env.line(&format!("{RUN} sim")).expect(10).says(&[
        "check_source: FAILED",
        "backup retention 0",
        "BackupRetentionPeriod",
    ]);
    assert_eq!(mutations(&env.state().join("worlds/shop-sim")), Vec::<String>::new());
}

const ELSEWHERE: &str = "
apiVersion: drctl/v1
kind: Runbook
name: switch
title: Switch when somebody agrees
steps:
  - id: decide
    uses: gate.approve
    timeout: 30m
    with: { message: Switch? }
  - id: switch
    uses: shell.run
    needs: [decide]
    irreversible: true
    with: { command: [./switch.sh], capture: true }
";

/// A script that leaves a trace where it runs.
fn script(env: &TestEnv, name: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = env.write(name, "#!/bin/sh\necho switched > trace\n");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn a_resumed_run_stays_in_the_project_that_it_began_in() {
    let served = Served::start();
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(&served.endpoint, 7));
    env.write("runbooks/switch.yaml", ELSEWHERE);
    script(&env, "switch.sh");
    env.line("run switch --estate shop --env there").expect(13);
    // Another project, with a script of the same name.
    env.write("other/runbooks/switch.yaml", ELSEWHERE);
    script(&env, "other/switch.sh");
    let resume = |answer: &str| {
        let mut command = env.command(&["resume", "last", "--answer", answer]);
        let command = command.current_dir(env.project().join("other"));
        crate::env::finished(command.output().expect("it starts"))
    };
    // Where the project is not there any more, nothing runs.
    let (here, away) = (env.project(), env.state().with_file_name("away"));
    std::fs::rename(&here, &away).expect("a move");
    std::fs::create_dir_all(env.state().with_file_name("empty")).expect("a directory");
    let mut command = env.command(&["resume", "last", "--answer", "approve"]);
    let output = command.current_dir(env.state().with_file_name("empty")).output();
    let out = crate::env::finished(output.expect("it starts")).expect(2);
    out.says(&["began in ", "no directory is there any more", "put the project back"]);
    std::fs::rename(&away, &here).expect("a move");
    resume("approve").expect(0);
    assert!(here.join("trace").exists(), "it ran where the run began");
    assert!(!here.join("other/trace").exists(), "it did not run where `resume` was typed");
}
