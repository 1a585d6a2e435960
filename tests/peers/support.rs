//! Running drctl and its peers in tests.
//!
//! **Invariant:** every process started here is stopped here.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The repository.
pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `drctl` with its own state directory and none of the caller's AWS settings.
pub(crate) fn drctl(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    command
        .current_dir(repository())
        .env("DRCTL_STATE_DIR", state)
        .env("AWS_EC2_METADATA_DISABLED", "true");
    for name in
        ["AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID"]
    {
        command.env_remove(name);
    }
    command
}

/// Exit code, standard output and standard error.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs to the end.
pub(crate) fn run(command: &mut Command) -> Ended {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Says that a peer is missing; in CI that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "a peer is missing in CI: {why}");
    // Not `println!`: the harness swallows that in a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A process that is stopped when the test ends, however it ends.
pub(crate) struct Background(pub Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
