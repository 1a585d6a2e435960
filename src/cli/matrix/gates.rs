//! The crash matrix of a drill with both gates: killed before, between and after question and answer.
//!
//! **Invariant:** whoever died when, the gate is asked once, answered once, and what follows is the same.

use super::*;
use crate::base::ids::StepKey;
use crate::engine::Reply;
use crate::journal::fold::{AnswerWay, Question};

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
