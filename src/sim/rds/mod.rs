//! Relational Database Service.
//!
//! **Invariant:** every action answers in the form and with the error codes of RDS 2014-10-31.

mod backup_replication;
mod backups;
mod begin;
mod catalogue;
mod changes;
mod choices;
mod copy;
mod create;
mod delete;
mod describe;
mod events;
mod exports;
mod keys;
mod modify;
mod names;
mod page;
mod pitr;
mod power;
mod reboot;
mod render;
mod replica;
mod restore;
mod route;
mod snapshot_xml;
mod snapshots;
mod tags;

pub(in crate::sim) use exports::begin as begin_exports;
pub(in crate::sim) use route::{answer, mutates};
