//! A plan: everything a run needs, resolved, immutable, named by its digest.
//!
//! **Invariant:** running obeys the plan; nothing is looked up in files after planning.

pub use super::call::PlannedCall;
use super::detection::Detection;
use super::notify::NotifyRecord;
pub use super::preview::{
    Answer, Estimate, KnownTime, LossPrediction, OtherForm, Prediction, RecoveryPointPrediction,
    RestorePrediction, StepPreview, WontReason,
};
pub use crate::action::spec::Role;
use crate::base::few::Few;
use crate::base::form::Form;
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
    /// The form in which the run begins; a person may switch it.
    #[serde(default, skip_serializing_if = "Form::is_graceful")]
    pub form: Form,
    /// The runbook file.
    pub runbook: Source,
    /// The runbooks that it calls, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub called: BTreeMap<String, Source>,
    /// Its calls, by the key of the step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, PlannedCall>,
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
    /// How it was noticed, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<Detection>,
    /// Whom it tells how it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<NotifyRecord>,
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
    /// Their outputs `newest_at` (instant or null) or `recovery_point` (duration or null) prove the recovery
    /// point; the worst counts.
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
    /// For a call: the steps of the called runbook, with which it ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<StepKey>,
    /// Condition, bare expression.
    pub when: Option<String>,
    /// Region it acts in.
    pub region: String,
    /// The account that it acts in, where that is not the environment's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<StepAccount>,
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
    /// What it is in moving a service.
    #[serde(default, skip_serializing_if = "Role::is_none")]
    pub role: Role,
    /// For a gate: the steps behind it that cannot be taken back, of which it shows what is at stake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<StepKey>,
    /// For a gate: whether an approval attests that the old writer cannot write any more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub attests: bool,
    /// Whether its condition depends on the form of the run: one that is left out stops nobody.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_form: bool,
    /// How long its undo takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_takes: Option<Estimate>,
    /// What planning predicts for it.
    pub preview: StepPreview,
}

/// A further account of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepAccount {
    /// Its name in the environment.
    pub name: String,
    /// Its id, checked.
    pub account: String,
}

impl StepAccount {
    /// `data (210987654321)`.
    pub fn shown(&self) -> String {
        format!("{} ({})", self.name, self.account)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
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
