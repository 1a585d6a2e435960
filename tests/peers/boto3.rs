//! boto3, a client that we did not write, against `drctl sim serve` over loopback TCP.
//!
//! **Invariant:** the checks are in Python, so that no code of ours parses the answers.

use crate::served::{Served, python};
use crate::support::{repository, run, skip};
use std::process::Command;

/// Runs a script of checks against a simulator that is served at `speed`.
fn checks(script: &str, speed: u32) {
    checks_of(script, || Served::at(speed));
}

/// Runs a script of checks against a simulator.
#[expect(clippy::print_stdout, reason = "what was checked, for whoever reads the log")]
fn checks_of(script: &str, serve: impl FnOnce() -> Served) {
    let Some(python) = python() else { return skip("boto3 could not be installed") };
    let served = serve();
    let mut checks = Command::new(python);
    checks.arg(script).arg(&served.endpoint).arg(&served.dns_port);
    let ended = run(checks.current_dir(repository()));
    drop(served);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stdout, ended.stderr);
    print!("{}", ended.stdout);
    assert!(ended.stdout.contains("checks passed"), "{}", ended.stdout);
}

#[test]
fn boto3_finds_states_refusals_and_windows_as_aws_documents_them() {
    checks("tests/peers/boto3_sim.py", 1200);
}

#[test]
fn boto3_finds_the_other_services_as_aws_documents_them() {
    checks("tests/peers/boto3_services.py", 20);
}

#[test]
fn boto3_finds_s3_as_aws_documents_it() {
    checks("tests/peers/boto3_s3.py", 20);
}

#[test]
fn boto3_finds_what_a_failover_needs_as_aws_documents_it() {
    checks("tests/peers/boto3_failover.py", 600);
}

/// An estate with services and a log group, and nothing that others change.
const SERVICES: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
services:
  api: { cluster: shop, task_definition: "api:42", desired: 6 }
  web: { cluster: shop, task_definition: "web:1", desired: 4 }
log_groups: { api: { name: /ecs/api } }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 7, buckets: [evidence] }
"#;

#[test]
fn boto3_finds_ecs_and_logs_as_aws_documents_them() {
    checks_of_shop("tests/peers/boto3_ecs.py", SERVICES, 20);
}

/// An alarm that follows a service, and a role of another account.
const ALARMS: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
services:
  api: { cluster: shop, task_definition: "api:42", desired: 3 }
alarms: { api_down: { name: shop-api-down, follows: api } }
environments:
  sim:
    type: simulated
    account: "123456789012"
    region: us-east-1
    seed: 7
    topics: [alerts]
    roles: { "arn:aws:iam::210987654321:role/recovery": { external_id: dr-1, session_tags: [team] } }
"#;

/// Runs a script of checks against the simulator of an estate `shop`.
fn checks_of_shop(script: &str, estate: &str, speed: u32) {
    let project = tempfile::tempdir().expect("a directory");
    let path = project.path().join("estates/shop.yaml");
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    std::fs::write(path, estate).expect("a file");
    checks_of(script, || Served::of(project.path(), "shop", speed));
}

#[test]
fn boto3_finds_alarms_and_roles_as_aws_documents_them() {
    checks_of_shop("tests/peers/boto3_alarms.py", ALARMS, 60);
}

/// A zone with weights, an alias and a wildcard.
const ZONES: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
health_checks: { east: { id: 11111111-0000-4000-8000-000000000001, host: east.shop.example } }
zones:
  public:
    id: Z0SHOP1
    name: shop.example
    records:
      east: { name: api.shop.example, type: A, values: [192.0.2.1], set_identifier: east, weight: 100, health_check: east }
      west: { name: api.shop.example, type: A, values: [192.0.2.2], set_identifier: west, weight: 0 }
      www: { name: www.shop.example, type: A, alias: { zone: Z0SHOP1, name: api.shop.example } }
      text: { name: "*.shop.example", type: TXT, values: ['"v=spf1 -all"'] }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 7 }
"#;

#[test]
fn boto3_and_dns_clients_find_route53_as_aws_documents_it() {
    checks_of_shop("tests/peers/boto3_route53.py", ZONES, 10);
}
