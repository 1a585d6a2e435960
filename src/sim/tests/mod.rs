//! The simulator as real AWS SDK clients see it.

mod data;
mod hostile;
mod lifecycle;
mod refusals;
mod support;
mod troubles;
mod worlds;
