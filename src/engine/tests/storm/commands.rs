//! What people do about a run in a storm, from other terminals.
//!
//! **Invariant:** a command is a wish: it goes into the inbox and nowhere else.

use super::Storm;
use super::scene::{chance, pick};
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::journal::fold::Question;
use crate::journal::{Command, Person, Posted};

impl Storm {
    pub(super) fn person(&mut self) -> Person {
        Person::declared(pick::<&str>(&mut self.random, &["ann", "bob", "eve"]))
    }

    /// Somebody types a command at another terminal.
    pub(super) fn post(&mut self, command: Command) {
        let by = self.person();
        self.inbox.push(Posted::new(command, by, self.now, &mut self.random));
        self.judge.count("command posted");
    }

    pub(super) fn random_command(&mut self) -> Command {
        let all: Vec<StepKey> = self.scene.kinds.keys().cloned().collect();
        let asking: Vec<StepKey> =
            self.judge.state.questions().map(|(key, _)| key.clone()).collect();
        let given = |step: &StepKey| !self.judge.state.steps[step].approvals.is_empty();
        if let Some(step) = asking.iter().find(|step| given(step)).cloned()
            && chance(&mut self.random, 60)
        {
            return Command::Withdraw { step, comment: None };
        }
        let aimed = !asking.is_empty() && chance(&mut self.random, 60);
        let step = pick(&mut self.random, if aimed { &asking } else { &all }).clone();
        let answers = ["approve", "retry", "continue", "stop", "undo", "skip", "done", "repeat"];
        let answer = (*pick(&mut self.random, &answers)).to_owned();
        match self.random.u32(..100) {
            0..20 => Command::Approve { step, comment: None, acknowledge: None },
            20..26 => Command::Reject { step, comment: None },
            26..34 => Command::Withdraw { step, comment: None },
            34..45 => Command::Answer { step, answer, comment: None },
            45..55 => Command::Pause { reason: None },
            55..62 => Command::Continue,
            62..67 => {
                let to = if self.random.bool() { Form::Graceful } else { Form::Ungraceful };
                Command::Switch { to, reason: None }
            }
            67..80 => Command::Skip { step, reason: "not needed".to_owned() },
            80..92 => Command::Retry { step },
            _ => Command::Abort { reason: None, undo: self.random.bool() },
        }
    }

    /// What people do about a run that waits for them: nothing else would move it on.
    pub(super) fn help(&mut self) {
        if self.judge.state.paused.is_some() {
            return self.post(Command::Continue);
        }
        let asking: Vec<(StepKey, Question)> =
            self.judge.state.questions().map(|(key, it)| (key.clone(), it.clone())).collect();
        for (step, question) in asking {
            let answer = question.choices.last().expect("a question has choices").clone();
            self.post(Command::Answer { step, answer, comment: None });
        }
    }
}
