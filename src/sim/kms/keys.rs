//! The keys of a region: those of the estate's databases, AWS's own, and those that were created.
//!
//! **Invariant:** a key is one region's; the same alias names another key, or none, elsewhere.

use crate::estate::Database;
use crate::sim::answer::ApiError;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::{birth, key_arn};
use crate::sim::s3;
use crate::sim::services::KeyState;
use crate::sim::state::World;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Keys that AWS manages in every region.
const MANAGED: [&str; 2] = ["alias/aws/rds", "alias/aws/secretsmanager"];

/// A KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Key {
    /// `arn:aws:kms:<region>:<account>:key/<id>`.
    pub(in crate::sim) arn: String,
    /// `alias/shop`, where it has aliases.
    pub(in crate::sim) aliases: Vec<String>,
    /// Whether AWS manages it: such a key cannot be shared between accounts.
    pub(in crate::sim) managed: bool,
    pub(in crate::sim) description: String,
    pub(in crate::sim) created: DateTime<Utc>,
    pub(in crate::sim) state: KeyState,
    pub(in crate::sim) deletion: Option<DateTime<Utc>>,
}

impl Key {
    /// The part of the ARN behind `key/`.
    pub(in crate::sim) fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }
}

/// All keys of a region at the world's time, by ARN.
pub(in crate::sim) fn keys(
    world: &World,
    databases: &BTreeMap<String, Database>,
    region: &str,
) -> BTreeMap<String, Key> {
    let mut keys: BTreeMap<String, Key> = BTreeMap::new();
    let mut add = |name: &str, managed: bool, description: String| {
        let arn = key_arn(world, region, name);
        let key = keys.entry(arn.clone()).or_insert_with(|| Key {
            arn,
            aliases: Vec::new(),
            managed,
            description,
            created: birth(),
            state: KeyState::Enabled,
            deletion: None,
        });
        let alias = name.find("alias/").map(|at| name[at..].to_owned());
        key.aliases.extend(alias.filter(|alias| !key.aliases.contains(alias)));
    };
    for name in MANAGED {
        let service = name.rsplit('/').next().unwrap_or_default();
        add(name, true, format!("Default key that protects data of {service}"));
    }
    for database in databases.values() {
        if let (Some(name), Some(at)) = (&database.kms_key, &database.region)
            && at == region
        {
            add(name, false, format!("Key of estate {}", world.estate));
        }
    }
    for name in s3::keys(world, region) {
        add(&name, false, format!("Key of estate {}", world.estate));
    }
    let here = format!("arn:aws:kms:{region}:");
    for (arn, change) in world.services.keys.iter().filter(|(arn, _)| arn.starts_with(&here)) {
        let key = keys.entry(arn.clone()).or_insert_with(|| Key {
            arn: arn.clone(),
            aliases: Vec::new(),
            managed: false,
            description: change.description.clone(),
            created: change.created.unwrap_or_else(birth),
            state: change.state,
            deletion: None,
        });
        (key.state, key.deletion) = (change.state, change.deletion);
    }
    for (alias, target) in world.services.aliases.iter().filter(|(arn, _)| arn.starts_with(&here)) {
        let name = alias.splitn(6, ':').nth(5).unwrap_or_default();
        keys.entry(target.clone()).and_modify(|key| key.aliases.push(name.to_owned()));
    }
    keys.retain(|_, key| key.deletion.is_none_or(|at| world.time < at));
    if world.fault(FaultKind::KmsDisabled).is_some() {
        let customers = keys.values_mut().filter(|key| !key.managed);
        customers.for_each(|key| key.state = KeyState::Disabled);
    }
    keys
}

/// The key that `name` (id, ARN, alias or alias ARN) means in `region`.
///
/// # Errors
/// `NotFoundException` in KMS's words.
pub(in crate::sim) fn find(
    world: &World,
    databases: &BTreeMap<String, Database>,
    region: &str,
    name: &str,
) -> Result<Key, ApiError> {
    let missing = |message: String| ApiError::sender("NotFoundException", message);
    let prefix = format!("arn:aws:kms:{region}:{}:", world.account);
    let local = match name.strip_prefix("arn:") {
        None => name,
        Some(rest) => match name.strip_prefix(&prefix) {
            Some(local) => local,
            None => {
                let elsewhere = rest.split(':').nth(2).unwrap_or_default();
                return Err(missing(format!("Invalid arn {elsewhere}")));
            }
        },
    };
    let mut all = keys(world, databases, region).into_values();
    if local.starts_with("alias/") {
        return all
            .find(|key| key.aliases.iter().any(|alias| alias == local))
            .ok_or_else(|| missing(format!("Alias {prefix}{local} is not found.")));
    }
    let id = local.strip_prefix("key/").unwrap_or(local);
    let given = |key: &Key| key.id() == id;
    all.find(given).ok_or_else(|| {
        let plausible =
            id.len() >= 32 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if plausible {
            missing(format!("Key '{prefix}key/{id}' does not exist"))
        } else {
            missing(format!("Invalid keyId '{id}'"))
        }
    })
}
