//! The people that a run asks: at the terminal, by an answer on the command line, by `--yes`.
//!
//! **Invariant:** `--yes` answers gates of environments that are not protected and nothing else; nobody
//! at the terminal means no answer.

use crate::base::ids::StepKey;
use crate::cli::confirm::read_line;
use crate::cli::out;
use crate::cli::question::question_text;
use crate::engine::Reply;
use crate::estate::Environment;
use crate::journal::fold::{APPROVE, AnswerWay, Question};
use crate::plan::model::Plan;
use crate::runner::Operator;
use async_trait::async_trait;
use std::io::IsTerminal as _;
use std::sync::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};

/// An answer given on the command line, for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenAnswer {
    /// The step whose question it answers.
    pub step: StepKey,
    /// One of the question's choices.
    pub answer: String,
    /// What the person adds.
    pub comment: Option<String>,
}

/// Whoever answers the questions of a run in this process.
pub(super) struct People {
    plan: Plan,
    yes: bool,
    given: Mutex<Option<GivenAnswer>>,
    /// The line that is being read. One at a time, and kept when its question is over: what was typed
    /// goes to the next question, which takes only its own words.
    line: tokio::sync::Mutex<Option<JoinHandle<Option<String>>>>,
}

impl People {
    /// Those who answer the questions of `plan`; `yes` is `--yes`.
    pub(super) fn new(
        plan: &Plan,
        environment: &Environment,
        yes: bool,
        given: Option<GivenAnswer>,
    ) -> Self {
        let (plan, yes) = (plan.clone(), yes && !environment.protected);
        Self { plan, yes, given: Mutex::new(given), line: tokio::sync::Mutex::default() }
    }

    /// The answer of the command line, unless it was used.
    pub(super) fn unused(&self) -> Option<GivenAnswer> {
        self.given.lock().expect("no panic while holding it").clone()
    }

    fn given(&self, step: &StepKey, question: &Question) -> Option<Reply> {
        let mut given = self.given.lock().expect("no panic while holding it");
        let fits = |given: &mut GivenAnswer| {
            given.step == *step && question.choices.contains(&given.answer)
        };
        let GivenAnswer { answer, comment, .. } = given.take_if(fits)?;
        Some(Reply { answer, way: AnswerWay::Resume, comment })
    }

    /// Reads a line without keeping anything else from going on. In virtual time the clock stands still
    /// meanwhile: tokio does not advance a paused clock while a blocking task runs.
    async fn read(line: &mut Option<JoinHandle<Option<String>>>, prompt: &str) -> Option<String> {
        out::prompt(prompt);
        let reading = line.get_or_insert_with(|| spawn_blocking(|| read_line("")));
        let read = reading.await.ok().flatten();
        *line = None;
        read
    }
}

#[async_trait]
impl Operator for People {
    async fn ask(&self, step: &StepKey, question: &Question) -> Option<Reply> {
        if let Some(reply) = self.given(step, question) {
            return Some(reply);
        }
        let gate = question.gate.is_some();
        if gate && self.yes {
            return Some(Reply { answer: APPROVE.to_owned(), way: AnswerWay::Yes, comment: None });
        }
        if !std::io::stdin().is_terminal() {
            return None;
        }
        let mut line = self.line.lock().await;
        out::prompt(&format!("{}\n", question_text(&self.plan, step, question)));
        let prompt = format!("{} [{}] ", self.plan.environment.name, question.choices.join("/"));
        let answer = loop {
            let answer = Self::read(&mut line, &prompt).await?;
            if question.choices.contains(&answer) {
                break answer;
            }
        };
        let comment =
            if gate { Self::read(&mut line, "why (may be left empty): ").await } else { None };
        Some(Reply { answer, way: AnswerWay::Terminal, comment })
    }
}

#[cfg(test)]
mod tests;
