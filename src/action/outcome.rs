//! What actions answer.
//!
//! **Invariant:** a check that could not look is an error, never a verdict.

use crate::action::spec::ActionSpec;
use crate::base::redact::redact;
use crate::base::value::Values;
use crate::cloud::{CloudError, EffectError, ErrorClass, PredictedEffect};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::time::Duration;

/// How things are.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// The goal is not reached and nothing is under way: `act` may be called.
    Absent,
    /// Under way; look again later.
    InProgress {
        /// The state in words, such as `creating`.
        state: String,
        /// A point worth measuring that was reached, such as `available`.
        milestone: Option<&'static str>,
    },
    /// Part of the goal is reached, and looking tells exactly what is left, at once: `act` may be called for
    /// the next part. Bulk actions say this, also before the first part.
    Partly {
        /// How far it is, in words.
        state: String,
        /// How far it is, for a process that takes the step up: [`StepScope::progress`].
        ///
        /// [`StepScope::progress`]: crate::action::StepScope::progress
        progress: Json,
    },
    /// A person has to decide, unless one has: the engine asks and keeps the answer.
    Gate {
        /// What is decided.
        message: String,
        /// Who may decide; nobody named is anybody.
        approvers: Vec<String>,
        /// How many different people have to approve, from 1.
        approvals: u32,
        /// Whether it counts as rejected when nobody decides in time; else the step fails.
        rejects_on_timeout: bool,
    },
    /// Nothing is to be done before an instant.
    Waiting {
        /// The instant.
        until: DateTime<Utc>,
    },
    /// The goal is reached, or the check has its verdict.
    Done(Done),
    /// It never will be.
    Broken {
        /// Why, with exact names.
        why: String,
        /// What to do next.
        help: String,
    },
}

/// A goal that is reached.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// Outputs as declared.
    pub outputs: Values,
    /// For checks.
    pub verdict: Verdict,
    /// The state in words and the point reached, for the timeline.
    pub milestone: Option<&'static str>,
    /// What was seen, under the names that `preview` predicted.
    pub observed: BTreeMap<String, Json>,
    /// What the verdict rests on: name, value, where it was read.
    pub evidence: Vec<(String, String, String)>,
}

/// A check's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Verdict {
    /// It is as it should be.
    #[default]
    Pass,
    /// It will do, and these deserve attention.
    Warn(Vec<String>),
    /// It is not as it should be.
    Fail {
        /// What is wrong.
        why: String,
        /// What to do next.
        help: String,
    },
    /// It was looked at and cannot be said.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// A mutation that was accepted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Acted {
    /// AWS's request id.
    pub request_id: Option<String>,
    /// What came of it, for actions whose answer is all that is ever known: a command, a notice.
    pub done: Option<Done>,
}

/// A range that AWS or its users state: low, high, who says so.
pub type CitedDuration = (Duration, Duration, &'static str);

/// What `preview` predicts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// Why it would not run or would fail; `None` is WILL.
    pub wont: Option<String>,
    /// Why it cannot be known; takes second place after `wont`.
    pub cannot_know: Option<String>,
    /// What it does, one sentence with exact names.
    pub summary: String,
    /// Details, one a line.
    pub details: Vec<String>,
    /// What deserves attention before running.
    pub warnings: Vec<String>,
    /// Predicted values by stable name, compared after the run.
    pub predictions: BTreeMap<String, Json>,
    /// Predicted outputs, unknown ones as `Value::Unknown`.
    pub outputs: Values,
    /// Changes that later steps shall see.
    pub effects: Vec<PredictedEffect>,
    /// Facts that the plan rests on, by stable name.
    pub facts: BTreeMap<String, String>,
    /// A cited range for how long it takes: low, high, who says so.
    pub cited_duration: Option<CitedDuration>,
}

impl Preview {
    /// That of a step of which nothing can be known yet.
    pub fn unknown(spec: &ActionSpec, summary: String, why: &str) -> Self {
        let (cannot_know, outputs) = (Some(why.to_owned()), spec.unknown_outputs(why));
        Self { summary, cannot_know, outputs, ..Self::default() }
    }

    /// That of a step that would not get anywhere.
    pub fn hopeless(spec: &ActionSpec, summary: String, why: &str, help: &str) -> Self {
        let (wont, outputs) = (Some(format!("{why}; {help}")), spec.unknown_outputs(why));
        Self { summary, wont, outputs, ..Self::default() }
    }
}

/// A figure that a person should see before something is done for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Stable name: `replica_lag`.
    pub name: &'static str,
    /// The figure for people, with its unit and since when it is so; what is not known says why.
    pub text: String,
    /// The same as a length of time, where it is one; `None` is unknown and never zero.
    pub time: Option<Duration>,
    /// Whether it is known.
    pub known: bool,
}

impl Figure {
    /// A length of time that is known.
    pub fn of_time(name: &'static str, time: Duration, text: impl Into<String>) -> Self {
        Self { name, text: text.into(), time: Some(time), known: true }
    }

    /// Something known that is no length of time.
    pub fn known(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, text: text.into(), time: None, known: true }
    }

    /// A fence that was there and no longer is.
    pub fn fence_lost(why: impl Into<String>) -> Self {
        Self::known("fence_lost", why)
    }

    /// A fence that succeeded and that nobody could look at again.
    pub fn fence_unseen(why: impl AsRef<str>) -> Self {
        let why = why.as_ref();
        Self::unknown("fence_unseen", format!("unknown whether it still holds: {why}"))
    }

    /// What could not be read, and why.
    pub fn unknown(name: &'static str, why: impl AsRef<str>) -> Self {
        Self { name, text: redact(why.as_ref()), time: None, known: false }
    }
}

/// Why an action could not do its work.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// AWS answered with an error, or not at all.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The effects gate or what lies behind it: SQL, secrets.
    #[error(transparent)]
    Effect(#[from] EffectError),
    /// Refused for good, by a rule of AWS that was checked here or by one of ours.
    #[error("{why}")]
    Refused {
        /// What and why.
        why: String,
        /// What to do next.
        help: String,
    },
    /// An input is not usable.
    #[error("input `{name}`: {why}")]
    Input {
        /// The input.
        name: String,
        /// What is wrong.
        why: String,
    },
}

impl ActionError {
    /// A refusal with what to do next; both texts are redacted.
    pub fn refused(why: impl AsRef<str>, help: impl AsRef<str>) -> Self {
        Self::Refused { why: redact(why.as_ref()), help: redact(help.as_ref()) }
    }

    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Cloud(error) => error.class,
            Self::Effect(error) => error.class(),
            Self::Refused { .. } | Self::Input { .. } => ErrorClass::Permanent,
        }
    }
}
