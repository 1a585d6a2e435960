//! A report as other programs read it. Instants are UTC, durations milliseconds.
//!
//! **Invariant:** these types are the file format: fields are added, never changed; nothing here is
//! shared with the journal.

use crate::report::audit::{Approval, CertificateRow, LeftBehind, Part, SourceRow};
use crate::report::copies::CopyTimes;
use crate::report::damage::DamageRow;
pub use crate::report::verdict::{Verdict, VerdictState};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the report format.
pub const REPORT_VERSION: u32 = 1;

/// A whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_VERSION`].
    pub schema_version: u32,
    /// What it comes to.
    pub verdict: Verdict,
    /// Restore, validation and clean-up, each judged by itself.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Which run.
    pub run: RunFacts,
    /// What is wrong with the journal that this was made from; `None` when it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<DamageRow>,
    /// What was promised, and what was measured.
    pub objectives: Vec<Objective>,
    /// Where the time went.
    pub waterfall: Waterfall,
    /// Loading of the restored storage, apart from `available`.
    pub hydration: Option<Hydration>,
    /// What was lost.
    pub recovery_point: RecoveryPoint,
    /// How long copies between buckets took, as canaries measured it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyTimes>,
    /// What deserves attention, worst first.
    pub findings: Vec<Finding>,
    /// Every step of the plan, in its order.
    pub steps: Vec<StepRow>,
    /// What verdicts rest on.
    pub evidence: Vec<EvidenceRow>,
    /// What people did and decided, in order.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// What the dry run called; `None` when none is recorded.
    #[serde(default)]
    pub certificate: Option<CertificateRow>,
    /// Parameters, secrets hidden.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The files that the plan was made from.
    #[serde(default)]
    pub sources: Vec<SourceRow>,
    /// How well the prediction held; `None` when it was not scored.
    pub prediction: Option<PredictionRow>,
    /// How to reach what was kept.
    pub hand_over: Option<HandOver>,
    /// The same of what further restoring steps made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_hand_overs: Vec<HandOver>,
    /// What is still there.
    pub left_behind: Vec<LeftBehind>,
    /// Every event.
    pub timeline: Vec<TimelineRow>,
}

/// Which run, where, by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFacts {
    /// The run's id.
    pub run: String,
    /// The runbook's title.
    pub title: String,
    /// The drill's name, if it is one.
    pub drill: Option<String>,
    /// Name of the environment.
    pub environment: String,
    /// Account id.
    pub account: String,
    /// Default region.
    pub region: String,
    /// Who answered.
    pub server: String,
    /// Faults that were switched on in the simulator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Whether the simulator answered: then no figure says anything about AWS.
    pub simulated: bool,
    /// Whether a stand-in for AWS answered: then no time says anything about AWS.
    pub emulated: bool,
    /// What stands above the report for either of the two.
    pub banner: Option<String>,
    /// In which form it ran, and who switched that; empty for what was graceful all the time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub form: String,
    /// Who started and resumed it.
    pub operators: Vec<String>,
    /// How many processes worked on it.
    pub attempts: u32,
    /// Version of drctl that started it.
    pub tool: String,
    /// Digest of the plan.
    pub plan_digest: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// The last event.
    pub last_at: DateTime<Utc>,
    /// Events in the journal when the report was made.
    pub journal_count: u64,
    /// Digest of the journal then: `drctl journal verify --expect` compares it.
    pub journal_digest: String,
}

/// A promise and its measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// `recovery_time` or `recovery_point`.
    pub name: String,
    /// What was promised.
    pub promised_ms: Option<u64>,
    /// What was measured.
    pub measured_ms: Option<u64>,
    /// How they compare.
    pub status: ObjectiveStatus,
    /// Why that is.
    pub why: String,
}

/// How a promise and its measurement compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveStatus {
    /// Kept.
    Met,
    /// Not kept.
    Missed,
    /// Promised, and not measured.
    Unknown,
    /// Nothing was promised.
    NotPromised,
}

/// Where the time went. The phases add up to the total exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waterfall {
    /// Where counting begins.
    pub from: DateTime<Utc>,
    /// What that is: `disaster_at`, `detected_at`, `declared_at`, `run_start`.
    pub from_what: String,
    /// Where it ends.
    pub to: DateTime<Utc>,
    /// Whether that is recovery or just the last event so far.
    pub to_what: WaterfallEnd,
    /// From beginning to end.
    pub total_ms: u64,
    /// Phases in order, those without time left out. `tool` is drctl itself: nothing ran.
    pub phases: Vec<PhaseRow>,
    /// Clean-up, not counted above.
    pub cleanup_ms: u64,
    /// What has to be known to read it.
    pub notes: Vec<String>,
}

/// What a waterfall ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaterfallEnd {
    /// The service counts as recovered.
    Recovered,
    /// It does not; this is the last event.
    LastEvent,
    /// The runbook names no step that means recovered, as one that only backs up; this is the last
    /// event.
    NothingToRecover,
}

/// A phase of a waterfall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRow {
    /// `detect`, `decide`, `wait`, `provision`, `replay`, `verify`, `warm`, `dns`, `tool`.
    pub phase: String,
    /// Its time.
    pub ms: u64,
}

/// Loading of restored storage. Times count from the beginning of the restoring step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hydration {
    /// The step.
    pub step: String,
    /// Until AWS said `available`.
    pub available_ms: Option<u64>,
    /// Until the storage was loaded.
    pub hydrated_ms: Option<u64>,
    /// In words.
    pub note: String,
}

/// How much data was lost, as time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecoveryPoint {
    /// The instant that loss is counted from.
    pub target_at: DateTime<Utc>,
    /// What that is: `disaster_at`, `restore_time`, `run_start`; where a replica was promoted, what ended
    /// writing to the old writer: `fence`, `attestation`, `promotion`; where a step measured the loss itself,
    /// `measurement`.
    pub target: String,
    /// The step of the fence, attestation or promotion that it is counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_step: Option<String>,
    /// The instant that was restored to.
    pub restore_time: Option<DateTime<Utc>>,
    /// What the restore claims to have lost.
    pub claimed_ms: Option<u64>,
    /// The newest heartbeat that was read back.
    pub newest_at: Option<DateTime<Utc>>,
    /// What was lost as proven by it; `None` is unknown.
    pub proven_ms: Option<u64>,
    /// In words.
    pub note: String,
    /// That of each database where there are several; all else is the worst of them then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<PointRow>,
}

impl RecoveryPoint {
    /// What it is counted from, for people: `run_start`, `the fence fence_database`.
    pub fn from_what(&self) -> String {
        match &self.target_step {
            Some(step) => format!("the {} {step}", self.target),
            None => self.target.clone(),
        }
    }
}

/// How much data one of several databases lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointRow {
    /// The step that reads its heartbeat; without one, the step that restores it.
    pub step: String,
    /// What was lost.
    pub point: RecoveryPoint,
}

/// Something that deserves attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What.
    pub text: String,
    /// The step, if it is about one.
    pub step: Option<String>,
}

/// How bad a finding is, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something is broken or costs money now.
    Problem,
    /// A promise is not kept or not proven.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// As reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A step and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRow {
    /// Its key.
    pub step: String,
    /// Its title.
    pub title: String,
    /// The action.
    pub uses: String,
    /// The account that it acted in, where that is not the environment's own: `data (210987654321)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its phase.
    pub phase: String,
    /// `succeeded`, `warned`, `failed`, `skipped`, `undone`, `undo failed`, `running`, `pending`, …
    pub outcome: String,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// From its beginning to its end.
    pub duration_ms: Option<u64>,
    /// Whether it found its goal reached.
    pub adopted: bool,
    /// Looks that failed.
    pub retries: u32,
    /// Mutations of which it was not known whether they took effect.
    pub in_doubt: u32,
    /// Why it failed or did not run.
    pub why: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Kind of the failure: `check_failed`, `check_error`, `timed_out`, …
    #[serde(default)]
    pub error_kind: Option<String>,
    /// Points worth measuring that it reached: `available`, `hydrated`.
    #[serde(default)]
    pub milestones: BTreeMap<String, DateTime<Utc>>,
    /// When its undo began and ended, if it was undone.
    #[serde(default)]
    pub undo: Option<(DateTime<Utc>, Option<DateTime<Utc>>)>,
}

/// A fact that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceRow {
    /// The step that saw it.
    pub step: String,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it was read.
    pub source: String,
    /// The event that recorded it; 0 when it is not known.
    #[serde(default)]
    pub seq: u64,
    /// The journal's digest at that event: `drctl journal verify --expect` accepts it.
    #[serde(default)]
    pub digest: String,
}

/// How well a prediction held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictionRow {
    /// Predictions that held.
    pub held: u32,
    /// Predictions that could be compared.
    pub total: u32,
    /// The others, in words.
    pub wrong: Vec<String>,
}

/// How to reach what was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// The instance.
    pub instance: Option<String>,
    /// Where it answers.
    pub endpoint_host: Option<String>,
    /// Its port.
    pub endpoint_port: Option<u64>,
    /// When it may be removed.
    pub expires_at: Option<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// Its position in the journal.
    pub seq: u64,
    /// When; `None` when the event is not understood.
    pub at: Option<DateTime<Utc>>,
    /// The step, if it is about one.
    pub step: Option<String>,
    /// What happened.
    pub text: String,
}
