//! Checks of what DNS resolvers answer.
//!
//! **Invariant:** every resolver is asked by itself; one that did not answer is an error, never a
//! verdict.

mod check;
mod judge;

pub(super) use check::DnsCheck;
