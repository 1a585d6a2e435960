//! What people post into the inbox of a rehearsed run: approvals, rejections, a pause, an abort.
//!
//! **Invariant:** a function of the journal: whoever takes the run up finds the same posts, so that a
//! crash changes nothing about what people do.

use super::scenario::Answers;
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::journal::chain::known;
use crate::journal::event::{Event, Record};
use crate::journal::figure::TWO_WRITERS;
use crate::journal::fold::GateRecord;
use crate::journal::{Command, MemoryStore, Person, Posted, Store as _};
use chrono::{DateTime, Utc};

/// The inbox as the records so far make it.
#[derive(Debug)]
pub(super) struct Inbox {
    answers: Answers,
    posts: Vec<Posted>,
    /// Whether the command of the scenario was posted.
    commanded: bool,
    /// Whether a pause waits to be ended.
    paused: bool,
    /// The form in which the run began.
    form: Form,
}

impl Inbox {
    /// For people who answer as `answers` says, after what `journal` tells.
    pub(super) fn of(answers: Answers, journal: &MemoryStore) -> Self {
        let mut inbox = Self {
            answers,
            posts: Vec::new(),
            commanded: false,
            paused: false,
            form: Form::default(),
        };
        let stored = journal.load().expect("memory can be read");
        inbox.note(&known(&stored).expect("this version wrote them"));
        inbox
    }

    /// All posts, oldest first.
    pub(super) fn posts(&self) -> Vec<Posted> {
        self.posts.clone()
    }

    /// Takes note of what became durable.
    pub(super) fn note(&mut self, records: &[Record]) {
        records.iter().for_each(|record| self.one(record));
    }

    fn one(&mut self, record: &Record) {
        let (seq, at) = (record.seq, record.at);
        match &record.event {
            Event::RunStarted { form, .. } => self.form = *form,
            Event::QuestionAsked { step, gate: Some(gate), .. } => self.gate(seq, at, step, gate),
            Event::IntentRecorded { .. } if !self.commanded => {
                let reason = Some("of a rehearsal".to_owned());
                let command = match self.answers {
                    Answers::Pause => Command::Pause { reason },
                    Answers::Switch => Command::Switch { to: self.form.other(), reason },
                    Answers::Abort => Command::Abort { reason, undo: false },
                    Answers::AbortUndo => Command::Abort { reason, undo: true },
                    Answers::Approve
                    | Answers::Reject
                    | Answers::Nobody
                    | Answers::Retry
                    | Answers::Continue
                    | Answers::Skip
                    | Answers::Undo => return,
                };
                (self.commanded, self.paused) = (true, self.answers == Answers::Pause);
                self.post(seq, 0, at, "rehearsal", command);
            }
            // What was under way has ended, or somebody took the run up.
            Event::StepSucceeded { .. }
            | Event::StepFailed { .. }
            | Event::AttemptStarted { .. }
                if self.paused =>
            {
                self.paused = false;
                self.post(seq, 0, at, "rehearsal", Command::Continue);
            }
            _ => {}
        }
    }

    fn gate(&mut self, seq: u64, at: DateTime<Utc>, step: &StepKey, gate: &GateRecord) {
        let comment = Some("of a rehearsal".to_owned());
        let step = step.clone();
        let (command, people) = match self.answers {
            Answers::Nobody => return,
            Answers::Reject => (Command::Reject { step, comment }, 1),
            Answers::Approve
            | Answers::Retry
            | Answers::Continue
            | Answers::Skip
            | Answers::Undo
            | Answers::Pause
            | Answers::Switch
            | Answers::Abort
            | Answers::AbortUndo => {
                let acknowledge = Some(TWO_WRITERS.to_owned());
                (Command::Approve { step, comment, acknowledge }, gate.approvals)
            }
        };
        for number in 0..people {
            self.post(seq, number, at, &approver(gate, number), command.clone());
        }
    }

    fn post(&mut self, seq: u64, number: u32, at: DateTime<Utc>, by: &str, command: Command) {
        let id = format!("{seq:020}{number:06}");
        self.posts.push(Posted { id, at, by: Person::declared(by), command });
    }
}

/// Who approves as number `number`, from 0: one of the approvers, else somebody.
pub(super) fn approver(gate: &GateRecord, number: u32) -> String {
    let place = usize::try_from(number).unwrap_or(usize::MAX);
    gate.approvers.get(place).cloned().unwrap_or_else(|| format!("person-{}", number + 1))
}
