//! `drctl s3 check-config` on simulated buckets: each rule planted in an estate, and one that is well.
//!
//! **Invariant:** nothing but reads is sent, and the exit code says how bad it is.

use crate::env::{Output, TestEnv};
use std::collections::BTreeSet;

/// The two buckets: what each has beside its name and region, and the rule between them.
struct Buckets {
    /// What the environment has otherwise.
    there: &'static str,
    source: &'static str,
    copies: &'static str,
    rule: &'static str,
}

const RULE: &str =
    "delete_markers: true, existing_objects: true, time_control: true, metrics: true";
const WELL: Buckets = Buckets { there: "", source: "", copies: "", rule: RULE };

fn estate(buckets: &Buckets) -> String {
    let Buckets { there, source, copies, rule } = buckets;
    let replication = match *rule {
        "" => String::new(),
        rule => format!("replication: [{{ id: all, to: copies, priority: 1, {rule} }}],"),
    };
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
buckets:
  documents: {{ name: shop-documents, region: us-east-1, {source} {replication} objects: [{{ key: a.txt, text: a }}] }}
  copies: {{ name: shop-copies, region: us-west-2, {copies} }}
  elsewhere: {{ name: shop-elsewhere, region: eu-west-1 }}
environments:
  sim: {{ type: simulated, account: "123456789012", region: us-east-1, allowed_regions: [us-west-2], {there} }}
"#
    )
}

fn check(buckets: &Buckets, more: &str) -> Output {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(buckets));
    env.line(&format!("s3 check-config documents copies --estate shop --env sim {more}"))
}

fn ids(output: &Output) -> BTreeSet<String> {
    let found = output.json();
    let findings = found["findings"].as_array().expect("a list");
    findings.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

/// Findings that are no mere note.
fn grave(output: &Output) -> BTreeSet<String> {
    let found = output.json();
    let findings = found["findings"].as_array().expect("a list").clone();
    let grave = findings.into_iter().filter(|one| one["severity"] != "info");
    grave.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn a_bucket_that_is_well_has_no_finding_and_a_rule_that_is_told() {
    let text = check(&WELL, "").expect(0);
    text.shows(&[
        "shop-documents (us-east-1)",
        "every key to shop-copies, priority 1, delete markers, existing objects, time control, metrics",
        "shop-copies (us-west-2)",
        "new objects are copied: 0 errors, 0 warnings",
    ]);
    let json = check(&WELL, "--output json").expect(0);
    assert_eq!(grave(&json), BTreeSet::new());
    let json = json.json();
    assert_eq!((&json["schema_version"], &json["replicating"]), (&1.into(), &true.into()));
    assert_eq!(json["rules"][0]["time_control_minutes"], 15);
}

#[test]
fn each_planted_fault_is_found() {
    const KMS: &str = "encryption: aws:kms, kms_key: alias/shop,";
    for (id, code, buckets) in [
        ("S3-001", 10, Buckets { source: "versioning: never,", rule: "", ..WELL }),
        (
            "S3-002",
            10,
            Buckets { there: "buckets: { documents: { versioning: suspended } }", ..WELL },
        ),
        ("S3-003", 0, Buckets { source: "public_access_blocked: false,", ..WELL }),
        ("S3-010", 10, Buckets { rule: "", ..WELL }),
        ("S3-013", 10, Buckets { rule: "status: Disabled", ..WELL }),
        ("S3-014", 0, Buckets { rule: "prefix: clients/, metrics: true", ..WELL }),
        ("S3-017", 0, Buckets { rule: "metrics: true", ..WELL }),
        ("S3-018", 0, Buckets { rule: "metrics: true", ..WELL }),
        ("S3-019", 0, Buckets { rule: "metrics: true, storage_class: GLACIER", ..WELL }),
        ("S3-020", 10, Buckets { source: KMS, ..WELL }),
        ("S3-026", 0, Buckets { rule: "delete_markers: true", ..WELL }),
        ("S3-027", 0, Buckets { rule: "metrics: true", ..WELL }),
        ("S3-033", 10, Buckets { there: "buckets: { copies: { versioning: suspended } }", ..WELL }),
        ("S3-037", 0, Buckets { copies: "public_access_blocked: false,", ..WELL }),
        ("S3-040", 10, Buckets { copies: "lifecycle: [{ id: tidy, expire_after: 30d }],", ..WELL }),
        ("S3-041", 0, Buckets { copies: "lifecycle: [{ id: cold, glacier_after: 1d }],", ..WELL }),
        ("S3-043", 10, Buckets { copies: "lifecycle: [{ id: old, noncurrent_days: 7 }],", ..WELL }),
        ("S3-042", 10, Buckets { source: "lifecycle: [{ id: old, noncurrent_days: 7 }],", ..WELL }),
        ("S3-044", 0, Buckets { source: "lifecycle: [{ id: tidy, expire_after: 30d }],", ..WELL }),
        ("S3-050", 10, Buckets { source: "object_lock: { mode: GOVERNANCE, days: 1 },", ..WELL }),
        ("S3-051", 0, Buckets { copies: "object_lock: { mode: COMPLIANCE, days: 1 },", ..WELL }),
        ("S3-060", 0, Buckets { copies: "replication: [{ id: back, to: documents }],", ..WELL }),
        ("S3-061", 0, Buckets { copies: "replication: [{ id: on, to: elsewhere }],", ..WELL }),
    ] {
        let json = check(&buckets, "--keep 90d --output json").expect(code);
        assert!(ids(&json).contains(id), "{id}: {}", json.stdout);
        let text = check(&buckets, "--keep 90d").expect(code);
        text.shows(&[id, "read: s3:", "help: "]);
    }
}

#[test]
fn regions_are_those_that_the_estate_allows() {
    let env = TestEnv::new();
    let away = estate(&WELL).replace("to: copies", "to: elsewhere");
    env.write("estates/shop.yaml", &away);
    let line = "s3 check-config documents --estate shop --env sim --output json";
    let output = env.line(line).expect(10);
    assert!(ids(&output).contains("S3-034"), "{}", output.stdout);
    assert_eq!(output.json()["destinations"][0]["region"], "eu-west-1");
    // Nobody copies to the one that was asked for.
    let output = env.line("s3 check-config documents copies --estate shop --env sim --output json");
    assert!(ids(&output.expect(10)).contains("S3-011"));
}

#[test]
fn severities_and_options_decide() {
    let open = Buckets { copies: "public_access_blocked: false,", ..WELL };
    check(&open, "").expect(0);
    check(&open, "--max-severity info").expect(10);
    let off = Buckets { rule: "status: Disabled", ..WELL };
    check(&off, "--max-severity error").expect(0).shows(&["new objects are NOT copied"]);
    check(&WELL, "--keep soon").expect(2).says(&["--keep `soon` is no duration"]);
    check(&WELL, "--max-severity fatal").expect(2);
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(&WELL));
    env.line("s3 check-config nothing --estate shop --env sim")
        .expect(2)
        .says(&["there is no bucket `nothing`"]);
    env.line("s3 check-config documents documents --estate shop --env sim")
        .expect(2)
        .says(&["no copy of itself"]);
    let dead = "s3 check-config s3://a s3://b --endpoint-url http://127.0.0.1:9";
    env.line(dead).expect(18);
}
