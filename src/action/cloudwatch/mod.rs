//! What CloudWatch knows, as conditions.
//!
//! **Invariant:** what CloudWatch did not say is unknown, and never taken for healthy.

mod conditions;
mod looks;
#[cfg(test)]
mod tests;
mod watch;

pub(super) use looks::Looks;
pub(super) use watch::Watch;
