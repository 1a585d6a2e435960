//! The files of this project, as a fresh clone has them.
//!
//! **Invariant:** nothing that a build or a run leaves behind is looked at.

use std::path::{Path, PathBuf};

/// Directories that are not part of the project.
const NOT_OURS: [&str; 5] = [".git", "target", ".state", ".venv", "__pycache__"];

/// A text file, with its path relative to the root and `/` between its parts.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The project's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One file of the project.
pub(crate) fn read(path: &str) -> String {
    let full = root().join(path);
    std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All text files whose path ends with `ending`, sorted by path.
pub(crate) fn files(ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(&root(), &mut found);
    found.retain(|file| file.path.ends_with(ending));
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file ends with {ending}: is the tree complete?");
    found
}

fn collect(directory: &Path, found: &mut Vec<File>) {
    let entries = std::fs::read_dir(directory).expect("the tree can be read");
    for entry in entries {
        let path = entry.expect("the tree can be read").path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if name.is_some_and(|name| NOT_OURS.contains(&name.as_str())) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let relative = path.strip_prefix(root()).expect("below the root");
            let path = relative.to_string_lossy().replace('\\', "/");
            found.push(File { path, text });
        }
    }
}
