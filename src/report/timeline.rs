//! The timeline: each event as a sentence.
//!
//! **Invariant:** every event of the journal has a row, also one that is not understood.

use crate::base::duration::human;
use crate::base::form::Form;
use crate::journal::event::{Event, RunOutcome};
use crate::journal::store::StoredRecord;
use crate::report::control::{because, control_sentence};
use crate::report::model::TimelineRow;
use crate::report::steps::skip_reason;
use std::time::Duration;

/// One row an event.
pub fn timeline(stored: &[StoredRecord]) -> Vec<TimelineRow> {
    stored.iter().map(row).collect()
}

fn row(stored: &StoredRecord) -> TimelineRow {
    let record = stored.record.as_ref();
    TimelineRow {
        seq: stored.seq,
        at: record.map(|record| record.at),
        step: record.and_then(|record| Some(record.event.step()?.as_str().to_owned())),
        text: record.map_or_else(
            || format!("an event that this drctl does not know: `{}`", stored.kind),
            |record| sentence(&record.event),
        ),
    }
}

/// An outcome as reports and files name it.
pub fn outcome_name(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::Warned => "warned",
        RunOutcome::Failed => "failed",
        RunOutcome::Undone => "undone",
        RunOutcome::Aborted => "aborted",
    }
}

fn sentence(event: &Event) -> String {
    match event {
        Event::RunStarted { operator, form: Form::Graceful, .. } => {
            format!("run started by {operator}")
        }
        Event::RunStarted { operator, form, .. } => format!("run started by {operator}, {form}"),
        Event::AttemptStarted { attempt, operator } => {
            format!("attempt {attempt} started by {operator}")
        }
        Event::StepStarted { .. } => "started".to_owned(),
        Event::IntentRecorded { operation, target, attempt, .. } => {
            format!("about to call {operation} on {target} (try {attempt})")
        }
        Event::ActAccepted { .. } => "accepted".to_owned(),
        Event::ActRefused { error, .. } => format!("refused: {}", error.message),
        Event::ActInDoubt { error, .. } => format!("in doubt: {}", error.message),
        Event::StepObserved { state, milestone: None, .. } => format!("seen: {state}"),
        Event::StepObserved { state, milestone: Some(milestone), .. } => {
            format!("seen: {state}, reached {milestone}")
        }
        Event::StepRetried { error, delay_ms, .. } => {
            let delay = human(Duration::from_millis(*delay_ms));
            format!("could not look ({}), again in {delay}", error.message)
        }
        Event::StepSucceeded { adopted: true, .. } => "succeeded, found as wanted".to_owned(),
        Event::StepSucceeded { warnings, .. } if !warnings.is_empty() => {
            format!("succeeded with a warning: {}", warnings.join("; "))
        }
        Event::StepSucceeded { .. } => "succeeded".to_owned(),
        Event::StepFailed { error, .. } => format!("failed: {}", error.message),
        Event::StepSkipped { reason, .. } => format!("skipped: {}", skip_reason(reason)),
        Event::UndoStarted { .. } => "undo started".to_owned(),
        Event::UndoSucceeded { .. } => "undone".to_owned(),
        Event::UndoFailed { error, .. } => format!("undo failed: {}", error.message),
        Event::QuestionAsked { question, .. } => format!("asked: {question}"),
        Event::QuestionAnswered { answer, operator, way, comment, .. } => {
            let way = way.map(|way| format!(" {}", way.phrase())).unwrap_or_default();
            let comment = because(comment.as_deref());
            format!("{operator} answered {answer}{way}{comment}")
        }
        Event::QuestionExpired { .. } => "nobody answered in time".to_owned(),
        Event::ApprovalGiven { .. }
        | Event::ApprovalWithdrawn { .. }
        | Event::FiguresShown { .. }
        | Event::AnswerRefused { .. }
        | Event::QuestionClosed { .. }
        | Event::CommandTaken { .. }
        | Event::CommandRefused { .. }
        | Event::RunPaused { .. }
        | Event::RunContinued { .. }
        | Event::FormSwitched { .. }
        | Event::PlanChanged { .. }
        | Event::PlanKept { .. }
        | Event::AbortRequested { .. } => control_sentence(event).unwrap_or_default(),
        Event::RunInterrupted { reason } => format!("run interrupted: {reason}"),
        Event::RunFinished { outcome } => format!("run {}", outcome_name(*outcome)),
        Event::PredictionScored { held, total, .. } => {
            format!("{held} of {total} predictions held")
        }
    }
}
