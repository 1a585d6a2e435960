//! What scheduling costs beside fsync, and what a report of a long run costs: runs of steps that do
//! nothing. Measures; asserts nothing but success.
//!
//! ```text
//! cargo bench --bench scheduling              some minutes
//! cargo bench --bench scheduling -- --test    each once
//! ```

use async_trait::async_trait;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use drctl::action::spec::{ActionKind, ActionSpec, Reversibility};
use drctl::action::{
    Acted, Action, ActionError, Catalogue, Done, Observation, Preview, ReadContext, StepScope,
    WriteContext,
};
use drctl::base::clock::Clock;
use drctl::base::ids::RunId;
use drctl::base::secret::Secret;
use drctl::base::seed::Seed;
use drctl::base::value::Values;
use drctl::cloud::dns::DnsNetwork;
use drctl::cloud::http::HttpNetwork;
use drctl::cloud::process::LocalProcesses;
use drctl::cloud::{
    Cloud, CloudOptions, GuardPolicy, HttpSource, Ports, PostgresConnector, Variables,
};
use drctl::engine::{Machine, Start};
use drctl::estate::{Environment, Estate, Objectives};
use drctl::journal::{MemoryStore, Person, SqliteStore, Store, Takeover};
use drctl::plan::model::{Plan, RunMode};
use drctl::plan::{Durations, PlanRequest, PlanTools, build};
use drctl::runbook::load_runbook;
use drctl::runner::{Inbox, LEASE, NobodyToAsk, Running, StopSignal, drive};
use drctl::sim::{SimOptions, Simulator, http_client};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Ways out that nobody takes.
fn ports(clock: &Clock) -> Ports {
    #[derive(Debug)]
    struct NoVariables;
    impl Variables for NoVariables {
        fn value(&self, _: &str) -> Option<Secret> {
            None
        }
    }
    let here = std::path::Path::new(".");
    Ports {
        sql: Arc::new(PostgresConnector::new(clock.clone())),
        http: Arc::new(HttpNetwork::new(clock.clone(), here)),
        dns: Arc::new(DnsNetwork::new(clock.clone())),
        processes: Arc::new(LocalProcesses::new(clock.clone(), here)),
        variables: Arc::new(NoVariables),
    }
}

/// A check that passes at once and calls nobody.
struct Nothing {
    spec: ActionSpec,
}

impl Default for Nothing {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "bench.nothing",
            summary: "Does nothing.",
            kind: ActionKind::Check,
            inputs: Vec::new(),
            outputs: Vec::new(),
            calls: &[],
            effects: &[],
            role: drctl::action::spec::Role::None,
            reversibility: Reversibility::ReadOnly,
            by_hand: "# nothing",
            default_timeout: Duration::from_secs(60),
            poll_every: Duration::from_secs(1),
        };
        Self { spec }
    }
}

#[async_trait]
impl Action for Nothing {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, _: &ReadContext<'_>) -> Result<Preview, ActionError> {
        Ok(Preview { summary: "nothing".to_owned(), ..Preview::default() })
    }

    async fn observe(&self, _: &ReadContext<'_>) -> Result<Observation, ActionError> {
        Ok(Observation::Done(Done::default()))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        unreachable!("a check never acts")
    }

    fn intent(&self, _: &StepScope<'_>) -> (String, String) {
        (String::new(), String::new())
    }
}

/// A runbook of `count` steps: ten chains side by side; each step for each of `items` items.
fn runbook_text(count: usize, items: usize) -> String {
    let mut text =
        "apiVersion: drctl/v1\nkind: Runbook\nname: long\ntitle: Long\nsteps:\n".to_owned();
    let list: Vec<String> = (0..items).map(|item| item.to_string()).collect();
    let each = if items > 1 { format!(", for_each: [{}]", list.join(", ")) } else { String::new() };
    for step in 0..count {
        let needs =
            step.checked_sub(10).map_or(String::new(), |last| format!(", needs: [s{last}]"));
        writeln!(text, "  - {{ id: s{step}, title: Step, uses: bench.nothing{needs}{each} }}")
            .expect("writing to text");
    }
    text
}

/// Everything that the runs of one size share.
struct Stage {
    catalogue: Catalogue,
    estate: Estate,
    environment: Environment,
    world: Simulator,
    plan: Plan,
}

fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(true).build().expect("a runtime").block_on(work)
}

async fn open(
    environment: &Environment,
    world: &Simulator,
    clock: &Clock,
    policy: GuardPolicy,
) -> Cloud {
    let http = HttpSource::Injected(http_client(world.clone(), clock.clone(), None));
    let (environment, clock, seed) = (environment.clone(), clock.clone(), Seed::new(1));
    Cloud::open(CloudOptions { environment, clock, seed, http, policy }).await.expect("a cloud")
}

impl Stage {
    fn new(steps: usize, items: usize) -> Self {
        let catalogue = Catalogue::of([Arc::new(Nothing::default()) as Arc<dyn Action>]);
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/localstack/estates/techcorp.yaml");
        let text = std::fs::read_to_string(file).expect("a shipped file");
        let estate = drctl::estate::load("techcorp", &text).expect("a valid estate");
        let environment = estate.environments["sim"].clone();
        let world = Simulator::create(&estate, &environment, SimOptions::default());
        let world = world.expect("a world");
        let text = runbook_text(steps, items);
        let plan = plan(&text, &catalogue, &estate, &environment, &world);
        Self { catalogue, estate, environment, world, plan }
    }

    /// Drives the plan to its end in a journal that `store` is.
    fn run(&self, store: &mut dyn Store) {
        in_virtual_time(async {
            let clock = Clock::virtual_from(self.world.time());
            let policy = GuardPolicy::live(Vec::<String>::new());
            let cloud = open(&self.environment, &self.world, &clock, policy).await;
            let writer = cloud.writer().expect("a live cloud has a writer");
            let effects = cloud.effects(ports(&clock));
            let now = clock.now();
            let fence = store.acquire("bench", now, LEASE, Takeover::Force).expect("the lease");
            let operator = Person::declared("bench");
            let running = Running {
                catalogue: &self.catalogue,
                cloud: &cloud,
                writer: &writer,
                effects: &effects,
                clock: &clock,
                estate: &self.estate,
                environment: &self.environment,
                parameters: Values::new(),
                operator: &operator,
                people: &NobodyToAsk,
                stop: StopSignal::default(),
                inbox: Inbox::EachTurn,
                wait: false,
                lease: LEASE,
                lease_clock: &clock,
                late: None,
            };
            let json = serde_json::to_value(&self.plan).expect("plans are JSON");
            let start = Start { operator: "bench".to_owned(), fence: fence.number() };
            let (machine, turn) =
                Machine::begin(self.plan.clone(), json, "sha256:bench", start, "bench", now);
            let driven = drive(&running, machine, turn, store, fence, &mut []).await;
            assert!(driven.expect("the journal takes everything").state.finished.is_some());
        });
    }
}

fn plan(
    text: &str,
    catalogue: &Catalogue,
    estate: &Estate,
    environment: &Environment,
    world: &Simulator,
) -> Plan {
    let (runbook, _) =
        load_runbook("long.yaml", text, catalogue).unwrap_or_else(|problems| panic!("{problems}"));
    in_virtual_time(async {
        let clock = Clock::virtual_from(world.time());
        let cloud = open(environment, world, &clock, GuardPolicy::DryRun).await;
        let effects = cloud.effects(ports(&clock));
        let now = clock.now();
        let request = PlanRequest {
            run: RunId::mint(now, &mut fastrand::Rng::with_seed(1)),
            runbook: &runbook,
            estate,
            environment,
            parameters: BTreeMap::new(),
            mode: RunMode::Drill { name: "long".to_owned(), keep: false },
            objectives: Objectives::default(),
            disaster_at: None,
            declared_at: None,
            owner: "bench".to_owned(),
            now,
            faults: Vec::new(),
            form: drctl::base::form::Form::default(),
            detection: None,
            notify: None,
        };
        let durations = Durations::default();
        let tools =
            PlanTools { catalogue, cloud: &cloud, effects: &effects, durations: &durations };
        build(request, tools).await.expect("a plan")
    })
}

/// Whether each benchmark is only tried once, in a build that is not optimised.
fn is_trial() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

fn scheduling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scheduling");
    let sizes = if is_trial() { [10_usize, 100] } else { [1_000, 10_000] };
    for steps in sizes {
        group.throughput(Throughput::Elements(steps as u64));
        group.bench_function(format!("plan/{steps} steps"), |bencher| {
            let (stage, text) = (Stage::new(1, 1), runbook_text(steps, 1));
            bencher.iter(|| {
                plan(&text, &stage.catalogue, &stage.estate, &stage.environment, &stage.world)
            });
        });
        let stage = Stage::new(steps, 1);
        group.bench_function(format!("run, memory/{steps} steps"), |bencher| {
            bencher.iter(|| stage.run(&mut MemoryStore::new()));
        });
        group.bench_function(format!("run, durable/{steps} steps"), |bencher| {
            bencher.iter_batched(
                || {
                    let directory = tempfile::tempdir().expect("a directory");
                    let store = SqliteStore::create(&directory.path().join("journal.db"));
                    (directory, store.expect("a new journal"))
                },
                |(directory, mut store)| {
                    stage.run(&mut store);
                    directory
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// A run of 5,000 steps for each of ten items leaves a journal of a bit more than 100,000 events.
fn reports(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("report of 100,000 events");
    let mut store = MemoryStore::new();
    let steps = if is_trial() { 50 } else { 5_000 };
    Stage::new(steps, 10).run(&mut store);
    let stored = store.load().expect("it is in memory");
    assert!(stored.len() > 20 * steps);
    let report = drctl::report::build(&stored).expect("a whole journal");
    group.bench_function("build", |bencher| {
        bencher.iter(|| drctl::report::build(&stored).expect("a whole journal"));
    });
    group.bench_function("Markdown", |bencher| {
        bencher.iter(|| drctl::report::render_markdown(&report));
    });
    group.bench_function("HTML", |bencher| {
        bencher.iter(|| drctl::report::render_html(&report));
    });
    group.bench_function("JSON", |bencher| {
        bencher.iter(|| drctl::report::render_json(&report));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(5))
        .without_plots();
    targets = scheduling, reports
}
criterion_main!(benches);
