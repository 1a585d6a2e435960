//! Reads AWS requests off the wire: which service and region, which action, which parameters.
//!
//! **Invariant:** nothing here knows what an action means; a parameter that is absent and one that
//! is malformed stay apart.

use crate::base::clock::parse_instant;
use crate::sim::answer::ApiError;
use crate::sim::api::WireRequest;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The services that the simulator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sim) enum Service {
    /// Relational Database Service, AWS query protocol.
    Rds,
    /// Security Token Service, AWS query protocol.
    Sts,
    /// Secrets Manager, JSON 1.1.
    SecretsManager,
    /// Simple Notification Service, AWS query protocol.
    Sns,
    /// Key Management Service, JSON 1.1.
    Kms,
    /// Identity and Access Management, AWS query protocol; one for all regions.
    Iam,
    /// CloudWatch: CBOR, JSON 1.0 and the query protocol.
    CloudWatch,
    /// Simple Storage Service, REST with XML.
    S3,
    /// Elastic Container Service, JSON 1.1.
    Ecs,
    /// Route 53, REST with XML; one for all regions, its control plane in us-east-1.
    Route53,
    /// Elastic Compute Cloud, AWS query protocol with answers of its own form: security groups only.
    Ec2,
    /// CloudWatch Logs, JSON 1.1.
    Logs,
}

impl Service {
    /// All of them.
    pub(in crate::sim) const ALL: [Self; 12] = [
        Self::Rds,
        Self::Sts,
        Self::SecretsManager,
        Self::Sns,
        Self::Kms,
        Self::Iam,
        Self::CloudWatch,
        Self::S3,
        Self::Ecs,
        Self::Route53,
        Self::Ec2,
        Self::Logs,
    ];

    /// Signing name.
    pub(in crate::sim) fn name(self) -> &'static str {
        match self {
            Self::Rds => "rds",
            Self::Sts => "sts",
            Self::SecretsManager => "secretsmanager",
            Self::Sns => "sns",
            Self::Kms => "kms",
            Self::Iam => "iam",
            Self::CloudWatch => "monitoring",
            Self::S3 => "s3",
            Self::Ecs => "ecs",
            Self::Route53 => "route53",
            Self::Ec2 => "ec2",
            Self::Logs => "logs",
        }
    }

    /// Prefix of its actions in IAM policies.
    pub(in crate::sim) fn iam_prefix(self) -> &'static str {
        match self {
            Self::CloudWatch => "cloudwatch",
            Self::Rds
            | Self::Sts
            | Self::SecretsManager
            | Self::Sns
            | Self::Kms
            | Self::Iam
            | Self::S3
            | Self::Ecs
            | Self::Route53
            | Self::Ec2
            | Self::Logs => self.name(),
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// Where a request wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim) struct Destination {
    pub(in crate::sim) service: Service,
    pub(in crate::sim) region: String,
}

/// The service and region of a request: from an AWS host name, else from the credential scope of
/// its signature (as behind a plain endpoint address), which may stand in the address too. `None` when none of
/// them names a simulated service.
pub(in crate::sim) fn destination(request: &WireRequest) -> Option<Destination> {
    from_host(&request.host)
        .or_else(|| from_scope(request.headers.get("authorization")?))
        .or_else(|| from_query(&request.query))
}

/// Those of an address that somebody signed beforehand.
fn from_query(query: &str) -> Option<Destination> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let (_, credential) = parameters.find(|(name, _)| name == "X-Amz-Credential")?;
    from_scope(&format!("Credential={credential}"))
}

/// Access key id of whoever signed the request.
pub(in crate::sim) fn access_key(request: &WireRequest) -> Option<&str> {
    let authorization = request.headers.get("authorization")?;
    authorization.split("Credential=").nth(1)?.split('/').next()
}

fn from_host(host: &str) -> Option<Destination> {
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let labels: Vec<&str> = host.strip_suffix(".amazonaws.com")?.split('.').collect();
    let region = |at: usize| labels.get(at).copied().unwrap_or("us-east-1").to_owned();
    // `bucket.s3.eu-west-1.amazonaws.com`; names of buckets with dots never stand in a host. A bucket may
    // have a service's name.
    if labels.get(1) == Some(&Service::S3.name()) {
        return Some(Destination { service: Service::S3, region: region(2) });
    }
    let service = Service::named(labels.first()?)?;
    Some(Destination { service, region: region(1) })
}

fn from_scope(authorization: &str) -> Option<Destination> {
    let scope = authorization.split("Credential=").nth(1)?.split([',', ' ']).next()?;
    let parts: Vec<&str> = scope.split('/').collect();
    let [_, _, region, service, "aws4_request"] = parts.as_slice() else { return None };
    Some(Destination { service: Service::named(service)?, region: (*region).to_owned() })
}

/// How deep the parameters of a form may nest; the deepest of CloudWatch has nine parts.
const NESTING: usize = 16;

/// Parameters of a query-protocol request: a form whose keys may be dotted paths.
#[derive(Debug, Clone, Default)]
pub(in crate::sim) struct Params {
    fields: BTreeMap<String, String>,
}

impl Params {
    /// Decodes an `application/x-www-form-urlencoded` body.
    pub(in crate::sim) fn of_form(body: &[u8]) -> Self {
        Self { fields: form_urlencoded::parse(body).into_owned().collect() }
    }

    /// The parameter, if it was sent and is not empty.
    pub(in crate::sim) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Names of all parameters that were sent.
    pub(in crate::sim) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// The parameter, or the error AWS gives for a missing one.
    pub(in crate::sim) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok_or_else(|| {
            ApiError::sender(
                "MissingParameter",
                format!("The request must contain the parameter {name}."),
            )
        })
    }

    /// A boolean, `true` or `false`.
    pub(in crate::sim) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(malformed(name, other, "a boolean")),
        }
    }

    /// A whole number from 0.
    pub(in crate::sim) fn number(&self, name: &str) -> Result<Option<u32>, ApiError> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| malformed(name, text, "an integer")))
            .transpose()
    }

    /// An RFC 3339 instant.
    pub(in crate::sim) fn instant(&self, name: &str) -> Result<Option<DateTime<Utc>>, ApiError> {
        self.text(name)
            .map(|text| parse_instant(text).ok_or_else(|| malformed(name, text, "a timestamp")))
            .transpose()
    }

    /// A list: `list("TagKeys.member")` reads `TagKeys.member.1`, `.2`, … `None` when not sent.
    pub(in crate::sim) fn list(&self, prefix: &str) -> Option<Vec<String>> {
        let items: Vec<String> = (1..)
            .map_while(|index: usize| self.fields.get(&format!("{prefix}.{index}")).cloned())
            .collect();
        let list = prefix.split('.').next().unwrap_or(prefix);
        (!items.is_empty() || self.fields.contains_key(list)).then_some(items)
    }

    /// A map: `entries("Attributes.entry", "key", "value")` reads `Attributes.entry.1.key`, …
    pub(in crate::sim) fn entries(
        &self,
        prefix: &str,
        key: &str,
        value: &str,
    ) -> Vec<(String, String)> {
        (1..)
            .map_while(|index: usize| {
                let name = self.fields.get(&format!("{prefix}.{index}.{key}"))?.clone();
                let value = self.fields.get(&format!("{prefix}.{index}.{value}")).cloned();
                Some((name, value.unwrap_or_default()))
            })
            .collect()
    }

    /// Tags under `Tags.Tag.N.Key` and `.Value`; `None` when not sent.
    pub(in crate::sim) fn tags(&self) -> Option<BTreeMap<String, String>> {
        let tags: BTreeMap<String, String> =
            self.entries("Tags.Tag", "Key", "Value").into_iter().collect();
        (!tags.is_empty()).then_some(tags)
    }

    /// The form as nested maps and lists, as the JSON protocols would carry it: `A.member.1.B=x` is
    /// `{"A": [{"B": "x"}]}`. All values stay texts. `None` when it nests too deep.
    pub(in crate::sim) fn nested(&self) -> Option<serde_json::Value> {
        let mut root = serde_json::Map::new();
        for (path, text) in &self.fields {
            let parts: Vec<&str> = path.split('.').collect();
            if parts.len() > NESTING {
                return None;
            }
            let mut at = &mut root;
            for part in &parts[..parts.len() - 1] {
                let empty = || serde_json::Value::Object(serde_json::Map::new());
                let next = at.entry(*part).or_insert_with(empty);
                if !next.is_object() {
                    *next = empty();
                }
                at = next.as_object_mut()?;
            }
            at.entry(parts[parts.len() - 1]).or_insert_with(|| text.as_str().into());
        }
        Some(listed(serde_json::Value::Object(root)))
    }

    /// Filters under `Filters.Filter.N.Name` and `.Values.Value.M`.
    pub(in crate::sim) fn filters(&self) -> Vec<(String, Vec<String>)> {
        (1..)
            .map_while(|index: usize| {
                let name = self.fields.get(&format!("Filters.Filter.{index}.Name"))?.clone();
                let values = self.list(&format!("Filters.Filter.{index}.Values.Value"));
                Some((name, values.unwrap_or_default()))
            })
            .collect()
    }
}

/// Turns `{"member": {"1": x, "2": y}}` into `[x, y]`, wherever it stands.
fn listed(value: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(mut fields) = value else { return value };
    if let (1, Some(serde_json::Value::Object(items))) = (fields.len(), fields.get_mut("member")) {
        let items = std::mem::take(items).into_iter();
        let numbered: BTreeMap<u32, serde_json::Value> =
            items.filter_map(|(index, item)| Some((index.parse().ok()?, listed(item)))).collect();
        return numbered.into_values().collect();
    }
    fields.into_iter().map(|(name, value)| (name, listed(value))).collect()
}

fn malformed(name: &str, text: &str, wanted: &str) -> ApiError {
    ApiError::sender(
        "InvalidParameterValue",
        format!("Invalid value {text} for {name}. Must be {wanted}."),
    )
}

/// Bytes of hex digits.
pub(in crate::sim) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let even = digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
    even.then(|| digits.chunks(2).map(pair).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, authorization: &str) -> WireRequest {
        let headers = BTreeMap::from([("authorization".to_owned(), authorization.to_owned())]);
        WireRequest {
            method: "POST".to_owned(),
            host: host.to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: Vec::new(),
        }
    }

    #[test]
    fn host_first_then_credential_scope() {
        let scope = "AWS4-HMAC-SHA256 Credential=AKID/20260115/eu-west-1/rds/aws4_request, \
                     SignedHeaders=host, Signature=00";
        for (host, authorization, wanted) in [
            ("rds.us-west-2.amazonaws.com", scope, Some((Service::Rds, "us-west-2"))),
            ("sts.amazonaws.com:443", "", Some((Service::Sts, "us-east-1"))),
            ("127.0.0.1:5600", scope, Some((Service::Rds, "eu-west-1"))),
            ("127.0.0.1:5600", "Bearer x", None),
            ("s3.us-east-1.amazonaws.com", "", Some((Service::S3, "us-east-1"))),
            ("logs.s3.eu-west-1.amazonaws.com", "", Some((Service::S3, "eu-west-1"))),
            ("logs.s3.amazonaws.com", "", Some((Service::S3, "us-east-1"))),
            ("dynamodb.us-east-1.amazonaws.com", "", None),
        ] {
            let found = destination(&request(host, authorization));
            let found = found.as_ref().map(|found| (found.service, found.region.as_str()));
            assert_eq!(found, wanted, "{host}");
        }
        let query = "X-Amz-Date=1&X-Amz-Credential=AKID%2F20260115%2Feu-west-1%2Fs3%2Faws4_request";
        let signed = WireRequest { query: query.to_owned(), ..request("127.0.0.1:5600", "") };
        let signed = WireRequest { headers: BTreeMap::new(), ..signed };
        let found = destination(&signed).map(|found| (found.service, found.region));
        assert_eq!(found, Some((Service::S3, "eu-west-1".to_owned())));
    }

    #[test]
    fn forms_as_nested_values() {
        let form = b"A.member.2.B=y&A.member.1.B=x&A.member.1.C.member.1=z&D=1&D.E=2&F.member.x=0";
        let nested = Params::of_form(form).nested().expect("shallow");
        let wanted = serde_json::json!({
            "A": [{ "B": "x", "C": ["z"] }, { "B": "y" }],
            "D": { "E": "2" },
            "F": [],
        });
        assert_eq!(nested, wanted);
        let deep = format!("{}=1", ["a"; 100_000].join("."));
        assert_eq!(Params::of_form(deep.as_bytes()).nested(), None);
    }

    #[test]
    fn forms_with_lists_tags_and_filters() {
        let params = Params::of_form(
            b"A=b+c%3A&Empty=&TagKeys.member.1=x&TagKeys.member.2=y&Tags.Tag.1.Key=k&\
              Tags.Tag.1.Value=v&Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=p&\
              When=2026-01-15T09%3A00%3A00Z&N=5&Bad=five&B=true&X=maybe",
        );
        assert_eq!((params.text("A"), params.text("Empty")), (Some("b c:"), None));
        assert_eq!(params.list("TagKeys.member"), Some(vec!["x".to_owned(), "y".to_owned()]));
        assert_eq!(params.list("None.member"), None);
        assert_eq!(params.tags().expect("tags")["k"], "v");
        assert_eq!(params.filters(), [("engine".to_owned(), vec!["p".to_owned()])]);
        assert!(matches!(params.number("N"), Ok(Some(5))) && params.number("Bad").is_err());
        assert!(matches!(params.flag("B"), Ok(Some(true))) && params.flag("X").is_err());
        assert!(matches!(params.instant("When"), Ok(Some(_))) && params.instant("N").is_err());
        assert_eq!(params.required("Nope").expect_err("missing").code, "MissingParameter");
    }
}
