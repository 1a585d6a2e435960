//! Relational Database Service.
//!
//! **Invariant:** every action answers in the form and with the error codes of RDS 2014-10-31.

mod backups;
mod choices;
mod delete;
mod describe;
mod events;
mod modify;
mod page;
mod pitr;
mod render;
mod restore;
mod route;
mod snapshots;
mod tags;

pub(in crate::sim) use route::{answer, mutates};
