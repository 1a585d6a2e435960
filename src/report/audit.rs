//! What an auditor asks for beside the measurements: parts of the verdict, people, origins.
//!
//! **Invariant:** like the rest of the model these types are the file format: fields are added, never
//! changed.

use crate::plan::model::{Plan, Source};
use crate::report::measure::human_ms;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// One of the three verdicts of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `restore`, `validation`, `clean_up`.
    pub name: String,
    /// What became of it.
    pub status: PartStatus,
    /// Steps that belong to it.
    pub steps: u64,
    /// Why that is, in words.
    pub why: String,
}

/// A part's name for people.
pub fn part_name(name: &str) -> &str {
    match name {
        "restore" => "Restore",
        "validation" => "Validation",
        "clean_up" => "Clean-up",
        other => other,
    }
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartStatus {
    /// All its steps reached their goals, but those left out by their own condition.
    Succeeded,
    /// One of its steps failed.
    Failed,
    /// It was done and taken back.
    Undone,
    /// Steps of it did not run.
    Skipped,
    /// The run ended or stands before it was through.
    NotReached,
    /// The runbook has no such step.
    NotPlanned,
}

impl PartStatus {
    /// As reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "FAILED",
            Self::Undone => "undone",
            Self::Skipped => "skipped",
            Self::NotReached => "not reached",
            Self::NotPlanned => "not planned",
        }
    }
}

/// Something that a person did or decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Approval {
    /// When; `None` when nobody has decided yet and somebody still can.
    pub at: Option<DateTime<Utc>>,
    /// Who; `None` when nobody has decided.
    pub who: Option<String>,
    /// The step, if it is about one.
    pub step: Option<String>,
    /// What was asked, or what was done unasked.
    pub what: String,
    /// The decision, one of the choices; `None` when nothing was asked, or nobody has decided yet.
    pub answer: Option<String>,
    /// What was at stake as they saw it, a line each; only of approvals of what cannot be taken back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<String>,
    /// What the person added, if anything.
    #[serde(default)]
    pub comment: Option<String>,
    /// How the answer came: at the terminal, by `--yes`, by `resume --answer`.
    #[serde(default)]
    pub way: Option<String>,
    /// When it was asked, if it was.
    #[serde(default)]
    pub asked_at: Option<DateTime<Utc>>,
    /// From asking to the answer, or to the end of the question's time.
    #[serde(default)]
    pub waited_ms: Option<u64>,
    /// Who should decide: names for people to read.
    #[serde(default)]
    pub approvers: Vec<String>,
    /// The answers that it takes.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Until when a gate can be answered.
    #[serde(default)]
    pub deadline: Option<DateTime<Utc>>,
}

/// The answer of a question that was closed before anybody answered.
pub const NOT_NEEDED: &str = "not needed any more";
/// The answer of a question that nobody answered in time.
pub const NO_ANSWER: &str = "no answer in time";

impl Approval {
    /// Who decided, for people.
    pub fn who_text(&self) -> &str {
        match (&self.who, self.at) {
            (Some(who), _) => who,
            (None, Some(_)) => "nobody",
            (None, None) => "nobody yet",
        }
    }

    /// The decision with how it came and how long it was waited for, for people.
    pub fn decision_text(&self) -> String {
        let mut text = self.answer.clone().unwrap_or_default();
        if let Some(way) = &self.way {
            text.push_str(&format!(" {way}"));
        }
        if let Some(waited) = self.waited_ms {
            text.push_str(&format!(", after {}", human_ms(waited)));
        }
        text
    }
}

/// What the dry run called, and which walls stood between it and a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRow {
    /// Calls by operation and region: how many were made.
    pub calls: BTreeMap<String, u32>,
    /// Calls that the guard refused.
    pub refused: Vec<String>,
    /// Walls that stood, each a sentence.
    pub walls: Vec<String>,
}

/// A file that the plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRow {
    /// `runbook` or `estate`.
    pub what: String,
    /// Its name.
    pub file: String,
    /// Digest of its bytes.
    pub digest: String,
}

/// The dry run's certificate, if the plan holds one.
pub fn certificate(plan: &Plan) -> Option<CertificateRow> {
    let found = &plan.certificate;
    let empty = found.calls.is_empty() && found.refused.is_empty() && found.walls.is_empty();
    (!empty).then(|| CertificateRow {
        calls: found.calls.clone(),
        refused: found.refused.clone(),
        walls: found.walls.clone(),
    })
}

/// Something that the run made and that is still there, or may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftBehind {
    /// The step that made it.
    pub step: String,
    /// Its name.
    pub what: String,
    /// Why it is there.
    pub why: String,
    /// `host:port` where it answers, when it is something that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// Parameters as text.
pub fn parameters(plan: &Plan) -> BTreeMap<String, String> {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    plan.parameters.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The files that the plan was made from.
pub fn sources(plan: &Plan) -> Vec<SourceRow> {
    let row = |what: &str, source: &Source| SourceRow {
        what: what.to_owned(),
        file: source.file.clone(),
        digest: source.digest.clone(),
    };
    let called = plan.called.values().map(|source| row("called runbook", source));
    let own = [row("runbook", &plan.runbook), row("estate", &plan.estate)];
    own.into_iter().chain(called).collect()
}
