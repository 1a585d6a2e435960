//! `gate.approve`: a person decides whether the run goes on.
//!
//! **Invariant:** it only says what to ask. The engine asks, waits and keeps the answer, so a gate is
//! opened by what the journal holds and never by what an action believes.

use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role, WaitsFor};
use crate::base::redact::redact_line;
use crate::base::value::{Type, Value};
use async_trait::async_trait;
use std::time::Duration;

/// A step that names no time-out waits for a day: after that, what the run made may be swept, and an
/// approval would be about something that is gone.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Most people that a gate may need: more of them are not found at three in the morning.
pub(crate) const MOST_APPROVALS: u32 = 9;

/// Most characters of a question: what is longer is not read at three in the morning.
const LONGEST: usize = 500;

/// The action.
#[derive(Debug)]
pub(crate) struct Approve {
    spec: ActionSpec,
}

impl Default for Approve {
    fn default() -> Self {
        let names = Type::List(Box::new(Type::String));
        let spec = ActionSpec {
            name: "gate.approve",
            summary: "Asks a person whether the run goes on: approve, or reject, which ends it.",
            kind: ActionKind::Gate(WaitsFor::Person),
            inputs: vec![
                Field::required("message", Type::String, "what is decided, as a question"),
                Field::optional(
                    "approvers",
                    names,
                    "who may decide, anybody when absent: ARNs, names of users, names of roles or \
                     `ROLE/SESSION`, as AWS says them of whoever decides; in the simulator the name that \
                     they declare",
                ),
                Field::optional(
                    "approvals",
                    Type::Int,
                    "how many different people have to approve, at most 9: 2 is the two-person rule; 1 \
                     when absent",
                ),
                Field::optional(
                    "on_timeout",
                    Type::String,
                    "when nobody decides within `timeout`: `fail` (the step fails) or `reject`; \
                     `fail` when absent",
                ),
                Field::optional(
                    "before",
                    Type::texts(),
                    "steps behind this gate that cannot be taken back: while it waits it shows what is at \
                     stake, read afresh, and where nothing proves that the old writer is fenced, that \
                     has to be acknowledged",
                ),
                Field::optional(
                    "attests",
                    Type::String,
                    "`fencing`: whoever approves attests that the old writer cannot write any more",
                ),
            ],
            outputs: vec![
                Field::required("approved_by", Type::String, "who approved; several with commas"),
                Field::required("approved_at", Type::Time, "when"),
                Field::optional("comment", Type::String, "what they added"),
            ],
            calls: &[],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "# Decide, and write down who, when and why: {message} \
                      [(to be decided by: {approvers})] [(people who must approve: {approvals})]",
            default_timeout: DEFAULT_TIMEOUT,
            poll_every: Duration::from_secs(60),
        };
        Self { spec }
    }
}

/// Whether a time-out counts as a rejection.
fn rejects_on_timeout(scope: &StepScope<'_>) -> Result<bool, ActionError> {
    match scope.text("on_timeout") {
        None | Some("fail") => Ok(false),
        Some("reject") => Ok(true),
        Some(other) => Err(ActionError::Input {
            name: "on_timeout".to_owned(),
            why: format!("`{other}` is none of: fail, reject"),
        }),
    }
}

/// How many different people have to approve.
fn approvals(scope: &StepScope<'_>) -> Result<u32, ActionError> {
    match scope.input("approvals") {
        Value::Int(number) => u32::try_from(*number)
            .ok()
            .filter(|number| (1..=MOST_APPROVALS).contains(number))
            .ok_or_else(|| ActionError::Input {
                name: "approvals".to_owned(),
                why: format!("{number} is not between 1 and {MOST_APPROVALS}"),
            }),
        _ => Ok(1),
    }
}

fn approvers(scope: &StepScope<'_>) -> Vec<String> {
    let names = scope.texts("approvers").unwrap_or_default();
    names.iter().map(|name| redact_line(name, LONGEST)).collect()
}

#[async_trait]
impl Action for Approve {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let summary = match scope.input("message") {
            Value::Unknown(why) => format!("ask a person what is known only in the run: {why}"),
            _ => {
                format!("ask: {}", redact_line(scope.text("message").unwrap_or_default(), LONGEST))
            }
        };
        let consequence = if rejects_on_timeout(scope)? { "counts as rejected" } else { "fails" };
        let name = &scope.environment.name;
        let yes = if scope.environment.protected {
            format!("`--yes` does not answer it: `{name}` is protected")
        } else {
            format!("`--yes` is an approval by whoever runs this: `{name}` is not protected")
        };
        let who = match approvers(scope).as_slice() {
            [] => "asked: whoever runs or resumes this, or answers from elsewhere".to_owned(),
            names => format!("asked: {} and nobody else", names.join(", ")),
        };
        let (number, attests) = (approvals(scope)?, scope.text("attests").is_some());
        let several = (number > 1)
            .then(|| format!("it opens when {number} different people have approved it"));
        Ok(Preview {
            cannot_know: Some("a person decides".to_owned()),
            summary,
            details: std::iter::once(who)
                .chain(several)
                .chain(attests.then(|| {
                    "whoever approves attests that the old writer cannot write any more".to_owned()
                }))
                .chain([
                    "answers: approve, or reject, which ends the run but for its `always` steps"
                        .to_owned(),
                    format!("without an answer in time it {consequence}"),
                    yes,
                ])
                .collect(),
            outputs: self.spec.unknown_outputs("a person decides"),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        Ok(Observation::Gate {
            message: redact_line(scope.text("message").unwrap_or_default(), LONGEST),
            approvers: approvers(scope),
            approvals: approvals(scope)?,
            rejects_on_timeout: rejects_on_timeout(scope)?,
        })
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("gate.approve only asks", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.step.as_str().to_owned())
    }
}
