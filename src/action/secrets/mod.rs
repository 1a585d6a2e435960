//! Verbs of Secrets Manager.
//!
//! **Invariant:** no value of a secret leaves in an output, a message or a record.

mod endpoint;
mod goal;
mod switch_endpoint;
#[cfg(test)]
mod tests;

pub(super) use switch_endpoint::SwitchEndpoint;
