//! Verbs of S3 buckets: whether copies are made and right, and how things come back.
//!
//! **Invariant:** a bucket is judged by what S3 answers and never by what a file says of it.

mod check_replication;
mod compare;
mod finding;
mod judge;
mod subject;
#[cfg(test)]
mod tests;

pub(super) use check_replication::CheckReplication;
pub(super) use compare::Compare;
pub use finding::{Finding, RULES, Rule, Severity};
pub use judge::{Judgement, judge};
pub use subject::{Destination, Measured, NoSuchBucket, Question, Subject};
