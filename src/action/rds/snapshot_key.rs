//! Whether the key of a snapshot can be used: a snapshot without its key is lost.
//!
//! **Invariant:** a key that may not be looked at is neither good nor bad, and that is what is said.

use crate::action::context::ReadContext;
use crate::action::outcome::ActionError;
use crate::base::clock::format_instant;
use crate::cloud::ErrorClass;
use crate::cloud::model::DbSnapshot;

/// What is known of a snapshot's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyState {
    /// The snapshot is not encrypted, or AWS names no key.
    NoKey,
    /// It can be used; its state.
    Usable(String),
    /// It cannot be used: a restore would be refused.
    Unusable {
        /// The state, or why there is none.
        state: String,
        /// What is wrong.
        why: String,
        /// What to do next.
        help: String,
    },
    /// These credentials may not look at it.
    NotReadable(String),
}

impl KeyState {
    /// In one word, for evidence.
    pub(super) fn word(&self) -> &str {
        match self {
            Self::NoKey => "none",
            Self::Usable(state) | Self::Unusable { state, .. } => state,
            Self::NotReadable(_) => "not readable",
        }
    }
}

/// Asks KMS about the key of `snapshot`.
pub(super) async fn key_state(
    context: &ReadContext<'_>,
    snapshot: &DbSnapshot,
) -> Result<KeyState, ActionError> {
    let region = context.scope.region;
    let (true, Some(key)) = (snapshot.encrypted, &snapshot.kms_key_id) else {
        return Ok(KeyState::NoKey);
    };
    let unusable = |state: &str, help: String| KeyState::Unusable {
        state: state.to_owned(),
        why: format!(
            "key {key} of snapshot `{}` is `{state}`: AWS would refuse the restore with \
             KMSKeyNotAccessibleFault",
            snapshot.id
        ),
        help,
    };
    let found = match context.view.kms_key(region, key).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let help = "a deleted key is gone for good, and with it this snapshot: choose one with \
                        another key";
            return Ok(unusable("not there", help.to_owned()));
        }
        // Who may restore need not be allowed to describe keys.
        Err(error)
            if error.class == ErrorClass::Credentials && error.is("AccessDeniedException") =>
        {
            return Ok(KeyState::NotReadable(format!(
                "the state of key {key} is not known: let the role call kms:DescribeKey"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    if found.is_usable() {
        return Ok(KeyState::Usable(found.state));
    }
    let help = match (found.state.as_str(), found.deletion_at) {
        ("PendingDeletion", at) => {
            let when = at.map(|at| format!(", which happens {}", format_instant(at)));
            format!(
                "stop its deletion{} (aws kms cancel-key-deletion), then enable it",
                when.unwrap_or_default()
            )
        }
        ("Disabled", _) => format!("aws kms enable-key --region {region} --key-id {key}"),
        _ => "look at the key (aws kms describe-key)".to_owned(),
    };
    Ok(unusable(&found.state, help))
}
