//! `StopDBInstance` and `StartDBInstance`.
//!
//! **Invariant:** a stopped instance starts by itself after seven days, unless somebody starts or
//! deletes it before.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::begin::store;
use crate::sim::rds::{events, names, snapshots};
use crate::sim::state::{Phase, Status};
use chrono::TimeDelta;

/// How long an instance stays stopped.
const STOPPED_DAYS: i64 = 7;

fn wrong_state(message: String) -> ApiError {
    ApiError::sender("InvalidDBInstanceState", message)
}

/// `StopDBInstance`.
pub(in crate::sim::rds) fn stop(turn: &mut Turn<'_>) -> Outcome {
    let id = names::instance(turn, "DBInstanceIdentifier")?;
    let mut instance = turn.world.instance(&turn.region, &id, turn.now)?.clone();
    if instance.status(turn.now) != Status::Available {
        return Err(wrong_state(format!("Instance {id} is not in available state.")));
    }
    if instance.replica_of.is_some() {
        return Err(wrong_state(format!("Instance {id} is a read replica and cannot be stopped.")));
    }
    if !turn.world.replicas(&turn.region, &instance, turn.now).is_empty() {
        return Err(wrong_state(format!("Instance {id} has read replicas and cannot be stopped.")));
    }
    let snapshot = turn.params.text("DBSnapshotIdentifier").map(str::to_lowercase);
    let from = match snapshot {
        Some(snapshot) => snapshots::take(turn, &instance, &snapshot)?,
        None => turn.now,
    };
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let clockwork = turn.world.clockwork();
    let down = from + to_delta(clockwork.stopping(&entity));
    let starts = down + TimeDelta::days(STOPPED_DAYS);
    let up = starts + to_delta(clockwork.starting(&entity));
    instance.reschedule(
        turn.now,
        [
            Phase::new(turn.now, Status::Stopping),
            Phase::new(down, Status::Stopped),
            Phase::new(starts, Status::Starting),
            Phase::new(up, Status::Available),
        ],
    );
    events::note(turn, &id, down, "notification", "DB instance stopped");
    let message = "DB instance is being started due to it exceeding the maximum allowed time \
                   being stopped.";
    events::note(turn, &id, starts, "notification", message);
    events::note(turn, &id, up, "notification", "DB instance started");
    store(turn, instance, "stopped".to_owned())
}

/// `StartDBInstance`.
pub(in crate::sim::rds) fn start(turn: &mut Turn<'_>) -> Outcome {
    let id = names::instance(turn, "DBInstanceIdentifier")?;
    let mut instance = turn.world.instance(&turn.region, &id, turn.now)?.clone();
    if instance.status(turn.now) != Status::Stopped {
        return Err(wrong_state(format!("Instance {id} is not stopped, it cannot be started.")));
    }
    let entity = format!("rds/{}/{}/{}", turn.region, instance.resource_id, turn.world.requests);
    let up = turn.now + to_delta(turn.world.clockwork().starting(&entity));
    instance.reschedule(
        turn.now,
        [Phase::new(turn.now, Status::Starting), Phase::new(up, Status::Available)],
    );
    events::cancel(turn, &id);
    events::note(turn, &id, up, "notification", "DB instance started");
    store(turn, instance, "started".to_owned())
}
