//! What a step wants a secret's current version to be.
//!
//! **Invariant:** the id of a new version is a function of run, step and inputs, so that it is put once.

use super::endpoint::Endpoint;
use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use crate::base::digest::Digest;

/// What a step wants to be current.
pub(super) enum Goal {
    /// A new version with this endpoint.
    New { version: String, endpoint: Endpoint },
    /// A version that there is, in place of another one.
    Back { version: String, instead_of: String },
}

impl Goal {
    pub(super) fn of(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let bad = |name: &str, why: &str| {
            Err(ActionError::Input { name: name.to_owned(), why: why.to_owned() })
        };
        let owned = |name: &str| scope.text(name).map(str::to_owned);
        match (owned("host"), owned("version"), owned("instead_of")) {
            (None, Some(version), Some(instead_of)) => Ok(Self::Back { version, instead_of }),
            (None, Some(_), None) => {
                bad("instead_of", "name the version that `version` is to replace")
            }
            (Some(_), None, None) => {
                let endpoint = endpoint(scope)?;
                Ok(Self::New { version: token(scope, &endpoint), endpoint })
            }
            (Some(_), _, _) => bad("version", "give a host, or a version to go back to, not both"),
            (None, None, _) => bad("host", "it is missing, and no version to go back to is given"),
        }
    }

    pub(super) fn version(&self) -> &str {
        match self {
            Self::New { version, .. } | Self::Back { version, .. } => version,
        }
    }
}

fn endpoint(scope: &StepScope<'_>) -> Result<Endpoint, ActionError> {
    let text = |name: &str| scope.text(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let host = text("host").unwrap_or_default();
    let plain =
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:_".contains(&b));
    if !plain {
        let why = "it must be a host name or an address".to_owned();
        return Err(ActionError::Input { name: "host".to_owned(), why });
    }
    let port = match scope.int("port") {
        None => None,
        Some(_) => u16::try_from(scope.int_within("port", 1..=u32::from(u16::MAX), 0)?).ok(),
    };
    Ok(Endpoint { host, port, database: text("database"), user: text("username") })
}

/// The id of this step's version: Secrets Manager wants 32 to 64 characters, and a UUID is what its own
/// look like.
fn token(scope: &StepScope<'_>, to: &Endpoint) -> String {
    let port = to.port.map(|port| port.to_string()).unwrap_or_default();
    let parts = [
        scope.run.as_str(),
        scope.step.as_str(),
        scope.text("secret").unwrap_or_default(),
        &to.host,
        &port,
        to.database.as_deref().unwrap_or_default(),
        to.user.as_deref().unwrap_or_default(),
    ];
    let digest = Digest::of_parts(&parts.map(str::as_bytes));
    let hex: String = digest.as_str().chars().filter(char::is_ascii_hexdigit).collect();
    let at = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", at(0, 8), at(8, 12), at(12, 16), at(16, 20), at(20, 32))
}
