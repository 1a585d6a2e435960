//! The simulator as real AWS SDK clients see it.

mod data;
mod hostile;
mod keys;
mod lifecycle;
mod notifications;
mod refusals;
mod support;
mod troubles;
mod worlds;
