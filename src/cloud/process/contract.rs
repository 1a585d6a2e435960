//! The contract between actions and whatever runs programs: this machine, or a simulated environment.
//!
//! **Invariant:** plain data and a trait; nothing here starts anything.

use crate::base::digest::Digest;
use crate::base::duration;
use crate::base::secret::Secret;
use crate::cloud::error::ErrorClass;
use async_trait::async_trait;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A program with its arguments and surroundings.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program, and its arguments one by one; nothing is split or expanded.
    pub words: Vec<String>,
    /// Where it runs, relative to the project; outside it, it is refused.
    pub directory: Option<PathBuf>,
    /// Variables that it gets beside those that every program needs.
    pub variables: Vec<(String, Secret)>,
    /// Longest time that it may run.
    pub timeout: Duration,
    /// What stands for it where nothing is started.
    pub rehearsal: Option<Rehearsal>,
}

/// What a program is said to do where nothing is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rehearsal {
    /// Exit code.
    pub exit_code: i32,
    /// What it prints.
    pub stdout: String,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

/// What a program printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The beginning and the end, redacted; what is between is named.
    pub shown: String,
    /// How much it was, bytes.
    pub bytes: u64,
    /// Digest of all of it.
    pub digest: Digest,
}

/// A program that ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Exit code; 128 and the signal's number when a signal ended it.
    pub exit_code: i32,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// How long it ran.
    pub took: Duration,
    /// Whether it was really started.
    pub started: bool,
}

/// Runs programs.
#[async_trait]
pub trait Processes: Send + Sync + fmt::Debug {
    /// Starts a program and waits for its end.
    ///
    /// # Errors
    /// It could not be started, or did not end by itself.
    async fn run(&self, command: &Command) -> Result<Finished, ProcessError>;
}

/// Why a program did not run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProcessError {
    /// It was not started.
    #[error("`{program}` was not started: {why}")]
    NotStarted {
        /// The program.
        program: String,
        /// The cause.
        why: String,
    },
    /// Its time was out: it was ended, with what it had started.
    #[error("`{program}` was ended after {}{words}", duration::format(*.limit))]
    TimedOut {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
        /// What could not be ended and what it had said, ready to follow a sentence; redacted.
        words: String,
    },
}

impl ProcessError {
    /// What may be done about it. A program that was ended may have done part of its work: what it
    /// did is known as far as it can be, so this is no doubt but a failure.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::NotStarted { .. } | Self::TimedOut { .. } => ErrorClass::Permanent,
        }
    }
}
