//! The ways out beside AWS against real peers on this machine: HTTP and DNS servers that answer well
//! and badly, and real processes.
//!
//! **Invariant:** nobody but 127.0.0.1 is contacted, and no test depends on how fast a peer is.

mod dns;
mod http;
mod http_tls;
mod process;
