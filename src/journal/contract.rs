//! What every store must do, as checks that the tests of each store run against it.
//!
//! **Invariant:** nothing here is used by a real run; a store that passes can carry one.

use crate::base::clock::{simulated_epoch, to_delta};
use crate::base::seed::Seed;
use crate::journal::command::{Command, Posted};
use crate::journal::error::JournalError;
use crate::journal::store::{Store, Takeover};
use crate::journal::testing::{JournalBuilder, bob, every_command};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(60);

/// Commands of every kind as somebody posts them, a second apart.
pub fn commands() -> Vec<Posted> {
    let mut random = Seed::new(7).stream("inbox");
    let commands = every_command("a").into_iter().zip(0..);
    let posted = commands.map(|(command, second)| {
        let at = simulated_epoch() + to_delta(Duration::from_secs(second));
        Posted::new(command, bob(), at, &mut random)
    });
    posted.collect()
}

/// The inbox of `store`, which is new: it needs no lease, keeps everything in order and each id once, and
/// is no part of the chain.
///
/// # Panics
/// When the store does otherwise.
pub fn inbox(store: &mut dyn Store) {
    let head = store.head().expect("readable");
    assert_eq!(store.posted().expect("an empty inbox"), []);
    let all = commands();
    for posted in &all {
        store.post(posted).expect("nobody holds the lease, and yet it is taken");
    }
    assert_eq!(store.posted().expect("readable"), all);
    let mut again = all[0].clone();
    again.command = Command::Continue;
    store.post(&again).expect("a second post of one id is no error");
    assert_eq!(store.posted().expect("readable"), all, "and changes nothing");
    assert_eq!(store.head().expect("readable"), head, "the inbox is no part of the chain");
}

/// Posting through `poster` while `driver`, another handle on the same new store, holds the lease and
/// writes: both go on, and the driver sees what was posted.
///
/// # Panics
/// When the store does otherwise.
pub fn inbox_of_two(driver: &mut dyn Store, poster: &mut dyn Store) {
    let fence = driver.acquire("driver", simulated_epoch(), TTL, Takeover::IfExpired);
    let fence = fence.expect("nobody holds it");
    let records = JournalBuilder::started(&["a"]).start(1, "a").records();
    for (record, posted) in records.chunks(1).zip(commands()) {
        driver.append(record).expect("the lease is valid");
        poster.post(&posted).expect("a lease of somebody else is no hindrance");
        let seen = driver.posted().expect("readable");
        assert_eq!(seen.last(), Some(&posted));
    }
    driver.check(fence, simulated_epoch()).expect("posting takes no lease");
    assert_eq!(driver.load().expect("a whole chain").len(), records.len());
}

/// The question before each mutation, asked of the new `store`.
///
/// # Panics
/// When the store does otherwise.
pub fn lease_check(store: &mut dyn Store) {
    let now = simulated_epoch();
    let first = store.acquire("a", now, TTL, Takeover::IfExpired).expect("nobody holds it");
    let end = now + to_delta(TTL);
    let just = end - to_delta(Duration::from_millis(1));
    store.check(first, now).expect("valid");
    store.check(first, just).expect("valid to the last millisecond");
    let late = store.check(first, end).expect_err("it has ended");
    assert!(matches!(late, JournalError::Expired { ours: 1, since, .. } if since == end), "{late}");
    store.renew(first, just, TTL).expect("still ours");
    store.check(first, end).expect("renewed");
    let second = store.acquire("b", now, TTL, Takeover::Force).expect("by force");
    let fenced = store.check(first, now).expect_err("taken");
    assert!(matches!(fenced, JournalError::Fenced { ours: 1, .. }), "{fenced}");
    assert!(late.is_lease() && fenced.is_lease());
    store.check(second, now).expect("the new holder's");
    store.release(second).expect("held");
    let none = store.check(second, now).expect_err("given back");
    assert!(matches!(none, JournalError::Fenced { .. }), "{none}");
}
