//! `gate.wait_until`: waits for an instant, or for a while.
//!
//! **Invariant:** the instant follows from inputs and from when the step began, both in the journal: a
//! resumed run waits for the same one, and not a second longer.

use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role, WaitsFor};
use crate::base::clock::{between, format_instant, later};
use crate::base::duration;
use crate::base::value::{Type, Value, Values};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest wait of a step that names no time-out: what waits longer than a week is a schedule and no
/// recovery.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The action.
#[derive(Debug)]
pub(crate) struct WaitUntil {
    spec: ActionSpec,
}

impl Default for WaitUntil {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "gate.wait_until",
            summary: "Waits until an instant, or for a while after one.",
            kind: ActionKind::Gate(WaitsFor::Time),
            inputs: vec![
                Field::optional("time", Type::Time, "the instant; this or `for`"),
                Field::optional("for", Type::Duration, "how long; this or `time`"),
                Field::optional(
                    "after",
                    Type::Time,
                    "with `for`: since when it counts; the beginning of the step when absent",
                ),
            ],
            outputs: vec![Field::required("until", Type::Time, "the instant that was waited for")],
            calls: &[],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "# Wait [until {time}] [for {for}] [after {after}]",
            default_timeout: DEFAULT_TIMEOUT,
            poll_every: Duration::from_secs(60),
        };
        Self { spec }
    }
}

/// What a step waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// An instant.
    At(DateTime<Utc>),
    /// A while after the step began.
    For(Duration),
}

fn input_error(name: &str, why: &str) -> ActionError {
    ActionError::Input { name: name.to_owned(), why: why.to_owned() }
}

/// `for`, when it is known.
fn wait(scope: &StepScope<'_>) -> Result<Option<Duration>, ActionError> {
    let wait = scope.duration("for");
    match wait.and_then(duration::too_long) {
        Some(why) => Err(input_error("for", &why)),
        None => Ok(wait),
    }
}

/// What the inputs ask for; `None` when they are not known yet.
fn goal(scope: &StepScope<'_>) -> Result<Option<Goal>, ActionError> {
    let given = |name: &str| *scope.input(name) != Value::Null;
    match (given("time"), given("for"), given("after")) {
        (true, true, _) => Err(input_error("for", "`time` is given too; give one of them")),
        (true, false, true) => Err(input_error("after", "it belongs to `for`, not to `time`")),
        (false, false, _) => Err(input_error("time", "neither it nor `for` is given")),
        (true, false, false) => Ok(scope.time("time").map(Goal::At)),
        (false, true, false) => Ok(wait(scope)?.map(Goal::For)),
        (false, true, true) => {
            let both = scope.time("after").zip(wait(scope)?);
            Ok(both.map(|(after, wait)| Goal::At(later(after, wait))))
        }
    }
}

fn outputs(until: DateTime<Utc>) -> Values {
    Values::from([("until".to_owned(), Value::Time(until))])
}

#[async_trait]
impl Action for WaitUntil {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let says = "the runbook says so";
        Ok(match goal(scope)? {
            None => Preview {
                cannot_know: Some("what it waits for is known only in the run".to_owned()),
                summary: "wait".to_owned(),
                outputs: self.spec.unknown_outputs("it depends on what the run finds"),
                ..Preview::default()
            },
            Some(Goal::At(until)) => {
                let left = between(scope.now, until);
                let passed =
                    if left.is_zero() { ", which has passed: it does not wait" } else { "" };
                let until_text = format_instant(until);
                Preview {
                    summary: format!("wait until {until_text}{passed}"),
                    predictions: BTreeMap::from([("until".to_owned(), json!(until_text))]),
                    outputs: outputs(until),
                    cited_duration: Some((left, left, says)),
                    ..Preview::default()
                }
            }
            Some(Goal::For(wait)) => Preview {
                summary: format!("wait for {}", duration::human(wait)),
                outputs: self.spec.unknown_outputs("it counts from the step's beginning"),
                cited_duration: Some((wait, wait, says)),
                ..Preview::default()
            },
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let until = match goal(scope)? {
            Some(Goal::At(until)) => until,
            Some(Goal::For(wait)) => later(scope.began.unwrap_or(scope.now), wait),
            None => return Err(input_error("time", "it has no value")),
        };
        if scope.now < until {
            return Ok(Observation::Waiting { until });
        }
        Ok(Observation::Done(Done {
            outputs: outputs(until),
            observed: BTreeMap::from([("until".to_owned(), json!(format_instant(until)))]),
            ..Done::default()
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("gate.wait_until only waits", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.step.as_str().to_owned())
    }
}
