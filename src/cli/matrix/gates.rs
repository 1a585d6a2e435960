//! The crash matrix of a drill with both gates: killed before, between and after question and answer.
//!
//! **Invariant:** whoever died when, the gate is asked once, answered once, and what follows is the same.

use super::{
    NobodyToAsk, Operator, RunOutcome, RunState, Stage, crash_everywhere, load_drill, mutations,
};
use crate::base::ids::StepKey;
use crate::engine::Reply;
use crate::journal::fold::{AnswerWay, Question};
use std::time::Duration;

const RUNBOOK: &str = include_str!("../../../tests/cli/gated.yaml");

/// Fewest points and distinct journals there may be.
const POINTS: usize = 40;
const JOURNALS: usize = 16;

/// Somebody who always gives the same answer.
struct Says(&'static str);

#[async_trait::async_trait]
impl Operator for Says {
    async fn ask(&self, _: &StepKey, question: &Question) -> Option<Reply> {
        assert!(question.gate.is_some(), "{question:?}");
        let comment = Some("of a test".to_owned());
        Some(Reply { answer: self.0.to_owned(), way: AnswerWay::Terminal, comment })
    }
}

fn stage(faults: &[&str], people: &'static dyn Operator) -> Stage {
    let text = include_str!("../../../localstack/estates/techcorp.yaml");
    let estate = crate::estate::load("techcorp", text).expect("a valid estate");
    let drill =
        "apiVersion: drctl/v1\nkind: Drill\nname: gated\nrunbook: gated\nestate: techcorp\n";
    let drill = load_drill("drill", drill).expect("a valid drill");
    Stage::of(estate, RUNBOOK, &drill, faults, people)
}

#[test]
fn a_drill_with_gates_that_is_killed_at_any_instant_ends_as_decided() {
    let approved = crash_everywhere(&stage(&[], &Says("approve")), RunOutcome::Succeeded);
    let rejected = crash_everywhere(&stage(&[], &Says("reject")), RunOutcome::Aborted);
    for (points, journals) in [approved, rejected] {
        assert!(points >= POINTS, "only {points} points");
        assert!(journals >= JOURNALS, "only {journals} journals");
    }
}

#[test]
fn lost_answers_of_aws_change_nothing_about_a_decision() {
    crash_everywhere(&stage(&["lost-answer"], &Says("approve")), RunOutcome::Succeeded);
}

/// The open question; when it was asked differs by what was looked at once more.
fn asked(state: &RunState) -> Option<String> {
    Some(state.steps[&StepKey::new("decide")].question.as_ref()?.question.clone())
}

#[test]
fn while_nobody_is_there_every_point_leads_to_the_same_waiting() {
    let stage = stage(&[], &NobodyToAsk);
    let (state, recording) = stage.whole();
    assert_eq!((state.finished, state.interrupted.as_deref()), (None, Some("question")));
    let log = mutations(&recording.world);
    let mut tried = 0;
    for point in &recording.points {
        let Some((ended, world)) = stage.resumed(&recording.inner, point) else { continue };
        let place = format!("{} with {} records", point.when, point.records);
        assert_eq!(
            (ended.finished, ended.interrupted.as_deref()),
            (None, Some("question")),
            "{place}"
        );
        assert_eq!(mutations(&world), log, "{place}");
        assert_eq!(asked(&ended), asked(&state), "{place}");
        tried += 1;
    }
    assert!(tried >= POINTS / 2, "only {tried} points");
}

/// Somebody who thinks for a while and then approves.
struct Thinks(Duration);

#[async_trait::async_trait]
impl Operator for Thinks {
    async fn ask(&self, step: &StepKey, question: &Question) -> Option<Reply> {
        crate::base::clock::Clock::virtual_from(question.asked_at).sleep(self.0).await;
        Says("approve").ask(step, question).await
    }
}

#[test]
fn a_person_may_take_longer_than_a_lease_lasts_but_not_than_the_gate_allows() {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    const SLOW: Thinks = Thinks(Duration::from_secs(20 * 60));
    const ASLEEP: Thinks = Thinks(Duration::from_secs(40 * 60));
    let decide = StepKey::new("decide");
    let (state, recording) = stage(&[], &SLOW).whole();
    assert_eq!(state.finished, Some(RunOutcome::Succeeded));
    let waited = state.steps[&decide].answered_at.zip(state.steps[&decide].started_at);
    let (answered, began) = waited.expect("answered");
    assert!((answered - began).to_std().expect("later") >= minutes(20));
    // Twenty minutes are four leases, each renewed at a third of its time.
    assert!(recording.renewals >= 12, "{}", recording.renewals);
    let (state, _) = stage(&[], &ASLEEP).whole();
    let step = &state.steps[&decide];
    assert_eq!((state.finished, step.expired), (Some(RunOutcome::Failed), true));
    let (ended, began) = step.finished_at.zip(step.started_at).expect("it ended");
    assert_eq!((ended - began).to_std().expect("later"), minutes(30));
}
