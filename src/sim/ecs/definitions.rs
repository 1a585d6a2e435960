//! Task definitions: families of revisions.
//!
//! **Invariant:** a revision is never changed and never given twice; an inactive one starts nothing new.

use super::page::page;
use super::{arn, invalid};
use crate::sim::answer::{ApiError, epoch_seconds};
use crate::sim::dispatch::Turn;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A revision of a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Definition {
    pub(super) revision: u32,
    pub(super) registered: DateTime<Utc>,
    /// Since when it is INACTIVE.
    pub(super) inactive: Option<DateTime<Utc>>,
}

fn client(message: impl Into<String>) -> ApiError {
    ApiError::sender("ClientException", message)
}

fn family_key(turn: &Turn<'_>, family: &str) -> String {
    format!("{}/{family}", turn.region)
}

/// Family and revision that `name` means: `family:revision`, an ARN of it, or a family, which is its
/// newest active revision.
pub(super) fn find(turn: &Turn<'_>, name: &str) -> Result<(String, Definition), ApiError> {
    let bare = name.rsplit_once("task-definition/").map_or(name, |(_, rest)| rest);
    let (family, revision) =
        match bare.split_once(':') {
            Some((family, revision)) => {
                let number = revision.parse::<u32>();
                (
                    family,
                    Some(number.map_err(|_| {
                        client(format!("Invalid revision number. Number: {revision}"))
                    })?),
                )
            }
            None => (bare, None),
        };
    let known = turn.world.services.ecs.families.get(&family_key(turn, family));
    let mut known = known.map_or([].as_slice(), Vec::as_slice).iter().rev();
    let found = match revision {
        Some(revision) => known.find(|found| found.revision == revision),
        None => known.find(|found| found.inactive.is_none()),
    };
    let found = found.ok_or_else(|| client("Unable to describe task definition."))?;
    Ok((family.to_owned(), found.clone()))
}

/// `arn:aws:ecs:…:task-definition/family:revision`.
pub(super) fn arn_of(turn: &Turn<'_>, definition: &str) -> String {
    arn(turn, &format!("task-definition/{definition}"))
}

fn named(turn: &Turn<'_>) -> Result<(String, Definition), ApiError> {
    let name = turn.input["taskDefinition"].as_str().filter(|name| !name.is_empty());
    find(turn, name.ok_or_else(|| client("taskDefinition can not be blank."))?)
}

fn render(turn: &Turn<'_>, family: &str, found: &Definition) -> Value {
    let revision = found.revision;
    let mut shown = json!({
        "taskDefinitionArn": arn_of(turn, &format!("{family}:{revision}")),
        "family": family,
        "revision": revision,
        "status": if found.inactive.is_some() { "INACTIVE" } else { "ACTIVE" },
        "containerDefinitions": [{
            "name": family,
            "image": format!("{}.dkr.ecr.{}.amazonaws.com/{family}:{revision}", turn.world.account, turn.region),
            "essential": true,
        }],
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "compatibilities": ["EC2", "FARGATE"],
        "cpu": "512",
        "memory": "1024",
        "registeredAt": epoch_seconds(found.registered),
    });
    if let Some(at) = found.inactive {
        shown["deregisteredAt"] = json!(epoch_seconds(at));
    }
    json!({ "taskDefinition": shown })
}

/// `DescribeTaskDefinition`.
pub(super) fn describe(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let (family, found) = named(turn)?;
    Ok(render(turn, &family, &found))
}

/// `ListTaskDefinitions`: of one family or of all, oldest revision first unless `sort` is `DESC`.
pub(super) fn list(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let text = |field: &str| turn.input[field].as_str();
    let inactive = match text("status") {
        None | Some("ACTIVE") => false,
        Some("INACTIVE") => true,
        Some(_) => return Err(invalid("Invalid value for status.")),
    };
    let newest_first = match text("sort") {
        None | Some("ASC") => false,
        Some("DESC") => true,
        Some(_) => return Err(invalid("Invalid value for sort.")),
    };
    let prefix = format!("{}/", turn.region);
    let only = text("familyPrefix");
    let mut all = Vec::new();
    for (key, revisions) in &turn.world.services.ecs.families {
        let Some(family) = key.strip_prefix(&prefix) else { continue };
        if only.is_some_and(|only| only != family) {
            continue;
        }
        let fits = revisions.iter().filter(|found| found.inactive.is_some() == inactive);
        all.extend(fits.map(|found| arn_of(turn, &format!("{family}:{}", found.revision))));
    }
    if newest_first {
        all.reverse();
    }
    page(turn, "taskDefinitionArns", all, 100)
}

/// `RegisterTaskDefinition`: the next revision of its family.
pub(super) fn register(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let family = turn.input["family"].as_str().unwrap_or_default().to_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if family.is_empty() || family.len() > 255 || !family.bytes().all(plain) {
        return Err(client("Family contains invalid characters."));
    }
    if turn.input["containerDefinitions"].as_array().is_none_or(Vec::is_empty) {
        return Err(client("Container list cannot be empty."));
    }
    let key = family_key(turn, &family);
    let revisions = turn.world.services.ecs.families.entry(key).or_default();
    let revision = revisions.iter().map(|found| found.revision).max().unwrap_or(0) + 1;
    let found = Definition { revision, registered: turn.now, inactive: None };
    revisions.push(found.clone());
    turn.changed(&format!("{family}:{revision}"), "task definition registered");
    Ok(render(turn, &family, &found))
}

/// `DeregisterTaskDefinition`: services go on with it, and nothing new begins with it.
pub(super) fn deregister(turn: &mut Turn<'_>) -> Result<Value, ApiError> {
    let (family, found) = named(turn)?;
    let key = family_key(turn, &family);
    let now = turn.now;
    let revisions = turn.world.services.ecs.families.entry(key).or_default();
    for known in revisions.iter_mut().filter(|known| known.revision == found.revision) {
        known.inactive.get_or_insert(now);
    }
    if found.inactive.is_none() {
        turn.changed(&format!("{family}:{}", found.revision), "task definition deregistered");
    }
    let inactive = found.inactive.or(Some(now));
    Ok(render(turn, &family, &Definition { inactive, ..found }))
}
