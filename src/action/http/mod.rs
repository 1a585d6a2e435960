//! Checks of what answers HTTP.
//!
//! **Invariant:** what did not answer is an error, never a verdict; bodies are hashed, never kept.

mod check;
mod expectation;
mod headers;

pub(super) use check::HttpCheck;
pub(super) use headers::{from_variables, headers};
