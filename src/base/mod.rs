//! Foundations every layer stands on: time, randomness, identifiers, values, digests, YAML with places.
//!
//! **Invariant:** nothing here knows AWS, runbooks or the journal, and nothing here performs I/O
//! besides asking the operating system for the time.

pub mod clock;
pub mod diagnostic;
pub mod digest;
pub mod duration;
pub mod few;
pub mod form;
pub mod groups;
pub mod html;
pub mod ids;
pub mod redact;
pub mod secret;
pub mod seed;
pub mod shape;
pub mod value;
pub mod yaml;
