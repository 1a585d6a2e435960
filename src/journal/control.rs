//! What people have made of a run: paused, aborted, and which of their commands were used.
//!
//! **Invariant:** a command is used once; a pause has one beginning and one end.

use crate::base::form::Form;
use crate::journal::command::Person;
use crate::journal::event::{Event, Record};
use crate::journal::fold::{FoldProblem, RunState};
use chrono::{DateTime, Utc};

/// A pause that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Who paused the run.
    pub by: Person,
    /// When.
    pub since: DateTime<Utc>,
    /// Why, if it was said.
    pub reason: Option<String>,
}

/// A wish to end the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abort {
    /// Who ends it.
    pub by: Person,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// Why, if it was said.
    pub reason: Option<String>,
    /// Whether what was done is undone.
    pub undo: bool,
}

/// A switch from one form to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// Who switched.
    pub by: Person,
    /// When it was taken.
    pub at: DateTime<Utc>,
    /// The form before it.
    pub from: Form,
    /// Why, if it was said.
    pub reason: Option<String>,
}

impl RunState {
    /// Whether the command with this id was taken or refused.
    pub fn has_used(&self, id: &str) -> bool {
        self.commands.contains_key(id)
    }

    /// Takes an event about the run's control.
    pub(super) fn control(&mut self, record: &Record) -> Result<(), FoldProblem> {
        if let Event::CommandTaken { id, .. } = &record.event {
            self.used(id, None)?;
        } else if let Event::CommandRefused { id, why, .. } = &record.event {
            self.used(id, Some(why))?;
        } else if let Event::RunPaused { by, reason } = &record.event {
            if self.paused.is_some() {
                return Err(FoldProblem::Paused);
            }
            self.paused = Some(Pause { by: by.clone(), since: record.at, reason: reason.clone() });
        } else if let Event::RunContinued { .. } = &record.event {
            self.paused.take().ok_or(FoldProblem::NotPaused)?;
            self.continued_at = Some(record.at);
        } else if let Event::FormSwitched { from, to, by, reason } = &record.event {
            if *from != self.form || to == from {
                return Err(FoldProblem::Form(self.form));
            }
            let (by, reason) = (by.clone(), reason.clone());
            self.switched = Some(Switch { by, at: record.at, from: *from, reason });
            self.form = *to;
            self.steps.values_mut().for_each(|step| step.asks_in(*to));
        } else if let Event::AbortRequested { by, reason, undo } = &record.event {
            // A second wish may only add the undoing.
            if self.aborting.as_ref().is_some_and(|first| first.undo || !undo) {
                return Err(FoldProblem::AbortedTwice);
            }
            let (by, reason) = (by.clone(), reason.clone());
            self.aborting = Some(Abort { by, at: record.at, reason, undo: *undo });
            if self.paused.take().is_some() {
                self.continued_at = Some(record.at);
            }
        }
        Ok(())
    }

    fn used(&mut self, id: &str, refused: Option<&String>) -> Result<(), FoldProblem> {
        if self.has_used(id) {
            return Err(FoldProblem::UsedTwice(id.to_owned()));
        }
        self.commands.insert(id.to_owned(), refused.cloned());
        Ok(())
    }
}
