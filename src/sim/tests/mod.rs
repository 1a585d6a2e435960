//! The simulator as real AWS SDK clients see it.

mod changes;
mod copies;
mod creation;
mod data;
mod hostile;
mod keys;
mod lifecycle;
mod notifications;
mod power;
mod refusals;
mod replicas;
mod replicated;
mod storm;
mod support;
mod troubles;
mod worlds;
