//! Signals that end a process: Ctrl-C, a terminal that is closed, a service manager.
//!
//! **Invariant:** the first one asks the run to stop in good order, the second stops the process at once;
//! after either the run can be resumed.

use crate::cli::progress::Aside;
use crate::runner::StopSignal;
use std::cell::Cell;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a process to end, caught from now on.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Catches them.
    pub(super) fn catch() -> Self {
        let caught = |kind| signal(kind).expect("signal handlers can be installed");
        Self {
            interrupt: caught(SignalKind::interrupt()),
            terminate: caught(SignalKind::terminate()),
            hangup: caught(SignalKind::hangup()),
        }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }

    /// Sets `seen` at the first signal, and waits for ever.
    pub(super) async fn note(&mut self, seen: &Cell<bool>) {
        self.next().await;
        seen.set(true);
        std::future::pending::<()>().await;
    }

    /// Asks the run for a stop in good order at the first signal; returns at the second.
    pub(super) async fn stop_at_once(&mut self, stop: &StopSignal, run: &str, aside: &Aside) {
        self.next().await;
        aside.say(&format!(
            "stopping in good order: waiting for the call in flight; a second Ctrl-C stops at once; \
             `drctl resume {run}` takes it up either way"
        ));
        stop.stop();
        self.next().await;
    }
}
