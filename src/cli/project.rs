//! Finds runbooks, drills and estates: in the project's directories, else the ones shipped in the
//! binary.
//!
//! **Invariant:** a file of the project wins over a shipped one of the same name, and which one was used
//! is always shown.

use crate::base::diagnostic::{Problems, Span, nearest};
use crate::base::yaml::{MAX_BYTES, decode, too_large};
use crate::cli::config::{self, Config};
use crate::cli::error::CommandError;
use crate::cli::shipped::shipped;
use crate::runbook::{Library, Text};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What kind of file is looked for, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// `runbooks/`.
    Runbook,
    /// `drills/`.
    Drill,
    /// `localstack/estates/`, `estates/`.
    Estate,
}

impl FileKind {
    fn directories(self) -> &'static [&'static str] {
        match self {
            Self::Runbook => &["runbooks"],
            Self::Drill => &["drills"],
            Self::Estate => &["estates", "localstack/estates"],
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Runbook => "runbook",
            Self::Drill => "drill",
            Self::Estate => "estate",
        }
    }
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Name for messages: a path, or `(shipped) drills/restore-db.yaml`.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// The directory that relative names are looked up in.
#[derive(Debug, Clone)]
pub(super) struct Project {
    root: PathBuf,
}

impl Project {
    /// The nearest directory upwards that has `drctl.yaml`, `runbooks/` or `drills/`, else the current one.
    pub(super) fn locate() -> Self {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        let has = |dir: &Path| {
            ["drctl.yaml", "runbooks", "drills"].iter().any(|name| dir.join(name).exists())
        };
        let root = here.ancestors().find(|dir| has(dir)).unwrap_or(&here).to_path_buf();
        Self { root }
    }

    /// The project at `root`, wherever the current directory is.
    pub(super) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory itself.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The project's configuration: `drctl.yaml`, or nothing configured without one.
    ///
    /// # Errors
    /// The file cannot be read or has problems.
    pub(super) fn config(&self) -> Result<Config, CommandError> {
        let path = self.root.join("drctl.yaml");
        if !path.exists() {
            return Ok(Config::default());
        }
        let found = read_file(&path)??;
        Ok(config::load(&self.root, &found.file, &found.text)?)
    }

    /// Reads the file called `name`, which may also be a path to a YAML file.
    ///
    /// # Errors
    /// Nothing has that name (with the nearest one that exists), or the file cannot be read.
    pub(super) fn read(&self, kind: FileKind, name: &str) -> Result<Found, CommandError> {
        Ok(self.examine(kind, name)??)
    }

    /// As [`Self::read`], with what keeps a file that is there from being read apart.
    ///
    /// # Errors
    /// Nothing has that name (with the nearest one that exists), or the system refuses to read it.
    pub(super) fn examine(
        &self,
        kind: FileKind,
        name: &str,
    ) -> Result<Result<Found, Problems>, CommandError> {
        if Path::new(name).extension().is_some() {
            return read_file(Path::new(name));
        }
        for directory in kind.directories() {
            let path = self.root.join(directory).join(format!("{name}.yaml"));
            if path.is_file() {
                return read_file(&path);
            }
        }
        if let Some((_, text)) = shipped(kind).iter().find(|(shipped, _)| *shipped == name) {
            let file = format!("(shipped) {}/{name}.yaml", kind.directories()[0]);
            return Ok(Ok(Found { file, text: (*text).to_owned() }));
        }
        let names = self.names(kind);
        let near = nearest(name, names.iter().map(String::as_str));
        let listed = names.iter().cloned().collect::<Vec<_>>().join(", ");
        Err(CommandError::usage(format!("there is no {} called `{name}`", kind.noun())).help(
            match near {
                Some(near) => format!("did you mean `{near}`? There are: {listed}"),
                None => format!("there are: {listed}; or give the path of a YAML file"),
            },
        ))
    }

    /// The estate that is meant when none is named: the project's only one, else the shipped one.
    pub(super) fn default_estate(&self) -> String {
        let own = self.own_names(FileKind::Estate);
        let only = if own.len() == 1 { own.into_iter().next() } else { None };
        only.unwrap_or_else(|| "techcorp".to_owned())
    }

    /// Whether commands find the file at `path` by its name, as one of this kind.
    pub(super) fn finds(&self, kind: FileKind, path: &Path) -> bool {
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let place =
            path.parent().map(|it| if it.as_os_str().is_empty() { Path::new(".") } else { it });
        place.and_then(real).is_some_and(|place| {
            let mut directories = kind.directories().iter();
            directories.any(|it| real(&self.root.join(it)).is_some_and(|it| it == place))
        })
    }

    /// All names of a kind, sorted.
    pub(super) fn names(&self, kind: FileKind) -> BTreeSet<String> {
        let shipped = shipped(kind).iter();
        let mut names: BTreeSet<String> = shipped.map(|(name, _)| (*name).to_owned()).collect();
        names.extend(self.own_names(kind));
        names
    }

    /// The names of a kind that are files of the project.
    fn own_names(&self, kind: FileKind) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for directory in kind.directories() {
            let Ok(entries) = std::fs::read_dir(self.root.join(directory)) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                if path.extension().is_some_and(|extension| extension == "yaml") {
                    names
                        .extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
                }
            }
        }
        names
    }
}

/// Reads a file as the runbook, drill, estate or configuration that it is.
fn read_file(path: &Path) -> Result<Result<Found, Problems>, CommandError> {
    let file = shown(path);
    Ok(match bytes_of(path, MAX_BYTES as u64)? {
        Ok(bytes) => decode(&file, bytes).map(|text| Found { file, text }),
        Err(Unfit::Large(bytes)) => Err(too_large(&file, bytes)),
        Err(Unfit::Irregular(what)) => {
            let mut problems = Problems::of(&file);
            problems
                .error("DR009", Span::default(), format!("it is {what}, not a regular file"))
                .help("give the path of a YAML file");
            Err(problems)
        }
    })
}

/// Reads a file that is no YAML and has at most `most` bytes.
///
/// # Errors
/// It is no regular file, is larger, or the system refuses to read it.
pub(super) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, CommandError> {
    bytes_of(path, most)?.map_err(|unfit| {
        let why = match unfit {
            Unfit::Large(bytes) => format!("it has {bytes} bytes; the limit is {most}"),
            Unfit::Irregular(what) => format!("it is {what}, not a regular file"),
        };
        CommandError::usage(format!("cannot read {}: {why}", path.display()))
    })
}

/// Why a file is not read.
enum Unfit {
    /// It has so many bytes.
    Large(u64),
    /// It is something else.
    Irregular(&'static str),
}

/// Reads a regular file of bounded size: a directory, a pipe or a device is refused before it is
/// opened, because opening or reading it may never end.
fn bytes_of(path: &Path, most: u64) -> Result<Result<Vec<u8>, Unfit>, CommandError> {
    let cannot = |error: std::io::Error| {
        CommandError::usage(format!("cannot read {}: {error}", path.display()))
    };
    let meta = std::fs::metadata(path).map_err(cannot)?;
    if meta.is_dir() {
        return Ok(Err(Unfit::Irregular("a directory")));
    }
    if !meta.is_file() {
        return Ok(Err(Unfit::Irregular("a pipe, a socket or a device")));
    }
    if meta.len() > most {
        return Ok(Err(Unfit::Large(meta.len())));
    }
    // The file may grow while it is read, and some of the system's say that they have no bytes.
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(cannot)?;
    opened.take(most + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(if bytes.len() as u64 > most { Err(Unfit::Large(bytes.len() as u64)) } else { Ok(bytes) })
}

/// The path relative to the current directory where that is shorter.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
impl Library for Project {
    fn runbook(&self, name: &str) -> Result<Text, String> {
        let found = self.read(FileKind::Runbook, name).map_err(|error| error.to_string())?;
        Ok(Text { file: found.file, text: found.text })
    }
}
