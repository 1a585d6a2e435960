//! Rough treatment of journal files. **Invariant:** every damage is found and named.

use super::*;
use crate::base::clock::simulated_epoch;
use crate::base::digest::Digest;
use crate::journal::event::Event;
use crate::journal::testing::{JournalBuilder, every_event};
use crate::journal::verify::{Expected, export_jsonl, verify};
use chrono::TimeDelta;
use std::path::PathBuf;

mod inbox;
mod rough;

const TTL: Duration = Duration::from_secs(60);

struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("journal.db")
    }

    /// A closed journal with ten events under lease 1.
    fn written() -> Self {
        let bench = Self::new();
        let mut store = SqliteStore::create(&bench.path()).unwrap();
        acquire(&mut store, "a");
        store.append(&records(1, 10, 1)).unwrap();
        bench
    }

    fn edit(&self, sql: &str) {
        let changed = Connection::open(self.path()).unwrap().execute(sql, []).unwrap();
        assert!(changed > 0, "the edit changed nothing: {sql}");
    }
}

fn acquire(store: &mut SqliteStore, holder: &str) -> Fence {
    store.acquire(holder, simulated_epoch(), TTL, Takeover::IfExpired).unwrap()
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

fn damage(path: &Path) -> (Option<u64>, String) {
    let store = SqliteStore::open_read_only(path).unwrap();
    let report = verify(&store, None).unwrap();
    assert!(!report.is_sound());
    let (seq, why) = report.bad.unwrap();
    assert!(matches!(store.load(), Err(JournalError::Corrupt { .. })));
    (seq, why)
}

#[test]
fn what_was_written_is_read_byte_for_byte() {
    let bench = Bench::new();
    let mut store = SqliteStore::create(&bench.path()).unwrap();
    assert_eq!(store.head().unwrap(), chain::genesis());
    let fence = acquire(&mut store, "a");
    let mut builder = JournalBuilder::new();
    every_event("restore").into_iter().for_each(|event| builder.push(5, event));
    let written = builder.records();
    let head = store.append(&written[..3]).unwrap();
    assert_eq!(head.count, 3);
    let head = store.append(&written[3..]).unwrap();
    store.release(fence).unwrap();
    drop(store);

    let store = SqliteStore::open_read_only(&bench.path()).unwrap();
    let read = store.load().unwrap();
    assert_eq!(chain::known(&read).unwrap(), written);
    assert_eq!(store.head().unwrap(), head);
    assert_eq!(read.last().unwrap().digest, head.digest);
    let mut lines = Vec::new();
    export_jsonl(&store, &mut lines).unwrap();
    let expected: Vec<u8> = written
        .iter()
        .flat_map(|record| [serde_json::to_vec(record).unwrap(), b"\n".to_vec()].concat())
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn the_chain_is_over_the_bytes() {
    let bench = Bench::written();
    let store = SqliteStore::open(&bench.path()).unwrap();
    let mut digest = chain::genesis().digest;
    for one in store.load().unwrap() {
        digest = Digest::of_parts(&[digest.as_str().as_bytes(), &one.bytes]);
        assert_eq!(one.digest, digest);
    }
    assert_eq!(store.head().unwrap(), Head { count: 10, digest });
}

#[test]
fn damage_is_found_and_named() {
    let flip = "CAST(replace(CAST(bytes AS TEXT), 'reason 4', 'reason 5') AS BLOB)";
    for (sql, seq, why) in [
        (&*format!("UPDATE events SET bytes = {flip} WHERE seq = 4"), 4, "do not match its digest"),
        ("UPDATE events SET digest = 'sha256:00' WHERE seq = 6", 6, "do not match its digest"),
        ("DELETE FROM events WHERE seq = 5", 5, "event 5 is missing"),
        ("DELETE FROM events WHERE seq > 7", 8, "10 events were written"),
        ("DELETE FROM events", 1, "10 events were written"),
        ("UPDATE events SET type = 'run_finished' WHERE seq = 2", 2, "the columns beside them"),
        ("UPDATE events SET version = 2 WHERE seq = 2", 2, "the columns beside them"),
        ("UPDATE head SET digest = 'sha256:00'", 10, "the head's digest"),
        ("UPDATE head SET count = 9", 10, "only 9 were written"),
        ("UPDATE events SET seq = 30 WHERE seq = 3", 3, "event 3 is missing"),
        (
            "UPDATE events SET bytes = (SELECT o.bytes FROM events o WHERE o.seq = 7 - events.seq) \
             WHERE seq IN (3, 4)",
            3,
            "do not match its digest",
        ),
        (
            "UPDATE events SET (bytes, digest) = (SELECT o.bytes, o.digest FROM events o \
             WHERE o.seq = 7 - events.seq) WHERE seq IN (3, 4)",
            3,
            "do not match its digest",
        ),
    ] {
        let bench = Bench::written();
        bench.edit(sql);
        let (found, reason) = damage(&bench.path());
        assert_eq!(found, Some(seq), "{sql}: {reason}");
        assert!(reason.contains(why), "{sql}: {reason}");
    }
}

#[test]
fn a_missing_head_is_damage() {
    let bench = Bench::written();
    bench.edit("DELETE FROM head");
    assert_eq!(damage(&bench.path()).0, None);
    let mut store = SqliteStore::open(&bench.path()).unwrap();
    let error = store.append(&records(11, 11, 1)).unwrap_err();
    assert!(error.is_damage(), "{error}");
}

#[test]
fn a_rewritten_tail_is_only_found_by_the_expected_head() {
    let bench = Bench::written();
    let printed = SqliteStore::open(&bench.path()).unwrap().head().unwrap().digest;
    bench.edit("DELETE FROM events WHERE seq > 7");
    bench.edit("UPDATE head SET count = 7, digest = (SELECT digest FROM events WHERE seq = 7)");
    let store = SqliteStore::open_read_only(&bench.path()).unwrap();
    assert!(verify(&store, None).unwrap().is_sound());
    let report = verify(&store, Some(printed.as_str())).unwrap();
    assert_eq!((report.expected, report.is_sound()), (Expected::Missing, false));
}

#[test]
fn an_expected_head_may_be_short_or_earlier() {
    let bench = Bench::written();
    let store = SqliteStore::open_read_only(&bench.path()).unwrap();
    let records = store.load().unwrap();
    let (third, last) = (&records[2].digest, &records[9].digest);
    let expected = |text: &str| verify(&store, Some(text)).unwrap().expected;
    assert_eq!(expected(last.as_str()), Expected::Head);
    assert_eq!(expected(last.short()), Expected::Head);
    assert_eq!(expected(third.as_str()), Expected::Earlier { seq: 3 });
    assert_eq!(expected(""), Expected::Missing);
    assert_eq!(expected("sha256:"), Expected::Missing);
    assert_eq!(expected(&last.short()[..4]), Expected::Missing);
}

#[test]
fn wrong_numbers_and_fences_write_nothing() {
    let bench = Bench::written();
    let mut store = SqliteStore::open(&bench.path()).unwrap();
    let before = store.head().unwrap();
    let mut gap = records(11, 13, 1);
    gap.remove(1);
    let mut late = records(11, 13, 1);
    late[2].fence = 7;
    for (batch, text) in [
        (records(10, 10, 1), "event 10 does not follow on; 11 is next"),
        (records(12, 12, 1), "event 12 does not follow on; 11 is next"),
        (gap, "event 13 does not follow on; 12 is next"),
        (late, "lease 7 is no longer valid (now 1)"),
    ] {
        let error = store.append(&batch).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(store.head().unwrap(), before);
        assert_eq!(store.load().unwrap().len(), 10);
    }
    assert_eq!(store.append(&[]).unwrap(), before);
    assert_eq!(store.append(&records(11, 11, 1)).unwrap().count, 11);
}

#[test]
fn of_two_writers_the_older_is_fenced() {
    let bench = Bench::written();
    let (mut first, mut second) =
        (SqliteStore::open(&bench.path()).unwrap(), SqliteStore::open(&bench.path()).unwrap());
    let now = simulated_epoch();
    let held = second.acquire("b", now, TTL, Takeover::IfExpired).unwrap_err();
    assert!(held.is_lease());
    assert!(held.to_string().contains("held by a until 2026-01-15T09:01:00Z"), "{held}");
    let fence = second.acquire("b", now, TTL, Takeover::Force).unwrap();
    assert_eq!(fence, Fence::new(2));
    assert!(matches!(first.append(&records(11, 11, 1)), Err(JournalError::Fenced { .. })));
    assert!(matches!(first.renew(Fence::new(1), now, TTL), Err(JournalError::Fenced { .. })));
    assert!(matches!(first.release(Fence::new(1)), Err(JournalError::Fenced { .. })));
    second.append(&records(11, 12, 2)).unwrap();
    assert_eq!(first.head().unwrap().count, 12);
}

#[test]
fn leases_expire_renew_and_never_repeat_a_number() {
    let bench = Bench::new();
    let mut store = SqliteStore::create(&bench.path()).unwrap();
    let now = simulated_epoch();
    let first = acquire(&mut store, "a");
    let later = now + TimeDelta::seconds(59);
    assert!(store.acquire("b", later, TTL, Takeover::IfExpired).is_err());
    store.renew(first, later, TTL).unwrap();
    let expired = now + TimeDelta::seconds(60);
    assert!(store.acquire("b", expired, TTL, Takeover::IfExpired).is_err());
    let expired = later + TimeDelta::seconds(60);
    let second = store.acquire("b", expired, TTL, Takeover::IfExpired).unwrap();
    store.release(second).unwrap();
    assert_eq!(store.lease().unwrap(), None);
    assert!(matches!(store.append(&records(1, 1, 2)), Err(JournalError::Fenced { .. })));
    let third = store.acquire("c", expired, TTL, Takeover::IfExpired).unwrap();
    assert_eq!([first, second, third].map(Fence::number), [1, 2, 3]);
    assert_eq!(store.lease().unwrap().unwrap().holder, "c");
}

#[test]
fn no_room_is_named_and_leaves_nothing() {
    let bench = Bench::written();
    let mut store = SqliteStore::open(&bench.path()).unwrap();
    let pages: i64 =
        store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let limit = |store: &SqliteStore, pages: i64| {
        let set = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        store.connection.pragma_update_and_check(None, "max_page_count", pages, set).unwrap();
    };
    limit(&store, pages);
    let before = store.head().unwrap();
    let mut failure = None;
    let mut batch = records(11, 400, 1);
    for record in &mut batch {
        record.event = Event::RunInterrupted { reason: "x".repeat(1_000) };
    }
    for _ in 0..3 {
        failure = store.append(&batch).err();
    }
    assert!(matches!(failure, Some(JournalError::DiskFull { .. })), "{failure:?}");
    assert_eq!(store.head().unwrap(), before);
    assert_eq!(store.load().unwrap().len(), 10);
    limit(&store, 1_000_000);
    assert_eq!(store.append(&batch).unwrap().count, 400);
    assert_eq!(SqliteStore::open_read_only(&bench.path()).unwrap().load().unwrap().len(), 400);
}

#[test]
fn what_cannot_be_written_says_so() {
    let bench = Bench::written();
    let mut store = SqliteStore::open(&bench.path()).unwrap();
    store.connection.pragma_update(None, "query_only", true).unwrap();
    let error = store.append(&records(11, 11, 1)).unwrap_err();
    assert!(matches!(error, JournalError::ReadOnly { .. }), "{error}");
    let mut reader = SqliteStore::open_read_only(&bench.path()).unwrap();
    let error = reader.append(&records(11, 11, 1)).unwrap_err();
    assert!(matches!(error, JournalError::ReadOnly { .. }), "{error}");
    let error = reader.acquire("b", simulated_epoch(), TTL, Takeover::Force).unwrap_err();
    assert!(matches!(error, JournalError::ReadOnly { .. }), "{error}");
}

#[test]
fn a_closed_journal_is_readable_where_nothing_can_be_created() {
    let bench = Bench::written();
    // Directories in the place of SQLite's side files: they cannot be created, even by root.
    for suffix in ["-shm", "-wal"] {
        let side = bench.directory.path().join(format!("journal.db{suffix}"));
        std::fs::create_dir(side).unwrap();
    }
    let plain = SqliteStore::connect(&bench.path(), OpenFlags::SQLITE_OPEN_READ_ONLY);
    assert!(plain.and_then(|store| store.load()).is_err(), "the trick no longer works");
    let store = SqliteStore::open_read_only(&bench.path()).unwrap();
    assert_eq!(store.load().unwrap().len(), 10);
}

#[test]
fn what_is_no_journal_is_refused_by_name() {
    let bench = Bench::new();
    let check = |expect: &str| {
        for opened in [SqliteStore::open(&bench.path()), SqliteStore::open_read_only(&bench.path())]
        {
            let error = opened.and_then(|store| store.load()).unwrap_err().to_string();
            assert!(error.contains(expect), "expected `{expect}` in: {error}");
            assert!(error.contains("journal.db"), "{error}");
        }
    };
    check("no journal at");
    std::fs::write(bench.path(), "not a database, but long enough to be looked at".repeat(50))
        .unwrap();
    check("not an SQLite file");
    std::fs::write(bench.path(), "").unwrap();
    check("something else, or was never finished");
    Connection::open(bench.path()).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    check("something else, or was never finished");
    std::fs::remove_file(bench.path()).unwrap();
    drop(SqliteStore::create(&bench.path()).unwrap());
    Connection::open(bench.path()).unwrap().pragma_update(None, "user_version", 9).unwrap();
    check("has journal layout 9, this drctl knows up to 1");
    assert!(matches!(SqliteStore::create(&bench.path()), Err(JournalError::Exists { .. })));
}

#[test]
fn a_reader_sees_whole_batches_while_another_writes() {
    let bench = Bench::new();
    let mut writer = SqliteStore::create(&bench.path()).unwrap();
    acquire(&mut writer, "a");
    let path = bench.path();
    let reader = std::thread::spawn(move || {
        let store = SqliteStore::open_read_only(&path).unwrap();
        let mut seen = 0;
        while seen < 300 {
            let now = store.load().unwrap().len();
            assert!(now >= seen && now.is_multiple_of(3), "{now} after {seen}");
            seen = now;
        }
    });
    let all = records(1, 300, 1);
    for batch in all.chunks(3) {
        writer.append(batch).unwrap();
    }
    reader.join().unwrap();
}

#[test]
fn unknown_events_are_shown_and_refused_for_resume() {
    let bench = Bench::written();
    let bytes = br#"{"seq":11,"version":3,"event":{"type":"moon_phase","full":true}}"#;
    let store = SqliteStore::open(&bench.path()).unwrap();
    let digest = chain::next_digest(&store.head().unwrap().digest, bytes);
    let insert = "INSERT INTO events VALUES (11, 'moon_phase', 3, ?1, ?2)";
    store.connection.execute(insert, params![bytes, digest.as_str()]).unwrap();
    let update = "UPDATE head SET count = 11, digest = ?1";
    store.connection.execute(update, [digest.as_str()]).unwrap();
    let records = store.load().unwrap();
    assert_eq!((records[10].kind.as_str(), &records[10].record), ("moon_phase", &None));
    let report = verify(&store, None).unwrap();
    assert!(report.is_sound());
    assert_eq!(report.unknown, [(11, "moon_phase".to_owned())]);
    let error = chain::known(&records).unwrap_err();
    assert!(error.to_string().contains("`moon_phase`, version 3"), "{error}");
}

#[test]
fn notes_stay_outside_the_chain() {
    let bench = Bench::written();
    let mut store = SqliteStore::open(&bench.path()).unwrap();
    let before = store.head().unwrap();
    store.note("host", "laptop").unwrap();
    store.note("host", "server").unwrap();
    assert_eq!(store.head().unwrap(), before);
    let notes = store.notes().unwrap();
    let values: Vec<_> = notes.iter().map(|note| (note.seq, &*note.key, &*note.value)).collect();
    assert_eq!(values, [(10, "host", "laptop"), (10, "host", "server")]);
}
