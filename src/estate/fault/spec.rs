//! A fault as it is asked for: `name` or `name=value`.
//!
//! **Invariant:** what is read fits the catalogue.

use super::{FAULTS, FaultKind, Form, names};
use crate::base::diagnostic::nearest;

/// A fault that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultSpec {
    /// As given: `lost-answer=DeleteDBInstance`.
    pub text: String,
    /// Which one.
    pub kind: FaultKind,
    /// What stands after `=`.
    pub value: Option<String>,
}

impl FaultSpec {
    /// Reads `name` or `name=value`.
    ///
    /// # Errors
    /// What is wrong, and for a name that does not exist the one that was meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
            None => (text.trim(), None),
        };
        let Some(entry) = FAULTS.iter().find(|entry| entry.name == name) else {
            return Err(match nearest(name, names()) {
                Some(near) => format!("there is no such fault; did you mean `{near}`?"),
                None => "there is no such fault".to_owned(),
            });
        };
        let fits = match value.as_deref() {
            None => !matches!(entry.form, Form::Wrong | Form::Loss | Form::Service),
            Some(value) => entry.form.fits(value),
        };
        if !fits {
            return Err(format!("its value must be {}", entry.form.wanted()));
        }
        Ok(Self { text: text.to_owned(), kind: entry.kind, value })
    }
}
