//! Operations of our own through the SDK's runtime, where its generated client costs too much: EC2's in
//! time to compile, S3's lists in time to read.
//!
//! **Invariant:** a call goes through the same guard, signer, retries and time-outs as those of the SDK's
//! clients, and its errors have the same classes.

use crate::cloud::guard::Guard;
use crate::cloud::guard::interceptor::GuardInterceptor;
use aws_runtime::auth::{SigV4OperationSigningConfig, sigv4};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::SensitiveOutput;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::{Region, SigningRegion};
use aws_types::service_config::ServiceConfigKey;
use aws_types::{SdkConfig, SigningName};

/// A service as the SDK, its signer and DNS know it.
#[derive(Debug)]
pub(crate) struct Service {
    /// `EC2`, which settings and the guard go by.
    pub(crate) name: &'static str,
    /// `ec2`, the beginning of its host and the name that it is signed for.
    pub(crate) host: &'static str,
    /// How it is signed.
    pub(crate) signing: fn() -> SigV4OperationSigningConfig,
}

/// What an operation of one service in one region is made of. Made by the factory of clients only.
#[derive(Debug, Clone)]
pub(crate) struct OwnClient {
    pub(in crate::cloud) sdk: SdkConfig,
    pub(in crate::cloud) http: SharedHttpClient,
    pub(in crate::cloud) guard: Guard,
    pub(in crate::cloud) region: String,
    /// A fixed address; else where the service is in the region.
    pub(in crate::cloud) fixed: Option<String>,
    pub(in crate::cloud) retries: RetryConfig,
    pub(in crate::cloud) partition: RetryPartition,
    pub(in crate::cloud) time_outs: TimeoutConfig,
}

impl OwnClient {
    /// An operation without its request and answer; `E` is what its errors are read as.
    pub(crate) fn operation<E>(
        &self,
        service: &Service,
        name: &'static str,
        endpoint: &str,
    ) -> OperationBuilder
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let builder = Operation::builder()
            .service_name(service.name)
            .operation_name(name)
            .http_client(self.http.clone())
            .endpoint_url(endpoint)
            .standard_retry(&self.retries)
            .timeout_config(self.time_outs.clone())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .with_connection_poisoning()
            .interceptor(GuardInterceptor::new(self.guard.clone()))
            .interceptor(UserAgentInterceptor::new())
            .retry_classifier(TransientErrorClassifier::<E>::new())
            .retry_classifier(AwsErrorCodeClassifier::<E>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .runtime_plugin(self.plugin(service));
        match self.sdk.behavior_version() {
            Some(version) => builder.behavior_version(version),
            None => builder,
        }
    }

    /// An address that somebody set: for the environment, else in the operator's own settings.
    pub(crate) fn set_endpoint(&self, service: &Service) -> Option<String> {
        if let Some(fixed) = &self.fixed {
            return Some(fixed.clone());
        }
        let key = ServiceConfigKey::builder()
            .service_id(service.name)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let of_service = self.sdk.service_config().zip(key);
        let set = of_service.and_then(|(settings, key)| settings.load_config(key));
        set.or_else(|| self.sdk.endpoint_url().map(str::to_owned))
    }

    /// The service's host in the region, after AWS's own scheme.
    pub(crate) fn host(&self, service: &Service) -> String {
        let fips = if self.sdk.use_fips() == Some(true) { "-fips" } else { "" };
        let domain =
            if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("{}{fips}.{}.{domain}", service.host, self.region)
    }

    /// Where the service is: as somebody set it, or AWS's own name.
    pub(crate) fn endpoint(&self, service: &Service) -> String {
        self.set_endpoint(service).unwrap_or_else(|| format!("https://{}", self.host(service)))
    }

    /// Signer, identity, clock, and what the guard wants to know.
    fn plugin(&self, service: &Service) -> StaticRuntimePlugin {
        let region = Region::new(self.region.clone());
        let mut layer = Layer::new(service.host);
        layer.store_put(ApiMetadata::new(service.host, env!("CARGO_PKG_VERSION")));
        layer.store_put(SigningName::from_static(service.host));
        layer.store_put(SigningRegion::from(region.clone()));
        layer.store_put(region);
        layer.store_put((service.signing)());
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(self.partition.clone());
        layer.store_put(SensitiveOutput);
        if let Some(name) = self.sdk.app_name() {
            layer.store_put(name.clone());
        }
        let mut parts = RuntimeComponentsBuilder::new(service.host);
        let schemes = StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]);
        parts.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)));
        parts.push_auth_scheme(SharedAuthScheme::new(sigv4::SigV4AuthScheme::new()));
        if let Some(provider) = self.sdk.credentials_provider() {
            parts.set_identity_resolver(sigv4::SCHEME_ID, SharedIdentityResolver::new(provider));
        }
        if let Some(cache) = self.sdk.identity_cache() {
            parts.set_identity_cache(Some(cache));
        }
        parts.set_time_source(self.sdk.time_source());
        parts.set_sleep_impl(self.sdk.sleep_impl());
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(parts)
    }
}
