//! `drctl s3 canary` on simulated buckets: measured, repeated, interrupted, and nothing left.
//!
//! **Invariant:** whatever becomes of the run, no version of a canary stays in either bucket.

use crate::env::TestEnv;

fn estate(rule: &str) -> String {
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
buckets:
  documents:
    name: shop-documents
    region: us-east-1
    replication: [{{ id: all, to: copies, priority: 1, {rule} }}]
    objects: [{{ key: a.txt, text: a }}]
  copies: {{ name: shop-copies, region: us-west-2 }}
environments:
  sim: {{ type: simulated, account: "123456789012", region: us-east-1, allowed_regions: [us-west-2] }}
"#
    )
}

fn env(rule: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(rule));
    env
}

const CANARY: &str = "s3 canary documents copies --estate shop --env sim";

/// Both buckets hold what they held before.
fn assert_clean(env: &TestEnv) {
    let line = "s3 compare documents copies --estate shop --env sim --output json";
    let compared = env.line(line).expect(0).json();
    assert_eq!(compared["compared"].as_u64(), Some(1), "{compared}");
    for bucket in ["documents", "copies"] {
        let line = format!("s3 rollback {bucket} --to 2026-01-01T00:00:00Z --prefix drctl-canary/");
        let line = format!("{line} --estate shop --env sim --dry-run --output json");
        let planned = env.line(&line).expect(0).json().to_string();
        assert!(!planned.contains("drctl-canary/01"), "{bucket}: {planned}");
    }
}

#[test]
fn copies_are_measured_and_nothing_stays() {
    let env = env("metrics: true");
    let dry = env.line(&format!("{CANARY} --dry-run")).expect(0);
    dry.shows(&["measure copies from `shop-documents` to `shop-copies`", "reads; 0 refused"]);
    assert!(env.runs().is_empty());
    let run = env.line(&format!("{CANARY} --samples 4 --yes --output json")).expect(0);
    let copies = run.json()["copies"][0].clone();
    assert_eq!(copies["samples"], 4, "{copies}");
    for name in ["p50_ms", "p95_ms", "max_ms"] {
        assert!(copies[name].as_u64().is_some_and(|millis| millis > 0), "{copies}");
    }
    assert_clean(&env);
    env.line(&format!("{CANARY} --samples 1 --yes")).expect(0).shows(&["copies p50 "]);
    let history = env.line("history --output json").expect(0);
    let rows = history.json()["runs"].as_array().expect("a list").clone();
    assert_eq!(rows.len(), 2, "{}", history.stdout);
    assert!(rows.iter().all(|row| row["copies"]["p95_ms"].is_u64()), "{}", history.stdout);
    env.line("history").expect(0).shows(&["copies p95     ", "copies p50 "]);
}

#[test]
fn what_cannot_be_copied_is_not_put() {
    let env = env("status: Disabled");
    env.line(&format!("{CANARY} --yes")).expect(10).says(&["S3-013"]);
    env.line(&format!("{CANARY} --samples 0")).expect(2);
    env.line(&format!("{CANARY} --timeout never")).expect(2).says(&["is no duration"]);
    env.line(&format!("{CANARY} --max 0s")).expect(2).says(&["--max is no time"]);
    env.line("s3 canary documents s3://shop-copies/x --estate shop --env sim")
        .expect(2)
        .says(&["the destination has a prefix"]);
}

#[test]
fn a_copy_that_takes_too_long_fails_and_is_removed() {
    let env = env("metrics: true");
    env.line(&format!("{CANARY} --samples 1 --max 1ms --yes")).expect(10).says(&["are allowed"]);
    assert_clean(&env);
}
