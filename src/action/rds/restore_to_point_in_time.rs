//! `rds.restore_to_point_in_time`: a new instance beside the source, as it was at an instant.
//!
//! **Invariant:** the new instance's name is a function of run and step, its creating call carries our
//! tags, and an instance of that name without our run's tag stops the run.

use super::restore_settings::{
    lost_for_good, predicted_instance, request, restored_by_call, settings,
};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::ids::rds_name;
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use crate::cloud::model::DbInstance;
use async_trait::async_trait;
use std::time::Duration;

/// What users and AWS report for restores of real sizes (aws-semantics: "15-60+ min usual").
const CITED: (Duration, Duration, &str) = (
    Duration::from_secs(8 * 60),
    Duration::from_secs(60 * 60),
    "AWS and users: 8-12 min for a tiny instance, 15-60 min usual, hours possible",
);

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
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the new instance"),
                Field::required("resource_id", Type::String, "its DbiResourceId"),
                Field::required("endpoint_host", Type::String, "host name it listens on"),
                Field::required("endpoint_port", Type::Int, "port it listens on"),
                Field::required("restore_time", Type::Time, "the instant it was restored to"),
                Field::optional("storage_percent", Type::Int, "storage loaded so far, percent"),
                Field::required("expires_at", Type::Time, "its tag drctl:expires"),
            ],
            calls: &[
                "rds:DescribeDBInstances",
                "rds:DescribeEvents",
                "rds:RestoreDBInstanceToPointInTime",
            ],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "rds.delete_instance",
                inputs: |_, outputs| {
                    let instance = outputs.get("instance").cloned().unwrap_or(Value::Null);
                    Values::from([("instance".to_owned(), instance)])
                },
            },
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
    vec![
        Field::required("source", Type::String, "identifier of the source instance"),
        Field::required("restore_time", Type::Time, "the instant to restore to"),
        Field::optional("class", Type::String, "instance class; the source's when absent"),
        Field::optional("subnet_group", Type::String, "the source's when absent"),
        Field::optional("security_groups", Type::texts(), "the source's when absent"),
        Field::optional("parameter_group", Type::String, "the source's when absent"),
        Field::optional("option_group", Type::String, "the source's when absent"),
        Field::optional("multi_az", Type::Bool, "off when absent"),
        Field::optional("deletion_protection", Type::Bool, "off when absent"),
        Field::optional("log_exports", Type::texts(), "the source's when absent"),
        Field::optional(
            "wait_for",
            Type::OneOf(&["available", "hydrated"]),
            "`hydrated` waits until storage has loaded all its blocks; `available` when absent",
        ),
    ]
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

/// What is wrong with a restored instance that AWS calls usable; such an instance is never handed over.
fn violation(source: &DbInstance, restored: &DbInstance) -> Option<(String, String)> {
    let id = &restored.id;
    if restored.publicly_accessible != Some(false) {
        let why = format!("`{id}` is publicly accessible, or AWS does not say that it is not");
        return Some((why, format!("delete `{id}`; it must never have a public address")));
    }
    if source.storage_encrypted && !restored.storage_encrypted {
        let why = format!("`{id}` is not encrypted although `{}` is", source.id);
        return Some((why, format!("delete `{id}`")));
    }
    if restored.kms_key_id != source.kms_key_id {
        let why = format!("`{id}` has another KMS key than `{}`", source.id);
        return Some((
            why,
            "compare the keys of both; a restore keeps the source's key".to_owned(),
        ));
    }
    None
}

/// Whose an instance of our name is, when it is not this run's.
pub(super) fn foreign(scope: &StepScope<'_>, instance: &DbInstance) -> Option<(String, String)> {
    let owner = instance.tags.get("drctl:run").map(String::as_str);
    if owner == Some(scope.run.as_str()) {
        return None;
    }
    let whose = owner.map_or_else(
        || "it carries no drctl:run tag".to_owned(),
        |run| format!("it belongs to run {run}"),
    );
    let why = format!("`{}` exists and is not this run's: {whose}", instance.id);
    Some((why, "find out who made it; drctl touches only what its own run created".to_owned()))
}

/// Storage progress in steps of ten, so that a poll is journaled only when something moved.
fn loading(instance: &DbInstance) -> Option<i32> {
    let operation = instance.storage_operation.as_ref()?;
    operation
        .status
        .eq_ignore_ascii_case("initializing")
        .then(|| operation.percent.unwrap_or(0) / 10 * 10)
}

impl RestoreToPointInTime {
    /// What can be said of an instance that cannot be used: not ours, broken, or still being made.
    fn unusable(&self, scope: &StepScope<'_>, found: &DbInstance) -> Option<Observation> {
        if let Some((why, help)) = foreign(scope, found) {
            return Some(Observation::Broken { why, help });
        }
        if found.is_broken() {
            let why = format!("`{}` ended as `{}`", found.id, found.status);
            let help =
                "read its events (DescribeEvents); restore again to another instant".to_owned();
            return Some(Observation::Broken { why, help });
        }
        (found.endpoint.is_none() || !found.is_usable())
            .then(|| Observation::InProgress { state: found.status.clone(), milestone: None })
    }

    fn judge(&self, scope: &StepScope<'_>, source: &DbInstance, found: DbInstance) -> Observation {
        let endpoint = found.endpoint.clone().expect("only usable instances are judged");
        if let Some((why, help)) = violation(source, &found) {
            return Observation::Broken { why, help };
        }
        let percent = loading(&found);
        let wait = scope.text("wait_for") == Some("hydrated");
        if let (true, Some(percent)) = (wait, percent) {
            let state = format!("available, storage {percent} % loaded");
            return Observation::InProgress { state, milestone: Some("available") };
        }
        // Without a storage operation in the answer nothing is known of the storage, unless this step
        // waited for its end.
        let told = found.storage_operation.is_some();
        let milestone = if percent.is_none() && (told || wait) { "hydrated" } else { "available" };
        let outputs = Values::from([
            ("instance".to_owned(), Value::text(&found.id)),
            ("resource_id".to_owned(), Value::text(&found.resource_id)),
            ("endpoint_host".to_owned(), Value::text(endpoint.host)),
            ("endpoint_port".to_owned(), Value::Int(endpoint.port.into())),
            ("restore_time".to_owned(), scope.input("restore_time").clone()),
            ("storage_percent".to_owned(), Value::optional(percent.map(i64::from))),
            ("expires_at".to_owned(), Value::Time(scope.expires)),
        ]);
        let seen =
            |name: &str, value: String| (name.to_owned(), value, "DescribeDBInstances".to_owned());
        let evidence = vec![
            seen("restored.resource_id", found.resource_id.clone()),
            seen("restored.status", found.status.clone()),
            seen("restored.encrypted", found.storage_encrypted.to_string()),
            seen("restored.publicly_accessible", "false".to_owned()),
        ];
        Observation::Done(Done {
            outputs,
            verdict: Verdict::Pass,
            milestone: Some(milestone),
            observed: settings(&found),
            evidence,
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
        let request = request(scope, &source)?;
        let taken = context.view.db_instance(scope.region, &request.target).await?;
        let predicted = predicted_instance(&source, &request);
        let mut outputs = self.spec.unknown_outputs(&format!("`{target}` does not exist yet"));
        outputs.insert("instance".to_owned(), Value::text(&target));
        outputs.insert("restore_time".to_owned(), Value::Time(request.restore_time));
        outputs.insert("expires_at".to_owned(), Value::Time(scope.expires));
        let mut details = restored_by_call(&source, &request);
        details.extend(
            lost_for_good(&source)
                .into_iter()
                .map(|what| format!("lost, and not settable in the call: {what}")),
        );
        Ok(Preview {
            wont: taken.and_then(|found| foreign(scope, &found)).map(|(why, _)| why),
            summary: format!(
                "create `{target}` in {} from `{}` as of {}",
                scope.region,
                source.id,
                format_instant(request.restore_time)
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
        if let Some(early) = self.unusable(scope, &found) {
            return Ok(early);
        }
        // The source is read once, to compare with, and not at every poll.
        let source = self.source(context).await?;
        Ok(self.judge(scope, &source, found))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let source = self.source(&context.read).await?;
        let request = request(scope, &source)?;
        match context.writer.restore_to_point_in_time(scope.region, &request).await {
            Ok(accepted) => Ok(Acted { request_id: accepted.request_id }),
            // Our own earlier attempt may have made it; whose it is, the next look decides by its tag.
            Err(error) if error.is("DBInstanceAlreadyExists") => {
                Ok(Acted { request_id: error.request_id })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let target = rds_name(scope.text("source").unwrap_or_default(), scope.run, scope.step);
        ("rds:RestoreDBInstanceToPointInTime".to_owned(), target)
    }
}
