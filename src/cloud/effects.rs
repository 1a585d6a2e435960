//! The gate for everything that is not a plain AWS read or write: SQL, and values of secrets.
//!
//! **Invariant:** in a dry run nothing passes; in a live run only what the plan declared. Every
//! attempt is on record, refused ones included, and no record holds a secret.

use crate::base::redact::redact;
use crate::base::secret::{ExposeSecret, Secret};
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::options::GuardPolicy;
use crate::cloud::sql::{SqlConnector, SqlError, SqlMode, SqlSession, SqlTarget};
use async_trait::async_trait;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The declared name of reading SQL sessions, beside AWS operations in [`GuardPolicy::Live`].
pub const SQL_READ: &str = "sql:Read";

/// The declared name of writing SQL sessions; it covers reading ones.
pub const SQL_WRITE: &str = "sql:Write";

/// The operation that discloses a secret's value.
const GET_SECRET_VALUE: &str = "secretsmanager:GetSecretValue";

/// Which version of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretStage {
    /// `AWSCURRENT`.
    Current,
    /// `AWSPREVIOUS`: the password that an older backup may bring back.
    Previous,
}

impl SecretStage {
    /// The stage's label in Secrets Manager.
    pub fn label(self) -> &'static str {
        match self {
            Self::Current => "AWSCURRENT",
            Self::Previous => "AWSPREVIOUS",
        }
    }
}

/// Reads the value of a secret (Secrets Manager `GetSecretValue`).
#[async_trait]
pub trait SecretReader: Send + Sync + fmt::Debug {
    /// The text of a secret's version.
    ///
    /// # Errors
    /// Whatever AWS answered instead; a stage that does not exist is `ResourceNotFoundException`.
    async fn secret_value(
        &self,
        region: &str,
        secret: &str,
        stage: SecretStage,
    ) -> Result<Secret, CloudError>;
}

/// User and password as a secret holds them. Its `Debug` form hides the password.
#[derive(Debug, Clone)]
pub struct DatabaseLogin {
    /// `username`, when the secret has one.
    pub user: Option<String>,
    /// `password`, or the whole secret when it is not a JSON object.
    pub password: Secret,
    /// `dbname`, when the secret has one.
    pub database: Option<String>,
}

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
}

impl EffectError {
    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::DryRunRefused { .. } | Self::NotDeclared { .. } => ErrorClass::Refused,
            Self::Secret(error) => error.class,
            Self::SecretFormat { .. } => ErrorClass::Permanent,
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

/// How an attempted effect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectOutcome {
    /// It went through.
    Done,
    /// The gate refused it.
    Refused,
    /// It was let through and failed; the words, redacted.
    Failed(String),
}

/// One attempted effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectRecord {
    /// What was asked for, such as `a read-only SQL session with orders…:5432/orders`.
    pub effect: String,
    /// How it ended.
    pub outcome: EffectOutcome,
}

/// The gate.
#[derive(Clone)]
pub struct Effects {
    policy: GuardPolicy,
    sql: Arc<dyn SqlConnector>,
    secrets: Arc<dyn SecretReader>,
    log: Arc<Mutex<Vec<EffectRecord>>>,
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Effects").field("policy", &self.policy).field("sql", &self.sql).finish()
    }
}

impl Effects {
    /// A gate in front of a way to databases and a way to secrets.
    pub fn new(
        policy: GuardPolicy,
        sql: Arc<dyn SqlConnector>,
        secrets: Arc<dyn SecretReader>,
    ) -> Self {
        Self { policy, sql, secrets, log: Arc::default() }
    }

    /// Opens a SQL session. A live plan must have declared [`SQL_READ`] or [`SQL_WRITE`].
    ///
    /// # Errors
    /// Refused by the gate, or no session.
    pub async fn sql(&self, target: &SqlTarget) -> Result<Box<dyn SqlSession>, EffectError> {
        let (words, names): (&str, &[&str]) = match target.mode {
            SqlMode::ReadOnly => ("a read-only SQL session", &[SQL_READ, SQL_WRITE]),
            SqlMode::ReadWrite => ("a writing SQL session", &[SQL_WRITE]),
        };
        let place = redact(&format!("{}:{}/{}", target.host, target.port, target.database));
        let effect = format!("{words} with {place}");
        self.pass(&effect, names)?;
        let opened = self.sql.connect(target).await.map_err(EffectError::Sql);
        self.settle(effect, opened)
    }

    /// Reads user and password from a secret: a JSON object with `username` and `password` as RDS
    /// and its rotation functions write it, or a plain text that is the password.
    ///
    /// # Errors
    /// Refused by the gate, not readable, or without a password.
    pub async fn database_login(
        &self,
        region: &str,
        secret: &str,
        stage: SecretStage,
    ) -> Result<DatabaseLogin, EffectError> {
        let effect = format!("{GET_SECRET_VALUE} of `{}` ({})", redact(secret), stage.label());
        self.pass(&effect, &[GET_SECRET_VALUE])?;
        let value = self.secrets.secret_value(region, secret, stage).await;
        let login = value.map_err(EffectError::Secret).and_then(|text| login(secret, stage, &text));
        self.settle(effect, login)
    }

    /// Everything that was attempted, in order.
    pub fn log(&self) -> Vec<EffectRecord> {
        self.records().clone()
    }

    fn pass(&self, effect: &str, names: &[&str]) -> Result<(), EffectError> {
        let refused = match &self.policy {
            GuardPolicy::DryRun => EffectError::DryRunRefused { effect: effect.to_owned() },
            GuardPolicy::Live { declared } => {
                if names.iter().any(|name| declared.contains(*name)) {
                    return Ok(());
                }
                EffectError::NotDeclared { effect: effect.to_owned(), name: names[0].to_owned() }
            }
        };
        self.record(effect.to_owned(), EffectOutcome::Refused);
        Err(refused)
    }

    fn settle<T>(&self, effect: String, result: Result<T, EffectError>) -> Result<T, EffectError> {
        let outcome = match &result {
            Ok(_) => EffectOutcome::Done,
            // The AWS guard stands behind this gate and may refuse as well.
            Err(error) if error.class() == ErrorClass::Refused => EffectOutcome::Refused,
            Err(error) => EffectOutcome::Failed(redact(&error.to_string())),
        };
        self.record(effect, outcome);
        result
    }

    fn record(&self, effect: String, outcome: EffectOutcome) {
        self.records().push(EffectRecord { effect, outcome });
    }

    fn records(&self) -> MutexGuard<'_, Vec<EffectRecord>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a login from a secret's text.
fn login(secret: &str, stage: SecretStage, text: &Secret) -> Result<DatabaseLogin, EffectError> {
    let malformed = |why: &str| EffectError::SecretFormat {
        secret: redact(secret),
        stage: stage.label(),
        why: why.to_owned(),
    };
    let plain = text.expose_secret();
    if !plain.trim_start().starts_with('{') {
        let password = plain.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            return Err(malformed("it is empty; expected a JSON object with `password`"));
        }
        return Ok(DatabaseLogin { user: None, password: password.into(), database: None });
    }
    // The parser's own message may quote the secret's text: it is dropped.
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(plain)
        .map_err(|_| malformed("it begins like a JSON object and is not a valid one"))?;
    let field = |name: &str| fields.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    let password = field("password").filter(|password| !password.is_empty()).ok_or_else(|| {
        malformed("its JSON object has no text `password`; expected `username` and `password`")
    })?;
    Ok(DatabaseLogin {
        user: field("username"),
        password: password.into(),
        database: field("dbname"),
    })
}
