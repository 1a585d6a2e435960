//! The program driven against `drctl sim serve` over TCP, killed with SIGKILL at random instants and
//! resumed until it ends.
//!
//! **Invariant:** a killed run ends as one that was left alone: same exit code, same steps, the same
//! mutations each once, nothing left. `DRCTL_KILL_ROUNDS=500 cargo test --test cli survive -- --nocapture`
//! runs more rounds; a seed's round is repeated with `DRCTL_KILL_SEED`.

use crate::env::{Output, TestEnv, finished};
use crate::serve::Served;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) const RUNBOOK: &str = include_str!("survive.yaml");

/// Rounds in a plain `cargo test`: each takes seconds, because its peers are processes.
const ROUNDS: u64 = 20;

/// How much faster than real time drctl waits: a poll of fifteen seconds takes thirty milliseconds.
const PACE: &str = "500";

/// How much faster the served world lives.
const SPEED: &str = "4000";

/// Kills of one run; after these it is left alone, so that every round ends.
const MOST_KILLS: u32 = 8;

/// What becomes of a process.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Nobody kills it.
    Alone,
    /// Killed so long after its beginning.
    Stillborn(Duration),
    /// Killed so long after its first word.
    Killed(Duration),
}

impl Fate {
    fn random(random: &mut fastrand::Rng) -> Self {
        let life = Duration::from_millis(random.u64(..LONGEST_LIFE));
        if random.u32(..STILLBORN) == 0 { Self::Stillborn(life) } else { Self::Killed(life) }
    }
}

/// Longest time from the first word of a process to its end, milliseconds: about half of what a whole
/// run takes, so that most are killed more than once.
const LONGEST_LIFE: u64 = 450;

/// One process in so many is killed before it has said anything.
const STILLBORN: u32 = 8;

/// What the server does wrong in a round.
const FAULTS: [&[&str]; 6] = [
    &[],
    &["--fault", "lost-answer"],
    &["--fault", "error-after-effect"],
    &["--fault", "error-before-effect=DeleteDBInstance"],
    &["--fault", "stale-read=60s"],
    &["--fault", "throttled=0.1"],
];

/// The exit code of a run whose program is content, and of one whose program is not.
const EXITS: [i32; 2] = [0, 10];

/// The environments of one round: a server, and a project whose estate points to it.
struct Scene {
    served: Served,
    env: TestEnv,
    _server: TestEnv,
}

pub(crate) fn estate(address: &str) -> String {
    format!(
        r#"apiVersion: drctl/v1
kind: Estate
name: shop
databases:
  orders:
    instance: shop-orders
    engine_version: "15.3"
    class: db.t3.medium
    storage_gib: 100
    kms_key: alias/shop
    backup_retention_days: 7
    subnet_group: shop-private
    security_groups: [sg-0a1b2c3d4e5f60001]
    parameter_group: shop-postgres15
    database: orders
    user: orders_admin
    secret: shop/orders
environments:
  sim: {{ type: simulated, account: "123456789012", region: us-east-1, topics: [alerts] }}
  there:
    type: endpoints
    account: "123456789012"
    region: us-east-1
    endpoints: {{ default: 'http://{address}' }}
"#
    )
}

/// Says that it ran, and ends as it is told.
const JUDGE: &str = "#!/bin/sh\necho judged >> judged.txt\nexit \"$1\"\n";

/// A project whose estate points to the server at `address`.
pub(crate) fn project(address: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", &estate(address));
    env.write("runbooks/survive.yaml", RUNBOOK);
    env.write(
        "drills/survive.yaml",
        "apiVersion: drctl/v1\nkind: Drill\nname: survive\nrunbook: survive\nestate: shop\n\
         environment: there\n",
    );
    let judge = env.write("judge.sh", JUDGE);
    let chmod = Command::new("chmod").arg("+x").arg(judge).status().expect("chmod");
    assert!(chmod.success());
    env
}

impl Scene {
    fn new(faults: &[&str]) -> Self {
        let server = TestEnv::new();
        server.write("estates/shop.yaml", &estate("127.0.0.1:9"));
        let options = ["--estate", "shop", "--ephemeral", "--speed", SPEED];
        let served = Served::start(&server, &[&options, faults].concat());
        let env = project(&served.address);
        Self { served, env, _server: server }
    }

    /// Begins the run, or takes it up when its journal has begun.
    fn command(&self, verdict: u8) -> Command {
        match self.begun() {
            Some(run) => self.env.command(&["resume", &run, "--yes", "--pace", PACE]),
            None => {
                let verdict = format!("verdict={verdict}");
                let drill = ["drill", "survive", "--yes", "--pace", PACE, "-p", &verdict];
                self.env.command(&drill)
            }
        }
    }

    /// The run whose journal holds something.
    fn begun(&self) -> Option<String> {
        let list = self.env.line("status --output json").expect(0).json();
        let runs = list["runs"].as_array().expect("a list");
        let begun: Vec<&Json> = runs.iter().filter(|run| run["problem"].is_null()).collect();
        assert!(begun.len() <= 1, "one run was begun: {begun:?}");
        Some(begun.first()?["run"].as_str().expect("an id").to_owned())
    }

    /// Runs the command until its fate comes. `None` when it was killed.
    fn live(&self, verdict: u8, fate: Fate) -> Option<Output> {
        let (out, err) = (self.env.project().join("out.txt"), self.said());
        let mut command = self.command(verdict);
        command.stdin(Stdio::null());
        command.stdout(File::create(&out).expect("a file"));
        command.stderr(File::options().create(true).append(true).open(&err).expect("a file"));
        let length = || fs::metadata(&err).expect("a file").len();
        let before = length();
        let mut child = command.spawn().expect("the program starts");
        let mut goes_on = || child.try_wait().expect("a child").is_none();
        if let Fate::Killed(_) = fate {
            while length() == before && goes_on() {
                pause(Duration::from_millis(1));
            }
        }
        if let Fate::Killed(life) | Fate::Stillborn(life) = fate {
            pause(life);
            if goes_on() {
                child.kill().expect("SIGKILL");
                child.wait().expect("it ends");
                return None;
            }
        }
        let status = child.wait().expect("it ends");
        let read = |path| fs::read(path).expect("a file");
        Some(finished(std::process::Output { status, stdout: read(out), stderr: read(err) }))
    }

    /// Where everything is kept that the run's processes said.
    fn said(&self) -> PathBuf {
        self.env.project().join("err.txt")
    }

    /// The step that the killed process spoke of last, and what it did: `restore: creating`.
    fn last_word(&self) -> String {
        let said = fs::read_to_string(self.said()).expect("a file");
        let line = said.lines().next_back().unwrap_or_default();
        let words = line.split_whitespace().filter(|word| !word.starts_with("20"));
        words.take(2).collect::<Vec<_>>().join(" ")
    }

    /// The run's status, and whether it has ended.
    fn status(&self) -> Option<(Json, bool)> {
        let status = format!("status {} --output json", self.begun()?);
        let status = self.env.line(&status).expect(0).json();
        let ended = !status["outcome"].is_null();
        Some((status, ended))
    }

    /// What of the run can be compared: outcome, steps, mutations, what is left, notices.
    fn end(&self) -> End {
        let (status, ended) = self.status().expect("it was begun");
        assert!(ended, "{status}");
        let run = text(&status["run"]);
        self.env.line(&format!("journal verify {run}")).expect(0);
        self.env.line(&format!("report {run}")).expect(0);
        let steps = status["steps"].as_array().expect("a list").iter().map(|step| {
            let word = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
            (word("step"), word("status"))
        });
        let (_, log) = self.served.ask("GET", "/_drctl/mutations", "");
        let run8 = &run[run.len() - 8..];
        let mut mutations: Vec<String> = log["mutations"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| format!("{} {}", text(&one["operation"]), text(&one["target"])))
            .map(|line| line.replace(run8, "RUN"))
            .filter(|line| !line.starts_with("Publish"))
            .collect();
        mutations.sort();
        let (_, world) = self.served.ask("GET", "/_drctl/world", "");
        let count = |name: &str| world["regions"]["us-east-1"][name].as_u64().expect("a number");
        let (_, told) = self.served.ask("GET", "/_drctl/published", "");
        End {
            outcome: text(&status["outcome"]).to_owned(),
            steps: steps.collect(),
            mutations,
            instances: count("instances"),
            notices: told["published"].as_array().expect("a list").len(),
        }
    }
}

fn text(value: &Json) -> &str {
    value.as_str().expect("a text")
}

#[expect(clippy::disallowed_methods, reason = "its peer is a process, which lives in real time")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
struct End {
    outcome: String,
    steps: BTreeMap<String, String>,
    mutations: Vec<String>,
    instances: u64,
    notices: usize,
}

/// What the rounds came to.
#[derive(Debug, Default)]
struct Figures {
    rounds: AtomicU64,
    kills: AtomicU64,
    before_the_journal: AtomicU64,
    in_doubt: AtomicU64,
    /// How often a process was killed after which words.
    places: Mutex<BTreeMap<String, u64>>,
}

/// One round: killed and resumed until it ends.
fn round(seed: u64, alone: &[End; 2], figures: &Figures) {
    let mut random = fastrand::Rng::with_seed(seed);
    let faults = FAULTS[random.usize(..FAULTS.len())];
    let verdict = random.u8(..2);
    let scene = Scene::new(faults);
    let place = format!("DRCTL_KILL_SEED={seed}, {faults:?}, verdict {verdict}");
    let (mut kills, most) = (0, random.u32(1..=MOST_KILLS));
    let exit = loop {
        let fate = if kills < most { Fate::random(&mut random) } else { Fate::Alone };
        match scene.live(verdict, fate) {
            Some(output) => break Some(output.code),
            None => {
                kills += 1;
                let early = u64::from(scene.begun().is_none());
                figures.before_the_journal.fetch_add(early, Ordering::Relaxed);
                let mut places = figures.places.lock().expect("nobody panicked");
                *places.entry(scene.last_word()).or_default() += 1;
                if scene.status().is_some_and(|(_, ended)| ended) {
                    // It had only to write its report.
                    break None;
                }
            }
        }
    };
    let ended = scene.end();
    let wanted = &alone[usize::from(verdict)];
    let steps = |end: &End| {
        let mut steps = end.steps.clone();
        // Of a notice nobody can see whether it was sent: killed in between, it ends with a warning.
        steps.entry("tell".to_owned()).and_modify(|status| {
            if status == "warned" {
                "succeeded".clone_into(status);
            }
        });
        steps
    };
    let said = fs::read_to_string(scene.said()).expect("a file");
    assert!(
        exit.is_none_or(|exit| exit == EXITS[usize::from(verdict)]),
        "{place}: {exit:?}\n{said}"
    );
    let unsure = ended.steps["tell"] == "warned";
    let outcome = if unsure { "warned" } else { &wanted.outcome };
    assert_eq!(ended.outcome, outcome, "{place}:\n{said}");
    assert_eq!(steps(&ended), steps(wanted), "{place}:\n{said}");
    assert_eq!(ended.mutations, wanted.mutations, "{place}:\n{said}");
    assert_eq!(ended.instances, wanted.instances, "{place}:\n{said}");
    assert!(ended.notices <= wanted.notices, "{place}: told {} times\n{said}", ended.notices);
    let sent = ended.notices == wanted.notices;
    assert!(sent || unsure, "{place}: not told, and not said\n{said}");
    let judged = fs::read_to_string(scene.env.project().join("judged.txt")).expect("it was judged");
    assert!(!judged.is_empty(), "{place}");
    figures.rounds.fetch_add(1, Ordering::Relaxed);
    figures.kills.fetch_add(u64::from(kills), Ordering::Relaxed);
    let doubts = u64::try_from(said.matches("in doubt").count()).expect("few");
    figures.in_doubt.fetch_add(doubts, Ordering::Relaxed);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_one_that_was_left_alone() {
    let alone = [0, 1].map(|verdict| {
        let scene = Scene::new(&[]);
        let output = scene.live(verdict, Fate::Alone).expect("nobody kills it");
        assert_eq!(output.code, EXITS[usize::from(verdict)], "{}", output.stderr);
        scene.end()
    });
    assert_eq!((alone[0].outcome.as_str(), alone[1].outcome.as_str()), ("succeeded", "undone"));
    for end in &alone {
        assert_eq!((end.mutations.len(), end.instances), (4, 1), "{end:#?}");
    }
    assert_eq!((alone[0].notices, alone[1].notices), (1, 0));
    let figures = Figures::default();
    match number("DRCTL_KILL_SEED") {
        Some(seed) => round(seed, &alone, &figures),
        None => rounds(number("DRCTL_KILL_ROUNDS").unwrap_or(ROUNDS), &alone, &figures),
    }
    println!("SIGKILL: {figures:#?}");
    assert!(figures.kills.load(Ordering::Relaxed) > 0, "nothing was killed");
}

/// The rounds of seeds 1 to `count`, several at a time: most of a round is waiting.
#[expect(clippy::print_stdout, reason = "how far a long campaign is")]
fn rounds(count: u64, alone: &[End; 2], figures: &Figures) {
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > count {
                        return;
                    }
                    round(seed, alone, figures);
                    if seed.is_multiple_of(25) {
                        println!("{seed} rounds begun, {:?} kills", figures.kills);
                    }
                }
            });
        }
    });
}
