//! The people that a run asks: at the terminal, by an answer on the command line, by `--yes`.
//!
//! **Invariant:** `--yes` answers gates of environments that are not protected and nothing else; nobody
//! at the terminal means no answer; a line whose reading began before a question was shown does not
//! answer it.

use crate::base::ids::StepKey;
use crate::cli::confirm::read_line;
use crate::cli::out;
use crate::cli::question::{elsewhere, question_text};
use crate::engine::Reply;
use crate::estate::Environment;
use crate::journal::figure::{FENCING, TWO_WRITERS};
use crate::journal::fold::{APPROVE, AnswerWay, Question};
use crate::plan::model::{GateKind, Plan};
use crate::runner::Operator;
use async_trait::async_trait;
use rustix::termios::QueueSelector;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex};
use tokio::task::{JoinHandle, spawn_blocking};

/// What is typed at the terminal to acknowledge [`TWO_WRITERS`].
const TYPED: &str = "two writers";

/// An answer given on the command line, for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivenAnswer {
    /// The step whose question it answers.
    pub step: StepKey,
    /// One of the question's choices.
    pub answer: String,
    /// What the person adds.
    pub comment: Option<String>,
    /// The danger that they acknowledge.
    pub acknowledged: Option<String>,
}

/// Where people read questions and type.
pub(super) trait Terminal: Send + Sync {
    /// Whether somebody can be there.
    fn is_there(&self) -> bool;
    /// Throws away what was typed and not read yet.
    fn discard(&self);
    /// The next line; `None` at the end of the input. It blocks.
    fn line(&self) -> Option<String>;
}

/// The terminal of this process.
struct Stdin;

impl Terminal for Stdin {
    fn is_there(&self) -> bool {
        std::io::stdin().is_terminal()
    }

    fn discard(&self) {
        let flushed = rustix::termios::tcflush(std::io::stdin(), QueueSelector::IFlush);
        if let Err(error) = flushed {
            tracing::warn!(%error, "what was typed early cannot be thrown away");
        }
    }

    fn line(&self) -> Option<String> {
        read_line("")
    }
}

/// Whoever answers the questions of a run in this process.
pub(super) struct People {
    plan: Plan,
    yes: bool,
    /// Whether an answer names its step.
    named: bool,
    given: Mutex<Option<GivenAnswer>>,
    terminal: Arc<dyn Terminal>,
    /// Whether answers from other terminals are waited for where there is none here.
    wait: bool,
    /// The line that is being read: one at a time, as reading cannot be called off. It answers the
    /// question that it was begun for, and no other.
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
        let gates = plan.steps.iter().filter(|step| step.gate == Some(GateKind::Person)).count();
        Self {
            plan: plan.clone(),
            yes: yes && !environment.protected,
            named: environment.protected || gates > 1,
            given: Mutex::new(given),
            terminal: Arc::new(Stdin),
            wait: false,
            line: tokio::sync::Mutex::default(),
        }
    }

    /// The same, who wait for answers from other terminals where there is none here, if they are to.
    #[must_use]
    pub(super) fn waiting(self, wait: bool) -> Self {
        Self { wait, ..self }
    }

    /// Whether answers from other terminals are waited for: also by a person who sits at this one, and
    /// who has approved a gate that needs a second.
    pub(super) fn waits(&self) -> bool {
        self.wait || self.terminal.is_there()
    }

    /// Shows the question, with the commands that answer it from another terminal.
    fn leave_to_others(&self, step: &StepKey, question: &Question) {
        let text = question_text(&self.plan, step, question);
        let commands = elsewhere(&self.plan, step, question);
        out::progress(&out::fitted(&format!("{text}\n  {:<12} {commands}", "answer")));
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
        let GivenAnswer { answer, comment, acknowledged, .. } = given.take_if(fits)?;
        Some(Reply { answer, way: AnswerWay::Resume, comment, acknowledged })
    }

    /// Reads a line without keeping anything else from going on. In virtual time the clock stands still
    /// meanwhile: tokio does not advance a paused clock while a blocking task runs.
    async fn read(&self, line: &mut Option<JoinHandle<Option<String>>>) -> Option<String> {
        let terminal = Arc::clone(&self.terminal);
        let reading = line.get_or_insert_with(|| spawn_blocking(move || terminal.line()));
        let read = reading.await.ok().flatten();
        *line = None;
        read
    }

    /// Makes sure that what is read from now on was typed by somebody who could see the question.
    async fn forget_earlier(&self, line: &mut Option<JoinHandle<Option<String>>>) {
        self.terminal.discard();
        // Another question's line that still waits for its end: nobody can tell how much of it was typed
        // before this question was shown.
        if line.as_ref().is_some_and(|reading| !reading.is_finished()) {
            out::prompt("a line was begun before this question came: press Enter to drop it ");
            self.read(line).await;
        }
        *line = None;
    }

    /// What has to be typed for each choice.
    fn words(&self, step: &StepKey, choice: &str) -> String {
        if self.named { format!("{choice} {step}") } else { choice.to_owned() }
    }

    fn prompt(&self, step: &StepKey, question: &Question) -> String {
        let words = question.choices.iter().map(|choice| format!("`{}`", self.words(step, choice)));
        let words = words.collect::<Vec<_>>().join(" or ");
        let danger = match is_dangerous(question) {
            true => format!(" (approving takes `{} {TYPED}`)", self.words(step, APPROVE)),
            false => String::new(),
        };
        format!("{}: type {words}{danger}, then why if you like: ", self.plan.environment.name)
    }

    /// The answer that a typed line gives, with what stands behind it as the comment.
    fn decided(&self, step: &StepKey, question: &Question, line: &str) -> Option<Reply> {
        question.choices.iter().find_map(|choice| {
            let comment = behind(line, &self.words(step, choice))?;
            let comment = behind(comment, step.as_str()).unwrap_or(comment);
            // Typed out, in so many words: what `--yes` can never say.
            let typed = behind(comment, TYPED).filter(|_| choice == APPROVE);
            let acknowledged = typed.map(|_| TWO_WRITERS.to_owned());
            let comment = typed.unwrap_or(comment);
            let comment = (!comment.is_empty()).then(|| comment.to_owned());
            let answer = choice.clone();
            Some(Reply { answer, way: AnswerWay::Terminal, comment, acknowledged })
        })
    }
}

/// Whether an approval has to acknowledge that two writers are possible, as far as it was shown.
fn is_dangerous(question: &Question) -> bool {
    question.figures.iter().any(|figure| figure.name == FENCING && !figure.known)
}

/// What stands behind `words` at the beginning of `line`; `None` when it begins otherwise.
fn behind<'a>(line: &'a str, words: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(words)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

#[async_trait]
impl Operator for People {
    async fn ask(&self, step: &StepKey, question: &Question) -> Option<Reply> {
        if let Some(reply) = self.given(step, question) {
            return Some(reply);
        }
        let gate = question.gate.is_some();
        // Nobody says yes to two writers beforehand.
        if gate && self.yes && !is_dangerous(question) {
            let (answer, way) = (APPROVE.to_owned(), AnswerWay::Yes);
            return Some(Reply { answer, way, comment: None, acknowledged: None });
        }
        if !self.terminal.is_there() {
            if self.wait {
                self.leave_to_others(step, question);
            }
            return None;
        }
        let mut line = self.line.lock().await;
        out::prompt(&format!("{}\n", out::fitted(&question_text(&self.plan, step, question))));
        self.forget_earlier(&mut line).await;
        let prompt = self.prompt(step, question);
        loop {
            out::prompt(&prompt);
            let Some(typed) = self.read(&mut line).await else {
                self.leave_to_others(step, question);
                return None;
            };
            // One line is the whole answer: what was typed in time is not lost at a second question.
            if let Some(reply) = self.decided(step, question, &typed) {
                return Some(reply);
            }
        }
    }
}

#[cfg(test)]
mod tests;
