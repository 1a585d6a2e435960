//! `rds.restore_from_snapshot`: a new instance from a snapshot, beside its source or in place of a lost one.
//!
//! **Invariant:** the new instance's name is a function of run, step and source, it is encrypted with the
//! snapshot's key, and a snapshot of another instance, or another one than was planned, is refused.

use super::check_source::facts;
use super::creation::created;
use super::restore_settings::{predicted_instance, settings_inputs};
use super::restored::{CITED, Origin, foreign, judge, outputs, undo, unusable};
use super::snapshot_ground::{call, details, ground, obstacle, predictions, warnings};
use super::snapshot_key::{KeyState, key_state};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Role};
use crate::action::{Action, CitedDuration};
use crate::base::ids::rds_name;
use crate::base::value::{Type, Value};
use crate::cloud::PredictedEffect;
use crate::cloud::model::DbSnapshot;
use async_trait::async_trait;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct RestoreFromSnapshot {
    spec: ActionSpec,
}

impl Default for RestoreFromSnapshot {
    fn default() -> Self {
        let mut outputs = outputs();
        outputs.push(Field::required(
            "chosen",
            Type::Bool,
            "whether this snapshot was asked for rather than the newest: loss counts from it",
        ));
        let spec = ActionSpec {
            name: "rds.restore_from_snapshot",
            summary: "Restores a snapshot into a new database instance, private, encrypted, with \
                      the settings that a restore would lose set again.",
            kind: ActionKind::Mutation,
            inputs: inputs(),
            outputs,
            calls: &[
                "rds:DescribeDBInstances",
                "rds:DescribeDBSnapshots",
                "kms:DescribeKey",
                "rds:RestoreDBInstanceFromDBSnapshot",
            ],
            effects: &[],
            reversibility: undo(),
            role: Role::None,
            by_hand: "aws rds restore-db-instance-from-db-snapshot --region {region} \
                      --db-snapshot-identifier {snapshot} --db-instance-identifier {instance} \
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
        Field::required("snapshot", Type::String, "identifier, or ARN of a shared one"),
        Field::required(
            "source",
            Type::String,
            "identifier of the instance that the snapshot is of; it may be gone",
        ),
        Field::optional(
            "chosen",
            Type::Bool,
            "whether this snapshot was asked for rather than the newest; false when absent",
        ),
    ];
    inputs.extend(settings_inputs());
    inputs
}

fn target(scope: &StepScope<'_>) -> String {
    rds_name(scope.text("source").unwrap_or_default(), scope.run, scope.step)
}

fn chosen(scope: &StepScope<'_>) -> Value {
    Value::Bool(scope.boolean("chosen").unwrap_or(false))
}

#[async_trait]
impl Action for RestoreFromSnapshot {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let unknown = ["snapshot", "source"].map(|name| scope.input(name).unknown_reason());
        if let Some(why) = unknown.into_iter().flatten().next() {
            return Ok(Preview {
                summary: self.spec.summary.to_owned(),
                wont: Some(format!("the snapshot is unknown: {why}")),
                outputs: self.spec.unknown_outputs(why),
                ..Preview::default()
            });
        }
        let ground = ground(context).await?;
        let request = call(scope, &ground)?;
        let key = key_state(context, &ground.snapshot).await?;
        let taken = context.view.db_instance(scope.region, &request.target).await?;
        let wont = if let Some((why, help)) = obstacle(scope, &ground.snapshot) {
            Some(format!("{why}; {help}"))
        } else if let KeyState::Unusable { why, help, .. } = &key {
            Some(format!("{why}; {help}"))
        } else {
            taken.and_then(|found| foreign(scope, &found.id, &found.tags)).map(|(why, _)| why)
        };
        let predicted = predicted_instance(&ground.like, &request);
        let mut outputs =
            self.spec.unknown_outputs(&format!("`{}` does not exist yet", request.target));
        outputs.insert("instance".to_owned(), Value::text(&request.target));
        if let Some(at) = ground.snapshot.data_at() {
            outputs.insert("restore_time".to_owned(), Value::Time(at));
        }
        outputs.insert("chosen".to_owned(), chosen(scope));
        outputs.insert("expires_at".to_owned(), Value::Time(scope.expires));
        let source_facts = ground.source.iter().flat_map(|source| facts(scope.region, source));
        Ok(Preview {
            wont,
            summary: format!(
                "create `{}` in {} from snapshot `{}`",
                request.target, scope.region, ground.snapshot.id
            ),
            details: details(&ground, &request, &key),
            warnings: warnings(&ground, &request, &key),
            predictions: predictions(&ground, &predicted),
            outputs,
            effects: vec![PredictedEffect::Created(Box::new(predicted), scope.region.to_owned())],
            facts: source_facts.collect(),
            cited_duration: Some(CITED),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let name = scope.text("snapshot").unwrap_or_default();
        let Some(found) = context.view.db_instance(scope.region, &target(scope)).await? else {
            return Ok(match context.view.db_snapshot(scope.region, name).await? {
                Some(found) if !found.is_available() && !found.is_broken() => {
                    let state = format!("snapshot `{}` is `{}`", found.id, found.status);
                    Observation::InProgress { state, milestone: None }
                }
                // What is wrong with a snapshot, or its absence, the act says.
                Some(_) | None => Observation::Absent,
            });
        };
        if let Some(early) = unusable(scope, &found) {
            return Ok(early);
        }
        // The snapshot may have ended with its retention since; then the plan says what it was of.
        let snapshot = context.view.db_snapshot(scope.region, name).await?;
        let at = scope.planned_time("restore_time");
        let Some(at) = at.or(snapshot.as_ref().and_then(DbSnapshot::data_at)) else {
            return Ok(Observation::Broken {
                why: format!("nothing says any more of what instant the data of `{}` is", found.id),
                help: "restore another snapshot".to_owned(),
            });
        };
        let kms_key = snapshot.as_ref().and_then(|snapshot| snapshot.kms_key_id.as_deref());
        let origin = Origin { name, encrypted: true, kms_key };
        let mut observation = judge(scope, &origin, Value::Time(at), found);
        if let Observation::Done(done) = &mut observation {
            done.outputs.insert("chosen".to_owned(), chosen(scope));
            let source = "RestoreDBInstanceFromDBSnapshot".to_owned();
            done.evidence.push(("restored.from_snapshot".to_owned(), name.to_owned(), source));
        }
        Ok(observation)
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let ground = ground(&context.read).await?;
        if let Some((why, help)) = obstacle(scope, &ground.snapshot) {
            return Err(ActionError::refused(why, help));
        }
        let request = call(scope, &ground)?;
        created(context.writer.restore(scope.region, &request).await, "DBInstanceAlreadyExists")
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        ("rds:RestoreDBInstanceFromDBSnapshot".to_owned(), target(scope))
    }
}
