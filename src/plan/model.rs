//! A plan: everything a run needs, resolved, immutable, named by its digest.
//!
//! **Invariant:** running obeys the plan; nothing is looked up in files after planning.

use crate::base::few::Few;
use crate::base::ids::{RunId, StepKey};
pub use crate::runbook::{OnFailure, Phase};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Version of the plan format.
pub const PLAN_VERSION: u32 = 1;

/// A resolved plan. Its digest is over its JSON as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub schema_version: u32,
    /// The run that this plan is for, and the only one.
    pub run: RunId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops being runnable.
    pub expires_at: DateTime<Utc>,
    /// The runbook's title.
    pub title: String,
    /// Drill or run.
    pub mode: RunMode,
    /// The runbook file.
    pub runbook: Source,
    /// The estate file.
    pub estate: Source,
    /// Name of the estate.
    pub estate_name: String,
    /// Where it runs.
    pub environment: EnvironmentRecord,
    /// Parameters by name, secrets hidden.
    pub parameters: BTreeMap<String, Json>,
    /// What was promised, milliseconds.
    pub objectives: ObjectivesRecord,
    /// When the disaster happened, if it was said.
    pub disaster_at: Option<DateTime<Utc>>,
    /// When somebody declared it, if it was said.
    pub declared_at: Option<DateTime<Utc>>,
    /// Which steps measurements are taken from.
    pub measure: Measure,
    /// The steps in an order in which they can run.
    pub steps: Vec<PlannedStep>,
    /// Facts the plan rests on, by stable name; a run of this plan is refused when one has moved.
    pub facts: BTreeMap<String, String>,
    /// What is predicted for the whole run.
    pub prediction: Prediction,
    /// Every call that planning made, and which walls stood.
    pub certificate: Certificate,
}

/// Drill or run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunMode {
    /// A drill: cleans up what it created.
    Drill {
        /// Name of the drill.
        name: String,
        /// Whether what was created is kept (`--keep`).
        keep: bool,
    },
    /// A run of a runbook: keeps what it created.
    Run,
}

impl RunMode {
    /// Whether what was created stays after the run.
    pub fn keeps(&self) -> bool {
        match self {
            Self::Drill { keep, .. } => *keep,
            Self::Run => true,
        }
    }

    /// Whether no sweep ever removes what was created: a run makes it to be used, a drill only to look at.
    pub fn hands_over(&self) -> bool {
        matches!(self, Self::Run)
    }
}

/// A file that a plan embeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub file: String,
    /// Its whole text.
    pub text: String,
    /// Digest of the text's bytes.
    pub digest: String,
}

/// Where a run takes place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentRecord {
    /// Name in the estate.
    pub name: String,
    /// Account id, checked.
    pub account: String,
    /// Default region.
    pub region: String,
    /// Whether the simulator answers: figures are never mixed with real ones.
    pub simulated: bool,
    /// Whether AWS-compatible servers answer that are not AWS: their times say nothing about AWS.
    pub emulated: bool,
    /// Whether it is protected.
    pub protected: bool,
    /// Who answers: `drctl simulator (seed 1)`, `moto …`, `AWS`.
    pub server: String,
    /// Faults that are switched on in the simulator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

impl EnvironmentRecord {
    /// What stands above everything that was not measured on AWS; `None` for AWS itself.
    pub fn banner(&self) -> Option<&'static str> {
        match (self.simulated, self.emulated) {
            (true, _) => Some(
                "SIMULATED: drctl's simulator answered; no figure here says anything about AWS.",
            ),
            (false, true) => {
                Some("EMULATED: not AWS, but a stand-in answered; its times say nothing about AWS.")
            }
            (false, false) => None,
        }
    }
}

/// What was promised, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObjectivesRecord {
    /// Longest recovery time.
    pub recovery_time_ms: Option<u64>,
    /// Most data lost, as time.
    pub recovery_point_ms: Option<u64>,
}

/// Which steps measurements are taken from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Measure {
    /// The service counts as recovered when the last of these steps succeeded.
    #[serde(default)]
    pub recovered: Few<StepKey>,
    /// Their outputs `newest_at` (instant or null) prove the recovery point; the worst counts.
    #[serde(default)]
    pub recovery_point: Few<StepKey>,
    /// Their inputs or outputs `restore_time` are the instants that were restored to.
    #[serde(default)]
    pub restored: Few<StepKey>,
}

/// How often a failing step is tried, and how far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Most tries, from 1.
    pub attempts: u32,
    /// First delay, milliseconds; doubles each time up to a minute.
    pub backoff_ms: u64,
}

/// A step, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its key.
    pub key: StepKey,
    /// Title for people.
    pub title: String,
    /// The action.
    pub uses: String,
    /// Inputs as written, with `${{ }}`; `each` stands for the item of an expanded step.
    pub with: Json,
    /// The item of an expanded step.
    pub each: Option<Json>,
    /// Steps that must have succeeded.
    pub needs: Vec<StepKey>,
    /// Condition, bare expression.
    pub when: Option<String>,
    /// Region it acts in.
    pub region: String,
    /// Where its time goes.
    pub phase: Phase,
    /// Time-out, milliseconds.
    pub timeout_ms: u64,
    /// Time between observations, milliseconds.
    pub poll_ms: u64,
    /// Retries.
    pub retry: Retry,
    /// What happens when it fails.
    pub on_failure: OnFailure,
    /// Runs whatever happened before (clean-up).
    pub always: bool,
    /// May be repeated when in doubt and nothing can be observed.
    pub idempotent: bool,
    /// Cannot be taken back.
    pub irreversible: bool,
    /// Whether it only reads.
    pub check: bool,
    /// How it is known what became of it.
    #[serde(default, skip_serializing_if = "Trace::is_seen")]
    pub trace: Trace,
    /// What it waits for, if it is a gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateKind>,
    /// The action that undoes it, if there is one.
    pub undo: Option<String>,
    /// AWS operations it declared.
    pub calls: Vec<String>,
    /// What planning predicts for it.
    pub preview: StepPreview,
}

/// How it is known what became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trace {
    /// Looking tells.
    #[default]
    Seen,
    /// Only its answer tells; without one a person has to.
    Answered,
    /// Only its answer tells, and whatever that is, it fails nothing.
    BestEffort,
}

impl Trace {
    fn is_seen(&self) -> bool {
        *self == Self::Seen
    }
}

/// What a gate waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// A person's decision.
    Person,
    /// An instant.
    Time,
}

/// Three answers of a dry run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It will do this.
    Will,
    /// It will not run, or would fail, and why.
    Wont {
        /// Why.
        why: String,
        /// On purpose or not.
        because: WontReason,
    },
    /// It cannot be known before the run, and why.
    CannotKnow {
        /// Why.
        why: String,
    },
}

/// Why a step will not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WontReason {
    /// Its condition is false: nothing is wrong.
    Condition,
    /// It would fail.
    Failure,
    /// A step that it needs will not succeed.
    Upstream,
}

/// What planning predicts for a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepPreview {
    /// The answer.
    pub answer: Answer,
    /// What it does, one sentence with exact names.
    pub summary: String,
    /// Settings and other details, one a line.
    pub details: Vec<String>,
    /// What deserves attention before running.
    pub warnings: Vec<String>,
    /// Predicted values, compared after the run with what was observed under the same names.
    pub predictions: BTreeMap<String, Json>,
    /// Predicted outputs.
    pub outputs: BTreeMap<String, Json>,
    /// How long it takes.
    pub estimate: Estimate,
}

/// How long something takes, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "known", rename_all = "snake_case")]
pub enum Estimate {
    /// From earlier runs of the same kind (simulated or real, never mixed).
    History {
        /// Median, milliseconds.
        median_ms: u64,
        /// Longest, milliseconds.
        longest_ms: u64,
        /// How many runs.
        runs: u32,
    },
    /// A range that AWS or its users state.
    Cited {
        /// Lower end, milliseconds.
        low_ms: u64,
        /// Upper end, milliseconds.
        high_ms: u64,
        /// Who says so.
        source: String,
    },
    /// Not known.
    Unknown {
        /// Why.
        why: String,
    },
}

/// What is predicted for the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Steps of the longest chain.
    pub critical_path: Vec<StepKey>,
    /// Time to recovered, without what people take to decide.
    pub recovery_time: Estimate,
    /// Steps on the way to recovered that wait for a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for_people: Vec<StepKey>,
    /// Newest data expected after the restore, if it can be said.
    pub recovery_point: RecoveryPointPrediction,
}

/// The recovery point that is predicted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryPointPrediction {
    /// The instant that data loss is counted from.
    pub target_at: Option<DateTime<Utc>>,
    /// What `target_at` is: `disaster_at`, `restore_time`, `run_start`.
    pub target: String,
    /// The instant that will be restored to.
    pub restore_time: Option<DateTime<Utc>>,
    /// `target_at − restore_time`, milliseconds.
    pub loss_ms: Option<u64>,
    /// That of each restoring step where there are several; the rest is the worst of them then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<RestorePrediction>,
}

/// The recovery point that is predicted for one of several restoring steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestorePrediction {
    /// The step.
    pub step: StepKey,
    /// What it loses.
    pub point: RecoveryPointPrediction,
}

/// Every call of a planning session, and which walls stood.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Certificate {
    /// Calls by operation and region, and reads beside AWS by what was asked: how many were made.
    pub calls: BTreeMap<String, u32>,
    /// Calls that the guard refused, and what the effects gate refused.
    pub refused: Vec<String>,
    /// Walls that stood, each a sentence.
    pub walls: Vec<String>,
}
