//! Takes a run's lease: one process drives a run at a time.
//!
//! **Invariant:** whoever drove the run is dead, has an expired lease, or was fenced on a person's word
//! before anybody else drives it.

use crate::base::clock::{Clock, format_instant, later, parse_instant};
use crate::base::duration::{self, human};
use crate::base::ids::RunId;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::lock::{Lock, Tried, holder, is_held, named, remembers};
use crate::cli::out;
use crate::cli::state::StateDir;
use crate::journal::shared::{copy_of, go_on_alone};
use crate::journal::{Fence, JournalError, Lease, Store, Takeover};
use crate::runner::LEASE;
use chrono::{DateTime, Utc};
use std::path::Path;
use std::time::Duration;

/// Variable that says how long a lease lasts without being renewed.
const LEASE_VARIABLE: &str = "DRCTL_LEASE";

/// Shortest and longest lease that is taken: renewals take their time, and a machine that is gone must
/// not keep a run for a day.
const LEASES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(3_600)];

/// How long a fenced process is given to let go of the simulated world. It looks every second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Note of a journal: each process that drove the run, and since when.
const PROCESS: &str = "process";

/// Between the two in such a note.
const SINCE: &str = " since ";

/// Between two looks at a lock.
const LOOK: Duration = Duration::from_millis(100);

/// A run that this process drives.
#[derive(Debug)]
pub(super) struct Hold {
    /// Keeps other processes of this machine out.
    pub lock: Lock,
    /// Keeps all others out.
    pub fence: Fence,
    /// The process that drove it and still lives: fenced, on its way to notice it.
    pub fenced: Option<String>,
}

/// Who drives a run, in whatever process and on whatever machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Driver {
    /// How its process is called.
    pub holder: String,
    /// Since when; `None` when an older version did not say.
    pub since: Option<DateTime<Utc>>,
    /// Until when nobody else may have the run, unless it is renewed.
    pub until: DateTime<Utc>,
}

impl Driver {
    /// Whether it has not renewed its lease in time: it hangs, or is cut off.
    pub(super) fn hangs(&self) -> bool {
        self.until <= Clock::real().now()
    }
}

/// Who has the run's lease, which may have expired; `None` when nobody has.
///
/// # Errors
/// The journal cannot be read.
pub(super) fn driver(store: &dyn Store) -> Result<Option<Driver>, JournalError> {
    let Some(Lease { holder, expires_at: until, .. }) = store.lease()? else { return Ok(None) };
    let began = format!("{holder}{SINCE}");
    let notes = store.notes()?;
    let said = notes.iter().rev().filter(|note| note.key == PROCESS);
    let since = said.filter_map(|note| parse_instant(note.value.strip_prefix(&began)?)).next();
    Ok(Some(Driver { holder, since, until }))
}

/// Who drives the run now: a process of this machine that lives, or one of another whose lease has not
/// expired.
///
/// # Errors
/// The journal cannot be read.
pub(super) fn driven(
    state: &StateDir,
    run: &RunId,
    store: &dyn Store,
) -> Result<Option<Driver>, JournalError> {
    let path = state.run(run).join("lock");
    let (leased, now) = (driver(store)?, Clock::real().now());
    if is_held(&path) {
        // Between its lock and its lease it has no other name.
        let locked = || Driver { holder: named(&path), since: None, until: later(now, LEASE) };
        return Ok(Some(leased.unwrap_or_else(locked)));
    }
    // Without the lock every process of this machine that ever had it is dead.
    Ok(leased.filter(|leased| leased.until > now && !remembers(&path, &leased.holder)))
}

/// How long a lease lasts without being renewed.
///
/// # Errors
/// The variable says something that is no such time.
pub(super) fn lease_time() -> Result<Duration, CommandError> {
    let Some(text) = std::env::var(LEASE_VARIABLE).ok().filter(|text| !text.is_empty()) else {
        return Ok(LEASE);
    };
    let [least, most] = LEASES;
    let wrong = |why: String| {
        CommandError::usage(format!("{LEASE_VARIABLE}={text}: {why}"))
            .help(format!("write for example {LEASE_VARIABLE}=60s"))
    };
    let found = duration::parse(&text).map_err(wrong)?;
    if (least..=most).contains(&found) {
        return Ok(found);
    }
    Err(wrong(format!("a lease lasts between {} and {}", human(least), human(most))))
}

/// Takes the lease of `run` for this process. A process of this machine that died lost it with its file
/// lock; one that hangs loses it when its lease expires; any other only to `take_over`.
///
/// # Errors
/// Somebody drives the run (exit code 16: who, since when, until when), or the journal cannot be written.
pub(super) fn hold(
    state: &StateDir,
    run: &RunId,
    store: &mut dyn Store,
    take_over: bool,
) -> Result<Hold, CommandError> {
    let path = state.run(run).join("lock");
    let (us, now, ttl) = (holder(), Clock::real().now(), lease_time()?);
    let copied = copy_of(store)?;
    if let Some(place) = copied.as_ref().filter(|_| !take_over) {
        return Err(only_a_copy(run, store.place(), place));
    }
    let lease = store.lease()?;
    let (lock, died, living) = match Lock::attempt(&path, &us)? {
        Tried::Ours { lock, before } => {
            // It held the file lock as well, and the system takes that from the dead only.
            let died = lease.as_ref().is_some_and(|lease| before.contains(&lease.holder));
            (Some(lock), died, None)
        }
        Tried::Held(by) => {
            let hangs = lease.as_ref().is_some_and(|lease| lease.expires_at <= now);
            if !take_over && !hangs {
                return Err(refused(run, &by, driver(store)?.as_ref()));
            }
            (None, false, Some(by))
        }
    };
    let takeover = match (take_over, died) {
        (true, _) => Takeover::Force,
        // A process of another state directory may have the same name, and lives.
        (false, true) => Takeover::Died,
        (false, false) => Takeover::IfExpired,
    };
    let fence = store.acquire(&us, now, ttl, takeover).map_err(|error| match error {
        JournalError::Held { ref holder, .. } => {
            refused(run, holder, driver(store).ok().flatten().as_ref())
        }
        other => other.into(),
    })?;
    if let Some(place) = copied {
        go_on_alone(store, &place)?;
        out::progress(&format!("run {run} goes on here, without its shared journal {place}"));
    }
    store.note(PROCESS, &format!("{us}{SINCE}{}", format_instant(now)))?;
    let lost = lease.filter(|lease| living.is_some() || (take_over && lease.holder != us));
    if let Some(lease) = lost {
        let (who, until) = (&lease.holder, format_instant(lease.expires_at));
        store.note("fenced", &format!("{who}, lease {} until {until}", lease.fence))?;
        out::progress(&format!("{who} no longer drives run {run}: it was fenced"));
    }
    let lock = match lock {
        Some(lock) => lock,
        None => Lock::replace(&path, &us)?,
    };
    Ok(Hold { lock, fence, fenced: living })
}

/// What somebody is told who would drive a run from a copy: whether another machine drives it, the shared
/// journal knows alone.
fn only_a_copy(run: &RunId, copy: &str, place: &str) -> CommandError {
    let message = format!("{copy} is a copy of the shared journal {place}, which was not asked");
    CommandError::new(Exit::Journal, message).help(format!(
        "set DRCTL_JOURNAL to the bucket and prefix of that journal; if it is lost and nobody else \
         drives the run, `drctl resume {run} --take-over` goes on with the copy"
    ))
}

/// What somebody is told who may not have a run.
fn refused(run: &RunId, by: &str, driver: Option<&Driver>) -> CommandError {
    let lasts = driver.filter(|driver| driver.holder == by).map(|driver| {
        let since = driver.since.map(|at| format!(" since {}", format_instant(at)));
        let until = format_instant(driver.until);
        format!("{}; its lease lasts until {until} and is renewed", since.unwrap_or_default())
    });
    let message = format!("run {run} is in use by {by}{}", lasts.unwrap_or_default());
    CommandError::new(Exit::Journal, message).help(format!(
        "watch it with `drctl status {run} --watch`, steer it with `drctl approve|pause|abort …`; if \
         that process hangs or its machine is gone, `drctl resume {run} --take-over` fences it"
    ))
}

/// What a process says that has lost its run.
pub(super) fn lost(run: &RunId, store: &dyn Store, error: JournalError) -> CommandError {
    let help = match &error {
        JournalError::Fenced { .. } => "this process changes nothing any more",
        _ => "nothing was done that is not recorded",
    };
    let now_with = match (&error, driver(store)) {
        (JournalError::Fenced { .. }, Ok(Some(Driver { holder, since, .. }))) => {
            let since = since.map(|at| format!(" at {}", format_instant(at))).unwrap_or_default();
            Some(format!("run {run} was taken over by {holder}{since}; this process has stopped"))
        }
        _ => None,
    };
    match now_with {
        Some(message) => CommandError::new(Exit::Journal, message)
            .help(format!("{help}; `drctl status {run} --watch` shows how it goes on")),
        None => CommandError::from(error).help(format!("{help}; `drctl resume {run}`")),
    }
}

/// The lock of a simulated world, once the fenced process `from` has let go of it; a process that hangs
/// loses it, and can write nothing into the world any more.
///
/// # Errors
/// Another process than the fenced one uses the world (exit code 16).
pub(super) async fn take_world(path: &Path, from: &str) -> Result<Lock, CommandError> {
    let (us, clock) = (holder(), Clock::real());
    loop {
        match Lock::attempt(path, &us)? {
            Tried::Ours { lock, .. } => return Ok(lock),
            Tried::Held(by) if by != from => {
                return Lock::take(path, "this simulated world", &us);
            }
            Tried::Held(by) if clock.elapsed() >= PATIENCE => {
                out::progress(&format!(
                    "{by} does not answer: the simulated world is taken from it"
                ));
                return Lock::replace(path, &us);
            }
            Tried::Held(_) => clock.sleep(LOOK).await,
        }
    }
}

#[cfg(test)]
mod tests;
