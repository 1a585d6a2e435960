//! Questions to people: gates, and failures with `on_failure: ask`.
//!
//! **Invariant:** a gate opens by an approval that came in time and by nothing else; a question that is
//! in the journal is not asked a second time as a new one.

use super::effect::{Effect, Part, Reply, SeenDone, SeenGate};
use super::machine::{Live, Machine};
use super::policy::LONGEST_WAIT;
use crate::base::clock::{between, format_instant, later};
use crate::base::duration::human;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, ErrorRecord, Event, Evidence};
use crate::journal::fold::{
    APPROVE, Consequence, DONE, GateRecord, Question, REJECT, REPEAT, StepState,
};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

impl Machine {
    /// A gate was looked at: its decision, if the journal has one, else its question.
    pub(super) fn at_gate(&mut self, step: &StepKey, gate: SeenGate) {
        let found = &self.state.steps[step];
        match found.answer.as_deref() {
            _ if found.expired => self.expired(step),
            Some(APPROVE) => self.approved(step),
            Some(REJECT) => self.rejected(step),
            Some(_) | None => {
                let limit = Duration::from_millis(self.step(step).timeout_ms);
                let record = GateRecord {
                    approvers: gate.approvers,
                    deadline: later(self.now, limit),
                    on_timeout: gate.on_timeout,
                    approvals: 1,
                };
                let choices = vec![APPROVE.to_owned(), REJECT.to_owned()];
                self.ask(step, gate.message, choices, None, Some(record));
            }
        }
    }

    /// Records a question and has it asked.
    pub(super) fn ask(
        &mut self,
        step: &StepKey,
        question: String,
        choices: Vec<String>,
        error: Option<ErrorRecord>,
        gate: Option<GateRecord>,
    ) {
        self.emit(Event::QuestionAsked {
            step: step.clone(),
            question,
            choices,
            error,
            gate,
            consequences: Vec::new(),
        });
        self.ask_again(step);
    }

    /// Has the open question of a step asked by this process.
    pub(super) fn ask_again(&mut self, step: &StepKey) {
        let question = self.state.steps[step].question.clone().expect("the step has a question");
        if self.is_late(&question) {
            return self.expire(step);
        }
        self.live.insert(step.clone(), Live::Asking);
        self.effect(Effect::Ask { step: step.clone(), question });
    }

    fn is_late(&self, question: &Question) -> bool {
        question.gate.as_ref().is_some_and(|gate| gate.deadline <= self.now)
    }

    fn has_late_question(&self, step: &StepKey) -> bool {
        self.state.steps[step].question.as_ref().is_some_and(|question| self.is_late(question))
    }

    pub(super) fn answered(&mut self, step: &StepKey, reply: Reply, operator: String) {
        self.landed(step, Live::Asking);
        if self.has_late_question(step) {
            return self.expire(step);
        }
        let question = self.state.steps[step].question.clone().expect("it was asked");
        let (Reply { answer, way, comment }, by) = (reply, operator.clone());
        self.emit(Event::QuestionAnswered {
            step: step.clone(),
            answer: answer.clone(),
            operator,
            way: Some(way),
            comment,
            identity: None,
        });
        match (question.error, answer.as_str()) {
            (None, APPROVE) => self.approved(step),
            (None, _) => self.rejected(step),
            (Some(_), DONE) => self.taken_as_done(step, &by),
            (Some(_), "retry" | REPEAT) => {
                let part = self.part(step);
                self.live.insert(step.clone(), Live::Beginning);
                self.effect(Effect::Begin { step: step.clone(), part });
            }
            (Some(error), _) => self.end_in_failure(step, error),
        }
    }

    /// Nobody can be asked by this process; the question stays open and everything else goes on.
    pub(super) fn unanswered(&mut self, step: &StepKey) {
        self.landed(step, Live::Asking);
        self.live.insert(step.clone(), Live::Asking);
        self.unanswered.insert(step.clone());
    }

    /// Ends questions whose time is over, and stops once nothing but questions is left.
    pub(super) fn settle_unanswered(&mut self) {
        let late: Vec<StepKey> =
            self.unanswered.iter().filter(|step| self.has_late_question(step)).cloned().collect();
        for step in late {
            self.unanswered.remove(&step);
            self.landed(&step, Live::Asking);
            self.expire(&step);
        }
    }

    /// Whether only people could move the run on, and none of them can be asked.
    pub(super) fn only_people_are_left(&self) -> bool {
        !self.unanswered.is_empty() && self.unanswered.len() == self.live.len()
    }

    fn expire(&mut self, step: &StepKey) {
        self.emit(Event::QuestionExpired { step: step.clone() });
        self.expired(step);
    }

    fn expired(&mut self, step: &StepKey) {
        let (gate, asked_at) =
            self.state.steps[step].gate.clone().expect("only a gate's question expires");
        let waited = human(between(asked_at, gate.deadline));
        let message = format!(
            "nobody decided within {waited}: asked {}, over {}",
            format_instant(asked_at),
            format_instant(gate.deadline)
        );
        let (kind, help) = match gate.on_timeout {
            Consequence::Fail => {
                (ErrorKind::TimedOut, "find out who should have decided; raise `timeout` if needed")
            }
            Consequence::Reject => {
                (ErrorKind::Rejected, "the runbook says `on_timeout: reject`: start a new run")
            }
        };
        let error = ErrorRecord { kind, message, code: None, help: Some(help.to_owned()) };
        match gate.on_timeout {
            Consequence::Fail => self.fail(step, error, SeenDone::default()),
            Consequence::Reject => self.end_in_failure(step, error),
        }
    }

    fn approved(&mut self, step: &StepKey) {
        let found = &self.state.steps[step];
        let (by, at, how) = decision(found);
        let outputs = json!({
            "approved_by": by,
            "approved_at": format_instant(at),
            "comment": found.comment,
        });
        let name = "gate.approved_by".to_owned();
        self.emit(Event::StepSucceeded {
            step: step.clone(),
            outputs,
            adopted: false,
            observed: BTreeMap::new(),
            evidence: vec![Evidence { name, value: by, source: how }],
            warnings: Vec::new(),
        });
    }

    fn rejected(&mut self, step: &StepKey) {
        let found = &self.state.steps[step];
        let (by, _, how) = decision(found);
        let comment = found.comment.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        let error = ErrorRecord {
            kind: ErrorKind::Rejected,
            message: format!("rejected by {by} {how}{comment}"),
            code: None,
            help: None,
        };
        self.end_in_failure(step, error);
    }

    /// Fails the step for good: nobody is asked about what somebody has decided.
    fn end_in_failure(&mut self, step: &StepKey, error: ErrorRecord) {
        let (evidence, outputs) = (Vec::new(), Json::Null);
        self.emit(Event::StepFailed { step: step.clone(), error, evidence, outputs });
    }

    /// The step waits for an instant.
    pub(super) fn waiting(&mut self, step: &StepKey, until: DateTime<Utc>) {
        let state = format!("waiting until {}", format_instant(until));
        if self.state.steps[step].last_state.as_ref() != Some(&state) {
            let (step, milestone) = (step.clone(), None);
            self.emit(Event::StepObserved { step, state: state.clone(), milestone });
        }
        let over = self.time_is_over_at(step);
        if until > over {
            let message = format!("it is {state}, and its time-out ends {}", format_instant(over));
            let help = Some("raise `timeout`, or wait for less".to_owned());
            let error = ErrorRecord { kind: ErrorKind::TimedOut, message, code: None, help };
            return self.fail(step, error, SeenDone::default());
        }
        // The run's lease is renewed at each turn, so nothing waits for hours in one piece.
        self.look(step, between(self.now, until).min(LONGEST_WAIT));
    }

    /// When the step's time is out.
    fn time_is_over_at(&self, step: &StepKey) -> DateTime<Utc> {
        let limit = Duration::from_millis(self.step(step).timeout_ms);
        later(self.counted_from(step).unwrap_or(self.now), limit)
    }

    /// Since when the step's time counts: an undo, and a step that a person sent back, have their own.
    pub(super) fn counted_from(&self, step: &StepKey) -> Option<DateTime<Utc>> {
        let found = &self.state.steps[step];
        match self.part(step) {
            Part::Undo => found.undo_started_at,
            Part::Forward => Some(found.started_at?.max(found.answered_at.unwrap_or_default())),
        }
    }
}

/// Who decided, when, and how.
fn decision(found: &StepState) -> (String, DateTime<Utc>, String) {
    let by = found.answered_by.clone().unwrap_or_else(|| "unknown".to_owned());
    let how = found.answer_way.map_or("in a way that is not recorded", |way| way.phrase());
    (by, found.answered_at.unwrap_or_default(), how.to_owned())
}
