//! What a command says when it cannot do its work.
//!
//! **Invariant:** every error names what, where, and what to do next, and has an exit code.

use crate::base::diagnostic::{Problems, Severity, Shown, draw};
use crate::base::redact::redact;
use crate::cli::exit::Exit;
use crate::cli::out::fitted;
use crate::cloud::{CloudError, ErrorClass};
use crate::journal::JournalError;
use crate::journal::objects::BucketProblem;
use crate::sim::SimError;
use std::fmt;

/// A failed command.
#[derive(Debug)]
pub(super) struct CommandError {
    /// The exit code.
    pub exit: Exit,
    message: String,
    help: Option<String>,
    /// Problems of a file, drawn; they stand before the message.
    drawn: String,
}

impl CommandError {
    /// An error with the given exit code.
    pub(super) fn new(exit: Exit, message: impl AsRef<str>) -> Self {
        Self { exit, message: redact(message.as_ref()), help: None, drawn: String::new() }
    }

    /// A wrong command line or file.
    pub(super) fn usage(message: impl AsRef<str>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Says what to do next.
    pub(super) fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(redact(help.as_ref()));
        self
    }
}

impl CommandError {
    /// The first line of what went wrong, for a table.
    pub(super) fn brief(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// For standard error: what is drawn as it is, the sentences wrapped to the terminal.
    pub(super) fn fitted(&self) -> String {
        format!("{}{}", self.drawn, fitted(&self.sentences()))
    }

    fn sentences(&self) -> String {
        let help = self.help.as_ref().map(|help| format!("\n  help: {help}"));
        format!("error: {}{}", self.message.trim_end(), help.unwrap_or_default())
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.drawn, self.sentences())
    }
}

impl From<Problems> for CommandError {
    fn from(problems: Problems) -> Self {
        let message = format!("{} has {}", problems.file(), counted(&problems));
        let code = problems.sorted().first().map_or("", |problem| problem.code);
        Self {
            drawn: redact(&draw(&problems, Shown::default())),
            ..Self::usage(message).help(format!("`drctl explain {code}` says more"))
        }
    }
}

/// How many problems there are, in words.
pub(super) fn counted(problems: &Problems) -> String {
    let words = |severity: Severity, noun: &str| match problems.count(severity) {
        0 => None,
        1 => Some(format!("1 {noun}")),
        count => Some(format!("{count} {noun}s")),
    };
    let parts = [words(Severity::Error, "error"), words(Severity::Warning, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

impl From<CloudError> for CommandError {
    fn from(error: CloudError) -> Self {
        let exit = match error.class {
            ErrorClass::Credentials | ErrorClass::Unreachable => Exit::Credentials,
            ErrorClass::Refused => Exit::Refused,
            ErrorClass::Permanent | ErrorClass::Temporary | ErrorClass::InDoubt => Exit::StepFailed,
        };
        let help = match error.class {
            ErrorClass::Credentials => {
                Some("check the credentials and the account of the environment")
            }
            ErrorClass::Unreachable => Some("is the endpoint up? (`localstack/localstack status`)"),
            ErrorClass::Permanent
            | ErrorClass::Temporary
            | ErrorClass::InDoubt
            | ErrorClass::Refused => None,
        };
        let failed = Self::new(exit, error.to_string());
        match help {
            Some(help) => failed.help(help),
            None => failed,
        }
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        let denied =
            matches!(error, JournalError::Bucket { problem: BucketProblem::AccessDenied, .. });
        let exit = if denied { Exit::Credentials } else { Exit::Journal };
        let failed = Self::new(exit, error.to_string());
        match error {
            JournalError::Corrupt { .. } => failed.help(
                "`drctl journal show RUN` and `drctl report RUN --damaged` tell what is sound of it; \
                 `drctl sweep` finds what the run may have left behind",
            ),
            _ => failed,
        }
    }
}

impl From<SimError> for CommandError {
    fn from(error: SimError) -> Self {
        let exit = match &error {
            SimError::Io { .. }
            | SimError::Corrupt { .. }
            | SimError::Version { .. }
            | SimError::Taken { .. } => Exit::Journal,
            SimError::Mismatch { .. } | SimError::Fault { .. } | SimError::Estate { .. } => {
                Exit::Usage
            }
        };
        Self::new(exit, error.to_string())
    }
}
