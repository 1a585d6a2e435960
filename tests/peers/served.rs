//! `drctl sim serve` for clients that we did not write.
//!
//! **Invariant:** each test has a world of its own, in memory, and it ends with the test.

use crate::support::{Background, drctl, repository, run};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Python of `localstack/`, which has boto3; `None` when it cannot be installed.
pub(crate) fn python() -> Option<PathBuf> {
    let installed =
        run(Command::new("localstack/localstack").arg("install").current_dir(repository()));
    let python = repository().join(".state/localstack/venv/bin/python");
    (installed.code == 0 && python.exists()).then_some(python)
}

/// A serving simulator.
pub(crate) struct Served {
    pub(crate) endpoint: String,
    /// Port of its name servers.
    pub(crate) dns_port: String,
    _process: Background,
    _state: tempfile::TempDir,
}

impl Served {
    /// Starts one whose clock runs `speed` times as fast as real time.
    pub(crate) fn at(speed: u32) -> Self {
        Self::of(&repository(), "techcorp", speed)
    }

    /// Starts one of an estate of the project in `directory`.
    pub(crate) fn of(directory: &Path, estate: &str, speed: u32) -> Self {
        let state = tempfile::tempdir().expect("a directory");
        let mut serving = drctl(state.path())
            .args(["sim", "serve", "--port", "0", "--ephemeral", "--speed", &speed.to_string()])
            .args(["--estate", estate])
            .current_dir(directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("drctl starts");
        let mut lines = BufReader::new(serving.stdout.take().expect("piped")).lines();
        let process = Background(serving);
        let line = lines.next().expect("one line").expect("readable");
        let endpoint =
            line.split_whitespace().find(|word| word.starts_with("http://")).expect("its address");
        let mut rest = lines.map(|line| line.expect("readable"));
        let names = rest.find(|line| line.trim_start().starts_with("names:")).expect("a line");
        let port = names.split("-p ").nth(1).and_then(|rest| rest.split(' ').next());
        let dns_port = port.expect("a port").to_owned();
        Self { endpoint: endpoint.to_owned(), dns_port, _process: process, _state: state }
    }
}
