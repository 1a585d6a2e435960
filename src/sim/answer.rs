//! Answers and errors in the forms of the AWS query protocol and JSON 1.1.
//!
//! **Invariant:** an error has one code and one HTTP status whichever protocol carries it; every
//! answer has a request id in its headers.

use crate::sim::api::WireResponse;
use crate::sim::decode::Service;
use crate::sim::protocol::Protocol;
use crate::sim::xml::Xml;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// An error as a service reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct ApiError {
    /// HTTP status.
    pub(in crate::sim) status: u16,
    /// Error code on the wire.
    pub(in crate::sim) code: String,
    /// Message for people.
    pub(in crate::sim) message: String,
}

impl ApiError {
    /// The caller's fault, HTTP 400.
    pub(in crate::sim) fn sender(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into() }
    }

    /// With another HTTP status.
    pub(in crate::sim) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// HTTP 404.
    pub(in crate::sim) fn not_found(code: &str, message: impl Into<String>) -> Self {
        Self::sender(code, message).with_status(404)
    }
}

/// The body of a successful call.
#[derive(Debug)]
pub(in crate::sim) enum Body {
    /// Query protocol: what stands inside `<XResult>`; `None` when the action has no result.
    Result(Option<Xml>),
    /// JSON 1.1.
    Json(serde_json::Value),
}

/// An instant as JSON answers carry it: seconds since 1970.
pub(in crate::sim) fn epoch_seconds(instant: DateTime<Utc>) -> f64 {
    instant.timestamp_millis() as f64 / 1000.0
}

/// What carrying out an action gave.
pub(in crate::sim) type Outcome = Result<Body, ApiError>;

/// Builds the HTTP response for `outcome`.
pub(in crate::sim) fn respond(
    service: Service,
    protocol: Protocol,
    action: &str,
    outcome: Outcome,
    request_id: &str,
) -> WireResponse {
    let mut headers = BTreeMap::from([("x-amzn-requestid".to_owned(), request_id.to_owned())]);
    let kind = match protocol {
        Protocol::Query => "text/xml",
        Protocol::Json11 => "application/x-amz-json-1.1",
    };
    headers.insert("content-type".to_owned(), kind.to_owned());
    let (status, body) = match outcome {
        Ok(Body::Result(result)) => (200, success_xml(service, action, result, request_id)),
        Ok(Body::Json(value)) => (200, value.to_string()),
        Err(error) => match protocol {
            Protocol::Query => (error.status, error_xml(service, &error, request_id)),
            Protocol::Json11 => {
                // Secrets Manager writes the word with a capital letter.
                let message =
                    if service == Service::SecretsManager { "Message" } else { "message" };
                let body = serde_json::json!({"__type": error.code, message: error.message});
                headers.insert("x-amzn-errortype".to_owned(), error.code);
                (error.status, body.to_string())
            }
        },
    };
    WireResponse { status, headers, body: body.into_bytes() }
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Rds => "http://rds.amazonaws.com/doc/2014-10-31/",
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Sns => "http://sns.amazonaws.com/doc/2010-03-31/",
        Service::SecretsManager | Service::Kms => "",
    }
}

fn success_xml(service: Service, action: &str, result: Option<Xml>, request_id: &str) -> String {
    let mut xml = Xml::default();
    xml.element_in(&format!("{action}Response"), namespace(service), |xml| {
        if let Some(result) = result {
            xml.element(&format!("{action}Result"), |xml| xml.append(result));
        }
        xml.element("ResponseMetadata", |xml| xml.leaf("RequestId", request_id));
    });
    xml.finish()
}

fn error_xml(service: Service, error: &ApiError, request_id: &str) -> String {
    let mut xml = Xml::default();
    let side = if error.status >= 500 { "Receiver" } else { "Sender" };
    xml.element_in("ErrorResponse", namespace(service), |xml| {
        xml.element("Error", |xml| {
            xml.leaf("Type", side);
            xml.leaf("Code", &error.code);
            xml.leaf("Message", &error.message);
        });
        xml.leaf("RequestId", request_id);
    });
    xml.finish()
}
