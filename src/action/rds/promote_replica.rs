//! `rds.promote_replica`: makes a read replica an instance of its own, which takes writes.
//!
//! **Invariant:** a promotion is asked for only when the run's form allows its loss, and is done only when
//! the instance has stopped naming a source in several looks: `available` proves nothing.

use super::lag::{Lag, id_of};
use super::promotion::{Leave, accepts_loss, after, before, beyond, leave, never, predictions};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Figure, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::duration::human;
use crate::base::form::Form;
use crate::base::value::{Type, Value};
use crate::cloud::PredictedEffect;
use crate::cloud::model::{DbInstance, PromotionRequest};
use async_trait::async_trait;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:PromoteReadReplica";

/// Days of backups when the estate does not say what the source has.
const RETENTION_DAYS: u32 = 7;

/// The longest that RDS keeps automated backups, days.
const MOST_DAYS: u32 = 35;

/// The action.
#[derive(Debug)]
pub(crate) struct PromoteReplica {
    spec: ActionSpec,
}

impl Default for PromoteReplica {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.promote_replica",
            summary: "Promotes a read replica to an instance of its own, for good; gracefully after it \
                      has caught up, else with the loss that its lag is.",
            kind: ActionKind::Mutation,
            inputs: inputs(),
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the instance"),
                Field::required("endpoint", Type::String, "host name it listens on"),
                Field::required("port", Type::Int, "port it listens on"),
                Field::required("promoted_at", Type::Time, "when it had become a writer"),
                Field::optional(
                    "lag_at_promotion",
                    Type::Duration,
                    "how far behind it was last measured to be before; null when unknown",
                ),
            ],
            calls: &[
                "rds:DescribeDBInstances",
                "rds:DescribeEvents",
                "cloudwatch:GetMetricData",
                OPERATION,
            ],
            effects: &[],
            reversibility: Reversibility::Irreversible,
            role: Role::Promotion,
            by_hand: "# Fence the old writer first. The replica's lag now, seconds; -1 or none is unknown:\n\
                      aws cloudwatch get-metric-statistics --region {region} --namespace AWS/RDS \
                      --metric-name ReplicaLag --period 60 --statistics Maximum \
                      --dimensions Name=DBInstanceIdentifier,Value={instance} \
                      --start-time 15_MINUTES_AGO --end-time NOW\n\
                      aws rds promote-read-replica --region {region} \
                      --db-instance-identifier {instance}\
                      [ --backup-retention-period {backup_retention_days}]\n\
                      # It is done when this answers null, not when it is available:\n\
                      aws rds describe-db-instances --region {region} \
                      --db-instance-identifier {instance} \
                      --query DBInstances[0].ReadReplicaSourceDBInstanceIdentifier",
            default_timeout: Duration::from_secs(3600),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    vec![
        Field::required("instance", Type::String, "identifier of the read replica"),
        Field::optional(
            "max_lag",
            Type::Duration,
            "the most data, as time, that an ungraceful promotion may lose without a person's approval of a \
             gate before it; an unknown loss is more",
        ),
        Field::optional(
            "backup_retention_days",
            Type::Int,
            "days of automated backups from then on, 1 to 35; its source's when absent, else 7",
        ),
        Field::optional("fenced", Type::Any, "what proves that the old writer writes no more"),
    ]
}

/// Days of backups to ask for: what the step says, else what the estate says of the source.
fn retention(scope: &StepScope<'_>, source: Option<&str>) -> Result<u32, ActionError> {
    let source = source.map(id_of);
    let of_source = || {
        let databases = scope.estate.databases.keys();
        let found = databases
            .filter_map(|name| scope.estate.database_in(name, scope.environment))
            .find(|database| Some(database.instance.to_ascii_lowercase()) == source);
        found.map(|database| database.backup_retention_days).filter(|days| *days > 0)
    };
    let days = of_source().unwrap_or(RETENTION_DAYS).min(MOST_DAYS);
    scope.int_within("backup_retention_days", 1..=MOST_DAYS, days)
}

impl PromoteReplica {
    /// What a promotion of `found` would do.
    fn foreseen(
        &self,
        scope: &StepScope<'_>,
        found: &DbInstance,
        (lag, days): (Lag, u32),
    ) -> Preview {
        let source = found.replica_source.as_deref().map(id_of).unwrap_or_default();
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let promoted = DbInstance {
            status: "available".to_owned(),
            replica_source: None,
            replication: None,
            backup_retention_days: days,
            ..found.clone()
        };
        let id = &found.id;
        let why = format!("`{id}` is not promoted yet");
        let mut outputs = self.spec.unknown_outputs(&why);
        outputs.insert("instance".to_owned(), Value::text(id));
        if let Some(endpoint) = &found.endpoint {
            outputs.insert("endpoint".to_owned(), Value::text(&endpoint.host));
            outputs.insert("port".to_owned(), Value::Int(endpoint.port.into()));
        }
        let form = if accepts_loss(scope) {
            "what it does not have is lost"
        } else {
            "it is waited for until it has all that was written before"
        };
        let mut details = vec![
            format!("it follows `{source}`, {}", lag.words()),
            form.to_owned(),
            format!(
                "{days} days of automated backups from then on; it reboots, and its endpoint stays"
            ),
        ];
        let fence = scope.input("fenced");
        let warnings =
            vec![format!("`{id}` never follows `{source}` again: this cannot be taken back")];
        // Which steps fence, and whether any does, the plan says.
        if !matches!(fence, Value::Null) {
            details.push(format!("fencing proof: {fence}"));
        }
        Preview {
            summary: format!("promote `{id}` in {} to a writer", scope.region),
            details,
            warnings,
            predictions: predictions(id, days),
            outputs,
            effects: vec![PredictedEffect::Created(Box::new(promoted), scope.region.to_owned())],
            cited_duration: self.cited_duration(),
            ..Preview::default()
        }
    }
}

#[async_trait]
impl Action for PromoteReplica {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(120), Duration::from_secs(1800));
        Some((low, high, "AWS: several minutes or longer, by size; includes a reboot"))
    }

    fn differs_by_form(&self) -> bool {
        true
    }

    async fn stakes(&self, context: &ReadContext<'_>) -> Vec<Figure> {
        let name = context.scope.text("instance").unwrap_or_default();
        let scope = &context.scope;
        let mut figures = match Lag::read(context, name, None).await {
            Ok(lag) => {
                let counted = scope.disaster_at.zip(lag.loss(false, scope.now, scope.disaster_at));
                let counted = counted.map(|(at, loss)| {
                    let (loss, at) = (human(loss), format_instant(at));
                    let text = format!("{loss}, if nothing was written after the disaster of {at}");
                    Figure::known("loss_at_the_disaster", text)
                });
                [lag.figure(name)].into_iter().chain(counted).chain(beyond(scope, lag)).collect()
            }
            Err(error) => {
                let text = format!("lag of `{name}` is unknown: {error}");
                vec![Figure::unknown("replica_lag", text)]
            }
        };
        let then = match context.scope.form {
            Form::Graceful => "graceful: it waits until nothing is lacking, and nothing is lost",
            Form::Ungraceful => "ungraceful: it does not wait, what is lacking is LOST",
        };
        figures.push(Figure::known("if_approved", then));
        figures
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        if let Some(why) = scope.input("instance").unknown_reason() {
            let summary = "promote a read replica".to_owned();
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let found = context.view.db_instance(scope.region, name).await?;
        let hopeless = never(found.as_ref(), scope).map(|(why, help)| format!("{why}; {help}"));
        let (Some(found), None) = (found, &hopeless) else {
            let why = hopeless.unwrap_or_default();
            return Ok(Preview {
                summary: format!("promote `{name}` in {}", scope.region),
                outputs: self.spec.unknown_outputs(&why),
                wont: Some(why),
                ..Preview::default()
            });
        };
        let days = retention(scope, found.replica_source.as_deref())?;
        let predicted = context.view.overlay().get(scope.region, name).is_some();
        let lag = Lag::read(context, &found.id, None).await?;
        let mut preview = self.foreseen(scope, &found, (lag, days));
        match leave(scope, &found, lag) {
            // What only exists in a prediction has no lag yet.
            Leave::Never { why, help } if !predicted => {
                preview.wont = Some(format!("{why}; {help}"))
            }
            Leave::Wait(state) if lag.known().is_none() && !predicted => {
                preview.warnings.push(state)
            }
            Leave::Never { .. } | Leave::Wait(_) | Leave::Given => {}
        }
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let found = context.view.db_instance(scope.region, name).await?;
        match scope.intent {
            None => before(context, found).await,
            Some(intent) => after(context, found, intent).await,
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let name = scope.text("instance").unwrap_or_default();
        let found = context.read.view.db_instance(scope.region, name).await?;
        let source = found.and_then(|found| found.replica_source);
        let backup_retention_days = retention(scope, source.as_deref())?;
        let request = PromotionRequest { instance: name.to_owned(), backup_retention_days };
        let accepted = context.writer.promote_replica(scope.region, &request).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
