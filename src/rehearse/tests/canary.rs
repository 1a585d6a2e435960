//! Canaries between two simulated buckets: timed, removed, and killed at every instant.
//!
//! **Invariant:** wherever the run was killed, neither bucket holds a version of a canary once it has ended.

use super::{file, stage};
use crate::base::seed::Seed;
use crate::rehearse::{Keep, Mode, Scenario, Stage, crash_everywhere, outcome, play, properties};
use crate::runbook::load_drill;

const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: shop
buckets:
  documents:
    name: shop-documents
    region: us-east-1
    replication: [{ id: all, to: copies, priority: 1, metrics: true }]
    objects: [{ key: a.txt, text: a }]
  copies: { name: shop-copies, region: us-west-2 }
environments:
  sim:
    type: simulated
    account: "123456789012"
    region: us-east-1
    allowed_regions: [us-west-2]
"#;

const DRILL: &str = "apiVersion: drctl/v1\nkind: Drill\nname: canary\nrunbook: s3-canary\nestate: shop\n\
    environment: sim\nparameters: { source: shop-documents, destination: shop-copies, samples: 2 }\n";

fn canary() -> Stage {
    let estate = crate::estate::load("shop", ESTATE).expect("a valid estate");
    let drill = load_drill("drill", DRILL).expect("a valid drill");
    stage(estate, &file("runbooks/s3-canary.yaml"), &drill, Mode::Kept)
}

#[test]
fn canaries_are_put_once_and_removed_from_both_buckets() {
    let stage = canary();
    let whole = play(&stage, &Scenario::clean(Mode::Kept), Keep::Nothing);
    assert_eq!(outcome(&whole), "succeeded", "{:?}", whole.stops);
    let calls: Vec<String> = whole.world.mutations().into_iter().map(|it| it.operation).collect();
    let count = |name: &str| calls.iter().filter(|call| *call == name).count();
    assert_eq!((count("PutObject"), count("DeleteObject")), (2, 4), "{calls:?}");
    let left = whole.world.state_json().to_string();
    assert!(!left.contains("drctl-canary/"), "{left}");
}

/// Kills the scenario everywhere. A sample that was copied while nobody looked is taken again, under a name of
/// its own: that is the one thing that may be different.
#[track_caller]
fn killed_everywhere(stage: &Stage, name: &str) {
    let scenario: Scenario = name.parse().expect(name);
    let whole = play(stage, &scenario, Keep::Points);
    assert_eq!(outcome(&whole), "succeeded", "{name}: {:?}", whole.stops);
    assert_eq!(properties(stage, &scenario, &whole), [], "{name}");
    let crashes = crash_everywhere(stage, &scenario, &whole, Seed::new(1));
    let taken_again = |message: &str| {
        let again = ["/0-1:", "/0-2:", "/1-1:", "/1-2:"].iter().any(|end| message.contains(end));
        again && message.ends_with("instead of 0")
    };
    let mut found = crashes.findings;
    found.retain(|(_, _, finding)| !taken_again(&finding.message));
    assert_eq!(found, [], "{name}");
    assert!(crashes.points >= 30, "{name}: only {} points", crashes.points);
    assert!(crashes.second > 0, "{name}: nobody was killed twice");
}

#[test]
fn a_canary_that_is_killed_at_any_instant_leaves_nothing() {
    let stage = canary();
    killed_everywhere(&stage, "kept");
    killed_everywhere(&stage, "kept+lost-answer=PutObject");
    killed_everywhere(&stage, "kept+lost-answer=DeleteObject");
}
