//! What a session with AWS is opened with.
//!
//! **Invariant:** there is no default policy: whoever opens a session says what it may do.

use crate::base::clock::Clock;
use crate::base::seed::Seed;
use crate::estate::Environment;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::collections::BTreeSet;

/// Everything that a [`Cloud`](crate::cloud::Cloud) is opened with.
#[derive(Debug, Clone)]
pub struct CloudOptions {
    /// Where to go.
    pub environment: Environment,
    /// The time that signatures, time-outs and back-off follow.
    pub clock: Clock,
    /// Root of our own randomness (names of retry partitions); never of the guard's secret.
    pub seed: Seed,
    /// Who carries the requests.
    pub http: HttpSource,
    /// What may be asked.
    pub policy: GuardPolicy,
}

/// Who carries the requests.
#[derive(Debug, Clone)]
pub enum HttpSource {
    /// The one HTTP and TLS stack.
    Network,
    /// Someone else: the simulator, or a script in a test.
    Injected(SharedHttpClient),
}

/// What may be asked of AWS and of everything beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardPolicy {
    /// Reads from the allow-list and nothing else.
    DryRun,
    /// Reads from the allow-list, and what the plan declared.
    Live {
        /// Operations such as `rds:DeleteDBInstance`, `secretsmanager:GetSecretValue`, `sql:Read`.
        declared: BTreeSet<String>,
    },
}

impl GuardPolicy {
    /// A live policy with the given declared operations.
    pub fn live<I, S>(declared: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        Self::Live { declared: declared.into_iter().map(Into::into).collect() }
    }

    /// Whether this is a dry run.
    pub fn is_dry_run(&self) -> bool {
        match self {
            Self::DryRun => true,
            Self::Live { .. } => false,
        }
    }

    /// Whether the plan declared `operation`; nothing is declared in a dry run.
    pub fn declares(&self, operation: &str) -> bool {
        match self {
            Self::DryRun => false,
            Self::Live { declared } => declared.contains(operation),
        }
    }
}
