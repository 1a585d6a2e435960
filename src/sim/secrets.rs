//! Secrets Manager: the master passwords of the estate's databases.
//!
//! **Invariant:** a secret's versions are functions of the seed and its name; each secret was
//! rotated once, three days before the world begins, so that an older restore point needs
//! `AWSPREVIOUS`.

use crate::base::clock::simulated_epoch;
use crate::base::seed::Seed;
use crate::estate::Database;
use crate::sim::answer::{ApiError, Body, Outcome, epoch_seconds};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::{birth, uuid};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

/// The actions that change something.
pub(in crate::sim) const MUTATING: [&str; 0] = [];

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
    let operation: fn(&Turn<'_>, &Found<'_>, &Value) -> Result<Value, ApiError> =
        match turn.action.as_str() {
            "GetSecretValue" => value,
            "DescribeSecret" => describe,
            "ListSecretVersionIds" => versions,
            _ => return turn.unknown_action(),
        };
    let Some(id) = input["SecretId"].as_str() else {
        return Err(ApiError::sender("ValidationException", "SecretId must not be null"));
    };
    let found = find(turn, id)?;
    operation(turn, &found, &input).map(Body::Json)
}

struct Found<'a> {
    key: &'a str,
    database: &'a Database,
    name: &'a str,
    arn: String,
}

fn find<'a>(turn: &Turn<'a>, id: &str) -> Result<Found<'a>, ApiError> {
    let databases = turn.databases;
    let mut candidates: Vec<(&String, &Database)> = databases
        .iter()
        .filter(|(_, database)| database.region.as_deref() == Some(turn.region.as_str()))
        .collect();
    // A replica shares its source's secret.
    candidates.sort_by_key(|(_, database)| database.replica_of.is_some());
    for (key, database) in candidates {
        let Some(name) = database.secret.as_deref() else { continue };
        let partial =
            format!("arn:aws:secretsmanager:{}:{}:secret:{name}", turn.region, turn.world.account);
        let suffix = turn.world.seed().derive(&format!("secret/{name}/arn")) & 0xff_ffff;
        let arn = format!("{partial}-{suffix:06x}");
        if id == name || id == partial || id == arn {
            return Ok(Found { key, database, name, arn });
        }
    }
    let message = "Secrets Manager can't find the specified secret.";
    Err(ApiError::sender("ResourceNotFoundException", message))
}

fn version_id(turn: &Turn<'_>, found: &Found<'_>, version: Version) -> String {
    uuid(turn.world.seed(), &format!("secret/{}/{}", found.name, version.stage()))
}

fn value(turn: &Turn<'_>, found: &Found<'_>, input: &Value) -> Result<Value, ApiError> {
    let asked = input["VersionStage"].as_str();
    let asked_id = input["VersionId"].as_str();
    let version = [Version::Current, Version::Previous].into_iter().find(|version| {
        let stage = match (asked, asked_id) {
            (None, None) => *version == Version::Current,
            (Some(stage), _) => stage == version.stage(),
            (None, Some(_)) => true,
        };
        stage && asked_id.is_none_or(|id| id == version_id(turn, found, *version))
    });
    let Some(version) = version else {
        let which = match (asked, asked_id) {
            (Some(stage), _) => format!("staging label: {stage}"),
            (None, id) => format!("VersionId: {}", id.unwrap_or_default()),
        };
        let message = format!("Secrets Manager can't find the specified secret value for {which}");
        return Err(ApiError::sender("ResourceNotFoundException", message));
    };
    let database = found.database;
    let id = database.instance.to_lowercase();
    let origin = turn
        .world
        .region(&turn.region)
        .instances
        .get(&id)
        .and_then(|slot| slot.current.as_ref())
        .map_or(found.key, |instance| instance.data.origin.as_str());
    let text = json!({
        "engine": database.engine,
        "username": database.user,
        "password": password(turn.world.seed(), origin, version),
        "host": turn.world.address(&turn.region, &id),
        "port": database.port,
        "dbname": database.database,
        "dbInstanceIdentifier": id,
    });
    Ok(json!({
        "ARN": found.arn,
        "Name": found.name,
        "VersionId": version_id(turn, found, version),
        "SecretString": text.to_string(),
        "VersionStages": [version.stage()],
        "CreatedDate": epoch_seconds(version.created()),
    }))
}

fn describe(turn: &Turn<'_>, found: &Found<'_>, _: &Value) -> Result<Value, ApiError> {
    let stages: serde_json::Map<String, Value> = [Version::Current, Version::Previous]
        .into_iter()
        .map(|version| (version_id(turn, found, version), json!([version.stage()])))
        .collect();
    Ok(json!({
        "ARN": found.arn,
        "Name": found.name,
        "RotationEnabled": true,
        "LastRotatedDate": epoch_seconds(rotated()),
        "LastChangedDate": epoch_seconds(rotated()),
        "CreatedDate": epoch_seconds(birth()),
        "Tags": [],
        "VersionIdsToStages": stages,
    }))
}

fn versions(turn: &Turn<'_>, found: &Found<'_>, _: &Value) -> Result<Value, ApiError> {
    let versions: Vec<Value> = [Version::Current, Version::Previous]
        .into_iter()
        .map(|version| {
            json!({
                "VersionId": version_id(turn, found, version),
                "VersionStages": [version.stage()],
                "CreatedDate": epoch_seconds(version.created()),
            })
        })
        .collect();
    Ok(json!({"ARN": found.arn, "Name": found.name, "Versions": versions}))
}
