//! Secrets in other regions.
//!
//! **Invariant:** a replica has its primary's versions and cannot be changed.

use super::{Secret, refused};
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::kms;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// How long a new replica is `InProgress`.
const COPYING: TimeDelta = TimeDelta::seconds(20);

/// Whether the secret `name` of `home` has a replica in the call's region.
pub(super) fn is_in(turn: &Turn<'_>, home: &str, name: &str) -> bool {
    let changes = turn.world.services.secrets.get(&format!("{home}/{name}"));
    let since = changes.and_then(|changes| changes.replicas.get(&turn.region));
    since.is_some_and(|since| is_there(turn, *since))
}

fn is_there(turn: &Turn<'_>, since: DateTime<Utc>) -> bool {
    turn.now >= since + COPYING
}

/// `ReplicationStatus`.
pub(super) fn status(turn: &Turn<'_>, secret: &Secret) -> Vec<Value> {
    let changes = turn.world.services.secrets.get(&secret.place());
    let replicas = changes.map(|changes| changes.replicas.iter()).into_iter().flatten();
    replicas
        .map(|(region, since)| {
            let word = if is_there(turn, *since) { "InSync" } else { "InProgress" };
            json!({ "Region": region, "Status": word, "KmsKeyId": "alias/aws/secretsmanager" })
        })
        .collect()
}

/// `ReplicateSecretToRegions`.
pub(super) fn replicate(
    turn: &mut Turn<'_>,
    secret: &Secret,
    input: &Value,
) -> Result<Value, ApiError> {
    let invalid = |message: String| refused("InvalidParameterException", message);
    if secret.home != turn.region {
        let message = "Operation not permitted on a replica secret. Call must be made in primary \
                       secret's region.";
        return Err(refused("InvalidRequestException", message));
    }
    let wanted = input["AddReplicaRegions"].as_array().filter(|list| !list.is_empty());
    let wanted = wanted.ok_or_else(|| invalid("AddReplicaRegions must not be empty".to_owned()))?;
    let mut regions = Vec::new();
    for replica in wanted {
        let region = replica["Region"].as_str().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.split('-').count() < 3 || !region.bytes().all(plain) {
            return Err(invalid(format!("`{region}` is no region")));
        }
        if region == secret.home {
            let message = format!("Invalid replica region {region}: it is the primary's region");
            return Err(invalid(message));
        }
        if let Some(key) = replica["KmsKeyId"].as_str() {
            kms::find(turn.world, turn.databases, region, key)
                .map_err(|error| invalid(format!("KmsKeyId in {region}: {}", error.message)))?;
        }
        regions.push(region.to_owned());
    }
    let now = turn.now;
    for region in regions {
        let changes = turn.world.services.secrets.entry(secret.place()).or_default();
        if changes.replicas.contains_key(&region) {
            continue;
        }
        changes.replicas.insert(region.clone(), now);
        turn.changed(&secret.name, format!("replica in {region} begun"));
    }
    let mut answer = json!({ "ARN": secret.arn });
    answer["ReplicationStatus"] = json!(status(turn, secret));
    Ok(answer)
}
