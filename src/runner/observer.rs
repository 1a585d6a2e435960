//! Those who watch a run and those who are asked.
//!
//! **Invariant:** an observer reads; it cannot fail or change a run.

use crate::base::ids::StepKey;
use crate::engine::Reply;
use crate::journal::event::Record;
use crate::journal::fold::{Question, RunState};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::Notify;

/// Watches a run: progress lines, live displays.
pub trait Observer {
    /// Called after each turn became durable.
    fn turned(&mut self, records: &[Record], state: &RunState);
}

/// The person at the terminal, if there is one.
#[async_trait]
pub trait Operator: Send + Sync {
    /// Asks a step's question; the answer is one of its choices. `None` when nobody can be asked now.
    async fn ask(&self, step: &StepKey, question: &Question) -> Option<Reply>;
}

/// An operator for runs without a terminal: every question makes the run wait.
#[derive(Debug, Clone, Copy, Default)]
pub struct NobodyToAsk;

#[async_trait]
impl Operator for NobodyToAsk {
    async fn ask(&self, _: &StepKey, _: &Question) -> Option<Reply> {
        None
    }
}

/// Asks a run to stop in good order.
#[derive(Debug, Clone, Default)]
pub struct StopSignal {
    notify: Arc<Notify>,
}

impl StopSignal {
    /// Asks for the stop; the run ends after the mutation in flight, if any, was answered.
    pub fn stop(&self) {
        self.notify.notify_one();
    }

    /// Waits until somebody asks for the stop.
    pub async fn stopped(&self) {
        self.notify.notified().await;
    }
}
