//! All exit codes of drctl, with their precedence.
//!
//! **Invariant:** a number, once shipped, keeps its meaning.

use std::process::ExitCode;

/// How a command ended, for scripts. When several apply to one run, the first in this order wins:
/// journal or lease, guard, credentials, waiting, clean-up failed, undo failed, rejected, step failed,
/// objective missed, completed with skips, ok. A failed clean-up outranks the rest because it may cost
/// money and needs a person now; so does a failed undo, which leaves the estate between two states: of
/// a run that somebody aborted, that is the news. The report names all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything asked for happened.
    Ok = 0,
    /// A bug in drctl.
    Internal = 1,
    /// The command line or a file is wrong; nothing was started.
    Usage = 2,
    /// A step failed, or a dry run predicts that one will.
    StepFailed = 10,
    /// Recovered, and later or with more loss than promised.
    ObjectiveMissed = 11,
    /// A person said no, or nobody could be asked.
    Rejected = 12,
    /// The run waits for a person, or was interrupted; it can be resumed.
    Waiting = 13,
    /// Something that the run created could not be removed.
    CleanupFailed = 14,
    /// Steps were left out that should have run.
    CompletedWithSkips = 15,
    /// The journal cannot be read or written, or another process holds the run.
    Journal = 16,
    /// The guard or a permit refused a call, or a stored plan no longer holds.
    Refused = 17,
    /// Credentials, account or endpoint.
    Credentials = 18,
    /// What a step had done could not be taken back.
    UndoFailed = 19,
}

/// Exit codes by the precedence that [`Exit`] documents; what could not even begin comes before what did
/// not end.
const PRECEDENCE: [Exit; 13] = [
    Exit::Internal,
    Exit::Journal,
    Exit::Refused,
    Exit::Credentials,
    Exit::Usage,
    Exit::Waiting,
    Exit::CleanupFailed,
    Exit::UndoFailed,
    Exit::Rejected,
    Exit::StepFailed,
    Exit::ObjectiveMissed,
    Exit::CompletedWithSkips,
    Exit::Ok,
];

impl Exit {
    /// How several runs ended as one: the first by precedence; of none, ok.
    pub(super) fn of_all(exits: impl IntoIterator<Item = Self>) -> Self {
        let place = |exit: &Self| PRECEDENCE.iter().position(|one| one == exit);
        exits.into_iter().min_by_key(place).unwrap_or(Self::Ok)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The table for `drctl exit-codes` and the README.
pub(super) const TABLE: [(Exit, &str); 13] = [
    (Exit::Ok, "ok"),
    (Exit::Internal, "internal error (a bug)"),
    (Exit::Usage, "usage, or an invalid file"),
    (Exit::StepFailed, "a step failed, or a dry run predicts it"),
    (Exit::ObjectiveMissed, "recovered, but an objective was missed"),
    (Exit::Rejected, "rejected or aborted by a person"),
    (Exit::Waiting, "waiting for a person, or interrupted: resume it"),
    (Exit::CleanupFailed, "clean-up failed: something is left behind"),
    (Exit::CompletedWithSkips, "completed with skipped steps"),
    (Exit::Journal, "journal or lease"),
    (Exit::Refused, "refused by the guard, a permit or a stale plan"),
    (Exit::Credentials, "credentials, account or endpoint"),
    (Exit::UndoFailed, "undo failed: what a step did could not be taken back"),
];

#[cfg(test)]
mod tests {
    use super::{Exit, PRECEDENCE, TABLE};

    #[test]
    fn the_first_by_precedence_wins() {
        for (exits, wanted) in [
            (vec![], Exit::Ok),
            (vec![Exit::Ok, Exit::ObjectiveMissed, Exit::Ok], Exit::ObjectiveMissed),
            (vec![Exit::ObjectiveMissed, Exit::StepFailed], Exit::StepFailed),
            (vec![Exit::StepFailed, Exit::CleanupFailed, Exit::Rejected], Exit::CleanupFailed),
            (vec![Exit::CleanupFailed, Exit::Usage], Exit::Usage),
            (vec![Exit::Usage, Exit::Credentials, Exit::Journal], Exit::Journal),
        ] {
            assert_eq!(Exit::of_all(exits.clone()), wanted, "{exits:?}");
        }
        for (exit, _) in TABLE {
            assert!(PRECEDENCE.contains(&exit), "{exit:?} has no place");
        }
    }
}
