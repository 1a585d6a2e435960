//! Values of secrets: from Secrets Manager, and from variables of the environment that drctl runs in.
//!
//! **Invariant:** a value goes to whoever asked and nowhere else; no record and no error holds one.

use super::{EffectError, Effects, VARIABLE_READ};
use crate::base::redact::redact;
use crate::base::secret::{ExposeSecret, Secret};
use crate::cloud::error::CloudError;
use async_trait::async_trait;
use std::fmt;

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

/// Reads variables of the environment that drctl runs in.
pub trait Variables: Send + Sync + fmt::Debug {
    /// The value of the variable `name`; `None` when it is not set or empty.
    fn value(&self, name: &str) -> Option<Secret>;
}

impl Effects {
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
        self.settle(GET_SECRET_VALUE, effect, login)
    }

    /// The text of a secret's current version.
    ///
    /// # Errors
    /// Refused by the gate, or not readable.
    pub async fn secret_text(&self, region: &str, secret: &str) -> Result<Secret, EffectError> {
        self.secret_version(region, secret, SecretStage::Current).await
    }

    /// The text of one of a secret's versions.
    ///
    /// # Errors
    /// Refused by the gate, or not readable.
    pub async fn secret_version(
        &self,
        region: &str,
        secret: &str,
        stage: SecretStage,
    ) -> Result<Secret, EffectError> {
        let effect = format!("{GET_SECRET_VALUE} of `{}` ({})", redact(secret), stage.label());
        self.pass(&effect, &[GET_SECRET_VALUE])?;
        let value = self.secrets.secret_value(region, secret, stage).await;
        self.settle(GET_SECRET_VALUE, effect, value.map_err(EffectError::Secret))
    }

    /// The value of a variable of the environment that drctl runs in.
    ///
    /// # Errors
    /// Refused by the gate, or not set.
    pub fn variable(&self, name: &str) -> Result<Secret, EffectError> {
        let effect = format!("value of the variable `{name}`");
        self.pass(&effect, &[VARIABLE_READ])?;
        let value = self.ports.variables.value(name);
        let value = value.ok_or_else(|| EffectError::Variable { name: name.to_owned() });
        self.settle(VARIABLE_READ, effect, value)
    }

    /// Whether a variable is set: that discloses nothing, so that planning may know it.
    pub fn has_variable(&self, name: &str) -> bool {
        self.ports.variables.value(name).is_some()
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
