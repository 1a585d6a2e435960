//! Joins `cloud` and `sim`: one environment, wired for this process.
//!
//! **Invariant:** the only layer below `cli` that knows both; nothing behind it can tell whether it is
//! simulated.

mod beside;
mod session;
mod sql;
#[cfg(test)]
mod tests;
mod watched;

pub use session::Session;
