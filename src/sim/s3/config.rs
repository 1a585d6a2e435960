//! Configuration of buckets: what is put, given back and taken away.
//!
//! **Invariant:** a configuration that is put is read back as it was; one that S3 would refuse changes nothing.

use crate::sim::answer::{ApiError, Body, Outcome, RestAnswer};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::{bucket, bucket_mut};
use crate::sim::s3::documents::{self, of_request};
use crate::sim::s3::refusals::{malformed_xml, not_found};
use crate::sim::s3::{NAMESPACE, document, headers_only, judged, policy, replicate};
use crate::sim::xml::Xml;

/// A configuration: the query parameter that it goes by, its root element, and what says that there is none.
struct Kind {
    parameter: &'static str,
    root: &'static str,
    /// Code and message when none was put; without a code an empty document says so.
    none: (&'static str, &'static str),
}

const fn kind(
    parameter: &'static str,
    root: &'static str,
    code: &'static str,
    message: &'static str,
) -> Kind {
    Kind { parameter, root, none: (code, message) }
}

const KINDS: [Kind; 13] = [
    kind(
        "replication",
        "ReplicationConfiguration",
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    kind(
        "encryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
    ),
    kind(
        "publicAccessBlock",
        "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    kind(
        "lifecycle",
        "LifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    kind(
        "object-lock",
        "ObjectLockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    kind(
        "ownershipControls",
        "OwnershipControls",
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    ),
    kind("tagging", "Tagging", "NoSuchTagSet", "The TagSet does not exist"),
    kind(
        "cors",
        "CORSConfiguration",
        "NoSuchCORSConfiguration",
        "The CORS configuration does not exist",
    ),
    kind(
        "website",
        "WebsiteConfiguration",
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    kind("logging", "BucketLoggingStatus", "", ""),
    kind("notification", "NotificationConfiguration", "", ""),
    kind("accelerate", "AccelerateConfiguration", "", ""),
    kind("requestPayment", "RequestPaymentConfiguration", "", ""),
];

/// Answers a call about a bucket's configuration; `None` when it is another call.
pub(super) fn answer(turn: &mut Turn<'_>) -> Option<Outcome> {
    if let Some(answer) = policy::answer(turn) {
        return Some(answer);
    }
    if !turn.s3.key.is_empty() {
        return None;
    }
    match turn.action.as_str() {
        "GetBucketVersioning" => return Some(versioning(turn)),
        "PutBucketVersioning" => return Some(judged::put_versioning(turn)),
        _ => {}
    }
    let has = |kind: &&Kind| turn.s3.query.contains_key(kind.parameter);
    let kind = KINDS.iter().find(has)?;
    match turn.s3.method.as_str() {
        "GET" => Some(get(turn, kind)),
        "PUT" => Some(put(turn, kind)),
        "DELETE" => Some(delete(turn, kind)),
        _ => None,
    }
}

fn get(turn: &Turn<'_>, kind: &Kind) -> Outcome {
    let found = bucket(turn)?;
    match found.config.get(kind.parameter) {
        Some(kept) => Ok(documents::answer(kept)),
        None if kind.none.0.is_empty() => {
            let mut xml = Xml::default();
            xml.element_in(kind.root, NAMESPACE, |xml| {
                if kind.parameter == "requestPayment" {
                    xml.leaf("Payer", "BucketOwner");
                }
            });
            Ok(document(xml))
        }
        None => Err(not_found(kind.none, &turn.s3.bucket)),
    }
}

fn put(turn: &mut Turn<'_>, kind: &Kind) -> Outcome {
    bucket(turn)?;
    let root = of_request(&turn.s3, kind.root)?;
    judged::configuration(turn, kind.parameter, &root)?;
    let name = turn.s3.bucket.clone();
    let kept = documents::kept(&root);
    bucket_mut(turn)?.config.insert(kind.parameter.to_owned(), kept);
    if kind.parameter == "replication" {
        replicate::existing(turn.world, &name);
    }
    turn.changed(&name, format!("its {} was put", kind.parameter));
    Ok(headers_only(200, Vec::new()))
}

fn delete(turn: &mut Turn<'_>, kind: &Kind) -> Outcome {
    let name = turn.s3.bucket.clone();
    let found = bucket_mut(turn)?;
    // There is always a default encryption.
    let gone = match kind.parameter {
        "encryption" => {
            found.config.insert(kind.parameter.to_owned(), ENCRYPTED.to_owned()).as_deref()
                != Some(ENCRYPTED)
        }
        parameter => found.config.remove(parameter).is_some(),
    };
    if gone {
        turn.changed(&name, format!("its {} was removed", kind.parameter));
    }
    Ok(headers_only(204, Vec::new()))
}

/// The default encryption of every bucket.
pub(super) const ENCRYPTED: &str = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
     <SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>\
     <BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>";

/// All of a bucket blocked against public access.
pub(super) const BLOCKED: &str = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
     <IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy>\
     <RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";

/// Everything in a bucket belongs to its owner.
pub(super) const OWNED: &str = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced\
     </ObjectOwnership></Rule></OwnershipControls>";

/// What every bucket is made with.
pub(super) fn of_new() -> std::collections::BTreeMap<String, String> {
    [("encryption", ENCRYPTED), ("publicAccessBlock", BLOCKED), ("ownershipControls", OWNED)]
        .map(|(name, document)| (name.to_owned(), document.to_owned()))
        .into()
}

fn versioning(turn: &Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let status = match found.versioning {
        crate::estate::Versioning::Enabled => Some("Enabled"),
        crate::estate::Versioning::Suspended => Some("Suspended"),
        crate::estate::Versioning::Never => None,
    };
    let mut xml = Xml::default();
    xml.element_in("VersioningConfiguration", NAMESPACE, |xml| xml.optional("Status", status));
    Ok(document(xml))
}

/// What stands in `inventory/ID`, by the query's `id`.
fn inventory_key(turn: &Turn<'_>) -> Result<String, ApiError> {
    let id = turn.s3.parameter("id").ok_or_else(malformed_xml)?;
    Ok(format!("inventory/{id}"))
}

/// Answers a call about inventories; `None` when it is another call.
pub(super) fn inventories(turn: &mut Turn<'_>) -> Option<Outcome> {
    match turn.action.as_str() {
        "ListBucketInventoryConfigurations" => Some(list_inventories(turn)),
        "GetBucketInventoryConfiguration" => Some(get_inventory(turn)),
        "PutBucketInventoryConfiguration" => Some(put_inventory(turn)),
        "DeleteBucketInventoryConfiguration" => Some(delete_inventory(turn)),
        _ => None,
    }
}

fn list_inventories(turn: &Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let mut xml = Xml::default();
    xml.element_in("ListInventoryConfigurationsResult", NAMESPACE, |xml| {
        for (_, kept) in found.config.iter().filter(|(name, _)| name.starts_with("inventory/")) {
            documents::write(&documents::read(kept), xml);
        }
        xml.leaf("IsTruncated", false);
    });
    Ok(document(xml))
}

fn no_inventory(bucket: &str) -> ApiError {
    not_found(("NoSuchConfiguration", "The specified configuration does not exist."), bucket)
}

fn get_inventory(turn: &Turn<'_>) -> Outcome {
    let kept = bucket(turn)?.config.get(&inventory_key(turn)?);
    kept.map(|kept| documents::answer(kept)).ok_or_else(|| no_inventory(&turn.s3.bucket))
}

fn put_inventory(turn: &mut Turn<'_>) -> Outcome {
    bucket(turn)?;
    let (key, root) = (inventory_key(turn)?, of_request(&turn.s3, "InventoryConfiguration")?);
    judged::inventory(turn, &root)?;
    let name = turn.s3.bucket.clone();
    bucket_mut(turn)?.config.insert(key, documents::kept(&root));
    turn.changed(&name, "an inventory of it was put");
    Ok(headers_only(204, Vec::new()))
}

fn delete_inventory(turn: &mut Turn<'_>) -> Outcome {
    let key = inventory_key(turn)?;
    let name = turn.s3.bucket.clone();
    if bucket_mut(turn)?.config.remove(&key).is_none() {
        return Err(no_inventory(&name));
    }
    turn.changed(&name, "an inventory of it was removed");
    Ok(headers_only(204, Vec::new()))
}

/// An answer that is a policy.
pub(super) fn json(text: &str) -> Body {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Body::Rest(RestAnswer { status: 200, headers, body: text.as_bytes().to_vec() })
}
