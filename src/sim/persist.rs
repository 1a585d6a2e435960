//! Keeps a world in a directory: `world.json`, replaced whole, and `mutations.jsonl`, appended.
//!
//! **Invariant:** `world.json` is always one whole world. The log is written first and cut back to
//! the world's own count when it is read, so a kill between the two leaves no trace. Whoever opened the
//! world last may write it, and nobody else.

use crate::estate::{Environment, Estate};
use crate::sim::api::{MutationRecord, SimError};
use crate::sim::state::{WORLD_VERSION, World};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Worlds opened by this process, to tell them apart.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// How hard a save tries to reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Sync {
    /// Survives a power cut: for changes.
    Durable,
    /// Survives a killed process: for mere passing of time.
    Quick,
}

/// A directory with a world.
#[derive(Debug)]
pub(in crate::sim) struct Store {
    dir: PathBuf,
    /// Lines of the log that are on disk and count.
    logged: usize,
    /// What stands in the directory as long as nobody else has opened the world.
    opened_by: String,
}

impl Store {
    /// The store in `dir`, which is created.
    pub(in crate::sim) fn new(dir: &Path) -> Result<Self, SimError> {
        fs::create_dir_all(dir).map_err(|source| failed("create", dir, source))?;
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let opened_by = format!("process {}, {number}", std::process::id());
        let store = Self { dir: dir.to_owned(), logged: 0, opened_by };
        let path = store.owner_path();
        fs::write(&path, &store.opened_by).map_err(|source| failed("write", &path, source))?;
        Ok(store)
    }

    fn owner_path(&self) -> PathBuf {
        self.dir.join("opened-by")
    }

    /// Refuses to write what somebody else has opened meanwhile: a process that hung and was taken over
    /// must not put its old world over the new one.
    fn check_owner(&self) -> Result<(), SimError> {
        let path = self.owner_path();
        match fs::read_to_string(&path) {
            Ok(text) if text == self.opened_by => Ok(()),
            Ok(by) => Err(SimError::Taken { path: self.world_path(), by }),
            // Nobody has opened it since; what keeps it from being written is said by the writing.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(failed("read", &path, source)),
        }
    }

    fn world_path(&self) -> PathBuf {
        self.dir.join("world.json")
    }

    fn log_path(&self) -> PathBuf {
        self.dir.join("mutations.jsonl")
    }

    /// The world in the directory, if there is one, and its log.
    pub(in crate::sim) fn load(
        &mut self,
    ) -> Result<Option<(World, Vec<MutationRecord>)>, SimError> {
        let path = self.world_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.cut_log(0)?;
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(corrupt(&path, &error));
            }
            Err(error) => return Err(failed("read", &path, error)),
        };
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| corrupt(&path, &error))?;
        let found = value["version"].as_u64().unwrap_or(0);
        if found != WORLD_VERSION {
            return Err(SimError::Version { path, found, expected: WORLD_VERSION });
        }
        let world: World = serde_json::from_value(value).map_err(|error| corrupt(&path, &error))?;
        let log = self.load_log(world.mutations)?;
        self.logged = log.len();
        Ok(Some((world, log)))
    }

    fn load_log(&self, count: u64) -> Result<Vec<MutationRecord>, SimError> {
        let path = self.log_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed("read", &path, error)),
        };
        let (mut log, mut bytes) = (Vec::new(), 0_u64);
        for line in text.split_inclusive('\n').take(usize::try_from(count).unwrap_or(usize::MAX)) {
            log.push(serde_json::from_str(line).map_err(|error| corrupt(&path, &error))?);
            bytes += line.len() as u64;
        }
        if log.len() as u64 != count {
            let reason = format!("{} of {count} mutations are in it", log.len());
            return Err(SimError::Corrupt { path, reason });
        }
        // Lines past the world's count belong to a change that never became part of it.
        self.cut_log(bytes)?;
        Ok(log)
    }

    fn cut_log(&self, bytes: u64) -> Result<(), SimError> {
        let path = self.log_path();
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.set_len(bytes).map_err(|source| failed("cut", &path, source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("open", &path, error)),
        }
    }

    /// Refuses a world that was made for something else.
    pub(in crate::sim) fn check(
        &self,
        world: &World,
        estate: &Estate,
        environment: &Environment,
        seed: Option<u64>,
    ) -> Result<(), SimError> {
        let differs = |what, found: &dyn ToString, wanted: &dyn ToString| {
            let (found, wanted) = (found.to_string(), wanted.to_string());
            if found == wanted {
                return Ok(());
            }
            Err(SimError::Mismatch { path: self.world_path(), what, found, wanted })
        };
        differs("estate", &world.estate, &estate.name)?;
        differs("account", &world.account, &environment.account)?;
        differs("seed", &world.seed, &seed.unwrap_or(world.seed))
    }

    /// Writes the world and what its log does not have on disk yet.
    pub(in crate::sim) fn save(
        &mut self,
        world: &World,
        log: &[MutationRecord],
        sync: Sync,
    ) -> Result<(), SimError> {
        self.check_owner()?;
        if self.logged < log.len() {
            self.append(log)?;
        }
        let path = self.world_path();
        let text = serde_json::to_vec(world).map_err(|error| corrupt(&path, &error))?;
        let temporary = self.dir.join("world.json.tmp");
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(&text)?;
            if sync == Sync::Quick {
                return fs::rename(&temporary, &path);
            }
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(|source| failed("write", &path, source))
    }

    fn append(&mut self, log: &[MutationRecord]) -> Result<(), SimError> {
        let path = self.log_path();
        let mut text = String::new();
        for record in &log[self.logged..] {
            let line = serde_json::to_string(record).map_err(|error| corrupt(&path, &error))?;
            text.push_str(&line);
            text.push('\n');
        }
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| failed("write", &path, source))?;
        self.logged = log.len();
        Ok(())
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> SimError {
    SimError::Io { action, path: path.to_owned(), source }
}

fn corrupt(path: &Path, reason: &dyn ToString) -> SimError {
    SimError::Corrupt { path: path.to_owned(), reason: reason.to_string() }
}
