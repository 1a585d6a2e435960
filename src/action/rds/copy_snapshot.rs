//! `rds.copy_snapshot`: a copy of a snapshot in the step's region, under a name of this run.
//!
//! **Invariant:** the copy's name is a function of run and step, its creating call carries our tags, and
//! what is encrypted is copied under a key of the copy's own region.

use super::creation::created;
use super::restored::foreign;
use super::snapshot_choice::restorable;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::ids::rds_name;
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use crate::cloud::model::{CopyRequest, DbSnapshot};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:CopyDBSnapshot";

/// The action.
#[derive(Debug)]
pub(crate) struct CopySnapshot {
    spec: ActionSpec,
}

impl Default for CopySnapshot {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.copy_snapshot",
            summary: "Copies a snapshot to the step's region and waits until the copy is available.",
            kind: ActionKind::Mutation,
            inputs: vec![
                Field::required("source_region", Type::String, "region that the snapshot is in"),
                Field::required("snapshot", Type::String, "its identifier, or `newest`"),
                Field::optional("instance", Type::String, "with `newest`: instance that it is of"),
                Field::optional(
                    "kms_key",
                    Type::String,
                    "key of the step's region; needed for an encrypted one of another region",
                ),
            ],
            outputs: vec![
                Field::required("snapshot", Type::String, "identifier of the copy"),
                Field::required("arn", Type::String, "its ARN"),
                Field::required("created_at", Type::Time, "when it was copied"),
                Field::required("source_snapshot", Type::String, "ARN of what it is a copy of"),
            ],
            calls: &["rds:DescribeDBSnapshots", "kms:DescribeKey", OPERATION],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "rds.delete_snapshot",
                inputs: |_, outputs| {
                    let snapshot = outputs.get("snapshot").cloned().unwrap_or(Value::Null);
                    Values::from([("snapshot".to_owned(), snapshot)])
                },
            },
            role: Role::None,
            by_hand: "# Called in the region of the copy, with the ARN of the snapshot.\n\
                      aws rds copy-db-snapshot --region {region} \
                      --source-db-snapshot-identifier {source_snapshot} \
                      --target-db-snapshot-identifier {snapshot}[ --kms-key-id {kms_key}]\n\
                      aws rds wait db-snapshot-available --region {region} \
                      --db-snapshot-identifier {snapshot}",
            default_timeout: Duration::from_secs(6 * 3600),
            poll_every: Duration::from_secs(30),
        };
        Self { spec }
    }
}

/// What the copy is named after: the instance where it is given, else the snapshot.
fn target(scope: &StepScope<'_>) -> String {
    let snapshot = scope.text("snapshot").unwrap_or_default();
    let last = snapshot.rsplit(':').next().unwrap_or_default();
    rds_name(scope.text("instance").unwrap_or(last), scope.run, scope.step)
}

fn source_region<'a>(scope: &'a StepScope<'_>) -> &'a str {
    scope.text("source_region").unwrap_or_default()
}

/// What stands in the way of a copy, and what to do.
fn obstacle(scope: &StepScope<'_>, found: &DbSnapshot) -> Option<String> {
    let id = &found.id;
    if found.is_broken() {
        return Some(format!("snapshot `{id}` is `{}`; choose another one", found.status));
    }
    let far = source_region(scope) != scope.region;
    (far && found.encrypted && scope.text("kms_key").is_none()).then(|| {
        format!(
            "snapshot `{id}` is encrypted, and its copy in {} needs a key there; give `kms_key`",
            scope.region
        )
    })
}

/// The identifier in an ARN of the account's own snapshot in `region`, which RDS documents for
/// `DescribeDBSnapshots`; any other name as it is. One of AWS's own has a colon: `rds:orders-2026-…`.
fn own_id<'a>(name: &'a str, region: &str, account: &str) -> &'a str {
    let own = |arn: &&str| arn.split(':').skip(3).take(2).eq([region, account]);
    let id = Some(name).filter(own).and_then(|arn| arn.split_once(":snapshot:"));
    id.map_or(name, |(_, id)| id)
}

impl CopySnapshot {
    /// The snapshot that is meant; why there is none, otherwise. What the plan chose stays chosen.
    async fn source(
        &self,
        context: &ReadContext<'_>,
    ) -> Result<Result<DbSnapshot, String>, ActionError> {
        let scope = &context.scope;
        let (region, named) = (source_region(scope), scope.text("snapshot").unwrap_or_default());
        let planned = scope.planned.and_then(|planned| planned.get("source_snapshot"));
        let name = match planned.and_then(Value::as_str) {
            Some(arn) => arn,
            None if named == "newest" => {
                let Some(instance) = scope.text("instance") else {
                    let why = "`newest` needs the instance that it is of".to_owned();
                    return Err(ActionError::Input { name: "instance".to_owned(), why });
                };
                let all = context.view.db_snapshots(region, instance).await?;
                let newest = restorable(&all).pop().map(|(_, newest)| newest.clone());
                return Ok(newest.ok_or_else(|| {
                    format!("`{instance}` has no snapshot in {region} that is available")
                }));
            }
            None => named,
        };
        let asked = own_id(name, region, &scope.environment.account);
        let found = context.view.db_snapshot(region, asked).await?;
        Ok(found.ok_or_else(|| format!("there is no snapshot `{name}` in {region}")))
    }

    fn judge(&self, scope: &StepScope<'_>, copy: &DbSnapshot, source: &str) -> Observation {
        if let Some((why, help)) = foreign(scope, &copy.id, &copy.tags) {
            return Observation::Broken { why, help };
        }
        if copy.is_broken() {
            let why = format!("copy `{}` ended as `{}`", copy.id, copy.status);
            let help = "read its events (DescribeEvents); delete it and copy again".to_owned();
            return Observation::Broken { why, help };
        }
        if !copy.is_available() || copy.created_at.is_none() {
            // In steps of ten, so that a poll is journaled only when something moved.
            let percent = copy.percent.map(|percent| format!(", {} %", percent / 10 * 10));
            let state = format!("{}{}", copy.status, percent.unwrap_or_default());
            return Observation::InProgress { state, milestone: None };
        }
        if scope.text("kms_key").is_some() && !copy.encrypted {
            let why = format!("copy `{}` is not encrypted although a key was given", copy.id);
            return Observation::Broken { why, help: format!("delete `{}`", copy.id) };
        }
        let created = copy.created_at.unwrap_or(scope.now);
        let seen =
            |name: &str, value: String| (name.to_owned(), value, "DescribeDBSnapshots".to_owned());
        Observation::Done(Done {
            outputs: Values::from([
                ("snapshot".to_owned(), Value::text(&copy.id)),
                ("arn".to_owned(), Value::text(&copy.arn)),
                ("created_at".to_owned(), Value::Time(created)),
                ("source_snapshot".to_owned(), Value::text(source)),
            ]),
            verdict: Verdict::Pass,
            milestone: Some("available"),
            observed: predictions(copy),
            evidence: vec![
                seen("copy.arn", copy.arn.clone()),
                seen("copy.created_at", format_instant(created)),
                seen("copy.encrypted", copy.encrypted.to_string()),
                seen("copy.kms_key", copy.kms_key_id.clone().unwrap_or_else(|| "none".to_owned())),
            ],
        })
    }
}

/// The ARN of the key that the step names, which AWS says of what it encrypted; else why it cannot be used.
async fn usable_key(
    context: &ReadContext<'_>,
) -> Result<Result<Option<String>, String>, ActionError> {
    let scope = &context.scope;
    let Some(key) = scope.text("kms_key") else { return Ok(Ok(None)) };
    Ok(match context.view.kms_key(scope.region, key).await? {
        None => Err(format!("there is no key `{key}` in {}", scope.region)),
        Some(found) if !found.is_usable() => Err(format!("key `{key}` is `{}`", found.state)),
        Some(found) => Ok(Some(found.arn)),
    })
}

/// The copy as it will be, encrypted with the key of that ARN.
fn copied(
    scope: &StepScope<'_>,
    source: &DbSnapshot,
    target: &str,
    key: Option<String>,
) -> DbSnapshot {
    DbSnapshot {
        id: target.to_owned(),
        arn: format!(
            "arn:aws:rds:{}:{}:snapshot:{target}",
            scope.region, scope.environment.account
        ),
        kind: "manual".to_owned(),
        status: "available".to_owned(),
        created_at: None,
        encrypted: source.encrypted || key.is_some(),
        kms_key_id: key.or_else(|| source.kms_key_id.clone()),
        tags: scope.tags(),
        ..source.clone()
    }
}

fn predictions(copy: &DbSnapshot) -> BTreeMap<String, serde_json::Value> {
    [
        ("snapshot", json!(copy.id)),
        ("arn", json!(copy.arn)),
        ("encrypted", json!(copy.encrypted)),
        ("size_gib", json!(copy.storage_gib)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

#[async_trait]
impl Action for CopySnapshot {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(300), Duration::from_secs(4 * 3600));
        Some((low, high, "AWS: the first copy to a region is a full one and can take hours"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        if let Some(why) = scope.unknown() {
            let summary = "copy a snapshot".to_owned();
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let target = target(scope);
        let mut preview = Preview {
            summary: format!("copy a snapshot to `{target}` in {}", scope.region),
            cited_duration: self.cited_duration(),
            ..Preview::default()
        };
        let source = match self.source(context).await? {
            Ok(source) => source,
            Err(why) => {
                preview.outputs = self.spec.unknown_outputs(&why);
                preview.wont = Some(why);
                return Ok(preview);
            }
        };
        preview.wont = obstacle(scope, &source);
        let mut key = None;
        if preview.wont.is_none() {
            match usable_key(context).await? {
                Ok(found) => key = found,
                Err(why) => preview.wont = Some(why),
            }
        }
        if let Some(taken) = context.view.db_snapshot(scope.region, &target).await?
            && let Some((why, _)) = foreign(scope, &taken.id, &taken.tags)
        {
            preview.wont = Some(why);
        }
        let copy = copied(scope, &source, &target, key);
        let made = source.data_at().map(format_instant).unwrap_or_default();
        preview.details = vec![
            format!("of `{}` in {}, data of {made}", source.id, source_region(scope)),
            format!("{} GiB, encrypted: {}", copy.storage_gib, copy.encrypted),
        ];
        if !copy.encrypted {
            preview
                .warnings
                .push(format!("`{}` is not encrypted, and so its copy is not", source.id));
        }
        preview.predictions = predictions(&copy);
        preview.outputs = self.spec.unknown_outputs(&format!("`{target}` does not exist yet"));
        for (name, value) in
            [("snapshot", &copy.id), ("arn", &copy.arn), ("source_snapshot", &source.arn)]
        {
            preview.outputs.insert(name.to_owned(), Value::text(value));
        }
        preview.effects =
            vec![PredictedEffect::SnapshotCreated(Box::new(copy), scope.region.to_owned())];
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let copy = context.view.db_snapshot(scope.region, &target(scope)).await?;
        if let Some(copy) = copy {
            let planned = scope.planned.and_then(|planned| planned.get("source_snapshot"));
            let named = scope.text("snapshot").unwrap_or_default();
            let source = planned.and_then(Value::as_str).unwrap_or(named);
            return Ok(self.judge(scope, &copy, source));
        }
        let source = match self.source(context).await? {
            Ok(source) => source,
            Err(why) => {
                let help = "choose a snapshot that is there (DescribeDBSnapshots)".to_owned();
                return Ok(Observation::Broken { why, help });
            }
        };
        if let Some(why) = obstacle(scope, &source) {
            return Ok(Observation::Broken { why, help: "then `retry`".to_owned() });
        }
        if !source.is_available() {
            let state = format!("snapshot `{}` is `{}`, waiting for it", source.id, source.status);
            return Ok(Observation::InProgress { state, milestone: None });
        }
        Ok(Observation::Absent)
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let source = self.source(&context.read).await?;
        let source = source.map_err(|why| ActionError::refused(why, "look again"))?;
        let request = CopyRequest {
            source: source.arn,
            target: target(scope),
            kms_key: scope.text("kms_key").map(str::to_owned),
            tags: scope.tags(),
        };
        created(
            context.writer.copy_snapshot(scope.region, &request).await,
            "DBSnapshotAlreadyExists",
        )
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), target(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::own_id;

    #[test]
    fn only_own_snapshots_of_the_region_are_asked_for_by_identifier() {
        let id = |name| own_id(name, "us-east-1", "123456789012");
        assert_eq!(id("arn:aws:rds:us-east-1:123456789012:snapshot:nightly"), "nightly");
        let automated = "arn:aws:rds:us-east-1:123456789012:snapshot:rds:orders-2026-03-01";
        assert_eq!(id(automated), "rds:orders-2026-03-01");
        for same in [
            "nightly",
            "rds:orders-2026-03-01",
            "arn:aws:rds:us-west-2:123456789012:snapshot:nightly",
            "arn:aws:rds:us-east-1:210987654321:snapshot:nightly",
            "arn:aws:rds:us-east-1:123456789012:db:orders",
            "",
        ] {
            assert_eq!(id(same), same);
        }
    }
}
