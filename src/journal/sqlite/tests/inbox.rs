//! The inbox of a journal's file: beside another writer, in files of older versions, and when damaged.

use super::*;
use crate::journal::contract::{self, commands};

fn table_is_there(path: &Path) -> bool {
    let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'inbox'";
    let count: i64 =
        Connection::open(path).unwrap().query_row(there, [], |row| row.get(0)).unwrap();
    count == 1
}

#[test]
fn it_keeps_the_contract_of_stores() {
    for check in [contract::inbox, contract::lease_check] {
        check(&mut SqliteStore::create(&Bench::new().path()).unwrap());
    }
    let bench = Bench::new();
    let mut driver = SqliteStore::create(&bench.path()).unwrap();
    contract::inbox_of_two(&mut driver, &mut SqliteStore::open(&bench.path()).unwrap());
}

#[test]
fn a_file_of_an_older_version_gets_its_inbox_with_the_first_command() {
    let bench = Bench::written();
    assert!(!table_is_there(&bench.path()), "files have the tables of version 0.1");
    let mut poster = SqliteStore::open(&bench.path()).unwrap();
    let driver = SqliteStore::open(&bench.path()).unwrap();
    let reader = SqliteStore::open_read_only(&bench.path()).unwrap();
    assert_eq!((driver.posted().unwrap(), reader.posted().unwrap()), (vec![], vec![]));
    let posted = commands().remove(0);
    poster.post(&posted).unwrap();
    for store in [&driver, &reader] {
        assert_eq!(
            store.posted().unwrap(),
            std::slice::from_ref(&posted),
            "seen by who had it open"
        );
        assert!(verify(store, None).unwrap().is_sound());
    }
}

#[test]
fn nonsense_in_the_inbox_is_left_out_and_stops_nobody() {
    let bench = Bench::written();
    let mut store = SqliteStore::open(&bench.path()).unwrap();
    let all = commands();
    store.post(&all[0]).unwrap();
    for text in ["'{}'", "''", "CAST(x'ff00' AS TEXT)", "'{\"do\":\"explode\"}'"] {
        bench.edit(&format!("INSERT INTO inbox (id, command) VALUES (hex(randomblob(9)), {text})"));
    }
    store.post(&all[1]).unwrap();
    assert_eq!(store.posted().unwrap(), all[..2]);
    assert!(verify(&store, None).unwrap().is_sound(), "the chain is something else");
}

#[test]
fn posting_waits_for_the_other_writer_and_not_for_ever() {
    let bench = Bench::written();
    let mut poster = SqliteStore::open(&bench.path()).unwrap();
    let blocker = Connection::open(bench.path()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    poster.connection.busy_timeout(Duration::from_millis(1)).unwrap();
    let error = poster.post(&commands()[0]).unwrap_err();
    assert!(matches!(error, JournalError::Locked { .. }), "{error}");
    blocker.execute_batch("COMMIT").unwrap();
    poster.post(&commands()[0]).unwrap();
    let mut reader = SqliteStore::open_read_only(&bench.path()).unwrap();
    let error = reader.post(&commands()[1]).unwrap_err();
    assert!(matches!(error, JournalError::ReadOnly { .. }), "{error}");
}
