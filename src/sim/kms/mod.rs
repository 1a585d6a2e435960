//! Key Management Service: what a restore asks before it needs a key.
//!
//! **Invariant:** no key material exists; the simulator says whether a key could be used.

mod change;
mod keys;

pub(in crate::sim) use keys::{find, keys};

use crate::sim::answer::{ApiError, Body, Outcome, epoch_seconds};
use crate::sim::dispatch::Turn;
use crate::sim::services::KeyState;
use keys::Key;
use serde_json::{Value, json};

/// The actions that change something.
pub(in crate::sim) const MUTATING: [&str; 6] = [
    "CancelKeyDeletion",
    "CreateAlias",
    "CreateKey",
    "DisableKey",
    "EnableKey",
    "ScheduleKeyDeletion",
];

/// Most aliases on a page.
const PAGE: u64 = 50;

/// Answers one KMS call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "DescribeKey" => describe(turn),
        "ListAliases" => aliases(turn),
        "ListKeys" => list(turn),
        "CreateKey" => change::create(turn),
        "CreateAlias" => change::alias(turn),
        "EnableKey" => change::switch(turn, KeyState::Enabled),
        "DisableKey" => change::switch(turn, KeyState::Disabled),
        "ScheduleKeyDeletion" => change::schedule_deletion(turn),
        "CancelKeyDeletion" => change::cancel_deletion(turn),
        _ => turn.unknown_action(),
    }
    .map(Body::Json)
}

/// The key that the call names in `field`.
fn named(turn: &Turn<'_>, field: &str) -> Result<Key, ApiError> {
    let name = turn.input[field].as_str().unwrap_or_default();
    if name.is_empty() || name.len() > 2048 {
        let message = format!(
            "1 validation error detected: Value '' at '{field}' failed to satisfy constraint: \
             Member must have length between 1 and 2048"
        );
        return Err(ApiError::sender("ValidationException", message));
    }
    find(turn.world, turn.databases, &turn.region, name)
}

fn describe(turn: &Turn<'_>) -> Result<Value, ApiError> {
    Ok(json!({ "KeyMetadata": metadata(turn, &named(turn, "KeyId")?) }))
}

fn metadata(turn: &Turn<'_>, key: &Key) -> Value {
    let mut metadata = json!({
        "AWSAccountId": turn.world.account,
        "KeyId": key.id(),
        "Arn": key.arn,
        "CreationDate": epoch_seconds(key.created),
        "Enabled": key.state == KeyState::Enabled,
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state.name(),
        "Origin": "AWS_KMS",
        "KeyManager": if key.managed { "AWS" } else { "CUSTOMER" },
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    });
    if let Some(at) = key.deletion {
        metadata["DeletionDate"] = json!(epoch_seconds(at));
    }
    metadata
}

fn aliases(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let only = match &turn.input["KeyId"] {
        Value::Null => None,
        _ => Some(named(turn, "KeyId")?.arn),
    };
    let mut all: Vec<(String, Value)> = Vec::new();
    for key in keys(turn.world, turn.databases, &turn.region).into_values() {
        if only.as_ref().is_some_and(|arn| *arn != key.arn) {
            continue;
        }
        for alias in &key.aliases {
            let entry = json!({
                "AliasName": alias,
                "AliasArn":
                    format!("arn:aws:kms:{}:{}:{alias}", turn.region, turn.world.account),
                "TargetKeyId": key.id(),
                "CreationDate": epoch_seconds(key.created),
                "LastUpdatedDate": epoch_seconds(key.created),
            });
            all.push((alias.clone(), entry));
        }
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    page(turn, "Aliases", all)
}

fn list(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let all = keys(turn.world, turn.databases, &turn.region).into_values();
    let entry = |key: Key| {
        let value = json!({ "KeyId": key.id(), "KeyArn": key.arn });
        (key.arn, value)
    };
    page(turn, "Keys", all.map(entry).collect())
}

/// One page of `all`, which is sorted by name; a marker is the last name of the page before.
fn page(turn: &Turn<'_>, field: &str, all: Vec<(String, Value)>) -> Result<Value, ApiError> {
    let limit = match &turn.input["Limit"] {
        Value::Null => PAGE,
        given => given.as_u64().filter(|limit| (1..=1000).contains(limit)).ok_or_else(|| {
            ApiError::sender("ValidationException", "Limit must be between 1 and 1000")
        })?,
    };
    let after = turn.input["Marker"].as_str();
    let mut rest = all
        .into_iter()
        .skip_while(|(name, _)| after.is_some_and(|marker| name.as_str() <= marker))
        .peekable();
    let mut shown = Vec::new();
    let mut last = None;
    while let Some((name, value)) = rest.next_if(|_| (shown.len() as u64) < limit) {
        shown.push(value);
        last = Some(name);
    }
    let more = rest.peek().is_some();
    let mut answer = json!({ field: shown, "Truncated": more });
    if let (true, Some(last)) = (more, last) {
        answer["NextMarker"] = json!(last);
    }
    Ok(answer)
}
