//! Journals that are damaged, cut, edited, foreign or empty: refused by whoever goes on with them, and told
//! as far as they are sound, marked as damaged.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;

/// A drill that was killed while AWS was creating its instance.
fn killed() -> (TestEnv, String, PathBuf) {
    let env = TestEnv::new();
    let mut drill = Watched::start(&env, "drill restore-db --pace 5000");
    drill.until("restore: creating");
    drill.kill();
    let run = env.runs()[0].clone();
    let journal = env.state().join("runs").join(&run).join("journal.db");
    // Into the file itself, so that what is done to the file counts.
    Connection::open(&journal)
        .and_then(|it| it.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .expect("a whole journal");
    (env, run, journal)
}

fn edit(journal: &PathBuf, sql: &str) {
    let changed = Connection::open(journal).expect("a file").execute(sql, []).expect("SQL");
    assert!(changed > 0, "{sql}");
}

/// Every command that would go on with the run, or take its journal as evidence.
fn assert_refused(env: &TestEnv, run: &str, says: &[&str]) {
    let mutations = env.mutations();
    for line in [
        format!("resume {run}"),
        format!("report {run}"),
        format!("journal verify {run}"),
        format!("journal export {run}"),
        format!("status {run}"),
        format!("approve {run} gate"),
        format!("pause {run}"),
        format!("abort {run} --yes"),
    ] {
        let refused = env.line(&line).expect(16).says(says);
        assert!(!refused.stderr.contains("panicked"), "{line}: {}", refused.stderr);
    }
    env.line("status").expect(0).shows(&["UNREADABLE"]);
    env.line("history").expect(0);
    assert_eq!(env.mutations(), mutations, "nothing was done");
}

#[test]
fn a_damaged_journal_is_refused_with_its_first_bad_event_and_told_up_to_there() {
    let (env, run, journal) = killed();
    let whole = fs::read(&journal).expect("a file");
    for (sql, seq, why) in [
        (
            "UPDATE events SET bytes = CAST(bytes || X'20' AS BLOB) WHERE seq = 5",
            5,
            "do not match its digest",
        ),
        ("DELETE FROM events WHERE seq = 4", 4, "event 4 is missing"),
        ("DELETE FROM events WHERE seq > 6", 7, "the rest is missing"),
        ("UPDATE events SET type = 'step_failed' WHERE seq = 3", 3, "the columns beside them"),
        ("UPDATE head SET digest = 'sha256:00'", 0, "the head's digest"),
    ] {
        fs::write(&journal, &whole).expect("restored");
        edit(&journal, sql);
        assert_refused(&env, &run, &[why]);
        let place = if seq == 0 { String::new() } else { format!("at event {seq}") };
        env.line(&format!("resume {run}")).says(&[&place, why, "--damaged", "backup"]);

        let shown = env.line(&format!("journal show {run}")).expect(16).says(&[why]);
        shown.shows(&["run_started", "attempt_started"]);
        for (format, mark, other) in [
            ("md", "DAMAGED JOURNAL", "SIMULATED"),
            ("html", "DAMAGED JOURNAL", "SIMULATED"),
            ("json", "\"damage\": {", "SIMULATED"),
            ("junit", "journal_damaged", "simulated"),
        ] {
            let line = format!("report {run} --damaged --format {format}");
            env.line(&line).expect(16).shows(&[mark, other]);
        }
        let verified = env.line(&format!("journal verify {run} --output json")).expect(16).json();
        assert_eq!(verified["whole"], false);
        let shown = env.line(&format!("journal show {run} --output json")).expect(16).json();
        assert_eq!(shown["sound"], verified["records"]);
        if seq > 0 {
            assert_eq!(
                (&shown["damage"]["first_bad"], &shown["sound"]),
                (&seq.into(), &(seq - 1).into())
            );
        }
    }
    fs::write(&journal, &whole).expect("restored");
    env.line(&format!("resume {run}")).expect(0);
    env.assert_clean();
}

#[test]
fn cut_foreign_and_empty_files_are_refused() {
    let (env, run, journal) = killed();
    let whole = fs::read(&journal).expect("a file");
    for (bytes, why) in [
        (whole[..whole.len() / 2].to_vec(), "damaged"),
        (Vec::new(), "was never finished"),
        (b"This is a text file, not a journal.".repeat(40), "not an SQLite file"),
    ] {
        fs::write(&journal, bytes).expect("written");
        assert_refused(&env, &run, &[why]);
        env.line(&format!("report {run} --damaged")).expect(16);
        env.line(&format!("journal show {run}")).expect(16);
    }
    fs::remove_file(&journal).expect("removed");
    assert_refused(&env, &run, &["no journal at"]);
    // Another run's journal in this one's place: whole, and not this run's.
    fs::write(&journal, &whole).expect("restored");
    let other = TestEnv::new();
    other.line("drill restore-db --seed 7 --quiet").expect(0);
    let foreign = other.state().join("runs").join(&other.runs()[0]).join("journal.db");
    Connection::open(&foreign)
        .and_then(|it| it.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .expect("a whole journal");
    fs::copy(&foreign, &journal).expect("copied");
    assert_refused(&env, &run, &["is the journal of run", &other.runs()[0]]);
}

#[test]
fn a_journal_without_events_says_that_nothing_was_done() {
    let (env, run, journal) = killed();
    edit(&journal, "DELETE FROM events");
    edit(
        &journal,
        "UPDATE head SET count = 0, digest = 'sha256:9843e99222836d3dc0b9cddc8f1c2ed019ced7e8611596e75f914b4ad2db81ff'",
    );
    let refused = env.line(&format!("resume {run}")).expect(16);
    refused.says(&["its journal is empty", "nothing was done", "start it anew"]);
    env.line(&format!("report {run}")).expect(16);
    env.line(&format!("journal show {run}")).expect(0).shows(&["no such events"]);
    env.line("status").expect(0).shows(&["died before it began"]);
}
