//! Embedded AWS: wire-level services on simulated time, with faults, in a world that lasts.
//!
//! **Invariant:** it meets the rest of drctl only as HTTP at the SDK's seam and as SQL text; it
//! shares no codec with the AWS SDK, so a misread request or answer cannot cancel itself out.

mod admin;
mod answer;
mod api;
mod canonical;
mod cbor;
mod clockwork;
mod cloudwatch;
mod decode;
mod dispatch;
mod dns;
mod ec2;
mod ecs;
mod faults;
mod genesis;
mod iam;
mod kms;
mod logs;
mod lookout;
mod lost;
mod modification;
mod notes;
mod persist;
mod progress;
mod protocol;
mod rds;
mod replication;
mod route53;
mod s3;
mod seam;
mod secrets;
mod serve;
mod services;
mod shape;
mod simulator;
mod slot;
mod sns;
mod sql;
mod state;
mod status;
mod sts;
#[cfg(test)]
mod tests;
mod world;
mod writers;
mod xml;

pub use api::{
    Delivery, MutationRecord, SimAccess, SimError, SimOptions, SimQuery, SimRows, SimSqlFault,
    WireAnswer, WireRequest, WireResponse,
};
pub use dns::{DnsSockets, serve_dns};
pub use lookout::{Danger, Sighting, Sightings};
pub use route53::{SimDnsAnswer, SimDnsEnd, SimDnsSet};
pub use seam::{Watch, http_client};
pub use serve::serve;
pub use services::Published;
pub use simulator::Simulator;
pub use writers::OpenWriter;
