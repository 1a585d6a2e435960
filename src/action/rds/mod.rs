//! Verbs of RDS database instances.
//!
//! **Invariant:** every name and every claim of done comes from an answer of AWS, not from an assumption.

mod check_source;
mod delete_instance;
mod restore_settings;
mod restore_to_point_in_time;

pub(super) use check_source::CheckSource;
pub(super) use delete_instance::DeleteInstance;
pub(super) use restore_to_point_in_time::RestoreToPointInTime;
