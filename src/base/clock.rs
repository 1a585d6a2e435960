//! The one clock, in three modes: real, scaled and virtual.
//!
//! **Invariant:** no other module reads the time or sleeps. Virtual time never meets real I/O:
//! sockets and people let a paused clock run away, so anything with either uses a scaled clock.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How a clock relates to the wall clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ClockMode {
    /// The computer's own time.
    Real,
    /// Simulated time that passes this many times faster than real time.
    Scaled(f64),
    /// Simulated time that jumps to the next timer when nothing else is to do (tokio's paused clock).
    Virtual,
}

/// A cheap handle on the time of one process. Instants are UTC with millisecond resolution.
#[derive(Debug, Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mode: ClockMode,
    epoch: DateTime<Utc>,
    start: Instant,
}

/// Half of what tokio's timer can tell apart.
const HALF_TICK: Duration = Duration::from_micros(500);

impl Clock {
    /// The computer's time.
    pub fn real() -> Self {
        Self::new(ClockMode::Real, wall_now())
    }

    /// Time that starts at `epoch` and runs `factor` times as fast as real time.
    ///
    /// # Panics
    /// When `factor` is not a positive finite number: the command line refuses those.
    pub fn scaled(factor: f64, epoch: DateTime<Utc>) -> Self {
        assert!(factor.is_finite() && factor > 0.0, "a clock runs forwards");
        Self::new(ClockMode::Scaled(factor), epoch)
    }

    /// Time that starts at `epoch` and follows tokio's clock, which the caller has paused.
    pub fn virtual_from(epoch: DateTime<Utc>) -> Self {
        Self::new(ClockMode::Virtual, epoch)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    fn new(mode: ClockMode, epoch: DateTime<Utc>) -> Self {
        let inner = Inner { mode, epoch: truncate_to_millis(epoch), start: Instant::now() };
        Self { inner: Arc::new(inner) }
    }

    /// The mode this clock runs in.
    pub fn mode(&self) -> ClockMode {
        self.inner.mode
    }

    /// The present instant, cut to milliseconds so that it survives being written and read back.
    pub fn now(&self) -> DateTime<Utc> {
        match self.inner.mode {
            ClockMode::Real => wall_now(),
            ClockMode::Scaled(_) | ClockMode::Virtual => {
                truncate_to_millis(self.inner.epoch + to_delta(self.elapsed()))
            }
        }
    }

    /// Time of this clock since it was made; never runs backwards.
    pub fn elapsed(&self) -> Duration {
        let passed = self.inner.start.elapsed();
        match self.inner.mode {
            ClockMode::Scaled(factor) => passed.mul_f64(factor),
            ClockMode::Real | ClockMode::Virtual => passed,
        }
    }

    /// Sleeps for `duration` of this clock's time. What is less than half a tick of the timer in real
    /// time only lets others go first: a whole tick would be further off, at high speed by minutes.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    pub async fn sleep(&self, duration: Duration) {
        let real = match self.inner.mode {
            ClockMode::Scaled(factor) => duration.div_f64(factor),
            ClockMode::Real | ClockMode::Virtual => duration,
        };
        if matches!(self.inner.mode, ClockMode::Scaled(_)) && real < HALF_TICK {
            return tokio::task::yield_now().await;
        }
        tokio::time::sleep(real).await;
    }

    /// Waits for `duration` of real time, whatever the mode. In virtual time the clock stands still
    /// meanwhile, because tokio does not advance a paused clock while a blocking task runs.
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    pub async fn stand_still(&self, duration: Duration) {
        match self.inner.mode {
            ClockMode::Virtual => {
                let blocking = tokio::task::spawn_blocking(move || std::thread::sleep(duration));
                // It cannot panic, and is not aborted.
                let _ = blocking.await;
            }
            ClockMode::Real | ClockMode::Scaled(_) => tokio::time::sleep(duration).await,
        }
    }

    /// Sleeps until `instant`; returns at once when it has passed.
    pub async fn sleep_until(&self, instant: DateTime<Utc>) {
        let missing = instant - self.now();
        if let Ok(duration) = missing.to_std() {
            self.sleep(duration).await;
        }
    }
}

/// Where simulated time begins when a world is new: a constant, so that runs repeat exactly.
pub fn simulated_epoch() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 15, 9, 0, 0).single().expect("a valid constant date")
}

/// `2026-01-15T09:00:00Z`, or with milliseconds when there are any.
pub fn format_instant(instant: DateTime<Utc>) -> String {
    let format = if instant.timestamp_subsec_millis() == 0 {
        "%Y-%m-%dT%H:%M:%SZ"
    } else {
        "%Y-%m-%dT%H:%M:%S%.3fZ"
    };
    instant.format(format).to_string()
}

/// Parses an RFC 3339 instant with any offset; `None` when it is not one.
pub fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|instant| truncate_to_millis(instant.with_timezone(&Utc)))
}

/// Cuts an instant to whole milliseconds, the resolution of every stored instant.
pub fn truncate_to_millis(instant: DateTime<Utc>) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(instant.timestamp_millis())
        .single()
        .expect("milliseconds of a valid instant")
}

/// A `std` duration as chrono's, saturating (durations here are far from the limit).
pub fn to_delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// The last instant that four digits of a year can write.
fn end_of_time() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(9999, 12, 31, 23, 59, 59).single().expect("a valid constant date")
}

/// `instant` and `duration` more, at most the end of the year 9999 and never before `instant`.
pub fn later(instant: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    let moved = instant.checked_add_signed(to_delta(duration));
    moved.unwrap_or(end_of_time()).min(end_of_time()).max(instant)
}

/// `instant` and `duration` less, at least 1970 and never after `instant`.
pub fn sooner(instant: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    let moved = instant.checked_sub_signed(to_delta(duration));
    moved.unwrap_or(DateTime::UNIX_EPOCH).max(DateTime::UNIX_EPOCH).min(instant)
}

/// The time from `earlier` to `later`, zero when they are the other way round.
pub fn between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> Duration {
    (later - earlier).to_std().unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall_now() -> DateTime<Utc> {
    truncate_to_millis(Utc::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn virtual_time_jumps_and_keeps_milliseconds() {
        let clock = Clock::virtual_from(simulated_epoch());
        clock.sleep(Duration::from_secs(3600)).await;
        assert_eq!(format_instant(clock.now()), "2026-01-15T10:00:00Z");
        clock.sleep_until(simulated_epoch()).await;
        assert_eq!(format_instant(clock.now()), "2026-01-15T10:00:00Z");
    }

    #[tokio::test(start_paused = true)]
    async fn virtual_time_stands_still_while_real_time_passes() {
        let clock = Clock::virtual_from(simulated_epoch());
        let hour = clock.sleep(Duration::from_secs(3_600));
        tokio::select! {
            biased;
            () = hour => panic!("the clock ran on"),
            () = clock.stand_still(Duration::from_millis(1)) => {}
        }
        assert_eq!(clock.now(), simulated_epoch());
    }

    #[test]
    fn no_duration_leads_out_of_the_calendar() {
        let now = simulated_epoch();
        assert_eq!(format_instant(later(now, Duration::from_secs(60))), "2026-01-15T09:01:00Z");
        assert_eq!(format_instant(sooner(now, Duration::from_secs(60))), "2026-01-15T08:59:00Z");
        // The largest that chrono takes, one that it saturates, and one that only leaves four digits.
        for long in [u64::MAX, i64::MAX as u64 / 1_000, 8_640_000_000_000, 260_000_000_000] {
            let long = Duration::from_secs(long);
            let (after, before) = (later(now, long), sooner(now, long));
            assert_eq!(format_instant(after), "9999-12-31T23:59:59Z");
            assert_eq!(parse_instant(&format_instant(after)), Some(after));
            assert_eq!(before, DateTime::UNIX_EPOCH);
            assert_eq!(later(DateTime::<Utc>::MAX_UTC, long), DateTime::<Utc>::MAX_UTC);
            assert_eq!(sooner(DateTime::<Utc>::MIN_UTC, long), DateTime::<Utc>::MIN_UTC);
        }
    }

    #[test]
    fn instants_survive_text() {
        for text in ["2026-03-01T10:15:00Z", "2026-03-01T10:15:00.250Z"] {
            assert_eq!(parse_instant(text).map(format_instant).as_deref(), Some(text));
        }
        assert_eq!(
            parse_instant("2026-03-01T11:15:00+01:00").map(format_instant).as_deref(),
            Some("2026-03-01T10:15:00Z")
        );
        assert_eq!(parse_instant("yesterday"), None);
    }
}
