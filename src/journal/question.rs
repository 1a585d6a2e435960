//! Questions to people: what is asked, and how answers come.
//!
//! **Invariant:** a question is about a failure or it is a gate; only a gate has an end.

use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::journal::command::Person;
use crate::journal::event::ErrorRecord;
use crate::journal::figure::FigureRecord;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The answer that opens a gate.
pub const APPROVE: &str = "approve";
/// The answer that ends a run at a gate.
pub const REJECT: &str = "reject";

/// The answer that takes as done what nobody can look at.
pub const DONE: &str = "done";
/// The answer that has it done again.
pub const REPEAT: &str = "repeat";
/// The answer that takes it as failed.
pub const FAILED: &str = "failed";

/// The answer that has a failed step tried again.
pub const RETRY: &str = "retry";
/// The answer that goes on without a failed step and without what needs it.
pub const CONTINUE: &str = "continue";
/// The answer that goes on as if a failed step need not have been: only what refers to it is skipped.
pub const SKIP: &str = "skip";
/// The answer that lets a failure stop the run.
pub const STOP: &str = "stop";
/// The answer that stops the run and has what was done undone.
pub const UNDO: &str = "undo";

/// A question that nobody has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub question: String,
    /// The answers it takes.
    pub choices: Vec<String>,
    /// The failure that it is about; `None` for a gate.
    pub error: Option<ErrorRecord>,
    /// What only a gate has.
    pub gate: Option<GateRecord>,
    /// What follows each choice, as far as it was known when it was asked.
    pub consequences: Vec<ChoiceRecord>,
    /// When it was asked.
    pub asked_at: DateTime<Utc>,
    /// The form of the run now.
    pub form: Form,
    /// What is at stake, as it was shown last.
    pub figures: Vec<FigureRecord>,
    /// When that was.
    pub figures_at: Option<DateTime<Utc>>,
}

/// What follows a choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChoiceRecord {
    /// The choice.
    pub choice: String,
    /// What follows, one sentence.
    pub text: String,
    /// Steps that will not run because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skips: Vec<StepKey>,
    /// Steps that are undone, in the order in which that begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undoes: Vec<StepKey>,
    /// Steps whose effect stays although the run ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<StepKey>,
}

/// An approval that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who gave it.
    pub by: Person,
    /// When.
    pub at: DateTime<Utc>,
    /// How it came.
    pub way: AnswerWay,
    /// What they added.
    pub comment: Option<String>,
    /// What they acknowledged.
    pub acknowledged: Option<String>,
}

/// What a gate says beside its question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRecord {
    /// Who may decide: ARNs or the names in them, and in the simulator declared names; empty is anybody.
    /// (Versions before 0.2 compared them with nothing.)
    pub approvers: Vec<String>,
    /// Nobody can answer from here on.
    pub deadline: DateTime<Utc>,
    /// What happens then.
    pub on_timeout: Consequence,
    /// How many different people have to approve.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub approvals: u32,
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

/// What happens when nobody answers a gate in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consequence {
    /// The step fails, and its `on_failure` holds.
    #[default]
    Fail,
    /// As if somebody had rejected it.
    Reject,
}

impl Consequence {
    /// For people, to follow "then".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Fail => "the step fails",
            Self::Reject => "it counts as rejected",
        }
    }
}

/// How an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerWay {
    /// Typed at the terminal.
    #[default]
    Terminal,
    /// `--yes` said it before it was asked.
    Yes,
    /// `drctl resume --answer`.
    Resume,
    /// A command from another terminal: `drctl approve`.
    Command,
}

impl AnswerWay {
    /// For people.
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Terminal => "at the terminal",
            Self::Yes => "by --yes",
            Self::Resume => "by resume --answer",
            Self::Command => "from another terminal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::event::Event;
    use crate::journal::testing::{gate_answered, gate_asked};

    /// Byte for byte what version 0.1 wrote, before there were gates and with them.
    const OLD: [&str; 5] = [
        r#"{"type":"question_asked","step":"a","question":"go on?","choices":["retry","stop"],"error":{"kind":"broken","message":"m","code":null,"help":null}}"#,
        r#"{"type":"question_answered","step":"a","answer":"retry","operator":"ann"}"#,
        r#"{"type":"question_asked","step":"a","question":"go?","choices":["approve","reject"],"gate":{"approvers":["bob"],"deadline":"2026-01-15T09:30:00Z","on_timeout":"fail"}}"#,
        r#"{"type":"question_answered","step":"a","answer":"approve","operator":"ann","way":"resume","comment":"agreed"}"#,
        r#"{"type":"step_skipped","step":"a","reason":{"why":"operator","operator":"ann"}}"#,
    ];

    #[test]
    fn questions_of_older_journals_read_and_write_the_same() {
        for old in OLD {
            let event: Event = serde_json::from_str(old).unwrap();
            assert_eq!(serde_json::to_string(&event).unwrap(), old);
        }
    }

    #[test]
    fn gates_read_back() {
        let gate = gate_asked("a", 60_000, Consequence::Reject);
        for event in [gate, gate_answered("a", APPROVE, Some("agreed"))] {
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
        }
        let wrong = r#"{"type":"question_asked","step":"a","question":"q","choices":[],"gate":{"approvers":[],"deadline":"soon","on_timeout":"fail"}}"#;
        assert!(serde_json::from_str::<Event>(wrong).is_err());
    }
}
