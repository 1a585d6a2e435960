//! Who started, resumed and decided what.
//!
//! **Invariant:** only what the journal records; a question without an answer is shown as open.

use crate::base::ids::StepKey;
use crate::journal::event::{Event, Record};
use crate::report::audit::Approval;
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
            Event::QuestionAsked { step, question, .. } => {
                open.insert(step, rows.len());
                rows.push(Approval {
                    at: None,
                    who: None,
                    step: Some(step.as_str().to_owned()),
                    what: question.clone(),
                    answer: None,
                    comment: None,
                });
            }
            Event::QuestionAnswered { step, answer, operator } => {
                if let Some(row) = open.remove(step).and_then(|place| rows.get_mut(place)) {
                    row.at = Some(record.at);
                    row.who = Some(operator.clone());
                    row.answer = Some(answer.clone());
                }
            }
            Event::StepStarted { .. }
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

fn done(record: &Record, operator: &str, what: &str) -> Approval {
    Approval {
        at: Some(record.at),
        who: Some(operator.to_owned()),
        step: None,
        what: what.to_owned(),
        answer: None,
        comment: None,
    }
}
