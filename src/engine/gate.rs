//! Questions to people: gates, and failures with `on_failure: ask`.
//!
//! **Invariant:** a gate opens by an approval that came in time and by nothing else; a question that is
//! in the journal is not asked a second time as a new one.

use super::approver::one_person;
use super::effect::{Effect, Part, SeenDone, SeenGate};
use super::machine::{Live, Machine};
use super::outlook::CHOICES;
use super::policy::LONGEST_WAIT;
use crate::base::clock::{between, format_instant, later};
use crate::base::duration::human;
use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, ErrorRecord, Event, Evidence};
use crate::journal::fold::{
    APPROVE, Approval, Consequence, GateRecord, Question, REJECT, StepState,
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
            Some(_) | None if self.step(step).before.is_empty() => {
                self.record_gate(step, gate);
                self.ask_again(step);
            }
            Some(_) | None => {
                self.weighing.insert(step.clone(), gate);
                self.weigh(step);
            }
        }
    }

    /// Has what is at stake read before the gate asks.
    fn weigh(&mut self, step: &StepKey) {
        self.live.insert(step.clone(), Live::Weighing);
        self.effect(Effect::Weigh { step: step.clone() });
    }

    /// Records a gate's question; having it asked is the caller's.
    pub(super) fn record_gate(&mut self, step: &StepKey, gate: SeenGate) {
        let limit = Duration::from_millis(self.step(step).timeout_ms);
        let record = GateRecord {
            approvers: gate.approvers,
            deadline: later(self.now, limit),
            on_timeout: gate.on_timeout,
            approvals: gate.approvals.max(1),
        };
        let choices = vec![APPROVE.to_owned(), REJECT.to_owned()];
        self.record_question(step, gate.message, choices, None, Some(record));
    }

    /// Records a question about a failure and has it asked.
    pub(super) fn ask(
        &mut self,
        step: &StepKey,
        question: String,
        choices: Vec<String>,
        error: ErrorRecord,
    ) {
        self.record_question(step, question, choices, Some(error), None);
        self.ask_again(step);
    }

    fn record_question(
        &mut self,
        step: &StepKey,
        question: String,
        choices: Vec<String>,
        error: Option<ErrorRecord>,
        gate: Option<GateRecord>,
    ) {
        let failure = choices == CHOICES;
        let consequences = if failure { self.outlook(step) } else { Vec::new() };
        self.emit(Event::QuestionAsked {
            step: step.clone(),
            question,
            choices,
            error,
            gate,
            consequences,
        });
    }

    /// Has the open question of a step asked by this process.
    pub(super) fn ask_again(&mut self, step: &StepKey) {
        let question = self.state.steps[step].question.as_ref().expect("the step has a question");
        if self.is_late(question) {
            return self.expire(step);
        }
        let at_stake = question.gate.is_some() && !self.step(step).before.is_empty();
        if at_stake { self.weigh(step) } else { self.show_question(step) }
    }

    /// Has the open question of a step shown to whoever is here.
    pub(super) fn show_question(&mut self, step: &StepKey) {
        let question = self.state.steps[step].question.clone().expect("the step has a question");
        self.live.insert(step.clone(), Live::Asking);
        self.effect(Effect::Ask { step: step.clone(), question });
    }

    fn is_late(&self, question: &Question) -> bool {
        question.gate.as_ref().is_some_and(|gate| gate.deadline <= self.now)
    }

    pub(super) fn has_late_question(&self, step: &StepKey) -> bool {
        self.state.steps[step].question.as_ref().is_some_and(|question| self.is_late(question))
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

    pub(super) fn expire(&mut self, step: &StepKey) {
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

    pub(super) fn approved(&mut self, step: &StepKey) {
        let found = &self.state.steps[step];
        let (by, at, how) = decision(found);
        let mut who = vec![(by, how)];
        if found.approvals.len() > 1 {
            let one = |one: &Approval| (one.by.operator.clone(), one.way.phrase().to_owned());
            // Of somebody who approved anew, with an acknowledgement, the last one.
            let all = &found.approvals;
            let last = |(place, one): &(usize, &Approval)| {
                !all[place + 1..].iter().any(|more| one_person(&more.by) == one_person(&one.by))
            };
            who = all.iter().enumerate().filter(last).map(|(_, given)| one(given)).collect();
        }
        let names: Vec<&str> = who.iter().map(|(by, _)| by.as_str()).collect();
        let outputs = json!({
            "approved_by": names.join(", "),
            "approved_at": format_instant(at),
            "comment": found.comment,
        });
        let evidence = |(value, source)| {
            let name = "gate.approved_by".to_owned();
            Evidence { name, value, source }
        };
        self.emit(Event::StepSucceeded {
            step: step.clone(),
            outputs,
            adopted: false,
            observed: BTreeMap::new(),
            evidence: who.into_iter().map(evidence).collect(),
            warnings: Vec::new(),
        });
    }

    pub(super) fn rejected(&mut self, step: &StepKey) {
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
    pub(super) fn end_in_failure(&mut self, step: &StepKey, error: ErrorRecord) {
        let (evidence, outputs) = (Vec::new(), Json::Null);
        self.emit(Event::StepFailed { step: step.clone(), error, evidence, outputs });
    }

    /// The step waits for an instant.
    pub(super) fn waiting(&mut self, step: &StepKey, until: DateTime<Utc>) {
        let state = format!("waiting until {}", format_instant(until));
        if self.ended_by_abort(step, &state) {
            return;
        }
        if self.state.steps[step].last_state.as_ref() != Some(&state) {
            let (step, milestone) = (step.clone(), None);
            self.emit(Event::StepObserved {
                step,
                state: state.clone(),
                milestone,
                progress: None,
            });
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

    /// Since when the step's time counts: an undo, and a step that a person sent back, have their own, and
    /// a pause gives it anew.
    pub(super) fn counted_from(&self, step: &StepKey) -> Option<DateTime<Utc>> {
        let found = &self.state.steps[step];
        let began = match self.part(step) {
            Part::Undo => found.undo_started_at,
            Part::Forward => Some(found.started_at?.max(found.answered_at.unwrap_or_default())),
        };
        began.max(self.state.continued_at.filter(|_| began.is_some()))
    }
}

/// Who decided, when, and how.
fn decision(found: &StepState) -> (String, DateTime<Utc>, String) {
    let by = found.answered_by.clone().unwrap_or_else(|| "unknown".to_owned());
    let how = found.answer_way.map_or("in a way that is not recorded", |way| way.phrase());
    (by, found.answered_at.unwrap_or_default(), how.to_owned())
}
