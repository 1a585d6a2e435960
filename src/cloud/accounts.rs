//! Sessions of further accounts: one role each, assumed when it is first needed and again before it ends.
//!
//! **Invariant:** nothing is done with a session before STS has said that it belongs to the account which
//! the environment pins; the credentials go from STS to the signer and nowhere else.

use crate::base::clock::Clock;
use crate::cloud::clients::Clients;
use crate::cloud::credentials::{Base, READ_ONLY_POLICY, SESSION_POLICY};
use crate::cloud::effects::Effects;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::guard::Guard;
use crate::cloud::options::GuardPolicy;
use crate::cloud::session::{Cloud, Shared};
use crate::estate::{Account, Environment};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::Mutex;

/// A session is renewed so long before it ends: longer than any call with its retries takes. Where a role is
/// assumed with another role's session, AWS ends it after an hour whatever was asked for.
const RENEWED_BEFORE: TimeDelta = TimeDelta::minutes(5);

/// What a session is called when the estate does not say.
const NAMES: (&str, &str) = ("drctl-dry-run", "drctl");

/// The session of one account.
#[derive(Debug)]
pub(crate) struct Member {
    shared: Arc<Shared>,
    role: Arc<RoleSession>,
}

/// Credentials of a role.
pub(crate) struct RoleSession {
    sts: aws_sdk_sts::Client,
    account: Account,
    policy: GuardPolicy,
    clock: Clock,
    current: Mutex<Option<Credentials>>,
}

impl fmt::Debug for RoleSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoleSession({})", self.account.role)
    }
}

impl RoleSession {
    /// The credentials, renewed when they are about to end.
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let mut current = self.current.lock().await;
        let until: SystemTime = (self.clock.now() + RENEWED_BEFORE).into();
        let lasts = |it: &&Credentials| it.expiry().is_none_or(|end| end > until);
        if let Some(credentials) = current.as_ref().filter(lasts) {
            return Ok(credentials.clone());
        }
        let fresh = self.assume().await?;
        *current = Some(fresh.clone());
        Ok(fresh)
    }

    /// STS `AssumeRole`, in a dry run narrowed to reading.
    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let Account { role, external_id, session_tags, session_name, .. } = &self.account;
        let dry = self.policy.is_dry_run();
        let usual = if dry { NAMES.0 } else { NAMES.1 };
        let tag = |(key, value): (&String, &String)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(CredentialsError::invalid_configuration)
        };
        let tags = session_tags.iter().map(tag).collect::<Result<Vec<_>, _>>()?;
        let mut call = self
            .sts
            .assume_role()
            .role_arn(role)
            .role_session_name(session_name.as_deref().unwrap_or(usual))
            .set_external_id(external_id.clone())
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()));
        if dry {
            let read_only = PolicyDescriptorType::builder().arn(READ_ONLY_POLICY).build();
            call = call.policy_arns(read_only).policy(SESSION_POLICY);
        }
        let answer = call.send().await.map_err(CredentialsError::provider_error)?;
        let given = answer.credentials();
        let given = given.ok_or_else(|| CredentialsError::unhandled("STS gave no credentials"))?;
        let expires = SystemTime::try_from(*given.expiration());
        let expires = expires.map_err(CredentialsError::unhandled)?;
        let token = Some(given.session_token().to_owned());
        let (key, secret) = (given.access_key_id(), given.secret_access_key());
        Ok(Credentials::new(key, secret, token, Some(expires), "drctl-account"))
    }

    /// Whether STS gave a session.
    fn was_assumed(&self) -> bool {
        self.current.try_lock().is_ok_and(|current| current.is_some())
    }
}

impl ProvideCredentials for RoleSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// What sessions of accounts are made with.
pub(crate) struct Making<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) base: &'a Base,
    pub(crate) http: &'a SharedHttpClient,
    pub(crate) guard: &'a Guard,
    pub(crate) clock: &'a Clock,
    pub(crate) policy: &'a GuardPolicy,
    pub(crate) partition: &'a str,
}

/// The sessions of an environment's accounts; nobody is asked yet.
pub(crate) fn members(making: &Making<'_>) -> BTreeMap<String, Member> {
    let all = making.environment.accounts.iter();
    all.map(|(name, account)| (name.clone(), member(making, name, account))).collect()
}

fn member(making: &Making<'_>, name: &str, account: &Account) -> Member {
    let Making { environment, base, http, guard, clock, policy, partition } = making;
    let role = Arc::new(RoleSession {
        sts: Clients::sts_for_roles(&base.own, base.endpoints.of("sts"), clock),
        account: account.clone(),
        policy: (*policy).clone(),
        clock: (*clock).clone(),
        current: Mutex::default(),
    });
    let given: Arc<dyn ProvideCredentials> = Arc::<RoleSession>::clone(&role);
    let provider = SharedCredentialsProvider::new(given);
    let sdk = base.own.clone().into_builder().credentials_provider(provider.clone()).build();
    let clients = Clients::new(
        sdk,
        (*http).clone(),
        (*guard).clone(),
        (*clock).clone(),
        base.endpoints.clone(),
        format!("{partition}-{name}"),
    );
    let mut environment = (*environment).clone();
    environment.account.clone_from(&account.account);
    environment.name = format!("{} ({name})", environment.name);
    let shared =
        Shared::of_account(environment, (*clock).clone(), clients, (guard, policy), provider);
    Member { shared: Arc::new(shared), role }
}

impl Cloud {
    /// The same in another account of the environment; `None` is the environment's own.
    ///
    /// # Errors
    /// The environment has no such account.
    pub fn in_account(&self, account: Option<&str>) -> Result<Self, CloudError> {
        let Some(name) = account else { return Ok(self.clone()) };
        match self.accounts.get(name) {
            Some(member) => Ok(self.with_shared(Arc::clone(&member.shared))),
            None => {
                let known: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
                let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let environment = self.environment();
                Err(CloudError {
                    class: ErrorClass::Permanent,
                    operation: "open".to_owned(),
                    region: environment.region.clone(),
                    code: None,
                    message: format!(
                        "environment `{}` has no account `{name}`; in `accounts` there is: {has}",
                        environment.name
                    ),
                    request_id: None,
                })
            }
        }
    }

    /// Proves the sessions of these accounts (`GetCallerIdentity` with each), before anything is done in
    /// them.
    ///
    /// # Errors
    /// There is no such account, its role cannot be assumed, or the session belongs to another account.
    pub async fn prove<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), CloudError> {
        for account in accounts {
            self.in_account(Some(account))?.verify_account().await?;
        }
        Ok(())
    }

    /// The effects gate with the secrets of this session's account.
    pub fn effects_here(&self, effects: &Effects) -> Effects {
        effects.with_secrets(self.secrets())
    }

    /// One sentence for each account whose role was assumed: what its session may do.
    pub(crate) fn account_walls(&self, policy: &GuardPolicy) -> Vec<String> {
        let assumed = self.accounts.iter().filter(|(_, member)| member.role.was_assumed());
        let sentence = |(name, member): (&String, &Member)| {
            let Account { account, role, .. } = &member.role.account;
            let may = if policy.is_dry_run() {
                "is narrowed to ReadOnlyAccess with a session policy that denies secrets"
            } else {
                "has what the role may do"
            };
            format!("AWS itself: the session of {role} in account `{name}` ({account}) {may}")
        };
        assumed.map(sentence).collect()
    }
}
