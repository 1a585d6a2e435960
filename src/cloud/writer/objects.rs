//! Changes of objects: copies of older versions on top, delete markers put and removed.
//!
//! **Invariant:** no version with data is ever deleted or overwritten, and nothing is put on top of what
//! nobody looked at: each write names what it replaces.

use super::{Accepted, Writer, refused};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::{ClientUse, copy_time_outs};
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::listing::PAGE;
use crate::cloud::model::{ObjectHead, Over, VersionCopy, is_archive};
use crate::cloud::permit::{MarkerPermit, MarkerProof, PermitError};
use crate::cloud::time::to_sdk;
use crate::cloud::view::version_page;
use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::types::{
    ObjectLockLegalHoldStatus, ObjectLockMode, ServerSideEncryption, StorageClass, TaggingDirective,
};
use chrono::{DateTime, Utc};

const COPY: &str = "s3:CopyObject";
const DELETE: &str = "s3:DeleteObject";

/// Most bytes that S3 copies in one call.
pub const LARGEST_COPY: u64 = 5 * 1024 * 1024 * 1024;

/// A version as `x-amz-copy-source` names it: what is not plain has percent signs, also in the key.
pub(super) fn copy_source(bucket: &str, key: &str, version: &str) -> String {
    let mut source = format!("{bucket}/");
    escape(key, &mut source);
    source.push_str("?versionId=");
    escape(version, &mut source);
    source
}

fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push_str(&format!("%{byte:02X}"));
        }
    }
}

/// Sets what a copy does not take along by itself: encryption, storage class, lock, redirect.
fn kept(
    copy: CopyObjectFluentBuilder,
    head: &ObjectHead,
    now: DateTime<Utc>,
) -> CopyObjectFluentBuilder {
    let encryption = head.encryption.as_deref().map(ServerSideEncryption::from);
    // A copy in an archive could not be read: what was restored from one becomes an ordinary object.
    let class = head.storage_class.as_deref().filter(|class| !is_archive(class));
    let lock = head.retention.as_ref().filter(|(_, until)| *until > now);
    let redirect = head.headers.get("x-amz-website-redirect-location").cloned();
    copy.set_server_side_encryption(encryption)
        .set_ssekms_key_id(head.kms_key.clone())
        .set_bucket_key_enabled(head.bucket_key)
        .set_storage_class(class.map(StorageClass::from))
        .set_website_redirect_location(redirect)
        .set_object_lock_mode(lock.map(|(mode, _)| ObjectLockMode::from(mode.as_str())))
        .set_object_lock_retain_until_date(lock.map(|(_, until)| to_sdk(*until)))
        .set_object_lock_legal_hold_status(head.legal_hold.then_some(ObjectLockLegalHoldStatus::On))
}

impl Writer {
    /// Puts a version on top of its own key again (S3 `CopyObject`), with its metadata, tags, encryption,
    /// storage class and lock, if what is on top is still what the caller saw.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `PreconditionFailed` and, of a key that was
    /// deleted meanwhile, `NoSuchKey` mean that something else is on top now; `InvalidObjectState` that the
    /// version lies in an archive.
    pub async fn copy_version(
        &self,
        region: &str,
        copy: &VersionCopy,
    ) -> Result<Accepted, CloudError> {
        let VersionCopy { bucket, key, version_id, over, head } = copy;
        self.check_region(COPY, region)?;
        if head.size > LARGEST_COPY {
            let why = format!("`{key}` has {} bytes, more than one call copies", head.size);
            return Err(refused(COPY, region, why));
        }
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let request = client
            .copy_object()
            .bucket(bucket)
            .key(key)
            .copy_source(copy_source(bucket, key, version_id))
            .tagging_directive(TaggingDirective::Copy);
        let request = kept(request, head, self.shared.clock.now());
        let request = match over {
            Over::Version(etag) => request.if_match(etag),
            Over::Nothing => request.if_none_match("*"),
        };
        let patient =
            aws_sdk_s3::config::Builder::new().timeout_config(copy_time_outs(&self.shared.clock));
        let answer = request.customize().config_override(patient).send().await;
        let call = Call { operation: COPY, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Puts a delete marker on top of a key of a bucket that keeps versions, if the version with `etag` is
    /// still on top (S3 `DeleteObject` without a version id).
    ///
    /// # Errors
    /// Refused by AWS, or in doubt. `PreconditionFailed` means that something else is on top now.
    pub async fn mark_deleted(
        &self,
        region: &str,
        (bucket, key): (&str, &str),
        etag: &str,
    ) -> Result<Accepted, CloudError> {
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let request = client.delete_object().bucket(bucket).key(key).if_match(etag);
        let answer = request.send().await;
        let call = Call { operation: DELETE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }

    /// Removes a delete marker by its version id (S3 `DeleteObject`), after looking again.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt.
    pub async fn remove_marker(&self, permit: &MarkerPermit) -> Result<Accepted, CloudError> {
        let (region, proof) = (permit.region(), permit.proof());
        let MarkerProof { bucket, key, marker, .. } = proof;
        let place = (bucket.as_str(), key.as_str());
        let page = version_page(&self.shared, region, place, None, PAGE).await?;
        match proof.judge(region, &page.entries) {
            Ok(_) => {}
            Err(PermitError::Cloud(error)) => return Err(error),
            Err(other) => return Err(refused(DELETE, region, other.to_string())),
        }
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let request = client.delete_object().bucket(bucket).key(key).version_id(marker);
        let answer = request.send().await;
        let call = Call { operation: DELETE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        if answer.delete_marker() == Some(false) {
            return Err(CloudError {
                class: ErrorClass::Permanent,
                operation: DELETE.to_owned(),
                region: region.to_owned(),
                code: Some("NotADeleteMarker".to_owned()),
                message: format!("{marker} of `{key}` was no delete marker, says the answer"),
                request_id: answer.request_id().map(str::to_owned),
            });
        }
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::copy_source;

    #[test]
    fn a_copy_source_is_escaped_whole() {
        assert_eq!(copy_source("docs", "a/b c", "v1"), "docs/a/b%20c?versionId=v1");
        assert_eq!(
            copy_source("docs", "100%+ä?\n", "v/1"),
            "docs/100%25%2B%C3%A4%3F%0A?versionId=v/1"
        );
    }
}
