//! What a roll-back would do: counts, samples, notes.
//!
//! **Invariant:** memory does not grow with the number of keys.

use super::change::{Change, Kind, Standing};
use super::scan::{CHUNK, Decided, Scan};
use super::tally::{Tally, shown};
use crate::cloud::CloudError;
use std::collections::BTreeMap;

/// Keys that are named of each kind.
const SAMPLES: usize = 5;

/// What would be done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Foreseen {
    /// Counts.
    pub(crate) tally: Tally,
    to_do: u64,
    samples: BTreeMap<Kind, Vec<String>>,
}

impl Foreseen {
    /// Reads all keys.
    ///
    /// # Errors
    /// S3 cannot say.
    pub(crate) async fn of(mut scan: Scan<'_>) -> Result<Self, CloudError> {
        let mut foreseen = Self::default();
        loop {
            let decided = scan.next(CHUNK).await?;
            if decided.is_empty() {
                return Ok(foreseen);
            }
            decided.into_iter().for_each(|one| foreseen.take(one));
        }
    }

    fn take(&mut self, one: Decided) {
        self.tally.close += u64::from(one.close);
        self.tally.existed += u64::from(one.existed);
        match one.standing {
            Standing::AsWanted { by } => self.tally.as_wanted(by),
            Standing::Conflict => self.tally.conflict(&one.key),
            Standing::Lost(reason) => self.tally.lost(&one.key, &reason),
            Standing::ToDo(change) => {
                self.to_do += 1;
                self.tally.planned(&change);
                let samples = self.samples.entry(change.kind()).or_default();
                if samples.len() < SAMPLES {
                    samples.push(sample(&one.key, &change));
                }
            }
        }
    }

    /// How many keys are still to be changed.
    pub(crate) fn to_do(&self) -> u64 {
        self.to_do
    }

    /// Some of them.
    pub(crate) fn samples(&self) -> Vec<String> {
        let each = self.samples.iter();
        each.flat_map(|(kind, all)| all.iter().map(|one| format!("{} {one}", kind.word())))
            .collect()
    }

    /// Counts in one line.
    pub(crate) fn counts(&self) -> String {
        let Tally { restored, undeleted, deleted, unchanged, unrestorable, bytes, .. } = self.tally;
        let mut text = format!(
            "{restored} to restore, {undeleted} to undelete, {deleted} to delete ({bytes} bytes to copy), \
             {unchanged} unchanged, {unrestorable} cannot be brought back"
        );
        if self.tally.conflicts > 0 {
            text.push_str(&format!(", {} written meanwhile", self.tally.conflicts));
        }
        text
    }

    /// Counts, samples and problems, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.counts()];
        let total = |kind: Kind| match kind {
            Kind::Restored => self.tally.restored,
            Kind::Undeleted => self.tally.undeleted,
            Kind::Deleted => self.tally.deleted,
        };
        for (kind, samples) in &self.samples {
            lines.extend(samples.iter().map(|sample| format!("{} {sample}", kind.word())));
            let more = total(*kind).saturating_sub(samples.len() as u64);
            if more > 0 {
                lines.push(format!("{} {more} more", kind.word()));
            }
        }
        if self.tally.unrestorable > 0 {
            lines.push(format!("cannot be brought back: {}", self.tally.reasons_text()));
        }
        lines.extend(self.tally.problems.iter().map(|problem| format!("not {problem}")));
        lines
    }
}

fn sample(key: &str, change: &Change) -> String {
    let key = shown(key);
    match change {
        Change::Copy { wanted, .. } => {
            format!("{key} from version {} ({} bytes)", wanted.version_id, change.bytes())
        }
        Change::RemoveMarkers { markers, wanted } => {
            let count = markers.len();
            format!("{key} by removing {count} delete markers over version {}", wanted.version_id)
        }
        Change::Delete { .. } => key,
    }
}
