//! How an instance comes into being, whatever it is made from.
//!
//! **Invariant:** an instance that a call makes has its identifier, quota, tags and key checked, and
//! all that will happen to it until it is `available` is written down when the call is answered.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::clockwork::Clockwork;
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::genesis::{resource_id, zone};
use crate::sim::rds::choices::{check_identifier, check_tags};
use crate::sim::rds::{events, keys, render};
use crate::sim::state::{Data, Instance, Link, Phase, Settings, Status};
use crate::sim::xml::Xml;
use std::collections::BTreeMap;
use std::time::Duration;

/// `DBInstances` quota of a region.
pub(in crate::sim::rds) const INSTANCE_QUOTA: usize = 40;

/// `AllocatedStorage` quota of a region, GiB.
pub(in crate::sim::rds) const STORAGE_QUOTA_GIB: u64 = 100_000;

/// What a new instance will be.
pub(in crate::sim::rds) struct Blueprint {
    pub(in crate::sim::rds) id: String,
    pub(in crate::sim::rds) engine: String,
    pub(in crate::sim::rds) engine_version: String,
    pub(in crate::sim::rds) db_name: String,
    pub(in crate::sim::rds) user: String,
    pub(in crate::sim::rds) kms_key: Option<String>,
    pub(in crate::sim::rds) replica_of: Option<String>,
    pub(in crate::sim::rds) tags: BTreeMap<String, String>,
    pub(in crate::sim::rds) settings: Settings,
    pub(in crate::sim::rds) data: Data,
    /// Whether blocks are loaded from a backup after it is up.
    pub(in crate::sim::rds) hydrates: bool,
}

/// Refuses what the region or its quotas do not allow, before anything is made.
pub(in crate::sim::rds) fn admit(turn: &Turn<'_>, id: &str) -> Result<(), ApiError> {
    check_identifier("DBInstanceIdentifier", id)?;
    if turn.world.is_taken(&turn.region, id, turn.now) {
        return Err(already_exists());
    }
    if used(turn).0 >= INSTANCE_QUOTA || turn.world.fault(FaultKind::QuotaExceeded).is_some() {
        let message = "Cannot create more database instances because you've reached your \
                       instance quota.";
        return Err(ApiError::sender("InstanceQuotaExceeded", message));
    }
    Ok(())
}

/// `DBInstanceAlreadyExists`.
pub(in crate::sim::rds) fn already_exists() -> ApiError {
    ApiError::sender("DBInstanceAlreadyExists", "DB instance already exists")
}

/// Instances of the call's region, and their storage in GiB.
pub(in crate::sim::rds) fn used(turn: &Turn<'_>) -> (usize, u64) {
    let region = turn.world.region(&turn.region);
    let all = region.instances.values().filter_map(|slot| slot.current.as_ref());
    let there = all.filter(|instance| instance.exists(turn.now));
    there.fold((0, 0), |(count, gib), instance| {
        (count + 1, gib + u64::from(instance.settings.storage_gib))
    })
}

/// The tags of the call, or those inherited; what AWS itself put on the source stays there.
pub(in crate::sim::rds) fn tags(
    turn: &Turn<'_>,
    inherited: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    if let Some(given) = turn.params.tags() {
        check_tags(&given)?;
        return Ok(given);
    }
    let own = |key: &str| !key.to_lowercase().starts_with("aws:");
    let inherited = inherited.iter().filter(|(key, _)| own(key));
    Ok(inherited.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Makes the instance; `creating` takes what `length` draws.
pub(in crate::sim::rds) fn build(
    turn: &mut Turn<'_>,
    plan: Blueprint,
    length: impl FnOnce(Clockwork, &str) -> Duration,
) -> Result<Instance, ApiError> {
    if let Some(key) = &plan.kms_key {
        keys::check_enabled(turn, key)?;
    }
    if used(turn).1 + u64::from(plan.settings.storage_gib) > STORAGE_QUOTA_GIB {
        let message = "Cannot allocate more storage because you've reached your storage quota.";
        return Err(ApiError::sender("StorageQuotaExceeded", message));
    }
    let id = plan.id;
    let generation = {
        let count = turn.region_mut().generations.entry(id.clone()).or_insert(0);
        *count += 1;
        *count
    };
    let entity = format!("rds/{}/{id}/{generation}", turn.region);
    let clockwork = turn.world.clockwork();
    let up = turn.now + to_delta(length(clockwork, &entity));
    let stuck = turn.world.fault(FaultKind::StuckCreating).is_some();
    let failed = turn.world.fault(FaultKind::RestoreFailed).is_some();
    let mut phases = vec![Phase::new(turn.now, Status::Creating)];
    let mut first_backup = None;
    if failed && !stuck {
        phases.push(Phase::new(up, Status::IncompatibleRestore));
    } else if !stuck {
        let mut ready = up;
        if plan.settings.retention_days > 0 {
            phases.push(Phase::new(up, Status::BackingUp));
            ready = up + to_delta(clockwork.backing_up(&entity));
            first_backup = Some(ready);
        }
        phases.push(Phase::new(ready, Status::Available));
    }
    let running = !stuck && !failed;
    let hydration = to_delta(clockwork.hydration(&entity, plan.settings.storage_gib));
    Ok(Instance {
        resource_id: resource_id(turn.world.seed(), &turn.region, &id, generation),
        id,
        engine: plan.engine,
        engine_version: plan.engine_version,
        db_name: plan.db_name,
        user: plan.user,
        kms_key: plan.kms_key,
        zone: asked_zone(turn)?.unwrap_or_else(|| zone(turn.world.seed(), &entity)),
        replica_of: plan.replica_of,
        tags: plan.tags,
        settings: plan.settings,
        pending: None,
        phases,
        created: running.then_some(up),
        first_backup,
        hydration: (running && plan.hydrates).then_some((turn.now, up + hydration)),
        data: plan.data,
        original: false,
        due: Vec::new(),
        old_zone: None,
        old_passwords: Vec::new(),
        link: Link::Following,
        promoted: false,
        resolves_from: None,
    })
}

/// The letter of `AvailabilityZone`.
fn asked_zone(turn: &Turn<'_>) -> Result<Option<char>, ApiError> {
    let Some(asked) = turn.params.text("AvailabilityZone") else { return Ok(None) };
    match asked.strip_prefix(turn.region.as_str()) {
        Some("a") => Ok(Some('a')),
        Some("b") => Ok(Some('b')),
        Some(_) | None => {
            let message = format!("Invalid Availability Zone: {asked}");
            Err(ApiError::sender("InvalidParameterValue", message))
        }
    }
}

/// Puts the new instance in place, with the events of its coming, and answers with it.
pub(in crate::sim::rds) fn place(
    turn: &mut Turn<'_>,
    instance: Instance,
    restored: Option<&str>,
    effect: String,
) -> Outcome {
    announce(turn, &instance, restored);
    store(turn, instance, effect)
}

/// Puts a new or changed instance in place and answers with it.
pub(in crate::sim::rds) fn store(
    turn: &mut Turn<'_>,
    instance: Instance,
    effect: String,
) -> Outcome {
    let mut xml = Xml::default();
    render::instance(&mut xml, turn.world, &turn.region, &instance, turn.now);
    let times = (turn.now, turn.stale_until(&instance.id));
    turn.changed(&instance.id, effect);
    turn.world.put(&turn.region, instance, times);
    Ok(Body::Result(Some(xml)))
}

/// Writes the events of its coming, each at the instant it will happen.
fn announce(turn: &mut Turn<'_>, instance: &Instance, restored: Option<&str>) {
    if let Some(up) = instance.created {
        events::note(turn, &instance.id, up, "creation", "DB instance created");
        if let Some(message) = restored {
            events::note(turn, &instance.id, up, "restoration", message);
        }
        if let Some(end) = instance.first_backup {
            events::note(turn, &instance.id, up, "backup", "Backing up DB instance");
            events::note(turn, &instance.id, end, "backup", "Finished DB instance backup");
        }
    } else if let Some(last) = instance.phases.get(1) {
        let message = "DB instance put into incompatible-restore. RDS recommends that you \
                       initiate a point-in-time-restore";
        events::note(turn, &instance.id, last.from, "failure", message);
    }
}
