//! Verbs of Secrets Manager.
//!
//! **Invariant:** no value of a secret leaves in an output, a message or a record.

mod endpoint;
mod goal;
mod rotate;
#[cfg(test)]
mod rotating;
mod switch_endpoint;
#[cfg(test)]
mod tests;

pub(super) use rotate::Rotate;
pub(super) use switch_endpoint::SwitchEndpoint;
