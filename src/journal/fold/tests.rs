//! The fold, pair by pair. **Invariant:** each (state, event) pair is asserted legal or illegal.

use super::*;
use crate::journal::event::{ErrorKind, SkipReason};
use crate::journal::testing::{JournalBuilder, every_event, gate_answered, gate_asked, succeeded};
use serde_json::json;

mod table;

use table::table;

fn every(kind: &str) -> Event {
    let found = every_event("restore").into_iter().find(|event| event.kind() == kind);
    found.expect("a kind of event")
}

#[test]
fn each_pair_is_legal_or_illegal() {
    let mut statuses = std::collections::BTreeSet::new();
    for (name, journal, legal) in table() {
        let before = RunState::fold(&journal.records()).unwrap();
        statuses.extend(before.steps.values().map(|step| step.status));
        for event in every_event("restore") {
            let mut event = event;
            if let Event::AttemptStarted { attempt, .. } = &mut event {
                *attempt = before.attempts + 1;
            }
            let kind = event.kind();
            let record = journal.clone().event(50, event).records().pop().unwrap();
            let mut after = before.clone();
            let result = after.apply(&record);
            assert_eq!(result.is_ok(), legal.contains(&kind), "{name} + {kind}: {result:?}");
            match result {
                Ok(()) => assert_eq!(after.last_seq, before.last_seq + 1),
                Err(problem) => {
                    assert_eq!(after, before, "{name} + {kind} failed and changed something");
                    assert_eq!(problem.kind, kind);
                }
            }
        }
    }
    assert_eq!(statuses.len(), StepStatus::ALL.len() - 1, "all but Warned, which is below");
}

#[test]
fn kinds_are_the_stored_types() {
    let kinds: Vec<&str> = every_event("a").iter().map(Event::kind).collect();
    for event in every_event("a") {
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["type"], event.kind());
        assert_eq!(json.get("step").is_some(), event.step().is_some());
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
    let unique: std::collections::BTreeSet<_> = kinds.iter().collect();
    assert_eq!((kinds.len(), unique.len()), (34, 34), "every_event misses a kind");
}

#[test]
fn skip_reasons_read_back() {
    for reason in [
        SkipReason::Condition { when: "params.x".to_owned() },
        SkipReason::Upstream { step: StepKey::new("a") },
        SkipReason::Stopped { step: StepKey::new("a") },
        SkipReason::Nothing { why: "no instance".to_owned() },
        SkipReason::Operator { operator: "alice".to_owned(), reason: None },
        SkipReason::Operator { operator: "alice".to_owned(), reason: Some("r".to_owned()) },
        SkipReason::Aborted { operator: "alice".to_owned() },
    ] {
        let json = serde_json::to_string(&reason).unwrap();
        assert_eq!(serde_json::from_str::<SkipReason>(&json).unwrap(), reason, "{json}");
    }
}

#[test]
fn every_prefix_of_a_journal_folds() {
    for (_, journal, _) in table() {
        let records = journal.records();
        for length in 0..=records.len() {
            RunState::fold(&records[..length]).unwrap();
        }
    }
}

#[test]
fn what_a_run_leaves_behind() {
    let warned = Event::StepSucceeded {
        step: StepKey::new("check"),
        outputs: json!({"size": 3}),
        adopted: true,
        observed: [("size".to_owned(), json!(3))].into(),
        evidence: Vec::new(),
        warnings: vec!["small".to_owned()],
    };
    let state = RunState::fold(
        &JournalBuilder::started(&["check", "restore"])
            .start(10, "check")
            .event(20, warned)
            .start(30, "restore")
            .intent(40, "restore", "rds:X")
            .event(50, every("act_in_doubt"))
            .observed(60, "restore", "creating", "")
            .event(70, every("step_retried"))
            .observed(80, "restore", "available", "available")
            .observed(90, "restore", "available", "available")
            .records(),
    )
    .unwrap();
    let start = state.started_at.unwrap();
    let after = |millis| Some(start + chrono::TimeDelta::milliseconds(millis));
    let check = &state.steps[&StepKey::new("check")];
    assert_eq!((check.status, check.adopted), (StepStatus::Warned, true));
    assert_eq!((check.started_at, check.finished_at), (after(10), after(20)));
    assert_eq!(check.outputs["size"], 3);
    let restore = &state.steps[&StepKey::new("restore")];
    assert_eq!(restore.status, StepStatus::Running);
    assert_eq!(restore.first_intent_at, after(40));
    assert_eq!(restore.intent.as_ref().unwrap().status, IntentStatus::InDoubt);
    assert_eq!((restore.retries, restore.doubts), (1, 1));
    assert_eq!(restore.milestones["available"], after(80).unwrap(), "the first time counts");
    assert_eq!((state.last_seq, state.last_run_ms, state.last_at), (11, 90, after(90)));
}

#[test]
fn an_undo_keeps_what_the_step_did() {
    let state = RunState::fold(
        &JournalBuilder::started(&["restore"])
            .start(10, "restore")
            .intent(20, "restore", "rds:X")
            .accepted(30, "restore")
            .observed(40, "restore", "creating", "")
            .succeed(50, "restore", json!({"id": "db"}))
            .event(60, every("undo_started"))
            .intent(70, "restore", "rds:DeleteDBInstance")
            .accepted(80, "restore")
            .event(90, every("undo_failed"))
            .records(),
    )
    .unwrap();
    let step = &state.steps[&StepKey::new("restore")];
    assert_eq!(step.status, StepStatus::UndoFailed);
    assert_eq!(step.outputs["id"], "db");
    assert_eq!((&step.error, step.undo_error.is_some()), (&None, true));
    assert!(step.finished_at < step.undo_started_at);
    assert!(step.first_intent_at < step.finished_at);
    assert_eq!(step.last_state, None);
}

#[test]
fn a_retry_forgets_refused_tries_only() {
    let asked = |settled: &str| {
        JournalBuilder::started(&["restore"])
            .start(1, "restore")
            .intent(2, "restore", "rds:X")
            .event(3, every(settled))
            .event(4, every("step_retried"))
            .event(5, every("question_asked"))
    };
    for (settled, kept) in [("act_refused", false), ("act_accepted", true), ("act_in_doubt", true)]
    {
        let waiting = RunState::fold(&asked(settled).records()).unwrap();
        assert_eq!(waiting.questions().count(), 1);
        let journal = asked(settled).event(6, every("question_answered"));
        let state = RunState::fold(&journal.records()).unwrap();
        let step = &state.steps[&StepKey::new("restore")];
        assert_eq!((step.intent.is_some(), step.retries), (kept, 0), "{settled}");
        assert_eq!((step.answer.as_deref(), &step.question), (Some("retry"), &None));
    }
}

fn problem(records: &[Record]) -> FoldProblem {
    RunState::fold(records).unwrap_err().problem
}

#[test]
fn what_cannot_follow_is_named() {
    let begun = || JournalBuilder::started(&["a", "b"]);
    let mut gap = begun().start(1, "a").records();
    gap[2].seq = 7;
    assert_eq!(problem(&gap), FoldProblem::Sequence { expected: 3 });
    let mut late = begun().start(1, "a").start(2, "b").records();
    late[2].fence = 2;
    assert_eq!(problem(&late), FoldProblem::Fence { last: 2, found: 1 });
    let unknown = begun().start(1, "c").records();
    assert_eq!(problem(&unknown), FoldProblem::UnknownStep(StepKey::new("c")));
    let early = begun().ran(1, 2, "a", json!({})).finish(3, RunOutcome::Succeeded).records();
    assert_eq!(problem(&early), FoldProblem::Unfinished(StepKey::new("b")));
    let twice = begun().event(1, Event::AttemptStarted { attempt: 1, operator: String::new() });
    assert_eq!(problem(&twice.records()), FoldProblem::Attempt { expected: 2 });
    let nobody = begun().event(1, every("run_interrupted")).start(2, "a");
    assert_eq!(problem(&nobody.records()), FoldProblem::NobodyAtWork);
    let answer = Event::QuestionAnswered {
        step: StepKey::new("restore"),
        answer: "maybe".to_owned(),
        operator: String::new(),
        way: None,
        comment: None,
        identity: None,
    };
    let wrong = JournalBuilder::started(&["restore"])
        .start(1, "restore")
        .event(2, every("question_asked"))
        .event(3, answer);
    let text = RunState::fold(&wrong.records()).unwrap_err().to_string();
    assert!(text.starts_with("event 5 (question_answered) cannot follow: step restore:"), "{text}");
    assert!(text.contains("`maybe` is not one of the choices"), "{text}");
    let aborted = begun().finish(1, RunOutcome::Aborted).records();
    assert_eq!(RunState::fold(&aborted).unwrap().finished, Some(RunOutcome::Aborted));
}

#[test]
fn plans_without_usable_steps_are_refused() {
    for plan in [
        json!({}),
        json!({"steps": {}}),
        json!({"steps": [{"id": "a"}]}),
        json!({"steps": [{"key": "a"}, {"key": "a"}]}),
    ] {
        let records = JournalBuilder::of_plan(plan).records();
        assert!(matches!(problem(&records[..1]), FoldProblem::Plan(_)));
    }
}

#[test]
fn operators_and_attempts_are_kept() {
    let again =
        |attempt, operator: &str| Event::AttemptStarted { attempt, operator: operator.to_owned() };
    let state = RunState::fold(
        &JournalBuilder::started(&["a"])
            .event(1, every("run_interrupted"))
            .event(2, again(2, "bob"))
            .event(3, again(3, "alice"))
            .start(4, "a")
            .event(5, succeeded("a", json!({})))
            .records(),
    )
    .unwrap();
    assert_eq!((state.operators, state.attempts), (vec!["alice".into(), "bob".into()], 3));
    assert_eq!(state.interrupted, None);
}

/// Whether the step may have made something after `events`, the step having begun.
fn may_have_made(events: &[Event]) -> bool {
    let mut journal = JournalBuilder::started(&["restore"]).start(1, "restore");
    for (event, at) in events.iter().zip(2..) {
        journal.push(at, event.clone());
    }
    let state = RunState::fold(&journal.records()).expect("a legal journal");
    state.steps[&StepKey::new("restore")].may_have_made
}

fn intent(attempt: u32) -> Event {
    Event::IntentRecorded {
        step: StepKey::new("restore"),
        attempt,
        operation: "rds:X".to_owned(),
        target: "db".to_owned(),
    }
}

#[test]
fn what_may_exist_counts_until_it_is_refused_or_taken_back() {
    let (doubt, refused) = (every("act_in_doubt"), every("act_refused"));
    let (accepted, undo) = (every("act_accepted"), every("undo_started"));
    let made = [intent(1), accepted.clone(), succeeded("restore", json!({}))];
    let and = |more: &[Event]| [&made[..], more].concat();
    let asked = [every("question_asked"), every("question_answered")];
    for (events, may) in [
        (vec![], false),
        (vec![intent(1)], true),
        (vec![intent(1), accepted], true),
        (vec![intent(1), refused.clone()], false),
        (vec![intent(1), refused.clone(), intent(2), refused.clone()], false),
        (vec![intent(1), refused.clone(), intent(2), doubt.clone()], true),
        // A refusal of the second try says nothing of the first, not even after a `retry`.
        (vec![intent(1), doubt.clone(), intent(2), refused.clone()], true),
        (
            [
                &[intent(1), doubt.clone(), intent(2), refused.clone()],
                &asked[..],
                &[intent(1), refused.clone()],
            ]
            .concat(),
            true,
        ),
        (and(std::slice::from_ref(&undo)), true),
        (and(&[undo.clone(), intent(1), refused.clone()]), true),
        (and(&[undo.clone(), intent(1), refused.clone(), every("undo_failed")]), true),
        (and(&[undo.clone(), every("undo_failed")]), true),
        (and(&[undo.clone(), intent(1), doubt, every("undo_succeeded")]), false),
        // Its own mutation was refused, and yet there was something that could not be removed.
        (vec![intent(1), refused, every("step_failed"), undo, every("undo_failed")], true),
    ] {
        let kinds: Vec<&str> = events.iter().map(Event::kind).collect();
        assert_eq!(may_have_made(&events), may, "{kinds:?}");
    }
}

#[test]
fn an_adopted_resource_may_exist() {
    let mut adopted = succeeded("restore", json!({}));
    if let Event::StepSucceeded { adopted, .. } = &mut adopted {
        *adopted = true;
    }
    assert!(may_have_made(&[adopted]));
    assert!(!may_have_made(&[succeeded("restore", json!({}))]));
}

#[test]
fn an_operator_s_retry_begins_a_new_count_of_tries() {
    let tries = |events: &[Event]| {
        let mut journal = JournalBuilder::started(&["restore"]).start(1, "restore");
        for (event, at) in events.iter().zip(2..) {
            journal.push(at, event.clone());
        }
        let state = RunState::fold(&journal.records()).expect("a legal journal");
        let step = &state.steps[&StepKey::new("restore")];
        (step.tries(), step.last_try())
    };
    let answered = [intent(1), every("act_accepted")];
    let asked = [every("question_asked"), every("question_answered")];
    assert_eq!(tries(&answered), (1, 1));
    let retried = [&answered[..], &asked].concat();
    assert_eq!(tries(&retried), (0, 1), "the numbers go on, the count begins anew");
    assert_eq!(tries(&[&retried[..], &[intent(2)]].concat()), (1, 2));
    let again = Event::AttemptStarted { attempt: 2, operator: "bob".to_owned() };
    let died = [intent(1), again.clone(), every("act_in_doubt")];
    assert_eq!(tries(&died), (0, 1), "a try that its process did not survive does not count");
    assert_eq!(tries(&[&answered[..], &[again]].concat()), (1, 1), "one that was answered does");
}
