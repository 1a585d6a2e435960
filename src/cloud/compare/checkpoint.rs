//! How far a comparison is, in a file, so that one that was stopped goes on.
//!
//! **Invariant:** what the file says is done was delivered, with all its differences; a file of another
//! comparison, or a damaged one, is refused and left as it is.

use super::class::{Difference, Totals};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

/// Version of the file.
const VERSION: u32 = 1;

/// Which comparison it is: every option that changes what is found, by name.
pub type Identity = BTreeMap<String, String>;

/// What a file says is left.
#[derive(Debug)]
pub struct Left {
    /// Ranges of keys: behind which key, up to which.
    pub ranges: Vec<(String, Option<String>)>,
    /// What was counted.
    pub totals: Totals,
    /// What differs of that.
    pub differences: Vec<Difference>,
    /// When it was written down, milliseconds since 1970.
    pub saved_ms: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    schema_version: u32,
    comparison: Identity,
    saved_ms: i64,
    totals: Totals,
    left: Vec<(String, Option<String>)>,
    /// Bytes of the file of differences that belong to it.
    differences: u64,
}

/// Writes the file of one comparison, and beside it one with a line for each difference.
#[derive(Debug)]
pub struct Keeper {
    path: PathBuf,
    identity: Identity,
    clock: crate::base::clock::Clock,
    lines: File,
    bytes: u64,
}

/// Why a file is not taken up.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is of another comparison.
    #[error(
        "{path} is the checkpoint of another comparison: {what}; name another file, or remove it"
    )]
    Other {
        /// The file.
        path: String,
        /// What differs.
        what: String,
    },
    /// It cannot be read.
    #[error("{path} is no checkpoint: {why}; name another file, or remove it")]
    Damaged {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The file system says no.
    #[error("checkpoint {path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl Keeper {
    /// Opens the file of a comparison; gives what is left to do, where it has something.
    ///
    /// # Errors
    /// It is of another comparison, damaged, or cannot be written.
    pub fn open(
        path: &Path,
        identity: Identity,
        clock: crate::base::clock::Clock,
    ) -> Result<(Self, Option<Left>), CheckpointError> {
        let name = path.display().to_string();
        let io = |error| CheckpointError::Io { path: name.clone(), error };
        let damaged = |why: String| CheckpointError::Damaged { path: name.clone(), why };
        let stored = match fs::read(path) {
            Ok(bytes) => {
                let read: Result<Stored, _> = serde_json::from_slice(&bytes);
                Some(read.map_err(|error| damaged(error.to_string()))?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        if let Some(stored) = &stored {
            if stored.schema_version != VERSION {
                return Err(damaged(format!("its version is {}", stored.schema_version)));
            }
            if let Some(what) = unlike(&stored.comparison, &identity) {
                return Err(CheckpointError::Other { path: name, what });
            }
        }
        let bytes = stored.as_ref().map_or(0, |stored| stored.differences);
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut lines = options.open(beside(path)).map_err(io)?;
        let there = lines.metadata().map_err(io)?.len();
        if there < bytes {
            let why = format!("the differences beside it are {there} bytes, not {bytes}");
            return Err(damaged(why));
        }
        // What follows was written after the file was, and is found again.
        lines.set_len(bytes).map_err(io)?;
        let differences = read(&mut lines).map_err(|error| damaged(error.to_string()))?;
        let left = stored.map(|stored| Left {
            ranges: stored.left,
            totals: stored.totals,
            differences,
            saved_ms: stored.saved_ms,
        });
        Ok((Self { path: path.to_owned(), identity, clock, lines, bytes }, left))
    }

    /// Takes up differences that were found.
    pub(super) fn append(&mut self, differences: &[Difference]) -> io::Result<()> {
        if differences.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for difference in differences {
            serde_json::to_writer(&mut text, difference)?;
            text.push(b'\n');
        }
        self.lines.write_all(&text)?;
        self.bytes += text.len() as u64;
        Ok(())
    }

    /// Writes down what is left.
    pub(super) fn save(
        &mut self,
        left: Vec<(String, Option<String>)>,
        totals: Totals,
    ) -> io::Result<()> {
        self.lines.sync_data()?;
        let stored = Stored {
            schema_version: VERSION,
            comparison: self.identity.clone(),
            saved_ms: self.clock.now().timestamp_millis(),
            totals,
            left,
            differences: self.bytes,
        };
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&stored)?)?;
        file.sync_data()?;
        fs::rename(new, &self.path)
    }

    /// The comparison is done: nothing is left to be taken up.
    pub(super) fn remove(self) -> io::Result<()> {
        for path in [self.path.clone(), beside(&self.path)] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".differences");
    PathBuf::from(name)
}

fn read(lines: &mut File) -> io::Result<Vec<Difference>> {
    let mut found = Vec::new();
    let mut reader = BufReader::new(&mut *lines);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        found.push(serde_json::from_str(&line)?);
        line.clear();
    }
    Ok(found)
}

/// The first thing that two comparisons do otherwise.
fn unlike(stored: &Identity, wanted: &Identity) -> Option<String> {
    let names = stored.keys().chain(wanted.keys());
    let mut other = names.filter(|name| stored.get(*name) != wanted.get(*name));
    let name = other.next()?;
    let text =
        |of: &Identity| of.get(name).map_or_else(|| "not set".to_owned(), |v| format!("`{v}`"));
    Some(format!("its {name} is {}, not {}", text(stored), text(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::cloud::compare::class::Class;

    fn identity(source: &str) -> Identity {
        [("source".to_owned(), source.to_owned())].into()
    }

    fn difference(key: &str) -> Difference {
        let (class, how) = (Class::Extra, "x".into());
        let (source, destination, status) = (None, None, None);
        Difference { key: key.to_owned(), class, how, source, destination, status }
    }

    #[test]
    fn what_was_saved_is_taken_up_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("c.json");
        let open = |source| Keeper::open(&path, identity(source), Clock::real());
        let (mut keeper, left) = open("a").expect("new");
        assert!(left.is_none());
        keeper.append(&[difference("1"), difference("2")]).expect("room");
        let totals = Totals { equal: 5, ..Totals::default() };
        let ranges = vec![("k\n".to_owned(), None)];
        keeper.save(ranges.clone(), totals.clone()).expect("room");
        keeper.append(&[difference("after the save")]).expect("room");
        drop(keeper);
        let (keeper, left) = open("a").expect("the same");
        let left = left.expect("something");
        assert_eq!((left.ranges, left.totals), (ranges, totals));
        assert_eq!(left.differences, [difference("1"), difference("2")]);
        let error = open("b").expect_err("another").to_string();
        assert!(error.contains("its source is `a`, not `b`"), "{error}");
        keeper.remove().expect("gone");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 0);
        fs::write(&path, "{\"schema_version\": 1}").expect("room");
        let error = open("a").expect_err("damaged").to_string();
        assert!(error.contains("is no checkpoint"), "{error}");
    }
}
