//! Who started, resumed and decided what.
//!
//! **Invariant:** only what the journal records; a question without an answer is shown as open.

use crate::base::ids::StepKey;
use crate::journal::event::{Event, Record};
use crate::report::audit::{Approval, NO_ANSWER, NOT_NEEDED};
use crate::report::control::deed;
use crate::report::waterfall::millis;
use std::collections::BTreeMap;

/// What people did and decided, in the journal's order; open questions keep their place.
pub fn approvals(records: &[Record]) -> Vec<Approval> {
    let mut rows: Vec<Approval> = Vec::new();
    let mut open: BTreeMap<&StepKey, usize> = BTreeMap::new();
    for record in records {
        match &record.event {
            Event::RunStarted { operator, .. } => {
                rows.push(done(record, operator, "started the run"))
            }
            Event::AttemptStarted { attempt: 1, .. } => {}
            Event::AttemptStarted { attempt, operator } => {
                rows.push(done(record, operator, &format!("took the run up, attempt {attempt}")));
            }
            Event::QuestionAsked { step, question, choices, gate, .. } => {
                open.insert(step, rows.len());
                rows.push(Approval {
                    step: Some(step.as_str().to_owned()),
                    what: question.clone(),
                    asked_at: Some(record.at),
                    approvers: gate.iter().flat_map(|gate| gate.approvers.clone()).collect(),
                    choices: choices.clone(),
                    deadline: gate.as_ref().map(|gate| gate.deadline),
                    ..Approval::default()
                });
            }
            Event::QuestionAnswered { step, answer, operator, way, comment, .. } => {
                if let Some(row) = open.remove(step).and_then(|place| rows.get_mut(place)) {
                    close(row, record, answer);
                    row.who = Some(operator.clone());
                    row.way = way.map(|way| way.phrase().to_owned());
                    row.comment = comment.clone();
                }
            }
            Event::QuestionExpired { step } | Event::QuestionClosed { step } => {
                let closed = matches!(record.event, Event::QuestionClosed { .. });
                if let Some(row) = open.remove(step).and_then(|place| rows.get_mut(place)) {
                    close(row, record, if closed { NOT_NEEDED } else { NO_ANSWER });
                }
            }
            Event::ApprovalGiven { .. }
            | Event::ApprovalWithdrawn { .. }
            | Event::RunPaused { .. }
            | Event::RunContinued { .. }
            | Event::FormSwitched { .. }
            | Event::PlanChanged { .. }
            | Event::PlanKept { .. }
            | Event::AbortRequested { .. }
            | Event::CommandTaken { .. } => {
                rows.extend(done_unasked(record));
            }
            Event::AnswerRefused { .. }
            | Event::FiguresShown { .. }
            | Event::CommandRefused { .. }
            | Event::StepStarted { .. }
            | Event::IntentRecorded { .. }
            | Event::ActAccepted { .. }
            | Event::ActRefused { .. }
            | Event::ActInDoubt { .. }
            | Event::StepObserved { .. }
            | Event::StepRetried { .. }
            | Event::StepSucceeded { .. }
            | Event::StepFailed { .. }
            | Event::StepSkipped { .. }
            | Event::UndoStarted { .. }
            | Event::UndoSucceeded { .. }
            | Event::UndoFailed { .. }
            | Event::RunInterrupted { .. }
            | Event::RunFinished { .. }
            | Event::PredictionScored { .. } => {}
        }
    }
    rows
}

/// What a person did to the run that answers no question.
fn done_unasked(record: &Record) -> Option<Approval> {
    let (who, what) = deed(&record.event)?;
    let figures = match &record.event {
        Event::ApprovalGiven { figures, .. } => figures.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    Some(Approval { step: about(&record.event), figures, ..done(record, &who.operator, &what) })
}

/// The step that an event, or the command in it, is about.
fn about(event: &Event) -> Option<String> {
    let command = match event {
        Event::CommandTaken { command, .. } => command.step(),
        _ => None,
    };
    event.step().or(command).map(|step| step.as_str().to_owned())
}

fn close(row: &mut Approval, record: &Record, answer: &str) {
    row.at = Some(record.at);
    row.answer = Some(answer.to_owned());
    row.waited_ms = row.asked_at.map(|asked| millis(asked, record.at));
}

fn done(record: &Record, operator: &str, what: &str) -> Approval {
    Approval {
        at: Some(record.at),
        who: Some(operator.to_owned()),
        what: what.to_owned(),
        ..Approval::default()
    }
}
