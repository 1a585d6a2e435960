//! Each state of a journal worth telling apart, with what may follow.

use super::*;

/// Journals that end in each state worth telling apart, with the kinds of event that may follow.
#[expect(clippy::too_many_lines, reason = "one row a state")]
pub(super) fn table() -> Vec<(&'static str, JournalBuilder, Vec<&'static str>)> {
    let begun = || JournalBuilder::started(&["restore"]);
    let running = || begun().start(1, "restore");
    let acting = || running().intent(2, "restore", "rds:X");
    let accepted = || acting().accepted(3, "restore");
    let refused = || acting().event(3, every("act_refused"));
    let doubtful = || acting().event(3, every("act_in_doubt"));
    let failed = || running().fail(4, "restore", ErrorKind::Broken, "broken");
    let asked = || running().event(4, every("question_asked"));
    let gate = || running().event(4, gate_asked("restore", 60_000, Consequence::Fail));
    let over = |journal: JournalBuilder| journal.event(9, every("prediction_scored"));
    let succeeded = || accepted().succeed(5, "restore", json!({}));
    let undoing = || succeeded().event(6, every("undo_started"));
    let undo_acting = || undoing().intent(7, "restore", "rds:Y");

    let skipped_while_running = || running().event(2, every("step_skipped"));
    let made_and_skipped = || doubtful().event(4, every("step_skipped"));

    let run = [
        "attempt_started",
        "run_interrupted",
        "prediction_scored",
        "command_taken",
        "command_refused",
        "run_paused",
        "form_switched",
        "abort_requested",
        "plan_changed",
        "plan_kept",
    ];
    let and_run = |kinds: &[&'static str]| [&run[..], kinds].concat();
    let looking = ["step_observed", "step_retried"];
    // `every_event` skips by a person's word: that is taken of a step that has begun, too.
    let ending = ["step_succeeded", "step_failed", "step_skipped", "question_asked"];
    let asking = ["question_closed", "answer_refused"];
    let settling = ["act_accepted", "act_refused", "act_in_doubt"];
    let at_rest = || and_run(&[&looking[..], &ending].concat());
    // `every_event` holds try 1; after one try that is no longer the next.
    let fresh = || [at_rest(), vec!["intent_recorded"]].concat();
    let in_flight = and_run(&[&looking[..], &settling].concat());
    let undo_ending = ["undo_succeeded", "undo_failed"];
    vec![
        ("nothing", JournalBuilder::new(), vec!["run_started"]),
        ("begun", begun(), and_run(&["step_started", "step_skipped"])),
        ("running", running(), fresh()),
        ("acting", acting(), in_flight.clone()),
        ("accepted", accepted(), at_rest()),
        ("refused", refused(), at_rest()),
        ("in doubt", doubtful(), at_rest()),
        ("asked", asked(), and_run(&[&asking[..], &["question_answered"]].concat())),
        // `every_event` answers "retry", which no gate takes.
        (
            "gate asked",
            gate(),
            and_run(
                &[&asking[..], &["question_expired", "approval_given", "figures_shown"]].concat(),
            ),
        ),
        (
            "gate approved by one",
            gate().event(5, every("approval_given")),
            and_run(
                &[&asking[..], &["question_expired", "approval_withdrawn", "figures_shown"]]
                    .concat(),
            ),
        ),
        (
            "approval withdrawn",
            gate().event(5, every("approval_given")).event(6, every("approval_withdrawn")),
            and_run(
                &[&asking[..], &["question_expired", "approval_given", "figures_shown"]].concat(),
            ),
        ),
        ("question closed", asked().event(5, every("question_closed")), fresh()),
        ("begun and skipped", skipped_while_running(), and_run(&["run_finished"])),
        ("made and skipped", made_and_skipped(), and_run(&["undo_started", "run_finished"])),
        ("paused before", begun().event(1, every("run_paused")), paused(&["step_skipped"])),
        ("paused", running().event(2, every("run_paused")), paused(&at_rest())),
        ("paused while acting", acting().event(3, every("run_paused")), paused(&in_flight)),
        (
            "paused when done",
            succeeded().event(6, every("run_paused")),
            paused(&and_run(&["run_finished"])),
        ),
        (
            "continued",
            running().event(2, every("run_paused")).event(3, every("run_continued")),
            fresh(),
        ),
        ("aborted", running().event(2, every("abort_requested")), aborted(&fresh())),
        (
            "aborted while paused",
            running().event(2, every("run_paused")).event(3, every("abort_requested")),
            aborted(&fresh()),
        ),
        (
            "switched",
            running().event(2, every("form_switched")),
            without(&fresh(), "form_switched"),
        ),
        (
            "command taken",
            running().event(2, every("command_taken")),
            without(&fresh(), "command_taken"),
        ),
        (
            "command refused",
            running().event(2, every("command_refused")),
            without(&fresh(), "command_refused"),
        ),
        ("gate opened", gate().event(5, gate_answered("restore", APPROVE, None)), fresh()),
        ("gate expired", gate().event(5, every("question_expired")), fresh()),
        ("to be tried again", asked().event(5, every("question_answered")), fresh()),
        ("succeeded", succeeded(), and_run(&["undo_started", "run_finished"])),
        ("failed", failed(), and_run(&["undo_started", "run_finished"])),
        ("skipped", begun().event(1, every("step_skipped")), and_run(&["run_finished"])),
        (
            "undoing",
            undoing(),
            and_run(&[&looking[..], &undo_ending, &["intent_recorded"]].concat()),
        ),
        ("undo acting", undo_acting(), in_flight),
        (
            "undo accepted",
            undo_acting().accepted(8, "restore"),
            and_run(&[&looking[..], &undo_ending].concat()),
        ),
        ("undone", undoing().event(7, every("undo_succeeded")), and_run(&["run_finished"])),
        ("undo failed", undoing().event(7, every("undo_failed")), and_run(&["run_finished"])),
        ("interrupted", running().event(2, every("run_interrupted")), vec!["attempt_started"]),
        (
            "scored",
            over(succeeded()),
            without(&and_run(&["undo_started", "run_finished"]), "prediction_scored"),
        ),
        ("finished", over(succeeded()).finish(9, RunOutcome::Succeeded), vec![]),
    ]
}

fn without(kinds: &[&'static str], one: &str) -> Vec<&'static str> {
    kinds.iter().copied().filter(|kind| *kind != one).collect()
}

/// What may follow in a paused run: looks and ends, and no beginning and no mutation.
fn paused(kinds: &[&'static str]) -> Vec<&'static str> {
    let run = ["attempt_started", "run_interrupted", "prediction_scored", "run_continued"];
    let control = [
        "command_taken",
        "command_refused",
        "form_switched",
        "abort_requested",
        "plan_changed",
        "plan_kept",
    ];
    let kept = without(&without(kinds, "run_paused"), "intent_recorded");
    let all: std::collections::BTreeSet<_> = kept.into_iter().chain(run).chain(control).collect();
    all.into_iter().collect()
}

/// What may follow an abort with undo: a second one would add nothing.
fn aborted(kinds: &[&'static str]) -> Vec<&'static str> {
    without(kinds, "abort_requested")
}
