//! A drill with both gates: killed before, between and after question and answer.
//!
//! **Invariant:** whoever died when, the gate is asked once, answered once, and what follows is the same.

use super::matrix::matrix;
use super::{file, stage};
use crate::base::ids::StepKey;
use crate::engine::Reply;
use crate::journal::MemoryStore;
use crate::journal::fold::{AnswerWay, Question, RunState};
use crate::rehearse::{Answers, Cast, Keep, Mode, Scenario, Stage, WatchedStore, Watcher, play};
use crate::runbook::load_drill;
use crate::runner::{NobodyToAsk, Operator};
use std::time::Duration;

const RUNBOOK: &str = include_str!("../../../tests/cli/gated.yaml");
const DRILL: &str =
    "apiVersion: drctl/v1\nkind: Drill\nname: gated\nrunbook: gated\nestate: techcorp\n";

fn gated(runbook: &str) -> Stage {
    let text = file("localstack/estates/techcorp.yaml");
    let estate = crate::estate::load("techcorp", &text).expect("a valid estate");
    let drill = load_drill("drill", DRILL).expect("a valid drill");
    stage(estate, runbook, &drill, Mode::Drill)
}

#[test]
fn a_drill_with_gates_that_is_killed_at_any_instant_ends_as_decided() {
    let stage = gated(RUNBOOK);
    matrix(&stage, "drill", "succeeded", (60, 18));
    matrix(&stage, "drill.reject", "aborted", (50, 16));
    matrix(&stage, "drill.nobody", "failed", (50, 16));
}

#[test]
fn lost_answers_of_aws_change_nothing_about_a_decision() {
    matrix(&gated(RUNBOOK), "drill+lost-answer", "succeeded", (60, 18));
}

/// The open question; when it was asked differs by what was looked at once more.
fn asked(state: &RunState) -> Option<String> {
    Some(state.steps[&StepKey::new("decide")].question.as_ref()?.question.clone())
}

fn begin(stage: &Stage, people: &dyn Operator) -> RunState {
    let world = stage.world.fork();
    // One of the approvers.
    let cast = Cast { holder: "tester", ..Cast::of(people) };
    stage.begin(&world, &mut MemoryStore::new(), cast).expect("memory takes everything")
}

#[test]
fn while_nobody_is_there_every_point_leads_to_the_same_waiting() {
    let stage = gated(RUNBOOK);
    let world = stage.world.fork();
    let watcher = Watcher::new(&world, Vec::new(), true);
    let mut store = WatchedStore::new(MemoryStore::new(), watcher.clone(), Answers::Nobody);
    let cast = Cast::of(&NobodyToAsk).watched_by(std::sync::Arc::new(watcher.clone()));
    let state = stage.begin(&world, &mut store, cast).expect("memory takes everything");
    assert_eq!((state.finished, state.interrupted.as_deref()), (None, Some("question")));
    let points = watcher.points().points;
    for point in &points {
        let (world, mut journal) = (point.world.fork(), store.inner.cut(point.records));
        let cast = Cast::of(&NobodyToAsk);
        let ended = match point.records {
            0 => stage.begin(&world, &mut journal, cast),
            _ => stage.resume(&world, &mut journal, cast),
        };
        let ended = ended.expect("memory takes everything");
        let place = format!("{} with {} records", point.when, point.records);
        let waits = (ended.finished, ended.interrupted.as_deref());
        assert_eq!(waits, (None, Some("question")), "{place}");
        assert_eq!(world.changes().0, 1, "{place}");
        assert_eq!(asked(&ended), asked(&state), "{place}");
    }
    assert!(points.len() >= 30, "only {} points", points.len());
}

/// Somebody who thinks for a while and then approves.
struct Thinks(Duration);

#[async_trait::async_trait]
impl Operator for Thinks {
    async fn ask(&self, _: &StepKey, question: &Question) -> Option<Reply> {
        crate::base::clock::Clock::virtual_from(question.asked_at).sleep(self.0).await;
        let comment = Some("of a test".to_owned());
        Some(Reply {
            answer: "approve".to_owned(),
            way: AnswerWay::Terminal,
            comment,
            acknowledged: None,
        })
    }
}

#[test]
fn a_person_may_take_longer_than_a_lease_lasts_but_not_than_the_gate_allows() {
    use crate::journal::event::RunOutcome;
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let (stage, decide) = (gated(RUNBOOK), StepKey::new("decide"));
    let state = begin(&stage, &Thinks(minutes(20)));
    assert_eq!(state.finished, Some(RunOutcome::Succeeded));
    let waited = state.steps[&decide].answered_at.zip(state.steps[&decide].started_at);
    let (answered, began) = waited.expect("answered");
    assert!((answered - began).to_std().expect("later") >= minutes(20));
    let state = begin(&stage, &Thinks(minutes(40)));
    let step = &state.steps[&decide];
    assert_eq!((state.finished, step.expired), (Some(RunOutcome::Failed), true));
    let (ended, began) = step.finished_at.zip(step.started_at).expect("it ended");
    assert_eq!((ended - began).to_std().expect("later"), minutes(30));
}

/// The gate, a failure that is asked about, and what a person may answer.
#[test]
fn every_answer_to_a_failure_holds_over_every_crash() {
    let asking = RUNBOOK.replace("    irreversible: true\n", "    on_failure: ask\n");
    let stage = gated(&asking);
    let whole = play(&stage, &Scenario::clean(Mode::Drill), Keep::Nothing);
    assert_eq!(whole.stops, Vec::<String>::new());
    for (answers, ends) in
        [("", "failed"), (".continue", "failed"), (".skip", "warned"), (".undo", "undone")]
    {
        let name = format!("drill{answers}+wrong-restore=missing-schema");
        // A database without tables is reachable: the pack must ask more.
        let text = asking.replace("pack: [reachable]", "rows: [{ table: orders, at_least: 1 }]");
        matrix(&gated(&text), &name, ends, (50, 16));
    }
}
