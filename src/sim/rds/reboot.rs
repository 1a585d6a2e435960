//! `RebootDBInstance`, with and without failover.
//!
//! **Invariant:** a failover swaps the zones when it ends, and the API shows the old ones for a while
//! longer; the endpoint's name never changes.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::begin::store;
use crate::sim::rds::render::other_zone;
use crate::sim::rds::{events, keys, names};
use crate::sim::state::{Change, Due, OldZone, Phase, Status};

/// Answers the call.
pub(in crate::sim::rds) fn instance(turn: &mut Turn<'_>) -> Outcome {
    let id = names::instance(turn, "DBInstanceIdentifier")?;
    let mut instance = turn.world.instance(&turn.region, &id, turn.now)?.clone();
    let failover = turn.params.flag("ForceFailover")?.unwrap_or(false);
    if failover && !instance.settings.multi_az {
        let message = "ForceFailover cannot be specified since the instance is not configured \
                       for either MultiAZ or High Availability";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    }
    if instance.status(turn.now) != Status::Available {
        let message = "Instance cannot currently reboot due to an in-progress management operation";
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    }
    if let Some(key) = &instance.kms_key {
        keys::check_enabled(turn, key)?;
    }
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let clockwork = turn.world.clockwork();
    let length = if failover { clockwork.failover(&entity) } else { clockwork.rebooting(&entity) };
    let end = turn.now + to_delta(length);
    instance.reschedule(
        turn.now,
        [Phase::new(turn.now, Status::Rebooting), Phase::new(end, Status::Available)],
    );
    instance.due.push(Due { at: end, change: Change::Rebooted });
    if failover {
        let until = end + to_delta(clockwork.zone_lag(&entity));
        instance.old_zone = Some(OldZone { zone: instance.zone, until });
        instance.zone = other_zone(instance.zone);
        let started = "Multi-AZ instance failover started.";
        let now = turn.now;
        events::note(turn, &id, now, "failover", started);
        events::note(turn, &id, end, "failover", "Multi-AZ instance failover completed");
    }
    events::note(turn, &id, end, "availability", "DB instance restarted");
    store(turn, instance, if failover { "failover" } else { "reboot" }.to_owned())
}
