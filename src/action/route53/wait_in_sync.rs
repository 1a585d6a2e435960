//! `route53.wait_in_sync`: waits until every name server of Route 53 answers a change.
//!
//! **Invariant:** in sync is what `GetChange` says. Of a change whose id was lost nobody can ask: then it
//! waits as long as AWS says that it takes, and warns.

use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::{between, format_instant};
use crate::base::value::{Type, Value, Values};
use async_trait::async_trait;
use std::time::Duration;

const GET: &str = "route53:GetChange";

/// AWS: changes generally propagate to all name servers within 60 seconds.
const GENERALLY: Duration = Duration::from_secs(60);

/// The action.
#[derive(Debug)]
pub(crate) struct WaitInSync {
    spec: ActionSpec,
}

impl Default for WaitInSync {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "route53.wait_in_sync",
            summary: "Waits until all name servers of Route 53 answer a change of records.",
            kind: ActionKind::Check,
            role: Role::None,
            inputs: vec![Field::optional(
                "change_id",
                Type::String,
                "id of the change; null when nobody knows it: then AWS's usual time is waited for",
            )],
            outputs: vec![Field::optional(
                "in_sync_at",
                Type::Time,
                "when it was seen to be in sync; null when nobody could ask",
            )],
            calls: &[GET],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            by_hand: "aws route53 wait resource-record-sets-changed --id {change_id}",
            // Users have seen far more than the usual minute.
            default_timeout: Duration::from_secs(1800),
            poll_every: Duration::from_secs(7),
        };
        Self { spec }
    }
}

#[async_trait]
impl Action for WaitInSync {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let low = Duration::from_secs(10);
        Some((low, GENERALLY, "AWS: generally within 60 s; users have seen far more"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let what = match scope.input("change_id") {
            Value::String(id) => format!("change {id}"),
            _ => "the change".to_owned(),
        };
        Ok(Preview {
            summary: format!("wait until {what} is in sync on all name servers of Route 53"),
            details: vec![
                "asks GetChange every 7 s, which counts against 5 calls a second".to_owned(),
            ],
            outputs: self.spec.unknown_outputs("it is in sync when Route 53 says so"),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let waiting = |state: String| Observation::InProgress { state, milestone: None };
        let Some(id) = scope.text("change_id") else {
            let waited = scope.began.map_or(GENERALLY, |began| between(began, scope.now));
            if waited < GENERALLY {
                return Ok(waiting("no change id: waiting as long as changes take".to_owned()));
            }
            let outputs = Values::from([("in_sync_at".to_owned(), Value::Null)]);
            let why = "the change's id is not known, so that nobody could ask whether it is in sync; \
                       AWS's usual 60 s are over, and dns.check tells what is answered";
            let verdict = Verdict::Warn(vec![why.to_owned()]);
            return Ok(Observation::Done(Done { outputs, verdict, ..Done::default() }));
        };
        let Some(change) = context.view.record_change(id).await? else {
            return Ok(Observation::Broken {
                why: format!("Route 53 knows no change `{id}`"),
                help: "ids are those of route53.change_records of this account".to_owned(),
            });
        };
        if !change.in_sync {
            return Ok(waiting("pending".to_owned()));
        }
        let outputs = Values::from([("in_sync_at".to_owned(), Value::Time(scope.now))]);
        let evidence =
            vec![("change.in_sync_at".to_owned(), format_instant(scope.now), GET.to_owned())];
        Ok(Observation::Done(Done {
            outputs,
            milestone: Some("in_sync"),
            evidence,
            ..Done::default()
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("route53.wait_in_sync only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (GET.to_owned(), scope.text("change_id").unwrap_or_default().to_owned())
    }
}
