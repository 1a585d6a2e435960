//! How long things take that people or other tests wait for. Measures; asserts nothing but success.
//!
//! ```text
//! cargo bench --bench commands              a minute or two
//! cargo bench --bench commands -- --test    each once
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use drctl::base::clock::simulated_epoch;
use drctl::base::ids::RunId;
use drctl::journal::event::{EVENT_VERSION, Event, Record};
use drctl::journal::{Fence, MemoryStore, SqliteStore, Store, Takeover};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The built binary with a state directory of its own and none of the caller's settings.
fn drctl(state: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_clear().env("DRCTL_STATE_DIR", state);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().expect("the binary starts");
    assert!(status.success(), "drctl {arguments:?}: {status}");
}

/// A runbook of `count` steps in a chain, each with a reference to check.
fn long_runbook(count: usize) -> String {
    let mut text =
        "apiVersion: drctl/v1\nkind: Runbook\nname: long\ntitle: Long\nsteps:\n".to_owned();
    for step in 0..count {
        let needs = step.checked_sub(1).map_or(String::new(), |last| format!(", needs: [s{last}]"));
        writeln!(
            text,
            "  - {{ id: s{step}, title: Step {step}, uses: rds.check_source{needs}, \
             with: {{ instance: '${{{{ env.name }}}}', restore_time: latest }} }}"
        )
        .expect("writing to text");
    }
    text
}

fn validate(criterion: &mut Criterion) {
    let catalogue = drctl::action::standard();
    let mut group = criterion.benchmark_group("validate");
    for steps in [100, 1_000, 20_000] {
        let text = long_runbook(steps);
        group.bench_function(format!("{steps} steps"), |bencher| {
            bencher.iter(|| {
                drctl::runbook::load_runbook("long.yaml", black_box(&text), &catalogue)
                    .unwrap_or_else(|problems| panic!("{problems}"))
            });
        });
    }
    group.finish();
}

fn processes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("process");
    let directory = || tempfile::tempdir().expect("a directory");
    let warm = directory();
    group.bench_function("--help", |bencher| {
        bencher.iter(|| drctl(warm.path(), &["--help"]));
    });
    // A state directory without a run: what every command does before it does anything.
    let empty = directory();
    drctl(empty.path(), &["status"]);
    group.bench_function("status, empty state", |bencher| {
        bencher.iter(|| drctl(empty.path(), &["status"]));
    });
    let dry_run = ["drill", "restore-db", "--dry-run"];
    drctl(warm.path(), &dry_run);
    group.bench_function("dry run", |bencher| bencher.iter(|| drctl(warm.path(), &dry_run)));
    // A drill leaves a run behind and moves simulated time: each one gets a fresh world.
    group.bench_function("drill in virtual time", |bencher| {
        bencher.iter_batched(
            directory,
            |state| {
                drctl(state.path(), &["drill", "restore-db"]);
                state
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// The record that follows `after`, of a size that is usual.
fn record(after: u64, fence: Fence, at: DateTime<Utc>) -> Record {
    let event = Event::AttemptStarted { attempt: 1, operator: "benchmark".repeat(20) };
    let seq = after + 1;
    Record { seq, version: EVENT_VERSION, at, run_ms: after, fence: fence.number(), event }
}

/// Appends one record at a time, as a run does, to a journal that grows meanwhile.
fn append(criterion: &mut Criterion, name: &str, mut store: impl Store) {
    let now = simulated_epoch();
    let lease = TimeDelta::days(1).to_std().expect("a day is a duration");
    let fence = store.acquire("bench", now, lease, Takeover::IfExpired).expect("nobody has it");
    let run = RunId::mint(now, &mut fastrand::Rng::with_seed(1));
    let started = Event::RunStarted {
        run,
        plan: serde_json::json!({}),
        plan_digest: String::new(),
        operator: String::new(),
        tool: String::new(),
        form: drctl::base::form::Form::default(),
    };
    let first = Record { event: started, ..record(0, fence, now) };
    let mut head = store.append(&[first]).expect("there is room");
    criterion.bench_function(&format!("journal append/{name}"), |bencher| {
        bencher.iter(|| {
            head = store.append(&[record(head.count, fence, now)]).expect("there is room");
        });
    });
}

fn journals(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let store = SqliteStore::create(&directory.path().join("journal.db")).expect("a new journal");
    append(criterion, "SQLite, durable", store);
    append(criterion, "memory", MemoryStore::new());
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    targets = validate, processes, journals
}
criterion_main!(benches);
