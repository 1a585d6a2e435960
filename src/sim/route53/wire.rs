//! Reads Route 53's requests: which operation, about which zone, change or health check.
//!
//! **Invariant:** the operation is a function of method and path alone; a path that AWS does not have
//! names none.

use crate::sim::answer::ApiError;
use crate::sim::api::WireRequest;
use crate::sim::s3::unescaped;
use std::collections::BTreeMap;

/// What every path begins with.
const VERSION: &str = "2013-04-01";

/// A request to Route 53.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sim) struct Request {
    /// Identifier in the path: of a zone, a change or a health check.
    pub(in crate::sim) id: String,
    pub(in crate::sim) query: BTreeMap<String, String>,
    pub(in crate::sim) body: Vec<u8>,
}

impl Request {
    /// The parameter, if it was sent and is not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// How many entries a page may have: `maxitems`, at most and by default `most`.
    pub(super) fn page(&self, most: usize) -> Result<usize, ApiError> {
        let Some(text) = self.parameter("maxitems") else { return Ok(most) };
        match text.parse::<usize>() {
            Ok(given) if given > 0 => Ok(given.min(most)),
            Ok(_) | Err(_) => {
                let message = format!("Invalid XML ; maxitems: {text} is not a positive number");
                Err(super::invalid_input(message))
            }
        }
    }
}

/// Reads a request; with the error, as much as could be read.
pub(in crate::sim) fn operation(wire: &WireRequest) -> (String, Request, Option<ApiError>) {
    let query = form_urlencoded::parse(wire.query.as_bytes()).into_owned().collect();
    let mut request = Request { id: String::new(), query, body: wire.body.clone() };
    let parts: Option<Vec<String>> =
        wire.path.split('/').filter(|part| !part.is_empty()).map(unescaped).collect();
    let Some(parts) = parts else {
        let error = ApiError::sender("InvalidInput", "The path is not valid percent-encoded text");
        return (String::new(), request, Some(error));
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let [VERSION, rest @ ..] = parts.as_slice() else {
        return (String::new(), request, None);
    };
    let (name, id) = match (wire.method.as_str(), rest) {
        ("GET", ["hostedzone"]) => ("ListHostedZones", ""),
        ("GET", ["hostedzonesbyname"]) => ("ListHostedZonesByName", ""),
        ("GET", ["hostedzone", id]) => ("GetHostedZone", *id),
        ("GET", ["hostedzone", id, "rrset"]) => ("ListResourceRecordSets", *id),
        ("POST", ["hostedzone", id, "rrset"]) => ("ChangeResourceRecordSets", *id),
        ("GET", ["change", id]) => ("GetChange", *id),
        ("GET", ["healthcheck"]) => ("ListHealthChecks", ""),
        ("POST", ["healthcheck"]) => ("CreateHealthCheck", ""),
        ("GET", ["healthcheck", id]) => ("GetHealthCheck", *id),
        ("POST", ["healthcheck", id]) => ("UpdateHealthCheck", *id),
        ("DELETE", ["healthcheck", id]) => ("DeleteHealthCheck", *id),
        ("GET", ["healthcheck", id, "status"]) => ("GetHealthCheckStatus", *id),
        ("GET", ["testdnsanswer"]) => ("TestDNSAnswer", ""),
        _ => ("", ""),
    };
    id.clone_into(&mut request.id);
    (name.to_owned(), request, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_and_without_a_last_slash() {
        let read = |method: &str, path: &str| {
            let (name, request, error) = operation(&WireRequest {
                method: method.to_owned(),
                host: "route53.amazonaws.com".to_owned(),
                path: path.to_owned(),
                query: "maxitems=2&name=".to_owned(),
                headers: BTreeMap::new(),
                body: Vec::new(),
            });
            assert_eq!(request.page(300).expect("a number"), 2);
            assert_eq!(request.parameter("name"), None);
            (name, request.id, error.is_some())
        };
        for (method, path, name, id) in [
            ("GET", "/2013-04-01/hostedzone", "ListHostedZones", ""),
            ("GET", "/2013-04-01/hostedzone/Z1", "GetHostedZone", "Z1"),
            ("GET", "/2013-04-01/hostedzone/Z1/rrset/", "ListResourceRecordSets", "Z1"),
            ("POST", "/2013-04-01/hostedzone/Z1/rrset", "ChangeResourceRecordSets", "Z1"),
            ("GET", "/2013-04-01/change/C1", "GetChange", "C1"),
            ("POST", "/2013-04-01/healthcheck/h-1", "UpdateHealthCheck", "h-1"),
            ("GET", "/2013-04-01/healthcheck/h-1/status", "GetHealthCheckStatus", "h-1"),
            ("GET", "/2013-04-01/hostedzone/a%2Fb", "GetHostedZone", "a/b"),
            ("DELETE", "/2013-04-01/hostedzone/Z1", "", ""),
            ("GET", "/2012-02-29/hostedzone", "", ""),
            ("GET", "/", "", ""),
        ] {
            assert_eq!(read(method, path), (name.to_owned(), id.to_owned(), false), "{path}");
        }
        assert!(read("GET", "/2013-04-01/hostedzone/%zz").2);
    }
}
