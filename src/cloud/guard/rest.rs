//! Which operation of S3 or Route 53 a request is: their REST protocols name none.
//!
//! **Invariant:** only the operations below have a name, each with the parameters below and no others;
//! whatever else a request says makes it unreadable, and so refused.

use crate::cloud::guard::wire::host_and_path;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::collections::BTreeSet;

/// Parameters of `ListObjectsV2`.
const LIST: [&str; 7] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "list-type",
    "max-keys",
    "prefix",
    "start-after",
];

/// Parameters of `ListObjectVersions`.
const VERSIONS: [&str; 7] = [
    "delimiter",
    "encoding-type",
    "key-marker",
    "max-keys",
    "prefix",
    "version-id-marker",
    "versions",
];

/// Parameters that name one part of a bucket's configuration, and who reads it.
const PARTS: [(&str, &str); 9] = [
    ("encryption", "GetBucketEncryption"),
    ("lifecycle", "GetBucketLifecycleConfiguration"),
    ("location", "GetBucketLocation"),
    ("object-lock", "GetObjectLockConfiguration"),
    ("ownershipControls", "GetBucketOwnershipControls"),
    ("policyStatus", "GetBucketPolicyStatus"),
    ("publicAccessBlock", "GetPublicAccessBlock"),
    ("replication", "GetBucketReplication"),
    ("versioning", "GetBucketVersioning"),
];

/// Parameters that name what belongs to a version of an object, and who reads it.
const OF_OBJECTS: [(&str, &str); 4] = [
    ("attributes", "GetObjectAttributes"),
    ("legal-hold", "GetObjectLegalHold"),
    ("retention", "GetObjectRetention"),
    ("tagging", "GetObjectTagging"),
];

/// Header that makes a copy of a write.
const COPY: &str = "x-amz-copy-source";

/// Headers that make another operation of a request.
const OTHERS: [&str; 2] = ["x-amz-rename-source", "x-amz-object-annotation"];

/// The operation; `None` when it cannot be told, or is none of these.
pub(crate) fn s3_action(request: &HttpRequest) -> Option<&'static str> {
    if OTHERS.iter().any(|name| request.headers().contains_key(*name)) {
        return None;
    }
    let (host, path) = host_and_path(request);
    let (_, key) = bucket_and_key(&host, &path)?;
    let query = request.uri().split_once('?').map_or("", |(_, query)| query);
    let mut parameters: BTreeSet<String> = BTreeSet::new();
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !parameters.insert(name.into_owned()) {
            return None;
        }
    }
    // It names the operation for AWS's logs only.
    parameters.remove("x-id");
    let only = |allowed: &[&str]| parameters.iter().all(|name| allowed.contains(&name.as_str()));
    let has = |name: &str| parameters.contains(name);
    let copies = request.headers().contains_key(COPY);
    match (request.method(), !key.is_empty()) {
        ("PUT", true) if copies && only(&[]) => Some("CopyObject"),
        ("PUT", true) if copies && has("partNumber") && only(&["partNumber", "uploadId"]) => {
            Some("UploadPartCopy")
        }
        _ if copies => None,
        ("HEAD", false) if only(&[]) => Some("HeadBucket"),
        ("GET", false) if has("list-type") && only(&LIST) => Some("ListObjectsV2"),
        ("GET", false) if has("versions") && only(&VERSIONS) => Some("ListObjectVersions"),
        ("GET", false) if has("inventory") && only(&["continuation-token", "inventory"]) => {
            Some("ListBucketInventoryConfigurations")
        }
        ("GET", false) => named(&PARTS, |part| has(part) && only(&[part])),
        ("HEAD", true) if only(&["versionId"]) => Some("HeadObject"),
        ("GET", true) if only(&["versionId"]) => Some("GetObject"),
        ("GET", true) => named(&OF_OBJECTS, |part| has(part) && only(&[part, "versionId"])),
        ("PUT", true) if only(&[]) => Some("PutObject"),
        ("POST", true) if has("uploads") && only(&["uploads"]) => Some("CreateMultipartUpload"),
        ("POST", true) if has("uploadId") && only(&["uploadId"]) => Some("CompleteMultipartUpload"),
        ("DELETE", true) if has("uploadId") && only(&["uploadId"]) => Some("AbortMultipartUpload"),
        ("DELETE", true) if only(&["versionId"]) => Some("DeleteObject"),
        _ => None,
    }
}

/// The operation of the one parameter that is asked for.
fn named(
    of: &[(&'static str, &'static str)],
    asked: impl Fn(&'static str) -> bool,
) -> Option<&'static str> {
    of.iter().find(|(part, _)| asked(part)).map(|(_, operation)| *operation)
}

/// What every path of Route 53 begins with: the version of its API.
const ROUTE_53: &str = "/2013-04-01/";

/// The operation of Route 53; `None` when it cannot be told, or is none of these. Identifiers are letters,
/// digits and `-`, so that no path means another one.
pub(crate) fn route53_action(request: &HttpRequest) -> Option<&'static str> {
    let (_, path) = host_and_path(request);
    let path = path.strip_prefix(ROUTE_53)?;
    let parts: Vec<&str> = path.strip_suffix('/').unwrap_or(path).split('/').collect();
    let query = request.uri().split_once('?').map_or("", |(_, query)| query);
    let mut parameters: BTreeSet<String> = BTreeSet::new();
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !parameters.insert(name.into_owned()) {
            return None;
        }
    }
    let id = |id: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !id.is_empty() && id.len() <= 64 && id.bytes().all(plain)
    };
    let (name, allowed): (_, &[&str]) = match (request.method(), parts.as_slice()) {
        ("GET", ["hostedzone"]) => {
            ("ListHostedZones", &["delegationsetid", "hostedzonetype", "marker", "maxitems"])
        }
        ("GET", ["hostedzonesbyname"]) => {
            ("ListHostedZonesByName", &["dnsname", "hostedzoneid", "maxitems"])
        }
        ("GET", ["hostedzone", zone]) if id(zone) => ("GetHostedZone", &[]),
        ("GET", ["hostedzone", zone, "dnssec"]) if id(zone) => ("GetDNSSEC", &[]),
        ("GET", ["hostedzone", zone, "rrset"]) if id(zone) => {
            ("ListResourceRecordSets", &["identifier", "maxitems", "name", "type"])
        }
        ("POST", ["hostedzone", zone, "rrset"]) if id(zone) => ("ChangeResourceRecordSets", &[]),
        ("GET", ["change", change]) if id(change) => ("GetChange", &[]),
        ("GET", ["healthcheck"]) => ("ListHealthChecks", &["marker", "maxitems"]),
        ("GET", ["healthcheck", check]) if id(check) => ("GetHealthCheck", &[]),
        ("POST", ["healthcheck", check]) if id(check) => ("UpdateHealthCheck", &[]),
        ("GET", ["healthcheck", check, "status"]) if id(check) => ("GetHealthCheckStatus", &[]),
        ("GET", ["healthcheck", check, "lastfailurereason"]) if id(check) => {
            ("GetHealthCheckLastFailureReason", &[])
        }
        ("GET", ["tags", "hostedzone" | "healthcheck", resource]) if id(resource) => {
            ("ListTagsForResource", &[])
        }
        ("GET", ["testdnsanswer"]) => (
            "TestDNSAnswer",
            &[
                "edns0clientsubnetip",
                "edns0clientsubnetmask",
                "hostedzoneid",
                "recordname",
                "recordtype",
                "resolverip",
            ],
        ),
        _ => return None,
    };
    parameters.iter().all(|given| allowed.contains(&given.as_str())).then_some(name)
}

/// The bucket and the key that follows it, which may be empty. A bucket stands in the host of AWS's
/// own endpoints, else at the beginning of the path.
pub(crate) fn bucket_and_key<'a>(host: &'a str, path: &'a str) -> Option<(&'a str, &'a str)> {
    let path = path.strip_prefix('/')?;
    let in_host = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    if let Some((bucket, _)) = host.split_once(".s3.").filter(|_| in_host) {
        return (!bucket.is_empty()).then_some((bucket, path));
    }
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (!bucket.is_empty()).then_some((bucket, key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_types::body::SdkBody;

    #[test]
    fn route53_is_known_by_its_paths_alone() {
        for (method, path, wanted) in [
            ("GET", "hostedzone", Some("ListHostedZones")),
            ("GET", "hostedzone?marker=Z1", Some("ListHostedZones")),
            ("GET", "hostedzonesbyname?dnsname=a.example", Some("ListHostedZonesByName")),
            ("GET", "hostedzone/Z1", Some("GetHostedZone")),
            ("GET", "hostedzone/Z1/rrset?name=a&type=A&maxitems=1", Some("ListResourceRecordSets")),
            ("POST", "hostedzone/Z1/rrset", Some("ChangeResourceRecordSets")),
            ("POST", "hostedzone/Z1/rrset/", Some("ChangeResourceRecordSets")),
            ("GET", "change/C1", Some("GetChange")),
            ("GET", "healthcheck/1-2", Some("GetHealthCheck")),
            ("POST", "healthcheck/1-2", Some("UpdateHealthCheck")),
            (
                "GET",
                "testdnsanswer?hostedzoneid=Z1&recordname=a&recordtype=A",
                Some("TestDNSAnswer"),
            ),
            ("POST", "hostedzone", None),
            ("DELETE", "hostedzone/Z1", None),
            ("DELETE", "healthcheck/1-2", None),
            ("POST", "healthcheck", None),
            ("POST", "hostedzone/Z1", None),
            ("POST", "hostedzone/Z1/rrset?name=a", None),
            ("POST", "hostedzone/Z1/rrset//", None),
            ("POST", "hostedzone/Z1/../Z2/rrset", None),
            ("GET", "hostedzone/Z1/rrset?name=a&name=b", None),
            ("GET", "hostedzone/Z%31", None),
            ("GET", "hostedzone//rrset", None),
            ("GET", "hostedzone/Z1?acl", None),
            ("PUT", "hostedzone/Z1/rrset", None),
        ] {
            let mut request = HttpRequest::new(SdkBody::empty());
            request.set_method(method).unwrap();
            request.set_uri(format!("https://route53.amazonaws.com/2013-04-01/{path}")).unwrap();
            assert_eq!(route53_action(&request), wanted, "{method} {path}");
        }
        let mut other = HttpRequest::new(SdkBody::empty());
        other.set_method("GET").unwrap();
        other.set_uri("https://route53.amazonaws.com/2012-02-29/hostedzone").unwrap();
        assert_eq!(route53_action(&other), None);
    }

    fn name(method: &str, uri: &str, header: Option<&'static str>) -> Option<&'static str> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_method(method).unwrap();
        request.set_uri(uri).unwrap();
        if let Some(header) = header {
            request.headers_mut().insert(header, "x");
        }
        s3_action(&request)
    }

    #[test]
    fn what_is_not_known_exactly_has_no_name() {
        let aws = "https://logs.s3.eu-west-1.amazonaws.com";
        let plain = "http://127.0.0.1:4577";
        for (method, uri, wanted) in [
            ("HEAD", format!("{aws}/"), Some("HeadBucket")),
            ("HEAD", format!("{plain}/logs"), Some("HeadBucket")),
            ("HEAD", format!("{plain}/logs/"), Some("HeadBucket")),
            ("GET", format!("{aws}/?location"), Some("GetBucketLocation")),
            ("GET", format!("{aws}/?list-type=2&prefix=a%2F"), Some("ListObjectsV2")),
            ("GET", format!("{plain}/logs/?list-type=2&start-after=a"), Some("ListObjectsV2")),
            ("GET", format!("{aws}/a/b?x-id=GetObject"), Some("GetObject")),
            ("PUT", format!("{plain}/logs/a/b?x-id=PutObject"), Some("PutObject")),
            ("DELETE", format!("{aws}/a?x-id=DeleteObject"), Some("DeleteObject")),
            ("HEAD", format!("{aws}/a"), Some("HeadObject")),
            ("PUT", format!("{aws}/"), None),
            ("DELETE", format!("{plain}/logs"), None),
            ("PUT", format!("{aws}/a?acl"), None),
            ("PUT", format!("{aws}/a?partNumber=1&uploadId=2"), None),
            ("GET", format!("{aws}/a?versionId=1"), Some("GetObject")),
            ("HEAD", format!("{aws}/a?versionId=1"), Some("HeadObject")),
            ("DELETE", format!("{aws}/a?versionId=1&x-id=DeleteObject"), Some("DeleteObject")),
            ("GET", format!("{aws}/a?tagging&versionId=1"), Some("GetObjectTagging")),
            ("GET", format!("{aws}/a?attributes"), Some("GetObjectAttributes")),
            ("GET", format!("{aws}/a?tagging&retention"), None),
            ("DELETE", format!("{aws}/a?tagging"), None),
            ("PUT", format!("{aws}/a?versionId=1"), None),
            ("GET", format!("{aws}/?versioning"), Some("GetBucketVersioning")),
            ("GET", format!("{plain}/logs?replication"), Some("GetBucketReplication")),
            ("GET", format!("{aws}/?replication&versioning"), None),
            ("PUT", format!("{aws}/?versioning"), None),
            ("GET", format!("{aws}/?versions&key-marker=a"), Some("ListObjectVersions")),
            ("GET", format!("{aws}/?versions&list-type=2"), None),
            ("GET", format!("{aws}/?policy"), None),
            ("GET", format!("{aws}/?inventory&id=1"), None),
            (
                "GET",
                format!("{aws}/?inventory&x-id=ListBucketInventoryConfigurations"),
                Some("ListBucketInventoryConfigurations"),
            ),
            ("GET", format!("{aws}/?list-type=2&list-type=2"), None),
            ("GET", format!("{aws}/?list-type=2&acl"), None),
            ("GET", format!("{aws}/"), None),
            ("GET", format!("{plain}/"), None),
            ("POST", format!("{aws}/?delete"), None),
        ] {
            assert_eq!(name(method, &uri, None), wanted, "{method} {uri}");
        }
        let copy = Some("x-amz-copy-source");
        assert_eq!(name("PUT", &format!("{aws}/a"), copy), Some("CopyObject"));
        let part = format!("{aws}/a?partNumber=1&uploadId=2");
        assert_eq!(name("PUT", &part, copy), Some("UploadPartCopy"));
        assert_eq!(name("PUT", &format!("{part}&acl"), copy), None);
        assert_eq!(name("POST", &format!("{aws}/a?uploads"), None), Some("CreateMultipartUpload"));
        let upload = format!("{aws}/a?uploadId=2");
        assert_eq!(name("POST", &upload, None), Some("CompleteMultipartUpload"));
        assert_eq!(name("DELETE", &upload, None), Some("AbortMultipartUpload"));
        assert_eq!(name("DELETE", &format!("{upload}&versionId=1"), None), None);
        assert_eq!(name("POST", &format!("{aws}/a?uploadId=2&uploads"), None), None);
        assert_eq!(name("GET", &format!("{aws}/a"), copy), None);
        assert_eq!(name("PUT", &format!("{aws}/a"), Some("x-amz-rename-source")), None);
    }
}
