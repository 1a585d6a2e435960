//! Steps that act in another account of the environment, with a role of it.
//!
//! **Invariant:** nothing is done in an account whose session was not proven.

use crate::env::{TestEnv, mutations};

const ROLE: &str = "arn:aws:iam::210987654321:role/data";

fn estate(more: &str) -> String {
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders: {{ instance: shop-orders, secret: shop/orders }}
environments:
  sim:
    type: simulated
    account: "123456789012"
    region: us-east-1
    accounts:
      data: {{ account: "210987654321", role: "{ROLE}", external_id: dr-1, session_tags: {{ team: dr }} }}
{more}"#
    )
}

const STEPS: &str = r"apiVersion: drctl/v1
kind: Runbook
name: restore
title: Restore in the account of the data
steps:
  - id: look
    uses: rds.check_source
    account: data
    with: { instance: shop-orders, restore_time: latest }
  - id: restore
    uses: rds.restore_to_point_in_time
    needs: [look]
    account: data
    with: { source: shop-orders, restore_time: '${{ steps.look.outputs.restore_time }}' }
  - id: own
    uses: rds.check_source
    needs: [restore]
    with: { instance: shop-orders }
";

fn project(more: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(more));
    env.write("runbooks/restore.yaml", STEPS);
    env
}

const RUN: &str = "run restore --env sim --estate shop --yes";

fn log(env: &TestEnv) -> Vec<String> {
    mutations(&env.state().join("worlds/shop-sim"))
}

#[test]
fn the_account_of_a_step_is_shown_wherever_the_step_is() {
    let env = project("");
    let plan = env.line("run restore --env sim --estate shop --dry-run").expect(0);
    plan.shows(&[
        "in account data (210987654321)",
        &format!("the session of {ROLE} in account `data` (210987654321) is narrowed"),
        "sts:AssumeRole",
    ]);
    assert!(log(&env).is_empty());
    env.line(RUN).expect(0).says(&["run succeeded"]);
    env.line("status last").expect(0).shows(&["restore in data (210987654321)"]);
    let status = env.line("status last --output json").expect(0).json();
    assert_eq!(status["steps"][0]["account"]["name"], "data");
    assert!(status["steps"][2]["account"].is_null());
    env.line("report last").expect(0).shows(&["in account data (210987654321)"]);
    let journal = env.line("journal export last").expect(0).stdout;
    assert!(!journal.contains("ASIA"), "no credential is kept");
}

/// The shipped restore, each of its steps in the account of the data.
#[test]
fn a_shipped_runbook_works_in_another_account_and_its_dry_run_is_certified() {
    let env = TestEnv::new();
    let shipped = include_str!("../../runbooks/restore-db.yaml");
    let moved = shipped.replace("    phase: ", "    account: data\n    phase: ");
    assert_eq!(moved.matches("account: data").count(), 5);
    env.write("runbooks/restore-db.yaml", &moved);
    let shop = estate("").replace(
        "secret: shop/orders }",
        "secret: shop/orders, database: orders, user: app, dataset: { extensions: [plpgsql, amcheck], heartbeat_every: 1s, tables: { orders: \
         { rows: 40 } } } }",
    );
    env.write("estates/shop.yaml", &shop);
    let run = "run restore-db --env sim --estate shop -p database=orders -p tables=orders";
    let plan = env.line(&format!("{run} --dry-run")).expect(0);
    plan.shows(&["in account data (210987654321)", "all reads; 0 refused", "sts:AssumeRole"]);
    let json = env.line(&format!("{run} --dry-run --output json")).expect(0).json();
    let text = json.to_string();
    assert!(text.contains("is narrowed") && text.contains("210987654321"), "{text}");
    assert!(log(&env).is_empty(), "a dry run changes nothing");
    env.line(&format!("{run} --yes")).expect(0).says(&["run succeeded"]);
    let restores = log(&env).iter().filter(|line| line.starts_with("Restore")).count();
    assert_eq!(restores, 1);
    // The proof of lint names the role that has to be there already.
    let lint = env
        .line("runbook lint restore-db --estate shop -p database=orders --assume-lost eu-west-1");
    lint.expect(0).shows(&[&format!("step `restore` needs {ROLE}, which must exist already")]);
}

#[test]
fn a_wrong_external_id_is_said_before_anything_begins() {
    let env = project(&format!("    roles: {{ \"{ROLE}\": {{ external_id: another }} }}\n"));
    for line in [RUN, "run restore --env sim --estate shop --dry-run"] {
        let out = env.line(line).expect(18);
        out.says(&["not authorized to perform: sts:AssumeRole", ROLE]);
    }
    assert!(log(&env).is_empty() && env.runs().is_empty());
}

#[test]
fn doctor_proves_each_account() {
    let env = project("");
    let found = env.line("doctor --estate shop --env sim");
    assert!(
        found.stdout.contains("`data`: arn:aws:sts::210987654321:assumed-role/data/"),
        "{}",
        found.stdout
    );
    let env = project(&format!("    roles: {{ \"{ROLE}\": {{ external_id: another }} }}\n"));
    let found = env.line("doctor --estate shop --env sim");
    assert!(
        found.stdout.contains("compare role, external id and session tags"),
        "{}",
        found.stdout
    );
}

#[test]
fn an_account_that_is_none_of_the_environments_is_refused() {
    let env = project("");
    env.write("runbooks/restore.yaml", &STEPS.replace("account: data", "account: audit"));
    let out = env.line(RUN).expect(2);
    out.says(&["environment `sim` has no account `audit`", "there is: data"]);
    env.write("runbooks/restore.yaml", &STEPS.replace("account: data", "account: 'no name!'"));
    env.line(RUN).expect(2).says(&["DR010"]);
    let other = ROLE.replace("210987654321", "111122223333");
    env.write("estates/shop.yaml", &estate("").replace(ROLE, &other));
    env.write("runbooks/restore.yaml", STEPS);
    env.line(RUN).expect(2).says(&["DR007", "role of account 111122223333"]);
}

#[test]
fn a_session_that_expires_on_the_way_makes_the_run_wait() {
    let env = project("");
    let fault = "--fault expired-credentials=RestoreDBInstanceToPointInTime";
    env.line(&format!("{RUN} {fault}")).expect(18).says(&["stopped: credentials", "drctl resume"]);
    env.line("resume last --yes").expect(0).says(&["run succeeded"]);
    let restores = log(&env).iter().filter(|line| line.starts_with("Restore")).count();
    assert_eq!(restores, 1);
}
