//! What a request says about itself, read from its bytes.
//!
//! **Invariant:** reads only the request; what cannot be read is `None`, never a guess.

use crate::cloud::guard::rest::{route53_action, s3_action};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// Longest text of an action that is worth comparing or recording.
const MAX_ACTION: usize = 128;

/// The action in `x-amz-target` (JSON protocols), else in the form field `Action` (query protocol); of
/// S3 and Route 53 what method and address mean. A request with two of them says nothing.
pub(crate) fn action(request: &HttpRequest) -> Option<String> {
    let by_address = match signed_service(request).as_deref() {
        Some("s3") => Some(s3_action(request)),
        Some("route53") => Some(route53_action(request)),
        _ => None,
    };
    if let Some(found) = by_address {
        let named = request.headers().contains_key("x-amz-target");
        let named = named || !form_actions(request).is_empty();
        return found.filter(|_| !named).map(str::to_owned);
    }
    if request.headers().contains_key("smithy-protocol") {
        return cbor_action(request);
    }
    let target = request
        .headers()
        .get("x-amz-target")
        .map(|target| target.rsplit('.').next().unwrap_or(target).to_owned());
    let mut actions = target.into_iter().chain(form_actions(request));
    let first = actions.next()?;
    let plain = first.len() <= MAX_ACTION && first.chars().all(|c| c.is_ascii_alphanumeric());
    (plain && actions.next().is_none()).then_some(first)
}

/// The operation of a CBOR call, which stands in its path: `/service/…/operation/GetMetricData`. A call
/// that names one in another way too says nothing.
fn cbor_action(request: &HttpRequest) -> Option<String> {
    let other = request.headers().contains_key("x-amz-target") || !form_actions(request).is_empty();
    let (_, path) = host_and_path(request);
    let mut parts = path.strip_prefix("/service/")?.split('/');
    let (Some(_), Some("operation"), Some(name), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let plain = !name.is_empty() && name.len() <= MAX_ACTION;
    let plain = plain && name.chars().all(|c| c.is_ascii_alphanumeric());
    (plain && !other).then(|| name.to_owned())
}

fn form_actions(request: &HttpRequest) -> Vec<String> {
    let is_form = request
        .headers()
        .get("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let body = request.body().bytes().filter(|_| is_form).unwrap_or_default();
    form_urlencoded::parse(body)
        .filter(|(key, _)| key == "Action")
        .map(|(_, value)| value.into_owned())
        .collect()
}

/// The service that the request is signed for: `…/us-east-1/rds/aws4_request`.
pub(crate) fn signed_service(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("authorization")?;
    let scope = header.split("Credential=").nth(1)?.split([',', ' ']).next()?;
    let mut parts = scope.rsplit('/');
    let is_scope = parts.next() == Some("aws4_request");
    parts.next().filter(|service| is_scope && !service.is_empty()).map(str::to_owned)
}

/// Method, host and path, without the query, which may hold a signature.
pub(crate) fn place(request: &HttpRequest) -> String {
    let (host, path) = host_and_path(request);
    format!("{} {host}{path}", request.method())
}

/// Host without port, lower case, and path of a request.
pub(crate) fn host_and_path(request: &HttpRequest) -> (String, String) {
    let rest = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let host = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((inner, _)) => inner,
        None => authority.split(':').next().unwrap_or(authority),
    };
    (host.to_ascii_lowercase(), path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    fn form(body: &str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.headers_mut().insert("content-type", "application/x-www-form-urlencoded");
        request
    }

    #[test]
    fn one_action_is_read_and_two_are_none() {
        let read = form("Action=DescribeDBInstances&Version=2014-10-31");
        assert_eq!(action(&read).as_deref(), Some("DescribeDBInstances"));
        assert_eq!(action(&form("Version=1")), None);
        assert_eq!(action(&form("Action=DescribeDBInstances&Action=DeleteDBInstance")), None);
        let mut both = form("Action=DescribeDBInstances");
        both.headers_mut().insert("x-amz-target", "secretsmanager.GetSecretValue");
        assert_eq!(action(&both), None);
        let mut cbor = HttpRequest::new(SdkBody::empty());
        cbor.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
        for (path, wanted) in [
            (
                "/service/GraniteServiceVersion20100801/operation/GetMetricData",
                Some("GetMetricData"),
            ),
            ("/service/GraniteServiceVersion20100801/operation/", None),
            ("/service/x/operation/GetMetricData/more", None),
            ("/operation/GetMetricData", None),
        ] {
            cbor.set_uri(format!("https://monitoring.us-east-1.amazonaws.com{path}"))
                .expect("valid");
            assert_eq!(action(&cbor).as_deref(), wanted, "{path}");
        }
        cbor.headers_mut().insert("x-amz-target", "GraniteServiceVersion20100801.PutMetricData");
        assert_eq!(action(&cbor), None);
        let mut json = HttpRequest::new(SdkBody::from("Action=DeleteDBInstance"));
        json.headers_mut().insert("x-amz-target", "secretsmanager.ListSecrets");
        assert_eq!(action(&json).as_deref(), Some("ListSecrets"));
    }

    #[test]
    fn places_have_no_credentials() {
        let mut request = HttpRequest::new(SdkBody::empty());
        for (uri, expected) in [
            (
                "https://STS.us-east-1.amazonaws.com/?X-Amz-Signature=1",
                "sts.us-east-1.amazonaws.com/",
            ),
            ("http://user:pw@127.0.0.1:5000/a/b", "127.0.0.1/a/b"),
            ("http://[fd00:ec2::254]/latest/api/token", "fd00:ec2::254/latest/api/token"),
            ("http://localhost:4566", "localhost/"),
        ] {
            request.set_uri(uri).expect("valid");
            assert_eq!(place(&request), format!("GET {expected}"));
        }
    }

    #[test]
    fn the_scope_names_the_service() {
        let mut request = HttpRequest::new(SdkBody::empty());
        assert_eq!(signed_service(&request), None);
        request.headers_mut().insert(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKID/20260115/us-east-1/rds/aws4_request, SignedHeaders=host, Signature=1",
        );
        assert_eq!(signed_service(&request).as_deref(), Some("rds"));
    }
}
