//! What drills left behind is found from AWS's tags alone, and removed when it has expired.

use crate::env::{TestEnv, mutations};
use crate::interrupted::Watched;
use serde_json::Value as Json;
use std::fs;

/// A drill that was killed while AWS was creating its instance, on a machine that was lost with its
/// state; the world stays.
fn lost_drill() -> TestEnv {
    let env = TestEnv::new();
    let mut drill = Watched::start(&env, "drill restore-db --pace 5000");
    drill.until("restore: creating");
    drill.kill();
    fs::remove_dir_all(env.state().join("runs")).expect("the state can be removed");
    // What was made a moment ago is not in every read yet.
    env.line("sim advance 10m").expect(0);
    env
}

fn results(report: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let resources = report["resources"].as_array().expect("a list");
    resources.iter().map(|one| (text(&one["result"]), text(&one["reason"]))).collect()
}

fn world(env: &TestEnv) -> Json {
    let text = fs::read_to_string(env.world().join("world.json")).expect("a world");
    serde_json::from_str(&text).expect("JSON")
}

/// Changes the kept world as its owner could by hand.
fn edit(env: &TestEnv, change: impl FnOnce(&mut Json)) {
    let mut world = world(env);
    change(&mut world);
    fs::write(env.world().join("world.json"), world.to_string()).expect("it is written");
}

#[test]
fn what_a_lost_drill_left_is_found_and_removed_when_it_has_expired() {
    let env = lost_drill();
    let left = env.left_behind();
    assert_eq!(left.len(), 1);
    let before = env.mutations();

    let listed = env.line("sweep --env sim").expect(0);
    listed.shows(&["SIMULATED", "dry run", "STAYS", &left[0], "it expires at", "owner tester"]);
    env.line("sim advance 2d").expect(0).shows(&["simulated time is 2026-01-17T"]);
    let listed = env.line("sweep --env sim").expect(0);
    let listed = listed.shows(&["WOULD REMOVE", &left[0], "step restore", "us-west-2: nothing"]);
    listed.shows(&["1 would be removed with --execute", "0 refused", "wall: no writer"]);
    assert_eq!(env.mutations(), before, "a dry run changes nothing");
    assert_eq!(env.left_behind(), left);

    let swept = env.line("sweep --env sim --execute --output json").expect(0).json();
    assert_eq!(results(&swept), [("removed".to_owned(), String::new())]);
    assert_eq!((&swept["schema_version"], &swept["complete"]), (&1.into(), &true.into()));
    assert_eq!(env.left_behind(), Vec::<String>::new());
    assert_eq!(env.count("DeleteDBInstance"), 1);
    env.line("sweep --env sim --execute").expect(0).shows(&["nothing to do"]);
    assert_eq!(env.count("DeleteDBInstance"), 1);
    assert_eq!(env.runs(), Vec::<String>::new(), "a sweep is no run");
}

#[test]
fn a_run_that_has_not_ended_keeps_its_own() {
    let env = TestEnv::new();
    let mut drill = Watched::start(&env, "drill restore-db --pace 5000");
    drill.until("restore: creating");
    drill.kill();
    env.line("sim advance 2d").expect(0);
    let run = env.runs()[0].clone();
    let swept = env.line("sweep --env sim --execute").expect(0);
    swept.shows(&["STAYS", "has not ended", &format!("drctl resume {run}")]);
    assert_eq!(env.count("DeleteDBInstance"), 0);
    // A journal that cannot be read says nothing of its run's end.
    fs::write(env.state().join("runs").join(&run).join("journal.db"), "").expect("damaged");
    let swept = env.line("sweep --env sim --execute").expect(0);
    swept.shows(&["STAYS", "whether run", "is not known"]);
    assert_eq!(env.count("DeleteDBInstance"), 0);
}

#[test]
fn namesakes_and_copied_tags_stay() {
    let env = lost_drill();
    env.line("sim advance 2d").expect(0);
    let ours = env.left_behind()[0].clone();
    edit(&env, |world| {
        let instances = &mut world["regions"]["us-east-1"]["instances"];
        let text = instances[&ours].to_string();
        let mut namesake: Json =
            serde_json::from_str(&text.replace(&ours, "drctl-namesake")).expect("JSON");
        for side in ["current", "before"] {
            if namesake[side].is_object() {
                namesake[side]["tags"] = Json::Object(serde_json::Map::new());
            }
        }
        instances["orders-rescued"] =
            serde_json::from_str(&text.replace(&ours, "orders-rescued")).expect("JSON");
        instances["drctl-namesake"] = namesake;
    });
    let listed = env.line("sweep --env sim").expect(0);
    let listed = listed.shows(&["orders-rescued", "its tags were copied", "1 would be removed"]);
    assert!(!listed.stdout.contains("drctl-namesake"), "{}", listed.stdout);
    env.line("sweep --env sim --execute").expect(0).shows(&["1 removed; 1 stay"]);
    let left = world(&env)["regions"]["us-east-1"]["instances"].clone();
    assert!(left.get("drctl-namesake").is_some() && left.get("orders-rescued").is_some());
    assert!(env.mutations().iter().filter(|line| line.starts_with("Delete")).count() == 1);
}

#[test]
fn a_throttled_sweep_ends_well_and_a_deaf_region_hides_no_other() {
    let env = lost_drill();
    env.line("sim advance 2d").expect(0);
    let partial = env.line("sweep --env sim --fault control-plane-down=us-west-2").expect(18);
    partial.shows(&["WOULD REMOVE", "us-west-2: not known", "NOT READ", "PARTIAL: us-west-2"]);
    let line = "sweep --env sim --fault control-plane-down=us-east-1 --output json";
    let partial = env.line(line).expect(18).json();
    assert_eq!(
        (&partial["complete"], partial["resources"].as_array()),
        (&false.into(), Some(&vec![]))
    );
    assert_eq!(partial["unread"][0]["region"], "us-east-1");
    env.line("sweep --env sim --region us-west-2").expect(0).shows(&["nothing to do"]);
    env.line("sweep --env sim --execute --fault throttled=6").expect(0).shows(&["REMOVED"]);
    assert_eq!(env.left_behind(), Vec::<String>::new());
    env.line("sweep --env sim --fault access-denied=DescribeDBInstances").expect(18);
}

#[test]
fn a_lost_answer_and_stale_reads_are_settled_by_looking() {
    for fault in
        ["lost-answer=DeleteDBInstance", "error-after-effect=DeleteDBInstance", "stale-read"]
    {
        let env = lost_drill();
        env.line("sim advance 2d").expect(0);
        env.line(&format!("sweep --env sim --execute --fault {fault}"))
            .expect(0)
            .shows(&["REMOVED"]);
        assert_eq!(env.left_behind(), Vec::<String>::new(), "{fault}");
        assert_eq!(env.count("DeleteDBInstance"), 1, "{fault}: {:?}", env.mutations());
    }
}

#[test]
fn a_sweep_that_was_killed_is_run_again() {
    let env = lost_drill();
    env.line("sim advance 2d").expect(0);
    let mutations = || world(&env)["mutations"].as_u64();
    let before = mutations();
    let mut sweep = Watched::start(&env, "sweep --env sim --execute --pace 60");
    sweep.until("removing instance");
    // The deletion is asked for within the first look; its end is minutes away. It has happened when
    // the kept world counts it.
    while mutations() == before {
        std::thread::yield_now();
    }
    sweep.kill();
    // Reads may be stale for some seconds after a mutation.
    env.line("sim advance 30s").expect(0);
    let listed = env.line("sweep --env sim").expect(0);
    listed.shows(&["IS GOING", "AWS is deleting it already"]);
    env.line("sweep --env sim --execute").expect(0).shows(&["REMOVED"]);
    assert_eq!((env.count("DeleteDBInstance"), env.left_behind().len()), (1, 0));
}

#[test]
fn snapshots_are_swept_and_no_more_than_max_at_once() {
    let env = TestEnv::new();
    for _ in 0..2 {
        env.line("drill backup-before-change --keep").expect(0);
    }
    let sweep = |more: &str| env.line(&format!("sweep --env sim --estate credentialmate {more}"));
    let deleted = || {
        let done = mutations(&env.state().join("worlds/credentialmate-sim"));
        done.iter().filter(|line| line.starts_with("DeleteDBSnapshot")).count()
    };
    fs::remove_dir_all(env.state().join("runs")).expect("removed");
    env.line("sim advance 30d --estate credentialmate").expect(0);
    let listed = sweep("").expect(0);
    let listed = listed.shows(&["WOULD REMOVE snapshot drctl-", "2 would be removed"]);
    assert!(!listed.stdout.contains(" instance drctl-"), "{}", listed.stdout);
    let first = sweep("--execute --max 1").expect(15);
    first.shows(&["1 removed", "1 left for the next sweep", "one sweep removes at most 1 (--max)"]);
    assert_eq!(deleted(), 1);
    sweep("--execute --owner somebody").expect(0).shows(&["it is tester's"]);
    sweep("--execute --older-than 40d").expect(0).shows(&["not older than"]);
    sweep("--execute --owner tester --older-than 20d").expect(0);
    assert_eq!(deleted(), 2);
}

#[test]
fn what_a_run_made_is_never_swept() {
    let env = TestEnv::new();
    env.line("run restore-db --env sim -p database=orders").expect(0);
    env.line("run backup-before-change --env sim -p database=orders").expect(0);
    env.line("drill restore-db --keep").expect(0);
    let kept = env.left_behind();
    assert_eq!(kept.len(), 2);
    // Its tags say so: no machine's state is needed.
    fs::remove_dir_all(env.state().join("runs")).expect("removed");
    env.line("sim advance 2d").expect(0);
    let swept = env.line("sweep --env sim --execute").expect(0);
    // What `--keep` kept of this drill is protected from deletion besides.
    let shown = ["STAYS", "drctl:keep", "made it to be used", "protected from deletion", "3 stay"];
    assert!(!swept.shows(&shown).stdout.contains("REMOVED"));
    assert_eq!((env.count("DeleteDBInstance"), env.count("DeleteDBSnapshot")), (0, 0));
    assert_eq!(env.left_behind(), kept);
}

#[test]
fn wrong_words_are_refused_before_anything_is_opened() {
    let env = TestEnv::new();
    for (line, part) in [
        ("sweep", "--env"),
        ("sweep --env nowhere", "no environment `nowhere`"),
        ("sweep --env sim --region ap-south-1", "it is in us-east-1, us-west-2, eu-west-1"),
        ("sweep --env sim --older-than soon", "no duration"),
        ("sweep --env sim --max 0", "removes nothing"),
        ("sweep --env sim --yes", "--execute"),
        ("sweep --env sim --estate nothing", "no estate called `nothing`"),
        ("sim advance soon", "no span of time"),
        ("sim advance 9999d", "366 days"),
        ("sim advance 1d --env production", "is not simulated"),
    ] {
        env.line(line).expect(2).says(&[part]);
    }
    assert!(!env.state().exists(), "nothing is left behind");
}
