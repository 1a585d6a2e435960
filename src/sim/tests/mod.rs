//! The simulator as real AWS SDK clients see it.

mod data;
mod hostile;
mod keys;
mod lifecycle;
mod metrics;
mod notifications;
mod permissions;
mod refusals;
mod support;
mod troubles;
mod worlds;
