//! A state directory, a working directory and an environment for one test.
//!
//! **Invariant:** nothing of the machine that runs the tests reaches the program but `PATH`.

use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a command gave back.
#[derive(Debug)]
pub(crate) struct Output {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Asserts the exit code, showing everything when it is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that standard error tells each of `parts`.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in stderr:\n{}", self.stderr);
        }
        self
    }

    /// Asserts that standard output shows each of `parts`.
    #[track_caller]
    pub(crate) fn shows(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stdout.contains(part), "`{part}` is not in stdout:\n{}", self.stdout);
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in stdout:\n{}", self.stdout))
    }
}

/// The surroundings of one test.
pub(crate) struct TestEnv {
    dir: TempDir,
}

impl TestEnv {
    /// An empty project beside an empty state directory that does not exist yet.
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        fs::create_dir(dir.path().join("project")).expect("a project directory");
        Self { dir }
    }

    /// Where commands run.
    pub(crate) fn project(&self) -> PathBuf {
        self.dir.path().join("project")
    }

    /// The state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.project().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a file");
        path
    }

    /// The command, ready to run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
        command
            .args(args)
            .current_dir(self.project())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("DRCTL_STATE_DIR", self.state())
            .env("DRCTL_OPERATOR", "tester")
            // Without it a machine in a cloud would lend its own credentials.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null());
        command
    }

    /// Runs the command.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        finished(self.command(args).output().expect("the program starts"))
    }

    /// Runs a line of words.
    #[track_caller]
    pub(crate) fn line(&self, line: &str) -> Output {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Ids of all runs, oldest first.
    pub(crate) fn runs(&self) -> Vec<String> {
        let mut runs: Vec<String> = fs::read_dir(self.state().join("runs"))
            .map(|entries| {
                entries
                    .map(|entry| {
                        entry.expect("an entry").file_name().to_string_lossy().into_owned()
                    })
                    .collect()
            })
            .unwrap_or_default();
        runs.sort();
        runs
    }

    /// The simulated world of techcorp.
    pub(crate) fn world(&self) -> PathBuf {
        self.state().join("worlds/techcorp-sim")
    }

    /// Mutations of the world as `Operation target`.
    pub(crate) fn mutations(&self) -> Vec<String> {
        mutations(&self.world())
    }

    /// How often the world carried `operation` out.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.mutations().iter().filter(|line| line.starts_with(operation)).count()
    }

    /// Identifiers of instances that drctl created and that still exist.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let Ok(text) = fs::read_to_string(self.world().join("world.json")) else {
            return Vec::new();
        };
        let world: Json = serde_json::from_str(&text).expect("a whole world");
        let regions = world["regions"].as_object().expect("the world has regions");
        let instances = regions
            .values()
            .map(|region| region["instances"].as_object().expect("a region has instances"));
        let owned = |instance: &Json| {
            ["current", "before"]
                .iter()
                .any(|side| instance[side]["tags"].get("drctl:run").is_some())
        };
        instances
            .flatten()
            .filter(|(_, instance)| owned(instance))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Asserts that nothing that drctl made exists, and at most one restore took effect.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.left_behind(), Vec::<String>::new());
        let restores = self.count("RestoreDBInstanceToPointInTime");
        assert!(restores <= 1, "{:?}", self.mutations());
        assert_eq!(self.count("DeleteDBInstance"), restores, "{:?}", self.mutations());
    }

    /// Asserts that not even a run was begun, and that the world was not changed.
    #[track_caller]
    pub(crate) fn assert_untouched(&self) {
        assert_eq!(self.runs(), Vec::<String>::new());
        assert_eq!(self.mutations(), Vec::<String>::new());
        assert_eq!(self.left_behind(), Vec::<String>::new());
    }
}

/// An output of a process that has ended.
pub(crate) fn finished(output: std::process::Output) -> Output {
    Output {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Mutations in a world's log as `Operation target`.
pub(crate) fn mutations(world: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(world.join("mutations.jsonl")) else { return Vec::new() };
    text.lines()
        .map(|line| {
            let record: Json = serde_json::from_str(line).expect("a mutation");
            let word = |name: &str| record[name].as_str().expect("a text").to_owned();
            format!("{} {}", word("operation"), word("target"))
        })
        .collect()
}
