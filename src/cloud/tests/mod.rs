//! Tests of sessions over a scripted wire: real SDK clients, the real guard, answers by hand.
//!
//! **Invariant:** nothing here sleeps in real time, and only `network` opens sockets, on loopback.

mod answers;
mod credentials;
mod effects;
mod network;
mod ports;
mod reads;
mod scripted;
mod session;
mod writes;
