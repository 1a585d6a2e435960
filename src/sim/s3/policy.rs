//! Bucket policies, whether they make a bucket public, and access control lists.
//!
//! **Invariant:** a policy is kept as it was put; nobody is let in or kept out by it here: the simulated account
//! is the only one that calls.

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::{bucket, bucket_mut};
use crate::sim::s3::config::json;
use crate::sim::s3::objects::found;
use crate::sim::s3::refusals::not_found;
use crate::sim::s3::{NAMESPACE, document, headers_only};
use crate::sim::xml::Xml;
use serde_json::Value as Json;

/// Answers a call about policies or access control lists; `None` when it is another call.
pub(super) fn answer(turn: &mut Turn<'_>) -> Option<Outcome> {
    Some(match turn.action.as_str() {
        "GetBucketPolicy" => get(turn),
        "PutBucketPolicy" => put(turn),
        "DeleteBucketPolicy" => delete(turn),
        "GetBucketPolicyStatus" => status(turn),
        "GetBucketAcl" => bucket(turn).map(drop).and_then(|()| acl(turn)),
        "GetObjectAcl" => found(turn).map(drop).and_then(|()| acl(turn)),
        "PutBucketAcl" => bucket(turn).map(drop).and_then(|()| put_acl(turn)),
        "PutObjectAcl" => found(turn).map(drop).and_then(|()| put_acl(turn)),
        _ => return None,
    })
}

fn kept<'a>(turn: &'a Turn<'_>) -> Result<&'a str, ApiError> {
    let kept = bucket(turn)?.config.get("policy").map(String::as_str);
    let none = ("NoSuchBucketPolicy", "The bucket policy does not exist");
    kept.ok_or_else(|| not_found(none, &turn.s3.bucket))
}

fn get(turn: &Turn<'_>) -> Outcome {
    kept(turn).map(json)
}

fn put(turn: &mut Turn<'_>) -> Outcome {
    bucket(turn)?;
    let malformed = |message: &str| ApiError::sender("MalformedPolicy", message);
    let policy: Json = serde_json::from_slice(&turn.s3.body)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    if !policy.is_object() || policy["Statement"].is_null() {
        return Err(malformed("Missing required field Statement"));
    }
    let name = turn.s3.bucket.clone();
    if blocks_public(turn)? && is_public(&policy) {
        let message =
            "public policies are blocked by the BlockPublicPolicy block public access setting.";
        return Err(ApiError::sender("AccessDenied", message).with_status(403));
    }
    let text = String::from_utf8_lossy(&turn.s3.body).into_owned();
    bucket_mut(turn)?.config.insert("policy".to_owned(), text);
    turn.changed(&name, "its policy was put");
    Ok(headers_only(204, Vec::new()))
}

fn delete(turn: &mut Turn<'_>) -> Outcome {
    let name = turn.s3.bucket.clone();
    if bucket_mut(turn)?.config.remove("policy").is_some() {
        turn.changed(&name, "its policy was removed");
    }
    Ok(headers_only(204, Vec::new()))
}

fn blocks_public(turn: &Turn<'_>) -> Result<bool, ApiError> {
    let block = bucket(turn)?.config.get("publicAccessBlock");
    Ok(block.is_some_and(|text| text.contains("<BlockPublicPolicy>true</BlockPublicPolicy>")))
}

fn status(turn: &Turn<'_>) -> Outcome {
    let policy: Json = serde_json::from_str(kept(turn)?).unwrap_or_default();
    let mut xml = Xml::default();
    xml.element_in("PolicyStatus", NAMESPACE, |xml| xml.leaf("IsPublic", is_public(&policy)));
    Ok(document(xml))
}

/// Whether some statement lets anybody in without a condition.
fn is_public(policy: &Json) -> bool {
    let statements = match &policy["Statement"] {
        Json::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    let anybody = |who: &Json| match who {
        Json::String(text) => text == "*",
        Json::Array(all) => all.iter().any(|one| one == "*"),
        _ => false,
    };
    statements.iter().any(|statement| {
        let who = &statement["Principal"];
        statement["Effect"] == "Allow"
            && statement["Condition"].is_null()
            && (anybody(who) || anybody(&who["AWS"]))
    })
}

/// The owner may do everything.
fn acl(turn: &Turn<'_>) -> Outcome {
    let owner = turn.world.account.as_str();
    let mut xml = Xml::default();
    xml.element_in("AccessControlPolicy", NAMESPACE, |xml| {
        xml.element("Owner", |xml| xml.leaf("ID", owner));
        xml.element("AccessControlList", |xml| {
            xml.element("Grant", |xml| {
                xml.element_of_type("Grantee", "CanonicalUser", |xml| xml.leaf("ID", owner));
                xml.leaf("Permission", "FULL_CONTROL");
            });
        });
    });
    Ok(document(xml))
}

/// Everything belongs to the bucket's owner: only the list that says so is taken.
fn put_acl(turn: &Turn<'_>) -> Outcome {
    match turn.s3.header("x-amz-acl") {
        Some("private" | "bucket-owner-full-control") => Ok(headers_only(200, Vec::new())),
        Some(_) | None => {
            let message = "The bucket does not allow ACLs";
            Err(ApiError::sender("AccessControlListNotSupported", message))
        }
    }
}
