//! SQL against the data of simulated instances.
//!
//! **Invariant:** an instance's data is a function of the estate's dataset, who wrote it and the
//! instant it is from.

mod access;
mod booleans;
mod catalog;
mod content;
mod server;
mod statement;

pub(in crate::sim) use access::Databases;
