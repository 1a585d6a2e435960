//! Journals in a bucket under loss, races and damage. **Invariant:** what was acknowledged is there, once.

use super::fake::{FakeBucket, Trouble, Turns};
use super::{SegmentStore, file};
use crate::base::clock::{simulated_epoch, to_delta};
use crate::journal::chain;
use crate::journal::contract;
use crate::journal::error::JournalError;
use crate::journal::event::{Event, Record};
use crate::journal::objects::BucketProblem;
use crate::journal::store::{Fence, Store, Takeover};
use crate::journal::testing::{JournalBuilder, every_event};
use crate::journal::verify::{Expected, verify};
use std::sync::Arc;
use std::time::Duration;

mod hostile;

const TTL: Duration = Duration::from_secs(60);

fn store(bucket: &FakeBucket, station: &str) -> SegmentStore {
    SegmentStore::new(Arc::new(bucket.clone()), "01run", station)
}

fn take(store: &mut SegmentStore, takeover: Takeover) -> Result<Fence, JournalError> {
    store.acquire(&store.station.clone(), simulated_epoch(), TTL, takeover)
}

/// Records `from..=to`, all of one lease.
fn records(from: u64, to: u64, fence: u64) -> Vec<Record> {
    let mut builder = JournalBuilder::new();
    for number in 1..=to {
        builder.push(number, Event::RunInterrupted { reason: format!("reason {number}") });
    }
    let mut records = builder.records().split_off(usize::try_from(from - 1).unwrap());
    records.iter_mut().for_each(|record| record.fence = fence);
    records
}

/// A journal of ten events in five turns under lease 1, given back.
fn written() -> FakeBucket {
    let bucket = FakeBucket::default();
    let mut writer = store(&bucket, "a");
    let fence = take(&mut writer, Takeover::IfExpired).unwrap();
    for at in (1..=9).step_by(2) {
        writer.append(&records(at, at + 1, 1)).unwrap();
    }
    writer.release(fence).unwrap();
    bucket
}

#[test]
fn it_keeps_the_contract_of_stores() {
    contract::inbox(&mut store(&FakeBucket::default(), "a"));
    contract::lease_check(&mut store(&FakeBucket::default(), "a"));
    let bucket = FakeBucket::default();
    contract::inbox_of_two(&mut store(&bucket, "a"), &mut store(&bucket, "b"));
}

#[test]
fn what_was_written_is_read_byte_for_byte() {
    let bucket = FakeBucket::default();
    let mut builder = JournalBuilder::new();
    every_event("restore").into_iter().for_each(|event| builder.push(5, event));
    let mut writer = store(&bucket, "a");
    assert_eq!(writer.head().unwrap(), chain::genesis());
    let fence = take(&mut writer, Takeover::IfExpired).unwrap();
    writer.append(&builder.records()[..3]).unwrap();
    let head = writer.append(&builder.records()[3..]).unwrap();
    assert_eq!(writer.append(&[]).unwrap(), head, "an empty turn is no object");
    writer.note("process", "1").unwrap();
    store(&bucket, "b").note("process", "2").unwrap();
    writer.release(fence).unwrap();
    let reader = store(&bucket, "b");
    assert_eq!(reader.load().unwrap(), builder.stored());
    assert_eq!((reader.head().unwrap(), writer.load().unwrap()), (head, builder.stored()));
    let notes: Vec<String> = reader.notes().unwrap().into_iter().map(|note| note.value).collect();
    assert_eq!(notes, ["1", "2"]);
    let keys = bucket.keys();
    let names: Vec<&str> = keys.iter().map(|key| key.rsplit('/').next().unwrap()).collect();
    let (one, two, three) = (file::name(1, 1), file::name(2, 1), file::name(3, 4));
    let lines = ["lease.json", "0000000001.json", "0000000002.json"].map(str::to_owned);
    assert_eq!(names, [&lines[..], &[one, two, three]].concat());
    assert_eq!(SegmentStore::runs(&bucket).unwrap(), ["01run"]);
}

#[test]
fn a_lease_is_of_one_station_and_then_of_the_next() {
    let bucket = FakeBucket::default();
    let (mut a, mut b) = (store(&bucket, "a"), store(&bucket, "b"));
    assert_eq!(take(&mut a, Takeover::IfExpired).unwrap().number(), 1);
    let held = take(&mut b, Takeover::IfExpired).unwrap_err();
    assert!(matches!(&held, JournalError::Held { holder, .. } if holder == "a"), "{held}");
    // Two machines whose processes have the same number are two all the same.
    let twin = b.acquire("a", simulated_epoch(), TTL, Takeover::IfExpired).unwrap_err();
    assert!(matches!(twin, JournalError::Held { .. }), "{twin}");
    // A state directory's own lock says that its former process is gone.
    assert_eq!(take(&mut store(&bucket, "a"), Takeover::IfExpired).unwrap().number(), 2);
    let later = simulated_epoch() + to_delta(TTL);
    let fence = b.acquire("b", later, TTL, Takeover::IfExpired).unwrap();
    assert_eq!(fence.number(), 3);
    let error = a.append(&records(1, 1, 1)).unwrap_err();
    assert!(matches!(&error, JournalError::Fenced { ours: 1, .. }), "{error}");
    assert!(a.renew(Fence::new(1), later, TTL).unwrap_err().is_lease());
    assert!(a.release(Fence::new(1)).unwrap_err().is_lease());
    b.append(&records(1, 2, 3)).unwrap();
    b.release(fence).unwrap();
    assert_eq!(take(&mut a, Takeover::IfExpired).unwrap().number(), 4);
    a.append(&records(3, 3, 4)).unwrap();
    assert_eq!(store(&bucket, "c").load().unwrap().len(), 3);
}

#[test]
fn the_same_rules_as_on_disk() {
    let bucket = FakeBucket::default();
    let mut store = store(&bucket, "a");
    take(&mut store, Takeover::IfExpired).unwrap();
    let error = store.append(&records(2, 2, 1)).unwrap_err();
    assert!(matches!(error, JournalError::OutOfSequence { expected: 1, found: 2, .. }));
    assert!(matches!(store.append(&records(1, 1, 9)), Err(JournalError::Fenced { ours: 9, .. })));
    assert_eq!(store.load().unwrap(), []);
}

/// Takes the lease, appends three turns, renews, notes, gives back: as a run does.
fn run(store: &mut SegmentStore) -> Result<(), JournalError> {
    let fence = take(store, Takeover::IfExpired)?;
    let start = store.head()?.count;
    for turn in 0..3 {
        let at = start + turn * 2 + 1;
        store.append(&records(at, at + 1, fence.number()))?;
    }
    store.renew(fence, simulated_epoch(), TTL)?;
    store.note("process", "1")?;
    store.release(fence)
}

/// Every call of a run meets every trouble; the run goes on from wherever it stopped.
#[test]
fn lost_answers_are_settled_by_looking() {
    let calm = FakeBucket::default();
    run(&mut store(&calm, "a")).unwrap();
    let (calls, puts) = calm.counts();
    assert_eq!(puts, 8, "lease, its segment, three turns, renewal, note, release");
    let mut survived = 0;
    for call in 1..=calls {
        for trouble in [Trouble::LostBefore, Trouble::LostAfter, Trouble::Conflict, Trouble::Down] {
            let bucket = FakeBucket::default();
            bucket.plan(call, trouble);
            let mut first = store(&bucket, "a");
            let ended = run(&mut first);
            if let Err(error) = &ended {
                let failed = matches!(
                    error,
                    JournalError::Bucket { problem: BucketProblem::Unreachable, .. }
                );
                assert!(failed, "call {call} {trouble:?}: {error}");
            }
            survived += usize::from(ended.is_ok());
            bucket.down(false);
            let before = store(&bucket, "b").load().unwrap();
            // What stopped may be taken up at once by its own machine, and by others in time.
            run(&mut store(&bucket, "a")).unwrap();
            let after = store(&bucket, "b").load().unwrap();
            assert_eq!(after.len(), before.len() + 6, "call {call} {trouble:?}");
            assert_eq!(after[..before.len()], before);
        }
    }
    // All troubles of a write are survived, but that nobody answers for good.
    assert_eq!(survived, usize::try_from(puts * 3).unwrap());
}

/// All orders in which `a` calls of one writer and `b` of another can come.
fn orders(a: usize, b: usize) -> Vec<Vec<usize>> {
    if a == 0 || b == 0 {
        return vec![[vec![0; a], vec![1; b]].concat()];
    }
    let with = |first: usize, rests: Vec<Vec<usize>>| {
        rests.into_iter().map(move |rest| [vec![first], rest].concat()).collect::<Vec<_>>()
    };
    [with(0, orders(a - 1, b)), with(1, orders(a, b - 1))].concat()
}

/// Runs `one` and `two` as two writers whose calls come in `order`.
fn race<A: Send, B: Send>(
    bucket: &FakeBucket,
    order: Vec<usize>,
    one: impl FnOnce(FakeBucket) -> A + Send,
    two: impl FnOnce(FakeBucket) -> B + Send,
) -> (A, B) {
    let turns = Turns::new(order);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            let ended = one(bucket.taking(&turns, 0));
            turns.end(0);
            ended
        });
        let ended = two(bucket.taking(&turns, 1));
        turns.end(1);
        (first.join().unwrap(), ended)
    })
}

/// One writer appends while another takes the run over, in every order of their calls.
#[test]
fn a_take_over_fences_at_every_interleaving() {
    let (mut fenced, mut early) = (0, 0);
    for order in orders(7, 7) {
        let bucket = FakeBucket::default();
        let mut a = store(&bucket, "a");
        take(&mut a, Takeover::IfExpired).unwrap();
        a.append(&records(1, 2, 1)).unwrap();
        let (acknowledged, taken) = race(
            &bucket,
            order.clone(),
            |handle| {
                a.objects = Arc::new(handle);
                let mut acknowledged = Vec::new();
                for at in 3..=8 {
                    match a.append(&records(at, at, 1)) {
                        Ok(head) => acknowledged.push(head.count),
                        Err(error) => {
                            let text = error.to_string();
                            assert!(
                                matches!(error, JournalError::Fenced { ours: 1, .. }),
                                "{text}"
                            );
                            assert!(text.contains("2, of b"), "{text}");
                            break;
                        }
                    }
                }
                acknowledged
            },
            |handle| {
                let mut b = store(&handle, "b");
                let fence = take(&mut b, Takeover::Force).unwrap();
                let next = b.load().unwrap().len() as u64 + 1;
                b.append(&records(next, next, fence.number())).unwrap();
                next
            },
        );
        let whole = store(&bucket, "c").load().unwrap();
        let fences: Vec<u64> = whole.iter().map(|one| one.record.as_ref().unwrap().fence).collect();
        assert!(fences.is_sorted(), "{order:?}: {fences:?}");
        assert_eq!(whole.len() as u64, taken, "{order:?}: nothing follows the new holder");
        let last = acknowledged.last().copied().unwrap_or(2);
        assert_eq!(last + 1, taken, "{order:?}: what was acknowledged is there, and nothing else");
        fenced += usize::from(acknowledged.len() < 6);
        early += usize::from(!acknowledged.is_empty());
    }
    // Whoever takes over comes after what the old holder is just writing, so that few orders fence it
    // before it is done.
    assert!(fenced >= 10 && early > 1_000, "{fenced} {early}");
}

/// Two stations want a run that nobody holds, in every order of their calls.
#[test]
fn of_two_that_begin_one_holds() {
    for order in orders(5, 5) {
        let bucket = FakeBucket::default();
        let begin = |name: &'static str| {
            move |handle: FakeBucket| {
                let mut store = store(&handle, name);
                let fence = take(&mut store, Takeover::IfExpired)?;
                store.append(&records(1, 2, fence.number()))
            }
        };
        let (one, two) = race(&bucket, order.clone(), begin("a"), begin("b"));
        let errors: Vec<_> = [one, two].into_iter().filter_map(Result::err).collect();
        assert!(matches!(errors.as_slice(), [JournalError::Held { .. }]), "{order:?}: {errors:?}");
        assert_eq!(store(&bucket, "c").load().unwrap().len(), 2);
    }
}

/// Two handles of one lease, which cannot be: the second one is told, and nothing is lost.
#[test]
fn two_writers_under_one_lease_do_not_mix() {
    let bucket = FakeBucket::default();
    let (mut a, mut b) = (store(&bucket, "a"), store(&bucket, "a"));
    take(&mut a, Takeover::IfExpired).unwrap();
    b.head().unwrap();
    a.append(&records(1, 1, 1)).unwrap();
    b.append(&records(2, 2, 1)).unwrap();
    let error = a.append(&records(2, 2, 1)).unwrap();
    assert_eq!(error.count, 2, "the same bytes are the same turn");
    b.append(&records(3, 3, 1)).unwrap();
    let other = JournalBuilder::started(&["x"]).start(1, "x").records().split_off(2);
    let error = a.append(&other).unwrap_err();
    assert!(matches!(error, JournalError::OutOfSequence { .. }), "{error}");
}

#[test]
fn damage_is_found_and_named() {
    let calm = written();
    let segments: Vec<String> =
        calm.keys().into_iter().filter(|key| key.contains("/segments/")).collect();
    assert_eq!(segments.len(), 6);
    let damaged = |change: &dyn Fn(&FakeBucket)| {
        let bucket = calm.fork();
        change(&bucket);
        let report = verify(&store(&bucket, "b"), None);
        match report {
            Ok(report) => report.bad.expect("damage"),
            Err(error) => (None, error.to_string()),
        }
    };
    for (number, key) in segments.iter().enumerate().skip(1) {
        let first = (number as u64 - 1) * 2 + 1;
        let (seq, why) = damaged(&|bucket| bucket.tamper(key, None));
        assert_eq!(seq, Some(first), "{why}");
        let flip = |bucket: &FakeBucket| {
            let text = String::from_utf8(bucket.bytes(key)).unwrap();
            let edited = text.replacen(&format!("reason {first}"), "reason x", 1);
            bucket.tamper(key, Some(edited.into_bytes()));
        };
        let (seq, why) = damaged(&flip);
        assert_eq!(seq, Some(first), "{why}");
        assert!(why.contains("do not match"), "{why}");
        let cut = |bucket: &FakeBucket| {
            let bytes = bucket.bytes(key);
            bucket.tamper(key, Some(bytes[..bytes.len() - 30].to_vec()));
        };
        let (seq, why) = damaged(&cut);
        assert_eq!(seq, Some(first + 1), "{why}");
    }
    let foreign = |bucket: &FakeBucket| {
        bucket.tamper("runs/01run/segments/report.html", Some(b"<html>".to_vec()));
    };
    let (_, why) = damaged(&foreign);
    assert!(why.contains("report.html is not drctl's"), "{why}");
    let swapped = |bucket: &FakeBucket| {
        let (one, two) = (bucket.bytes(&segments[1]), bucket.bytes(&segments[2]));
        bucket.tamper(&segments[1], Some(two));
        bucket.tamper(&segments[2], Some(one));
    };
    assert_eq!(damaged(&swapped).0, Some(1));
    let lease = |bucket: &FakeBucket| bucket.tamper("runs/01run/lease.json", Some(b"{".to_vec()));
    assert!(damaged(&lease).1.contains("its lease cannot be read"));
}

#[test]
fn a_copy_saves_reading_and_is_proven() {
    let bucket = written();
    let all = store(&bucket, "b").load().unwrap();
    for count in 0..=10 {
        let reader = store(&bucket, "b");
        let (before, _) = bucket.counts();
        reader.go_on_from(all[..count].to_vec(), "the copy").unwrap();
        assert_eq!(reader.load().unwrap(), all, "from {count}");
        if count == 10 {
            // List, the last segment, list, lease.
            assert_eq!(bucket.counts().0 - before, 4);
        }
    }
    let mut other = all.clone();
    other[9].digest = other[8].digest.clone();
    let longer = [all.as_slice(), &all[9..]].concat();
    let mut more = longer.clone();
    more[10].seq = 11;
    for (copy, at) in [(other, 10), (more, 11)] {
        let error = store(&bucket, "b").go_on_from(copy, "the copy").unwrap_err();
        assert!(matches!(error, JournalError::Diverged { seq, .. } if seq == at), "{error}");
    }
    let empty = store(&FakeBucket::default(), "b").go_on_from(all.clone(), "the copy").unwrap_err();
    assert!(matches!(empty, JournalError::Diverged { .. }), "{empty}");
    let report = verify(&store(&bucket, "b"), Some(all[3].digest.as_str())).unwrap();
    assert_eq!(report.expected, Expected::Earlier { seq: 4 });
}
