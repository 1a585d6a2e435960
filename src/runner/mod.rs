//! The only loop: performs effects, appends records, listens for signals and people.
//!
//! **Invariant:** records are durable before their effects are performed; a journal that cannot be
//! written stops the run at once.

mod declared;
mod drive;
mod flight;
mod holding;
mod known;
mod observer;
mod perform;
mod prepare;
mod running;
mod stakes;
mod standing;
mod translate;
mod watch;

pub use declared::declared;
pub use drive::{Ended, RunnerError, drive};
pub use observer::{NobodyToAsk, Observer, Operator, StopSignal};
pub use running::{Inbox, LEASE, Running};
