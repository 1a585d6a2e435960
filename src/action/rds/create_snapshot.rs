//! `rds.create_snapshot`: a manual snapshot of an instance, under a name of this run.
//!
//! **Invariant:** the snapshot's name is a function of run and step, its creating call carries our tags,
//! and a snapshot of that name without our run's tag stops the run.

use super::creation::created;
use super::restored::foreign;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::ids::rds_name;
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use crate::cloud::model::{DbInstance, DbSnapshot, SnapshotRequest};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// AWS publishes no figures; users see minutes for the first one and less for later, incremental ones.
const CITED: (Duration, Duration, &str) = (
    Duration::from_secs(60),
    Duration::from_secs(60 * 60),
    "users: 1-5 min for small or incremental snapshots, longer for the first of a large volume",
);

/// The action.
#[derive(Debug)]
pub(crate) struct CreateSnapshot {
    spec: ActionSpec,
}

impl Default for CreateSnapshot {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.create_snapshot",
            summary: "Takes a manual snapshot of a database instance and waits until it is \
                      available.",
            kind: ActionKind::Mutation,
            inputs: vec![Field::required("instance", Type::String, "identifier of the instance")],
            outputs: vec![
                Field::required("snapshot", Type::String, "identifier of the snapshot"),
                Field::required("arn", Type::String, "its ARN"),
                Field::required("instance", Type::String, "the instance it is of"),
                Field::required("created_at", Type::Time, "when it was taken"),
                Field::required("size_gib", Type::Int, "allocated storage of the instance, GiB"),
                Field::required("encrypted", Type::Bool, "whether it is encrypted"),
                Field::optional("kms_key", Type::String, "KMS key ARN"),
                Field::required("expires_at", Type::Time, "its tag drctl:expires"),
            ],
            calls: &["rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:CreateDBSnapshot"],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "rds.delete_snapshot",
                inputs: |_, outputs| {
                    let snapshot = outputs.get("snapshot").cloned().unwrap_or(Value::Null);
                    Values::from([("snapshot".to_owned(), snapshot)])
                },
            },
            role: Role::None,
            by_hand: "aws rds create-db-snapshot --region {region} \
                      --db-instance-identifier {instance} --db-snapshot-identifier {snapshot}\n\
                      aws rds wait db-snapshot-available --region {region} \
                      --db-snapshot-identifier {snapshot}",
            default_timeout: Duration::from_secs(2 * 3600),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn target(scope: &StepScope<'_>) -> String {
    rds_name(scope.text("instance").unwrap_or_default(), scope.run, scope.step)
}

/// Whether the instance can be snapshotted now.
enum Readiness {
    Ready,
    /// Its state passes by itself.
    Wait(String),
    Never {
        why: String,
        help: &'static str,
    },
}

fn readiness(scope: &StepScope<'_>, instance: Option<&DbInstance>) -> Readiness {
    let Some(found) = instance else {
        let name = scope.text("instance").unwrap_or_default();
        return Readiness::Never {
            why: format!("there is no database instance `{name}` in {}", scope.region),
            help: "check the estate file and the region",
        };
    };
    let DbInstance { id, status, .. } = found;
    // RDS takes snapshots in these two states only.
    if matches!(status.as_str(), "available" | "storage-optimization") {
        return Readiness::Ready;
    }
    if found.is_broken() || matches!(status.as_str(), "stopped" | "deleting") {
        return Readiness::Never {
            why: format!("`{id}` is `{status}`, and RDS snapshots only what is `available`"),
            help: "start or mend the instance; automated snapshots of it may still be there",
        };
    }
    Readiness::Wait(format!("`{id}` is `{status}`, waiting until it is available"))
}

fn outputs(scope: &StepScope<'_>, snapshot: &DbSnapshot) -> Values {
    let created = snapshot.created_at.map_or_else(
        || Value::Unknown(format!("`{}` does not exist yet", snapshot.id)),
        Value::Time,
    );
    Values::from([
        ("snapshot".to_owned(), Value::text(&snapshot.id)),
        ("arn".to_owned(), Value::text(&snapshot.arn)),
        ("instance".to_owned(), Value::text(&snapshot.instance)),
        ("created_at".to_owned(), created),
        ("size_gib".to_owned(), Value::Int(snapshot.storage_gib.into())),
        ("encrypted".to_owned(), Value::Bool(snapshot.encrypted)),
        ("kms_key".to_owned(), Value::optional(snapshot.kms_key_id.clone())),
        ("expires_at".to_owned(), Value::Time(scope.expires)),
    ])
}

/// What is predicted of the snapshot, and compared after.
fn settings(snapshot: &DbSnapshot) -> BTreeMap<String, serde_json::Value> {
    let own_tags = snapshot.tags.keys().filter(|key| key.starts_with("drctl:")).count();
    [
        ("snapshot", json!(snapshot.id)),
        ("arn", json!(snapshot.arn)),
        ("kind", json!(snapshot.kind)),
        ("engine_version", json!(snapshot.engine_version)),
        ("size_gib", json!(snapshot.storage_gib)),
        ("encrypted", json!(snapshot.encrypted)),
        ("kms_key", json!(snapshot.kms_key_id)),
        ("drctl_tags", json!(own_tags)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn predicted(scope: &StepScope<'_>, source: &DbInstance, id: &str) -> DbSnapshot {
    DbSnapshot {
        id: id.to_owned(),
        arn: format!("arn:aws:rds:{}:{}:snapshot:{id}", scope.region, scope.environment.account),
        instance: source.id.clone(),
        resource_id: source.resource_id.clone(),
        kind: "manual".to_owned(),
        status: "available".to_owned(),
        engine: source.engine.clone(),
        engine_version: source.engine_version.clone(),
        storage_gib: source.storage_gib,
        encrypted: source.storage_encrypted,
        kms_key_id: source.kms_key_id.clone(),
        master_user: source.master_user.clone(),
        retention_days: Some(source.backup_retention_days),
        iam_authentication: source.iam_authentication,
        tags: scope.tags(),
        ..DbSnapshot::default()
    }
}

fn judge(scope: &StepScope<'_>, found: &DbSnapshot) -> Observation {
    if let Some((why, help)) = foreign(scope, &found.id, &found.tags) {
        return Observation::Broken { why, help };
    }
    if found.is_broken() {
        return Observation::Broken {
            why: format!("snapshot `{}` ended as `{}`", found.id, found.status),
            help: "read the events of the snapshot (DescribeEvents); delete it and take another"
                .to_owned(),
        };
    }
    if !found.is_available() || found.created_at.is_none() {
        // In steps of ten, so that a poll is journaled only when something moved.
        let percent = found.percent.map(|percent| format!(", {} %", percent / 10 * 10));
        let state = format!("{}{}", found.status, percent.unwrap_or_default());
        return Observation::InProgress { state, milestone: None };
    }
    let seen =
        |name: &str, value: String| (name.to_owned(), value, "DescribeDBSnapshots".to_owned());
    let created = found.created_at.map(format_instant).unwrap_or_default();
    Observation::Done(Done {
        outputs: outputs(scope, found),
        verdict: Verdict::Pass,
        milestone: Some("available"),
        observed: settings(found),
        evidence: vec![
            seen("snapshot.arn", found.arn.clone()),
            seen("snapshot.created_at", created),
            seen("snapshot.status", found.status.clone()),
            seen("snapshot.encrypted", found.encrypted.to_string()),
        ],
    })
}

#[async_trait]
impl Action for CreateSnapshot {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let id = target(scope);
        let instance = context.view.db_instance(scope.region, name).await?;
        let mut preview = Preview {
            summary: format!("take snapshot `{id}` of `{name}` in {}", scope.region),
            cited_duration: Some(CITED),
            ..Preview::default()
        };
        match readiness(scope, instance.as_ref()) {
            Readiness::Ready => {}
            Readiness::Wait(why) => preview.warnings.push(why),
            Readiness::Never { why, help } => preview.wont = Some(format!("{why}; {help}")),
        }
        let Some(source) = instance else {
            let why = preview.wont.clone().unwrap_or_default();
            preview.outputs = self.spec.unknown_outputs(&why);
            return Ok(preview);
        };
        if let Some(taken) = context.view.db_snapshot(scope.region, &id).await?
            && let Some((why, _)) = foreign(scope, &taken.id, &taken.tags)
        {
            preview.wont = Some(why);
        }
        if !source.storage_encrypted {
            preview
                .warnings
                .push(format!("`{name}` is not encrypted, and so its snapshot will not be"));
        }
        if !source.multi_az {
            preview.warnings.push(format!(
                "`{name}` has no standby: its I/O pauses for a moment when the snapshot begins"
            ));
        }
        let snapshot = predicted(scope, &source, &id);
        preview.details = vec![
            format!("{} GiB, encrypted: {}", source.storage_gib, source.storage_encrypted),
            format!(
                "stays until it is deleted; tag drctl:expires {}",
                format_instant(scope.expires)
            ),
        ];
        preview.predictions = settings(&snapshot);
        preview.outputs = outputs(scope, &snapshot);
        preview.effects =
            vec![PredictedEffect::SnapshotCreated(Box::new(snapshot), scope.region.to_owned())];
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        if let Some(found) = context.view.db_snapshot(scope.region, &target(scope)).await? {
            return Ok(judge(scope, &found));
        }
        let name = scope.text("instance").unwrap_or_default();
        let instance = context.view.db_instance(scope.region, name).await?;
        Ok(match readiness(scope, instance.as_ref()) {
            Readiness::Ready => Observation::Absent,
            Readiness::Wait(state) => Observation::InProgress { state, milestone: None },
            Readiness::Never { why, help } => Observation::Broken { why, help: help.to_owned() },
        })
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let request = SnapshotRequest {
            instance: scope.text("instance").unwrap_or_default().to_owned(),
            snapshot: target(scope),
            tags: scope.tags(),
        };
        created(
            context.writer.create_snapshot(scope.region, &request).await,
            "DBSnapshotAlreadyExists",
        )
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        ("rds:CreateDBSnapshot".to_owned(), target(scope))
    }
}
