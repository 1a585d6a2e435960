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

use crate::cloud::own::{OwnClient, Service};
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::SdkBody;

/// Version of EC2's interface.
const VERSION: &str = "2016-11-15";

/// EC2 as it is signed for and looked up.
const EC2: Service =
    Service { name: "EC2", host: "ec2", signing: || SigV4OperationSigningConfig::default() };

/// Parameters of a call.
pub(crate) type Form = Vec<(String, String)>;

/// A client of EC2, for one region and use. Made by the factory of clients only.
#[derive(Debug)]
pub(crate) struct Ec2 {
    pub(in crate::cloud) own: OwnClient,
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
        let endpoint = self.own.endpoint(&EC2);
        let call = self
            .own
            .operation::<Ec2Error>(&EC2, operation, &endpoint)
            .serializer(move |form: Form| request(operation, form))
            .deserializer(move |response| answer(operation, response, read))
            .build();
        call.invoke(form).await
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
