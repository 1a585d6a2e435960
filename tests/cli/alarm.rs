//! Runs that start from an alarm.

use crate::env::TestEnv;
use std::fs;

const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders:
    instance: shop-orders
    dataset: { heartbeat_every: 1s, tables: { orders: { rows: 10 } } }
alarms:
  down: { name: shop-orders-down, follows: orders }
  west: { name: shop-west, region: us-west-2, follows: orders }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, allowed_regions: [us-west-2] }
  nobody:
    type: endpoints
    account: "123456789012"
    region: us-east-1
    endpoints: { default: "http://127.0.0.1:9" }
"#;

const RUNBOOK: &str = r#"
apiVersion: drctl/v1
kind: Runbook
name: look
title: Look at what an alarm says
measure: { recovered: wait }
steps:
  - id: wait
    uses: gate.wait_until
    with: { for: 1m }
    timeout: 10m
  - id: told
    uses: gate.wait_until
    when: run.alarm == 'shop-orders-down' && run.detected_at != null
    with: { for: 1m }
    timeout: 10m
"#;

fn project() -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", ESTATE);
    env.write("runbooks/look.yaml", RUNBOOK);
    env
}

#[test]
fn a_drill_begins_with_its_alarm_and_the_waterfall_tells_it() {
    let env = project();
    let drill =
        "apiVersion: drctl/v1\nkind: Drill\nname: look\nrunbook: look\nestate: shop\nalarm: down\n";
    env.write("drills/look.yaml", drill);
    let ran = env.line("drill look --output json").expect(0);
    ran.stderr.contains("alarm shop-orders-down is ALARM since").then_some(()).expect("it is told");
    let json = ran.json();
    assert_eq!(json["waterfall"]["from_what"], "detected_at");
    let outcomes: Vec<&str> = json["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| step["outcome"].as_str().expect("a word"))
        .collect();
    assert_eq!(outcomes, ["succeeded", "succeeded"], "`run.alarm` and `run.detected_at` are known");
    // A resume reads the plan, and another alarm wins over the file's.
    let said = "--disaster-at 2026-01-15T08:50:00Z --detected-at 2026-01-15T08:55:00Z";
    let ran = env.line(&format!("drill look --alarm shop-west --alarm-ok {said} --output json"));
    let json = ran.expect(0).json();
    let ms = |phase: &str| {
        let rows = json["waterfall"]["phases"].as_array().expect("phases");
        rows.iter().find(|row| row["phase"] == phase).and_then(|row| row["ms"].as_u64())
    };
    assert_eq!(json["waterfall"]["from_what"], "disaster_at");
    assert_eq!(ms("detect"), Some(300_000));
    assert!(ms("decide").expect("from the alarm to the start") >= 300_000);
    assert!(json["waterfall"]["notes"].to_string().contains("said on the command line"));
    assert_eq!(json["steps"][1]["outcome"], "skipped", "another alarm");
}

#[test]
fn an_alarm_that_is_ok_or_unknown_or_foreign_starts_nothing() {
    let env = project();
    let run = |rest: &str| env.line(&format!("run look --estate shop --env sim {rest}"));
    run("--alarm down").expect(17).says(&["alarm `shop-orders-down` is OK since", "--alarm-ok"]);
    run("--alarm shop-orders-down").expect(17).says(&["is OK since"]);
    run("--alarm nothing").expect(2).says(&["there is no alarm `nothing` in us-east-1"]);
    let arn = |region: &str, account: &str, rest: &str| {
        format!("--alarm arn:aws:cloudwatch:{region}:{account}:{rest}")
    };
    let west = arn("us-west-2", "123456789012", "alarm:shop-west");
    run(&west).expect(17).says(&["alarm `shop-west` is OK since"]);
    let elsewhere = arn("us-west-2", "123456789012", "alarm:shop-orders-down");
    run(&elsewhere).expect(2).says(&["there is no alarm `shop-orders-down` in us-west-2"]);
    let foreign = arn("us-east-1", "999999999999", "alarm:shop-orders-down");
    run(&foreign).expect(2).says(&["account 999999999999", "is account 123456789012"]);
    for bad in [
        "--alarm arn:aws:sns:us-east-1:123456789012:topic",
        "--alarm arn:aws:cloudwatch:us-east-1:123456789012:alarm:",
        "--alarm arn:aws:cloudwatch:../..:123456789012:alarm:x",
        "--alarm a:b",
        "--detected-at yesterday",
        "--detected-at 2027-01-01T00:00:00Z",
        "--disaster-at 2026-01-15T08:50:00Z --detected-at 2026-01-15T08:40:00Z",
        "--alarm-ok",
    ] {
        run(bad).expect(2);
    }
    assert_eq!(env.runs(), Vec::<String>::new());
    run("--alarm down --alarm-ok").expect(0).says(&["is OK since"]);
}

#[test]
fn without_cloudwatch_a_person_says_when_it_rose() {
    let env = project();
    // Nobody answers at all there: the account is proven first, and that is what is said.
    let line = "run look --estate shop --env nobody --alarm down";
    env.line(line).expect(18);
    env.line("run look --estate shop --env sim --alarm down --fault access-denied=DescribeAlarms")
        .expect(18)
        .says(&["--detected-at"]);
    // A fault that struck does not strike that world again.
    let env = project();
    let said = "--detected-at 2026-01-15T08:55:00Z";
    let line = "run look --estate shop --env sim --alarm down --fault access-denied=DescribeAlarms";
    let ran = env.line(&format!("{line} {said} --seed 1 --output json")).expect(0);
    assert!(ran.stderr.contains("could not be read"), "{}", ran.stderr);
    let json = ran.json();
    assert_eq!(json["waterfall"]["from_what"], "detected_at");
    let notes = json["waterfall"]["notes"].to_string();
    assert!(notes.contains("said on the command line, because alarm shop-orders-down"), "{notes}");
    let journal = env.state().join("runs").join(&env.runs()[0]).join("journal.db");
    assert!(fs::metadata(journal).is_ok());
}
