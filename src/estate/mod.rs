//! Estates as data: what is protected, where it lives, and what was promised.
//!
//! **Invariant:** nothing here talks to AWS; an estate is only what its file says.

mod alarm;
mod beside;
pub mod fault;
mod load;
mod log_group;
mod model;
mod service;
mod shape;

pub use alarm::{Alarm, AlarmChanges, AlarmMetric, AlarmWatches};
pub use beside::{Beside, HttpReply, NameReply};
pub use fault::{FAULTS, FaultEntry, FaultKind, FaultSpec};
pub use load::{faults, header, load, objectives};
pub use log_group::{LogGroup, LogGroupChanges};
pub use model::{
    Database, Dataset, Environment, EnvironmentKind, Estate, Objectives, Simulation, SqlAccess,
    SqlRoute, Table,
};
pub use service::{Service, ServiceChanges};
pub use shape::{API_VERSION, ESTATE, OBJECTIVES_FIELD};
