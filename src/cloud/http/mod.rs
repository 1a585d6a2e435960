//! HTTP beside AWS: checks that read, and webhooks that send.
//!
//! **Invariant:** TLS is always verified, what is read has a bound, and no address, header or body
//! appears in any error or `Debug` form with its secrets.

mod address;
mod certificate;
mod contract;
mod network;

pub use address::HttpAddress;
pub use contract::{HttpAnswer, HttpError, HttpMethod, HttpPort, HttpRequest, MAX_BODY};
pub use network::HttpNetwork;
