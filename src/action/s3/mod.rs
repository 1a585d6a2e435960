//! Verbs of S3 buckets: whether copies are made and right, and how things come back.
//!
//! **Invariant:** a bucket is judged by what S3 answers and never by what a file says of it.

mod canary;
mod check_replication;
mod check_versioning;
mod compare;
mod finding;
mod judge;
mod remove_canary;
mod restore_versions;
mod rollback;
mod subject;
mod survey;
#[cfg(test)]
mod tests;
mod verify_versions;

pub(super) use canary::{MeasureCanary, Watch};
pub(super) use check_replication::CheckReplication;
pub(crate) use check_versioning::CheckVersioning;
pub(super) use compare::Compare;
pub use finding::{Finding, RULES, Rule, Severity};
pub use judge::{Judgement, judge};
pub(super) use remove_canary::RemoveCanary;
pub(crate) use restore_versions::RestoreVersions;
pub(crate) use rollback::Bulk;
pub use subject::{Destination, Measured, NoSuchBucket, Question, Subject};
pub use survey::{Survey, SurveyedKey};
pub(crate) use verify_versions::VerifyVersions;
