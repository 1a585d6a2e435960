//! Commands from other terminals: judged, taken or refused, and followed.
//!
//! **Invariant:** the record of a command and of all that follows from it are one turn, so that each is
//! used once over every crash. A refusal says what a person can do instead.

use super::approver::{approval_by, is_reserved};
use super::effect::{Effect, Reply};
use super::machine::{Live, Machine};
use crate::base::clock::format_instant;
use crate::base::ids::StepKey;
use crate::journal::event::{Event, SkipReason};
use crate::journal::fold::{APPROVE, AnswerWay, REJECT, RETRY, SKIP, StepStatus};
use crate::journal::{Command, Person, Posted};
use crate::plan::model::GateKind;
use std::time::Duration;

impl Machine {
    /// Takes or refuses a posted command. One that was used is nothing, and so is every command while this
    /// process stops: the next one finds it in the inbox.
    pub(super) fn command(&mut self, posted: Posted) {
        let over = self.halting.is_some() || self.state.finished.is_some();
        if over || self.state.has_used(&posted.id) {
            return;
        }
        let Posted { id, at, by, command } = posted;
        match self.judge(&command, &by) {
            Ok(()) => {
                let (taken_by, taken) = (by.clone(), command.clone());
                self.emit(Event::CommandTaken { id, posted_at: at, by: taken_by, command: taken });
                self.follow(command, by);
            }
            Err(why) => self.emit(Event::CommandRefused { id, by, command, why }),
        }
    }

    fn judge(&self, command: &Command, by: &Person) -> Result<(), String> {
        if let Some(step) = command.step().filter(|step| !self.state.steps.contains_key(step)) {
            return Err(format!("the run has no step {step}; `drctl status` lists its steps"));
        }
        if let Some((step, reply)) = reply_of(command) {
            return self.judge_answer(step, &reply, by);
        }
        match command {
            Command::Withdraw { step, .. } => self.judge_withdrawal(step, by),
            Command::Pause { .. } => match &self.state.paused {
                Some(pause) => {
                    Err(format!("{} paused it already, {}", pause.by, format_instant(pause.since)))
                }
                None => Ok(()),
            },
            Command::Continue => match &self.state.paused {
                Some(_) => Ok(()),
                None => Err("there is nothing to continue: the run is not paused".to_owned()),
            },
            Command::Switch { to, .. } => self.judge_switch(*to),
            Command::Skip { step, .. } => self.judge_skip(step, by),
            Command::Retry { step } => self.judge_retry(step, by),
            Command::Abort { undo, .. } => match &self.state.aborting {
                Some(first) if first.undo || !undo => Err(format!(
                    "{} aborted it already, {}; `pause` holds what follows from that",
                    first.by,
                    format_instant(first.at)
                )),
                Some(_) | None => Ok(()),
            },
            Command::Approve { .. } | Command::Reject { .. } | Command::Answer { .. } => Ok(()),
        }
    }

    fn judge_withdrawal(&self, step: &StepKey, by: &Person) -> Result<(), String> {
        let found = &self.state.steps[step];
        if found.question.as_ref().is_none_or(|question| question.gate.is_none()) {
            let stands = found.status.name();
            return Err(format!(
                "no gate {step} is waiting, it is {stands}; an approval that was used stays: `pause` or \
                 `abort` hold the run up"
            ));
        }
        match approval_by(found, by) {
            Some(_) => Ok(()),
            None => Err(format!("{by} has given no approval to {step} that could be withdrawn")),
        }
    }

    fn judge_skip(&self, step: &StepKey, by: &Person) -> Result<(), String> {
        let (planned, found) = (self.step(step), &self.state.steps[step]);
        if planned.always {
            return Err(format!("step {step} cleans up and runs whatever happens"));
        }
        if self.state.aborting.is_some() {
            return Err(format!("the run is being aborted: nothing of {step} is begun any more"));
        }
        if !planned.before.is_empty() && !found.status.is_over() {
            return Err(format!(
                "gate {step} cannot be skipped: what is behind it cannot be taken back; approve or \
                 reject it"
            ));
        }
        if is_reserved(planned, found) && !found.status.is_over() {
            return Err(format!(
                "gate {step} cannot be skipped: it is for certain people; approve or reject it"
            ));
        }
        let gate = planned.gate == Some(GateKind::Person);
        if gate && self.plan.environment.protected && !found.status.is_over() {
            let name = &self.plan.environment.name;
            return Err(format!(
                "gate {step} cannot be skipped: `{name}` is protected; approve or reject it"
            ));
        }
        match (found.status, &found.question) {
            (StepStatus::Pending, _) => Ok(()),
            (StepStatus::Running, Some(question)) if question.gate.is_none() => {
                self.judge_answer(step, &plain(SKIP), by)
            }
            (StepStatus::Running, Some(_)) => Ok(()),
            (StepStatus::Running, None) if planned.check => Ok(()),
            (StepStatus::Running, None) => Err(format!(
                "step {step} has begun and may have made something: wait for its end, or `abort`"
            )),
            (
                status @ (StepStatus::Undoing
                | StepStatus::Succeeded
                | StepStatus::Warned
                | StepStatus::Failed
                | StepStatus::Skipped
                | StepStatus::Undone
                | StepStatus::UndoFailed),
                _,
            ) => Err(format!("step {step} is {}: there is nothing to skip", status.name())),
        }
    }

    fn judge_retry(&self, step: &StepKey, by: &Person) -> Result<(), String> {
        let found = &self.state.steps[step];
        if found.question.is_some() {
            return self.judge_answer(step, &plain(RETRY), by);
        }
        match self.live.get(step) {
            Some(Live::Observing) => Ok(()),
            Some(Live::Beginning | Live::Acting | Live::Weighing | Live::Asking) => {
                Err(format!("step {step} is at it right now"))
            }
            None => Err(format!(
                "step {step} is {}: only a step that waits, or whose failure is asked about, can be \
                 tried again",
                found.status.name()
            )),
        }
    }

    /// What a command does that was judged.
    fn follow(&mut self, command: Command, by: Person) {
        if let Some((step, reply)) = reply_of(&command) {
            return self.take_answer(&step.clone(), reply, by);
        }
        match command {
            Command::Withdraw { step, .. } => {
                // It may have been given in another session of the same person.
                let found = &self.state.steps[&step];
                let given = approval_by(found, &by).filter(|_| found.approval_of(&by).is_none());
                let by = given.map_or_else(|| by.clone(), |given| given.by.clone());
                self.emit(Event::ApprovalWithdrawn { step, by });
            }
            Command::Pause { reason } => self.pause(by, reason),
            Command::Continue => self.resume_work(by),
            Command::Skip { step, reason } => self.skip_on_demand(&step, by, reason),
            Command::Retry { step } if self.state.steps[&step].question.is_some() => {
                self.take_answer(&step, plain(RETRY), by);
            }
            Command::Retry { step } => self.look_now(&step),
            Command::Switch { to, reason } => self.switch(to, by, reason),
            Command::Abort { reason, undo } => self.abort(by, reason, undo),
            Command::Approve { .. } | Command::Reject { .. } | Command::Answer { .. } => {}
        }
    }

    fn skip_on_demand(&mut self, step: &StepKey, by: Person, reason: String) {
        let found = &self.state.steps[step];
        let reason = Some(reason).filter(|text| !text.is_empty());
        match &found.question {
            Some(question) if question.gate.is_none() => {
                let reply = Reply { comment: reason, ..plain(SKIP) };
                return self.take_answer(step, reply, by);
            }
            Some(_) => self.close_question(step),
            None => self.let_go(step),
        }
        self.skipped_by(step, by.operator, reason);
    }

    /// Ends a step of which a person says that the run goes on without it.
    pub(super) fn skipped_by(&mut self, step: &StepKey, operator: String, reason: Option<String>) {
        let reason = SkipReason::Operator { operator, reason };
        self.emit(Event::StepSkipped { step: step.clone(), reason });
    }

    /// Looks at once instead of later.
    pub(super) fn look_now(&mut self, step: &StepKey) {
        self.let_go(step);
        self.look(step, Duration::ZERO);
    }

    /// Has the runner forget what is in flight for the step, if anything is. An act is never forgotten.
    pub(super) fn let_go(&mut self, step: &StepKey) {
        let found = self.live.remove(step);
        self.weighing.remove(step);
        assert!(found != Some(Live::Acting), "step {step}: an act is waited for");
        if found.is_some() && !self.unanswered.remove(step) {
            self.effect(Effect::Forget { step: step.clone() });
        }
    }
}

/// The answer that a command gives, if it is one.
fn reply_of(command: &Command) -> Option<(&StepKey, Reply)> {
    let mut acknowledged = None;
    let (step, answer, comment) = match command {
        Command::Approve { step, comment, acknowledge } => {
            acknowledged.clone_from(acknowledge);
            (step, APPROVE, comment)
        }
        Command::Reject { step, comment } => (step, REJECT, comment),
        Command::Answer { step, answer, comment } => (step, answer.as_str(), comment),
        Command::Withdraw { .. }
        | Command::Pause { .. }
        | Command::Continue
        | Command::Skip { .. }
        | Command::Retry { .. }
        | Command::Switch { .. }
        | Command::Abort { .. } => return None,
    };
    Some((step, Reply { comment: comment.clone(), acknowledged, ..plain(answer) }))
}

fn plain(answer: &str) -> Reply {
    Reply { answer: answer.to_owned(), way: AnswerWay::Command, comment: None, acknowledged: None }
}
