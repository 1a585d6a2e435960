//! `rds.check_source`: can this instance be restored to that instant?
//!
//! **Invariant:** read-only; the restore time it answers is always an explicit instant.

use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{AutomatedBackup, DbInstance};
use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// AWS wants a restore time before the newest restorable one, in whole seconds.
const BEFORE_LATEST: TimeDelta = TimeDelta::seconds(1);

/// The action.
#[derive(Debug)]
pub(crate) struct CheckSource {
    spec: ActionSpec,
}

impl Default for CheckSource {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.check_source",
            summary: "Checks that a database instance can be restored to an instant: state, \
                      encryption, backup retention, restorable window, replica or not.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::required("instance", Type::String, "identifier of the source instance"),
                Field::optional(
                    "restore_time",
                    Type::LatestOrTime,
                    "`latest` (the default) or an instant",
                ),
            ],
            outputs: outputs(),
            calls: &["rds:DescribeDBInstances", "rds:DescribeDBInstanceAutomatedBackups"],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "aws rds describe-db-instances --region {region} --db-instance-identifier {instance}\n\
                      aws rds describe-db-instance-automated-backups --region {region} \
                      --db-instance-identifier {instance}\n\
                      # The instant must lie inside RestoreWindow, and the instance be available.",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn outputs() -> Vec<Field> {
    vec![
        Field::required("instance", Type::String, "identifier of the source instance"),
        Field::required("resource_id", Type::String, "its DbiResourceId"),
        Field::required("engine_version", Type::String, "engine version"),
        Field::required("encrypted", Type::Bool, "whether its storage is encrypted"),
        Field::optional("kms_key", Type::String, "KMS key ARN"),
        Field::required("retention_days", Type::Int, "days of automated backups"),
        Field::required("earliest_restorable_time", Type::Time, "start of the restorable window"),
        Field::required("latest_restorable_time", Type::Time, "end of the restorable window"),
        Field::required("restore_time", Type::Time, "the instant to restore to, explicit"),
    ]
}

/// What the check found, before it is judged.
struct Found {
    instance: DbInstance,
    backup: AutomatedBackup,
    earliest: DateTime<Utc>,
    latest: DateTime<Utc>,
    restore_time: DateTime<Utc>,
}

impl CheckSource {
    /// Reads the source; `Err` inside means a verdict of fail with what to do next.
    async fn look(
        &self,
        context: &ReadContext<'_>,
    ) -> Result<Result<Found, (String, String)>, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let region = scope.region;
        let Some(instance) = context.view.db_instance(region, name).await? else {
            return Ok(fail(
                format!("there is no database instance `{name}` in {region}"),
                "check the estate file and the region; a deleted instance can still be restored \
                 from its retained automated backups by resource id",
            ));
        };
        if instance.backup_retention_days == 0 {
            return Ok(fail(
                format!("`{name}` has backup retention 0: AWS keeps nothing to restore from"),
                "set BackupRetentionPeriod to at least 1 day; the window begins after that change",
            ));
        }
        let backup = context.view.automated_backup(region, &instance.resource_id).await?;
        let window = backup.as_ref().and_then(|found| Some((found.earliest?, found.latest?)));
        let (Some(backup), Some((earliest, latest))) = (backup, window) else {
            return Ok(fail(
                format!("`{name}` has no restorable window yet: no automated backup is finished"),
                "wait for the first automated backup (DescribeDBInstanceAutomatedBackups)",
            ));
        };
        let restore_time = match asked_time(scope, latest)? {
            Ok(time) => time,
            Err(problem) => return Ok(Err(problem)),
        };
        if restore_time < earliest || restore_time >= latest {
            return Ok(fail(
                format!(
                    "restore time {} lies outside the restorable window {} to {} of `{name}`",
                    format_instant(restore_time),
                    format_instant(earliest),
                    format_instant(latest),
                ),
                "choose an instant inside the window, or `latest`",
            ));
        }
        Ok(Ok(Found { instance, backup, earliest, latest, restore_time }))
    }
}

fn fail<T>(why: String, help: &str) -> Result<T, (String, String)> {
    Err((why, help.to_owned()))
}

/// The instant asked for; `latest` means what it meant when the plan was made.
fn asked_time(
    scope: &StepScope<'_>,
    latest: DateTime<Utc>,
) -> Result<Result<DateTime<Utc>, (String, String)>, ActionError> {
    let newest =
        || scope.planned_time("restore_time").unwrap_or((latest - BEFORE_LATEST).trunc_subsecs(0));
    let asked = match scope.input("restore_time") {
        Value::Null => newest(),
        Value::Time(time) => *time,
        Value::String(text) if text == "latest" => newest(),
        other => {
            let why = format!("expected `latest` or an instant, found {}", other.type_name());
            return Err(ActionError::Input { name: "restore_time".to_owned(), why });
        }
    };
    if asked > scope.now {
        return Ok(fail(
            format!("restore time {} lies in the future", format_instant(asked)),
            "instants are UTC: check the offset",
        ));
    }
    Ok(Ok(asked))
}

fn warnings(found: &Found) -> Vec<String> {
    let instance = &found.instance;
    let mut list = Vec::new();
    if !instance.storage_encrypted {
        list.push(format!("`{}` is not encrypted, and so its restore will not be", instance.id));
    }
    if instance.publicly_accessible != Some(false) {
        list.push(format!("`{}` is publicly accessible; its restore will not be", instance.id));
    }
    if let Some(source) = &instance.replica_source {
        list.push(format!("`{}` is a read replica of `{source}`: its data may lag", instance.id));
    }
    if instance.managed_master_secret {
        list.push(
            "RDS manages the master password; a restore keeps the old password and gets no secret"
                .to_owned(),
        );
    }
    if !instance.is_usable() && instance.status != "stopped" {
        list.push(format!("`{}` is `{}` now", instance.id, instance.status));
    }
    list
}

fn values(found: &Found) -> Values {
    let Found { instance, .. } = found;
    Values::from([
        ("instance".to_owned(), Value::text(&instance.id)),
        ("resource_id".to_owned(), Value::text(&instance.resource_id)),
        ("engine_version".to_owned(), Value::text(&instance.engine_version)),
        ("encrypted".to_owned(), Value::Bool(instance.storage_encrypted)),
        ("kms_key".to_owned(), Value::optional(instance.kms_key_id.clone())),
        ("retention_days".to_owned(), Value::Int(instance.backup_retention_days.into())),
        ("earliest_restorable_time".to_owned(), Value::Time(found.earliest)),
        ("latest_restorable_time".to_owned(), Value::Time(found.latest)),
        ("restore_time".to_owned(), Value::Time(found.restore_time)),
    ])
}

/// Facts that a stored plan rests on: settings, not what moves every five minutes.
pub(super) fn facts(region: &str, instance: &DbInstance) -> BTreeMap<String, String> {
    let key = |name: &str| format!("rds {region} {} {name}", instance.id);
    BTreeMap::from([
        (key("resource id"), instance.resource_id.clone()),
        (key("engine version"), instance.engine_version.clone()),
        (key("class"), instance.class.clone()),
        (key("storage GiB"), instance.storage_gib.to_string()),
        (key("encrypted"), instance.storage_encrypted.to_string()),
        (key("KMS key"), instance.kms_key_id.clone().unwrap_or_else(|| "none".to_owned())),
        (key("backup retention days"), instance.backup_retention_days.to_string()),
        (key("subnet group"), instance.subnet_group.clone().unwrap_or_default()),
        (key("security groups"), instance.security_groups.join(" ")),
        (
            key("parameter groups"),
            instance
                .parameter_groups
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        ),
    ])
}

#[async_trait]
impl Action for CheckSource {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(5), "two read calls"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let name = context.scope.text("instance").unwrap_or_default();
        let found = match self.look(context).await? {
            Ok(found) => found,
            Err((why, help)) => {
                return Ok(Preview {
                    summary: format!("check `{name}`"),
                    wont: Some(format!("{why}; {help}")),
                    outputs: self.spec.unknown_outputs(&why),
                    ..Preview::default()
                });
            }
        };
        let window = format!(
            "restorable window {} to {} ({} days of backups)",
            format_instant(found.earliest),
            format_instant(found.latest),
            found.instance.backup_retention_days,
        );
        // A region that is lost writes nothing afterwards; a mistake in the data goes on being in it.
        let late = context.scope.disaster_at.filter(|at| found.restore_time > *at).map(|at| {
            format!(
                "{} lies after the disaster at {}: what went wrong is restored too, unless nothing \
                 was written since; `restore_time` can be set",
                format_instant(found.restore_time),
                format_instant(at)
            )
        });
        let details = vec![
            window,
            format!("restore time {}", format_instant(found.restore_time)),
            format!(
                "encrypted: {}, backups encrypted: {}",
                found.instance.storage_encrypted, found.backup.encrypted
            ),
        ];
        Ok(Preview {
            summary: format!(
                "check `{name}` ({} {}, {}, {} GiB)",
                found.instance.engine,
                found.instance.engine_version,
                found.instance.class,
                found.instance.storage_gib
            ),
            details,
            warnings: warnings(&found).into_iter().chain(late).collect(),
            predictions: BTreeMap::from([
                ("resource_id".to_owned(), json!(found.instance.resource_id)),
                ("restore_time".to_owned(), json!(format_instant(found.restore_time))),
            ]),
            outputs: values(&found),
            facts: facts(context.scope.region, &found.instance),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let found = match self.look(context).await? {
            Ok(found) => found,
            Err((why, help)) => {
                let verdict = Verdict::Fail { why, help };
                return Ok(Observation::Done(Done { verdict, ..Done::default() }));
            }
        };
        let warnings = warnings(&found);
        let source = "DescribeDBInstances, DescribeDBInstanceAutomatedBackups";
        let evidence = [
            ("source.resource_id", found.instance.resource_id.clone()),
            ("source.earliest_restorable_time", format_instant(found.earliest)),
            ("source.latest_restorable_time", format_instant(found.latest)),
            ("source.encrypted", found.instance.storage_encrypted.to_string()),
        ];
        Ok(Observation::Done(Done {
            outputs: values(&found),
            verdict: if warnings.is_empty() { Verdict::Pass } else { Verdict::Warn(warnings) },
            milestone: None,
            observed: BTreeMap::from([
                ("resource_id".to_owned(), json!(found.instance.resource_id)),
                ("restore_time".to_owned(), json!(format_instant(found.restore_time))),
            ]),
            evidence: evidence
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value, source.to_owned()))
                .collect(),
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("rds.check_source only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
