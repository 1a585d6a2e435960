//! `rds.verify_snapshot`: is there a snapshot that could be restored from, and which one?
//!
//! **Invariant:** read-only; the snapshot that planning chose is the one that the run judges, and one that
//! is gone by then is a failure, never another choice.

use super::snapshot_key::KeyState;
use super::snapshot_verdict::{Found, look, problems, warnings};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::{between, format_instant};
use crate::base::duration::human;
use crate::base::value::{Type, Value, Values};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct VerifySnapshot {
    spec: ActionSpec,
}

impl Default for VerifySnapshot {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.verify_snapshot",
            summary: "Checks that an instance has a snapshot to restore from (newest, named, or \
                      drawn at random): available, encrypted, young enough, its key usable.",
            kind: ActionKind::Check,
            inputs: inputs(),
            outputs: outputs(),
            calls: &["rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "kms:DescribeKey"],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "aws rds describe-db-snapshots --region {region} \
                      --db-instance-identifier {instance} \
                      --query 'reverse(sort_by(DBSnapshots,&SnapshotCreateTime))'\n\
                      # Status must be available, Encrypted true, SnapshotCreateTime young enough.\n\
                      aws kms describe-key --region {region} --key-id {kms_key}\n\
                      # KeyState must be Enabled.",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn inputs() -> Vec<Field> {
    vec![
        Field::required(
            "instance",
            Type::String,
            "instance whose snapshots are meant; it may be gone",
        ),
        Field::optional("snapshot", Type::String, "identifier or ARN of the one that is meant"),
        Field::optional(
            "pick",
            Type::OneOf(&["newest", "random"]),
            "which one when none is named; `newest` when absent",
        ),
        Field::optional("window", Type::Duration, "how far back `random` reaches; 7d when absent"),
        Field::optional(
            "max_age",
            Type::Duration,
            "oldest acceptable data of the named snapshot, else of the newest one there is",
        ),
    ]
}

fn outputs() -> Vec<Field> {
    vec![
        Field::required("snapshot", Type::String, "identifier of the snapshot"),
        Field::required("arn", Type::String, "its ARN"),
        Field::required("instance", Type::String, "the instance it is of"),
        Field::required("created_at", Type::Time, "when it was taken, or copied into this region"),
        Field::required("data_at", Type::Time, "the instant its data is of"),
        Field::required("age", Type::Duration, "age of its data"),
        Field::required("encrypted", Type::Bool, "whether it is encrypted"),
        Field::optional("kms_key", Type::String, "KMS key ARN"),
        Field::required("type", Type::String, "automated, manual, awsbackup"),
        Field::required("size_gib", Type::Int, "allocated storage, GiB"),
        Field::required("engine_version", Type::String, "engine version"),
        Field::required("chosen", Type::Bool, "whether it was asked for rather than the newest"),
        Field::optional("retained_until", Type::Time, "when its retention ends, if it has one"),
    ]
}

fn values(scope: &StepScope<'_>, found: &Found) -> Values {
    let snapshot = found.snapshot();
    let time = |at: Option<DateTime<Utc>>| match at {
        Some(at) => Value::Time(at),
        None => Value::Unknown(format!("AWS gives `{}` no time yet", snapshot.id)),
    };
    let age = match snapshot.data_at() {
        Some(at) => Value::Duration(between(at, scope.now)),
        None => time(None),
    };
    Values::from([
        ("snapshot".to_owned(), Value::text(&snapshot.id)),
        ("arn".to_owned(), Value::text(&snapshot.arn)),
        ("instance".to_owned(), Value::text(&snapshot.instance)),
        ("created_at".to_owned(), time(snapshot.created_at)),
        ("data_at".to_owned(), time(snapshot.data_at())),
        ("age".to_owned(), age),
        ("encrypted".to_owned(), Value::Bool(snapshot.encrypted)),
        ("kms_key".to_owned(), Value::optional(snapshot.kms_key_id.clone())),
        ("type".to_owned(), Value::text(&snapshot.kind)),
        ("size_gib".to_owned(), Value::Int(snapshot.storage_gib.into())),
        ("engine_version".to_owned(), Value::text(&snapshot.engine_version)),
        ("chosen".to_owned(), Value::Bool(found.chosen)),
        ("retained_until".to_owned(), Value::optional(found.retained_until())),
    ])
}

/// What is predicted and compared after.
fn observed(found: &Found) -> BTreeMap<String, Json> {
    let snapshot = found.snapshot();
    let mut map = BTreeMap::from([
        ("snapshot".to_owned(), json!(snapshot.id)),
        ("encrypted".to_owned(), json!(snapshot.encrypted)),
        ("key_state".to_owned(), json!(found.key.word())),
    ]);
    if let Some(at) = snapshot.data_at() {
        map.insert("data_at".to_owned(), json!(format_instant(at)));
    }
    map
}

fn evidence(scope: &StepScope<'_>, found: &Found) -> Vec<(String, String, String)> {
    let snapshot = found.snapshot();
    let shown =
        |at: Option<DateTime<Utc>>| at.map_or_else(|| "not said".to_owned(), format_instant);
    let age = snapshot.data_at().map(|at| human(between(at, scope.now)));
    let seen = |name: &str, value: String, from: &str| {
        (format!("snapshot.{name}"), value, from.to_owned())
    };
    let rds = "DescribeDBSnapshots";
    vec![
        seen("id", snapshot.id.clone(), rds),
        seen("how_chosen", found.choice.how.clone(), rds),
        seen("type", snapshot.kind.clone(), rds),
        seen("status", snapshot.status.clone(), rds),
        seen("created_at", shown(snapshot.created_at), rds),
        seen("data_at", shown(snapshot.data_at()), rds),
        seen("age", age.unwrap_or_else(|| "not known".to_owned()), rds),
        seen("newest_data_at", shown(found.newest_at), rds),
        seen("encrypted", snapshot.encrypted.to_string(), rds),
        seen("key_state", found.key.word().to_owned(), "DescribeKey"),
    ]
}

/// Facts that a stored plan rests on.
fn facts(region: &str, found: &Found) -> BTreeMap<String, String> {
    let snapshot = found.snapshot();
    let key = |name: &str| format!("rds {region} snapshot {} {name}", snapshot.id);
    let at = snapshot.data_at().map_or_else(|| "none".to_owned(), format_instant);
    BTreeMap::from([
        (key("data at"), at),
        (key("status"), snapshot.status.clone()),
        (key("KMS key"), snapshot.kms_key_id.clone().unwrap_or_else(|| "none".to_owned())),
        (key("key state"), found.key.word().to_owned()),
    ])
}

fn details(scope: &StepScope<'_>, found: &Found) -> Vec<String> {
    let snapshot = found.snapshot();
    let age = snapshot
        .data_at()
        .map(|at| format!("data of {}, {} old", format_instant(at), human(between(at, scope.now))));
    let mut list = vec![
        format!("`{}`: {}", snapshot.id, found.choice.how),
        age.unwrap_or_else(|| "its instant is not known yet".to_owned()),
        format!(
            "{}, {}, {} GiB, engine {}, encrypted: {}, key {}",
            snapshot.kind,
            snapshot.status,
            snapshot.storage_gib,
            snapshot.engine_version,
            snapshot.encrypted,
            found.key.word()
        ),
    ];
    if let Some(until) = found.retained_until() {
        list.push(format!("kept until {}", format_instant(until)));
    }
    if found.instance.is_none() {
        list.push(format!("`{}` itself is not there", snapshot.instance));
    }
    list
}

#[async_trait]
impl Action for VerifySnapshot {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(5), "four read calls"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let found = match look(context).await? {
            Ok(found) => found,
            Err((why, help)) => {
                return Ok(Preview {
                    summary: format!("check the snapshots of `{name}`"),
                    wont: Some(format!("{why}; {help}")),
                    outputs: self.spec.unknown_outputs(&why),
                    ..Preview::default()
                });
            }
        };
        // A snapshot that an earlier step will take has no instant yet.
        let foreseen = found.snapshot().is_available() && found.snapshot().data_at().is_none();
        let wont = match problems(scope, &found).first() {
            Some((why, help)) if !foreseen => Some(format!("{why}; {help}")),
            Some(_) | None => None,
        };
        Ok(Preview {
            wont,
            summary: format!("check snapshot `{}` of `{name}`", found.snapshot().id),
            details: details(scope, &found),
            warnings: warnings(scope, &found),
            predictions: observed(&found),
            outputs: values(scope, &found),
            facts: if foreseen { BTreeMap::new() } else { facts(scope.region, &found) },
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let found = match look(context).await? {
            Ok(found) => found,
            Err((why, help)) => {
                let verdict = Verdict::Fail { why, help: help.to_owned() };
                return Ok(Observation::Done(Done { verdict, ..Done::default() }));
            }
        };
        let (problems, warnings) = (problems(scope, &found), warnings(scope, &found));
        let verdict = match (problems.first(), warnings.is_empty()) {
            (Some((_, help)), _) => {
                let help = match &found.key {
                    KeyState::Unusable { help, .. } => help.clone(),
                    KeyState::NoKey | KeyState::Usable(_) | KeyState::NotReadable(_) => {
                        (*help).to_owned()
                    }
                };
                let whys: Vec<&str> = problems.iter().map(|(why, _)| why.as_str()).collect();
                Verdict::Fail { why: whys.join("; "), help }
            }
            (None, false) => Verdict::Warn(warnings),
            (None, true) => Verdict::Pass,
        };
        Ok(Observation::Done(Done {
            outputs: values(scope, &found),
            verdict,
            milestone: None,
            observed: observed(&found),
            evidence: evidence(scope, &found),
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("rds.verify_snapshot only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
