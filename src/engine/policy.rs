//! Numbers of the machine: how long to wait, how often to try.
//!
//! **Invariant:** each number has its reason beside it.

use crate::plan::model::Retry;
use std::time::Duration;

/// After a mutation, reads may be stale: AWS shows a new instance or a deletion within seconds, rarely
/// after a minute. Within this time "absent" is not believed.
pub(super) const SETTLE: Duration = Duration::from_secs(150);

/// Between a mutation and the first look: long enough for most reads to be fresh, short enough not to
/// matter in a restore of minutes.
pub(super) const AFTER_ACT: Duration = Duration::from_secs(5);

/// Longest delay between two tries: a person who fixes the cause waits no longer than this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Longest wait between two looks at a gate that an instant opens: well below the run's lease.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Least time between two looks of a step that a pause holds back: nothing hurries.
pub(super) const WHILE_PAUSED: Duration = Duration::from_secs(5);

/// The delay before try number `failures + 1`.
pub(super) fn backoff(retry: Retry, failures: u32) -> Duration {
    let doubled = retry.backoff_ms.saturating_mul(1_u64 << failures.min(16));
    Duration::from_millis(doubled).min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_a_minute() {
        let retry = Retry { attempts: 9, backoff_ms: 5_000 };
        let seconds: Vec<u64> = (0..6).map(|failures| backoff(retry, failures).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 60, 60]);
        assert_eq!(backoff(retry, u32::MAX).as_secs(), 60);
    }
}
