//! Journals that a team shares: the bucket, this machine's copies, and which of them a command works on.
//!
//! **Invariant:** a run whose journal is in the bucket is driven, controlled and read from there; a copy is
//! only ever what was read from it.

mod lost;
mod objects;
mod place;
#[cfg(test)]
mod tests;
mod transfer;

pub(super) use lost::{lost_region, lost_region_of};
pub(super) use place::{JOURNAL, JournalConfig, read};
pub(super) use transfer::{PullArgs, PushArgs, pull, push};

use crate::base::clock::Clock;
use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::cli::error::CommandError;
use crate::cli::out;
use crate::cli::state::StateDir;
use crate::cloud::HttpSource;
use crate::cloud::bucket::{Bucket, BucketPlace};
use crate::journal::objects::Objects;
use crate::journal::shared::copy_of;
use crate::journal::{JournalError, SegmentStore, SharedStore, SqliteStore, Store, StoredRecord};
use crate::runbook::loss::JournalHome;
use objects::BucketObjects;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The journals of this machine, and those that its team shares.
#[derive(Debug)]
pub(super) struct Journals {
    place: Option<BucketPlace>,
    config: Option<JournalConfig>,
    opened: OnceLock<Shared>,
}

/// An opened bucket with journals.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    bucket: Bucket,
    objects: Arc<dyn Objects>,
}

impl Shared {
    /// Opens the bucket at `place`.
    ///
    /// # Errors
    /// There is none, it may not be used, it is elsewhere, or nobody answers.
    pub(super) fn open(place: &BucketPlace) -> Result<Self, CommandError> {
        let opened = Bucket::open(place.clone(), Clock::real(), HttpSource::Network);
        let bucket = opened.map_err(|error| JournalError::Bucket {
            place: place.to_string(),
            problem: objects::problem(&error),
            why: error.to_string(),
        })?;
        let objects = Arc::new(BucketObjects::new(bucket.clone()));
        Ok(Self { bucket, objects })
    }

    /// The journal of a run.
    fn segments(&self, run: &RunId, state: &StateDir) -> SegmentStore {
        SegmentStore::new(Arc::clone(&self.objects), run.as_str(), &station(state))
    }

    /// The runs that have a journal here.
    fn runs(&self) -> Result<Vec<RunId>, CommandError> {
        let names = SegmentStore::runs(&*self.objects)?;
        Ok(names.iter().filter_map(|name| RunId::parse(name)).collect())
    }
}

/// Names this machine's state directory in leases, without saying where it is.
fn station(state: &StateDir) -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let root = state.root().canonicalize().unwrap_or_else(|_| state.root().to_path_buf());
    Digest::of(format!("{host}\n{}", root.display()).as_bytes()).short().to_owned()
}

impl Journals {
    /// As configuration and variables say.
    ///
    /// # Errors
    /// They name no place.
    pub(super) fn configured(config: Option<JournalConfig>) -> Result<Self, CommandError> {
        let place = place::configured(config.as_ref())?;
        Ok(Self { place, config, opened: OnceLock::new() })
    }

    /// Where they are kept beside this machine, as configuration and variables say; nobody is asked.
    pub(super) fn home(&self) -> Option<JournalHome> {
        let place = self.place.as_ref()?;
        Some(JournalHome { place: place.to_string(), region: place.region.clone() })
    }

    /// Whether journals are shared.
    pub(super) fn are_shared(&self) -> bool {
        self.place.is_some()
    }

    /// The bucket, if journals are shared. It is opened once.
    ///
    /// # Errors
    /// See [`Shared::open`].
    pub(super) fn shared(&self) -> Result<Option<&Shared>, CommandError> {
        let Some(place) = &self.place else { return Ok(None) };
        if self.opened.get().is_none() {
            // A second one would only be dropped.
            drop(self.opened.set(Shared::open(place)?));
        }
        Ok(self.opened.get())
    }

    /// Makes the journal of a new run.
    ///
    /// # Errors
    /// It is there already, in the bucket or here; it cannot be made.
    pub(super) fn create(
        &self,
        state: &StateDir,
        run: &RunId,
    ) -> Result<Box<dyn Store>, CommandError> {
        let Some(shared) = self.shared()? else {
            return Ok(Box::new(SqliteStore::create(&state.journal(run))?));
        };
        let segments = shared.segments(run, state);
        if is_there(&segments)? {
            return Err(JournalError::Exists { place: segments.place().to_owned() }.into());
        }
        let copy = SqliteStore::create(&state.journal(run))?;
        Ok(Box::new(SharedStore::open(segments, copy)?))
    }

    /// Whether the run has a journal, in the bucket or here.
    ///
    /// # Errors
    /// The bucket cannot be asked.
    pub(super) fn has(&self, state: &StateDir, run: &RunId) -> Result<bool, CommandError> {
        if state.journal(run).exists() {
            return Ok(true);
        }
        match self.shared()? {
            Some(shared) => Ok(is_there(&shared.segments(run, state))?),
            None => Ok(false),
        }
    }

    /// Opens a run's journal to drive or control the run. One that was never shared is this machine's.
    ///
    /// # Errors
    /// There is none, it is damaged, or the copy has other events than the bucket.
    pub(super) fn open(
        &self,
        state: &StateDir,
        run: &RunId,
    ) -> Result<Box<dyn Store>, CommandError> {
        let Some(shared) = self.shared()? else {
            return Ok(Box::new(alone(state, run)?));
        };
        let segments = shared.segments(run, state);
        if !is_there(&segments)? {
            let store = alone(state, run)?;
            let help = format!("`drctl journal push {run}` shares it");
            out::progress(&format!("run {run} is in this machine's journal only; {help}"));
            return Ok(Box::new(store));
        }
        Ok(Box::new(joined(segments, state, run)?))
    }

    /// Opens a run's journal to look at it.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub(super) fn look(
        &self,
        state: &StateDir,
        run: &RunId,
    ) -> Result<Box<dyn Store>, CommandError> {
        let copy = SqliteStore::open_read_only(&state.journal(run));
        let Ok(Some(shared)) = self.shared() else { return Ok(Box::new(copy?)) };
        let segments = shared.segments(run, state);
        if !is_there(&segments)? {
            return Ok(Box::new(copy?));
        }
        match copy.and_then(|copy| Ok((copy.load()?, copy))) {
            Ok((records, copy)) => segments.go_on_from(records, copy.place())?,
            // The bucket has everything; the copy only saves reading it.
            Err(JournalError::Corrupt { why, .. } | JournalError::Foreign { why, .. }) => {
                out::progress(&format!("this machine's copy of run {run} is damaged: {why}"));
            }
            Err(error) => tracing::info!(%error, "the local copy is not used"),
        }
        Ok(Box::new(segments))
    }

    /// Brings this machine's copies up to date, so that everything that reads finds all runs here.
    ///
    /// # Errors
    /// The bucket cannot be asked. A run whose journal is damaged, or whose copy differs, is told about
    /// and keeps no other from being read.
    pub(super) fn refresh(&self, state: &StateDir) -> Result<(), CommandError> {
        let Some(shared) = self.shared()? else { return Ok(()) };
        for run in shared.runs()? {
            if has_ended(state, &run) {
                continue;
            }
            let joined = joined(shared.segments(&run, state), state, &run);
            match joined {
                Ok(_) => {}
                Err(error @ JournalError::Bucket { .. }) => return Err(error.into()),
                Err(error) => out::progress(&format!("run {run}: {error}")),
            }
        }
        Ok(())
    }

    /// The same for commands that only show: without the bucket they show what this machine has.
    pub(super) fn refresh_if_possible(&self, state: &StateDir) {
        if let Err(error) = self.refresh(state) {
            out::progress(&format!("{error}\nshown is what this machine has of it"));
        }
    }
}

/// Whether a journal in the bucket was begun.
fn is_there(segments: &SegmentStore) -> Result<bool, JournalError> {
    Ok(segments.lease_was_taken()? || segments.head()?.count > 0)
}

/// The journal in the bucket with this machine's copy, which is made where there is none.
fn joined(
    segments: SegmentStore,
    state: &StateDir,
    run: &RunId,
) -> Result<SharedStore, JournalError> {
    let path = state.journal(run);
    if path.exists() {
        // A copy that is damaged is worth nothing, and the bucket has all of it.
        match SqliteStore::open(&path).and_then(|copy| Ok((copy.load()?, copy))) {
            Ok((records, copy)) => return SharedStore::join(segments, copy, records),
            Err(JournalError::Corrupt { why, .. } | JournalError::Foreign { why, .. }) => {
                segments.load()?;
                let aside = set_aside(&path)?;
                out::progress(&format!(
                    "this machine's copy of run {run} is damaged ({why}): it is now {}, and is made \
                     anew from {}",
                    aside.display(),
                    segments.place()
                ));
            }
            Err(error) => return Err(error),
        }
    }
    let directory = state.run(run);
    std::fs::create_dir_all(&directory)
        .map_err(|error| JournalError::of_create(&directory.display().to_string(), error))?;
    SharedStore::open(segments, SqliteStore::create(&path)?)
}

/// This machine's journal of a run, without a bucket. Where it is a copy, whoever drives the run elsewhere
/// sees nothing of what is posted here; and driving it from here takes a person's word (`hold`).
fn alone(state: &StateDir, run: &RunId) -> Result<SqliteStore, JournalError> {
    let store = SqliteStore::open(&state.journal(run))?;
    if let Some(place) = copy_of(&store)? {
        out::progress(&format!(
            "run {run}: this machine has a copy of {place}; who drives the run there sees nothing of \
             what is done here"
        ));
    }
    Ok(store)
}

/// Moves a damaged copy away, with the files that SQLite keeps beside it.
fn set_aside(path: &Path) -> Result<PathBuf, JournalError> {
    let with = |path: &Path, end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let mut names = (1..).map(|number: u64| match number {
        1 => with(path, ".damaged"),
        _ => with(path, &format!(".damaged-{number}")),
    });
    let aside = names.find(|name| !name.exists()).expect("names never end");
    for end in ["-wal", "-shm", ""] {
        let from = with(path, end);
        if from.exists() {
            std::fs::rename(&from, with(&aside, end))
                .map_err(|error| JournalError::of_create(&from.display().to_string(), error))?;
        }
    }
    Ok(aside)
}

/// Whether this machine's copy has the run's end: nothing follows it.
fn has_ended(state: &StateDir, run: &RunId) -> bool {
    let copy = SqliteStore::open_read_only(&state.journal(run)).and_then(|copy| copy.load());
    let is_end = |one: &StoredRecord| one.kind == "run_finished";
    copy.is_ok_and(|records| records.iter().any(is_end))
}
