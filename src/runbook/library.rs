//! Where runbooks that others call are found.
//!
//! **Invariant:** a library only reads; whether a text is a runbook is judged by the loader.

use std::collections::BTreeMap;

/// A file's name and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The file's name.
    pub file: String,
    /// Its whole text.
    pub text: String,
}

/// Runbooks by name.
pub trait Library {
    /// The runbook called `name`.
    ///
    /// # Errors
    /// Why there is none, a sentence fragment that says what there is.
    fn runbook(&self, name: &str) -> Result<Text, String>;
}

/// No runbook at all: for files that stand alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLibrary;

impl Library for NoLibrary {
    fn runbook(&self, name: &str) -> Result<Text, String> {
        Err(format!("`{name}` cannot be looked up here"))
    }
}

impl Library for BTreeMap<String, Text> {
    fn runbook(&self, name: &str) -> Result<Text, String> {
        self.get(name).cloned().ok_or_else(|| {
            let names: Vec<&str> = self.keys().map(String::as_str).collect();
            format!("there is no runbook `{name}`; there are: {}", names.join(", "))
        })
    }
}
