//! Verbs of Route 53: records compared and swapped, weights shifted, changes waited for, health checks
//! inverted.
//!
//! **Invariant:** a record is changed only from what the runbook, or the read just before, says it is; the
//! answer that names the change, or the zone itself, is what proves it.

mod change_records;
mod check_records;
mod ground;
mod invert_health_check;
mod shift_weights;
#[cfg(test)]
mod tests;
mod wait_in_sync;

pub(super) use change_records::ChangeRecords;
pub(super) use check_records::CheckRecords;
pub(super) use invert_health_check::InvertHealthCheck;
pub(super) use shift_weights::ShiftWeights;
pub(super) use wait_in_sync::WaitInSync;
