//! What each look makes of what it sees.
//!
//! **Invariant:** what nobody timed is no figure, and what went wrong is removed before it is told.

use super::{Left, Next, Side, Sight, Step, Terms, Watch, percentile};
use crate::action::outcome::Observation;
use crate::base::clock::simulated_epoch;
use crate::base::digest::Digest;
use crate::cloud::model::{CANARY_PUT_AT, Canary, CanaryEntry};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

const TERMS: Terms = Terms { samples: 2, timeout: Duration::from_secs(900) };

fn after(millis: i64) -> DateTime<Utc> {
    simulated_epoch() + TimeDelta::milliseconds(millis)
}

/// A canary that was put at the beginning and read after so many milliseconds.
fn canary(bytes: &str, status: Option<&str>, millis: i64) -> Canary {
    let put_at = simulated_epoch().timestamp_millis().to_string();
    Canary {
        version_id: Some("v".to_owned()),
        digest: Digest::of(bytes.as_bytes()),
        status: status.map(str::to_owned),
        metadata: [(CANARY_PUT_AT.to_owned(), put_at)].into(),
        read_at: after(millis),
    }
}

fn left(side: Side) -> Left {
    let (key, version_id) = ("drctl-canary/r/s/0-0".to_owned(), "v".to_owned());
    let entry = CanaryEntry { key, version_id, marker: false };
    Left { side, entry }
}

fn waiting(status: &str, millis: i64) -> Sight {
    let original = Some(canary("a", Some(status), millis));
    Sight { left: vec![left(Side::Source)], original, copy: None, now: after(millis) }
}

fn copied(status: Option<&str>, replica: Option<&str>, millis: i64) -> Sight {
    Sight {
        left: vec![left(Side::Source), left(Side::Destination)],
        original: Some(canary("a", status, millis)),
        copy: Some(canary("a", replica, millis)),
        now: after(millis),
    }
}

fn nothing(millis: i64) -> Sight {
    Sight { now: after(millis), ..Sight::default() }
}

fn removes(watch: &Watch) -> usize {
    match &watch.next {
        Some(Next::Remove(list)) => list.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn samples_are_put_timed_and_removed_one_after_the_other() {
    let mut watch = Watch::default();
    for (sample, millis) in [(0, 800), (1, 1_200)] {
        assert!(matches!(watch.judge(TERMS, &nothing(0)), Step::Go(Observation::Partly { .. })));
        assert_eq!(watch.next, Some(Next::Put(format!("{sample}-0"))));
        watch.was_put();
        let waits = watch.judge(TERMS, &waiting("PENDING", 100));
        assert!(matches!(waits, Step::Go(Observation::InProgress { .. })), "{waits:?}");
        // Readable, and not yet told: the figure is that of the first reading.
        let early = watch.judge(TERMS, &copied(Some("PENDING"), Some("REPLICA"), millis));
        assert!(matches!(early, Step::Go(Observation::InProgress { .. })), "{early:?}");
        let done = copied(Some("COMPLETED"), Some("REPLICA"), millis + 5_000);
        assert!(matches!(watch.judge(TERMS, &done), Step::Go(Observation::Partly { .. })));
        assert_eq!(removes(&watch), 2);
    }
    assert_eq!(watch.progress.measured, [800, 1_200]);
    assert_eq!(watch.judge(TERMS, &nothing(9_000)), Step::Measured);
}

#[test]
fn what_nobody_timed_is_no_figure() {
    // Taken up: the copy was there when this process first looked.
    let mut watch = Watch::default();
    let done = copied(Some("COMPLETED"), Some("REPLICA"), 3_600_000);
    watch.judge(Terms { timeout: Duration::from_secs(9_000), ..TERMS }, &done);
    assert_eq!((watch.progress.measured.len(), watch.progress.discarded), (0, 1));
    assert_eq!(removes(&watch), 2);
    watch.judge(TERMS, &nothing(0));
    assert_eq!(watch.next, Some(Next::Put("0-1".to_owned())), "it is taken again");
    // Taken up while it was not there yet: that can be timed.
    let mut watch = Watch::default();
    watch.judge(TERMS, &waiting("PENDING", 4_000));
    watch.judge(TERMS, &copied(Some("COMPLETED"), Some("REPLICA"), 5_000));
    assert_eq!(watch.progress.measured, [5_000]);
}

#[test]
fn what_goes_wrong_is_removed_first_and_told_then() {
    let wrong = Sight { copy: Some(canary("b", Some("REPLICA"), 500)), ..waiting("PENDING", 500) };
    for (sight, words) in [
        (waiting("FAILED", 500), "status FAILED"),
        (wrong, "other bytes"),
        (waiting("PENDING", 900_001), "no copy is there after"),
        (copied(Some("PENDING"), Some("REPLICA"), 900_001), "no copy is whole after"),
    ] {
        let mut watch = Watch::default();
        watch.was_put();
        watch.judge(TERMS, &sight);
        assert!(removes(&watch) >= 1, "{words}");
        let Step::Go(Observation::InProgress { .. }) = watch.judge(TERMS, &nothing(1_000_000))
        else {
            panic!("a late copy may come: {words}")
        };
        // It does.
        let late = Sight { left: vec![left(Side::Destination)], ..nothing(1_030_000) };
        watch.judge(TERMS, &late);
        assert_eq!(removes(&watch), 1);
        watch.judge(TERMS, &nothing(1_031_000));
        match watch.judge(TERMS, &nothing(1_092_000)) {
            Step::Go(Observation::Broken { why, .. }) => assert!(why.contains(words), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_server_without_statuses_is_measured_and_told() {
    let mut watch = Watch::default();
    watch.was_put();
    watch.judge(TERMS, &copied(None, None, 700));
    assert_eq!(watch.progress.measured, [700]);
    assert!(watch.progress.untold);
}

#[test]
fn percentiles_are_figures_that_were_measured() {
    let all: Vec<u64> = (1..=20).map(|n| n * 10).collect();
    for (percent, millis) in [(50, 100), (95, 190), (100, 200)] {
        assert_eq!(percentile(&all, percent), Some(Duration::from_millis(millis)), "{percent}");
    }
    assert_eq!(percentile(&[7], 50), Some(Duration::from_millis(7)));
    assert_eq!(percentile(&[9, 7], 50), Some(Duration::from_millis(7)));
    assert_eq!(percentile(&[], 50), None);
}
