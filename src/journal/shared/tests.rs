//! Losing either side of a shared journal at every point. **Invariant:** the bucket has what was
//! acknowledged, and a copy is never ahead.

use super::{COPY_OF, SharedStore, copy_of, go_on_alone};
use crate::base::clock::simulated_epoch;
use crate::journal::chain::Claim;
use crate::journal::contract;
use crate::journal::error::JournalError;
use crate::journal::event::{Event, Record};
use crate::journal::segments::SegmentStore;
use crate::journal::segments::fake::{FakeBucket, Trouble};
use crate::journal::sqlite::SqliteStore;
use crate::journal::store::{Store, Takeover};
use crate::journal::testing::JournalBuilder;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(60);
const TURNS: u64 = 6;

/// A machine: a state directory with a copy.
struct Machine {
    directory: tempfile::TempDir,
    name: &'static str,
}

impl Machine {
    fn new(name: &'static str) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), name }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("journal.db")
    }

    fn copy(&self) -> SqliteStore {
        let path = self.path();
        if path.exists() { SqliteStore::open(&path) } else { SqliteStore::create(&path) }.unwrap()
    }

    fn open(&self, bucket: &FakeBucket) -> Result<SharedStore, JournalError> {
        SharedStore::open(segments(bucket, self.name), self.copy())
    }
}

fn segments(bucket: &FakeBucket, station: &str) -> SegmentStore {
    SegmentStore::new(Arc::new(bucket.clone()), "01run", station)
}

/// Turn number `turn`, from 0: two events under `fence`.
fn turn(turn: u64, fence: u64) -> Vec<Record> {
    let mut builder = JournalBuilder::new();
    for number in 1..=(turn + 1) * 2 {
        builder.push(number, Event::RunInterrupted { reason: format!("reason {number}") });
    }
    let mut records = builder.records().split_off(usize::try_from(turn * 2).unwrap());
    records.iter_mut().for_each(|record| record.fence = fence);
    records
}

/// Takes the run and appends turns until `until` are there.
fn drive(store: &mut SharedStore, until: u64) -> Result<(), JournalError> {
    let now = simulated_epoch();
    let fence = store.acquire("somebody", now, TTL, Takeover::Force)?;
    for number in store.head()?.count / 2..until {
        store.append(&turn(number, fence.number()))?;
    }
    store.release(fence)
}

fn count(path: &Path) -> usize {
    SqliteStore::open_read_only(path).unwrap().load().unwrap().len()
}

#[test]
fn it_keeps_the_contract_of_stores() {
    for check in [contract::inbox, contract::lease_check] {
        check(&mut Machine::new("a").open(&FakeBucket::default()).unwrap());
    }
    let bucket = FakeBucket::default();
    let (a, b) = (Machine::new("a"), Machine::new("b"));
    contract::inbox_of_two(&mut a.open(&bucket).unwrap(), &mut b.open(&bucket).unwrap());
}

#[test]
fn the_copy_is_lost_or_behind_at_every_point() {
    for stop in 0..=TURNS {
        for behind in 0..=stop {
            let (bucket, machine) = (FakeBucket::default(), Machine::new("a"));
            drive(&mut machine.open(&bucket).unwrap(), behind).unwrap();
            let kept = std::fs::read(machine.path()).unwrap();
            drive(&mut machine.open(&bucket).unwrap(), stop).unwrap();
            // An older copy, then none at all.
            let older = Machine::new("a");
            std::fs::write(older.path(), kept).unwrap();
            for again in [older, Machine::new("a"), Machine::new("b")] {
                let bucket = bucket.fork();
                let mut store = again.open(&bucket).unwrap();
                assert_eq!(count(&again.path()) as u64, stop * 2, "brought up to date");
                drive(&mut store, TURNS).unwrap();
                let whole = segments(&bucket, "c").load().unwrap();
                assert_eq!(whole.len() as u64, TURNS * 2);
                let copy = SqliteStore::open_read_only(&again.path()).unwrap().load().unwrap();
                assert_eq!(copy, whole);
            }
        }
    }
}

#[test]
fn the_bucket_is_lost_at_every_call() {
    let (calm, machine) = (FakeBucket::default(), Machine::new("a"));
    drive(&mut machine.open(&calm).unwrap(), TURNS).unwrap();
    let (calls, _) = calm.counts();
    for call in 1..=calls {
        let (bucket, machine) = (FakeBucket::default(), Machine::new("a"));
        bucket.plan(call, Trouble::Down);
        let ended = machine.open(&bucket).and_then(|mut store| drive(&mut store, TURNS));
        let error = ended.unwrap_err();
        assert!(error.to_string().contains("(unreachable)"), "{error}");
        bucket.down(false);
        let there = segments(&bucket, "c").load().unwrap();
        assert!(count(&machine.path()) <= there.len(), "call {call}: the copy is ahead");
        drive(&mut machine.open(&bucket).unwrap(), TURNS).unwrap();
        assert_eq!(count(&machine.path()) as u64, TURNS * 2);
    }
}

#[test]
fn a_copy_that_cannot_be_written_stops_nothing() {
    for stop in 0..TURNS {
        let (bucket, machine) = (FakeBucket::default(), Machine::new("a"));
        drive(&mut machine.open(&bucket).unwrap(), stop).unwrap();
        let copy = SqliteStore::open_read_only(&machine.path()).unwrap();
        let mut store = SharedStore::open(segments(&bucket, "a"), copy).unwrap();
        drive(&mut store, TURNS).unwrap();
        assert!(!store.is_copied());
        let notes = store.notes().unwrap();
        assert!(notes.iter().any(|note| note.key == "local copy lost"), "{notes:?}");
        assert_eq!(count(&machine.path()) as u64, stop * 2);
        drop(machine.open(&bucket).unwrap());
        assert_eq!(count(&machine.path()) as u64, TURNS * 2, "and it catches up when it can");
    }
}

#[test]
fn two_processes_of_a_machine_may_write_its_copy() {
    let (bucket, machine) = (FakeBucket::default(), Machine::new("a"));
    let mut driver = machine.open(&bucket).unwrap();
    let fence = driver.acquire("a", simulated_epoch(), TTL, Takeover::IfExpired).unwrap();
    for number in 0..TURNS {
        driver.append(&turn(number, fence.number())).unwrap();
        // As `drctl status` does, which finds everything copied already, or copies it first.
        driver.copied = driver.copied.saturating_sub(number % 3);
        drop(machine.open(&bucket).unwrap());
    }
    assert!(driver.is_copied());
    assert_eq!(count(&machine.path()) as u64, TURNS * 2);
}

#[test]
fn a_copy_that_is_ahead_or_another_is_refused() {
    let (bucket, machine) = (FakeBucket::default(), Machine::new("a"));
    drive(&mut machine.open(&bucket).unwrap(), 3).unwrap();
    let younger = bucket.fork();
    drive(&mut machine.open(&bucket).unwrap(), 4).unwrap();
    let error = machine.open(&younger).unwrap_err();
    assert!(matches!(error, JournalError::Diverged { seq: 7, .. }), "{error}");
    let mut forked = Machine::new("b").open(&younger).unwrap();
    let fence = forked.acquire("b", simulated_epoch(), TTL, Takeover::Force).unwrap();
    let mut other = turn(3, fence.number());
    other[1].run_ms += 1;
    forked.append(&other).unwrap();
    let error = machine.open(&younger).unwrap_err();
    assert!(matches!(error, JournalError::Diverged { seq: 8, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("journal.db") && text.contains("s3://fake/team/runs/01run"), "{text}");
}

#[test]
fn journals_are_brought_to_a_bucket_and_back() {
    let machine = Machine::new("a");
    let mut local = machine.copy();
    let now = simulated_epoch();
    for fence in 1..=3 {
        local.acquire("a", now, TTL, Takeover::Force).unwrap();
        local.append(&turn(fence - 1, fence)).unwrap();
    }
    let records = local.load().unwrap();
    let claim = Claim { holder: "push", now, ttl: TTL, takeover: Takeover::IfExpired };
    let calm = FakeBucket::default();
    let bring = |bucket: &FakeBucket| segments(bucket, "a").bring(&records, (claim, "the copy"));
    bring(&calm).unwrap();
    let (calls, _) = calm.counts();
    for call in 1..=calls {
        let bucket = FakeBucket::default();
        bucket.plan(call, Trouble::Down);
        bring(&bucket).unwrap_err();
        bucket.down(false);
        assert_eq!(bring(&bucket).unwrap().count, 6, "call {call}: pushed again, it ends");
        assert_eq!(segments(&bucket, "c").load().unwrap(), records);
    }
    let keys = calm.keys();
    assert_eq!(bring(&calm).unwrap().count, 6);
    assert_eq!(calm.keys(), keys, "a second push changes nothing");
    // Fences go on above those of the journal that was brought.
    let mut store = machine.open(&calm).unwrap();
    assert!(store.acquire("b", now, TTL, Takeover::IfExpired).unwrap().number() > 3);
    let held = segments(&calm, "b").bring(&local.load().unwrap(), (claim, "the copy")).unwrap();
    assert_eq!(held.count, 6, "nothing is to be written, so nobody is disturbed");
    let back = Machine::new("b");
    drop(back.open(&calm).unwrap());
    assert_eq!(SqliteStore::open_read_only(&back.path()).unwrap().load().unwrap(), records);
    let mut other = records.clone();
    other[2].digest = other[1].digest.clone();
    let error = segments(&calm, "a").bring(&other, (claim, "the copy")).unwrap_err();
    assert!(matches!(error, JournalError::Diverged { seq: 3, .. }), "{error}");
}

#[test]
fn a_copy_is_known_as_one_and_goes_on_above_the_fences_of_its_events() {
    let (bucket, machine) = (FakeBucket::default(), Machine::new("a"));
    assert_eq!(copy_of(&machine.copy()).unwrap(), None);
    for until in 1..=3 {
        drive(&mut machine.open(&bucket).unwrap(), until).unwrap();
    }
    let mut copy = machine.copy();
    let place = copy_of(&copy).unwrap().unwrap();
    assert_eq!(place, "s3://fake/team/runs/01run");
    let marks = copy.notes().unwrap().into_iter().filter(|note| note.key == COPY_OF);
    assert_eq!(marks.count(), 1, "marked once");
    let fence = copy.acquire("a", simulated_epoch(), TTL, Takeover::IfExpired).unwrap();
    assert_eq!(fence.number(), 4, "it has no lease of its own, and its events have fences");
    go_on_alone(&mut copy, &place).unwrap();
    assert_eq!(copy_of(&copy).unwrap(), None);
    drop(machine.open(&bucket).unwrap());
    assert_eq!(copy_of(&copy).unwrap(), Some(place), "and is a copy again");
    assert_eq!(copy_of(&machine.open(&bucket).unwrap()).unwrap(), None, "the bucket is none");
}
