//! What taking a run up costs whose journal has 100,000 events: reading it and checking its chain, folding
//! it, and the first decision. Measures; asserts nothing but success.
//!
//! ```text
//! cargo bench --bench resume              a minute
//! cargo bench --bench resume -- --test    once
//! ```

use criterion::{Criterion, criterion_group, criterion_main};
use drctl::action::standard;
use drctl::base::clock::{simulated_epoch, to_delta};
use drctl::engine::{Begun, Effect, Input, Machine, Seen, Start};
use drctl::estate::Objectives;
use drctl::journal::chain::known;
use drctl::journal::event::Record;
use drctl::journal::fold::RunState;
use drctl::journal::{SqliteStore, Store, Takeover};
use drctl::plan::model::{Plan, RunMode};
use drctl::rehearse::{Stage, Staging};
use drctl::runbook::{bind_parameters, load_runbook};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

const EVENTS: usize = 100_000;

const STEPS: usize = 400;

const ESTATE: &str = "apiVersion: drctl/v1\nkind: Estate\nname: long\nenvironments:\n  sim: { type: \
                      simulated, account: \"123456789012\", region: us-east-1 }\n";

fn plan() -> Plan {
    let mut text =
        "apiVersion: drctl/v1\nkind: Runbook\nname: long\ntitle: Long\nsteps:\n".to_owned();
    for step in 0..STEPS {
        let needs = step.checked_sub(10).map_or(String::new(), |last| format!("s{last}"));
        writeln!(
            text,
            "  - {{ id: s{step}, uses: shell.run, irreversible: true, needs: [{needs}], with: {{ command: \
             [./work.sh], simulated: {{ exit_code: 0 }} }} }}"
        )
        .expect("writing to text");
    }
    let (runbook, _) = load_runbook("long.yaml", &text, &standard()).expect("a valid runbook");
    let staging = Staging {
        estate: drctl::estate::load("long.yaml", ESTATE).expect("a valid estate"),
        environment: "sim".to_owned(),
        parameters: bind_parameters(&runbook, &BTreeMap::new()).expect("no parameters"),
        runbook,
        objectives: Objectives::default(),
        mode: RunMode::Drill { name: "long".to_owned(), keep: false },
        seed: None,
    };
    Stage::plan(staging).expect("a plan").plan
}

/// The records of a run whose steps are watched until there are enough of them.
fn records(plan: &Plan) -> Vec<Record> {
    let json = serde_json::to_value(plan).expect("plain data");
    let start = Start { operator: "bench".to_owned(), fence: 1 };
    let mut now = simulated_epoch();
    let (mut machine, mut turn) =
        Machine::begin(plan.clone(), json, "sha256:0", start, "bench", now);
    let (mut records, mut flying) = (Vec::new(), Vec::new());
    let mut looks: BTreeMap<String, usize> = BTreeMap::new();
    while records.len() < EVENTS {
        records.append(&mut turn.records);
        flying.append(&mut turn.effects);
        // Short, so that no step runs out of its time.
        now += to_delta(Duration::from_millis(1));
        let input = match flying.remove(0) {
            Effect::Begin { step, .. } => {
                let intent = ("rds:CreateDBSnapshot".to_owned(), step.to_string());
                let inputs = serde_json::json!({ "instance": "shop-orders" });
                Input::Begun { step, begun: Begun::Run { inputs, intent } }
            }
            Effect::Observe { step, .. } => {
                let look = looks.entry(step.to_string()).or_default();
                *look += 1;
                let seen = if *look < EVENTS / STEPS {
                    Seen::InProgress { state: format!("creating, step {look}"), milestone: None }
                } else {
                    Seen::Done(Box::default())
                };
                Input::Observed { step, seen: Ok(seen) }
            }
            Effect::Act { step, .. } => Input::Acted { step, result: Ok(None), done: None },
            Effect::Weigh { step } => Input::Weighed { step, figures: Vec::new() },
            Effect::Ask { step, .. } => Input::NobodyAnswered { step },
            Effect::Await { .. } | Effect::Forget { .. } => continue,
            Effect::Halt => break,
        };
        turn = machine.handle(input, now);
    }
    records.truncate(EVENTS);
    records
}

fn write(path: &Path, records: &[Record]) {
    let mut store = SqliteStore::create(path).expect("a journal");
    let ttl = Duration::from_secs(60);
    store.acquire("bench", simulated_epoch(), ttl, Takeover::IfExpired).expect("the lease");
    for batch in records.chunks(1_000) {
        store.append(batch).expect("it takes everything");
    }
}

/// As `drctl resume` does before it performs anything.
fn resume(path: &Path) -> usize {
    let store = SqliteStore::open(path).expect("a journal");
    let records = known(&store.load().expect("a whole chain")).expect("known events");
    let state = RunState::fold(&records).expect("a legal journal");
    let plan: Plan = serde_json::from_value(state.plan.clone()).expect("its plan");
    let now = state.last_at.expect("it has begun");
    let start = Start { operator: "bench".to_owned(), fence: state.fence + 1 };
    let (_, turn) = Machine::resume(plan, state, start, now);
    turn.effects.len()
}

fn resuming(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("journal.db");
    let records = records(&plan());
    assert_eq!(records.len(), EVENTS);
    write(&path, &records);
    let mut group = criterion.benchmark_group("resume");
    group.sample_size(10);
    group.bench_function("a run of 100,000 events", |bencher| {
        bencher.iter(|| black_box(resume(&path)));
    });
    group.finish();
}

criterion_group!(benches, resuming);
criterion_main!(benches);
