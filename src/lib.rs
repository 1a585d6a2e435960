//! drctl: disaster recovery for AWS as executable, rehearsable, measured runbooks.
//!
//! The layers, from the bottom: `base`, `estate`, `journal`, `cloud`, `sim`, `wiring`, `action`,
//! `runbook`, `plan`, `engine`, `report`, `runner`, `rehearse`, `cli`. ARCHITECTURE.md has the table of who may import whom;
//! `tests/tidy.rs` enforces it.

pub mod action;
pub mod base;
pub mod cli;
pub mod cloud;
pub mod engine;
pub mod estate;
pub mod journal;
pub mod plan;
pub mod rehearse;
pub mod report;
pub mod runbook;
pub mod runner;
pub mod sim;
pub mod wiring;
