//! The name of the operation that a request means.
//!
//! **Invariant:** it is a function of method, address, query and, for copies, of one header.

use crate::sim::s3::wire::Request;

/// Operations on a bucket that a parameter names: parameter, and what GET, PUT and DELETE mean.
const OF_BUCKET: [(&str, [&str; 3]); 21] = [
    ("location", ["GetBucketLocation", "", ""]),
    ("versions", ["ListObjectVersions", "", ""]),
    ("uploads", ["ListMultipartUploads", "", ""]),
    ("versioning", ["GetBucketVersioning", "PutBucketVersioning", ""]),
    ("replication", ["GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"]),
    ("encryption", ["GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"]),
    (
        "publicAccessBlock",
        ["GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"],
    ),
    ("policyStatus", ["GetBucketPolicyStatus", "", ""]),
    ("policy", ["GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"]),
    (
        "lifecycle",
        [
            "GetBucketLifecycleConfiguration",
            "PutBucketLifecycleConfiguration",
            "DeleteBucketLifecycle",
        ],
    ),
    ("object-lock", ["GetObjectLockConfiguration", "PutObjectLockConfiguration", ""]),
    (
        "ownershipControls",
        [
            "GetBucketOwnershipControls",
            "PutBucketOwnershipControls",
            "DeleteBucketOwnershipControls",
        ],
    ),
    ("tagging", ["GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"]),
    ("cors", ["GetBucketCors", "PutBucketCors", "DeleteBucketCors"]),
    ("website", ["GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"]),
    ("logging", ["GetBucketLogging", "PutBucketLogging", ""]),
    (
        "notification",
        ["GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", ""],
    ),
    ("accelerate", ["GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration", ""]),
    ("requestPayment", ["GetBucketRequestPayment", "PutBucketRequestPayment", ""]),
    ("acl", ["GetBucketAcl", "PutBucketAcl", ""]),
    (
        "inventory",
        [
            "GetBucketInventoryConfiguration",
            "PutBucketInventoryConfiguration",
            "DeleteBucketInventoryConfiguration",
        ],
    ),
];

/// Operations on an object that a parameter names.
const OF_OBJECT: [(&str, [&str; 3]); 6] = [
    ("tagging", ["GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"]),
    ("attributes", ["GetObjectAttributes", "", ""]),
    ("retention", ["GetObjectRetention", "PutObjectRetention", ""]),
    ("legal-hold", ["GetObjectLegalHold", "PutObjectLegalHold", ""]),
    ("acl", ["GetObjectAcl", "PutObjectAcl", ""]),
    ("uploadId", ["ListParts", "", "AbortMultipartUpload"]),
];

/// Parameters that name no operation: `x-id` names it for logs, the others are its input.
const INPUTS: [&str; 12] = [
    "x-id",
    "versionId",
    "partNumber",
    "prefix",
    "marker",
    "max-keys",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "list-type",
    "start-after",
    "continuation-token",
];

/// The operation; `None` for one that the simulator does not have.
pub(super) fn name(request: &Request) -> Option<&'static str> {
    let has = |name: &str| request.query.contains_key(name);
    let plain = !request.query.keys().any(|name| {
        !INPUTS.contains(&name.as_str()) && !name.starts_with("response-") && !signs(name)
    });
    let copies = request.header("x-amz-copy-source").is_some();
    let place = (!request.bucket.is_empty(), !request.key.is_empty());
    Some(match (request.method.as_str(), place) {
        ("GET", (false, _)) => "ListBuckets",
        ("HEAD", (true, false)) if plain => "HeadBucket",
        ("GET", (true, false)) if has("inventory") && !has("id") => {
            "ListBucketInventoryConfigurations"
        }
        ("GET", (true, false)) if plain && request.parameter("list-type") == Some("2") => {
            "ListObjectsV2"
        }
        ("GET", (true, false)) if plain && !has("list-type") => "ListObjects",
        ("PUT", (true, false)) if plain => "CreateBucket",
        ("DELETE", (true, false)) if plain => "DeleteBucket",
        ("POST", (true, false)) if has("delete") => "DeleteObjects",
        (method, (true, false)) => named(&OF_BUCKET, method, &has)?,
        ("POST", (true, true)) if has("uploads") => "CreateMultipartUpload",
        ("POST", (true, true)) if has("uploadId") => "CompleteMultipartUpload",
        ("POST", (true, true)) if has("restore") => "RestoreObject",
        ("PUT", (true, true)) if has("uploadId") && has("partNumber") => {
            if copies {
                "UploadPartCopy"
            } else {
                "UploadPart"
            }
        }
        ("GET", (true, true)) if plain => "GetObject",
        ("HEAD", (true, true)) if plain => "HeadObject",
        ("PUT", (true, true)) if plain && copies => "CopyObject",
        ("PUT", (true, true)) if plain => "PutObject",
        ("DELETE", (true, true)) if plain => "DeleteObject",
        (method, (true, true)) => named(&OF_OBJECT, method, &has)?,
        _ => return None,
    })
}

/// Whether a parameter is part of a signature in the address.
fn signs(name: &str) -> bool {
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
}

fn named(
    operations: &[(&str, [&'static str; 3])],
    method: &str,
    has: &dyn Fn(&str) -> bool,
) -> Option<&'static str> {
    let column = ["GET", "PUT", "DELETE"].iter().position(|known| *known == method)?;
    let (_, names) = operations.iter().find(|(parameter, _)| has(parameter))?;
    Some(names[column]).filter(|name| !name.is_empty())
}

/// The actions that change something.
pub(in crate::sim) const MUTATING: [&str; 41] = [
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteBucketCors",
    "DeleteBucketEncryption",
    "DeleteBucketInventoryConfiguration",
    "DeleteBucketLifecycle",
    "DeleteBucketOwnershipControls",
    "DeleteBucketPolicy",
    "DeleteBucketReplication",
    "DeleteBucketTagging",
    "DeleteBucketWebsite",
    "DeleteObject",
    "DeleteObjectTagging",
    "DeleteObjects",
    "DeletePublicAccessBlock",
    "PutBucketAccelerateConfiguration",
    "PutBucketAcl",
    "PutBucketCors",
    "PutBucketEncryption",
    "PutBucketInventoryConfiguration",
    "PutBucketLifecycleConfiguration",
    "PutBucketLogging",
    "PutBucketNotificationConfiguration",
    "PutBucketOwnershipControls",
    "PutBucketPolicy",
    "PutBucketReplication",
    "PutBucketRequestPayment",
    "PutBucketTagging",
    "PutBucketVersioning",
    "PutBucketWebsite",
    "PutObject",
    "PutObjectAcl",
    "PutObjectLegalHold",
    "PutObjectLockConfiguration",
    "PutObjectRetention",
    "PutObjectTagging",
    "PutPublicAccessBlock",
];

/// More of them, which move bytes.
pub(in crate::sim) const MOVING: [&str; 3] = ["RestoreObject", "UploadPart", "UploadPartCopy"];

/// Actions whose permission has another name.
const PERMISSIONS: [(&str, &str); 33] = [
    ("HeadBucket", "ListBucket"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("ListObjectVersions", "ListBucketVersions"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("ListParts", "ListMultipartUploadParts"),
    ("ListBuckets", "ListAllMyBuckets"),
    ("HeadObject", "GetObject"),
    ("GetObjectAttributes", "GetObjectAttributes"),
    ("DeleteObjects", "DeleteObject"),
    ("CopyObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject"),
    ("UploadPart", "PutObject"),
    ("UploadPartCopy", "PutObject"),
    ("CompleteMultipartUpload", "PutObject"),
    ("GetBucketReplication", "GetReplicationConfiguration"),
    ("PutBucketReplication", "PutReplicationConfiguration"),
    ("DeleteBucketReplication", "PutReplicationConfiguration"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
    ("GetObjectLockConfiguration", "GetBucketObjectLockConfiguration"),
    ("PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
    ("GetBucketInventoryConfiguration", "GetInventoryConfiguration"),
    ("ListBucketInventoryConfigurations", "GetInventoryConfiguration"),
    ("PutBucketInventoryConfiguration", "PutInventoryConfiguration"),
    ("DeleteBucketInventoryConfiguration", "PutInventoryConfiguration"),
];

/// What IAM calls the permission for an action; one on a named version has a permission of its own.
pub(in crate::sim) fn permission(action: &str, request: &Request) -> &'static str {
    let versioned = request.parameter("versionId").is_some();
    match (action, versioned) {
        ("GetObject" | "HeadObject", true) => return "GetObjectVersion",
        ("DeleteObject", true) => return "DeleteObjectVersion",
        ("GetObjectTagging", true) => return "GetObjectVersionTagging",
        ("PutObjectTagging", true) => return "PutObjectVersionTagging",
        ("GetObjectAttributes", true) => return "GetObjectVersionAttributes",
        _ => {}
    }
    if let Some((_, permission)) = PERMISSIONS.iter().find(|(name, _)| *name == action) {
        return permission;
    }
    let known = OF_BUCKET.iter().chain(&OF_OBJECT).flat_map(|(_, names)| names.iter());
    let own = ["CreateBucket", "DeleteBucket", "GetObject", "PutObject", "DeleteObject"];
    let known = known.chain(&own).chain(&["RestoreObject"]);
    known.copied().find(|name| *name == action).unwrap_or("Unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_name_and_permission() {
        let request = |method: &str, key: &str, query: &str| Request {
            method: method.to_owned(),
            bucket: "b".to_owned(),
            key: key.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            ..Request::default()
        };
        for (method, key, query, wanted, allowed) in [
            ("GET", "", "", "ListObjects", "ListBucket"),
            ("GET", "", "prefix=a&delimiter=/&marker=b&max-keys=3", "ListObjects", "ListBucket"),
            ("GET", "", "list-type=2", "ListObjectsV2", "ListBucket"),
            ("GET", "", "versions&prefix=a", "ListObjectVersions", "ListBucketVersions"),
            (
                "GET",
                "",
                "inventory",
                "ListBucketInventoryConfigurations",
                "GetInventoryConfiguration",
            ),
            (
                "GET",
                "",
                "inventory&id=x",
                "GetBucketInventoryConfiguration",
                "GetInventoryConfiguration",
            ),
            ("PUT", "", "versioning", "PutBucketVersioning", "PutBucketVersioning"),
            ("GET", "", "policyStatus", "GetBucketPolicyStatus", "GetBucketPolicyStatus"),
            ("DELETE", "", "lifecycle", "DeleteBucketLifecycle", "PutLifecycleConfiguration"),
            ("GET", "k", "versionId=1", "GetObject", "GetObjectVersion"),
            ("HEAD", "k", "versionId=1&partNumber=1", "HeadObject", "GetObjectVersion"),
            ("GET", "k", "X-Amz-Signature=1&X-Amz-Date=2", "GetObject", "GetObject"),
            ("GET", "k", "response-content-type=a", "GetObject", "GetObject"),
            ("DELETE", "k", "versionId=1", "DeleteObject", "DeleteObjectVersion"),
            ("PUT", "k", "tagging&versionId=1", "PutObjectTagging", "PutObjectVersionTagging"),
            ("GET", "k", "attributes", "GetObjectAttributes", "GetObjectAttributes"),
            ("POST", "k", "uploads", "CreateMultipartUpload", "PutObject"),
            ("PUT", "k", "partNumber=1&uploadId=2", "UploadPart", "PutObject"),
            ("POST", "k", "uploadId=2", "CompleteMultipartUpload", "PutObject"),
            ("GET", "k", "uploadId=2", "ListParts", "ListMultipartUploadParts"),
            ("DELETE", "k", "uploadId=2", "AbortMultipartUpload", "AbortMultipartUpload"),
            ("POST", "k", "restore", "RestoreObject", "RestoreObject"),
            ("PUT", "k", "legal-hold", "PutObjectLegalHold", "PutObjectLegalHold"),
        ] {
            let request = request(method, key, query);
            let found = name(&request);
            assert_eq!(found, Some(wanted), "{method} {key} {query}");
            assert_eq!(permission(wanted, &request), allowed, "{method} {key} {query}");
        }
        for (method, key, query) in [
            ("GET", "k", "torrent"),
            ("PUT", "", "location"),
            ("PATCH", "k", ""),
            ("GET", "", "list-type=3"),
        ] {
            assert_eq!(name(&request(method, key, query)), None, "{method} {key} {query}");
        }
    }

    #[test]
    fn whatever_changes_something_is_listed_once() {
        let listed = || MUTATING.iter().chain(&MOVING);
        let names = OF_BUCKET.iter().chain(&OF_OBJECT).flat_map(|(_, names)| names.iter());
        for name in names.filter(|name| name.starts_with("Put") || name.starts_with("Delete")) {
            assert!(listed().any(|known| known == name), "{name}");
        }
        for name in listed() {
            assert_eq!(listed().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}
