//! `drctl runbook lint`, and regions that data must not be in.
//!
//! **Invariant:** exit code 0 is a proof as far as files say; what is found has a code, a place and a way
//! out.

use crate::env::{TestEnv, mutations};

const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  east: { instance: shop-orders, region: us-east-1, secret: shop/orders }
  west: { instance: shop-orders-west, region: us-west-2, replica_of: east, secret: shop/west }
  europe: { instance: shop-europe, region: eu-west-1, allowed_regions: [eu-west-1], secret: shop/europe }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, allowed_regions: [us-west-2, eu-west-1] }
  away: { type: simulated, account: "123456789012", region: us-west-2, allowed_regions: [us-east-1, eu-west-1] }
"#;

fn project(steps: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", ESTATE);
    env.write(
        "runbooks/move.yaml",
        &format!(
            "apiVersion: drctl/v1\nkind: Runbook\nname: move\ntitle: Move\nparameters:\n  \
             region: {{ type: string, default: us-west-2 }}\nsteps:\n{steps}"
        ),
    );
    env
}

const LOOK: &str = "  - id: look\n    uses: rds.check_source\n    region: ${{ params.region }}\n    \
                    with: { instance: shop-orders-west }\n";

#[test]
fn a_way_around_a_lost_region_is_proven_or_its_needs_are_named() {
    let env = project(LOOK);
    let proven = env.line("runbook lint move --assume-lost us-east-1 --env away").expect(0);
    proven.shows(&["no step of the way needs us-east-1", "away of shop", "1 steps looked at"]);
    let needs = env.line("runbook lint move --assume-lost us-west-2 --env sim").expect(2);
    needs.shows(&[
        "error[DR070]",
        "step `look` needs us-west-2",
        "act in the recovery region",
        "^",
    ]);
    let home = env.line("runbook lint move --assume-lost us-east-1").expect(2);
    home.shows(&["error[DR075]", "environment `sim` is at home in us-east-1"]);
    let given =
        env.line("runbook lint move --assume-lost us-east-1 --env away -p region=us-east-1");
    given.expect(2).shows(&["error[DR070]"]);
    let json = env.line("runbook lint move --assume-lost us-west-2 --output json").expect(2).json();
    assert_eq!((&json["schema_version"], &json["clean"]), (&1.into(), &false.into()), "{json}");
    assert_eq!(json["assumed_lost"], "us-west-2");
    assert_eq!(json["findings"][0]["code"], "DR070");
    assert_eq!(json["findings"][0]["range"]["start"]["line"], 10, "{json}");
    assert_eq!(json["steps"][0]["region"], "us-west-2");
    assert!(env.runs().is_empty(), "nothing ran");
}

#[test]
fn the_region_that_a_runbook_assumes_lost_needs_no_option() {
    let env = project(LOOK);
    let file = std::fs::read_to_string(env.project().join("runbooks/move.yaml")).expect("written");
    let assumes = file.replace("parameters:", "assumes_lost: us-west-2\nparameters:");
    env.write("runbooks/move.yaml", &assumes);
    env.line("runbook lint move").expect(2).shows(&["error[DR070]"]);
    env.line("runbook lint move --assume-lost eu-west-1").expect(0).shows(&["needs eu-west-1"]);
}

#[test]
fn bad_input_is_refused_with_a_word() {
    let env = project(LOOK);
    for (line, part) in [
        ("runbook lint move --assume-lost somewhere", "that is no region"),
        ("runbook lint move --env nowhere", "nowhere"),
        ("runbook lint moving", "moving"),
        ("runbook lint move -p nothing=1", "no parameter `nothing`"),
        ("runbook lint move -p region", "is no NAME=VALUE"),
    ] {
        env.line(line).expect(2).says(&[part]);
    }
    env.write("runbooks/broken.yaml", "apiVersion: drctl/v1\nkind: Runbook\nname: broken\n");
    env.line("runbook lint broken").expect(2).says(&["DR003"]);
}

#[test]
fn a_shared_journal_in_the_lost_region_is_found_without_asking_anybody() {
    let env = project(LOOK);
    let config = |region: &str| {
        let text = format!("journal: {{ store: 's3://journals/dr'{region} }}\n");
        env.write("drctl.yaml", &format!("apiVersion: drctl/v1\nkind: Config\n{text}"));
    };
    let line = "runbook lint move --assume-lost us-east-1 --env away";
    config(", region: us-east-1");
    env.line(line).expect(2).shows(&["error[DR076]", "s3://journals/dr is in us-east-1"]);
    config("");
    env.line(line).expect(2).shows(&["error[DR076]", "no file says"]);
    config(", region: eu-west-1");
    env.line(line).expect(0);
}

#[test]
fn data_does_not_leave_its_region_in_files_in_plans_and_in_runs() {
    let restore = |region: &str| {
        format!(
            "  - id: restore\n    uses: rds.restore_to_point_in_time\n    region: {region}\n    with: {{ \
             source: shop-europe, restore_time: '2026-01-15T08:00:00Z' }}\n"
        )
    };
    let env = project(&restore("us-west-2"));
    let found = env.line("runbook lint move").expect(2);
    found.shows(&["error[DR065]", "data of database `europe` must not be in us-west-2"]);
    let plan = env.line("run move --env sim --estate shop --dry-run").expect(10);
    plan.shows(&["WONT", "data of database `europe` must not be in us-west-2"]);
    env.line("run move --env sim --estate shop --yes").expect(10);
    let log = mutations(&env.state().join("worlds/shop-sim"));
    assert!(log.is_empty(), "{log:?}");
    let env = project(&restore("sa-east-1"));
    let plan = env.line("run move --env sim --estate shop --dry-run").expect(10);
    plan.shows(&["WONT", "`sa-east-1` is not among the allowed regions of environment `sim`"]);
    env.line("runbook lint move").expect(2).shows(&["error[DR064]"]);
}

#[test]
fn a_lost_region_does_not_keep_from_planning_what_goes_on_without_it() {
    let steps = |more: &str| {
        format!(
            "  - id: gone\n    uses: rds.check_source\n    region: us-east-1\n    {more}with: {{ \
             instance: shop-orders }}\n{LOOK}"
        )
    };
    let line = "run move --env away --estate shop --dry-run --fault region-lost=us-east-1";
    let env = project(&steps(""));
    env.line(line).expect(10).says(&["us-east-1"]);
    let env = project(&steps("on_failure: continue\n    "));
    let plan = env.run(&line.split(' ').collect::<Vec<_>>());
    assert!(plan.stdout.contains("us-east-1 does not answer"), "{} {}", plan.stdout, plan.stderr);
    assert!(plan.stdout.contains("the run goes on without the step"), "{}", plan.stdout);
    let lint = env.line("runbook lint move --assume-lost us-east-1 --env away").expect(0);
    lint.shows(&["warning[DR079]", "the run goes on without it"]);
}
