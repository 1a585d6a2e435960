//! Secrets Manager: the master passwords of the estate's databases.
//!
//! **Invariant:** the versions that a secret begins with are functions of the seed and its name; each
//! was rotated once, three days before the world begins, so that an older restore point needs
//! `AWSPREVIOUS`. Putting a value changes the secret and no database.

mod replicas;
mod rotate;
mod versions;

use crate::base::clock::simulated_epoch;
use crate::base::seed::Seed;
use crate::estate::Database;
use crate::sim::answer::{ApiError, Body, Outcome, epoch_seconds};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::birth;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// The actions that change something.
pub(in crate::sim) const MUTATING: [&str; 4] =
    ["PutSecretValue", "ReplicateSecretToRegions", "RotateSecret", "UpdateSecretVersionStage"];

/// A version of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Version {
    Current,
    Previous,
}

impl Version {
    fn stage(self) -> &'static str {
        match self {
            Self::Current => "AWSCURRENT",
            Self::Previous => "AWSPREVIOUS",
        }
    }

    fn created(self) -> DateTime<Utc> {
        match self {
            Self::Current => rotated(),
            Self::Previous => birth(),
        }
    }
}

/// When every secret was rotated.
pub(in crate::sim) fn rotated() -> DateTime<Utc> {
    simulated_epoch() - TimeDelta::days(3)
}

/// The master password of `origin` in a version.
pub(in crate::sim) fn password(seed: Seed, origin: &str, version: Version) -> String {
    let mut random = seed.stream(&format!("secret/{origin}/{}", version.stage()));
    (0..24).map(|_| random.alphanumeric()).collect()
}

/// Answers one Secrets Manager call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    let input = std::mem::take(&mut turn.input);
    let operation: fn(&mut Turn<'_>, &Secret, &Value) -> Result<Value, ApiError> =
        match turn.action.as_str() {
            "GetSecretValue" => |turn, secret, input| versions::value(turn, secret, input),
            "DescribeSecret" => |turn, secret, _| Ok(describe(turn, secret)),
            "ListSecretVersionIds" => |turn, secret, _| Ok(versions::list(turn, secret)),
            "PutSecretValue" => versions::put,
            "RotateSecret" => rotate::rotate,
            "UpdateSecretVersionStage" => versions::move_stage,
            "ReplicateSecretToRegions" => replicas::replicate,
            "ListSecrets" => return list(turn, &input).map(Body::Json),
            _ => return turn.unknown_action(),
        };
    let Some(id) = input["SecretId"].as_str() else {
        return Err(ApiError::sender("ValidationException", "SecretId must not be null"));
    };
    let secret = find(turn, id)?;
    operation(turn, &secret, &input).map(Body::Json)
}

/// A secret as one region sees it.
struct Secret {
    /// The estate's database that it belongs to.
    key: String,
    database: Database,
    name: String,
    arn: String,
    /// Where it was made; elsewhere it is a replica and read-only.
    home: String,
}

impl Secret {
    /// Its key among the secrets that were changed.
    fn place(&self) -> String {
        format!("{}/{}", self.home, self.name)
    }
}

fn refused(code: &str, message: impl Into<String>) -> ApiError {
    ApiError::sender(code, message)
}

/// The secrets of the call's region by name, replicas included.
fn all(turn: &Turn<'_>) -> Vec<Secret> {
    let mut candidates: Vec<(&String, &Database)> = turn.databases.iter().collect();
    // A replica of a database shares its source's secret.
    candidates.sort_by_key(|(_, database)| database.replica_of.is_some());
    let mut found: Vec<Secret> = Vec::new();
    for (key, database) in candidates {
        let (Some(name), Some(home)) = (&database.secret, &database.region) else { continue };
        let known = found.iter().any(|secret| secret.name == *name);
        if known || !(*home == turn.region || replicas::is_in(turn, home, name)) {
            continue;
        }
        let suffix = turn.world.seed().derive(&format!("secret/{name}/arn")) & 0xff_ffff;
        let arn = format!("{}{suffix:06x}", partial_arn(turn, name) + "-");
        let (key, name, home) = (key.clone(), name.clone(), home.clone());
        found.push(Secret { key, database: database.clone(), name, arn, home });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// An ARN without the six characters that AWS adds, which AWS accepts too.
fn partial_arn(turn: &Turn<'_>, name: &str) -> String {
    format!("arn:aws:secretsmanager:{}:{}:secret:{name}", turn.region, turn.world.account)
}

fn find(turn: &Turn<'_>, id: &str) -> Result<Secret, ApiError> {
    let named = |secret: &Secret| {
        id == secret.name || id == secret.arn || id == partial_arn(turn, &secret.name)
    };
    all(turn).into_iter().find(named).ok_or_else(|| {
        let message = "Secrets Manager can't find the specified secret.";
        refused("ResourceNotFoundException", message)
    })
}

fn describe(turn: &Turn<'_>, secret: &Secret) -> Value {
    let versions = versions::all(turn, secret);
    let stages: serde_json::Map<String, Value> = versions
        .iter()
        .filter(|version| !version.stages.is_empty())
        .map(|version| (version.id.clone(), json!(version.stages)))
        .collect();
    let changed = versions.iter().map(|version| version.created).max().unwrap_or_else(rotated);
    let mut description = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "RotationEnabled": true,
        "LastRotatedDate": epoch_seconds(rotated()),
        "LastChangedDate": epoch_seconds(changed),
        "CreatedDate": epoch_seconds(birth()),
        "Tags": [],
        "VersionIdsToStages": stages,
    });
    let replication = replicas::status(turn, secret);
    if !replication.is_empty() {
        description["PrimaryRegion"] = json!(secret.home);
        description["ReplicationStatus"] = json!(replication);
    }
    description
}

/// Most secrets on a page.
const PAGE: usize = 100;

fn list(turn: &Turn<'_>, input: &Value) -> Result<Value, ApiError> {
    let invalid = |message: &str| refused("InvalidParameterException", message);
    let most = match &input["MaxResults"] {
        Value::Null => PAGE,
        given => given
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| (1..=PAGE).contains(count))
            .ok_or_else(|| invalid("MaxResults must be between 1 and 100"))?,
    };
    let after = match &input["NextToken"] {
        Value::Null => None,
        Value::String(token) => Some(token),
        _ => return Err(refused("InvalidNextTokenException", "Invalid next token.")),
    };
    let mut wanted: Vec<&str> = Vec::new();
    for filter in input["Filters"].as_array().map(Vec::as_slice).unwrap_or_default() {
        if filter["Key"] != "name" {
            return Err(invalid("the simulator filters secrets by name"));
        }
        let values = filter["Values"].as_array().map(Vec::as_slice).unwrap_or_default();
        wanted.extend(values.iter().filter_map(Value::as_str));
    }
    let mut rest = all(turn)
        .into_iter()
        .filter(|secret| after.is_none_or(|token| secret.name > *token))
        .filter(|secret| {
            wanted.is_empty() || wanted.iter().any(|start| secret.name.starts_with(start))
        });
    let page: Vec<Secret> = rest.by_ref().take(most).collect();
    let shown: Vec<Value> = page
        .iter()
        .map(|secret| {
            let mut entry = describe(turn, secret);
            entry["SecretVersionsToStages"] = entry["VersionIdsToStages"].take();
            for absent in ["VersionIdsToStages", "ReplicationStatus"] {
                entry.as_object_mut().map(|entry| entry.remove(absent));
            }
            entry
        })
        .collect();
    let mut answer = json!({ "SecretList": shown });
    if let (Some(_), Some(last)) = (rest.next(), page.last()) {
        answer["NextToken"] = json!(last.name);
    }
    Ok(answer)
}
