//! Tests of sessions over a scripted wire: real SDK clients, the real guard, answers by hand.
//!
//! **Invariant:** nothing here sleeps in real time, and only `network` opens sockets, on loopback.

mod accounts;
pub(crate) mod answers;
pub(crate) mod bucket_answers;
mod buckets;
mod credentials;
mod ec2;
mod effects;
mod lists;
mod network;
pub(crate) mod ports;
mod reads;
pub(crate) mod scripted;
mod session;
mod snapshots;
mod writes;
