//! Verbs of RDS database instances and their snapshots.
//!
//! **Invariant:** every name and every claim of done comes from an answer of AWS, not from an assumption.

mod check_export;
mod check_replica;
mod check_retention;
mod check_source;
mod copy_snapshot;
mod create_replica;
mod create_snapshot;
mod creation;
mod delete_instance;
mod delete_snapshot;
mod force_failover;
mod lag;
mod modify_instance;
mod promote_replica;
mod promotion;
mod removal;
mod rename_instance;
mod replica_ground;
mod restore_from_snapshot;
mod restore_settings;
mod restore_to_point_in_time;
mod restored;
mod settings_change;
mod snapshot_choice;
mod snapshot_ground;
mod snapshot_key;
mod snapshot_verdict;
#[cfg(test)]
pub(super) mod tests;
mod verify_snapshot;

pub(super) use check_export::CheckExport;
pub(super) use check_replica::CheckReplica;
pub(super) use check_retention::CheckRetention;
pub(super) use check_source::CheckSource;
pub(super) use copy_snapshot::CopySnapshot;
pub(super) use create_replica::CreateReplica;
pub(super) use create_snapshot::CreateSnapshot;
pub(super) use delete_instance::DeleteInstance;
pub(super) use delete_snapshot::DeleteSnapshot;
pub(super) use force_failover::ForceFailover;
pub(super) use modify_instance::ModifyInstance;
pub(super) use promote_replica::PromoteReplica;
pub(super) use rename_instance::RenameInstance;
pub(super) use restore_from_snapshot::RestoreFromSnapshot;
pub(super) use restore_to_point_in_time::RestoreToPointInTime;
pub(super) use verify_snapshot::VerifySnapshot;
