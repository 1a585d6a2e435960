//! The forms in which AWS's clients write calls: query, JSON 1.0 and 1.1.
//!
//! **Invariant:** a body that cannot be read is an error of the caller in the protocol's own words;
//! it never reaches a service as an empty call.

use crate::sim::answer::ApiError;
use crate::sim::api::WireRequest;
use crate::sim::decode::{Params, Service};
use serde_json::Value;

/// How a call and its answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Protocol {
    /// A form, answered in XML.
    Query,
    /// JSON with the operation in `x-amz-target`.
    Json11,
}

impl Protocol {
    /// What `request` to `service` is written in.
    pub(in crate::sim) fn of(service: Service, _request: &WireRequest) -> Self {
        match service {
            Service::Rds | Service::Sts | Service::Sns => Self::Query,
            Service::SecretsManager | Service::Kms => Self::Json11,
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
            Self::Query => ApiError::sender(query, message),
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
}

/// Reads the call in `request`; with the error, whatever of the call could be read.
pub(in crate::sim) fn read(protocol: Protocol, request: &WireRequest) -> (Call, Option<ApiError>) {
    match protocol {
        Protocol::Query => {
            let params = Params::of_form(&request.body);
            let action = params.text("Action").unwrap_or_default().to_owned();
            (Call { action, params, ..Call::default() }, None)
        }
        Protocol::Json11 => {
            let target = request.headers.get("x-amz-target").map_or("", String::as_str);
            let action = target.rsplit('.').next().unwrap_or_default().to_owned();
            match map_of_json(&request.body) {
                Some(input) => (Call { action, input, ..Call::default() }, None),
                None => {
                    let error =
                        ApiError::sender("SerializationException", "the body is no JSON map");
                    (Call { action, ..Call::default() }, Some(error))
                }
            }
        }
    }
}

fn map_of_json(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).ok().filter(Value::is_object)
}
