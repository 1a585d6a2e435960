//! Which RDS action is answered where.
//!
//! **Invariant:** an action that is not listed is `InvalidAction`.

use crate::sim::answer::Outcome;
use crate::sim::dispatch::Turn;
use crate::sim::rds::{backups, delete, describe, events, modify, pitr, restore, snapshots, tags};

/// The actions that change something.
const MUTATING: [&str; 8] = [
    "AddTagsToResource",
    "CreateDBSnapshot",
    "DeleteDBInstance",
    "DeleteDBSnapshot",
    "ModifyDBInstance",
    "RemoveTagsFromResource",
    "RestoreDBInstanceFromDBSnapshot",
    "RestoreDBInstanceToPointInTime",
];

/// Whether `action` changes something.
pub(in crate::sim) fn mutates(action: &str) -> bool {
    MUTATING.contains(&action)
}

/// Answers one RDS call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "DescribeDBInstances" => describe::instances(turn),
        "DescribeDBInstanceAutomatedBackups" => backups::describe(turn),
        "DescribeDBSnapshots" => snapshots::describe(turn),
        "DescribeDBSubnetGroups" => describe::subnet_groups(turn),
        "DescribeDBParameterGroups" => describe::parameter_groups(turn),
        "DescribeEvents" => events::describe(turn),
        "ListTagsForResource" => tags::list(turn),
        "AddTagsToResource" => tags::add(turn),
        "RemoveTagsFromResource" => tags::remove(turn),
        "RestoreDBInstanceToPointInTime" => pitr::to_point_in_time(turn),
        "RestoreDBInstanceFromDBSnapshot" => restore::from_snapshot(turn),
        "CreateDBSnapshot" => snapshots::create(turn),
        "DeleteDBSnapshot" => snapshots::delete(turn),
        "ModifyDBInstance" => modify::instance(turn),
        "DeleteDBInstance" => delete::instance(turn),
        _ => turn.unknown_action(),
    }
}
