//! Estate files, right and wrong.
//!
//! **Invariant:** all problems of a file are found in one pass.

use super::{EnvironmentKind, load};

const GOOD: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
objectives: { recovery_time: 4h, recovery_point: 1h }
databases:
  orders:
    instance: shop-orders
    storage_gib: 100
    security_groups: [sg-1]
    dataset: { heartbeat_every: 1s, tables: { orders: { rows: 100, row_every: 30s } } }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3 }
  staging:
    type: aws
    account: "123456789012"
    region: us-east-1
    databases: { orders: { instance: shop-staging-orders, backup_retention_days: 14 } }
"#;

#[test]
fn environments_change_databases() {
    let estate = load("shop.yaml", GOOD).expect("valid");
    let staging = &estate.environments["staging"];
    let orders = estate.database_in("orders", staging).expect("orders");
    assert_eq!(
        (orders.instance.as_str(), orders.backup_retention_days),
        ("shop-staging-orders", 14)
    );
    assert_eq!(estate.databases["orders"].instance, "shop-orders");
    assert!(estate.environments["sim"].is_simulated());
}

#[test]
fn faults_are_checked_where_they_stand() {
    let file = |faults: &str| GOOD.replace("seed: 3", &format!("seed: 3, faults: {faults}"));
    let good = load("shop.yaml", &file("[slow=3, kms-disabled]")).expect("valid");
    let EnvironmentKind::Simulated(simulation) = &good.environments["sim"].kind else {
        panic!("simulated")
    };
    assert_eq!(simulation.faults, ["slow=3", "kms-disabled"]);
    let shown = load("shop.yaml", &file("[slow=3, throtled, slow=x]")).expect_err("invalid");
    let shown = shown.to_string();
    for part in ["error[DR004]", "fault `throtled`", "did you mean `throttled`?", "a factor"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(load("shop.yaml", &file("5")).is_err());
}

#[test]
fn all_problems_in_one_pass() {
    let bad = "apiVersion: drctl/v2\nkind: Estate\nname: x\ndatabses: {}\nenvironments:\n  e: { type: cloud, account: \"1\", region: r, endpoints: { rds: ftp } }\n";
    let shown = load("x.yaml", bad).expect_err("invalid").to_string();
    for part in [
        "x.yaml:1:13: error[DR006]",
        "did you mean `databases`",
        "field `type`",
        "twelve digits",
        "must begin with http",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}
