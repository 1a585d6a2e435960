//! Length of files, and the head that every module has.
//!
//! **Invariant:** functions are measured by clippy (`clippy.toml`), lines by rustfmt, files here.

use crate::expect_none;
use crate::source::is_test_file;
use crate::tree::{files, read, root};

/// Longer files hide a second concept.
const LINES: usize = 400;
/// The map stays a map.
const ARCHITECTURE_LINES: usize = 385;

fn check(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LINES {
        found.push(format!("{path}: {lines} lines, at most {LINES}: split it by concept"));
    }
    if !text.starts_with("//!") {
        found.push(format!("{path}: does not begin with `//!` and what it is for"));
    }
    let root = ["src/lib.rs", "src/main.rs"].contains(&path);
    let head = text.lines().take_while(|line| line.starts_with("//!"));
    if !root && !is_test_file(path) && !head.into_iter().any(|line| line.contains("**Invariant:**"))
    {
        found.push(format!("{path}: its `//!` head has no **Invariant:**"));
    }
    found
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let sources = files(".rs");
    let violations = sources.iter().flat_map(|file| check(&file.path, &file.text));
    expect_none("size and head", violations.collect());
}

#[test]
fn the_architecture_stays_a_map() {
    let lines = read("ARCHITECTURE.md").lines().count();
    assert!(lines <= ARCHITECTURE_LINES, "{lines} lines, at most {ARCHITECTURE_LINES}");
}

#[test]
fn functions_are_measured_by_clippy() {
    let settings = read("clippy.toml");
    assert!(settings.contains("too-many-lines-threshold = 70"), "{settings}");
    assert!(read("Cargo.toml").contains("too_many_lines = "), "the lint is off");
}

#[test]
fn no_test_file_is_forgotten() {
    let mut forgotten = Vec::new();
    for file in files(".rs").iter().filter(|file| file.path.starts_with("tests/")) {
        let parts: Vec<&str> = file.path.trim_end_matches(".rs").split('/').collect();
        let [_, binary, inside @ ..] = &parts[..] else { continue };
        let [name] = inside else { continue };
        let roots = [format!("tests/{binary}.rs"), format!("tests/{binary}/main.rs")];
        let declared = roots
            .iter()
            .filter(|path| root().join(path).is_file())
            .any(|path| *path == file.path || read(path).contains(&format!("mod {name};")));
        if !declared {
            forgotten.push(format!("{} is compiled by no test", file.path));
        }
    }
    expect_none("orphans", forgotten);
}

#[test]
fn finds_a_file_that_is_too_long() {
    let head = "//! What.\n//!\n//! **Invariant:** none.\n";
    let fits = head.to_owned() + &"\n".repeat(LINES - 3);
    assert!(check("src/base/x.rs", &fits).is_empty());
    assert_eq!(check("src/base/x.rs", &(fits + "\n")).len(), 1);
}

#[test]
fn finds_a_module_without_head_or_invariant() {
    assert_eq!(check("src/base/x.rs", "use std::fmt;\n").len(), 2);
    assert_eq!(check("src/base/x.rs", "//! What.\nfn f() {} // **Invariant:** no\n").len(), 1);
    assert!(check("tests/x.rs", "//! What.\n").is_empty());
}
