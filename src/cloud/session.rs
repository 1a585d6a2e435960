//! A session with one environment: opened, proven to be the right account, and handed out as a view
//! and, in live runs, a writer.
//!
//! **Invariant:** a session under [`GuardPolicy::DryRun`] has no writer to hand out.

use crate::base::clock::Clock;
use crate::base::redact::redact;
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::cloud::accounts::{Making, Member, members};
use crate::cloud::classify::{Call, Intent, causes, sdk_error};
use crate::cloud::clients::{ClientUse, Clients};
use crate::cloud::credentials::{self, Narrowing};
use crate::cloud::effects::{Effects, Ports, SecretReader, SecretStage};
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::guard::calls::{CallLog, CallOutcome, CallSource};
use crate::cloud::guard::{Guard, allow_list};
use crate::cloud::model::CallerIdentity;
use crate::cloud::options::{CloudOptions, GuardPolicy, HttpSource};
use crate::cloud::overlay::Overlay;
use crate::cloud::permissions;
use crate::cloud::view::EstateView;
use crate::cloud::writer::Writer;
use crate::estate::{DataRegions, Environment, EnvironmentKind, Estate};
use async_trait::async_trait;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sessions opened by this process, for the names of their retry budgets.
static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// A session. Cheap to clone; clones share guard, record and clients.
#[derive(Debug, Clone)]
pub struct Cloud {
    shared: Arc<Shared>,
    protected: Arc<BTreeSet<String>>,
    regions: Arc<DataRegions>,
    pub(crate) accounts: Arc<BTreeMap<String, Member>>,
}

/// What views and writers of a session share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) environment: Environment,
    pub(crate) clock: Clock,
    pub(crate) clients: Clients,
    policy: GuardPolicy,
    guard: Guard,
    narrowing: Narrowing,
    credentials: Option<SharedCredentialsProvider>,
}

impl Shared {
    /// A session of another account: the same guard, other credentials.
    pub(crate) fn of_account(
        environment: Environment,
        clock: Clock,
        clients: Clients,
        (guard, policy): (&Guard, &GuardPolicy),
        credentials: SharedCredentialsProvider,
    ) -> Self {
        let (guard, policy) = (guard.clone(), policy.clone());
        let narrowing = Narrowing::Without("its wall is told by its account");
        let credentials = Some(credentials);
        Self { environment, clock, clients, policy, guard, narrowing, credentials }
    }

    /// How far the other side's clock is ahead of ours, as its last answer said.
    pub(crate) fn skew(&self) -> Option<TimeDelta> {
        self.guard.skew()
    }
}

impl Cloud {
    /// Opens a session. For AWS itself this loads profile, SSO and role; nothing is asked of any
    /// service yet.
    ///
    /// # Errors
    /// When the environment cannot be used as it is described.
    pub async fn open(options: CloudOptions) -> Result<Self, CloudError> {
        let CloudOptions { environment, clock, seed, http, policy } = options;
        let http = client(&environment, http)?;
        let guard = Guard::new(policy.clone(), clock.clone());
        let base = credentials::base(&environment, &clock, &guard, &policy, &http).await?;
        Ok(Self::assemble((environment, seed, policy), (clock, guard, http), base))
    }

    /// Opens a session of the operator's own, without an estate: `profile` and `endpoint` instead of an
    /// environment's description. Nothing is asked of any service yet.
    ///
    /// # Errors
    /// When the environment cannot be used as it is described.
    pub async fn open_as_operator(
        options: CloudOptions,
        profile: Option<String>,
        endpoint: Option<String>,
    ) -> Result<Self, CloudError> {
        let CloudOptions { environment, clock, seed, http, policy } = options;
        let http = client(&environment, http)?;
        let guard = Guard::new(policy.clone(), clock.clone());
        let (region, place) = (environment.region.clone(), (profile, endpoint));
        let base = credentials::of_person(place, &region, &clock, (&guard, &http)).await;
        Ok(Self::assemble((environment, seed, policy), (clock, guard, http), base))
    }

    fn assemble(
        (environment, seed, policy): (Environment, Seed, GuardPolicy),
        (clock, guard, http): (Clock, Guard, SharedHttpClient),
        base: credentials::Base,
    ) -> Self {
        let allowed = environment.allowed_regions.iter().chain([&environment.region]);
        guard.keep_to(allowed.cloned().collect());
        let credentials = base.sdk.credentials_provider();
        let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
        let partition = format!("drctl-{:016x}-{number}", seed.derive("retry-partition"));
        let accounts = members(&Making {
            environment: &environment,
            base: &base,
            http: &http,
            guard: &guard,
            clock: &clock,
            policy: &policy,
            partition: &partition,
        });
        let clients =
            Clients::new(base.sdk, http, guard.clone(), clock.clone(), base.endpoints, partition);
        let protected = environment.databases.values().filter_map(|found| found.instance.clone());
        let protected = protected.map(|id| id.to_ascii_lowercase()).collect();
        let narrowing = base.narrowing;
        let shared = Shared { environment, clock, clients, policy, guard, narrowing, credentials };
        let (shared, protected) = (Arc::new(shared), Arc::new(protected));
        Self { shared, protected, regions: Arc::default(), accounts: Arc::new(accounts) }
    }

    /// The same session, which now knows the estate's instances, neither overwrites nor deletes any of
    /// them, and keeps their data in the regions that each allows. Whoever has an estate calls this before
    /// anything else.
    #[must_use]
    pub fn protecting(mut self, estate: &Estate) -> Self {
        let environment = &self.shared.environment;
        let here = estate
            .databases
            .keys()
            .filter_map(|name| estate.database_in(name, environment))
            .map(|database| database.instance);
        let elsewhere = estate.databases.values().map(|database| database.instance.clone());
        let ids = here.chain(elsewhere).map(|id| id.to_ascii_lowercase());
        let protected = self.protected.iter().cloned().chain(ids).collect();
        self.protected = Arc::new(protected);
        self.regions = Arc::new(DataRegions::of(estate, environment));
        self
    }

    /// Asks STS whose credentials these are (`GetCallerIdentity`), whatever their account is.
    ///
    /// # Errors
    /// When nobody says.
    pub async fn caller_identity(&self) -> Result<CallerIdentity, CloudError> {
        let region = &self.shared.environment.region;
        let call = Call { operation: "sts:GetCallerIdentity", region, intent: Intent::Read };
        let client = self.shared.clients.sts(region, ClientUse::Reads);
        let answer = client.get_caller_identity().send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(CallerIdentity {
            account: answer.account().unwrap_or_default().to_owned(),
            arn: answer.arn().unwrap_or_default().to_owned(),
        })
    }

    /// Asks STS whose credentials these are (`GetCallerIdentity`).
    ///
    /// # Errors
    /// When nobody says, or when it is another account than the environment names.
    pub async fn verify_account(&self) -> Result<CallerIdentity, CloudError> {
        let found = self.caller_identity().await?;
        let Environment { account, name, region, .. } = &self.shared.environment;
        if found.account == *account {
            return Ok(found);
        }
        Err(CloudError {
            class: ErrorClass::Credentials,
            operation: "sts:GetCallerIdentity".to_owned(),
            region: region.clone(),
            code: None,
            message: format!(
                "environment `{name}` is account {account}, but these credentials belong to \
                 account {} ({}); choose another profile, or another environment",
                found.account, found.arn
            ),
            request_id: None,
        })
    }

    /// When the credentials of this session end; `None` for those that do not say. Loads them, and
    /// hands out nothing else of them.
    ///
    /// # Errors
    /// There are none, or they cannot be loaded: an expired SSO session, a failing
    /// `credential_process`, a role that may not be assumed.
    pub async fn credentials_expire(&self) -> Result<Option<DateTime<Utc>>, CloudError> {
        let failed = |message: String| CloudError {
            class: ErrorClass::Credentials,
            operation: "load credentials".to_owned(),
            region: self.shared.environment.region.clone(),
            code: None,
            message,
            request_id: None,
        };
        let Some(provider) = &self.shared.credentials else {
            return Err(failed("there are no credentials; log in first".to_owned()));
        };
        let loaded = provider.provide_credentials().await;
        let loaded = loaded.map_err(|error| failed(redact(&causes(&error))))?;
        Ok(loaded.expiry().map(DateTime::from))
    }

    /// From now on mutations leave only before `until` on `clock`: the lease's end, renewed by whoever
    /// drives the run. What comes later is refused as temporary, because nothing was sent.
    pub fn leased(&self, clock: &Clock, until: DateTime<Utc>) {
        self.shared.guard.leased(clock, until);
    }

    /// How far the other side's clock is ahead of ours, as its last answer said.
    pub fn clock_skew(&self) -> Option<TimeDelta> {
        self.shared.guard.skew()
    }

    /// Which of `operations`, such as `rds:DescribeDBInstances`, IAM would let `identity` call
    /// (IAM `SimulatePrincipalPolicy`; resource policies and conditions are not part of it).
    ///
    /// # Errors
    /// IAM cannot be asked: the identity is no user or role, or may not call this operation.
    pub async fn permissions(
        &self,
        identity: &CallerIdentity,
        operations: &[String],
    ) -> Result<BTreeMap<String, bool>, CloudError> {
        permissions::simulate(&self.shared, identity, operations).await
    }

    /// Typed reads, through predicted effects first.
    pub fn view(&self, overlay: Overlay) -> EstateView {
        EstateView::new(Arc::clone(&self.shared), Arc::clone(&self.protected), overlay)
    }

    /// Typed writes; `None` in a dry run.
    pub fn writer(&self) -> Option<Writer> {
        match self.shared.policy {
            GuardPolicy::DryRun => None,
            GuardPolicy::Live { .. } => {
                let (protected, regions) = (&self.protected, &self.regions);
                let shared = Arc::clone(&self.shared);
                Some(Writer::new(shared, Arc::clone(protected), Arc::clone(regions)))
            }
        }
    }

    /// The gate for everything beside AWS, and for values of secrets.
    pub fn effects(&self, ports: Ports) -> Effects {
        Effects::new(self.shared.policy.clone(), ports, self.secrets())
    }

    /// Values of secrets of this session's account.
    pub(crate) fn secrets(&self) -> Arc<dyn SecretReader> {
        Arc::new(Secrets { shared: Arc::clone(&self.shared) })
    }

    /// The same with another account's clients.
    pub(crate) fn with_shared(&self, shared: Arc<Shared>) -> Self {
        Self { shared, ..self.clone() }
    }

    /// Every call so far, refused ones included.
    pub fn calls(&self) -> CallLog {
        self.shared.guard.calls()
    }

    /// Which walls stand between this session and a mutation, one sentence each, and which do not.
    pub fn walls(&self) -> Vec<String> {
        let mut walls = Vec::new();
        match &self.shared.policy {
            GuardPolicy::DryRun => {
                walls.push("no writer: the planning code holds nothing that can write".to_owned());
                walls.push(format!(
                    "guard beneath the SDK: {} read-only operations by name, everything else \
                     refused before it is signed; the HTTP client refuses what was not cleared",
                    allow_list::len()
                ));
            }
            GuardPolicy::Live { declared } => walls.push(format!(
                "guard beneath the SDK: {} read-only operations and {} that the plan declares, \
                 everything else refused before it is signed",
                allow_list::len(),
                declared.len()
            )),
        }
        walls.push(match &self.shared.narrowing {
            Narrowing::SessionPolicy(role) if self.has_assumed() => format!(
                "AWS itself: the session of {role} is narrowed to ReadOnlyAccess with a session \
                 policy that denies secrets"
            ),
            Narrowing::SessionPolicy(role) => {
                format!("AWS itself: no session policy, because {role} was not assumed")
            }
            Narrowing::Without(why) => format!("AWS itself: no session policy, because {why}"),
        });
        walls.extend(self.account_walls(&self.shared.policy));
        walls
    }

    /// Whether STS gave a session of the environment's role.
    fn has_assumed(&self) -> bool {
        self.calls().records().iter().any(|call| {
            call.source == CallSource::Credentials
                && call.operation == "sts:AssumeRole"
                && call.outcome == CallOutcome::Answered(200)
        })
    }

    /// Who answers: the simulator by its own header, others by `Server`; else `AWS`, or a server that does
    /// not say who it is.
    pub fn server(&self) -> String {
        let real = !matches!(self.shared.environment.kind, EnvironmentKind::Endpoints(_));
        let unsaid = if real { "AWS" } else { "a server that does not say who it is" };
        self.shared.guard.server().unwrap_or_else(|| unsaid.to_owned())
    }

    #[cfg(test)]
    pub(crate) fn clients(&self) -> &Clients {
        &self.shared.clients
    }

    /// The environment of this session.
    pub fn environment(&self) -> &Environment {
        &self.shared.environment
    }
}

/// The unguarded HTTP client; the factory puts the guard around it.
fn client(environment: &Environment, http: HttpSource) -> Result<SharedHttpClient, CloudError> {
    match http {
        HttpSource::Injected(client) => Ok(client),
        HttpSource::Network if environment.is_simulated() => Err(CloudError {
            class: ErrorClass::Permanent,
            operation: "open".to_owned(),
            region: environment.region.clone(),
            code: None,
            message: format!(
                "environment `{}` is simulated, but no simulator is wired",
                environment.name
            ),
            request_id: None,
        }),
        HttpSource::Network => Ok(network()),
    }
}

/// The one HTTP and TLS stack, without any guard.
pub(crate) fn network() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https()
}

/// Values of secrets through the guard.
#[derive(Debug)]
struct Secrets {
    shared: Arc<Shared>,
}

#[async_trait]
impl SecretReader for Secrets {
    async fn secret_value(
        &self,
        region: &str,
        secret: &str,
        stage: SecretStage,
    ) -> Result<Secret, CloudError> {
        let operation = "secretsmanager:GetSecretValue";
        let call = Call { operation, region, intent: Intent::Read };
        let client = self.shared.clients.secretsmanager(region, ClientUse::Reads);
        let request = client.get_secret_value().secret_id(secret).version_stage(stage.label());
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        answer.secret_string().map(Secret::from).ok_or_else(|| CloudError {
            class: ErrorClass::Permanent,
            operation: operation.to_owned(),
            region: region.to_owned(),
            code: None,
            message: format!("secret `{secret}` holds bytes, not text"),
            request_id: None,
        })
    }
}
