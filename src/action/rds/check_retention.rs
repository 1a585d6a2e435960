//! `rds.check_retention`: are an instance's backups, standby and protection as they were promised?
//!
//! **Invariant:** read-only; every promise that is not kept is named, not the first one only.

use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::DbInstance;
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct CheckRetention {
    spec: ActionSpec,
}

impl Default for CheckRetention {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.check_retention",
            summary: "Checks how long an instance's backups are kept, and its standby, deletion \
                      protection and encryption.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::required("instance", Type::String, "identifier of the instance"),
                Field::required("days", Type::Int, "days that backups must be kept at least"),
                Field::optional("multi_az", Type::Bool, "whether it must have a standby"),
                Field::optional("deletion_protection", Type::Bool, "whether it must be protected"),
                Field::optional("encrypted", Type::Bool, "whether it must be encrypted"),
            ],
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the instance"),
                Field::required("days", Type::Int, "days that backups are kept"),
            ],
            calls: &["rds:DescribeDBInstances"],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "aws rds describe-db-instances --region {region} \
                      --db-instance-identifier {instance} --query DBInstances[0].[\
                      BackupRetentionPeriod,MultiAZ,DeletionProtection,StorageEncrypted]",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

/// The promises that an instance does not keep.
fn broken_promises(scope: &StepScope<'_>, found: &DbInstance) -> Vec<String> {
    let mut broken = Vec::new();
    let days = scope.int("days").unwrap_or_default();
    if i64::from(found.backup_retention_days) < days {
        broken.push(format!("backups are kept {} days, not {days}", found.backup_retention_days));
    }
    for (input, has, words) in [
        ("multi_az", found.multi_az, "a standby"),
        ("deletion_protection", found.deletion_protection, "deletion protection"),
        ("encrypted", found.storage_encrypted, "encryption"),
    ] {
        match scope.boolean(input) {
            Some(true) if !has => {
                broken.push(format!("it has no {}", words.trim_start_matches("a ")))
            }
            Some(false) if has => broken.push(format!("it has {words}, and should not")),
            Some(_) | None => {}
        }
    }
    broken
}

impl CheckRetention {
    async fn look(
        &self,
        context: &ReadContext<'_>,
    ) -> Result<(Verdict, Option<DbInstance>), ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        scope.int_within("days", 0..=35, 0)?;
        let Some(found) = context.view.db_instance(scope.region, name).await? else {
            let why = format!("there is no database instance `{name}` in {}", scope.region);
            let help = "check the estate file and the region".to_owned();
            return Ok((Verdict::Fail { why, help }, None));
        };
        let broken = broken_promises(scope, &found);
        if broken.is_empty() {
            return Ok((Verdict::Pass, Some(found)));
        }
        let why = format!("`{name}`: {}", broken.join("; "));
        let help = "change it with rds.modify_instance, or the promise".to_owned();
        Ok((Verdict::Fail { why, help }, Some(found)))
    }
}

fn outputs(found: &DbInstance) -> Values {
    Values::from([
        ("instance".to_owned(), Value::text(&found.id)),
        ("days".to_owned(), Value::Int(found.backup_retention_days.into())),
    ])
}

fn observed(found: &DbInstance) -> BTreeMap<String, serde_json::Value> {
    BTreeMap::from([("backup_retention_days".to_owned(), json!(found.backup_retention_days))])
}

#[async_trait]
impl Action for CheckRetention {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(5), "a read call"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or("an instance");
        let summary = format!("check backups of `{name}` in {}", scope.region);
        if let Some(why) = scope.unknown() {
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let (verdict, found) = self.look(context).await?;
        let wont = match verdict {
            Verdict::Fail { why, help } => Some(format!("{why}; {help}")),
            Verdict::Pass | Verdict::Warn(_) | Verdict::Unknown { .. } => None,
        };
        let unknown = || self.spec.unknown_outputs(wont.as_deref().unwrap_or("it is not there"));
        Ok(Preview {
            summary,
            outputs: found.as_ref().map_or_else(unknown, outputs),
            predictions: found.as_ref().map(observed).unwrap_or_default(),
            wont,
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let (verdict, found) = self.look(context).await?;
        let Some(found) = found else {
            return Ok(Observation::Done(Done { verdict, ..Done::default() }));
        };
        let source = "DescribeDBInstances";
        let seen = |name: &str, value: String| (format!("kept.{name}"), value, source.to_owned());
        Ok(Observation::Done(Done {
            outputs: outputs(&found),
            verdict,
            milestone: None,
            observed: observed(&found),
            evidence: vec![
                seen("days", found.backup_retention_days.to_string()),
                seen("multi_az", found.multi_az.to_string()),
                seen("deletion_protection", found.deletion_protection.to_string()),
                seen("encrypted", found.storage_encrypted.to_string()),
            ],
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("rds.check_retention only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
