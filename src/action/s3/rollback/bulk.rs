//! What the looks and acts of one roll-back tell each other: the batch in work, and what is settled.
//!
//! **Invariant:** the journal holds how far it is before each batch; a process that takes the run up reads
//! the keys of the batch that was in work again, and finds done what is done.

use super::change::Change;
use super::reason::Reason;
use super::scan::Decided;
use super::tally::Tally;
use super::terms::Terms;
use super::{Standing, perform::End};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Most objects that are changed at a time.
pub(crate) const WIDEST: usize = 32;

/// Tries of one key before it is given up.
const TRIES: u32 = 8;

/// A key of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// The key.
    pub(crate) key: String,
    /// What brings it back.
    pub(crate) change: Change,
    /// How often that was tried.
    pub(crate) tries: u32,
}

/// How far a roll-back is, for whoever takes it up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Progress {
    /// All keys up to this one are settled.
    after: Option<String>,
    /// What is settled.
    done: Tally,
    /// The last key of the batch in work.
    through: Option<String>,
    /// How many keys of it only lose delete markers: of those nothing is seen afterwards.
    removing: u64,
}

/// One roll-back in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bulk {
    /// What keys are brought back to; `None` before the first look.
    pub(crate) terms: Option<Terms>,
    /// What is settled, the batch in work included.
    pub(crate) tally: Tally,
    /// The batch in work.
    pub(crate) batch: Vec<Task>,
    /// How many are changed at a time now.
    pub(crate) width: usize,
    /// Whether the batch was acted on since it was looked at.
    pub(crate) acted: bool,
    /// Whether all keys were read.
    pub(crate) ended: bool,
    before: Progress,
    after: Option<String>,
    /// Removals of a batch that was cut off that were made then.
    carried: u64,
    /// Of a batch that was cut off by the end of its process: its last key, its removals, and how many of
    /// those are still to be made.
    cut_off: Option<(String, u64, u64)>,
}

impl Bulk {
    /// Begins, or goes on from what the journal says.
    pub(crate) fn begin(terms: Terms, progress: Option<&Json>) -> Self {
        let read = progress.and_then(|json| serde_json::from_value(json.clone()).ok());
        let before: Progress = read.unwrap_or_default();
        let cut_off = before.through.clone().filter(|_| before.removing > 0);
        Self {
            terms: Some(terms),
            tally: before.done.clone(),
            width: WIDEST,
            after: before.after.clone(),
            cut_off: cut_off.map(|through| (through, before.removing, 0)),
            before,
            ..Self::default()
        }
    }

    /// The key after which reading goes on.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Before the keys of a new batch are read.
    pub(crate) fn open(&mut self) {
        self.carried = 0;
        let (after, done) = (self.after.clone(), self.tally.clone());
        self.before = Progress { after, done, through: None, removing: 0 };
    }

    /// Takes keys in their order.
    pub(crate) fn take(&mut self, decided: Vec<Decided>) {
        for one in decided {
            self.settle_cut_off(Some(&one.key));
            self.tally.close += u64::from(one.close);
            self.tally.existed += u64::from(one.existed);
            self.after = Some(one.key.clone());
            self.stand(one.key, one.standing, 0);
        }
    }

    /// No more keys are to come.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.settle_cut_off(None);
    }

    /// A key of the batch, looked at again.
    pub(crate) fn again(&mut self, task: &Task, found: Option<Decided>) {
        let wanted = Standing::AsWanted { by: None };
        match found.map_or(wanted, |one| one.standing) {
            // Delete markers that are gone leave nothing to see.
            Standing::AsWanted { by: None } => self.tally.done(task.change.kind(), 0),
            standing => self.stand(task.key.clone(), standing, task.tries),
        }
    }

    fn stand(&mut self, key: String, standing: Standing, tries: u32) {
        match standing {
            Standing::AsWanted { by } => self.tally.as_wanted(by),
            Standing::Conflict => self.tally.conflict(&key),
            Standing::Lost(reason) => self.tally.lost(&key, &reason),
            Standing::ToDo(_) if tries >= TRIES => {
                self.tally.lost(&key, &Reason::Restless(tries));
            }
            Standing::ToDo(change) => {
                if let (Change::RemoveMarkers { .. }, Some((through, _, left))) =
                    (&change, &mut self.cut_off)
                    && key <= *through
                {
                    *left += 1;
                }
                self.batch.push(Task { key, change, tries });
            }
        }
    }

    /// Once the keys of a batch that was cut off are read: what is not to be done any more was done then.
    fn settle_cut_off(&mut self, next: Option<&str>) {
        let over =
            |(through, ..): &mut (String, u64, u64)| next.is_none_or(|key| key > through.as_str());
        let Some((_, removing, left)) = self.cut_off.take_if(over) else { return };
        let made = removing.saturating_sub(left).min(self.tally.unchanged);
        self.carried += made;
        self.tally.unchanged -= made;
        self.tally.undeleted += made;
    }

    /// What became of the batch. The number that are changed at a time is halved when S3 asks for less.
    pub(crate) fn ended(&mut self, ends: Vec<(Task, End)>) {
        let changed = self.tally.changes() > 0;
        let all_denied = !changed && ends.iter().all(|(_, end)| matches!(end, End::Denied(_)));
        let slower =
            ends.iter().any(|(_, end)| matches!(end, End::Again(error) if error.is_throttled()));
        self.width = if slower { self.width / 2 } else { self.width * 2 }.clamp(1, WIDEST);
        self.batch.clear();
        self.acted = true;
        for (mut task, end) in ends {
            match end {
                End::Done => self.tally.done(task.change.kind(), task.change.bytes()),
                End::Lost(reason) => self.tally.lost(&task.key, &reason),
                End::Denied(error) if !all_denied => {
                    self.tally.lost(&task.key, &Reason::Denied(error.to_string()));
                }
                // Denied altogether, it is for a person to mend.
                End::Again(_) | End::Stop(_) | End::Denied(_) => {
                    // A call that S3 asked to make later, or that never left, was no try.
                    task.tries += u32::from(matches!(&end, End::Again(error) if error.counts()));
                    self.batch.push(task);
                }
            }
        }
        self.batch.sort_by(|one, other| one.key.cmp(&other.key));
    }

    /// A new batch is complete: how far it is goes to the journal.
    pub(crate) fn announce(&mut self) {
        let removals = self.batch.iter();
        let removals = removals.filter(|task| matches!(task.change, Change::RemoveMarkers { .. }));
        let removals = u64::try_from(removals.count()).unwrap_or(u64::MAX);
        self.before.through = self.after.clone();
        self.before.removing = removals.saturating_add(self.carried);
    }

    /// How far it is, for whoever takes it up.
    pub(crate) fn progress(&self) -> Json {
        serde_json::to_value(&self.before).unwrap_or(Json::Null)
    }

    /// How far it is, in words.
    pub(crate) fn state(&self) -> String {
        let next = self.batch.len();
        format!("{} of {} keys read changed, {next} next", self.tally.changes(), self.tally.keys())
    }
}
