//! The forms in which AWS's clients write calls: query, JSON 1.0 and 1.1, CBOR, REST.
//!
//! **Invariant:** a body that cannot be read is an error of the caller in the protocol's own words;
//! it never reaches a service as an empty call.

use crate::sim::answer::ApiError;
use crate::sim::api::WireRequest;
use crate::sim::cbor;
use crate::sim::decode::{Params, Service};
use crate::sim::{route53, s3};
use serde_json::Value;

/// How a call and its answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Protocol {
    /// A form, answered in XML.
    Query,
    /// JSON with the operation in `x-amz-target`.
    Json11,
    /// The same of a service that once spoke the query protocol only, and keeps its error codes.
    Json10,
    /// CBOR with the operation in the path; keeps the error codes of the query protocol too.
    Cbor,
    /// What is meant stands in method and address; errors in XML.
    Rest,
}

impl Protocol {
    /// What `request` to `service` is written in.
    pub(in crate::sim) fn of(service: Service, request: &WireRequest) -> Self {
        let has = |name: &str| request.headers.contains_key(name);
        match service {
            Service::Rds | Service::Sts | Service::Sns | Service::Iam | Service::Ec2 => Self::Query,
            Service::SecretsManager | Service::Kms | Service::Ecs | Service::Logs => Self::Json11,
            Service::CloudWatch if has("smithy-protocol") => Self::Cbor,
            Service::CloudWatch if has("x-amz-target") => Self::Json10,
            Service::CloudWatch => Self::Query,
            Service::S3 | Service::Route53 => Self::Rest,
        }
    }

    /// An error that every service has, under the name that this protocol gives it.
    pub(in crate::sim) fn error(
        self,
        query: &str,
        json: &str,
        message: impl Into<String>,
    ) -> ApiError {
        match self {
            Self::Query | Self::Json10 | Self::Cbor | Self::Rest => {
                ApiError::sender(query, message)
            }
            Self::Json11 => ApiError::sender(json, message),
        }
    }
}

/// A call, read off the wire.
#[derive(Debug, Default)]
pub(in crate::sim) struct Call {
    pub(in crate::sim) action: String,
    /// Parameters of a query call.
    pub(in crate::sim) params: Params,
    /// Input of a JSON call, always a map.
    pub(in crate::sim) input: Value,
    /// A call of S3.
    pub(in crate::sim) s3: s3::Request,
    /// A call of Route 53.
    pub(in crate::sim) route53: route53::Request,
}

/// Reads the call in `request`; with the error, whatever of the call could be read.
pub(in crate::sim) fn read(
    service: Service,
    protocol: Protocol,
    request: &WireRequest,
) -> (Call, Option<ApiError>) {
    if protocol == Protocol::Rest && service == Service::Route53 {
        let (action, route53, error) = route53::operation(request);
        return (Call { action, route53, ..Call::default() }, error);
    }
    if protocol == Protocol::Rest {
        let (action, s3, error) = s3::operation(request);
        return (Call { action, s3, ..Call::default() }, error);
    }
    let unreadable = |what: &str| {
        let message = format!("the body is no {what}");
        Some(protocol.error("MalformedInput", "SerializationException", message))
    };
    let inflated;
    let body = match request.headers.get("content-encoding").map(String::as_str) {
        Some("gzip") => match cbor::gunzip(&request.body) {
            Some(body) => {
                inflated = body;
                inflated.as_slice()
            }
            None => return (Call::default(), unreadable("gzip stream of a size that is taken")),
        },
        Some(_) | None => request.body.as_slice(),
    };
    if !["POST", "GET"].contains(&request.method.as_str()) {
        let message = format!("{} is not allowed here.", request.method);
        let error = ApiError::sender("MethodNotAllowed", message).with_status(405);
        return (Call::default(), Some(error));
    }
    if protocol == Protocol::Query {
        // A call of the query protocol may also stand in the address.
        let form = if request.method == "GET" { request.query.as_bytes() } else { body };
        let params = Params::of_form(form);
        let action = params.text("Action").unwrap_or_default().to_owned();
        return (Call { action, params, ..Call::default() }, None);
    }
    let (operation, input, kind) = match protocol {
        Protocol::Cbor => (request.path.trim_end_matches('/'), cbor::map(body), "CBOR map"),
        Protocol::Query | Protocol::Rest | Protocol::Json11 | Protocol::Json10 => {
            let target = request.headers.get("x-amz-target").map_or("", String::as_str);
            (target, map_of_json(body), "JSON map")
        }
    };
    let action = operation.rsplit(['.', '/']).next().unwrap_or_default().to_owned();
    match input {
        Some(input) => (Call { action, input, ..Call::default() }, None),
        None => (Call { action, ..Call::default() }, unreadable(kind)),
    }
}

fn map_of_json(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).ok().filter(Value::is_object)
}
