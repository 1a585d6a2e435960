//! Journals that a team shares, with two state directories as two machines and the served simulator's S3
//! between them, over TCP.
//!
//! **Invariant:** whatever happens to one machine, the other one ends the run, and each mutation is sent
//! once.

use crate::env::{Output, TestEnv, finished};
use crate::serve::Served;
use crate::survive::{RUNBOOK, estate, project};
use crate::two::eventually;
use serde_json::Value as Json;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) const BUCKET: &str = "shop-journals";
pub(crate) const REGION: &str = "eu-west-1";
const CREATE: &str = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
                      </CreateBucketConfiguration>";

/// What is AWS to all machines: the estate in us-east-1, the bucket in eu-west-1.
pub(crate) struct Team {
    pub(crate) served: Served,
    _server: TestEnv,
}

impl Team {
    pub(crate) fn new() -> Self {
        Self::living(4_000)
    }

    /// Whose world lives `speed` times faster than we do.
    fn living(speed: u32) -> Self {
        let server = TestEnv::new();
        server.write("estates/shop.yaml", &estate("127.0.0.1:9"));
        let options = ["--estate", "shop", "--ephemeral", "--speed", &speed.to_string()];
        let served = Served::start(&server, &options);
        let (status, body) = served.s3(REGION, "PUT", &format!("/{BUCKET}"), CREATE.as_bytes());
        assert_eq!(status, 200, "{body}");
        Self { served, _server: server }
    }

    /// A machine with the project and an empty state directory.
    pub(crate) fn machine(&self) -> Machine {
        let machine = Machine { env: project(&self.served.address) };
        machine.config(&format!(
            "journal: {{ store: 's3://{BUCKET}/dr', endpoint: 'http://{}' }}\n",
            self.served.address
        ));
        machine
    }

    /// Mutations of RDS, as `Operation target`.
    fn mutations(&self) -> Vec<String> {
        let (_, log) = self.served.ask("GET", "/_drctl/mutations", "");
        let log = log["mutations"].as_array().expect("a list");
        let rds = log.iter().filter(|one| one["service"] == "rds");
        let text = |one: &Json, name: &str| one[name].as_str().expect("text").to_owned();
        rds.map(|one| format!("{} {}", text(one, "operation"), text(one, "target"))).collect()
    }

    fn faults(&self, faults: &str) {
        let (status, body) = self.served.ask("PUT", "/_drctl/faults", faults);
        assert_eq!(status, 200, "{body}");
    }
}

pub(crate) struct Machine {
    pub(crate) env: TestEnv,
}

impl Machine {
    pub(crate) fn config(&self, journal: &str) {
        self.env.write("drctl.yaml", &format!("apiVersion: drctl/v1\nkind: Config\n{journal}"));
    }

    pub(crate) fn line(&self, line: &str) -> Output {
        self.env.line(line)
    }

    /// Starts a command that is not waited for.
    fn spawn(&self, line: &str) -> Child {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.env.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }

    /// The only run that is known here.
    fn run(&self) -> String {
        let list = self.line("status --output json").expect(0).json();
        let runs = list["runs"].as_array().expect("a list");
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0]["run"].as_str().expect("an id").to_owned()
    }

    /// Waits until the drill has begun to restore.
    fn restoring(&self) {
        eventually("a step's end", || {
            let list = self.line("status --output json").expect(0).json();
            (list["runs"][0]["steps_done"].as_u64().unwrap_or_default() >= 1).then_some(())
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "its peer is a process, which lives in real time")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([name, &id]).status().expect("kill").success());
}

const DRILL: &str = "drill survive --yes --pace 300";

/// What a run of the drill does to AWS, whoever does it.
const ONCE: [&str; 4] =
    ["RestoreDBInstance", "CreateDBSnapshot", "DeleteDBInstance", "DeleteDBSnapshot"];

fn assert_once(team: &Team) {
    let mutations = team.mutations();
    for operation in ONCE {
        let count = mutations.iter().filter(|line| line.starts_with(operation)).count();
        assert_eq!(count, 1, "{operation}: {mutations:#?}");
    }
}

#[test]
fn another_machine_ends_what_a_dead_one_began() {
    let team = Team::new();
    let (a, b) = (team.machine(), team.machine());
    let mut drill = a.spawn(DRILL);
    b.restoring();
    drill.kill().expect("SIGKILL");
    drill.wait().expect("it ends");
    let run = b.run();
    let shown = b.line("status").expect(0);
    assert!(shown.stdout.contains("unfinished"), "{}", shown.stdout);
    let one = b.line(&format!("status {run}")).expect(0);
    assert!(one.stdout.contains("driven by") && one.stdout.contains("process"), "{}", one.stdout);
    b.line("resume --pace 300").expect(16).says(&["process", "--take-over"]);
    b.line("resume --take-over --yes --pace 300").expect(0);
    assert_once(&team);
    for machine in [&a, &b] {
        machine.line(&format!("journal verify {run}")).expect(0);
        machine.line("history --output json").expect(0).shows(&[&run]);
    }
    let export =
        |machine: &Machine| machine.line(&format!("journal export {run}")).expect(0).stdout;
    assert_eq!(export(&a), export(&b));
    // A third one that has nothing yet reads the report.
    team.machine().line(&format!("report {run}")).expect(0).shows(&["survive"]);
}

#[test]
fn the_machine_that_began_goes_on_at_once() {
    let team = Team::new();
    let a = team.machine();
    let mut drill = a.spawn(DRILL);
    a.restoring();
    drill.kill().expect("SIGKILL");
    drill.wait().expect("it ends");
    fs::remove_file(a.env.state().join("runs").join(a.run()).join("journal.db")).expect("there");
    a.line("resume --yes --pace 300").expect(0);
    assert_once(&team);
}

#[test]
fn a_machine_that_was_fenced_stops_before_its_next_change() {
    // Slow enough that it is stopped while it polls. Between a look at the lease and the change that it
    // allows nobody can be fenced: AWS knows nothing of leases.
    let team = Team::living(400);
    let (a, b) = (team.machine(), team.machine());
    let drill = a.spawn(DRILL);
    b.restoring();
    while team.mutations().len() < 2 {
        pause();
    }
    for _ in 0..20 {
        pause();
    }
    signal(&drill, "-STOP");
    b.line("resume --pace 300").expect(16);
    let ended = b.line("resume --take-over --yes --pace 300").expect(0);
    assert!(ended.stderr.contains("fenced"), "{}", ended.stderr);
    signal(&drill, "-CONT");
    let fenced = finished(drill.wait_with_output().expect("it ends"));
    assert_eq!(fenced.code, 16, "{}", fenced.stderr);
    assert!(fenced.stderr.contains("no longer"), "{}", fenced.stderr);
    assert_once(&team);
    b.line("journal verify").expect(0);
}

#[test]
fn two_that_fight_for_a_run_do_everything_once() {
    let team = Team::new();
    let machines = [team.machine(), team.machine(), team.machine()];
    let mut drill = machines[0].spawn(DRILL);
    machines[1].restoring();
    drill.kill().expect("SIGKILL");
    drill.wait().expect("it ends");
    let mut last = Vec::new();
    for _ in 0..3 {
        let fight = "resume last --take-over --yes --pace 300";
        let all: Vec<Child> = machines.iter().map(|machine| machine.spawn(fight)).collect();
        let ends = all.into_iter().map(|child| finished(child.wait_with_output().expect("ends")));
        last = ends.collect::<Vec<_>>();
        let told: Vec<_> = last.iter().map(|end| (end.code, end.stderr.as_str())).collect();
        assert!(last.iter().all(|end| [0, 2, 16].contains(&end.code)), "{told:#?}");
    }
    // After three rounds it has ended, and whoever comes late is told so.
    assert!(last.iter().all(|end| end.code == 2), "{last:#?}");
    assert_once(&team);
    machines[2].line("journal verify").expect(0);
}

#[test]
fn without_the_bucket_a_run_stops_before_its_next_change_and_is_resumed() {
    let team = Team::new();
    let a = team.machine();
    let drill = a.spawn(DRILL);
    a.restoring();
    team.faults(r#"{"faults": ["control-plane-down=eu-west-1"]}"#);
    let stopped = finished(drill.wait_with_output().expect("it ends"));
    assert_eq!(stopped.code, 16, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("unreachable"), "{}", stopped.stderr);
    let before = team.mutations();
    // Whoever only looks sees what this machine has of it; whoever drives does not begin.
    let shown = a.line("status").expect(0).says(&["shown is what this machine has of it"]);
    assert!(shown.stdout.contains("unfinished"), "{}", shown.stdout);
    a.line("resume --yes").expect(16).says(&["unreachable"]);
    a.line(DRILL).expect(16).says(&["unreachable"]);
    assert_eq!(team.mutations(), before);
    team.faults(r#"{"faults": []}"#);
    a.line("resume --yes --pace 300").expect(0);
    assert_once(&team);
}

#[test]
fn a_gate_is_approved_from_another_machine() {
    let team = Team::new();
    let (a, b) = (team.machine(), team.machine());
    for machine in [&a, &b] {
        machine.env.write(
            "runbooks/gated.yaml",
            "apiVersion: drctl/v1\nkind: Runbook\nname: gated\nsteps:\n\
             - { id: go, uses: gate.approve, with: { message: 'go?' } }\n\
             - { id: check, uses: rds.check_source, needs: [go],\n\
             \x20   with: { instance: shop-orders, restore_time: latest } }\n",
        );
    }
    let waiting = a.spawn("run gated --env there --estate shop --wait --pace 300");
    eventually("the run's beginning", || {
        let shown = b.line("status --output json").expect(0).json();
        shown["runs"].as_array().is_some_and(|runs| !runs.is_empty()).then_some(())
    });
    let run = b.run();
    b.line(&format!("approve {run} go --comment seen")).expect(0);
    let ended = finished(waiting.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    b.line(&format!("report {run}")).expect(0).shows(&["seen"]);
}

#[test]
fn places_that_cannot_be_used_are_named_before_anything_begins() {
    let team = Team::new();
    let a = team.machine();
    let endpoint = format!("endpoint: 'http://{}'", team.served.address);
    for (journal, exit, said) in [
        (format!("store: s3://nobody/dr, {endpoint}"), 16, "(no-such-bucket)"),
        (format!("store: s3://{BUCKET}/dr, region: us-west-2, {endpoint}"), 16, "(wrong-region)"),
        (format!("store: s3://{BUCKET}/dr, endpoint: 'http://127.0.0.1:9'"), 16, "(unreachable)"),
        (format!("store: s3://No_Bucket/dr, {endpoint}"), 2, "no name of a bucket"),
        (format!("store: s3://{BUCKET}/a//b, {endpoint}"), 2, "prefix"),
        (format!("store: s3://{BUCKET}/dr, endpoint: 'nowhere'"), 2, "no address"),
    ] {
        a.config(&format!("journal: {{ {journal} }}\n"));
        a.line(DRILL).expect(exit).says(&[said]);
        assert_eq!(a.env.runs(), Vec::<String>::new());
    }
    a.config(&format!("journal: {{ store: s3://{BUCKET}/dr, {endpoint} }}\n"));
    team.faults(r#"{"faults": ["access-denied=HeadBucket"]}"#);
    a.line(DRILL).expect(18).says(&["(access-denied)"]);
    team.faults(r#"{"faults": []}"#);
    assert_eq!(team.mutations(), Vec::<String>::new());
    let mut local = a.env.command(&["status"]);
    let local = finished(local.env("DRCTL_JOURNAL", "nonsense").output().expect("it runs"));
    local.expect(2).says(&["DRCTL_JOURNAL `nonsense`", "s3://"]);
}

#[test]
fn a_bucket_in_the_region_that_is_assumed_lost_is_refused() {
    let team = Team::new();
    let a = team.machine();
    let runbook = |lost: &str| {
        let text = RUNBOOK.replace("measure:", &format!("assumes_lost: {lost}\nmeasure:"));
        a.env.write("runbooks/survive.yaml", &text);
    };
    runbook("us-east-1");
    let shown = a.line("drill survive --dry-run").expect(0);
    let kept = format!("journal: s3://{BUCKET}/dr/runs/");
    assert!(shown.stdout.contains("assumes lost: us-east-1"), "{}", shown.stdout);
    assert!(shown.stdout.contains(&kept), "{}", shown.stdout);
    assert!(shown.stdout.contains("in eu-west-1, shared"), "{}", shown.stdout);
    runbook(REGION);
    for line in [DRILL, "drill survive --dry-run"] {
        a.line(line).expect(2).says(&["which this runbook assumes lost", BUCKET]);
    }
    let text = RUNBOOK.replace("parameters:", "parameters:\n  gone: { type: string }");
    let text = text.replace("measure:", "assumes_lost: '${{ params.gone }}'\nmeasure:");
    a.env.write("runbooks/survive.yaml", &text);
    a.line("drill survive --dry-run -p gone=us-east-1").expect(0);
    a.line("drill survive --yes -p gone=eu-west-1").expect(2).says(&["assumes lost"]);
    let wrong = [
        ("somewhere", "is no region"),
        ("3", "expected text"),
        ("'${{ params.nothing }}'", "has no `nothing`"),
        ("'${{ env.region }}'", "is not known to `assumes_lost`"),
        ("'${{ steps.judge.status }}'", "is not known to `assumes_lost`"),
    ];
    for (lost, said) in wrong {
        runbook(lost);
        a.line("runbook validate survive").expect(2).shows(&[said]);
    }
    assert_eq!(team.mutations(), Vec::<String>::new());
}

#[test]
fn journals_are_pushed_and_pulled_and_never_mixed() {
    let team = Team::new();
    let (a, b) = (team.machine(), team.machine());
    a.config("");
    a.line("drill survive --yes --pace 2000").expect(0);
    let run = a.run();
    let place = format!("s3://{BUCKET}/other");
    a.line("journal push --all").expect(2).says(&["no shared journal is configured"]);
    a.config(&format!(
        "journal: {{ store: 's3://{BUCKET}/dr', endpoint: 'http://{}' }}\n",
        team.served.address
    ));
    // A run that was never shared is still this machine's.
    a.line(&format!("report {run}")).expect(0);
    b.line("status").expect(0).shows(&["no runs"]);
    for to in [String::new(), format!("--to {place}")] {
        let pushed = a.line(&format!("journal push {run} {to}")).expect(0);
        assert!(pushed.stdout.contains("chain whole"), "{}", pushed.stdout);
        let again = a.line(&format!("journal push --all {to} --output json")).expect(0).json();
        assert_eq!(
            (again["runs"][0]["new"].as_u64(), again["runs"][0]["run"].as_str()),
            (Some(0), Some(run.as_str()))
        );
    }
    let c = team.machine();
    c.line(&format!("journal pull --all --from {place}")).expect(0).shows(&[&run, "chain whole"]);
    c.line(&format!("journal pull {run}")).expect(0).shows(&["nothing new"]);
    b.line("history").expect(0).shows(&["survive"]);
    let export =
        |machine: &Machine| machine.line(&format!("journal export {run}")).expect(0).stdout;
    assert_eq!(export(&a), export(&b));
    assert_eq!(export(&a), export(&c));
    c.line("journal pull 01none").expect(2).says(&["means 0 runs"]);
    let nothing = format!("journal pull --all --from s3://{BUCKET}/empty");
    c.line(&nothing).expect(0).shows(&["no runs"]);

    // What lies in the place and is not ours, or is not whole any more, is named.
    let segments = format!("/{BUCKET}/other/runs/{run}/segments");
    let put = |key: &str, body: &[u8]| team.served.s3(REGION, "PUT", key, body).0;
    assert_eq!(put(&format!("{segments}/note.txt"), b"hello"), 200);
    let from = format!("journal pull {run} --from {place}");
    c.line(&from).expect(16).says(&["note.txt is not drctl's"]);
    team.served.s3(REGION, "DELETE", &format!("{segments}/note.txt"), b"");
    let second = format!("{segments}/0000000002-0000000001.jsonl");
    let (_, whole) = team.served.s3(REGION, "GET", &second, b"");
    let edited = whole.replace("\"operator\":\"tester\"", "\"operator\":\"mallory\"");
    assert_ne!(edited, whole);
    assert_eq!(put(&second, edited.as_bytes()), 200);
    team.machine().line(&from).expect(16).says(&["damaged at event 1"]);
    assert_eq!(put(&second, &whole.as_bytes()[..whole.len() / 2]), 200);
    team.machine().line(&from).expect(16).says(&["is damaged at event"]);
    assert_eq!(put(&second, whole.as_bytes()), 200);
    team.machine().line(&from).expect(0);
}
