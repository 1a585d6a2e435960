//! How people stand to a run: who drives it, who paused or aborts it, who approved, who is waited for.
//!
//! **Invariant:** from the journal and its lease alone, so that every terminal shows the same.

use crate::base::clock::format_instant;
use crate::base::ids::StepKey;
use crate::cli::takeup::Driver;
use crate::journal::Person;
use crate::journal::fold::{Question, RunState};
use crate::plan::model::{Plan, PlannedStep, Role};
use crate::report::control::because;
use chrono::SubsecRound as _;
use serde_json::{Value as Json, json};

/// Lines with a label each; nothing for what is as usual.
pub(super) fn standing(
    plan: &Plan,
    state: &RunState,
    driver: Option<&Driver>,
) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(pause) = &state.paused {
        let since = format_instant(pause.since.trunc_subsecs(0));
        let why = because(pause.reason.as_deref());
        let then = format!("`drctl continue {}`", plan.run);
        lines.push(("PAUSED", format!("by {} since {since}{why}; {then}", pause.by)));
    }
    lines.extend(form_line(plan, state));
    if let Some(abort) = &state.aborting {
        let how = if abort.undo { "what was done is undone" } else { "what was done stays" };
        let (by, at) = (&abort.by, format_instant(abort.at.trunc_subsecs(0)));
        let why = because(abort.reason.as_deref());
        lines.push(("aborted", format!("by {by} at {at}{why}; {how}")));
    }
    for (step, question) in state.questions() {
        lines.push(("waits for", whom(state, step, question)));
    }
    if state.finished.is_none() {
        lines.push(("driven by", driven_by(plan, driver)));
    }
    lines
}

/// The form, where something depends on it, or it is not the usual one.
fn form_line(plan: &Plan, state: &RunState) -> Option<(&'static str, String)> {
    let form = state.form;
    let matters = |step: &PlannedStep| step.by_form || step.role == Role::Promotion;
    match &state.switched {
        None if !form.is_graceful() || plan.steps.iter().any(matters) => {
            Some(("form", format!("{form}, from the beginning")))
        }
        None => None,
        Some(last) => {
            let (by, at) = (&last.by, format_instant(last.at.trunc_subsecs(0)));
            let why = because(last.reason.as_deref());
            Some(("form", format!("{form}; {by} switched from {} at {at}{why}", last.from)))
        }
    }
}

/// The lines as text, one below the other.
pub(super) fn standing_text(lines: &[(&'static str, String)]) -> String {
    lines.iter().map(|(label, text)| format!("{label:<11} {text}\n")).collect()
}

/// The same for programs, to stand in a larger document.
pub(super) fn standing_json(state: &RunState, driver: Option<&Driver>) -> Json {
    let approvals: Vec<Json> = state
        .questions()
        .flat_map(|(step, _)| {
            state.steps[step].approvals.iter().map(move |given| {
                json!({
                    "step": step, "by": given.by, "at": given.at, "way": given.way,
                    "comment": given.comment,
                })
            })
        })
        .collect();
    json!({
        "paused": state.paused.as_ref().map(|pause| {
            json!({ "by": pause.by, "since": pause.since, "reason": pause.reason })
        }),
        "aborting": state.aborting.as_ref().map(|abort| {
            json!({ "by": abort.by, "at": abort.at, "reason": abort.reason, "undo": abort.undo })
        }),
        "form": state.form,
        "switched": state.switched.as_ref().map(|last| {
            json!({ "by": last.by, "at": last.at, "from": last.from, "reason": last.reason })
        }),
        "approvals": approvals,
        "driver": driver.map(driver_json),
    })
}

/// Who drives a run, for programs.
pub(super) fn driver_json(driver: &Driver) -> Json {
    json!({ "holder": driver.holder, "since": driver.since, "until": driver.until })
}

/// Who drives the run, and until when nobody else may.
fn driven_by(plan: &Plan, driver: Option<&Driver>) -> String {
    let Some(Driver { holder, since, until }) = driver else {
        return format!("nobody; `drctl resume {}` takes it up", plan.run);
    };
    let since = since
        .map(|at| format!(" since {}", format_instant(at.trunc_subsecs(0))))
        .unwrap_or_default();
    let until = format_instant(until.trunc_subsecs(0));
    if driver.is_some_and(Driver::hangs) {
        let then = format!("`drctl resume {}` takes it from it", plan.run);
        return format!("{holder}{since}, which HANGS: its lease ended {until}; {then}");
    }
    format!("{holder}{since}; lease until {until}")
}

/// Who is waited for at one step, until when, and who has approved already.
fn whom(state: &RunState, step: &StepKey, question: &Question) -> String {
    let Some(gate) = &question.gate else {
        return format!("an answer to {step}: {}", question.choices.join(", "));
    };
    let whom = match gate.approvers.as_slice() {
        [] => "anybody".to_owned(),
        names => names.join(" or "),
    };
    let mut text = format!("{whom} at {step}");
    if gate.approvals > 1 {
        let given = &state.steps[step].approvals;
        let who: Vec<&Person> = given.iter().map(|approval| &approval.by).collect();
        let names = who.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let by = if names.is_empty() { String::new() } else { format!(" ({names})") };
        text.push_str(&format!(", {} of {} approvals{by}", given.len(), gate.approvals));
    }
    format!("{text}, until {}", format_instant(gate.deadline.trunc_subsecs(0)))
}
