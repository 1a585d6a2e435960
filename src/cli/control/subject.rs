//! The run that a command is about, as its journal stands now.
//!
//! **Invariant:** reading it needs no lease and disturbs nobody.

use crate::base::diagnostic::nearest;
use crate::base::ids::{RunId, StepKey};
use crate::cli::error::CommandError;
use crate::cli::launch::{Tools, environment};
use crate::cli::past::{find_unfinished, unfinished};
use crate::estate::{Environment, Estate};
use crate::journal::Store;
use crate::journal::fold::{Question, RunState};
use crate::plan::model::Plan;

/// A run that has not ended.
pub(super) struct Subject {
    /// Its id.
    pub run: RunId,
    /// Its plan.
    pub plan: Plan,
    /// What its journal says.
    pub state: RunState,
    /// Its estate, as it was when the run began.
    pub estate: Estate,
    /// Its environment.
    pub environment: Environment,
    /// Its journal.
    pub store: Box<dyn Store>,
}

impl Subject {
    /// The run that `text` means.
    ///
    /// # Errors
    /// There is none, it has ended, or its journal is not whole.
    pub(super) fn open(tools: &Tools, text: &str) -> Result<Self, CommandError> {
        let run = find_unfinished(&tools.state, text)?;
        let store = tools.journals.open(&tools.state, &run)?;
        let (plan, state) = unfinished(&*store, &run, "controlled")?;
        let estate = tools.parse_estate(&plan.estate.file, &plan.estate.text)?;
        let environment = environment(&estate, &plan.environment.name)?.clone();
        Ok(Self { run, plan, state, estate, environment, store })
    }

    /// The step called `name`.
    ///
    /// # Errors
    /// The run has none of that name.
    pub(super) fn step(&self, name: &str) -> Result<StepKey, CommandError> {
        let key = StepKey::new(name);
        if self.state.steps.contains_key(&key) {
            return Ok(key);
        }
        let names = || self.plan.steps.iter().map(|step| step.key.as_str());
        let near = nearest(name, names()).map(|near| format!("did you mean `{near}`? It has: "));
        let help =
            format!("{}{}", near.unwrap_or_default(), names().collect::<Vec<_>>().join(", "));
        Err(CommandError::usage(format!("run {} has no step `{name}`", self.run)).help(help))
    }

    /// The only gate that waits.
    ///
    /// # Errors
    /// None does, or several do.
    pub(super) fn only_gate(&self) -> Result<StepKey, CommandError> {
        let gates = self.state.questions().filter(|(_, question)| question.gate.is_some());
        let gates: Vec<&StepKey> = gates.map(|(step, _)| step).collect();
        match gates.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(self.nothing_asked("no gate waits".to_owned())),
            several => {
                let names = several.iter().map(|step| step.as_str()).collect::<Vec<_>>().join(", ");
                let message = format!("run {} waits at several gates: {names}", self.run);
                Err(CommandError::usage(message).help("say which one"))
            }
        }
    }

    /// Whether the inbox holds commands that no process has read.
    ///
    /// # Errors
    /// The inbox cannot be read.
    pub(super) fn has_unread(&self) -> Result<bool, CommandError> {
        Ok(self.store.posted()?.iter().any(|posted| !self.state.has_used(&posted.id)))
    }

    /// The open question of a step.
    ///
    /// # Errors
    /// It asks nothing.
    pub(super) fn question(&self, step: &StepKey) -> Result<&Question, CommandError> {
        let found = &self.state.steps[step];
        let stands = found.status.name();
        found
            .question
            .as_ref()
            .ok_or_else(|| self.nothing_asked(format!("step {step} asks nothing: it is {stands}")))
    }

    /// Nothing is asked where an answer was given.
    fn nothing_asked(&self, message: String) -> CommandError {
        let run = &self.run;
        let asking: Vec<&str> = self.state.questions().map(|(step, _)| step.as_str()).collect();
        let help = match asking.as_slice() {
            [] => format!("the run asks nothing now; `drctl status {run}`"),
            names => format!("these ask: {}; `drctl status {run}`", names.join(", ")),
        };
        CommandError::usage(format!("run {run}: {message}")).help(help)
    }
}
