//! Three operations of EC2, through the SDK's own runtime: its crate alone takes longer to compile than
//! everything else together.
//!
//! **Invariant:** a call goes through the same guard, signer, retries and time-outs as those of the SDK's
//! clients, and its errors have the same classes.

mod error;
mod groups;
mod xml;

pub(crate) use error::Ec2Error;
pub(crate) use groups::{Rules, description, permissions};
pub(crate) use xml::Element;

use crate::cloud::guard::Guard;
use crate::cloud::guard::interceptor::GuardInterceptor;
use aws_runtime::auth::{SigV4OperationSigningConfig, sigv4};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::{Region, SigningRegion};
use aws_types::service_config::ServiceConfigKey;
use aws_types::{SdkConfig, SigningName};

/// Version of EC2's interface.
const VERSION: &str = "2016-11-15";

/// Parameters of a call.
pub(crate) type Form = Vec<(String, String)>;

/// A client of EC2, for one region and use. Made by the factory of clients only.
#[derive(Debug)]
pub(crate) struct Ec2 {
    pub(in crate::cloud) sdk: SdkConfig,
    pub(in crate::cloud) http: SharedHttpClient,
    pub(in crate::cloud) guard: Guard,
    pub(in crate::cloud) region: String,
    /// A fixed address; else where EC2 is in the region.
    pub(in crate::cloud) fixed: Option<String>,
    pub(in crate::cloud) retries: RetryConfig,
    pub(in crate::cloud) partition: RetryPartition,
    pub(in crate::cloud) time_outs: TimeoutConfig,
}

/// An answer, and AWS's id of the request.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) body: T,
    pub(crate) request_id: Option<String>,
}

impl Ec2 {
    /// Calls `operation`; `read` makes the result of the answer's root element, and `None` of what is no
    /// answer to it.
    pub(crate) async fn call<T>(
        &self,
        operation: &'static str,
        form: Form,
        read: fn(&Element) -> Option<T>,
    ) -> Result<Answer<T>, SdkError<Ec2Error, HttpResponse>>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let mut builder = Operation::builder()
            .service_name("EC2")
            .operation_name(operation)
            .http_client(self.http.clone())
            .endpoint_url(&self.endpoint())
            .standard_retry(&self.retries)
            .timeout_config(self.time_outs.clone())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .with_connection_poisoning()
            .interceptor(GuardInterceptor::new(self.guard.clone()))
            .interceptor(UserAgentInterceptor::new())
            .retry_classifier(TransientErrorClassifier::<Ec2Error>::new())
            .retry_classifier(AwsErrorCodeClassifier::<Ec2Error>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .runtime_plugin(self.plugin());
        if let Some(version) = self.sdk.behavior_version() {
            builder = builder.behavior_version(version);
        }
        let call = builder
            .serializer(move |form: Form| request(operation, form))
            .deserializer(move |response| answer(operation, response, read))
            .build();
        call.invoke(form).await
    }

    /// Where EC2 is: as fixed for the environment, as the operator's settings say, or AWS's own name.
    fn endpoint(&self) -> String {
        if let Some(fixed) = &self.fixed {
            return fixed.clone();
        }
        let key = ServiceConfigKey::builder()
            .service_id("EC2")
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok();
        let of_service = self.sdk.service_config().zip(key);
        let set = of_service.and_then(|(settings, key)| settings.load_config(key));
        if let Some(url) = set.or_else(|| self.sdk.endpoint_url().map(str::to_owned)) {
            return url;
        }
        let host = if self.sdk.use_fips() == Some(true) { "ec2-fips" } else { "ec2" };
        let domain =
            if self.region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://{host}.{}.{domain}", self.region)
    }

    /// Signer, identity, clock, and what the guard wants to know.
    fn plugin(&self) -> StaticRuntimePlugin {
        let region = Region::new(self.region.clone());
        let mut layer = Layer::new("ec2");
        layer.store_put(ApiMetadata::new("ec2", env!("CARGO_PKG_VERSION")));
        layer.store_put(SigningName::from_static("ec2"));
        layer.store_put(SigningRegion::from(region.clone()));
        layer.store_put(region);
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(self.partition.clone());
        layer.store_put(SensitiveOutput);
        if let Some(name) = self.sdk.app_name() {
            layer.store_put(name.clone());
        }
        let mut parts = RuntimeComponentsBuilder::new("ec2");
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

fn request(operation: &str, form: Form) -> Result<HttpRequest, BoxError> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("Action", operation).append_pair("Version", VERSION);
    body.extend_pairs(form);
    let mut request = HttpRequest::new(SdkBody::from(body.finish()));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
    Ok(request)
}

fn answer<T>(
    operation: &str,
    response: &HttpResponse,
    read: fn(&Element) -> Option<T>,
) -> Result<Answer<T>, OrchestratorError<Ec2Error>> {
    let bytes = response.body().bytes().unwrap_or_default();
    let root = xml::parse(bytes);
    if !response.status().is_success() {
        let told = root.as_ref().and_then(Ec2Error::read);
        return Err(OrchestratorError::operation(told.unwrap_or_default()));
    }
    let name = format!("{operation}Response");
    let body = root.filter(|root| root.name == name).and_then(|root| read(&root));
    let body = body.ok_or_else(|| OrchestratorError::other(format!("it is no {name}")))?;
    let request_id = response.headers().get("x-amzn-requestid").map(str::to_owned);
    Ok(Answer { body, request_id })
}
