//! The simulator as real AWS SDK clients see it.

mod admin;
mod alarms;
mod changes;
mod containers;
mod copies;
mod creation;
mod data;
mod hostile;
mod keys;
mod lifecycle;
mod logging;
mod lost;
mod metrics;
mod notifications;
mod permissions;
mod power;
mod refusals;
mod replicas;
mod replicated;
mod roles;
mod s3;
mod secrets;
mod storm;
mod support;
mod troubles;
mod worlds;
