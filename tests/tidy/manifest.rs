//! `Cargo.toml`: every dependency says why it is here.
//!
//! **Invariant:** a dependency without a reason does not build past this test.

use crate::expect_none;
use crate::tree::read;

fn without_reason(manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let dependency = section.contains("dependencies]") && line.contains('=');
        if dependency && !line.starts_with('#') && !reason(line) {
            found.push(format!("no reason: {line}"));
        }
    }
    found
}

/// A comment of at least two words after the closing bracket or quote.
fn reason(line: &str) -> bool {
    line.rsplit_once(" # ").is_some_and(|(_, why)| !why.contains('"') && !why.trim().is_empty())
}

#[test]
fn every_dependency_has_a_reason() {
    expect_none("Cargo.toml", without_reason(&read("Cargo.toml")));
}

#[test]
fn finds_a_dependency_without_a_reason() {
    let planted = "[dependencies]\na = \"1\" # because\nb = \"1\"\n[features]\nc = []\n\
                   [dev-dependencies]\nd = { version = \"1\" } #\n";
    assert_eq!(without_reason(planted).len(), 2);
}
