//! The verbs of S3 over a scripted wire: real SDK clients, the real guard, answers by hand.
//!
//! **Invariant:** a refused answer is never taken for a bucket that is well.

mod checking;
mod comparing;
