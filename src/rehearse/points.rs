//! The instants at which a process may die, enumerated from a run itself: before and after each append to
//! its journal, before and after each call to AWS and each effect beside it.
//!
//! **Invariant:** every instant is counted. Instants that differ in time alone (same journal, same changes
//! of the world, same side of the same call) fold into the first of them; the last instant before
//! something changes is kept besides, because time itself can matter.

use super::inbox::Inbox;
use super::scenario::Answers;
use crate::journal::beneath::beneath;
use crate::journal::event::Record;
use crate::journal::{Head, JournalError, MemoryStore, Posted, Store};
use crate::sim::{Simulator, Watch};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An instant at which the process may die.
#[derive(Debug, Clone)]
pub struct Point {
    /// How many records its journal has.
    pub records: u64,
    /// On which side of what: `after rds:DeleteDBInstance`.
    pub when: String,
    /// The world, a fork of its own.
    pub world: Simulator,
    /// Effects beside AWS that had taken place, in order.
    pub effects: Vec<String>,
}

/// Where a run's instants are noted.
#[derive(Debug)]
struct Log {
    world: Simulator,
    records: u64,
    effects: Vec<String>,
    points: Vec<Point>,
    instants: u64,
    /// What makes the present group of instants: records, mutations, strikes of faults, effects.
    group: (u64, u64, u64, usize),
    /// Sides that the present group already has a point for.
    sides: BTreeSet<String>,
    /// The newest instant of the group, unless it is a point already.
    last: Option<Point>,
}

impl Log {
    fn instant(&mut self, when: String) {
        self.instants += 1;
        let (mutations, strikes) = self.world.changes();
        let group = (self.records, mutations, strikes, self.effects.len());
        if group != self.group {
            self.points.extend(self.last.take());
            self.sides.clear();
            self.group = group;
        }
        let (world, effects) = (self.world.fork(), self.effects.clone());
        let point = Point { records: self.records, when: when.clone(), world, effects };
        if self.sides.insert(when) {
            self.last = None;
            self.points.push(point);
        } else {
            self.last = Some(point);
        }
    }
}

/// All points of one run, and what it did beside AWS.
#[derive(Debug)]
pub struct Points {
    /// The points in order; the process may die at each.
    pub points: Vec<Point>,
    /// How many instants they stand for.
    pub instants: u64,
    /// Effects beside AWS, in order.
    pub effects: Vec<String>,
}

/// Watches one process's work on a run; its two halves are the journal's and the calls'.
#[derive(Debug, Clone)]
pub struct Watcher {
    log: Arc<Mutex<Log>>,
    /// Without it, effects are counted and no point is kept.
    keep: bool,
}

impl Watcher {
    /// A watcher of a process that works in `world`, after `effects` of the processes before it.
    pub fn new(world: &Simulator, effects: Vec<String>, keep: bool) -> Self {
        let log = Log {
            world: world.clone(),
            records: 0,
            effects,
            points: Vec::new(),
            instants: 0,
            group: (u64::MAX, 0, 0, 0),
            sides: BTreeSet::new(),
            last: None,
        };
        Self { log: Arc::new(Mutex::new(log)), keep }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A panic elsewhere leaves no half-made note.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instant(&self, when: String) {
        if self.keep {
            self.log().instant(when);
        }
    }

    /// Effects beside AWS so far.
    pub fn effects(&self) -> Vec<String> {
        self.log().effects.clone()
    }

    /// What was noted.
    pub fn points(&self) -> Points {
        let mut log = self.log();
        let last = log.last.take();
        log.points.extend(last);
        Points {
            points: std::mem::take(&mut log.points),
            instants: log.instants,
            effects: log.effects.clone(),
        }
    }
}

impl Watch for Watcher {
    fn before(&self, call: &str) {
        self.instant(format!("before {call}"));
    }

    fn after(&self, call: &str, done: bool) {
        let beside = ["http:", "process:", "sql:"].iter().any(|way| call.starts_with(way));
        if beside && done {
            self.log().effects.push(call.to_owned());
        }
        self.instant(format!("after {call}"));
    }
}

/// A journal in memory whose appends are watched.
#[derive(Debug)]
pub struct WatchedStore {
    /// The journal.
    pub inner: MemoryStore,
    watcher: Watcher,
    inbox: Inbox,
}

impl WatchedStore {
    /// `inner`, watched; people post what `answers` says.
    pub fn new(inner: MemoryStore, watcher: Watcher, answers: Answers) -> Self {
        let records = inner.head().map_or(0, |head| head.count);
        watcher.log().records = records;
        let inbox = Inbox::of(answers, &inner);
        Self { inner, watcher, inbox }
    }
}

impl Store for WatchedStore {
    fn append(&mut self, batch: &[Record]) -> Result<Head, JournalError> {
        if batch.is_empty() {
            return self.inner.append(batch);
        }
        let kind = batch[0].event.kind();
        self.watcher.instant(format!("before the append of {kind}"));
        let head = self.inner.append(batch)?;
        self.watcher.log().records = head.count;
        self.inbox.note(batch);
        self.watcher.instant(format!("after the append of {kind}"));
        Ok(head)
    }

    fn posted(&self) -> Result<Vec<Posted>, JournalError> {
        let mut posted = self.inner.posted()?;
        posted.extend(self.inbox.posts());
        Ok(posted)
    }

    beneath!(inner: load salvage head acquire renew release lease note notes check post place);
}
