//! What people ask of a run from any terminal: commands, and the inbox that holds them.
//!
//! **Invariant:** a command in the inbox is a wish and changes nothing; only the journal says whether it
//! was taken, and each is taken or refused once.

use crate::base::form::Form;
use crate::base::ids::{RunId, StepKey, mint_ulid};
use crate::base::redact::redact_line;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most characters of what a person adds: a reason, not a protocol.
const LONGEST_REMARK: usize = 1_000;

/// What a person asks of a run. JSON in the inbox, and inside the event that says what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Approves a gate.
    Approve {
        /// The gate.
        step: StepKey,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
        /// The danger that is acknowledged with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acknowledge: Option<String>,
    },
    /// Rejects a gate, which ends the run.
    Reject {
        /// The gate.
        step: StepKey,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Takes the own approval of a gate back; possible until the gate has opened.
    Withdraw {
        /// The gate.
        step: StepKey,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Answers any question: a failure that is asked about, a doubt, a gate.
    Answer {
        /// The step that asks.
        step: StepKey,
        /// One of the question's choices.
        answer: String,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// No new step and no new mutation until somebody continues; looks go on.
    Pause {
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Ends a pause.
    Continue,
    /// Goes on without a step.
    Skip {
        /// The step.
        step: StepKey,
        /// Why.
        reason: String,
    },
    /// Tries a step again whose failure is being asked about, or looks now instead of after a back-off.
    Retry {
        /// The step.
        step: StepKey,
    },
    /// Switches the form of the run.
    Switch {
        /// The form from then on.
        to: Form,
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Ends the run: nothing new begins, clean-up runs.
    Abort {
        /// Why, if it was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Whether what was done is undone.
        undo: bool,
    },
}

impl Command {
    /// The word that people type: `approve`.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
            Self::Withdraw { .. } => "withdraw",
            Self::Answer { .. } => "answer",
            Self::Pause { .. } => "pause",
            Self::Continue => "continue",
            Self::Skip { .. } => "skip",
            Self::Retry { .. } => "retry",
            Self::Switch { .. } => "switch",
            Self::Abort { .. } => "abort",
        }
    }

    /// The step that it is about, if it is about one.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Self::Approve { step, .. }
            | Self::Reject { step, .. }
            | Self::Withdraw { step, .. }
            | Self::Answer { step, .. }
            | Self::Skip { step, .. }
            | Self::Retry { step } => Some(step),
            Self::Pause { .. } | Self::Continue | Self::Switch { .. } | Self::Abort { .. } => None,
        }
    }

    /// The same with what people wrote made fit for journals: redacted, one line, without control
    /// characters, of bounded length; empty remarks are none.
    #[must_use]
    pub fn cleaned(mut self) -> Self {
        match &mut self {
            Self::Approve { comment, acknowledge, .. } => {
                *comment = comment.take().and_then(|it| remark(&it));
                *acknowledge = acknowledge.take().and_then(|it| remark(&it));
            }
            Self::Reject { comment: text, .. }
            | Self::Withdraw { comment: text, .. }
            | Self::Answer { comment: text, .. }
            | Self::Pause { reason: text }
            | Self::Switch { reason: text, .. }
            | Self::Abort { reason: text, .. } => *text = text.take().and_then(|it| remark(&it)),
            Self::Skip { reason, .. } => *reason = remark(reason).unwrap_or_default(),
            Self::Continue | Self::Retry { .. } => {}
        }
        self
    }
}

/// What a person wrote, made fit for journals; `None` when nothing is left of it.
pub fn remark(text: &str) -> Option<String> {
    let plain = text.replace(|c: char| c.is_control() && !c.is_whitespace(), "");
    Some(redact_line(&plain, LONGEST_REMARK)).filter(|text| !text.is_empty())
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their name on the machine where they typed.
    pub operator: String,
    /// ARN that STS says is theirs; `None` where a name is only declared, as in the simulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

impl Person {
    /// Somebody of whom only the name is known.
    pub fn declared(operator: &str) -> Self {
        Self { operator: operator.to_owned(), identity: None }
    }

    /// What tells two identities apart: the ARN where it is known, else the name. Whether two of them are
    /// one person, `engine` says.
    pub fn key(&self) -> &str {
        self.identity.as_deref().unwrap_or(&self.operator)
    }

    /// Whether both are the same identity, as far as is known of both.
    pub fn is(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.identity {
            Some(arn) => write!(f, "{} ({arn})", self.operator),
            None => f.write_str(&self.operator),
        }
    }
}

/// A command as it was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posted {
    /// 26 lower-case characters, sortable by time (a ULID).
    pub id: String,
    /// When, by the clock of the poster.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Person,
    /// What.
    pub command: Command,
}

impl Posted {
    /// A command with a new id, fit for the inbox.
    pub fn new(
        command: Command,
        by: Person,
        at: DateTime<Utc>,
        random: &mut fastrand::Rng,
    ) -> Self {
        Self { id: mint_ulid(at, random), at, by, command: command.cleaned() }
    }

    /// Its stored form.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a command has string keys only")
    }

    /// Reads its stored form. Whoever wrote it may have had another drctl, or none: what people wrote is
    /// made fit for journals again.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence fragment.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let posted: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is no command of this version of drctl: {error}"))?;
        if RunId::parse(&posted.id).is_none_or(|id| id.as_str() != posted.id) {
            return Err("its id is not 26 lower-case characters of a ULID".to_owned());
        }
        let by = Person {
            operator: remark(&posted.by.operator).unwrap_or_else(|| "unknown".to_owned()),
            identity: posted.by.identity.as_deref().and_then(remark),
        };
        Ok(Self { by, command: posted.command.cleaned(), ..posted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::base::seed::Seed;
    use crate::journal::testing::every_command;

    fn post(command: Command) -> Posted {
        let mut random = Seed::new(1).stream("inbox");
        Posted::new(command, Person::declared("ann"), simulated_epoch(), &mut random)
    }

    #[test]
    fn commands_read_back_and_say_what_they_do() {
        for command in every_command("a") {
            let posted = post(command.clone());
            let json: serde_json::Value = serde_json::from_str(&posted.to_json()).unwrap();
            assert_eq!(json["command"]["do"], command.verb());
            assert_eq!(json["command"].get("step").is_some(), command.step().is_some());
            assert_eq!(Posted::from_json(posted.to_json().as_bytes()), Ok(posted));
        }
    }

    #[test]
    fn what_is_no_command_is_told() {
        let good = post(Command::Continue).to_json();
        let pause = post(Command::Pause { reason: None }).to_json();
        for (wrong, why) in [
            (good.replace("continue", "explode"), "unknown variant `explode`"),
            (pause.replace("\"do\"", "\"force\":true,\"do\""), "unknown field `force`"),
            (good.replace("\"id\":\"0", "\"id\":\"../"), "its id is not"),
            (good.replace("\"operator\"", "\"name\""), "unknown field `name`"),
            ("[]".to_owned(), "no command of this version"),
            (String::new(), "no command of this version"),
        ] {
            let found = Posted::from_json(wrong.as_bytes()).unwrap_err();
            assert!(found.contains(why), "{wrong}: {found}");
        }
    }

    #[test]
    fn what_people_write_is_made_fit_for_journals() {
        let text = "line\nbreak \u{1b}[31m password=hunter2 ";
        let pause = Command::Pause { reason: Some(text.to_owned()) };
        let Command::Pause { reason: Some(reason) } = post(pause).command else {
            panic!("a pause")
        };
        assert!(reason.starts_with("line break [31m") && !reason.contains("hunter2"), "{reason}");
        let empty = Command::Abort { reason: Some(" \u{7}".to_owned()), undo: false };
        assert_eq!(post(empty).command, Command::Abort { reason: None, undo: false });
        let long = Command::Skip { step: StepKey::new("a"), reason: "x".repeat(5_000) };
        let Command::Skip { reason, .. } = post(long).command else { panic!("a skip") };
        assert_eq!(reason.chars().count(), LONGEST_REMARK + 1, "cut, with a mark");
        let mut forged = post(Command::Continue);
        forged.by = Person { operator: "\u{1b}c".to_owned(), identity: Some("\u{7}".to_owned()) };
        let read = Posted::from_json(forged.to_json().as_bytes()).unwrap();
        assert_eq!(read.by, Person::declared("c"));
    }

    #[test]
    fn ids_sort_by_time_and_people_are_told_apart_by_identity() {
        let mut random = Seed::new(1).stream("inbox");
        let mut at = |millis| {
            let at = simulated_epoch() + chrono::TimeDelta::milliseconds(millis);
            Posted::new(Command::Continue, Person::declared("ann"), at, &mut random).id
        };
        assert!(at(0) < at(1));
        let proven = |name: &str, arn: &str| Person {
            operator: name.to_owned(),
            identity: Some(arn.to_owned()),
        };
        assert!(proven("ann", "arn:x").is(&proven("root", "arn:x")));
        assert!(!proven("ann", "arn:x").is(&proven("ann", "arn:y")));
        assert!(!proven("ann", "arn:x").is(&Person::declared("ann")));
        assert_eq!(proven("ann", "arn:x").to_string(), "ann (arn:x)");
    }
}
