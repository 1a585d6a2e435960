//! Bringing keys of a bucket back to how they were at an instant.
//!
//! **Invariant:** what is decided about a key rests on its whole history, read in the order that S3 keeps;
//! what cannot be told is said to be unknown and left as it is.

mod ask;
mod bulk;
mod change;
mod foreseen;
mod history;
mod look;
mod notes;
mod perform;
mod reason;
mod scan;
mod standing;
mod tally;
mod terms;
mod walk;

pub(super) use ask::{Asked, Ground, ground};
pub(crate) use bulk::Bulk;
pub(super) use change::{Change, Standing};
pub(super) use foreseen::Foreseen;
pub(super) use look::Reach;
pub(super) use notes::notes;
pub(super) use perform::{End, perform};
pub(super) use scan::{CHUNK, Scan, Scope};
pub(super) use tally::{Tally, shown};
pub(super) use terms::{Direction, Terms};

#[cfg(test)]
mod tests;
