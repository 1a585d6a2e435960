//! What a plan predicts: for each step, and for the whole run.
//!
//! **Invariant:** what is not known says so and why; nothing here is a promise.

use crate::base::form::Form;
use crate::base::ids::StepKey;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

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
    /// The same in the other form of the run, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_form: Option<OtherForm>,
}

/// What a step would do in the other form of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherForm {
    /// That form.
    pub form: Form,
    /// What it does, one sentence with exact names.
    pub summary: String,
    /// Why it would fail, if it would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wont: Option<String>,
    /// Settings and other details, one a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What deserves attention before running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
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
    /// What is known of that time where some step's is not; `None` where all are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_time: Option<KnownTime>,
    /// What each promotion of a replica loses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<LossPrediction>,
    /// Steps on the way to recovered that wait for a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for_people: Vec<StepKey>,
    /// Newest data expected after the restore, if it can be said.
    pub recovery_point: RecoveryPointPrediction,
}

/// The part of a recovery time that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownTime {
    /// Lower end of what the other steps take, milliseconds.
    pub low_ms: u64,
    /// Upper end of it, milliseconds.
    pub high_ms: u64,
    /// The steps of which nobody knows how long they take.
    pub unknown: Vec<StepKey>,
}

/// What a promotion of a replica loses, as its lag was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossPrediction {
    /// The promotion.
    pub step: StepKey,
    /// How far the replica was behind, milliseconds; `None` is unknown, and is never zero.
    pub lag_ms: Option<u64>,
    /// The same for people, with the instant at which it was measured, or why it is unknown.
    pub text: String,
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
