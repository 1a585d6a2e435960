//! The state directory: where runs, simulated worlds and reports are kept.
//!
//! **Invariant:** `DRCTL_STATE_DIR` wins over the configuration, which wins over the XDG directory.

use crate::base::ids::RunId;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::journal::index::journal_path;
use std::path::{Path, PathBuf};

/// The state directory of this user or project.
#[derive(Debug, Clone)]
pub(super) struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Finds the directory; `configured` is the configuration's `state_dir`.
    pub(super) fn locate(configured: Option<&Path>) -> Result<Self, CommandError> {
        let variable = |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        let root = variable("DRCTL_STATE_DIR")
            .or_else(|| configured.map(Path::to_path_buf))
            .or_else(|| variable("XDG_STATE_HOME").map(|dir| dir.join("drctl")))
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/drctl")))
            .ok_or_else(|| {
                CommandError::usage(
                    "no place for state: neither DRCTL_STATE_DIR, XDG_STATE_HOME nor HOME is set",
                )
                .help("export DRCTL_STATE_DIR=/path/to/a/directory")
            })?;
        Ok(Self { root })
    }

    /// The directory at `root`.
    #[cfg(test)]
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of one run.
    pub(super) fn run(&self, run: &RunId) -> PathBuf {
        self.root.join("runs").join(run.as_str())
    }

    /// The journal of one run.
    pub(super) fn journal(&self, run: &RunId) -> PathBuf {
        journal_path(&self.root, run)
    }

    /// The original of a stored plan, to compare with the copy that is to be run.
    pub(super) fn plan(&self, run: &RunId) -> PathBuf {
        self.root.join("plans").join(format!("{run}.json"))
    }

    /// The simulated world of one environment of one estate.
    pub(super) fn world(&self, estate: &str, environment: &str) -> PathBuf {
        self.root.join("worlds").join(format!("{estate}-{environment}"))
    }

    /// A simulated world of a run's own, by the name that its journal notes.
    pub(super) fn own_world(&self, name: &str) -> PathBuf {
        self.root.join("worlds").join(name)
    }

    /// Makes the directory of a new world for `drill`, which nothing has happened in, and gives its name.
    ///
    /// # Errors
    /// The directory cannot be made (exit code 16).
    pub(super) fn fresh_world(
        &self,
        (estate, environment): (&str, &str),
        drill: &str,
    ) -> Result<String, CommandError> {
        self.create(&self.root.join("worlds"))?;
        let mut number = 1_u32;
        loop {
            let name = format!("{estate}-{environment}.{drill}.{number}");
            let path = self.own_world(&name);
            match std::fs::create_dir(&path) {
                Ok(()) => return Ok(name),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => {
                    let message = format!("cannot create {}: {error}", path.display());
                    return Err(CommandError::new(Exit::Journal, message)
                        .help("set DRCTL_STATE_DIR to a directory that can be written"));
                }
            }
        }
    }

    /// Removes a world of a run's own that nobody needs any more; what cannot be removed stays.
    pub(super) fn forget_world(&self, name: &str) {
        if let Err(error) = std::fs::remove_dir_all(self.own_world(name)) {
            tracing::warn!(%error, name, "a simulated world that is over cannot be removed");
        }
    }

    /// The concurrency key's lock file: one run of one drill and target at a time.
    pub(super) fn lock(&self, key: &str) -> PathBuf {
        self.root.join("locks").join(format!("{key}.lock"))
    }

    /// Makes a directory below this one.
    ///
    /// # Errors
    /// The directory cannot be made: read-only, full, or not ours (exit code 16).
    pub(super) fn create(&self, directory: &Path) -> Result<(), CommandError> {
        std::fs::create_dir_all(directory).map_err(|error| {
            CommandError::new(
                Exit::Journal,
                format!("cannot create {}: {error}", directory.display()),
            )
            .help("set DRCTL_STATE_DIR to a directory that can be written")
        })
    }
}
