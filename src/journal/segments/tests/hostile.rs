//! What people and programs put into, or take out of, a shared journal behind drctl's back. **Invariant:**
//! nothing of it panics, damages the journal, or keeps a run from going on.

use super::*;
use crate::journal::command::{Command, Posted};
use crate::journal::store::Salvaged;

const INBOX: &str = "runs/01run/inbox/";
const LEASE: &str = "runs/01run/lease.json";

#[test]
fn a_lost_lease_does_not_bring_old_numbers_back() {
    for takeover in [Takeover::IfExpired, Takeover::Died, Takeover::Force] {
        let bucket = FakeBucket::default();
        let mut a = store(&bucket, "a");
        for _ in 0..4 {
            take(&mut a, Takeover::Force).unwrap();
        }
        a.append(&records(1, 2, 4)).unwrap();
        bucket.tamper(LEASE, None);
        let mut b = store(&bucket, "b");
        let fence = take(&mut b, takeover).unwrap();
        assert_eq!(fence.number(), 5, "{takeover:?}");
        b.append(&records(3, 4, 5)).unwrap();
        let error = a.append(&records(3, 3, 4)).unwrap_err();
        assert!(matches!(error, JournalError::Fenced { ours: 4, .. }), "{error}");
        assert_eq!(store(&bucket, "c").load().unwrap().len(), 4);
    }
}

#[test]
fn a_lease_number_beyond_all_numbers_is_damage() {
    let bucket = written();
    let lease = String::from_utf8(bucket.bytes(LEASE)).unwrap();
    let edited = lease.replace("\"fence\":1,", &format!("\"fence\":{},", u64::MAX));
    assert_ne!(edited, lease);
    bucket.tamper(LEASE, Some(edited.into_bytes()));
    let error = take(&mut store(&bucket, "b"), Takeover::Force).unwrap_err();
    assert!(error.is_damage(), "{error}");
}

#[test]
fn the_dead_are_of_the_same_station_only() {
    let bucket = FakeBucket::default();
    take(&mut store(&bucket, "a"), Takeover::IfExpired).unwrap();
    let died = |station: &str| {
        store(&bucket, station).acquire("x", simulated_epoch(), TTL, Takeover::Died)
    };
    assert!(matches!(died("b"), Err(JournalError::Held { .. })));
    assert_eq!(died("a").unwrap().number(), 2);
}

#[test]
fn segments_with_impossible_numbers_are_damage() {
    let calm = written();
    let all = store(&calm, "b").load().unwrap();
    for name in ["0000000007-0000000000.jsonl", "0000000000-0000000001.jsonl"] {
        let bucket = calm.fork();
        bucket.tamper(&format!("runs/01run/segments/{name}"), Some(b"{}".to_vec()));
        for reader in [store(&bucket, "b"), store(&bucket, "c")] {
            let read = reader.go_on_from(all.clone(), "the copy").and_then(|()| reader.load());
            assert!(read.unwrap_err().is_damage(), "{name}");
        }
    }
    let last = file::name(6, 9);
    let key = format!("runs/01run/segments/{last}");
    for first in [0, u64::MAX] {
        let bucket = calm.fork();
        let text = String::from_utf8(calm.bytes(&key)).unwrap();
        let edited = text.replacen("\"first\":9,", &format!("\"first\":{first},"), 1);
        assert_ne!(edited, text);
        bucket.tamper(&key, Some(edited.into_bytes()));
        assert!(store(&bucket, "b").load().unwrap_err().is_damage(), "{first}");
    }
}

/// Edits event `event` of the turn that begins with event `first`, and leaves its digest as it is.
fn edit(bucket: &FakeBucket, first: u64, event: u64) {
    let name = file::name(first.div_ceil(2) + 1, first);
    let key = format!("runs/01run/segments/{name}");
    let text = String::from_utf8(bucket.bytes(&key)).unwrap();
    let edited = text.replacen(&format!("reason {event}"), "reason x", 1);
    assert_ne!(edited, text);
    bucket.tamper(&key, Some(edited.into_bytes()));
}

#[test]
fn damage_within_a_segment_is_told_the_same_at_every_look() {
    let calm = written();
    for first in (1..=9).step_by(2) {
        let bucket = calm.fork();
        edit(&bucket, first, first + 1);
        let report = verify(&store(&bucket, "b"), None).unwrap();
        let (seq, why) = report.bad.expect("damage");
        assert_eq!(seq, Some(first + 1), "{why}");
        assert!(why.contains("do not match"), "{why}");
        let reader = store(&bucket, "b");
        for _ in 0..2 {
            let JournalError::Corrupt { seq, why, .. } = reader.load().unwrap_err() else {
                panic!("damage from {first} on");
            };
            assert_eq!(seq, Some(first + 1), "{why}");
            assert!(why.contains("do not match"), "{why}");
        }
    }
}

#[test]
fn what_stands_before_damage_can_still_be_read() {
    let calm = written();
    let all = store(&calm, "b").load().unwrap();
    let whole = Salvaged { records: all.clone(), damage: None };
    assert_eq!(store(&calm, "b").salvage().unwrap(), whole);
    let edited = calm.fork();
    edit(&edited, 5, 5);
    let gone = calm.fork();
    gone.tamper(&format!("runs/01run/segments/{}", file::name(6, 9)), None);
    for (bucket, bad, said) in
        [(edited, 5, "do not match"), (gone, 9, "10 events were written and the rest is missing")]
    {
        let salvaged = store(&bucket, "b").salvage().unwrap();
        assert_eq!(salvaged.records, all[..bad - 1]);
        let damage = salvaged.damage.expect("damage");
        assert_eq!(damage.seq, Some(bad as u64), "{}", damage.why);
        assert!(damage.why.contains(said), "{}", damage.why);
    }
    let unreadable = calm.fork();
    unreadable.tamper(LEASE, Some(b"{".to_vec()));
    let salvaged = store(&unreadable, "b").salvage().unwrap();
    assert_eq!((salvaged.records, salvaged.damage.expect("damage").seq), (all, None));
}

#[test]
fn nonsense_in_the_inbox_is_left_out() {
    let bucket = FakeBucket::default();
    let commands = contract::commands();
    let (mine, theirs) = (commands[0].clone(), commands[1].clone());
    let put = |name: &str, bytes: Vec<u8>| bucket.tamper(&format!("{INBOX}{name}"), Some(bytes));
    store(&bucket, "a").post(&mine).unwrap();
    let whole = serde_json::to_vec(&mine).unwrap();
    for name in ["../x.json", "x.json", "01/x.json", "", "report.html"] {
        put(name, whole.clone());
    }
    put(&format!("{}.json", mine.id.to_uppercase()), whole.clone());
    // The id of somebody's command under another name would use it up.
    put(&format!("{}.json", theirs.id), whole);
    put(&format!("{}.json", commands[2].id), vec![b' '; 70_000]);
    let driver = store(&bucket, "b");
    assert_eq!(driver.posted().unwrap(), std::slice::from_ref(&mine));
    assert_eq!(driver.posted().unwrap(), [mine]);
}

#[test]
fn what_others_post_is_made_fit_for_journals() {
    let bucket = FakeBucket::default();
    let mut posted: Posted = contract::commands()[0].clone();
    posted.by.operator = "\u{1b}[2Jeve".to_owned();
    posted.command = Command::Pause { reason: Some("password=hunter2 \u{1b}[31m".to_owned()) };
    let bytes = serde_json::to_vec(&posted).unwrap();
    bucket.tamper(&format!("{INBOX}{}.json", posted.id), Some(bytes));
    let read = store(&bucket, "a").posted().unwrap();
    let text = serde_json::to_string(&read).unwrap();
    assert_eq!(read.len(), 1);
    assert!(!text.contains("hunter2") && !text.contains("u001b"), "{text}");
}

#[test]
fn a_command_that_cannot_be_read_is_tried_again() {
    let bucket = FakeBucket::default();
    let commands = contract::commands();
    commands[..2].iter().for_each(|one| store(&bucket, "a").post(one).unwrap());
    let driver = store(&bucket, "b");
    // The listing, both at once (the first one fails), then one by one.
    bucket.plan(2, Trouble::LostBefore);
    bucket.plan(3, Trouble::LostBefore);
    assert_eq!(driver.posted().unwrap(), commands[1..2]);
    assert_eq!(driver.posted().unwrap(), commands[..2]);
}
