//! How a run stands, for actions that tell somebody about it.
//!
//! **Invariant:** what has not ended yet is not told as done; simulated says simulated.

use crate::action::context::StepScope;
use crate::base::clock::{between, format_instant};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// How far things are well, so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Condition {
    /// Nothing failed so far.
    #[default]
    Ok,
    /// Nothing failed so far, and something deserves attention.
    Warned,
    /// A step failed.
    Failed,
}

impl Condition {
    /// The words, in the order of their weight: `run.status` of expressions.
    pub const WORDS: &'static [&'static str] = &["ok", "warned", "failed"];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => Self::WORDS[0],
            Self::Warned => Self::WORDS[1],
            Self::Failed => Self::WORDS[2],
        }
    }
}

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The runbook's title.
    pub title: String,
    /// The drill's name; `None` for a run.
    pub drill: Option<String>,
    /// So far.
    pub condition: Condition,
    /// Steps that failed, and why.
    pub failed: Vec<(String, String)>,
    /// The promised recovery time.
    pub recovery_time: Option<Duration>,
    /// The instant that recovery time counts from.
    pub since: DateTime<Utc>,
}

impl Standing {
    /// What is told about the run, with `message`.
    pub(super) fn document(&self, scope: &StepScope<'_>, message: &str) -> Json {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let failed = self.failed.iter().map(|(step, why)| json!({ "step": step, "error": why }));
        json!({
            "schema_version": 1,
            "at": format_instant(scope.now),
            "run": scope.run.as_str(),
            "step": scope.step.as_str(),
            "title": self.title,
            "drill": self.drill,
            "estate": scope.estate.name,
            "environment": scope.environment.name,
            "simulated": scope.environment.is_simulated(),
            "status": self.condition.word(),
            "failed": failed.collect::<Vec<_>>(),
            "objective": {
                "recovery_time_ms": self.recovery_time.map(millis),
                "passed_ms": millis(between(self.since, scope.now)),
            },
            "message": message,
            "link": scope.text("link"),
        })
    }
}
