//! Refuses configurations that S3 would not take.
//!
//! **Invariant:** what is taken can be carried out: its buckets are there and keep versions.

use crate::estate::Versioning;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::{bucket, bucket_mut};
use crate::sim::s3::documents::{all, of_request, text_at};
use crate::sim::s3::headers_only;
use crate::sim::s3::refusals::malformed_xml;
use crate::sim::s3::rules::{self, Rule};
use crate::sim::xml::Element;
use std::collections::BTreeSet;

/// Refuses what may not be put under this query parameter.
pub(super) fn configuration(
    turn: &Turn<'_>,
    parameter: &str,
    root: &Element,
) -> Result<(), ApiError> {
    match parameter {
        "replication" => replication(turn, root),
        "lifecycle" => lifecycle(root),
        "encryption" => {
            let way = ["Rule", "ApplyServerSideEncryptionByDefault", "SSEAlgorithm"];
            let algorithm = text_at(root, &way).ok_or_else(malformed_xml)?;
            let known = ["AES256", "aws:kms", "aws:kms:dsse"].contains(&algorithm);
            if known { Ok(()) } else { Err(malformed_xml()) }
        }
        "object-lock" => object_lock(turn, root),
        "tagging" => {
            crate::sim::s3::tags::read(root)?;
            Ok(())
        }
        "ownershipControls" => {
            let known = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];
            let owner = text_at(root, &["Rule", "ObjectOwnership"]);
            owner.filter(|owner| known.contains(owner)).map(drop).ok_or_else(malformed_xml)
        }
        _ => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidRequest", message)
}

fn replication(turn: &Turn<'_>, root: &Element) -> Result<(), ApiError> {
    if bucket(turn)?.versioning != Versioning::Enabled {
        let message =
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
        return Err(invalid(message));
    }
    let role = root.text_of("Role").unwrap_or_default();
    if !role.trim().starts_with("arn:") {
        return Err(ApiError::sender(
            "InvalidArgument",
            "Invalid Role specified in replication configuration",
        ));
    }
    let count = all(root, "Rule").count();
    let rules = rules::of(root);
    if count == 0 || count > 1_000 || rules.len() != count {
        return Err(malformed_xml());
    }
    let (mut ids, mut priorities) = (BTreeSet::new(), BTreeSet::new());
    for rule in &rules {
        if !ids.insert(&rule.id) {
            return Err(ApiError::sender("InvalidArgument", "Rule Id must be unique"));
        }
        if rules.len() > 1 && !priorities.insert(rule.priority) {
            let message = format!("Found duplicate priority {}", rule.priority);
            return Err(invalid(message));
        }
        rule_fits(turn, rule)?;
    }
    Ok(())
}

fn rule_fits(turn: &Turn<'_>, rule: &Rule) -> Result<(), ApiError> {
    let Some(to) = turn.world.services.buckets.get(&rule.to) else {
        return Err(invalid("Destination bucket must exist."));
    };
    if to.versioning != Versioning::Enabled {
        return Err(invalid("Destination bucket must have versioning enabled."));
    }
    if rule.to == turn.s3.bucket {
        return Err(invalid("Destination bucket cannot be the same as the source bucket."));
    }
    if rule.delete_markers && !rule.tags.is_empty() {
        let message = "Delete marker replication is not supported if any Tag filter is specified.";
        return Err(invalid(message));
    }
    if rule.time_control && !rule.metrics {
        return Err(invalid("Replication Time Control requires metrics to be enabled."));
    }
    Ok(())
}

fn lifecycle(root: &Element) -> Result<(), ApiError> {
    let mut ids = BTreeSet::new();
    if all(root, "Rule").count() == 0 {
        return Err(malformed_xml());
    }
    for rule in all(root, "Rule") {
        let status = text_at(rule, &["Status"]);
        let acts = rule.children.iter().any(|child| {
            let name = child.name.as_str();
            [
                "Expiration",
                "NoncurrentVersionExpiration",
                "NoncurrentVersionTransition",
                "Transition",
            ]
            .contains(&name)
                || name == "AbortIncompleteMultipartUpload"
        });
        if !matches!(status, Some("Enabled" | "Disabled")) || !acts {
            return Err(malformed_xml());
        }
        if let Some(id) = rule.text_of("ID")
            && !ids.insert(id)
        {
            let message = "RuleId must be unique. Found same ID for more than one rule";
            return Err(ApiError::sender("InvalidArgument", message));
        }
    }
    Ok(())
}

fn object_lock(turn: &Turn<'_>, root: &Element) -> Result<(), ApiError> {
    if bucket(turn)?.versioning != Versioning::Enabled {
        let message =
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        return Err(ApiError::sender("InvalidBucketState", message).with_status(409));
    }
    if text_at(root, &["ObjectLockEnabled"]) != Some("Enabled") {
        return Err(malformed_xml());
    }
    let Some(rule) = root.child("Rule") else { return Ok(()) };
    let retention = rule.child("DefaultRetention").ok_or_else(malformed_xml)?;
    let mode = text_at(retention, &["Mode"]);
    let days = text_at(retention, &["Days"]).map(str::parse::<u32>);
    let years = text_at(retention, &["Years"]).map(str::parse::<u32>);
    let one = matches!((days, years), (Some(Ok(1..)), None) | (None, Some(Ok(1..))));
    if one && matches!(mode, Some("GOVERNANCE" | "COMPLIANCE")) {
        return Ok(());
    }
    Err(malformed_xml())
}

/// Refuses an inventory whose destination is not there.
pub(super) fn inventory(turn: &Turn<'_>, root: &Element) -> Result<(), ApiError> {
    let id = text_at(root, &["Id"]);
    if id != turn.s3.parameter("id") {
        return Err(ApiError::sender("IdMismatch", "Inventory id mismatch"));
    }
    let way = ["Destination", "S3BucketDestination", "Bucket"];
    let to = text_at(root, &way).and_then(|arn| arn.strip_prefix("arn:aws:s3:::"));
    let to = to.ok_or_else(malformed_xml)?;
    if !turn.world.services.buckets.contains_key(to) {
        return Err(ApiError::sender(
            "S3DestinationBucketNotFound",
            "Destination bucket does not exist",
        ));
    }
    let format = text_at(root, &["Destination", "S3BucketDestination", "Format"]);
    let known = matches!(format, Some("CSV" | "Parquet" | "ORC"));
    if known { Ok(()) } else { Err(malformed_xml()) }
}

/// `PutBucketVersioning`.
pub(super) fn put_versioning(turn: &mut Turn<'_>) -> Outcome {
    let found = bucket(turn)?;
    let root = of_request(&turn.s3, "VersioningConfiguration")?;
    let versioning = match text_at(&root, &["Status"]) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            let message = "The Versioning element must be specified";
            return Err(ApiError::sender("IllegalVersioningConfigurationException", message));
        }
    };
    if versioning == Versioning::Suspended {
        for (parameter, what) in
            [("replication", "A replication"), ("object-lock", "An Object Lock")]
        {
            if found.config.contains_key(parameter) {
                let message = format!(
                    "{what} configuration is present on this bucket, so you cannot change the \
                     versioning state."
                );
                return Err(ApiError::sender("InvalidBucketState", message).with_status(409));
            }
        }
    }
    let name = turn.s3.bucket.clone();
    if found.versioning != versioning {
        bucket_mut(turn)?.versioning = versioning;
        turn.changed(&name, format!("its versioning is {}", versioning.word()));
    }
    Ok(headers_only(200, Vec::new()))
}
