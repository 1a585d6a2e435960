//! A run in one process, steered from others: what the tests of control share.

use crate::env::{Output, TestEnv, finished};
use crate::interrupted::Watched;
use serde_json::Value as Json;
use std::time::{Duration, Instant};

const RUNBOOK: &str = include_str!("control.yaml");

const DRILL: &str = "
apiVersion: drctl/v1
kind: Drill
name: control
runbook: control
estate: techcorp
objectives: { recovery_time: 4h }
";

/// Longer than anything takes, on the slowest machine.
const GENEROUS: Duration = Duration::from_secs(60);

/// A project with the drill of two restores and a gate for two people.
pub(crate) fn project() -> TestEnv {
    project_with(|text| text.to_owned())
}

/// The same with another runbook made of it.
pub(crate) fn project_with(change: impl Fn(&str) -> String) -> TestEnv {
    let env = TestEnv::new();
    env.write("runbooks/control.yaml", &change(RUNBOOK));
    env.write("drills/control.yaml", DRILL);
    env
}

/// The drill, driven by a process that waits at its gate for other terminals.
pub(crate) fn at_the_gate(env: &TestEnv) -> Watched {
    let mut drill = Watched::start(env, "drill control --wait");
    drill.until("answer       drctl approve");
    drill
}

/// A line of words typed by `person`, who is known by the name that the environment declares.
pub(crate) fn by(env: &TestEnv, person: &str, line: &str) -> Output {
    let words: Vec<&str> = line.split_whitespace().collect();
    said_by(env, person, &words)
}

/// Words typed by `person`.
pub(crate) fn said_by(env: &TestEnv, person: &str, words: &[&str]) -> Output {
    let mut command = env.command(words);
    finished(command.env("DRCTL_OPERATOR", person).output().expect("the program starts"))
}

/// Events of the last run of a kind.
pub(crate) fn events(env: &TestEnv, kind: &str) -> Vec<Json> {
    let lines = env.line("journal export").expect(0).stdout;
    let events = lines.lines().map(|line| {
        let record: Json = serde_json::from_str(line).expect("a record");
        record["event"].clone()
    });
    events.filter(|event| event["type"] == kind).collect()
}

/// Looks until `what` is there.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
pub(crate) fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < GENEROUS, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until the journal of the last run has an event of a kind.
#[track_caller]
pub(crate) fn until_event(env: &TestEnv, kind: &str) {
    eventually(kind, || {
        let out = env.line("journal export");
        (out.code == 0 && out.stdout.contains(&format!("\"type\":\"{kind}\""))).then_some(())
    });
}
