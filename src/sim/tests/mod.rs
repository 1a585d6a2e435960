//! The simulator as real AWS SDK clients see it.

mod admin;
mod data;
mod hostile;
mod keys;
mod lifecycle;
mod metrics;
mod notifications;
mod permissions;
mod refusals;
mod secrets;
mod support;
mod troubles;
mod worlds;
