//! Two places of objects compared: which are missing, differ, wait, were given up, and since when.
//!
//! **Invariant:** only reads; whatever the size of the buckets, memory is bounded.

mod checkpoint;
mod class;
mod engine;
mod error;
mod histories;
mod judge;
mod look;
mod merge;
mod rows;
mod side;
mod sorted;
mod start;

pub use checkpoint::{CheckpointError, Identity, Keeper, Left};
pub use class::{Class, Difference, Seen, Totals};
pub use engine::{CompareOptions, Comparison, Standing};
pub use error::CompareError;
pub use judge::Rules;
pub use merge::{Cursor, merge};
pub(crate) use rows::judge_rows;
pub use sorted::Sorter;
pub use start::Ground;
