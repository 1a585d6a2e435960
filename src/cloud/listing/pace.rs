//! How many requests to one bucket are on their way at a time: more while they are answered as fast as a
//! single one, fewer when they wait for each other, half as many when S3 asks to slow down.
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

/// Requests at a time in the beginning, and those that are left when they wait for each other.
const FIRST: f64 = 8.0;
const FEWEST: f64 = 4.0;

/// How much longer than the fastest a full page may take, and how much longer in any case: answers of S3
/// differ by a factor of three, and a server that is busy takes ten times as long.
const LONGER: (f64, Duration) = (4.0, Duration::from_millis(10));

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
    /// Until the first full page that took long, each answer widens the window by one.
    begins: bool,
    /// Seconds that a full page takes: the fastest, forgotten slowly, and the usual.
    fastest: f64,
    usual: f64,
}

/// A request that may be sent now.
#[derive(Debug)]
pub(crate) struct Turn {
    pace: Pace,
    halved: u64,
    left: Duration,
}

impl Pace {
    /// A pace of at most `most` requests at a time, at least one.
    pub fn new(clock: Clock, most: usize) -> Self {
        let most = most.clamp(1, 10_000) as f64;
        let state = State {
            window: most.min(FIRST),
            most,
            on_their_way: 0,
            halved: 0,
            in_a_row: 0,
            resume: None,
            throttled: 0,
            answered: false,
            begins: true,
            fastest: f64::INFINITY,
            usual: 0.0,
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
                        let (pace, halved) = (self.clone(), state.halved);
                        return Turn { pace, halved, left: self.clock.elapsed() };
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

impl State {
    /// Whether full pages take much longer than the fastest did.
    fn is_slow(&self) -> bool {
        self.usual > self.fastest * LONGER.0 + LONGER.1.as_secs_f64()
    }
}

impl Turn {
    /// It was answered: a whole window of answers widens the window by one, in the beginning each does.
    pub(crate) fn answered(self) {
        let mut state = self.pace.state();
        state.answered = true;
        state.in_a_row = 0;
        if !state.is_slow() {
            let wider = if state.begins { 1.0 } else { 1.0 / state.window };
            state.window = (state.window + wider).min(state.most);
        }
    }

    /// It was answered with a full page, whose time can be compared with that of others. Where they wait
    /// for each other, a whole window of them narrows the window by one.
    pub(crate) fn answered_in_full(self) {
        {
            let mut state = self.pace.state();
            let took = self.pace.clock.elapsed().saturating_sub(self.left).as_secs_f64();
            state.fastest = took.min(state.fastest * 1.0002);
            state.usual = if state.usual == 0.0 { took } else { state.usual * 0.75 + took * 0.25 };
            if state.is_slow() {
                state.begins = false;
                let narrower = state.window - 1.0 / state.window;
                state.window = narrower.max(FEWEST.min(state.window));
            }
        }
        self.answered();
    }

    /// S3 asked to slow down. Requests that left before the last halving say nothing new.
    pub(crate) fn throttled(self) {
        let mut state = self.pace.state();
        state.throttled += 1;
        if self.halved != state.halved {
            return;
        }
        state.halved += 1;
        state.begins = false;
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
        for _ in 0..8 {
            turns.push(pace.turn().await);
        }
        assert!(futures_util::FutureExt::now_or_never(pace.turn()).is_none(), "the window is full");
        for turn in turns {
            turn.throttled();
        }
        assert_eq!((pace.window(), pace.throttled()), (4, 8), "one halving for one storm");
        let before = pace.clock.now();
        let turn = pace.turn().await;
        assert!(pace.clock.now() - before >= chrono::TimeDelta::milliseconds(50), "a pause");
        turn.answered();
        for _ in 0..4 {
            pace.turn().await.answered();
        }
        assert_eq!(pace.window(), 5);
        for _ in 0..50 {
            pace.turn().await.throttled();
        }
        assert_eq!(pace.window(), 1, "never below one");
        for _ in 0..400 {
            pace.turn().await.answered();
        }
        assert_eq!(pace.window(), 16, "never above the most");
    }

    #[tokio::test(start_paused = true)]
    async fn pages_that_wait_for_each_other_are_asked_for_fewer_at_a_time() {
        let pace = Pace::new(Clock::virtual_from(simulated_epoch()), 32);
        let page = async |millis| {
            let turn = pace.turn().await;
            pace.clock.sleep(Duration::from_millis(millis)).await;
            turn.answered_in_full();
        };
        for _ in 0..30 {
            page(20).await;
        }
        assert_eq!(pace.window(), 32, "as fast as one alone");
        for _ in 0..30 {
            page(60).await;
        }
        assert_eq!(pace.window(), 32, "three times as long is usual");
        for _ in 0..2_000 {
            page(400).await;
        }
        assert_eq!(pace.window(), 4, "twenty times as long is a queue");
        for _ in 0..2_000 {
            page(20).await;
        }
        assert_eq!(pace.window(), 32);
    }
}
