//! The only place that makes SDK clients: sessions, the guard, typed reads and typed writes.
//!
//! **Invariant:** no SDK type leaves this module besides the HTTP client that is handed in, and no
//! request leaves it that the guard did not clear.

mod accounts;
pub mod bucket;
mod classify;
mod clients;
pub mod compare;
mod convert;
mod credentials;
pub mod dns;
mod ec2;
mod effects;
mod error;
pub mod guard;
pub mod http;
pub mod inventory;
pub mod listing;
pub mod model;
mod options;
mod overlay;
mod own;
mod permissions;
mod permit;
pub mod process;
pub mod records;
mod session;
pub mod sql;
pub mod tags;
#[cfg(test)]
pub(crate) mod tests;
mod time;
mod view;
mod writer;

pub use effects::{
    DNS_READ, DatabaseLogin, EffectError, EffectOutcome, EffectRecord, Effects, HTTP_READ,
    HTTP_SEND, PROCESS_RUN, Ports, SQL_READ, SQL_WRITE, SecretReader, SecretStage, VARIABLE_READ,
    Variables,
};
pub use error::{CloudError, ErrorClass};
pub use guard::calls::{CallLog, CallOutcome, CallRecord, CallSource};
pub use options::{CloudOptions, GuardPolicy, HttpSource};
pub use overlay::{Overlay, PredictedEffect, PredictedInstance, PredictedSnapshot};
pub use permit::{
    CanaryPermit, DeletePermit, MarkerPermit, MarkerProof, PermitError, SnapshotPermit,
};
pub use session::Cloud;
pub use sql::{PostgresConnector, SqlConnector, SqlError, SqlMode, SqlRows, SqlSession, SqlTarget};
pub use view::{EstateView, HEALTH_CHECK_REGION};
pub use writer::{
    Accepted, AcceptedChange, LARGEST_COPY, LARGEST_OBJECT, Published, ServiceChange, UpdatedCheck,
    Writer,
};
