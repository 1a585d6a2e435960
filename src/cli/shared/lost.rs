//! A shared journal must not be in the region whose loss a runbook assumes.
//!
//! **Invariant:** refused before anything begins: a run that cannot write its journal cannot go on.

use crate::base::groups::listed;
use crate::base::ids::RunId;
use crate::base::value::Values;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::shared::{Journals, Shared, is_there};
use crate::cli::state::StateDir;
use crate::cli::undertake::{embedded, plan_parameters};
use crate::journal::StoredRecord;
use crate::journal::chain::known;
use crate::journal::fold::RunState;
use crate::plan::model::{Answer, Plan, PlannedStep};
use crate::runbook::Runbook;

/// Most steps in the lost region that are named; the others are counted.
const MOST_NAMES: usize = 12;

impl Journals {
    /// Opens the bucket, and checks that it is not in the region `lost`, which the runbook assumes lost.
    ///
    /// # Errors
    /// It is (exit code 2); it cannot be asked (exit codes 16 and 18).
    pub(in crate::cli) fn outlives(&self, lost: Option<&str>) -> Result<(), CommandError> {
        let (Some(shared), Some(lost)) = (self.shared()?, lost) else { return Ok(()) };
        shared.outlives(lost)
    }

    /// The same for a run that has begun, wherever its journal is: one that never was in the bucket is safe.
    ///
    /// # Errors
    /// See [`Self::outlives`].
    pub(in crate::cli) fn run_outlives(
        &self,
        state: &StateDir,
        run: &RunId,
        lost: Option<&str>,
    ) -> Result<(), CommandError> {
        let (Some(shared), Some(lost)) = (self.shared()?, lost) else { return Ok(()) };
        if is_there(&shared.segments(run, state))? { shared.outlives(lost) } else { Ok(()) }
    }

    /// Lines for the plan: what is assumed lost, and where the journal will be.
    ///
    /// # Errors
    /// The bucket cannot be opened.
    pub(in crate::cli) fn described(
        &self,
        plan: &Plan,
        lost: Option<&str>,
    ) -> Result<String, CommandError> {
        let (run, mut lines) = (&plan.run, String::new());
        if let Some(region) = lost {
            let acts = |step: &&PlannedStep| {
                let runs = !matches!(step.preview.answer, Answer::Wont { .. });
                step.region == region && runs && !step.calls.is_empty()
            };
            let there: Vec<_> = plan.steps.iter().filter(acts).map(|step| &step.key).collect();
            let (form, names) = (plan.form, listed(there.iter().copied(), MOST_NAMES));
            lines.push_str(&format!(
                "assumes lost: {region}: the runbook is written to end well without that region; in the \
                 {form} form {} of its steps call it: {names}\n",
                there.len()
            ));
        }
        if let Some(shared) = self.shared()? {
            let (place, region) = (shared.bucket.place(), shared.bucket.region());
            lines.push_str(&format!("journal: {place}/runs/{run} in {region}, shared\n"));
        }
        Ok(lines)
    }
}

/// The region that the runbook of an open run assumes lost, with the run's parameters; `None` for a run
/// that has ended, whose journal nothing waits for.
///
/// # Errors
/// The records are of no run that this version knows.
pub(in crate::cli) fn lost_region_of(
    tools: &Tools,
    stored: &[StoredRecord],
) -> Result<Option<String>, CommandError> {
    let broken =
        |error: String| CommandError::new(Exit::Journal, format!("it cannot be shared: {error}"));
    let records = known(stored)?;
    if records.is_empty() {
        return Ok(None);
    }
    let state = RunState::fold(&records).map_err(|error| broken(error.to_string()))?;
    if state.finished.is_some() {
        return Ok(None);
    }
    let plan: Plan =
        serde_json::from_value(state.plan).map_err(|error| broken(error.to_string()))?;
    lost_region(&embedded(tools, &plan)?, &plan_parameters(tools, &plan)?)
}

/// The region that the runbook assumes lost.
///
/// # Errors
/// Its expression has no value.
pub(in crate::cli) fn lost_region(
    runbook: &Runbook,
    parameters: &Values,
) -> Result<Option<String>, CommandError> {
    let lost = runbook.lost_region(parameters);
    lost.map_err(|error| CommandError::usage(format!("{}: assumes_lost: {error}", runbook.file)))
}

impl Shared {
    /// Refuses a bucket in the region `lost`.
    ///
    /// # Errors
    /// It is there (exit code 2).
    pub(super) fn outlives(&self, lost: &str) -> Result<(), CommandError> {
        if self.bucket.region() != lost {
            return Ok(());
        }
        let place = self.bucket.place();
        let message = format!(
            "the shared journal {place} is in {lost}, which this runbook assumes lost: the run could \
             not be recorded there"
        );
        Err(CommandError::usage(message).help(
            "keep journals in a bucket of another region; or, without sharing, DRCTL_JOURNAL=local",
        ))
    }
}
