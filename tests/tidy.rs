//! Rules about the project itself: layers, sizes, words, documents, shipped files.
//!
//! Every checker is a function from text to violations, so that the tests named `finds_…` can plant one
//! and see it found; the other tests run the checkers over the whole tree.
//!
//! **Invariant:** a rule that ARCHITECTURE.md states and a machine can hold is held here.

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/manifest.rs"]
mod manifest;
#[path = "tidy/shipped.rs"]
mod shipped;
#[path = "tidy/size_and_head.rs"]
mod size_and_head;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/words.rs"]
mod words;

/// Fails with every violation, so that one run shows all of them.
fn expect_none(rule: &str, violations: Vec<String>) {
    assert!(violations.is_empty(), "{rule}:\n  {}", violations.join("\n  "));
}
