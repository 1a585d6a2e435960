//! The gate for everything that is not a plain AWS read or write: SQL, values of secrets, HTTP, DNS,
//! processes.
//!
//! **Invariant:** in a dry run only declared reads pass ([`DECLARED_READS`]), in a live run only what
//! the plan declared. Every attempt is on record, refused ones included, and no record holds a secret.

mod error;
mod outside;
mod secrets;

pub use error::EffectError;
pub use secrets::{DatabaseLogin, SecretReader, SecretStage, Variables};

use crate::base::redact::redact;
use crate::cloud::dns::Resolvers;
use crate::cloud::error::ErrorClass;
use crate::cloud::http::HttpPort;
use crate::cloud::options::GuardPolicy;
use crate::cloud::process::Processes;
use crate::cloud::sql::{SqlConnector, SqlMode, SqlSession, SqlTarget};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The declared name of reading SQL sessions, beside AWS operations in [`GuardPolicy::Live`].
pub const SQL_READ: &str = "sql:Read";

/// The declared name of writing SQL sessions; it covers reading ones.
pub const SQL_WRITE: &str = "sql:Write";

/// The declared name of HTTP requests that read: GET and HEAD.
pub const HTTP_READ: &str = "http:Read";

/// The declared name of HTTP requests that send something.
pub const HTTP_SEND: &str = "http:Send";

/// The declared name of questions to DNS resolvers.
pub const DNS_READ: &str = "dns:Read";

/// The declared name of processes that are started.
pub const PROCESS_RUN: &str = "process:Run";

/// The declared name of reading values of the variables of the environment that drctl runs in.
pub const VARIABLE_READ: &str = "env:Read";

/// What a dry run lets through: reads that neither disclose a secret nor log in anywhere.
const DECLARED_READS: [&str; 2] = [HTTP_READ, DNS_READ];

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
    /// Under which declared name, such as [`SQL_READ`].
    pub name: &'static str,
    /// What was asked for, such as `a read-only SQL session with orders…:5432/orders`.
    pub effect: String,
    /// How it ended.
    pub outcome: EffectOutcome,
}

/// The ways out of drctl beside AWS: real ones, or those of a simulated environment.
#[derive(Debug, Clone)]
pub struct Ports {
    /// To databases.
    pub sql: Arc<dyn SqlConnector>,
    /// To HTTP servers.
    pub http: Arc<dyn HttpPort>,
    /// To DNS resolvers.
    pub dns: Arc<dyn Resolvers>,
    /// To programs of this machine.
    pub processes: Arc<dyn Processes>,
    /// To the variables of the environment that drctl runs in.
    pub variables: Arc<dyn Variables>,
}

/// The gate.
#[derive(Clone)]
pub struct Effects {
    policy: GuardPolicy,
    ports: Ports,
    secrets: Arc<dyn SecretReader>,
    log: Arc<Mutex<Vec<EffectRecord>>>,
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (policy, ports) = (&self.policy, &self.ports);
        f.debug_struct("Effects").field("policy", policy).field("ports", ports).finish()
    }
}

impl Effects {
    /// A gate in front of the ways out.
    pub fn new(policy: GuardPolicy, ports: Ports, secrets: Arc<dyn SecretReader>) -> Self {
        Self { policy, ports, secrets, log: Arc::default() }
    }

    /// The same gate with another account's secrets.
    pub(crate) fn with_secrets(&self, secrets: Arc<dyn SecretReader>) -> Self {
        Self { secrets, ..self.clone() }
    }

    /// Opens a SQL session. A live plan must have declared [`SQL_READ`] or [`SQL_WRITE`].
    ///
    /// # Errors
    /// Refused by the gate, or no session.
    pub async fn sql(&self, target: &SqlTarget) -> Result<Box<dyn SqlSession>, EffectError> {
        let (words, names): (&str, &[&'static str]) = match target.mode {
            SqlMode::ReadOnly => ("a read-only SQL session", &[SQL_READ, SQL_WRITE]),
            SqlMode::ReadWrite => ("a writing SQL session", &[SQL_WRITE]),
        };
        let place = redact(&format!("{}:{}/{}", target.host, target.port, target.database));
        let effect = format!("{words} with {place}");
        self.pass(&effect, names)?;
        let opened = self.ports.sql.connect(target).await.map_err(EffectError::Sql);
        self.settle(names[0], effect, opened)
    }

    /// Everything that was attempted, in order.
    pub fn log(&self) -> Vec<EffectRecord> {
        self.records().clone()
    }

    /// What this gate keeps back, as one sentence for the certificate of a dry run.
    pub fn wall(&self) -> Option<String> {
        self.policy.is_dry_run().then(|| {
            format!(
                "effects gate: lets {} through, without headers, secrets and redirects, and refuses \
                 SQL, values of secrets, webhooks and processes",
                DECLARED_READS.join(" and ")
            )
        })
    }

    /// Lets through what may be done under one of `names`; the first one stands in the record.
    fn pass(&self, effect: &str, names: &[&'static str]) -> Result<(), EffectError> {
        let refused = match &self.policy {
            GuardPolicy::DryRun if names.iter().all(|name| DECLARED_READS.contains(name)) => {
                return Ok(());
            }
            GuardPolicy::DryRun => EffectError::DryRunRefused { effect: effect.to_owned() },
            GuardPolicy::Live { declared } => {
                if names.iter().any(|name| declared.contains(*name)) {
                    return Ok(());
                }
                EffectError::NotDeclared { effect: effect.to_owned(), name: names[0].to_owned() }
            }
        };
        self.record(names[0], effect.to_owned(), EffectOutcome::Refused);
        Err(refused)
    }

    fn settle<T>(
        &self,
        name: &'static str,
        effect: String,
        result: Result<T, EffectError>,
    ) -> Result<T, EffectError> {
        let outcome = match &result {
            Ok(_) => EffectOutcome::Done,
            // The AWS guard stands behind this gate and may refuse as well.
            Err(error) if error.class() == ErrorClass::Refused => EffectOutcome::Refused,
            Err(error) => EffectOutcome::Failed(redact(&error.to_string())),
        };
        self.record(name, effect, outcome);
        result
    }

    fn record(&self, name: &'static str, effect: String, outcome: EffectOutcome) {
        self.records().push(EffectRecord { name, effect, outcome });
    }

    fn records(&self) -> MutexGuard<'_, Vec<EffectRecord>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
