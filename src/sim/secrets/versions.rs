//! Versions of a secret: those that it begins with and those that were put.
//!
//! **Invariant:** at most one version has each of `AWSCURRENT` and `AWSPREVIOUS`; a token that was
//! used puts nothing a second time.

use super::{Secret, Version, password, refused};
use crate::base::digest::Digest;
use crate::sim::answer::{ApiError, epoch_seconds};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use crate::sim::services::PutVersion;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Largest value, bytes.
const LIMIT: usize = 65_536;

/// A version as it is now.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) stages: Vec<String>,
    pub(super) created: DateTime<Utc>,
    text: String,
}

/// All versions, newest first.
pub(super) fn all(turn: &Turn<'_>, secret: &Secret) -> Vec<Known> {
    let put = turn.world.services.secrets.get(&secret.place());
    let put = put.map(|changes| changes.versions.as_slice()).unwrap_or_default();
    let mut known: Vec<Known> = put
        .iter()
        .rev()
        .map(|version| Known {
            id: version.id.clone(),
            stages: Vec::new(),
            created: version.at,
            text: version.text.clone(),
        })
        .collect();
    for version in [Version::Current, Version::Previous] {
        known.push(Known {
            id: uuid(turn.world.seed(), &format!("secret/{}/{}", secret.name, version.stage())),
            stages: Vec::new(),
            created: version.created(),
            text: first_text(turn, secret, version),
        });
    }
    let moved = turn.world.services.secrets.get(&secret.place());
    let (current, previous) = match moved.and_then(|changes| changes.staged.clone()) {
        Some(staged) => staged,
        None => (known[0].id.clone(), known[1].id.clone()),
    };
    for version in &mut known {
        for (id, stage) in [(&current, Version::Current), (&previous, Version::Previous)] {
            if version.id == *id {
                version.stages.push(stage.stage().to_owned());
            }
        }
    }
    known
}

/// The id of the version that is current.
fn current(turn: &Turn<'_>, secret: &Secret) -> String {
    let has = |version: &Known| version.stages.iter().any(|stage| stage == "AWSCURRENT");
    all(turn, secret).into_iter().find(has).map(|version| version.id).unwrap_or_default()
}

/// `UpdateSecretVersionStage` of `AWSCURRENT`: the version that loses it becomes the previous one.
pub(super) fn move_stage(
    turn: &mut Turn<'_>,
    secret: &Secret,
    input: &Value,
) -> Result<Value, ApiError> {
    check_home(turn, secret)?;
    let invalid = |message: String| refused("InvalidParameterException", message);
    if input["VersionStage"] != "AWSCURRENT" {
        return Err(invalid("the simulator moves the stage AWSCURRENT only".to_owned()));
    }
    let Some(to) = input["MoveToVersionId"].as_str() else {
        return Err(invalid("You can't remove AWSCURRENT without moving it.".to_owned()));
    };
    if !all(turn, secret).iter().any(|version| version.id == to) {
        let message = format!("Secrets Manager can't find the specified secret version: {to}.");
        return Err(refused("ResourceNotFoundException", message));
    }
    let now = current(turn, secret);
    let answer = json!({ "ARN": secret.arn, "Name": secret.name });
    if now == to {
        return Ok(answer);
    }
    if input["RemoveFromVersionId"] != now.as_str() {
        return Err(invalid(
            "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently \
             attached to another version."
                .to_owned(),
        ));
    }
    let changes = turn.world.services.secrets.entry(secret.place()).or_default();
    changes.staged = Some((to.to_owned(), now));
    turn.changed(&secret.name, format!("AWSCURRENT moved to version {to}"));
    Ok(answer)
}

fn check_home(turn: &Turn<'_>, secret: &Secret) -> Result<(), ApiError> {
    if secret.home == turn.region {
        return Ok(());
    }
    let message = "Operation not permitted on a replica secret. Call must be made in primary \
                   secret's region.";
    Err(refused("InvalidRequestException", message))
}

/// The text of a version that the secret began with: what RDS writes there.
fn first_text(turn: &Turn<'_>, secret: &Secret, version: Version) -> String {
    let database = &secret.database;
    let id = database.instance.to_lowercase();
    let region = turn.world.region(&secret.home);
    let instance = region.instances.get(&id).and_then(|slot| slot.current.as_ref());
    let origin = instance.map_or(secret.key.as_str(), |instance| instance.data.origin.as_str());
    let (region, writer) = writer(turn, secret);
    json!({
        "engine": database.engine,
        "username": database.user,
        "password": password(turn.world.seed(), origin, version),
        "host": turn.world.address(region, &writer),
        "port": database.port,
        "dbname": database.database,
        "dbInstanceIdentifier": writer,
    })
    .to_string()
}

/// Where applications that read the secret begin with writing: those of a standby, whose database is a
/// read replica, write to its source, in the other region.
fn writer<'a>(turn: &'a Turn<'_>, secret: &'a Secret) -> (&'a str, String) {
    let named = secret.database.replica_of.as_deref();
    let source = named.and_then(|named| {
        let mut all = turn.databases.iter();
        all.find(|(key, it)| key.as_str() == named || it.instance.eq_ignore_ascii_case(named))
    });
    let (home, database) = (secret.home.as_str(), &secret.database);
    match source {
        Some((_, source)) => {
            (source.region.as_deref().unwrap_or(home), source.instance.to_lowercase())
        }
        None => (home, database.instance.to_lowercase()),
    }
}

/// `GetSecretValue`.
pub(super) fn value(turn: &Turn<'_>, secret: &Secret, input: &Value) -> Result<Value, ApiError> {
    let (stage, id) = (input["VersionStage"].as_str(), input["VersionId"].as_str());
    let wanted = |version: &Known| {
        let staged = match (stage, id) {
            (None, None) => version.stages.iter().any(|stage| stage == "AWSCURRENT"),
            (Some(stage), _) => version.stages.iter().any(|known| known == stage),
            (None, Some(_)) => true,
        };
        staged && id.is_none_or(|id| id == version.id)
    };
    let Some(version) = all(turn, secret).into_iter().find(wanted) else {
        let which = match (stage, id) {
            (Some(stage), _) => format!("staging label: {stage}"),
            (None, id) => format!("VersionId: {}", id.unwrap_or_default()),
        };
        let message = format!("Secrets Manager can't find the specified secret value for {which}");
        return Err(refused("ResourceNotFoundException", message));
    };
    Ok(json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "SecretString": version.text,
        "VersionStages": version.stages,
        "CreatedDate": epoch_seconds(version.created),
    }))
}

/// `ListSecretVersionIds`: versions without a stage are deprecated and not listed.
pub(super) fn list(turn: &Turn<'_>, secret: &Secret) -> Value {
    let versions: Vec<Value> = all(turn, secret)
        .into_iter()
        .filter(|version| !version.stages.is_empty())
        .map(|version| {
            json!({
                "VersionId": version.id,
                "VersionStages": version.stages,
                "CreatedDate": epoch_seconds(version.created),
            })
        })
        .collect();
    json!({ "ARN": secret.arn, "Name": secret.name, "Versions": versions })
}

/// `PutSecretValue`: the new version is current, the one before it previous.
pub(super) fn put(turn: &mut Turn<'_>, secret: &Secret, input: &Value) -> Result<Value, ApiError> {
    check_home(turn, secret)?;
    let Some(text) = input["SecretString"].as_str().filter(|text| !text.is_empty()) else {
        let message = "You must provide SecretString; the simulator keeps no SecretBinary.";
        return Err(refused("InvalidParameterException", message));
    };
    if text.len() > LIMIT {
        return Err(refused("ValidationException", "SecretString takes 65536 bytes"));
    }
    let asked = input["VersionStages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if asked.iter().any(|stage| stage != "AWSCURRENT") {
        let message = "the simulator puts new values as AWSCURRENT only";
        return Err(refused("InvalidParameterException", message));
    }
    let token = input["ClientRequestToken"].as_str();
    if token.is_some_and(|token| !(32..=64).contains(&token.len())) {
        return Err(refused(
            "InvalidParameterException",
            "ClientRequestToken has 32 to 64 characters",
        ));
    }
    let place = secret.place();
    let made = format!("secret/{place}/put/{}", turn.world.requests);
    let id = token.map_or_else(|| uuid(turn.world.seed(), &made), str::to_owned);
    match all(turn, secret).into_iter().find(|version| version.id == id) {
        Some(known) if Digest::of(known.text.as_bytes()) != Digest::of(text.as_bytes()) => {
            let message = "You can't use ClientRequestToken with different parameters.";
            return Err(refused("ResourceExistsException", message));
        }
        Some(_) => {}
        None => {
            let version = PutVersion { id: id.clone(), at: turn.now, text: text.to_owned() };
            let before = current(turn, secret);
            let changes = turn.world.services.secrets.entry(place).or_default();
            changes.versions.push(version);
            if let Some(staged) = &mut changes.staged {
                *staged = (id.clone(), before);
            }
            turn.changed(&secret.name, "new version is AWSCURRENT");
        }
    }
    let answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": id,
        "VersionStages": ["AWSCURRENT"],
    });
    Ok(answer)
}
