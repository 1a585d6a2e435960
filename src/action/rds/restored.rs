//! Judges the instance that a restore of either kind made.
//!
//! **Invariant:** an instance that is public, not encrypted as its origin, or not this run's is never
//! handed over.

use super::restore_settings::settings;
use crate::action::context::StepScope;
use crate::action::outcome::{Done, Observation, Verdict};
use crate::action::spec::{Field, Reversibility};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::DbInstance;
use crate::cloud::tags::{OWNER_TAG, RUN_TAG};
use std::collections::BTreeMap;
use std::time::Duration;

/// What users and AWS report for restores of real sizes (aws-semantics: "15-60+ min usual").
pub(super) const CITED: (Duration, Duration, &str) = (
    Duration::from_secs(8 * 60),
    Duration::from_secs(60 * 60),
    "AWS and users: 8-12 min for a tiny instance, 15-60 min usual, hours possible",
);

/// What the data was restored from, as far as the new instance must be like it.
pub(super) struct Origin<'a> {
    /// Its identifier, for messages.
    pub(super) name: &'a str,
    /// Whether it is encrypted.
    pub(super) encrypted: bool,
    /// Its KMS key; `None` when it has none, or none is known any more.
    pub(super) kms_key: Option<&'a str>,
}

/// The outputs of both restores.
pub(super) fn outputs() -> Vec<Field> {
    vec![
        Field::required("instance", Type::String, "identifier of the new instance"),
        Field::required("resource_id", Type::String, "its DbiResourceId"),
        Field::required("endpoint_host", Type::String, "host name it listens on"),
        Field::required("endpoint_port", Type::Int, "port it listens on"),
        Field::required("restore_time", Type::Time, "the instant it was restored to"),
        Field::optional("storage_percent", Type::Int, "storage loaded so far, percent"),
        Field::required("expires_at", Type::Time, "its tag drctl:expires"),
    ]
}

/// How both restores are taken back.
pub(super) fn undo() -> Reversibility {
    Reversibility::UndoneBy {
        action: "rds.delete_instance",
        inputs: |_, outputs| {
            let instance = outputs.get("instance").cloned().unwrap_or(Value::Null);
            Values::from([("instance".to_owned(), instance)])
        },
    }
}

/// Whose something of our name is, when it is not this run's.
pub(super) fn foreign(
    scope: &StepScope<'_>,
    id: &str,
    tags: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let owner = tags.get(RUN_TAG).map(String::as_str);
    if owner == Some(scope.run.as_str()) {
        return None;
    }
    let whose = owner.map_or_else(
        || "it carries no drctl:run tag".to_owned(),
        |run| match tags.get(OWNER_TAG) {
            Some(owner) => format!("it belongs to run {run} of {owner}"),
            None => format!("it belongs to run {run}"),
        },
    );
    let why = format!("`{id}` exists and is not this run's: {whose}");
    Some((why, "find out who made it; drctl touches only what its own run created".to_owned()))
}

/// What is wrong with a restored instance that AWS calls usable.
fn violation(origin: &Origin<'_>, restored: &DbInstance) -> Option<(String, String)> {
    let id = &restored.id;
    if restored.publicly_accessible != Some(false) {
        let why = format!("`{id}` is publicly accessible, or AWS does not say that it is not");
        return Some((why, format!("delete `{id}`; it must never have a public address")));
    }
    if origin.encrypted && !restored.storage_encrypted {
        let why = format!("`{id}` is not encrypted although `{}` is", origin.name);
        return Some((why, format!("delete `{id}`")));
    }
    if origin.kms_key.is_some_and(|key| restored.kms_key_id.as_deref() != Some(key)) {
        let why = format!("`{id}` has another KMS key than `{}`", origin.name);
        return Some((
            why,
            "compare the keys of both; a restore keeps the key of what it is made from".to_owned(),
        ));
    }
    None
}

/// Storage progress in steps of ten, so that a poll is journaled only when something moved.
fn loading(instance: &DbInstance) -> Option<i32> {
    let operation = instance.storage_operation.as_ref()?;
    operation
        .status
        .eq_ignore_ascii_case("initializing")
        .then(|| operation.percent.unwrap_or(0) / 10 * 10)
}

/// What can be said of an instance that cannot be used: not ours, broken, or still being made.
pub(super) fn unusable(scope: &StepScope<'_>, found: &DbInstance) -> Option<Observation> {
    if let Some((why, help)) = foreign(scope, &found.id, &found.tags) {
        return Some(Observation::Broken { why, help });
    }
    if found.is_broken() {
        let why = format!("`{}` ended as `{}`", found.id, found.status);
        let help =
            "read its events (DescribeEvents); restore again, to another instant or from another \
             snapshot"
                .to_owned();
        return Some(Observation::Broken { why, help });
    }
    (found.endpoint.is_none() || !found.is_usable())
        .then(|| Observation::InProgress { state: found.status.clone(), milestone: None })
}

/// Judges a usable instance whose data is of `restore_time`.
pub(super) fn judge(
    scope: &StepScope<'_>,
    origin: &Origin<'_>,
    restore_time: Value,
    found: DbInstance,
) -> Observation {
    let endpoint = found.endpoint.clone().expect("only usable instances are judged");
    if let Some((why, help)) = violation(origin, &found) {
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
        ("restore_time".to_owned(), restore_time),
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
