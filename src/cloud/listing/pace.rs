//! How many requests to one bucket are on their way at a time: more while S3 answers, half as many when it
//! asks to slow down.
//!
//! **Invariant:** never more than the window, which is never below one: a bucket that throttles is read
//! slowly, not given up.

use crate::base::clock::Clock;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The first pause after a `SlowDown`, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(20));

/// The pace of one bucket. Clones share it.
#[derive(Debug, Clone)]
pub struct Pace {
    clock: Clock,
    shared: Arc<(Mutex<State>, Notify)>,
}

#[derive(Debug)]
struct State {
    /// Requests that may be on their way.
    window: f64,
    most: f64,
    on_their_way: usize,
    /// How often the window was halved.
    halved: u64,
    /// Halvings without an answer in between.
    in_a_row: u32,
    resume: Option<DateTime<Utc>>,
    throttled: u64,
    answered: bool,
}

/// A request that may be sent now.
#[derive(Debug)]
pub(crate) struct Turn {
    pace: Pace,
    halved: u64,
}

impl Pace {
    /// A pace of at most `most` requests at a time, at least one.
    pub fn new(clock: Clock, most: usize) -> Self {
        let most = most.clamp(1, 10_000) as f64;
        let state = State {
            window: most,
            most,
            on_their_way: 0,
            halved: 0,
            in_a_row: 0,
            resume: None,
            throttled: 0,
            answered: false,
        };
        Self { clock, shared: Arc::new((Mutex::new(state), Notify::new())) }
    }

    /// How often S3 asked to slow down.
    pub fn throttled(&self) -> u64 {
        self.state().throttled
    }

    /// Whether anything was ever answered.
    pub(crate) fn has_answered(&self) -> bool {
        self.state().answered
    }

    /// Requests that may be on their way now.
    pub fn window(&self) -> usize {
        self.state().window as usize
    }

    /// Waits until a request may be sent.
    pub(crate) async fn turn(&self) -> Turn {
        loop {
            let freed = self.shared.1.notified();
            let wait = {
                let mut state = self.state();
                let now = self.clock.now();
                match state.resume.filter(|resume| *resume > now) {
                    Some(resume) => Some((resume - now).to_std().unwrap_or_default()),
                    None if (state.on_their_way as f64) < state.window.floor() => {
                        state.on_their_way += 1;
                        return Turn { pace: self.clone(), halved: state.halved };
                    }
                    None => None,
                }
            };
            match wait {
                Some(wait) => self.clock.sleep(wait).await,
                None => freed.await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// It was answered: a whole window of answers widens the window by one.
    pub(crate) fn answered(self) {
        let mut state = self.pace.state();
        state.answered = true;
        state.in_a_row = 0;
        state.window = (state.window + 1.0 / state.window).min(state.most);
    }

    /// S3 asked to slow down. Requests that left before the last halving say nothing new.
    pub(crate) fn throttled(self) {
        let mut state = self.pace.state();
        state.throttled += 1;
        if self.halved != state.halved {
            return;
        }
        state.halved += 1;
        state.window = (state.window / 2.0).max(1.0);
        let pause = PAUSE.0.saturating_mul(1 << state.in_a_row.min(10)).min(PAUSE.1);
        state.in_a_row += 1;
        let pause = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        state.resume = Some(self.pace.clock.now() + pause);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut state = self.pace.state();
            state.on_their_way -= 1;
        }
        self.pace.shared.1.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    #[tokio::test(start_paused = true)]
    async fn a_throttled_bucket_is_asked_half_as_often_and_then_a_little_more_again() {
        let pace = Pace::new(Clock::virtual_from(simulated_epoch()), 16);
        let mut turns = Vec::new();
        for _ in 0..16 {
            turns.push(pace.turn().await);
        }
        assert!(futures_util::FutureExt::now_or_never(pace.turn()).is_none(), "the window is full");
        for turn in turns {
            turn.throttled();
        }
        assert_eq!((pace.window(), pace.throttled()), (8, 16), "one halving for one storm");
        let before = pace.clock.now();
        let turn = pace.turn().await;
        assert!(pace.clock.now() - before >= chrono::TimeDelta::milliseconds(50), "a pause");
        turn.answered();
        for _ in 0..8 {
            pace.turn().await.answered();
        }
        assert_eq!(pace.window(), 9);
        for _ in 0..50 {
            pace.turn().await.throttled();
        }
        assert_eq!(pace.window(), 1, "never below one");
        for _ in 0..400 {
            pace.turn().await.answered();
        }
        assert_eq!(pace.window(), 16, "never above what it began with");
    }
}
