//! Tells somebody how a run stands.
//!
//! **Invariant:** best effort: whatever becomes of a message, it never fails a run, and what was not
//! sent is never reported as sent.

mod sns;
mod webhook;

pub(super) use sns::NotifySns;
pub(super) use webhook::NotifyWebhook;

use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use serde_json::Value as Json;

/// Longest message, bytes: what SNS takes at most.
const MAX_MESSAGE: usize = 262_144;

/// The document about the run with the step's message.
fn document(scope: &StepScope<'_>) -> Result<Json, ActionError> {
    let message = scope.text("message").unwrap_or_default();
    let standing = scope.standing.ok_or_else(|| {
        ActionError::refused("nothing is known about the run", "this is a bug in drctl")
    })?;
    Ok(standing.document(scope, message))
}

fn check_message(scope: &StepScope<'_>) -> Result<(), ActionError> {
    let why = match scope.text("message") {
        Some(text) if text.trim().is_empty() => "it is empty".to_owned(),
        Some(text) if text.len() > MAX_MESSAGE => {
            format!("it has {} bytes, and at most {MAX_MESSAGE} can be sent", text.len())
        }
        Some(_) | None => return Ok(()),
    };
    Err(ActionError::Input { name: "message".to_owned(), why })
}
