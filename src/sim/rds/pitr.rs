//! `RestoreDBInstanceToPointInTime`.
//!
//! **Invariant:** the point lies in the source's restore window at the moment of the call.

use crate::base::clock::{between, format_instant};
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::{Turn, strike};
use crate::sim::faults::FaultKind;
use crate::sim::rds::backups::{self, Backup};
use crate::sim::rds::names;
use crate::sim::rds::restore::{Restore, begin};
use crate::sim::state::Instance;
use crate::sim::world::Window;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Answers the call.
pub(in crate::sim::rds) fn to_point_in_time(turn: &mut Turn<'_>) -> Outcome {
    let target = turn.params.required("TargetDBInstanceIdentifier")?.to_lowercase();
    let latest = turn.params.flag("UseLatestRestorableTime")?.unwrap_or(false);
    let asked = turn.params.instant("RestoreTime")?;
    let combination = |message: &str| ApiError::sender("InvalidParameterCombination", message);
    match (asked, latest) {
        (Some(_), true) => {
            return Err(combination(
                "RestoreTime cannot be specified when UseLatestRestorableTime is true.",
            ));
        }
        (None, false) => {
            return Err(combination(
                "Either RestoreTime or UseLatestRestorableTime must be specified.",
            ));
        }
        (Some(_), false) | (None, true) => {}
    }
    // The window moves between what the caller last read and this call.
    if turn.world.fault(FaultKind::WindowMoved).is_some_and(|fault| fault.struck == 0) {
        strike(turn, FaultKind::WindowMoved);
    }
    let (source, window) = source(turn)?;
    let Some(window) = window else {
        let message = format!("DB instance {} has no backup to restore from yet.", source.id);
        return Err(ApiError::sender("InvalidDBInstanceState", message));
    };
    let point = asked.unwrap_or(window.latest);
    check_window(point, window)?;
    let message = format!("Restored from DB instance {} to {target}", source.id);
    let tags = source.tags.clone();
    let log = log_to_replay(turn, &source, point);
    begin(turn, Restore { source, target, point, log, message, inherited_tags: tags })
}

fn source(turn: &Turn<'_>) -> Result<(Instance, Option<Window>), ApiError> {
    let params = &turn.params;
    let given: Vec<(&str, &str)> = [
        "SourceDBInstanceIdentifier",
        "SourceDbiResourceId",
        "SourceDBInstanceAutomatedBackupsArn",
    ]
    .into_iter()
    .filter_map(|name| Some((name, params.text(name)?)))
    .collect();
    let [(name, value)] = given.as_slice() else {
        let message = "Exactly one of SourceDBInstanceIdentifier, SourceDbiResourceId and \
                       SourceDBInstanceAutomatedBackupsArn must be specified.";
        return Err(ApiError::sender("InvalidParameterCombination", message));
    };
    if *name == "SourceDBInstanceIdentifier" {
        let id = names::instance(turn, name)?;
        let found = turn.world.instance(&turn.region, &id, turn.now)?;
        if found.settings.retention_days == 0 {
            let message = format!(
                "Point In Time Restore is not enabled for DB instance {}: its backup retention \
                 period is 0.",
                found.id
            );
            return Err(ApiError::sender("PointInTimeRestoreNotEnabled", message));
        }
        return Ok((found.clone(), turn.world.window(found, turn.now)));
    }
    backups::all(turn.world, &turn.region, turn.now)
        .into_iter()
        .find(|backup| match *name {
            "SourceDbiResourceId" => backup.instance.resource_id == *value,
            _ => backups::has_arn(turn, backup, value),
        })
        .map(|Backup { instance, window, .. }| (instance, window))
        .ok_or_else(|| backups::not_found(value))
}

fn check_window(point: DateTime<Utc>, window: Window) -> Result<(), ApiError> {
    let refuse = |which: &str, bound: DateTime<Utc>| {
        let message = format!(
            "The specified restore time {} is {which} restorable time {}.",
            format_instant(point),
            format_instant(bound)
        );
        Err(ApiError::sender("InvalidParameterValue", message))
    };
    if point > window.latest {
        return refuse("later than the latest", window.latest);
    }
    if point < window.earliest {
        return refuse("earlier than the earliest", window.earliest);
    }
    Ok(())
}

/// Time between the base backup and the restore point: that much log has to be replayed.
fn log_to_replay(turn: &Turn<'_>, source: &Instance, point: DateTime<Utc>) -> Duration {
    turn.world
        .automated_snapshots(source, turn.now)
        .iter()
        .rev()
        .find(|snapshot| snapshot.started <= point)
        .map_or(Duration::from_secs(43_200), |snapshot| between(snapshot.started, point))
}
