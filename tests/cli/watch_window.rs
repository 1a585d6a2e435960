//! `cloudwatch.watch` in runs of the program.

use crate::env::TestEnv;
use crate::interrupted::Watched;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
services:
  api: { cluster: shop, task_definition: "shop-api:4", desired: 2 }
alarms:
  down: { name: shop-api-down, region: us-west-2, follows: api }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, allowed_regions: [us-west-2] }
  west: { type: simulated, account: "123456789012", region: us-west-2, allowed_regions: [us-east-1],
          services: { api: { region: us-east-1 } } }
"#;

const RUNBOOK: &str = r#"
apiVersion: drctl/v1
kind: Runbook
name: watch
title: Watch for a while
measure: { recovered: watch }
steps:
  - id: watch
    uses: cloudwatch.watch
    region: ${{ estate.alarms['down'].region }}
    timeout: 2h
    with:
      for: 30m
      alarms: ["${{ estate.alarms['down'].name }}"]
"#;

fn project() -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", ESTATE);
    env.write("runbooks/watch.yaml", RUNBOOK);
    env
}

#[test]
fn nothing_breaks_through_the_window() {
    let env = project();
    env.line("run watch --env sim --dry-run")
        .expect(0)
        .shows(&["watch for 30m", "alarm shop-api-down"]);
    let ran = env.line("run watch --env sim --output json").expect(0);
    let json = ran.json();
    assert_eq!(json["steps"][0]["outcome"], "succeeded");
    assert!(json["waterfall"]["total_ms"].as_u64().expect("measured") >= 30 * 60_000);
    assert_eq!(json["prediction"]["held"], json["prediction"]["total"]);
}

#[test]
fn a_region_that_is_lost_breaks_it_at_once() {
    let env = project();
    let fault = "--fault region-lost=us-east-1/after=10m";
    let ran = env.line(&format!("run watch --env west {fault} --output json")).expect(10);
    let json = ran.json();
    let why = json["steps"][0]["why"].as_str().expect("a reason").to_owned();
    assert!(why.contains("alarm shop-api-down: it is in ALARM since"), "{why}");
    let total = json["waterfall"]["total_ms"].as_u64().expect("until it ended");
    assert!(total < 15 * 60_000, "three minutes after the loss, not at the end: {total}");
}

#[test]
fn a_killed_process_loses_nothing_that_aws_remembers() {
    let env = project();
    let mut run = Watched::start(&env, "run watch --env sim --pace 60");
    run.until("watch: started");
    run.kill();
    let ran = env.line("resume last --output json").expect(0);
    let json = ran.json();
    assert_eq!(json["run"]["attempts"], 2);
    let total = json["waterfall"]["total_ms"].as_u64().expect("measured");
    assert!(
        (30 * 60_000..40 * 60_000).contains(&total),
        "the window counts from its beginning: {total}"
    );
}
