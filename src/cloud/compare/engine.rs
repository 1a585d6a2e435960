//! The comparison: workers read both sides of their ranges of keys, meet them in order, and look again at
//! what differs.
//!
//! **Invariant:** each worker holds one page of each side and what differs on them; nothing grows with the
//! bucket but counters and the files of differences.

use super::checkpoint::{Keeper, Left};
use super::class::{Difference, Totals};
use super::error::CompareError;
use super::judge::{Grounds, Rules, Unlike, Verdict, by_lists, by_looks, same};
use super::look::{Look, Looker};
use super::merge::merge;
use super::side::Side;
use super::sorted::Sorter;
use crate::base::clock::Clock;
use crate::cloud::listing::{Claim, ListPlace, Lister, Object, PAGE, Pace, Piece, Ranges};
use crate::cloud::session::Shared;
use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt as _};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Keys that one worker looks at again at a time; the pace of the buckets limits all of them.
const LOOKS: usize = 32;

/// How two places are compared.
#[derive(Debug, Clone)]
pub struct CompareOptions {
    /// Leave out what was written before.
    pub since: Option<DateTime<Utc>>,
    /// About how many keys to compare instead of all.
    pub sample: Option<u64>,
    /// Ask for checksums of contents where ETags do not tell.
    pub checksum: bool,
    /// How long replication may be due.
    pub pending_after: Duration,
    /// Requests to one bucket at a time.
    pub concurrency: usize,
    /// Differences that are looked at again; those behind are judged by the lists.
    pub looks: u64,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            since: None,
            sample: None,
            checksum: false,
            pending_after: Duration::from_secs(15 * 60),
            concurrency: 32,
            looks: 20_000,
        }
    }
}

/// How far a comparison is.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// What was counted.
    pub totals: Totals,
    /// About how many keys of the source are left.
    pub left: f64,
    /// Ranges that are read at a time.
    pub ranges: usize,
    /// How often the buckets asked to slow down.
    pub throttled: u64,
}

/// A comparison of two places.
#[derive(Debug)]
pub struct Comparison {
    sides: [Looker; 2],
    rules: Rules,
    options: CompareOptions,
    clock: Clock,
    state: Mutex<State>,
    changed: Notify,
    looks_left: AtomicU64,
    refused: AtomicBool,
}

#[derive(Debug)]
struct State {
    ranges: Ranges,
    totals: Totals,
    sorter: Sorter,
    keeper: Option<Keeper>,
    workers: usize,
}

impl Comparison {
    pub(crate) fn new(
        shared: &Arc<Shared>,
        (source, destination): (ListPlace, ListPlace),
        rules: Rules,
        options: CompareOptions,
    ) -> Self {
        let side = |place| {
            let pace = Pace::new(shared.clock.clone(), options.concurrency);
            Looker::new(shared, Lister::new(shared, place, pace), options.checksum)
        };
        let sides = [side(source), side(destination)];
        let whole = [(String::new(), None)];
        let state = State {
            ranges: Ranges::new(whole, page(&options)),
            totals: Totals::default(),
            sorter: Sorter::default(),
            keeper: None,
            workers: 0,
        };
        Self {
            sides,
            rules,
            clock: shared.clock.clone(),
            state: Mutex::new(state),
            changed: Notify::new(),
            looks_left: AtomicU64::new(options.looks),
            refused: AtomicBool::new(false),
            options,
        }
    }

    /// From now on what is done is kept in a file; begins where the file ends, if it has something.
    ///
    /// # Errors
    /// The file is not one of this comparison, or cannot be read.
    pub fn keep(&self, keeper: Keeper, left: Option<Left>) -> io::Result<()> {
        let mut state = self.state();
        if let Some(left) = left {
            state.ranges = Ranges::new(left.ranges, page(&self.options));
            state.totals = left.totals;
            for difference in left.differences {
                state.sorter.push(difference)?;
            }
        }
        state.keeper = Some(keeper);
        Ok(())
    }

    /// Compares everything.
    ///
    /// # Errors
    /// A bucket cannot be listed or looked at; what is done is kept, where there is a file for it.
    pub async fn run(self: Arc<Self>) -> Result<(), CompareError> {
        let mut workers = JoinSet::new();
        for _ in 0..self.options.concurrency.max(1) {
            let this = Arc::clone(&self);
            workers.spawn(async move { this.work().await });
        }
        while let Some(ended) = workers.join_next().await {
            // A worker that panicked panics here too; dropping the set ends the others.
            ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        }
        Ok(())
    }

    /// How far it is.
    pub fn standing(&self) -> Standing {
        let state = self.state();
        Standing {
            totals: state.totals.clone(),
            left: state.ranges.left(),
            ranges: state.ranges.len(),
            throttled: self.sides.iter().map(|side| side.lister.pace().throttled()).sum(),
        }
    }

    /// Whether `HeadObject` was refused, so that differences were judged by the lists alone.
    pub fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Writes down how far it is, where there is a file for it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> io::Result<()> {
        let mut state = self.state();
        let (left, totals) = (state.ranges.undelivered(), state.totals.clone());
        state.keeper.as_mut().map_or(Ok(()), |keeper| keeper.save(left, totals))
    }

    /// Hands out what was counted and all differences in the order of their keys.
    ///
    /// # Errors
    /// `give` failed, or the temporary directory cannot be read.
    pub fn finish(&self, give: impl FnMut(Difference) -> io::Result<()>) -> io::Result<Totals> {
        let (sorter, totals, keeper) = {
            let mut state = self.state();
            let sorter = std::mem::take(&mut state.sorter);
            (sorter, state.totals.clone(), state.keeper.take())
        };
        sorter.each(give)?;
        keeper.map_or(Ok(()), Keeper::remove)?;
        Ok(totals)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(&self) -> Result<(), CompareError> {
        loop {
            let changed = self.changed.notified();
            let piece = {
                let mut state = self.state();
                if self.is_enough(&state) {
                    state.ranges = Ranges::default();
                }
                if state.ranges.is_done() {
                    drop(state);
                    self.changed.notify_waiters();
                    return Ok(());
                }
                let (alone, room) = (state.workers == 0, self.room());
                let idle = room.saturating_sub(state.workers);
                let piece = if alone || idle > 0 { state.ranges.take(alone, idle) } else { None };
                state.workers += usize::from(piece.is_some());
                piece
            };
            let Some(piece) = piece else {
                changed.await;
                continue;
            };
            let ended = self.read(piece).await;
            self.state().workers -= 1;
            self.changed.notify_waiters();
            ended?;
        }
    }

    /// How many ranges may be read at a time: as many as the slower bucket answers well.
    fn room(&self) -> usize {
        self.sides.iter().map(|side| side.lister.pace().window()).min().unwrap_or(1)
    }

    fn is_enough(&self, state: &State) -> bool {
        self.options.sample.is_some_and(|sample| state.totals.compared() >= sample)
    }

    /// Reads a range to its end, or one page of it in a sample.
    async fn read(&self, piece: Piece) -> Result<(), CompareError> {
        let mut sides = [Side::behind(&piece.after), Side::behind(&piece.after)];
        let [source, destination] = &mut sides;
        let most = self.state().ranges.page(piece.id);
        self.fill(source, destination, most).await?;
        loop {
            let read = [source.reaches(), destination.reaches()].into_iter().flatten().min();
            let claim = self.state().ranges.claim(piece.id, read);
            let (mut totals, unlike) = self.meet(source, destination, claim.upto.as_deref());
            let some = [source.few(), destination.few()].concat();
            let most = {
                let mut state = self.state();
                let seen = totals.source.max(totals.destination);
                state.ranges.learn(piece.id, seen, some.iter().map(String::as_str));
                state.ranges.page(piece.id)
            };
            self.changed.notify_waiters();
            let done = claim.last || self.options.sample.is_some();
            // The next pages are on their way while what differs is looked at.
            let (differences, filled) = tokio::join!(self.judge(unlike, &mut totals), async {
                if done { Ok(()) } else { self.fill(source, destination, most).await }
            });
            self.deliver(&piece, &claim, totals, differences?)?;
            filled?;
            if done {
                if !claim.last {
                    self.state().ranges.park(piece.id);
                }
                return Ok(());
            }
        }
    }

    async fn fill(
        &self,
        source: &mut Side,
        destination: &mut Side,
        most: u16,
    ) -> Result<(), CompareError> {
        let (one, other) = tokio::join!(
            source.fill(&self.sides[0].lister, most),
            destination.fill(&self.sides[1].lister, most),
        );
        one?;
        other?;
        Ok(())
    }

    fn meet(
        &self,
        source: &mut Side,
        destination: &mut Side,
        limit: Option<&str>,
    ) -> (Totals, Vec<Unlike>) {
        let (mut totals, mut unlike) = (Totals::default(), Vec::new());
        let since = self.options.since.map(|since| since.timestamp_millis());
        let is_old = |object: &Object| since.is_some_and(|since| object.modified_ms < since);
        merge(&mut source.cursor, &mut destination.cursor, limit, |key, one, other| {
            totals.source += u64::from(one.is_some());
            totals.destination += u64::from(other.is_some());
            if one.as_ref().or(other.as_ref()).is_some_and(is_old) {
                totals.too_old += 1;
            } else if let (Some(one), Some(other)) = (&one, &other)
                && same(one, other)
            {
                totals.equal += 1;
            } else {
                unlike.push(Unlike { key: key.to_owned(), source: one, destination: other });
            }
        });
        (totals, unlike)
    }

    /// Looks again at what differs; what the lists settle is counted already.
    async fn judge(
        &self,
        unlike: Vec<Unlike>,
        totals: &mut Totals,
    ) -> Result<Vec<Difference>, CompareError> {
        let mut looks = stream::iter(unlike).map(|one| self.judge_one(one)).buffered(LOOKS);
        let mut differences = Vec::new();
        while let Some(judged) = looks.next().await {
            match judged? {
                (Verdict::Settled, _) => totals.settled += 1,
                (Verdict::SameContent, _) => totals.equal_by_checksum += 1,
                (Verdict::SameVersion, _) => totals.equal_by_version += 1,
                (Verdict::Differs(difference), looked) => {
                    totals.not_looked_at += u64::from(!looked);
                    totals.count(&difference);
                    differences.push(difference);
                }
            }
        }
        Ok(differences)
    }

    async fn judge_one(&self, unlike: Unlike) -> Result<(Verdict, bool), CompareError> {
        let spend = |left: u64| left.checked_sub(1);
        let allowed = !self.was_refused()
            && self.looks_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_ok();
        if allowed {
            let [source, destination] = &self.sides;
            let (one, other) =
                tokio::join!(source.look(&unlike.key), destination.look(&unlike.key));
            let (one, other) = (one?, other?);
            if one != Look::Denied && other != Look::Denied {
                let grounds = Grounds {
                    rules: &self.rules,
                    prefix: &source.lister.place().prefix,
                    now_ms: self.clock.now().timestamp_millis(),
                    pending_after: self.options.pending_after,
                };
                return Ok((by_looks(&unlike.key, &one, &other, &grounds), true));
            }
            self.refused.store(true, Ordering::Relaxed);
        }
        let why = if self.was_refused() {
            "by the lists: HeadObject is refused"
        } else {
            "by the lists: enough others were looked at"
        };
        Ok((Verdict::Differs(by_lists(&unlike, why)), false))
    }

    fn deliver(
        &self,
        piece: &Piece,
        claim: &Claim,
        totals: Totals,
        differences: Vec<Difference>,
    ) -> io::Result<()> {
        let mut state = self.state();
        if let Some(keeper) = &mut state.keeper {
            keeper.append(&differences)?;
        }
        for difference in differences {
            state.sorter.push(difference)?;
        }
        state.totals.add(totals);
        state.ranges.deliver(piece.id, claim);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }
}

/// Keys of a request: a sample is many small pages, spread.
fn page(options: &CompareOptions) -> u16 {
    let small =
        |sample: u64| u16::try_from((sample / 50).clamp(10, u64::from(PAGE))).unwrap_or(PAGE);
    options.sample.map_or(PAGE, small)
}
