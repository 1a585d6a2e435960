//! Runs that are stopped or killed on their way, and taken up again.

use crate::env::{Output, TestEnv};
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};

const RESTORE: &str = "RestoreDBInstanceToPointInTime";

/// A running command, one of whose streams is read line by line.
pub(crate) struct Watched {
    child: Child,
    stream: BufReader<Box<dyn Read>>,
    seen: String,
    /// Whether it is standard output that is read line by line.
    stdout: bool,
}

impl Watched {
    /// Starts a line of words, to read its progress.
    pub(crate) fn start(env: &TestEnv, line: &str) -> Self {
        Self::spawn(env.command(&words(line)), false)
    }

    /// Starts a line of words, to read its results as they come.
    pub(crate) fn reading_stdout(env: &TestEnv, line: &str) -> Self {
        Self::spawn(env.command(&words(line)), true)
    }

    /// Starts a command.
    pub(crate) fn spawn(mut command: Command, stdout: bool) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stream: Box<dyn Read> = match stdout {
            true => Box::new(child.stdout.take().expect("piped")),
            false => Box::new(child.stderr.take().expect("piped")),
        };
        Self { child, stream: BufReader::new(stream), seen: String::new(), stdout }
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads up to a line with `part`.
    #[track_caller]
    pub(crate) fn until(&mut self, part: &str) {
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).expect("text");
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
        self.stream.read_to_string(&mut self.seen).expect("text");
        let mut other = String::new();
        let mut pipe: Box<dyn Read> = match self.stdout {
            true => Box::new(self.child.stderr.take().expect("piped")),
            false => Box::new(self.child.stdout.take().expect("piped")),
        };
        pipe.read_to_string(&mut other).expect("text");
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        let (stdout, stderr) = if self.stdout { (self.seen, other) } else { (other, self.seen) };
        Output { code, stdout, stderr }
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
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
    for signal in ["INT", "TERM", "HUP"] {
        let env = TestEnv::new();
        let mut drill = Watched::start(&env, "drill restore-db --pace 1");
        drill.until("restore: started");
        drill.signal(signal);
        let out = drill.end().expect(13);
        let run = env.runs()[0].clone();
        let out = out.says(&["stopping in good order", "a second Ctrl-C", "stopped: signal"]);
        let out = out.says(&[&format!("drctl resume {run}")]);
        assert!(!out.stderr.contains("panicked"), "{}", out.stderr);
        env.line("status last").expect(0).shows(&["stopped (signal)", "driven by   nobody"]);
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
