//! File locks between processes on this machine: one run of one drill, one user of one world.
//!
//! **Invariant:** the operating system releases a lock when its process dies, however it dies; a lock that
//! was replaced is worth nothing to the process that held it.

use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::person::operator;
use crate::cli::state::StateDir;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Earlier holders that a lock file keeps, newest first: enough to know a dead one's lease again.
const REMEMBERED: usize = 8;

/// A held lock; dropping it releases it.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// What came of trying for a lock.
#[derive(Debug)]
pub(super) enum Tried {
    /// It is ours now. `before` held it earlier, newest first: none of them lives.
    Ours {
        /// The lock.
        lock: Lock,
        /// How they were called.
        before: Vec<String>,
    },
    /// A process that lives holds it: how it is called.
    Held(String),
}

impl Lock {
    /// Takes the lock at `path`; `what` names what is locked, `holder` is written into the file.
    ///
    /// # Errors
    /// Another process holds it (exit code 16, with the holder's own words), or the file cannot be made.
    pub(super) fn take(path: &Path, what: &str, holder: &str) -> Result<Self, CommandError> {
        match Self::attempt(path, holder)? {
            Tried::Ours { lock, .. } => Ok(lock),
            Tried::Held(by) => {
                Err(CommandError::new(Exit::Journal, format!("{what} is in use by {by}")).help(
                    "wait for it, or stop that process; a run that was stopped can be resumed",
                ))
            }
        }
    }

    /// Takes the lock of a drill of this name on one estate in one environment.
    ///
    /// # Errors
    /// As with [`Self::take`].
    pub(super) fn of_drill(
        state: &StateDir,
        name: &str,
        (estate, environment): (&str, &str),
    ) -> Result<Self, CommandError> {
        let what = format!("drill `{name}` in `{environment}`");
        let key = format!("{name}-{estate}-{environment}");
        Self::take(&state.lock(&key), &what, &holder())
    }

    /// Takes the lock at `path` unless a process holds it; `holder` is written into the file.
    ///
    /// # Errors
    /// The file cannot be made or written (exit code 16).
    pub(super) fn attempt(path: &Path, holder: &str) -> Result<Tried, CommandError> {
        let failed = failed_at(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        loop {
            let mut file = File::options()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(path)
                .map_err(failed)?;
            match file.try_lock() {
                // Somebody may have put another file here since it was opened.
                Ok(()) if !is_at(&file, path) => {}
                Ok(()) => {
                    let before = holders(&mut file);
                    write_holders(&mut file, holder, &before).map_err(failed)?;
                    return Ok(Tried::Ours { lock: Self { _file: file }, before });
                }
                Err(TryLockError::WouldBlock) => {
                    let by = holders(&mut file).into_iter().next();
                    return Ok(Tried::Held(by.unwrap_or_else(|| "another process".to_owned())));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// Takes the lock at `path` from whoever holds it: a file of our own comes in place of theirs. For
    /// what has been fenced by other means: the process that held it keeps running.
    ///
    /// # Errors
    /// The file cannot be made or written (exit code 16).
    pub(super) fn replace(path: &Path, holder: &str) -> Result<Self, CommandError> {
        let failed = failed_at(path);
        let ours = path.with_extension(format!("{}.new", std::process::id()));
        let options = |file: &mut std::fs::OpenOptions| file.create(true).truncate(true).clone();
        let mut file =
            options(File::options().read(true).write(true)).open(&ours).map_err(failed)?;
        file.lock().map_err(failed)?;
        write_holders(&mut file, holder, &[]).map_err(failed)?;
        std::fs::rename(&ours, path).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

fn failed_at(path: &Path) -> impl Fn(std::io::Error) -> CommandError + Copy {
    move |error| {
        CommandError::new(Exit::Journal, format!("cannot lock {}: {error}", path.display()))
            .help("set DRCTL_STATE_DIR to a directory that can be written")
    }
}

/// Whether `file` is what `path` names.
fn is_at(file: &File, path: &Path) -> bool {
    let same =
        |a: std::fs::Metadata, b: std::fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    let both = file.metadata().ok().zip(std::fs::metadata(path).ok());
    both.is_some_and(|(held, named)| same(held, named))
}

/// The holders that a lock file names, newest first.
fn holders(file: &mut File) -> Vec<String> {
    let mut text = String::new();
    if file.rewind().and_then(|()| file.read_to_string(&mut text)).is_err() {
        return Vec::new();
    }
    let lines = text.lines().map(|line| line.trim().to_owned());
    lines.filter(|line| !line.is_empty()).take(REMEMBERED).collect()
}

fn write_holders(file: &mut File, holder: &str, before: &[String]) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    let mut lines = vec![holder];
    lines.extend(before.iter().map(String::as_str).filter(|line| *line != holder));
    lines.truncate(REMEMBERED);
    writeln!(file, "{}", lines.join("\n"))
}

/// Whether a process holds the lock at `path`; nothing is made or written.
pub(super) fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// How the process is called that holds the lock at `path` or held it last.
pub(super) fn named(path: &Path) -> String {
    let last = File::open(path).ok().and_then(|mut file| holders(&mut file).into_iter().next());
    last.unwrap_or_else(|| "another process".to_owned())
}

/// Whether the lock file at `path` names `holder`, now or earlier.
pub(super) fn remembers(path: &Path, holder: &str) -> bool {
    File::open(path).is_ok_and(|mut file| holders(&mut file).iter().any(|one| one == holder))
}

/// How this process is called in lock files and leases: one line with process, host and person.
pub(super) fn holder() -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let text = format!("process {} on {host} ({})", std::process::id(), operator());
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(tried: Tried) -> (Lock, Vec<String>) {
        match tried {
            Tried::Ours { lock, before } => (lock, before),
            Tried::Held(by) => panic!("held by {by}"),
        }
    }

    #[test]
    fn a_lock_names_its_holder_and_remembers_the_dead() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("below/lock");
        let (first, before) = ours(Lock::attempt(&path, "process 1").unwrap());
        assert_eq!(before, Vec::<String>::new());
        assert!(is_held(&path));
        let refused = Lock::take(&path, "run x", "process 2").unwrap_err();
        assert_eq!(refused.exit, Exit::Journal);
        assert!(refused.to_string().contains("run x is in use by process 1"), "{refused}");
        drop(first);
        assert!(!is_held(&path));
        let (second, before) = ours(Lock::attempt(&path, "process 2").unwrap());
        assert_eq!(before, ["process 1"]);
        drop(second);
        for number in 3..20 {
            drop(ours(Lock::attempt(&path, &format!("process {number}")).unwrap()));
        }
        let (_last, before) = ours(Lock::attempt(&path, "process 20").unwrap());
        assert_eq!((before.len(), before[0].as_str()), (REMEMBERED, "process 19"));
    }

    #[test]
    fn a_replaced_lock_belongs_to_whoever_replaced_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let (hung, _) = ours(Lock::attempt(&path, "process 1").unwrap());
        let taken = Lock::replace(&path, "process 2").unwrap();
        // The dead are remembered, and process 1 is not dead.
        let Tried::Held(by) = Lock::attempt(&path, "process 3").unwrap() else { panic!("free") };
        assert_eq!(by, "process 2");
        drop(hung);
        assert!(is_held(&path), "what the hung process lets go of is nobody's");
        drop(taken);
        assert_eq!(ours(Lock::attempt(&path, "process 3").unwrap()).1, ["process 2"]);
    }

    #[test]
    fn a_holder_is_one_line_with_process_host_and_person() {
        let text = holder();
        assert!(text.starts_with(&format!("process {} on ", std::process::id())), "{text}");
        assert!(text.ends_with(')') && text.lines().count() == 1, "{text}");
    }
}
