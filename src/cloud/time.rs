//! The project's clock in the two forms that the SDK asks for.
//!
//! **Invariant:** every instant and every sleep of the SDK comes from the session's clock, so that
//! simulated time reaches signatures, time-outs and back-off as well.

use crate::base::clock::{Clock, ClockMode};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use chrono::{DateTime, TimeZone, Utc};
use std::time::{Duration, SystemTime};

/// Least real time of an SDK time-out under a scaled clock. Sockets take real time however fast the
/// clock runs: at 1,000-fold speed, 30 s of clock time would be 30 ms.
const REAL_FLOOR: Duration = Duration::from_secs(2);

/// The clock, as the SDK asks for it.
#[derive(Debug, Clone)]
struct SdkClock(Clock);

impl TimeSource for SdkClock {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

impl AsyncSleep for SdkClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

/// The clock as the SDK's time source.
pub(crate) fn source(clock: &Clock) -> SharedTimeSource {
    SharedTimeSource::new(SdkClock(clock.clone()))
}

/// The clock as the SDK's way to sleep.
pub(crate) fn sleep(clock: &Clock) -> SharedAsyncSleep {
    SharedAsyncSleep::new(SdkClock(clock.clone()))
}

/// A time-out in the clock's time, long enough for real sockets.
pub(crate) fn limit(clock: &Clock, wanted: Duration) -> Duration {
    match clock.mode() {
        ClockMode::Real | ClockMode::Virtual => wanted,
        ClockMode::Scaled(factor) => wanted.max(REAL_FLOOR.mul_f64(factor)),
    }
}

/// An instant of the SDK as ours, cut to milliseconds; `None` outside chrono's range.
pub(crate) fn from_sdk(instant: &aws_smithy_types::DateTime) -> Option<DateTime<Utc>> {
    let millis = instant.to_millis().ok()?;
    Utc.timestamp_millis_opt(millis).single()
}

/// Our instant as the SDK's.
pub(crate) fn to_sdk(instant: DateTime<Utc>) -> aws_smithy_types::DateTime {
    aws_smithy_types::DateTime::from_millis(instant.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    #[tokio::test(start_paused = true)]
    async fn the_sdk_sleeps_in_simulated_time() {
        let clock = Clock::virtual_from(simulated_epoch());
        sleep(&clock).sleep(Duration::from_secs(90)).await;
        assert_eq!(
            source(&clock).now(),
            SystemTime::from(simulated_epoch() + chrono::TimeDelta::seconds(90))
        );
    }

    #[tokio::test]
    async fn fast_clocks_leave_sockets_their_time() {
        let wanted = Duration::from_secs(30);
        assert_eq!(limit(&Clock::scaled(2.0, simulated_epoch()), wanted), wanted);
        assert_eq!(
            limit(&Clock::scaled(1000.0, simulated_epoch()), wanted),
            Duration::from_secs(2000)
        );
        assert_eq!(limit(&Clock::real(), wanted), wanted);
    }

    #[test]
    fn instants_go_both_ways() {
        let instant = simulated_epoch() + chrono::TimeDelta::milliseconds(250);
        assert_eq!(from_sdk(&to_sdk(instant)), Some(instant));
    }
}
