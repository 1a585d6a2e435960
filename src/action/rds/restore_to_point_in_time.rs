//! `rds.restore_to_point_in_time`: a new instance beside the source, as it was at an instant.
//!
//! **Invariant:** the new instance's name is a function of run and step, its creating call carries our
//! tags, and an instance of that name without our run's tag stops the run.

use super::creation::created;
use super::restore_settings::{
    lost_for_good, predicted_instance, request, restored_by_call, settings, settings_inputs,
};
use super::restored::{CITED, Origin, foreign, judge, outputs, undo, unusable};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Role};
use crate::action::{Action, CitedDuration};
use crate::base::ids::rds_name;
use crate::base::value::{Type, Value};
use crate::cloud::PredictedEffect;
use crate::cloud::model::{DbInstance, RestoreRequest, RestoreSource};
use async_trait::async_trait;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct RestoreToPointInTime {
    spec: ActionSpec,
}

impl Default for RestoreToPointInTime {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.restore_to_point_in_time",
            summary: "Restores a database instance to an instant, beside its source, private, \
                      encrypted like it, with the settings that a restore would lose set again.",
            kind: ActionKind::Mutation,
            inputs: inputs(),
            outputs: outputs(),
            calls: &[
                "rds:DescribeDBInstances",
                "rds:DescribeEvents",
                "rds:RestoreDBInstanceToPointInTime",
            ],
            effects: &[],
            reversibility: undo(),
            role: Role::None,
            by_hand: "aws rds restore-db-instance-to-point-in-time --region {region} \
                      --source-db-instance-identifier {source} \
                      --target-db-instance-identifier {instance} --restore-time {restore_time} \
                      --no-publicly-accessible[ --db-instance-class {class}]\
                      [ --db-subnet-group-name {subnet_group}]\
                      [ --vpc-security-group-ids {security_groups}]\
                      [ --db-parameter-group-name {parameter_group}]\
                      [ --option-group-name {option_group}]\
                      [ --enable-cloudwatch-logs-exports {log_exports}]\n\
                      aws rds wait db-instance-available --region {region} \
                      --db-instance-identifier {instance}",
            default_timeout: Duration::from_secs(3 * 3600),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    let mut inputs = vec![
        Field::required("source", Type::String, "identifier of the source instance"),
        Field::required("restore_time", Type::Time, "the instant to restore to"),
    ];
    inputs.extend(settings_inputs());
    inputs
}

/// The call of this step.
fn call(scope: &StepScope<'_>, source: &DbInstance) -> Result<RestoreRequest, ActionError> {
    let at = scope.time("restore_time").ok_or_else(|| ActionError::Input {
        name: "restore_time".to_owned(),
        why: "it has no value".to_owned(),
    })?;
    let from = RestoreSource::Instant { instance: source.id.clone(), at };
    Ok(request(scope, from, source))
}

impl RestoreToPointInTime {
    async fn source(&self, context: &ReadContext<'_>) -> Result<DbInstance, ActionError> {
        let scope = &context.scope;
        let name = scope.text("source").unwrap_or_default();
        let found = context.view.db_instance(scope.region, name).await?;
        found.ok_or_else(|| {
            ActionError::refused(
                format!("there is no database instance `{name}` in {}", scope.region),
                "put rds.check_source before the restore",
            )
        })
    }
}

#[async_trait]
impl Action for RestoreToPointInTime {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let target = rds_name(scope.text("source").unwrap_or_default(), scope.run, scope.step);
        if let Some(why) = scope.input("restore_time").unknown_reason() {
            let mut outputs = self.spec.unknown_outputs(why);
            outputs.insert("instance".to_owned(), Value::text(&target));
            return Ok(Preview {
                summary: format!("restore into `{target}`"),
                wont: Some(format!("the restore time is unknown: {why}")),
                outputs,
                ..Preview::default()
            });
        }
        let source = self.source(context).await?;
        let request = call(scope, &source)?;
        let taken = context.view.db_instance(scope.region, &request.target).await?;
        let predicted = predicted_instance(&source, &request);
        let mut outputs = self.spec.unknown_outputs(&format!("`{target}` does not exist yet"));
        outputs.insert("instance".to_owned(), Value::text(&target));
        outputs.insert("restore_time".to_owned(), scope.input("restore_time").clone());
        outputs.insert("expires_at".to_owned(), Value::Time(scope.expires));
        let mut details = restored_by_call(&source, &request);
        details.extend(
            lost_for_good(&source)
                .into_iter()
                .map(|what| format!("lost, and not settable in the call: {what}")),
        );
        Ok(Preview {
            wont: taken
                .and_then(|found| foreign(scope, &found.id, &found.tags))
                .map(|(why, _)| why),
            summary: format!(
                "create `{target}` in {} from `{}` as of {}",
                scope.region,
                source.id,
                scope.input("restore_time")
            ),
            details,
            predictions: settings(&predicted),
            outputs,
            effects: vec![PredictedEffect::Created(Box::new(predicted), scope.region.to_owned())],
            cited_duration: Some(CITED),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let target = rds_name(scope.text("source").unwrap_or_default(), scope.run, scope.step);
        let Some(found) = context.view.db_instance(scope.region, &target).await? else {
            return Ok(Observation::Absent);
        };
        if let Some(early) = unusable(scope, &found) {
            return Ok(early);
        }
        // The source is read once, to compare with, and not at every poll.
        let source = self.source(context).await?;
        let origin = Origin {
            name: &source.id,
            encrypted: source.storage_encrypted,
            kms_key: source.kms_key_id.as_deref(),
        };
        Ok(judge(scope, &origin, scope.input("restore_time").clone(), found))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let source = self.source(&context.read).await?;
        let request = call(scope, &source)?;
        created(context.writer.restore(scope.region, &request).await, "DBInstanceAlreadyExists")
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let target = rds_name(scope.text("source").unwrap_or_default(), scope.run, scope.step);
        ("rds:RestoreDBInstanceToPointInTime".to_owned(), target)
    }
}
