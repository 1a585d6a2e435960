//! Keys that are made, disabled, enabled and given up.
//!
//! **Invariant:** AWS's own keys cannot be changed; a key whose deletion is scheduled cannot be used.

use super::{metadata, named};
use crate::sim::answer::{ApiError, epoch_seconds};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use crate::sim::kms::keys::Key;
use crate::sim::services::{KeyChange, KeyState};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Longest description, characters.
const DESCRIPTION: usize = 8192;

/// `CreateKey`: a symmetric one.
pub(super) fn create(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let input = &turn.input;
    let spec = input["KeySpec"].as_str().or(input["CustomerMasterKeySpec"].as_str());
    if spec.is_some_and(|spec| spec != "SYMMETRIC_DEFAULT") || input["MultiRegion"] == true {
        let message = "the simulator makes symmetric keys of one region";
        return Err(ApiError::sender("UnsupportedOperationException", message));
    }
    let description = input["Description"].as_str().unwrap_or_default().to_owned();
    if description.chars().count() > DESCRIPTION {
        return Err(ApiError::sender("ValidationException", "Description takes 8192 characters"));
    }
    let name = format!("kms/{}/created/{}", turn.region, turn.world.requests);
    let id = uuid(turn.world.seed(), &name);
    let arn = format!("arn:aws:kms:{}:{}:key/{id}", turn.region, turn.world.account);
    let (created, state) = (Some(turn.now), KeyState::Enabled);
    let change = KeyChange { created, description, state, deletion: None };
    turn.world.services.keys.insert(arn.clone(), change);
    turn.changed(&arn, "key created");
    let key = super::find(turn.world, turn.databases, &turn.region, &arn)?;
    Ok(json!({ "KeyMetadata": metadata(turn, &key) }))
}

/// `CreateAlias`.
pub(super) fn alias(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let name = turn.input["AliasName"].as_str().unwrap_or_default().to_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    let good = name.strip_prefix("alias/").is_some_and(|rest| !rest.is_empty())
        && name.len() <= 256
        && name.bytes().all(plain);
    if !good || name.starts_with("alias/aws/") {
        let message = format!("{name} is no alias, or one that AWS keeps to itself");
        return Err(ApiError::sender("InvalidAliasNameException", message));
    }
    if super::find(turn.world, turn.databases, &turn.region, &name).is_ok() {
        let message = format!("An alias with the name {name} already exists");
        return Err(ApiError::sender("AlreadyExistsException", message));
    }
    let key = named(turn, "TargetKeyId")?;
    let arn = format!("arn:aws:kms:{}:{}:{name}", turn.region, turn.world.account);
    turn.world.services.aliases.insert(arn, key.arn);
    turn.changed(&name, "alias created");
    Ok(json!({}))
}

/// `EnableKey`, `DisableKey`.
pub(super) fn switch(turn: &mut Turn<'_>, state: KeyState) -> Result<Value, ApiError> {
    let key = changeable(turn)?;
    if key.deletion.is_some() {
        let message = format!("{} is pending deletion.", key.arn);
        return Err(ApiError::sender("KMSInvalidStateException", message));
    }
    put(turn, &key, KeyChange { state, ..as_is(&key) });
    Ok(json!({}))
}

/// `ScheduleKeyDeletion`.
pub(super) fn schedule_deletion(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let key = changeable(turn)?;
    let days = match &turn.input["PendingWindowInDays"] {
        Value::Null => 30,
        given => given.as_i64().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
            let message = "PendingWindowInDays must be between 7 and 30";
            ApiError::sender("ValidationException", message)
        })?,
    };
    if key.deletion.is_some() {
        let message = format!("{} is pending deletion.", key.arn);
        return Err(ApiError::sender("KMSInvalidStateException", message));
    }
    let at = turn.now + TimeDelta::days(days);
    let state = KeyState::PendingDeletion;
    put(turn, &key, KeyChange { state, deletion: Some(at), ..as_is(&key) });
    Ok(json!({
        "KeyId": key.arn,
        "DeletionDate": epoch_seconds(at),
        "KeyState": state.name(),
        "PendingWindowInDays": days,
    }))
}

/// `CancelKeyDeletion`: the key is disabled afterwards.
pub(super) fn cancel_deletion(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let key = changeable(turn)?;
    if key.deletion.is_none() {
        let message = format!("{} is not pending deletion.", key.arn);
        return Err(ApiError::sender("KMSInvalidStateException", message));
    }
    put(turn, &key, KeyChange { state: KeyState::Disabled, deletion: None, ..as_is(&key) });
    Ok(json!({ "KeyId": key.arn }))
}

/// The key that the call names, if it is the customer's. Aliases are not taken here.
fn changeable(turn: &Turn<'_>) -> Result<Key, ApiError> {
    let key = named(turn, "KeyId")?;
    let given = turn.input["KeyId"].as_str().unwrap_or_default();
    if given.contains("alias/") {
        let message = format!("{given} must be a key id or a key ARN");
        return Err(ApiError::sender("InvalidArnException", message));
    }
    if key.managed {
        let message = format!("{} is managed by AWS", key.arn);
        return Err(ApiError::sender("AccessDeniedException", message));
    }
    Ok(key)
}

fn as_is(key: &Key) -> KeyChange {
    KeyChange {
        created: Some(key.created),
        description: key.description.clone(),
        state: key.state,
        deletion: key.deletion,
    }
}

fn put(turn: &mut Turn<'_>, key: &Key, change: KeyChange) {
    let effect = format!("key is {}", change.state.name());
    turn.world.services.keys.insert(key.arn.clone(), change);
    turn.changed(&key.arn, effect);
}
