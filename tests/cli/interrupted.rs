//! Runs that are stopped or killed on their way, and taken up again.

use crate::env::{Output, TestEnv};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

const RESTORE: &str = "RestoreDBInstanceToPointInTime";

/// A running command whose progress is read line by line.
pub(crate) struct Watched {
    child: Child,
    stderr: BufReader<ChildStderr>,
    seen: String,
}

impl Watched {
    /// Starts a line of words.
    pub(crate) fn start(env: &TestEnv, line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut command = env.command(&words);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, stderr, seen: String::new() }
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads progress up to a line with `part`.
    #[track_caller]
    pub(crate) fn until(&mut self, part: &str) {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).expect("text");
            assert!(read > 0, "the program ended before `{part}`:\n{}", self.seen);
            self.seen.push_str(&line);
            if line.contains(part) {
                return;
            }
        }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &line]).status().expect("a shell").success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Output {
        self.stderr.read_to_string(&mut self.seen).expect("text");
        let mut stdout = String::new();
        let mut pipe = self.child.stdout.take().expect("piped");
        pipe.read_to_string(&mut stdout).expect("text");
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        Output { code, stdout, stderr: self.seen }
    }
}

/// Kills a drill at a moment and resumes it.
fn killed_at(moment: &str) {
    let env = TestEnv::new();
    let mut drill = Watched::start(&env, "drill restore-db --pace 5000");
    drill.until(moment);
    drill.kill();
    let run = env.runs()[0].clone();
    env.line("journal verify").expect(0);
    let resumed = env.line("resume last").expect(0).says(&["resuming run", "run succeeded"]);
    assert!(resumed.stdout.contains("SUCCEEDED"), "{}", resumed.stdout);
    assert_eq!(env.runs(), [run]);
    env.assert_clean();
    assert_eq!(env.count(RESTORE), 1, "killed at {moment}: {:?}", env.mutations());
    env.line("journal verify").expect(0);
}

#[test]
fn killed_while_checking_the_source() {
    killed_at("check_source: started");
}

#[test]
fn killed_after_the_intent_to_restore() {
    killed_at("restore: rds:Restore");
}

#[test]
fn killed_while_creating() {
    killed_at("restore: creating");
}

#[test]
fn killed_while_verifying() {
    killed_at("heartbeat: started");
}

#[test]
fn killed_after_the_intent_to_delete() {
    killed_at("delete: rds:Delete");
}

#[test]
fn killed_while_deleting() {
    killed_at("delete: deleting");
}

#[test]
fn killed_twice() {
    let env = TestEnv::new();
    let mut drill = Watched::start(&env, "drill restore-db --pace 5000");
    drill.until("restore: creating");
    drill.kill();
    let mut resumed = Watched::start(&env, "resume last --pace 5000");
    resumed.until("delete: rds:Delete");
    resumed.kill();
    env.line("resume last").expect(0).says(&["attempt 3", "run succeeded"]);
    env.assert_clean();
    assert_eq!(env.count(RESTORE), 1);
}

#[test]
fn a_signal_stops_in_good_order() {
    for signal in ["INT", "TERM"] {
        let env = TestEnv::new();
        let mut drill = Watched::start(&env, "drill restore-db --pace 1");
        drill.until("restore: started");
        drill.signal(signal);
        let out = drill.end().expect(13);
        let run = env.runs()[0].clone();
        let out = out.says(&["stopping in good order", "stopped: signal"]);
        let out = out.says(&[&format!("drctl resume {run}")]);
        assert!(!out.stderr.contains("panicked"), "{}", out.stderr);
        env.line("status last").expect(0).shows(&["stopped (signal)"]);
        env.line("resume last").expect(0).says(&["attempt 2", "run succeeded"]);
        env.assert_clean();
        assert_eq!(env.count(RESTORE), 1);
    }
}

#[test]
fn a_kept_run_that_was_killed_is_kept_once() {
    let env = TestEnv::new();
    let mut run = Watched::start(&env, "run restore-db --env sim -p database=orders --pace 5000");
    run.until("restore: creating");
    run.kill();
    env.line("resume").expect(0).shows(&["kept: drctl-techcorp-orders-"]);
    assert_eq!(env.left_behind().len(), 1);
    assert_eq!((env.count(RESTORE), env.count("DeleteDBInstance")), (1, 0));
}
