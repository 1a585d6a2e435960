//! What the looks and acts of one canary step tell each other, and what each look makes of what it sees.
//!
//! **Invariant:** a figure is taken only of a copy that this process saw missing before; what was measured
//! is in the journal before the canary is removed.

#[cfg(test)]
mod tests;

use super::Ground;
use crate::action::outcome::Observation;
use crate::base::clock::between;
use crate::base::duration;
use crate::cloud::model::{Canary, CanaryEntry};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// How long after a canary was given up and removed a copy may still come.
const LATE_COPY: Duration = Duration::from_secs(60);

/// Samples that may be thrown away, because nobody was there to time them.
const MOST_DISCARDED: u32 = 100;

/// How far the measuring is, for whoever takes it up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// Milliseconds from put to readable copy, one for each sample.
    pub(crate) measured: Vec<u64>,
    /// Samples that nobody timed.
    pub(crate) discarded: u32,
    /// How often the sample that is measured was taken again.
    again: u32,
    /// Whether the server told no replication status.
    pub(crate) untold: bool,
    /// Why it was given up, and what to do.
    pub(crate) failed: Option<(String, String)>,
}

/// What an act is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Put the sample of this name.
    Put(String),
    /// Remove these.
    Remove(Vec<Left>),
}

/// Which bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Where canaries are put.
    Source,
    /// Where their copies come to.
    Destination,
}

/// An entry that has to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// Where.
    pub(crate) side: Side,
    /// What.
    pub(crate) entry: CanaryEntry,
}

/// What a look saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sight {
    /// Every version and marker of this step in both buckets.
    pub(crate) left: Vec<Left>,
    /// The sample that is measured.
    pub(crate) original: Option<Canary>,
    /// Its copy.
    pub(crate) copy: Option<Canary>,
    /// Now.
    pub(crate) now: DateTime<Utc>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Samples.
    pub(crate) samples: usize,
    /// Longest time that one may take.
    pub(crate) timeout: Duration,
}

/// One canary step in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    /// Where canaries go, once it was found.
    pub(crate) ground: Option<Ground>,
    /// How far it is.
    pub(crate) progress: Progress,
    /// What the next act does.
    pub(crate) next: Option<Next>,
    /// Whether the progress of the journal was taken over.
    pub(crate) begun: bool,
    /// The sample that was seen without a copy here, or put here.
    timed: bool,
    /// When the copy of the sample was first read.
    readable: Option<DateTime<Utc>>,
    /// Since when nothing is left of a canary that was given up.
    quiet: Option<DateTime<Utc>>,
}

/// What a look comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Act, or wait.
    Go(Observation),
    /// All samples are measured and nothing is left.
    Measured,
}

impl Watch {
    /// How many samples are measured: the number of the one that is.
    fn sample(&self) -> usize {
        self.progress.measured.len()
    }

    /// What the key of the sample that is measured ends with. One that is taken again has another, so that
    /// no object is put twice.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.sample(), self.progress.again)
    }

    /// The sample was put by this process.
    pub(crate) fn was_put(&mut self) {
        (self.timed, self.readable) = (true, None);
    }

    /// What a look makes of what it saw.
    pub(crate) fn judge(&mut self, terms: Terms, sight: &Sight) -> Step {
        self.next = None;
        if let Some(failed) = self.progress.failed.clone() {
            return Step::Go(self.ending(failed, sight));
        }
        if self.sample() >= terms.samples {
            let left = &sight.left;
            return if left.is_empty() { Step::Measured } else { Step::Go(self.remove(left)) };
        }
        let Some(original) = &sight.original else {
            // What an earlier sample left, or a copy whose original is gone.
            if !sight.left.is_empty() {
                return Step::Go(self.remove(&sight.left));
            }
            self.next = Some(Next::Put(self.name()));
            return Step::Go(self.partly(terms, "to put"));
        };
        Step::Go(self.compared(terms, sight, original))
    }

    fn compared(&mut self, terms: Terms, sight: &Sight, original: &Canary) -> Observation {
        let Some(put_at) = original.put_at() else {
            let why = "an object that drctl did not put is under the key of its canary".to_owned();
            return self.give_up(sight, why, "look at who writes under drctl-canary/");
        };
        let status = original.status.as_deref();
        if status == Some("FAILED") {
            let why = "S3 gave its replication up: status FAILED".to_owned();
            return self.give_up(sight, why, "look at the role's permissions on bucket and key");
        }
        match &sight.copy {
            Some(copy) if copy.digest != original.digest => {
                let why = "the copy has other bytes than the original".to_owned();
                return self.give_up(sight, why, "look at who writes to the destination");
            }
            Some(copy) => {
                let read_at = *self.readable.get_or_insert(copy.read_at);
                if told(status, copy.status.as_deref()) {
                    self.progress.untold |= status.is_none();
                    self.take(between(put_at, read_at));
                    return self.remove(&sight.left);
                }
            }
            None => self.timed = true,
        }
        let waited = between(put_at, sight.now);
        if waited > terms.timeout {
            let what = if sight.copy.is_some() { "whole" } else { "there" };
            let why = format!(
                "no copy is {what} after {}, and the original is {}",
                duration::human(waited),
                status.unwrap_or("without a replication status: no rule selected it")
            );
            return self.give_up(sight, why, "`drctl s3 check-config` tells what may be wrong");
        }
        let state = status.unwrap_or("put");
        let (number, of) = (self.sample() + 1, terms.samples);
        Observation::InProgress {
            state: format!("sample {number} of {of}: {state}"),
            milestone: None,
        }
    }

    /// Takes a figure, if somebody was there to see that there was no copy before.
    fn take(&mut self, took: Duration) {
        if self.timed {
            self.progress.measured.push(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            self.progress.again = 0;
        } else {
            self.progress.discarded += 1;
            self.progress.again += 1;
        }
        if self.progress.discarded > MOST_DISCARDED {
            let why = format!("{MOST_DISCARDED} samples were not timed");
            let help = "run it where it is not interrupted".to_owned();
            self.progress.failed = Some((why, help));
        }
        (self.timed, self.readable) = (false, None);
    }

    fn give_up(&mut self, sight: &Sight, why: String, help: &str) -> Observation {
        let number = self.sample() + 1;
        let failed = (format!("sample {number}: {why}"), help.to_owned());
        self.progress.failed = Some(failed.clone());
        self.ending(failed, sight)
    }

    /// Removes what is left, waits for a late copy, and ends.
    fn ending(&mut self, (why, help): (String, String), sight: &Sight) -> Observation {
        if !sight.left.is_empty() {
            self.quiet = None;
            return self.remove(&sight.left);
        }
        let since = *self.quiet.get_or_insert(sight.now);
        if between(since, sight.now) < LATE_COPY {
            let state = "removed; a late copy may still come".to_owned();
            return Observation::InProgress { state, milestone: None };
        }
        Observation::Broken { why, help }
    }

    fn remove(&mut self, left: &[Left]) -> Observation {
        self.next = Some(Next::Remove(left.to_vec()));
        let state = format!("{} measured, {} to remove", self.sample(), left.len());
        Observation::Partly { state, progress: json!(self.progress) }
    }

    fn partly(&self, terms: Terms, what: &str) -> Observation {
        let state = format!("sample {} of {} {what}", self.sample() + 1, terms.samples);
        Observation::Partly { state, progress: json!(self.progress) }
    }
}

/// Whether both sides say that the copy is made. A server that tells no status tells neither.
fn told(original: Option<&str>, copy: Option<&str>) -> bool {
    match (original, copy) {
        (Some("COMPLETED" | "COMPLETE"), Some("REPLICA")) | (None, None) => true,
        (Some(_) | None, _) => false,
    }
}

/// Nearest rank: the smallest figure that at least `percent` of all do not exceed.
pub(crate) fn percentile(measured: &[u64], percent: usize) -> Option<Duration> {
    let mut sorted = measured.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map(|millis| Duration::from_millis(*millis))
}
