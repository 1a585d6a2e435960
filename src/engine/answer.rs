//! Answers to questions, from whichever terminal they come.
//!
//! **Invariant:** an answer is judged first and has its effect afterwards; what is refused changes
//! nothing. An approval counts once a person.

use super::approver::{approval_by, is_reserved, may_decide, one_person, refusal};
use super::effect::{Effect, Reply};
use super::machine::{Live, Machine};
use super::stakes::fencing;
use crate::base::clock::format_instant;
use crate::base::ids::StepKey;
use crate::journal::Person;
use crate::journal::event::Event;
use crate::journal::figure::TWO_WRITERS;
use crate::journal::fold::{
    APPROVE, AnswerWay, Approval, DONE, GateRecord, Question, REPEAT, RETRY, SKIP,
};
use std::collections::BTreeSet;

impl Machine {
    /// Somebody answered in this process.
    pub(super) fn answered(&mut self, step: &StepKey, reply: Reply, by: Person) {
        self.landed(step, Live::Asking);
        if self.has_late_question(step) {
            return self.expire(step);
        }
        if let Err(why) = self.judge_answer(step, &reply, &by) {
            let (step, answer) = (step.clone(), reply.answer);
            self.emit(Event::AnswerRefused { step: step.clone(), answer, by, why });
            // Whoever is here cannot decide it; others can, from elsewhere.
            return self.leave_to_others(&step);
        }
        self.take_answer(step, reply, by);
        if self.state.steps[step].question.is_some() {
            self.leave_to_others(step);
        }
    }

    /// Why an answer does not count; fit for a person who can act on it.
    pub(super) fn judge_answer(
        &self,
        step: &StepKey,
        reply: &Reply,
        by: &Person,
    ) -> Result<(), String> {
        let found = &self.state.steps[step];
        let question = found.question.as_ref().ok_or_else(|| self.asks_nothing(step))?;
        if !question.choices.contains(&reply.answer) {
            let choices = question.choices.join(", ");
            return Err(format!("`{}` is no answer to {step}: it takes {choices}", reply.answer));
        }
        if reply.answer == SKIP && is_reserved(self.step(step), found) {
            return Err(format!("gate {step} is for certain people: nobody skips it"));
        }
        match &question.gate {
            Some(gate) => {
                self.judge_decision(step, gate, reply, by)?;
                let attests = self.step(step).attests && !self.plan.environment.simulated;
                if reply.way == AnswerWay::Yes && attests {
                    return Err(
                        "`--yes` attests nothing: somebody has to say that the old writer is \
                                fenced"
                            .to_owned(),
                    );
                }
                self.judge_danger(step, reply)
            }
            None => Ok(()),
        }
    }

    fn judge_decision(
        &self,
        step: &StepKey,
        gate: &GateRecord,
        reply: &Reply,
        by: &Person,
    ) -> Result<(), String> {
        let found = &self.state.steps[step];
        let place = &self.plan.environment;
        if gate.deadline <= self.now {
            return Err(format!("its time was over {}", format_instant(gate.deadline)));
        }
        if reply.way == AnswerWay::Yes && place.protected {
            return Err(format!("`--yes` opens no gate of `{}`, which is protected", place.name));
        }
        if !may_decide(by, &gate.approvers, place.simulated) {
            return Err(refusal(by, &gate.approvers, place.simulated));
        }
        match approval_by(found, by) {
            // An acknowledgement makes another approval of it.
            Some(earlier)
                if reply.answer == APPROVE
                    && (earlier.acknowledged.is_some()
                        || reply.acknowledged.is_none()
                        || !self.is_dangerous(step)) =>
            {
                Err(format!(
                    "{by} approved it already, {}; {} different people are needed",
                    format_instant(earlier.at),
                    gate.approvals
                ))
            }
            _ => Ok(()),
        }
    }

    /// Whether an approval acknowledges that two writers are possible, where they are.
    fn judge_danger(&self, step: &StepKey, reply: &Reply) -> Result<(), String> {
        if let Some(other) = reply.acknowledged.as_deref().filter(|it| *it != TWO_WRITERS) {
            return Err(format!("`{other}` is nothing to acknowledge: it is `{TWO_WRITERS}`"));
        }
        if reply.answer == APPROVE && self.is_dangerous(step) && reply.acknowledged.is_none() {
            return Err(format!(
                "two writers are possible, nothing proves that the old one is fenced: `drctl approve {} \
                 {step} --acknowledge {TWO_WRITERS}`, or at the terminal `approve two writers`",
                self.plan.run
            ));
        }
        Ok(())
    }

    /// Whether two writers are possible behind the gate.
    fn is_dangerous(&self, step: &StepKey) -> bool {
        let found = fencing(&self.plan, &self.state, self.step(step), &self.figures(step));
        found.is_some_and(|found| !found.is_proven())
    }

    fn asks_nothing(&self, step: &StepKey) -> String {
        let mut asking = self.state.questions().map(|(key, _)| key.as_str()).collect::<Vec<_>>();
        let stands = self.state.steps[step].status.name();
        if asking.is_empty() {
            return format!("step {step} asks nothing, it is {stands}; no step asks anything now");
        }
        asking.truncate(8);
        format!("step {step} asks nothing, it is {stands}; these ask: {}", asking.join(", "))
    }

    /// What a judged answer does. The question may stay open: a gate may need more approvals.
    pub(super) fn take_answer(&mut self, step: &StepKey, reply: Reply, by: Person) {
        let found = &self.state.steps[step];
        let question = found.question.clone().expect("a judged answer is to a question");
        let needed = question.gate.as_ref().map_or(1, |gate| gate.approvals);
        let Reply { answer, way, comment, acknowledged } = reply;
        let at_stake = question.gate.is_some() && !self.step(step).before.is_empty();
        if (needed > 1 || at_stake) && answer == APPROVE {
            // Whoever approved before two writers were possible has not agreed to that.
            let dangerous = self.is_dangerous(step);
            let counts = |one: &&Approval| !dangerous || one.acknowledged.is_some();
            let given = found.approvals.iter().filter(counts).map(|one| &one.by);
            let people = given.chain([&by]).map(one_person).collect::<BTreeSet<_>>().len();
            let last = people >= needed as usize;
            let (step, by, comment) = (step.clone(), by.clone(), comment.clone());
            let figures = self.figures(&step);
            let acknowledged = acknowledged.filter(|_| dangerous);
            self.emit(Event::ApprovalGiven { step, by, way, comment, figures, acknowledged });
            if !last {
                return;
            }
        }
        self.emit(Event::QuestionAnswered {
            step: step.clone(),
            answer: answer.clone(),
            operator: by.operator.clone(),
            way: Some(way),
            comment: comment.clone(),
            identity: by.identity.clone(),
        });
        self.let_go(step);
        self.follow_answer(step, question, &answer, (by, comment));
    }

    fn follow_answer(
        &mut self,
        step: &StepKey,
        question: Question,
        answer: &str,
        (by, comment): (Person, Option<String>),
    ) {
        match (question.error, answer) {
            (None, APPROVE) => self.approved(step),
            (None, _) => self.rejected(step),
            (Some(_), DONE) => self.taken_as_done(step, &by.operator),
            (Some(_), RETRY | REPEAT) => {
                let part = self.part(step);
                self.live.insert(step.clone(), Live::Beginning);
                self.effect(Effect::Begin { step: step.clone(), part });
            }
            (Some(_), SKIP) => self.skipped_by(step, by.operator, comment),
            (Some(error), _) => self.end_in_failure(step, error),
        }
    }

    /// Ends a question that needs no answer any more.
    pub(super) fn close_question(&mut self, step: &StepKey) {
        self.let_go(step);
        self.emit(Event::QuestionClosed { step: step.clone() });
    }

    /// The question waits for people at other terminals.
    fn leave_to_others(&mut self, step: &StepKey) {
        self.live.insert(step.clone(), Live::Asking);
        if self.waits {
            let gate = self.state.steps[step].question.as_ref().and_then(|it| it.gate.as_ref());
            let until = gate.map(|gate| gate.deadline);
            self.effect(Effect::Await { step: step.clone(), until });
        } else {
            self.unanswered.insert(step.clone());
        }
    }

    /// Nobody can be asked by this process; the question stays open and everything else goes on.
    pub(super) fn unanswered(&mut self, step: &StepKey) {
        self.landed(step, Live::Asking);
        if self.has_late_question(step) {
            return self.expire(step);
        }
        self.leave_to_others(step);
    }
}
