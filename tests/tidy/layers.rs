//! Who may import whom: the table in ARCHITECTURE.md against every path in `src`.
//!
//! **Invariant:** an import that this checker cannot read (a group at the crate's root, a glob, a path
//! through two parents) is itself a violation; otherwise a back edge could hide in it.

use crate::expect_none;
use crate::source::{code, code_without_tests, is_test_file, is_word};
use crate::tree::{files, read};
use std::collections::{BTreeMap, BTreeSet};

type Table = BTreeMap<String, BTreeSet<String>>;

/// Reads the table whose header ends with `may import`. A module may import only modules above it.
fn table(document: &str) -> Result<Table, String> {
    let mut rows = document.lines().skip_while(|line| !line.ends_with("| may import |"));
    rows.next().ok_or("no table with a column `may import`")?;
    let mut table = Table::new();
    for row in rows.skip(1).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [module, _, imports] = cells[..] else {
            return Err(format!("not three cells: {row}"));
        };
        let mut allowed = BTreeSet::new();
        for name in imports.split(',').map(|name| name.trim().trim_matches('`')) {
            match name {
                "–" => {}
                known if table.contains_key(known) => {
                    allowed.insert(known.to_owned());
                }
                other => return Err(format!("{module} imports `{other}`, which is not above it")),
            }
        }
        table.insert(module.trim_matches('`').to_owned(), allowed);
    }
    Ok(table)
}

/// The module that a file below `src` belongs to; the two roots belong to none.
fn module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let name = inside.split('/').next()?.trim_end_matches(".rs");
    (!["lib", "main"].contains(&name)).then_some(name)
}

/// All violations in one file.
fn check(table: &Table, path: &str, text: &str) -> Vec<String> {
    let Some(module) = module(path) else { return Vec::new() };
    let Some(allowed) = table.get(module) else {
        return vec![format!("{path}: module `{module}` is not in the layer table")];
    };
    let test = is_test_file(path);
    let code = if test { code(text) } else { code_without_tests(text) };
    let top = path.ends_with("/mod.rs") && path.matches('/').count() == 2;
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut report = |what: &str| found.push(format!("{path}:{}: {what}", number + 1));
        for root in ["crate::", "drctl::"] {
            for target in after(line, root) {
                match target {
                    "" => report("a group or glob at the crate's root hides its edges"),
                    // Tests may stand anywhere; only what they import must be readable.
                    _ if test || target == module || allowed.contains(target) => {}
                    known if table.contains_key(known) => {
                        report(&format!("`{module}` may not import `{known}`"));
                    }
                    other => report(&format!("`crate::{other}` is no module of the layer table")),
                }
            }
        }
        if test {
            continue;
        }
        let squeezed = line.replace(' ', "");
        if squeezed.contains(concat!("super::", "super")) {
            report("a path through two parents: write `crate::<module>::…`");
        }
        if top && squeezed.contains("super::") {
            report("`super` is the crate's root here: write `crate::<module>::…`");
        }
        if squeezed.contains("use") && squeezed.contains("::*") {
            report("a glob import hides its edges");
        }
    }
    found
}

/// The words that follow `root` in a line; empty where no word follows.
fn after<'a>(line: &'a str, root: &str) -> Vec<&'a str> {
    let starts = line.match_indices(root).filter(|(at, _)| !line[..*at].ends_with(is_word));
    starts
        .map(|(at, _)| {
            let rest = line[at + root.len()..].trim_start();
            &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())]
        })
        .collect()
}

fn shipped_table() -> Table {
    table(&read("ARCHITECTURE.md")).expect("ARCHITECTURE.md has the layer table")
}

#[test]
fn imports_obey_the_layer_table() {
    let table = shipped_table();
    let sources = files(".rs");
    let violations = sources.iter().flat_map(|file| check(&table, &file.path, &file.text));
    expect_none("layers", violations.collect());
}

#[test]
fn the_layer_table_names_every_module_once_and_no_other() {
    let declared: BTreeSet<String> = read("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    let named: BTreeSet<String> = shipped_table().into_keys().collect();
    assert_eq!(named, declared);
}

#[test]
fn finds_a_back_edge() {
    let table = shipped_table();
    let planted = "use crate::runner::Drive;\nuse crate::base::clock::Clock;\n";
    let found = check(&table, "src/engine/decide.rs", planted);
    assert_eq!(found, ["src/engine/decide.rs:1: `engine` may not import `runner`"]);
    let inline = "fn f() -> crate::sim::Simulator { drctl::cli::main() }\n";
    assert_eq!(check(&table, "src/runner/drive.rs", inline).len(), 2);
    let hidden = "// crate::cli\n#[cfg(test)]\nmod tests {\n    use crate::cli::x;\n}\n";
    assert!(check(&table, "src/base/ids.rs", hidden).is_empty());
}

#[test]
fn finds_imports_that_hide_their_edges() {
    let table = shipped_table();
    for planted in [
        "use crate::{engine::Machine, cli::out};",
        "use crate::*;",
        "use super::super::engine::Machine;",
        "use crate::base::clock::*;",
        "pub use error::*;",
        "use crate::nowhere::Thing;",
    ] {
        let found = check(&table, "src/plan/build.rs", planted);
        assert!(!found.is_empty(), "{planted}");
    }
    assert_eq!(check(&table, "src/plan/mod.rs", "use super::cli::out;").len(), 1);
    assert_eq!(check(&table, "src/new/mod.rs", "").len(), 1);
}

#[test]
fn finds_a_table_that_points_upwards() {
    let upwards =
        "| module | role | may import |\n|---|---|---|\n| `a` | x | `b` |\n| `b` | y | – |\n";
    assert!(table(upwards).is_err_and(|error| error.contains("not above it")));
    assert!(table("nothing here").is_err());
}
