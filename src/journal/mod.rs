//! The journal: the truth of a run.
//!
//! Facts are [`event::Record`]s; a [`store::Store`] keeps them in a digest chain (SQLite, memory, a
//! bucket, a bucket with a copy); [`fold::RunState`] is what they add up to; [`index`] lists the
//! runs of a state directory.
//!
//! **Invariant:** nothing is ever changed or removed; what cannot be written stops the run.

// A new event must be decided everywhere.
#![warn(clippy::wildcard_enum_match_arm)]

pub(crate) mod beneath;
pub mod chain;
mod change;
pub mod command;
pub mod contract;
mod control;
pub mod error;
pub mod event;
mod event_names;
mod facts;
pub mod failing;
pub mod figure;
pub mod fold;
pub mod index;
pub mod intent;
mod legality;
pub mod memory;
pub mod objects;
pub mod question;
pub mod segments;
pub mod shared;
pub mod sqlite;
pub mod step_state;
pub mod store;
pub mod testing;
pub mod verify;

pub use command::{Command, Person, Posted};
pub use error::JournalError;
pub use failing::{Failing, FailingStore};
pub use index::{RunSummary, list_runs};
pub use memory::{Fault, MemoryStore};
pub use segments::SegmentStore;
pub use shared::SharedStore;
pub use sqlite::SqliteStore;
pub use store::{Damage, Fence, Head, Lease, Note, Salvaged, Store, StoredRecord, Takeover};
