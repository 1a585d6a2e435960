//! Answers and errors in the forms of AWS's protocols.
//!
//! **Invariant:** an error has one code and one HTTP status whichever protocol carries it; every
//! answer has a request id in its headers.

use crate::sim::api::WireResponse;
use crate::sim::cloudwatch;
use crate::sim::decode::Service;
use crate::sim::protocol::Protocol;
use crate::sim::shape::Shape;
use crate::sim::xml::Xml;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Names the host that answers, as S3 does in headers and errors.
const HOST_ID: &str = "c2ltdWxhdGVk";

/// An error as a service reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct ApiError {
    /// HTTP status.
    pub(in crate::sim) status: u16,
    /// Error code on the wire.
    pub(in crate::sim) code: String,
    /// Message for people.
    pub(in crate::sim) message: String,
    /// What S3 adds: elements of the body; under lower-case names, headers.
    pub(in crate::sim) details: Vec<(&'static str, String)>,
}

impl ApiError {
    /// The caller's fault, HTTP 400.
    pub(in crate::sim) fn sender(code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self { status: 400, code, message, details: Vec::new() }
    }

    /// With another HTTP status.
    pub(in crate::sim) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// With one more detail.
    pub(in crate::sim) fn with_detail(mut self, name: &'static str, value: &str) -> Self {
        self.details.push((name, value.to_owned()));
        self
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
    /// Whatever the call was written in; `None` when the action has no result.
    Shape(Option<Shape>),
    /// REST: all of the answer.
    Rest(RestAnswer),
}

/// The answer to a REST call.
#[derive(Debug)]
pub(in crate::sim) struct RestAnswer {
    pub(in crate::sim) status: u16,
    pub(in crate::sim) headers: Vec<(String, String)>,
    pub(in crate::sim) body: Vec<u8>,
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
    if protocol == Protocol::Rest && service == Service::S3 {
        return respond_s3(action, outcome, request_id);
    }
    let mut headers = BTreeMap::from([("x-amzn-requestid".to_owned(), request_id.to_owned())]);
    let kind = match protocol {
        Protocol::Query | Protocol::Rest => "text/xml",
        Protocol::Json11 => "application/x-amz-json-1.1",
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Cbor => "application/cbor",
    };
    headers.insert("content-type".to_owned(), kind.to_owned());
    if protocol == Protocol::Cbor {
        headers.insert("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned());
    }
    let (status, body) = match outcome {
        Ok(Body::Rest(answer)) => {
            headers.extend(answer.headers);
            (answer.status, answer.body)
        }
        Ok(body) => (200, success(service, protocol, action, body, request_id)),
        Err(error) => {
            let body = failure(service, protocol, &error, request_id, &mut headers);
            (error.status, body)
        }
    };
    WireResponse { status, headers, body }
}

/// The response to a call of S3. What answers a HEAD has no body, errors included.
fn respond_s3(action: &str, outcome: Outcome, request_id: &str) -> WireResponse {
    let mut headers = BTreeMap::from([
        ("x-amz-request-id".to_owned(), request_id.to_owned()),
        ("x-amz-id-2".to_owned(), HOST_ID.to_owned()),
    ]);
    let error = match outcome {
        Ok(Body::Rest(RestAnswer { status, headers: own, body })) => {
            headers.extend(own);
            return WireResponse { status, headers, body };
        }
        Ok(Body::Result(_) | Body::Json(_) | Body::Shape(_)) => {
            ApiError::sender("InternalError", "this is no answer of S3").with_status(500)
        }
        Err(error) => error,
    };
    let is_header = |name: &str| name.starts_with(|c: char| c.is_ascii_lowercase());
    let (own, elements): (Vec<_>, Vec<_>) =
        error.details.into_iter().partition(|(name, _)| is_header(name));
    headers.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
    headers.insert("content-type".to_owned(), "application/xml".to_owned());
    let mut xml = Xml::default();
    xml.element("Error", |xml| {
        xml.leaf("Code", &error.code);
        xml.leaf("Message", &error.message);
        for (name, value) in &elements {
            xml.leaf(name, value);
        }
        xml.leaf("RequestId", request_id);
        xml.leaf("HostId", HOST_ID);
    });
    let body = if action.starts_with("Head") { Vec::new() } else { xml.document().into_bytes() };
    WireResponse { status: error.status, headers, body }
}

fn success(
    service: Service,
    protocol: Protocol,
    action: &str,
    body: Body,
    request_id: &str,
) -> Vec<u8> {
    let xml = |result| success_xml(service, action, result, request_id).into_bytes();
    match (body, protocol) {
        (Body::Rest(answer), _) => answer.body,
        (Body::Result(result), _) => xml(result),
        (Body::Json(value), _) => value.to_string().into_bytes(),
        (Body::Shape(shape), Protocol::Query | Protocol::Rest) => xml(shape.map(|shape| {
            let mut xml = Xml::default();
            shape.write_xml(&mut xml);
            xml
        })),
        (Body::Shape(None), Protocol::Cbor) => Vec::new(),
        (Body::Shape(Some(shape)), Protocol::Cbor) => shape.to_cbor_bytes(),
        (Body::Shape(shape), Protocol::Json10 | Protocol::Json11) => {
            shape.map_or_else(|| "{}".to_owned(), |shape| shape.to_json().to_string()).into_bytes()
        }
    }
}

fn failure(
    service: Service,
    protocol: Protocol,
    error: &ApiError,
    request_id: &str,
    headers: &mut BTreeMap<String, String>,
) -> Vec<u8> {
    match protocol {
        Protocol::Query | Protocol::Rest => error_xml(service, error, request_id).into_bytes(),
        Protocol::Json11 => {
            // Secrets Manager writes the word with a capital letter.
            let message = if service == Service::SecretsManager { "Message" } else { "message" };
            let body = serde_json::json!({"__type": error.code, message: error.message});
            headers.insert("x-amzn-errortype".to_owned(), error.code.clone());
            body.to_string().into_bytes()
        }
        Protocol::Json10 | Protocol::Cbor => {
            let side = if error.status >= 500 { "Receiver" } else { "Sender" };
            headers.insert("x-amzn-query-error".to_owned(), format!("{};{side}", error.code));
            let kind = format!("com.amazonaws.cloudwatch#{}", cloudwatch::shape_of(&error.code));
            let body = Shape::Map(vec![
                ("__type", Shape::Text(kind)),
                ("message", Shape::Text(error.message.clone())),
            ]);
            if protocol == Protocol::Cbor {
                body.to_cbor_bytes()
            } else {
                body.to_json().to_string().into_bytes()
            }
        }
    }
}

fn namespace(service: Service) -> &'static str {
    match service {
        Service::Rds => "http://rds.amazonaws.com/doc/2014-10-31/",
        Service::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
        Service::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        Service::Sns => "http://sns.amazonaws.com/doc/2010-03-31/",
        Service::CloudWatch => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        Service::Route53 => "https://route53.amazonaws.com/doc/2013-04-01/",
        Service::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
        Service::SecretsManager | Service::Kms | Service::S3 | Service::Ecs | Service::Logs => "",
    }
}

fn success_xml(service: Service, action: &str, result: Option<Xml>, request_id: &str) -> String {
    let mut xml = Xml::default();
    xml.element_in(&format!("{action}Response"), namespace(service), |xml| {
        if service == Service::Ec2 {
            xml.leaf("requestId", request_id);
            return result.into_iter().for_each(|result| xml.append(result));
        }
        if let Some(result) = result {
            xml.element(&format!("{action}Result"), |xml| xml.append(result));
        }
        xml.element("ResponseMetadata", |xml| xml.leaf("RequestId", request_id));
    });
    xml.finish()
}

fn error_xml(service: Service, error: &ApiError, request_id: &str) -> String {
    let mut xml = Xml::default();
    if service == Service::Ec2 {
        xml.element("Response", |xml| {
            xml.element("Errors", |xml| {
                xml.element("Error", |xml| {
                    xml.leaf("Code", &error.code);
                    xml.leaf("Message", &error.message);
                });
            });
            xml.leaf("RequestID", request_id);
        });
        return xml.finish();
    }
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
