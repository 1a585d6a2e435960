//! Cut files, flipped bytes, killed processes. **Invariant:** what was acknowledged is there, and what
//! was changed is found.

use super::*;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn a_cut_file_is_damage_and_never_a_shorter_journal() {
    let bench = Bench::written();
    let mut store = SqliteStore::open(&bench.path()).unwrap();
    store.append(&records(11, 200, 1)).unwrap();
    drop(store);
    let whole = std::fs::read(bench.path()).unwrap();
    assert!(whole.len() > 20_000);
    for length in (1..whole.len()).step_by(997) {
        std::fs::write(bench.path(), &whole[..length]).unwrap();
        let loaded = SqliteStore::open_read_only(&bench.path()).and_then(|store| store.load());
        let error = loaded.expect_err("a cut file must not load");
        assert!(error.is_damage(), "{length}: {error}");
    }
}

#[test]
fn a_flipped_byte_never_changes_what_is_read() {
    let bench = Bench::written();
    let whole = std::fs::read(bench.path()).unwrap();
    let good = SqliteStore::open_read_only(&bench.path()).unwrap().load().unwrap();
    for position in (0..whole.len()).step_by(61) {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x10;
        std::fs::write(bench.path(), &bytes).unwrap();
        let loaded = SqliteStore::open_read_only(&bench.path()).and_then(|store| store.load());
        // Most of the file is unused space; where a flip matters, it must be found.
        if let Ok(records) = loaded {
            assert_eq!(records, good, "byte {position}");
        }
    }
}

/// Not a test of its own: the process that [`what_was_acknowledged_survives_a_kill`] kills.
#[test]

fn child_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var("DRCTL_TEST_JOURNAL") else { return };
    let mut store = SqliteStore::create(Path::new(&path)).unwrap();
    acquire(&mut store, "child");
    for batch in records(1, 30_000, 1).chunks(2) {
        println!("acknowledged {}", store.append(batch).unwrap().count);
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let bench = Bench::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::sqlite::tests::rough::child_that_writes_until_it_is_killed"])
        .args(["--nocapture"])
        .env("DRCTL_TEST_JOURNAL", bench.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: String| line.strip_prefix("acknowledged ")?.parse::<u64>().ok();
    let mut counts = lines.map_while(Result::ok).filter_map(number);
    let mut acknowledged = counts.nth(100).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged = counts.last().unwrap_or(acknowledged);

    let mut store = SqliteStore::open(&bench.path()).unwrap();
    let found = store.head().unwrap().count;
    assert!(found >= acknowledged && found.is_multiple_of(2), "{found} after {acknowledged}");
    assert_eq!(store.load().unwrap().len() as u64, found);
    assert!(found < 30_000, "the child was not killed in time");
    let now = simulated_epoch();
    let fence = store.acquire("parent", now, TTL, Takeover::Force).unwrap().number();
    store.append(&records(found + 1, found + 1, fence)).unwrap();
}
