//! What a rehearsal found: the format of `drctl rehearse --output json`.
//!
//! **Invariant:** nothing in it depends on how long the rehearsal took or on which machine: the same seed
//! gives the same bytes.

use serde::Serialize;
use std::collections::BTreeMap;

/// Version of the format.
pub const REHEARSAL_VERSION: u32 = 1;

/// Everything that a rehearsal found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// [`REHEARSAL_VERSION`].
    pub schema_version: u32,
    /// What was rehearsed.
    pub subject: Subject,
    /// Each scenario, in the order in which they were played.
    pub scenarios: Vec<ScenarioRow>,
    /// Each part of the runbook, and whether some scenario exercised it.
    pub coverage: Vec<CoverageRow>,
    /// Each guard of the runbook and who notices its removal; only with `--mutate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guards: Option<Vec<GuardRow>>,
    /// What storms met; only with `--storm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storms: Option<StormRow>,
    /// Instants of all runs at which it was looked whether there are two writers, and where names lead; none
    /// where the estate has neither zones nor services that write.
    #[serde(skip_serializing_if = "is_zero")]
    pub looked_at: u64,
    /// What is not as it must be.
    pub violations: Vec<Violation>,
}

/// Whether there is nothing to tell.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Rehearsal {
    /// Guards whose removal nothing notices.
    pub fn untested(&self) -> impl Iterator<Item = &GuardRow> {
        self.guards.iter().flatten().filter(|guard| guard.verdict == GuardVerdict::Untested)
    }

    /// Whether everything is as it must be.
    pub fn passed(&self) -> bool {
        self.violations.is_empty() && self.untested().next().is_none()
    }
}

/// What was rehearsed, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Name of the drill or runbook as it was asked for.
    pub name: String,
    /// Title of the runbook.
    pub title: String,
    /// File of the runbook.
    pub file: String,
    /// The estate.
    pub estate: String,
    /// Its simulated environment.
    pub environment: String,
    /// Seed of the worlds and of every draw.
    pub seed: u64,
}

/// How one scenario went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScenarioRow {
    /// Its name: `drill+restore-failed`.
    pub scenario: String,
    /// How its run ended.
    pub outcome: String,
    /// Why the run stopped on the way until somebody mended it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stops: Vec<String>,
    /// Whether its faults changed nothing that can be told from the run without them.
    pub as_without_faults: bool,
    /// What killing it everywhere did; only with `--crash-everywhere`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashes: Option<CrashRow>,
    /// What people agreed to, and came about: two writers at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agreed: Vec<String>,
    /// How many violations it has.
    pub violations: usize,
}

/// What killing one scenario everywhere did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
pub struct CrashRow {
    /// Instants before and after each append and each call.
    pub instants: u64,
    /// Points at which it was killed and taken up; all instants that they do not name differ from one of
    /// them in time alone.
    pub points: usize,
    /// `instants` less `points`.
    pub folded: u64,
    /// Different journals among the points.
    pub journals: usize,
    /// Resumes that were killed and taken up as well: a sample by the seed.
    pub second: usize,
}

/// What a number of storms met together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct StormRow {
    /// How many there were.
    pub storms: u64,
    /// How often each thing happened: `lease lost`.
    pub met: BTreeMap<String, u64>,
}

/// A part of the runbook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoverageRow {
    /// The step.
    pub step: String,
    /// Which part: `when is false`.
    pub branch: String,
    /// Where it stands: `runbooks/x.yaml:12`.
    pub place: String,
    /// The first scenario that exercised it; `None`: never exercised.
    pub scenario: Option<String>,
}

/// A guard of the runbook, removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GuardRow {
    /// The step.
    pub step: String,
    /// What was removed: `always`, `needs: verify`, `the check`.
    pub guard: String,
    /// Where it stands.
    pub place: String,
    /// Whether something notices.
    pub verdict: GuardVerdict,
    /// Who notices: a scenario, or why it cannot be removed.
    pub by: String,
}

/// Whether something notices that a guard is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardVerdict {
    /// A scenario ends differently.
    Noticed,
    /// The file is not valid without it, or cannot be planned.
    Held,
    /// Nothing notices.
    Untested,
}

/// Something that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The scenario.
    pub scenario: String,
    /// The point at which it was killed: `drill@17`; none for a run that nobody killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// What the point is: `after rds:DeleteDBInstance with 14 records`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Name of the property: `clean_up`.
    pub property: String,
    /// What was found.
    pub message: String,
    /// The command that shows it again, and nothing else.
    pub replay: String,
}
