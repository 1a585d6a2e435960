//! `runbook.call`: another runbook's steps within this run; the step itself ends when all of them have.
//!
//! **Invariant:** it reads nothing and changes nothing. Its outputs are what the called runbook says that it
//! gives, made of what its steps gave.

use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, CitedDuration, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::Type;
use async_trait::async_trait;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct Call {
    spec: ActionSpec,
}

impl Default for Call {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "runbook.call",
            summary: "Takes the steps of another runbook into this run, and ends with them.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::required("runbook", Type::String, "name of the runbook"),
                Field::optional(
                    "parameters",
                    Type::Map(Box::new(Type::Any)),
                    "its parameters; what is left out has its default",
                ),
            ],
            // Those of the called runbook's `outputs`.
            outputs: Vec::new(),
            calls: &[],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "# Follow the runbook {runbook} to its end",
            default_timeout: Duration::from_secs(24 * 3600),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

#[async_trait]
impl Action for Call {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::ZERO, "its steps take the time"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let name = context.scope.text("runbook").unwrap_or_default();
        let summary = format!("ends when the steps of runbook `{name}` have ended");
        Ok(Preview { summary, ..Preview::default() })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        // Whoever runs it makes them of what the steps of the called runbook gave.
        let outputs = context.scope.planned.cloned().unwrap_or_default();
        Ok(Observation::Done(Done { outputs, ..Done::default() }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("runbook.call changes nothing itself", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.step.as_str().to_owned())
    }
}
