//! `rds.check_replica`: does a read replica follow its source, and how far behind is it?
//!
//! **Invariant:** read-only; a lag that nobody measured is unknown, and never passes a limit.

use super::lag::{Lag, is_source, replication};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::duration::human;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{DbInstance, Replication};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct CheckReplica {
    spec: ActionSpec,
}

impl Default for CheckReplica {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.check_replica",
            summary: "Checks that a read replica follows its source, and how far behind it is.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::required("instance", Type::String, "identifier of the read replica"),
                Field::optional(
                    "source",
                    Type::String,
                    "identifier or ARN of the instance that it must follow",
                ),
                Field::optional(
                    "max_lag",
                    Type::Duration,
                    "how far behind it may be; an unknown lag does not pass",
                ),
                Field::optional(
                    "wait",
                    Type::Bool,
                    "whether to look again until it passes or the step's time is out",
                ),
            ],
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the read replica"),
                Field::required("source", Type::String, "what it follows: identifier or ARN"),
                Field::optional("lag", Type::Duration, "how far behind; null when unknown"),
                Field::required("lag_known", Type::Bool, "whether the lag is known"),
                Field::optional("measured_at", Type::Time, "the minute it was measured in"),
                Field::required("replicating", Type::Bool, "whether replication is active"),
            ],
            calls: &["rds:DescribeDBInstances", "cloudwatch:GetMetricData"],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "aws rds describe-db-instances --region {region} \
                      --db-instance-identifier {instance} \
                      --query DBInstances[0].[ReadReplicaSourceDBInstanceIdentifier,StatusInfos]\n\
                      # The newest figure of ReplicaLag, seconds; -1 or none means unknown, not zero.\n\
                      aws cloudwatch get-metric-statistics --region {region} --namespace AWS/RDS \
                      --metric-name ReplicaLag --period 60 --statistics Maximum \
                      --dimensions Name=DBInstanceIdentifier,Value={instance} \
                      --start-time 15_MINUTES_AGO --end-time NOW",
            default_timeout: Duration::from_secs(600),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

/// What the check found, before it is judged.
struct Found {
    instance: DbInstance,
    source: String,
    lag: Lag,
}

impl Found {
    fn replicating(&self) -> bool {
        self.instance.replication.as_ref().is_some_and(Replication::is_active)
    }

    fn outputs(&self) -> Values {
        Values::from([
            ("instance".to_owned(), Value::text(&self.instance.id)),
            ("source".to_owned(), Value::text(&self.source)),
            ("lag".to_owned(), self.lag.value()),
            ("lag_known".to_owned(), Value::Bool(self.lag.known().is_some())),
            ("measured_at".to_owned(), Value::optional(self.lag.measured_at())),
            ("replicating".to_owned(), Value::Bool(self.replicating())),
        ])
    }

    fn verdict(&self, scope: &StepScope<'_>) -> Verdict {
        let (id, lag) = (&self.instance.id, self.lag.words());
        let fail = |why: String, help: &str| Verdict::Fail { why, help: help.to_owned() };
        if !self.replicating() {
            let message = self.instance.replication.as_ref().and_then(|it| it.message.as_deref());
            let said = message.map(|message| format!(" ({message})")).unwrap_or_default();
            let word = replication(&self.instance);
            return fail(
                format!("replication of `{id}` is `{word}`{said}, and it is {lag}"),
                "its source may be gone: read its events; what it has can still be promoted",
            );
        }
        match (scope.duration("max_lag"), self.lag.known()) {
            (Some(most), Some(known)) if known > most => fail(
                format!("`{id}` is {lag}, and {} are allowed", human(most)),
                "wait until it has caught up, or accept the loss with a higher `max_lag`",
            ),
            (Some(_), None) => fail(
                format!("`{id}` is {lag}, so nothing says that it is near enough"),
                "look at the metric ReplicaLag and at the source; leave `max_lag` out to go on \
                 without knowing",
            ),
            (None, None) => Verdict::Unknown { why: format!("`{id}` is {lag}") },
            (_, Some(_)) => Verdict::Pass,
        }
    }
}

impl CheckReplica {
    /// Reads the replica; `Err` inside means a verdict of fail with what to do next.
    async fn look(
        &self,
        context: &ReadContext<'_>,
    ) -> Result<Result<Found, (String, &'static str)>, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let Some(instance) = context.view.db_instance(scope.region, name).await? else {
            let why = format!("there is no database instance `{name}` in {}", scope.region);
            return Ok(Err((why, "check the estate file and the region")));
        };
        let Some(source) = instance.replica_source.clone() else {
            let why = format!("`{name}` is no read replica: it follows nothing");
            return Ok(Err((why, "it was promoted, or never was one: look at its events")));
        };
        if let Some(wanted) = scope.text("source").filter(|wanted| !is_source(&source, wanted)) {
            let why = format!("`{name}` follows `{source}`, not `{wanted}`");
            return Ok(Err((why, "check the estate file: this is the replica of something else")));
        }
        let lag = Lag::read(context, &instance.id, None).await?;
        Ok(Ok(Found { instance, source, lag }))
    }
}

#[async_trait]
impl Action for CheckReplica {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(5), "two read calls"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        if let Some(why) = scope.unknown() {
            let summary = "check a read replica".to_owned();
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let name = scope.text("instance").unwrap_or_default();
        let summary = format!("check read replica `{name}` in {}", scope.region);
        let found = match self.look(context).await? {
            Ok(found) => found,
            Err((why, help)) => {
                return Ok(Preview::hopeless(&self.spec, summary, &why, help));
            }
        };
        let (mut wont, mut warnings) = (None, Vec::new());
        let waits = scope.boolean("wait") == Some(true);
        // What only exists in a prediction has no lag yet.
        let predicted = context.view.overlay().get(scope.region, name).is_some();
        match found.verdict(scope) {
            Verdict::Fail { why, .. } if waits || predicted => warnings.push(why),
            Verdict::Fail { why, help } => wont = Some(format!("{why}; {help}")),
            Verdict::Unknown { why } => warnings.push(why),
            Verdict::Pass | Verdict::Warn(_) => {}
        }
        let mut outputs = found.outputs();
        for moves in ["lag", "lag_known", "measured_at"] {
            let why = "the lag is measured again when the run is there".to_owned();
            outputs.insert(moves.to_owned(), Value::Unknown(why));
        }
        Ok(Preview {
            summary,
            wont,
            warnings,
            details: vec![format!("it follows `{}`, {}", found.source, found.lag.words())],
            predictions: BTreeMap::from([("source".to_owned(), json!(found.source))]),
            outputs,
            facts: (!predicted)
                .then(|| {
                    let name = format!("rds {} {} replica of", scope.region, found.instance.id);
                    (name, found.source.clone())
                })
                .into_iter()
                .collect(),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let (verdict, found) = match self.look(context).await? {
            Ok(found) => (found.verdict(scope), Some(found)),
            Err((why, help)) => (Verdict::Fail { why, help: help.to_owned() }, None),
        };
        if let (Some(true), Verdict::Fail { why, .. }) = (scope.boolean("wait"), &verdict) {
            let lag = found.as_ref().map(|found| found.lag.state());
            let state = match (lag, &found) {
                (Some(lag), Some(found)) if found.replicating() => lag,
                _ => why.clone(),
            };
            return Ok(Observation::InProgress { state, milestone: None });
        }
        let Some(found) = found else {
            return Ok(Observation::Done(Done { verdict, ..Done::default() }));
        };
        let lag = found.lag.known().map_or_else(|| "unknown".to_owned(), human);
        let measured = found.lag.measured_at().map_or_else(|| "never".to_owned(), format_instant);
        let seen = |name: &str, value: String, source: &str| {
            (format!("replica.{name}"), value, source.to_owned())
        };
        Ok(Observation::Done(Done {
            outputs: found.outputs(),
            verdict,
            milestone: None,
            observed: BTreeMap::from([("source".to_owned(), json!(found.source))]),
            evidence: vec![
                seen("source", found.source.clone(), "DescribeDBInstances"),
                seen("status", replication(&found.instance).to_owned(), "DescribeDBInstances"),
                seen("lag", lag, "GetMetricData AWS/RDS ReplicaLag"),
                seen("lag_measured_at", measured, "GetMetricData AWS/RDS ReplicaLag"),
            ],
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("rds.check_replica only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
