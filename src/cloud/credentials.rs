//! Where credentials come from, and how a dry run narrows them.
//!
//! **Invariant:** credential providers reach only what the list of credential calls names, and a role
//! that a dry run assumes is narrowed by AWS itself.

use crate::base::clock::Clock;
use crate::cloud::bucket::BucketPlace;
use crate::cloud::clients::Endpoints;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::guard::Guard;
use crate::cloud::guard::credential_calls;
use crate::cloud::options::GuardPolicy;
use crate::cloud::time;
use crate::estate::{Environment, EnvironmentKind};
use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::sts::{AssumeRoleProvider, AssumeRoleProviderBuilder};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What every answer of AWS is read as; pinned, so that a new SDK does not change what drctl does.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// The managed policy that a dry run's role is narrowed to.
pub(crate) const READ_ONLY_POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// AWS's limit for an inline session policy, characters.
const SESSION_POLICY_LIMIT: usize = 2_048;

/// What a dry run's role must not do although the managed policy allows it: disclose secrets and
/// data, start sessions. It allows nothing: session policies are united, and its `Deny` wins.
pub(crate) const SESSION_POLICY: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Sid":"DrctlDryRun","Effect":"Deny","Action":["#,
    r#""secretsmanager:GetSecretValue","secretsmanager:BatchGetSecretValue","#,
    r#""secretsmanager:GetRandomPassword","ssm:GetParameter*","kms:Decrypt","kms:CreateGrant","#,
    r#""s3:GetObject","s3:GetObjectVersion","dynamodb:GetItem","dynamodb:BatchGetItem","#,
    r#""dynamodb:Query","dynamodb:Scan","rds:Download*","rds-db:connect","sts:AssumeRole*","#,
    r#""sts:GetFederationToken","sts:GetSessionToken"],"Resource":"*"}]}"#
);

const _: () = assert!(SESSION_POLICY.len() <= SESSION_POLICY_LIMIT, "AWS refuses a longer one");

/// A base configuration and what is true of its credentials.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) sdk: SdkConfig,
    /// With the operator's own credentials and the client of credential calls: roles of further accounts
    /// are assumed with it. A dry run's session of the environment's role may assume none.
    pub(crate) own: SdkConfig,
    pub(crate) endpoints: Endpoints,
    pub(crate) narrowing: Narrowing,
}

/// Whether AWS itself refuses mutations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Narrowing {
    /// The session of this role is narrowed by a session policy.
    SessionPolicy(String),
    /// It is not; the reason.
    Without(&'static str),
}

/// The base configuration of an environment.
pub(crate) async fn base(
    environment: &Environment,
    clock: &Clock,
    guard: &Guard,
    policy: &GuardPolicy,
    http: &SharedHttpClient,
) -> Result<Base, CloudError> {
    match &environment.kind {
        EnvironmentKind::Simulated(_) => {
            let sdk = fixed(&environment.region, clock, static_credentials("simulated"));
            Ok(Base {
                own: for_roles(&sdk, guard, http, BTreeSet::new()),
                sdk,
                endpoints: Endpoints::Resolved,
                narrowing: Narrowing::Without("the simulator has no IAM"),
            })
        }
        EnvironmentKind::Endpoints(map) => {
            let endpoints = Endpoints::Fixed(map.clone());
            check_endpoints(environment, &endpoints)?;
            let sdk = fixed(&environment.region, clock, of_variables());
            let hosts = endpoints.of("sts").and_then(credential_calls::host_of);
            Ok(Base {
                own: for_roles(&sdk, guard, http, hosts.into_iter().collect()),
                sdk,
                endpoints,
                narrowing: Narrowing::Without("no role is assumed at fixed endpoints"),
            })
        }
        EnvironmentKind::Aws { profile, role, external_id } => {
            let client = for_operator(guard, http);
            let region = &environment.region;
            let sdk = of_operator(region, clock, profile.as_deref(), client).await;
            let Some(role) = role else {
                let narrowing = Narrowing::Without("the environment names no role to assume");
                let (own, endpoints) = (sdk.clone(), Endpoints::Resolved);
                return Ok(Base { sdk, own, endpoints, narrowing });
            };
            let own = sdk.clone();
            let sdk = assume(sdk, role, external_id.as_deref(), policy).await?;
            let narrowing = if policy.is_dry_run() {
                Narrowing::SessionPolicy(role.clone())
            } else {
                Narrowing::Without("a live run uses the role as it is")
            };
            Ok(Base { sdk, own, endpoints: Endpoints::Resolved, narrowing })
        }
    }
}

/// The same configuration for AssumeRole: its requests go through the gate of credential calls.
fn for_roles(
    sdk: &SdkConfig,
    guard: &Guard,
    http: &SharedHttpClient,
    sts_hosts: BTreeSet<String>,
) -> SdkConfig {
    let client = credential_calls::for_credentials(http.clone(), guard.clone(), sts_hosts);
    sdk.clone().into_builder().http_client(client).build()
}

/// The base configuration of a shared journal's bucket: the operator's own credentials, as for AWS. Only
/// at a fixed address without a profile they are those of the variables, or any.
pub(crate) async fn of_bucket(
    place: &BucketPlace,
    region: &str,
    clock: &Clock,
    (guard, http): (&Guard, &SharedHttpClient),
) -> (SdkConfig, Endpoints) {
    let endpoint = place.endpoint.iter().map(|url| ("s3".to_owned(), url.clone()));
    let endpoints = match &place.endpoint {
        Some(_) => Endpoints::Fixed(endpoint.collect()),
        None => Endpoints::Resolved,
    };
    if place.endpoint.is_some() && place.profile.is_none() {
        return (fixed(region, clock, of_variables()), endpoints);
    }
    let client = for_operator(guard, http);
    (of_operator(region, clock, place.profile.as_deref(), client).await, endpoints)
}

/// The base configuration of a session without an estate: the operator's own credentials; at a fixed
/// address without a profile those of the variables, or any.
pub(crate) async fn of_person(
    (profile, endpoint): (Option<String>, Option<String>),
    region: &str,
    clock: &Clock,
    (guard, http): (&Guard, &SharedHttpClient),
) -> Base {
    let sdk = if endpoint.is_some() && profile.is_none() {
        fixed(region, clock, of_variables())
    } else {
        of_operator(region, clock, profile.as_deref(), for_operator(guard, http)).await
    };
    let at = |url| Endpoints::Fixed(BTreeMap::from([("default".to_owned(), url)]));
    Base {
        own: sdk.clone(),
        sdk,
        endpoints: endpoint.map_or(Endpoints::Resolved, at),
        narrowing: Narrowing::Without("no environment of an estate names a role"),
    }
}

/// The client of credential calls for the operator's own credentials.
fn for_operator(guard: &Guard, http: &SharedHttpClient) -> SharedHttpClient {
    let hosts = credential_calls::sts_hosts_of_environment();
    credential_calls::for_credentials(http.clone(), guard.clone(), hosts)
}

/// Credentials for servers at fixed addresses: those of the variables, or any.
fn of_variables() -> SharedCredentialsProvider {
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
    } else {
        static_credentials("test")
    }
}

/// A configuration with given credentials, which asks nobody.
fn fixed(region: &str, clock: &Clock, credentials: SharedCredentialsProvider) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(behavior())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials)
        .time_source(time::source(clock))
        .sleep_impl(time::sleep(clock))
        .build()
}

/// Credentials for servers that take any.
fn static_credentials(name: &'static str) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("drctl-no-key", "drctl", None, None, name))
}

/// The operator's own configuration: profile, SSO, container, instance.
async fn of_operator(
    region: &str,
    clock: &Clock,
    profile: Option<&str>,
    http: SharedHttpClient,
) -> SdkConfig {
    let mut loader = aws_config::defaults(behavior())
        .region(Region::new(region.to_owned()))
        .http_client(http)
        .timeout_config(time_outs(clock))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .time_source(time::source(clock))
        .sleep_impl(time::sleep(clock));
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// Limits of credential calls: a person is waiting, and the SDK tries again by itself.
fn time_outs(clock: &Clock) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(time::limit(clock, Duration::from_secs(5)))
        .operation_attempt_timeout(time::limit(clock, Duration::from_secs(15)))
        .build()
}

/// The same configuration with a role's credentials, narrowed in a dry run.
pub(crate) async fn assume(
    sdk: SdkConfig,
    role: &str,
    external_id: Option<&str>,
    policy: &GuardPolicy,
) -> Result<SdkConfig, CloudError> {
    let Some(own) = sdk.credentials_provider() else {
        return Err(CloudError {
            class: ErrorClass::Credentials,
            operation: "sts:AssumeRole".to_owned(),
            region: sdk.region().map(ToString::to_string).unwrap_or_default(),
            code: None,
            message: format!("there are no credentials to assume {role} with; log in first"),
            request_id: None,
        });
    };
    let provider = role_provider(role, external_id, policy).configure(&sdk);
    let provider = provider.build_from_provider(own).await;
    Ok(sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build())
}

fn role_provider(
    role: &str,
    external_id: Option<&str>,
    policy: &GuardPolicy,
) -> AssumeRoleProviderBuilder {
    let mut builder = AssumeRoleProvider::builder(role);
    if let Some(external_id) = external_id {
        builder = builder.external_id(external_id);
    }
    match policy {
        GuardPolicy::DryRun => builder
            .session_name("drctl-dry-run")
            .policy(SESSION_POLICY)
            .policy_arns(vec![READ_ONLY_POLICY.to_owned()]),
        GuardPolicy::Live { .. } => builder.session_name("drctl"),
    }
}

/// What an environment need not name: no action uses it, and a shared journal names its own place.
const NOT_OF_ENVIRONMENTS: &str = "s3";

/// Without this check, a service that the environment forgot would be looked for on AWS itself.
fn check_endpoints(environment: &Environment, endpoints: &Endpoints) -> Result<(), CloudError> {
    let missing: Vec<&str> = crate::cloud::clients::SERVICES
        .iter()
        .copied()
        .filter(|service| *service != NOT_OF_ENVIRONMENTS && endpoints.of(service).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(CloudError {
        class: ErrorClass::Permanent,
        operation: "open".to_owned(),
        region: environment.region.clone(),
        code: None,
        message: format!(
            "environment `{}` names no endpoint for {}: add it, or `default` for all services",
            environment.name,
            missing.join(", ")
        ),
        request_id: None,
    })
}
