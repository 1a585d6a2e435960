//! Roll-backs of a bucket against a recorded history, object by object.
//!
//! **Invariant:** whatever was written when, each key is as its record says, or as it was and told; no
//! version is lost.

mod killed;
mod model;

use super::{file, stage_in};
use crate::action::standard;
use crate::base::seed::Seed;
use crate::base::value::Value;
use crate::journal::event::RunOutcome;
use crate::plan::model::RunMode;
use crate::rehearse::{Keep, Mode, Played, Scenario, Stage, Staging, outcome, play};
use crate::runbook::{Given, Runbook, bind_parameters, load_runbook};
use crate::sim::{SimOptions, Simulator};
use chrono::{DateTime, TimeDelta, Utc};
use model::{BUCKET, Content, Recorded, entries, put, read};
use proptest::prelude::*;
use std::collections::BTreeMap;

const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: papers
buckets: { docs: { name: docs-rolled-back } }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 7 }
"#;

/// Keys that are easily mistaken on their way.
fn keys() -> Vec<String> {
    let plain = (0..12).map(|number| format!("plain/{number}"));
    let odd = ["a b", "a+b", "a%2Bb", "a\nb", "ä€𝄞", "a?b&c=d#e", "tab\there", "quote\"'<>&"];
    let long = ["ö".repeat(512), "x".repeat(1_024)];
    plain.chain(odd.map(str::to_owned)).chain(long).collect()
}

#[derive(Debug, Clone)]
enum Deed {
    Put { key: usize, body: u8, metadata: u8, tags: u8 },
    Delete { key: usize },
    Suspend(bool),
}

fn content(body: u8, metadata: u8, tags: u8) -> Content {
    let pairs = |name: &str, number: u8| -> BTreeMap<String, String> {
        (0..number % 3).map(|place| (format!("{name}{place}"), format!("v{number}"))).collect()
    };
    Content {
        // Few bodies, so that some are the same again, and some of one length.
        body: format!("body {}", body % 5).repeat(usize::from(body % 3) + 1),
        content_type: ["text/plain", "application/json"][usize::from(body % 2)].to_owned(),
        metadata: pairs("m", metadata),
        tags: pairs("t", tags),
    }
}

fn staging(runbook: Runbook, more: &[(&str, Value)]) -> Staging {
    let mut given = BTreeMap::from([("bucket".to_owned(), Given::Typed(Value::text(BUCKET)))]);
    given
        .extend(more.iter().map(|(name, value)| ((*name).to_owned(), Given::Typed(value.clone()))));
    let parameters = bind_parameters(&runbook, &given).expect("valid parameters");
    Staging {
        estate: crate::estate::load("papers", ESTATE).expect("a valid estate"),
        environment: "sim".to_owned(),
        runbook,
        parameters,
        objectives: Default::default(),
        mode: RunMode::Run,
        seed: None,
    }
}

fn shipped_runbook() -> Runbook {
    let text = file("runbooks/s3-rollback.yaml");
    load_runbook("s3-rollback.yaml", &text, &standard()).expect("a valid runbook").0
}

fn empty() -> Recorded {
    let estate = crate::estate::load("papers", ESTATE).expect("a valid estate");
    let environment = &estate.environments["sim"];
    let options = SimOptions { seed: None, faults: Vec::new() };
    Recorded::new(Simulator::create(&estate, environment, options).expect("a world"))
}

fn record(deeds: &[(u16, Deed)]) -> Recorded {
    let (keys, mut recorded) = (keys(), empty());
    for (millis, deed) in deeds {
        recorded.wait(u32::from(*millis));
        match deed {
            Deed::Put { key, body, metadata, tags } => {
                recorded.put(&keys[key % keys.len()], &content(*body, *metadata, *tags));
            }
            Deed::Delete { key } => recorded.delete(&keys[key % keys.len()]),
            Deed::Suspend(suspended) => recorded.suspend(*suspended),
        }
    }
    recorded.suspend(false);
    recorded.wait(2_000);
    recorded
}

/// Rolled back to `to`: the plan, and how it went.
fn rolled_back(
    recorded: &Recorded,
    to: DateTime<Utc>,
    more: &[(&str, Value)],
    meanwhile: impl FnOnce(&Simulator),
) -> (Stage, Played) {
    let mut all = vec![("to", Value::Time(to)), ("delete_uncertain", Value::Bool(true))];
    all.extend_from_slice(more);
    let world = recorded.world.fork();
    world.save(recorded.now).expect("in memory");
    let stage = stage_in(world, staging(shipped_runbook(), &all));
    meanwhile(&stage.world);
    let played = play(&stage, &Scenario::clean(Mode::Run), Keep::Nothing);
    (stage, played)
}

/// How many keys are not as they should be, by the record: told as such.
fn judge(recorded: &Recorded, to: DateTime<Utc>, stage: &Stage, played: &Played) {
    let outcome = (outcome(played), played.state.finished);
    assert!(matches!(outcome.1, Some(RunOutcome::Succeeded | RunOutcome::Warned)), "{outcome:?}");
    let mut uncertain = 0;
    for key in recorded.keys() {
        let (then, known) = recorded.at(key, to);
        let now = read(&played.world, key);
        if known {
            assert_eq!(now, then, "{key:?} at {to}");
        } else {
            uncertain += 1;
            assert_eq!(now, read(&stage.world, key), "{key:?} is not known and stays");
        }
    }
    let lost: Vec<_> = entries(&stage.world).difference(&entries(&played.world)).cloned().collect();
    assert_eq!(lost, [], "versions that are gone");
    let outputs = &played.state.steps.values().find(|step| step.outputs["as_of"].is_string());
    let outputs = &outputs.expect("the step ended").outputs;
    assert_eq!(outputs["unrestorable"], uncertain, "{outputs}");
    assert_eq!(outputs["conflicts"], 0, "{outputs}");
    // The prediction was scored against what happened.
    let planned = stage.plan.steps.iter().find(|step| step.key.as_str() == "restore");
    let planned = planned.expect("the step").preview.outputs.clone();
    for name in ["restored", "deleted", "undeleted", "unchanged", "unrestorable", "bytes"] {
        assert_eq!(planned[name], outputs[name], "{name}: {planned:?} {outputs}");
    }
}

/// An instant of the record, a fraction of its length after its beginning.
fn instant(recorded: &Recorded, fraction: f64) -> DateTime<Utc> {
    let began = crate::base::clock::simulated_epoch();
    let whole = (recorded.now - began).num_milliseconds() as f64;
    began + TimeDelta::milliseconds((whole * fraction) as i64)
}

fn deed() -> impl Strategy<Value = (u16, Deed)> {
    let put = (any::<usize>(), any::<u8>(), any::<u8>(), any::<u8>())
        .prop_map(|(key, body, metadata, tags)| Deed::Put { key, body, metadata, tags });
    let delete = any::<usize>().prop_map(|key| Deed::Delete { key });
    let suspend = any::<bool>().prop_map(Deed::Suspend);
    // Many deeds in one second, and pauses between them.
    let gap = prop_oneof![3 => 0..400_u16, 1 => 900..5_000_u16];
    (gap, prop_oneof![12 => put, 5 => delete, 1 => suspend])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_key_is_as_it_was(deeds in prop::collection::vec(deed(), 1..40), fraction in 0.0..1.0_f64) {
        let recorded = record(&deeds);
        let to = instant(&recorded, fraction);
        let (stage, played) = rolled_back(&recorded, to, &[], |_| {});
        judge(&recorded, to, &stage, &played);
    }
}

/// A thousand deeds by a seed.
fn thousand(seed: u64, suspends: bool) -> Recorded {
    let mut draw = Seed::new(seed).stream("deeds");
    let deeds: Vec<(u16, Deed)> = (0..1_000)
        .map(|_| {
            let gap = if draw.bool() { 0 } else { draw.u16(0..3_000) };
            let key = draw.usize(..);
            let deed = match draw.u8(..40) {
                0 if suspends => Deed::Suspend(draw.bool()),
                1..=11 => Deed::Delete { key },
                _ => Deed::Put { key, body: draw.u8(..), metadata: draw.u8(..), tags: draw.u8(..) },
            };
            (gap, deed)
        })
        .collect();
    record(&deeds)
}

#[test]
fn a_thousand_deeds_are_rolled_back_to_random_instants() {
    for (seed, suspends) in [(1, true), (2, false), (3, false)] {
        let recorded = thousand(seed, suspends);
        let mut draw = Seed::new(seed).stream("instants");
        for _ in 0..4 {
            let to = instant(&recorded, draw.f64());
            let (stage, played) = rolled_back(&recorded, to, &[], |_| {});
            judge(&recorded, to, &stage, &played);
        }
    }
}

#[test]
fn markers_are_removed_on_demand_and_nothing_else_is() {
    let recorded = thousand(4, false);
    let to = instant(&recorded, 0.97);
    let (stage, played) =
        rolled_back(&recorded, to, &[("remove_markers", Value::Bool(true))], |_| {});
    for key in recorded.keys() {
        assert_eq!(read(&played.world, key), recorded.at(key, to).0, "{key:?}");
    }
    let (before, after) = (entries(&stage.world), entries(&played.world));
    let gone: Vec<_> = before.difference(&after).collect();
    assert!(!gone.is_empty(), "some keys needed no more than that");
    for (key, version) in gone {
        let query = format!("versionId={version}");
        let key = percent_decoded(key);
        let of = model::send(&stage.world, ("HEAD", &key, &query), &[], "", stage.world.time());
        assert_eq!(
            of.headers.get("x-amz-delete-marker").map(String::as_str),
            Some("true"),
            "{key:?}"
        );
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.expect("two digits"));
                let digits = String::from_utf8(digits.to_vec()).expect("ASCII");
                bytes.push(u8::from_str_radix(&digits, 16).expect("hex"));
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn what_is_written_after_the_plan_is_kept_and_told() {
    let recorded = thousand(5, false);
    let to = instant(&recorded, 0.4);
    let (news, keys) = (content(9, 9, 9), keys());
    let news = Content { body: "written while the plan was read".to_owned(), ..news };
    let (_, played) = rolled_back(&recorded, to, &[], |world| {
        let now = world.time() + TimeDelta::seconds(2);
        put(world, &keys[0], &news, now);
        put(world, "brand new", &news, now);
        model::send(world, ("DELETE", &keys[1], ""), &[], "", now);
    });
    assert_eq!(played.state.finished, Some(RunOutcome::Warned));
    assert_eq!(read(&played.world, &keys[0]), Some(news.clone()));
    assert_eq!(read(&played.world, "brand new"), Some(news));
    assert_eq!(read(&played.world, &keys[1]), None);
    for key in keys.iter().skip(2) {
        assert_eq!(read(&played.world, key), recorded.at(key, to).0, "{key:?}");
    }
    let step = &played.state.steps[&crate::base::ids::StepKey::new("restore")];
    let told = step.outputs["conflicts"].as_u64().expect("a count");
    // A key that was not there at the instant either is as wanted.
    assert!((2..=3).contains(&told), "{}", step.outputs);
    assert!(step.warnings.iter().any(|line| line.contains("brand new")), "{:?}", step.warnings);
}

#[test]
fn a_roll_back_is_taken_back_by_another_to_the_instant_of_its_plan() {
    let recorded = thousand(6, false);
    let to = instant(&recorded, 0.3);
    let (before, first) = rolled_back(&recorded, to, &[], |_| {});
    let step = &first.state.steps[&crate::base::ids::StepKey::new("restore")];
    let as_of = step.outputs["as_of"].as_str().and_then(crate::base::clock::parse_instant);
    let as_of = as_of.expect("an instant");
    let all = [("to", Value::Time(as_of)), ("delete_uncertain", Value::Bool(true))];
    let world = first.world.fork();
    world.save(world.time() + TimeDelta::seconds(5)).expect("in memory");
    let stage = stage_in(world, staging(shipped_runbook(), &all));
    let second = play(&stage, &Scenario::clean(Mode::Run), Keep::Nothing);
    assert_eq!(second.state.finished, Some(RunOutcome::Succeeded), "{:?}", second.stops);
    for key in recorded.keys() {
        assert_eq!(read(&second.world, key), read(&before.world, key), "{key:?}");
    }
}
