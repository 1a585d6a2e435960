//! Which RDS action is answered where.
//!
//! **Invariant:** an action that is not listed is `InvalidAction`, and the list says of each whether it
//! changes something.

use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;
use crate::sim::rds::{
    backup_replication, backups, catalogue, copy, create, delete, describe, events, exports,
    modify, pitr, power, reboot, replica, restore, snapshots, tags,
};

/// Answers one action.
type Answer = fn(&mut Turn<'_>) -> Outcome;

/// The actions that change nothing.
const READS: [(&str, Answer); 13] = [
    ("DescribeAccountAttributes", catalogue::account),
    ("DescribeDBEngineVersions", catalogue::engine_versions),
    ("DescribeDBInstanceAutomatedBackups", backups::describe),
    ("DescribeDBInstances", describe::instances),
    ("DescribeDBParameterGroups", describe::parameter_groups),
    ("DescribeDBSnapshotAttributes", snapshots::attributes),
    ("DescribeDBSnapshots", snapshots::describe),
    ("DescribeDBSubnetGroups", describe::subnet_groups),
    ("DescribeEvents", events::describe),
    ("DescribeExportTasks", exports::describe),
    ("DescribeOrderableDBInstanceOptions", catalogue::orderable),
    ("DescribeSourceRegions", catalogue::source_regions),
    ("ListTagsForResource", tags::list),
];

/// The actions that change something.
const MUTATIONS: [(&str, Answer); 18] = [
    ("AddTagsToResource", tags::add),
    ("CopyDBSnapshot", copy::snapshot),
    ("CreateDBInstance", create::instance),
    ("CreateDBInstanceReadReplica", replica::create),
    ("CreateDBSnapshot", snapshots::create),
    ("DeleteDBInstance", delete::instance),
    ("DeleteDBInstanceAutomatedBackup", backups::delete),
    ("DeleteDBSnapshot", snapshots::delete),
    ("ModifyDBInstance", modify::instance),
    ("PromoteReadReplica", replica::promote),
    ("RebootDBInstance", reboot::instance),
    ("RemoveTagsFromResource", tags::remove),
    ("RestoreDBInstanceFromDBSnapshot", restore::from_snapshot),
    ("RestoreDBInstanceToPointInTime", pitr::to_point_in_time),
    ("StartDBInstance", power::start),
    ("StartDBInstanceAutomatedBackupsReplication", backup_replication::start),
    ("StopDBInstance", power::stop),
    ("StopDBInstanceAutomatedBackupsReplication", backup_replication::stop),
];

fn find(table: &[(&str, Answer)], action: &str) -> Option<Answer> {
    table.iter().find(|(name, _)| *name == action).map(|(_, answer)| *answer)
}

/// Whether `action` changes something.
pub(in crate::sim) fn mutates(action: &str) -> bool {
    find(&MUTATIONS, action).is_some()
}

/// Answers one RDS call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match find(&READS, &turn.action).or_else(|| find(&MUTATIONS, &turn.action)) {
        Some(answer) => answer(turn),
        None => turn.unknown_action(),
    }
}
