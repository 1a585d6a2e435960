//! Questions to DNS resolvers that are named one by one.
//!
//! **Invariant:** "there is no such name", "the resolver failed" and "nobody answered" stay apart; no
//! answer comes out of a cache of ours.

mod contract;
mod network;

pub use contract::{
    DnsAnswer, DnsError, DnsQuestion, DnsRecord, RecordKind, ResolverName, Resolvers,
};
pub use network::DnsNetwork;
