//! The verbs of S3 over a scripted wire: real SDK clients, the real guard, answers by hand.
//!
//! **Invariant:** a refused answer is never taken for a bucket that is well.

mod canaries;
mod checking;
mod comparing;
mod rolling_back;
mod rolling_back_parts;
mod rolling_back_refused;
