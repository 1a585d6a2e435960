//! Why an effect did not happen, sorted by what the engine may do about it.
//!
//! **Invariant:** no text here holds a secret.

use crate::cloud::dns::DnsError;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::http::HttpError;
use crate::cloud::process::ProcessError;
use crate::cloud::sql::SqlError;

/// Why an effect did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// Dry runs have no effects.
    #[error("dry run: {effect} is refused")]
    DryRunRefused {
        /// What was asked for.
        effect: String,
    },
    /// The plan did not say that it would.
    #[error("{effect} is refused: the plan does not declare `{name}`")]
    NotDeclared {
        /// What was asked for.
        effect: String,
        /// The name that was looked for.
        name: String,
    },
    /// The database.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// Secrets Manager.
    #[error(transparent)]
    Secret(CloudError),
    /// A secret without a usable password.
    #[error("secret `{secret}` ({stage}): {why}")]
    SecretFormat {
        /// Name or ARN of the secret.
        secret: String,
        /// Its stage.
        stage: &'static str,
        /// What is wrong and what is expected.
        why: String,
    },
    /// A variable of the environment that drctl runs in.
    #[error("the variable `{name}` is not set where drctl runs; export it, then resume")]
    Variable {
        /// Its name.
        name: String,
    },
    /// The HTTP server.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The DNS resolver.
    #[error(transparent)]
    Dns(#[from] DnsError),
    /// The program.
    #[error(transparent)]
    Process(#[from] ProcessError),
}

impl EffectError {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::DryRunRefused { .. } | Self::NotDeclared { .. } => ErrorClass::Refused,
            Self::Secret(error) => error.class,
            Self::SecretFormat { .. } | Self::Variable { .. } => ErrorClass::Permanent,
            Self::Http(error) => error.class(),
            Self::Dns(error) => error.class(),
            Self::Process(error) => error.class(),
            Self::Sql(error) => sql_class(error),
        }
    }
}

/// A wrong database password is not a matter of AWS credentials: nobody has to log in anew, the
/// next password has to be tried. That is why it is permanent.
fn sql_class(error: &SqlError) -> ErrorClass {
    match error {
        SqlError::Unreachable { .. } | SqlError::Tunnel { .. } => ErrorClass::Unreachable,
        SqlError::Timeout { .. } => ErrorClass::Temporary,
        SqlError::Authentication { .. } | SqlError::Tls { .. } => ErrorClass::Permanent,
        SqlError::Statement { sqlstate, .. } => match sqlstate.get(..2) {
            // Insufficient resources, operator intervention: the server will come back.
            Some("53" | "57") => ErrorClass::Temporary,
            Some(_) | None => ErrorClass::Permanent,
        },
    }
}
