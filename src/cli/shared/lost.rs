//! A shared journal must not be in the region whose loss a runbook assumes.
//!
//! **Invariant:** refused before anything begins: a run that cannot write its journal cannot go on.

use crate::base::ids::RunId;
use crate::base::value::Values;
use crate::cli::error::CommandError;
use crate::cli::shared::{Journals, Shared};
use crate::runbook::Runbook;

impl Journals {
    /// Opens the bucket, and checks that it is not in the region `lost`, which the runbook assumes lost.
    ///
    /// # Errors
    /// It is (exit code 2); it cannot be asked (exit codes 16 and 18).
    pub(in crate::cli) fn outlives(&self, lost: Option<&str>) -> Result<(), CommandError> {
        let (Some(shared), Some(lost)) = (self.shared()?, lost) else { return Ok(()) };
        shared.outlives(lost)
    }

    /// Lines for the plan: what is assumed lost, and where the journal will be.
    ///
    /// # Errors
    /// The bucket cannot be opened.
    pub(in crate::cli) fn described(
        &self,
        run: &RunId,
        lost: Option<&str>,
    ) -> Result<String, CommandError> {
        let mut lines = String::new();
        if let Some(region) = lost {
            lines.push_str(&format!("assumes lost: {region}\n"));
        }
        if let Some(shared) = self.shared()? {
            let (place, region) = (shared.bucket.place(), shared.bucket.region());
            lines.push_str(&format!("journal: {place}/runs/{run} in {region}, shared\n"));
        }
        Ok(lines)
    }
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
    fn outlives(&self, lost: &str) -> Result<(), CommandError> {
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
