//! Estates as data: what is protected, where it lives, and what was promised.
//!
//! **Invariant:** nothing here talks to AWS; an estate is only what its file says.

mod accounts;
mod ad_hoc;
mod alarm;
mod beside;
mod bucket;
mod export;
pub mod fault;
mod load;
mod log_group;
mod model;
mod regions;
mod security_group;
mod service;
mod shape;
mod zones;

pub use accounts::{Account, account_of_role};
pub use alarm::{Alarm, AlarmChanges, AlarmMetric, AlarmWatches};
pub use beside::{Beside, HttpReply, NameReply};
pub use bucket::{
    Bucket, BucketChanges, BucketObject, Differs, Generated, Inventory, LifecycleRule,
    ObjectContent, ObjectLock, Replicated, ReplicationRule, Versioning,
};
pub use export::Export;
pub use fault::{FAULTS, FaultEntry, FaultKind, FaultSpec};
pub use load::{faults, header, load, objectives};
pub use log_group::{LogGroup, LogGroupChanges};
pub use model::{
    Database, Dataset, Environment, EnvironmentKind, Estate, Objectives, Simulation, SqlAccess,
    SqlRoute, Table, Trust,
};
pub use regions::DataRegions;
pub use security_group::{Ingress, SecurityGroup, SecurityGroupChanges};
pub use service::{Service, ServiceChanges};
pub use shape::{API_VERSION, ESTATE, OBJECTIVES_FIELD};
pub use zones::{
    AliasTarget, HealthChanges, HealthCheck, RecordChanges, Zone, ZoneChanges, ZoneRecord,
};
