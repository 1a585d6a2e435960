//! Copies of versions that are too large for one call: part by part, put together at the end.
//!
//! **Invariant:** nothing is on top of the key before all parts are copied, and then only if what is on top
//! is still what the caller saw; what fails leaves no parts behind, as far as S3 can be reached.

use super::objects::{LARGEST_COPY, copy_source};
use super::{Accepted, Writer};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::{ClientUse, copy_time_outs};
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::{ObjectHead, Over, VersionCopy, is_archive};
use crate::cloud::time::to_sdk;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, ObjectLockLegalHoldStatus, ObjectLockMode,
    ServerSideEncryption, StorageClass,
};
use aws_smithy_types::date_time::Format;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::collections::BTreeMap;

const CREATE: &str = "s3:CreateMultipartUpload";
const PART: &str = "s3:UploadPartCopy";
const COMPLETE: &str = "s3:CompleteMultipartUpload";
const ABORT: &str = "s3:AbortMultipartUpload";

/// Bytes of a part: large enough that a terabyte has few of them, small enough to be copied in seconds.
const PART_SIZE: u64 = 512 * 1024 * 1024;

/// Most parts of an object.
const MOST_PARTS: u64 = 10_000;

/// Most bytes that can be copied in parts.
pub const LARGEST_OBJECT: u64 = LARGEST_COPY * MOST_PARTS;

/// Parts that are copied at a time.
const AT_A_TIME: usize = 4;

/// First and last byte of each part.
fn parts(size: u64) -> Vec<(u64, u64)> {
    let length = PART_SIZE.max(size.div_ceil(MOST_PARTS));
    let starts = (0..).map(|number| number * length).take_while(|start| *start < size);
    starts.map(|start| (start, (start + length).min(size) - 1)).collect()
}

/// Sets what the version carries: nothing of it goes along by itself.
fn carried(
    create: CreateMultipartUploadFluentBuilder,
    head: &ObjectHead,
    tags: &BTreeMap<String, String>,
    now: DateTime<Utc>,
) -> CreateMultipartUploadFluentBuilder {
    let header = |name: &str| head.headers.get(name).cloned();
    let expires = header("expires")
        .and_then(|text| aws_smithy_types::DateTime::from_str(&text, Format::HttpDate).ok());
    let metadata = head.metadata.iter().map(|(name, value)| (name.clone(), value.clone()));
    let tags = form_urlencoded::Serializer::new(String::new()).extend_pairs(tags).finish();
    let class = head.storage_class.as_deref().filter(|class| !is_archive(class));
    let lock = head.retention.as_ref().filter(|(_, until)| *until > now);
    create
        .set_cache_control(header("cache-control"))
        .set_content_disposition(header("content-disposition"))
        .set_content_encoding(header("content-encoding"))
        .set_content_language(header("content-language"))
        .set_content_type(header("content-type"))
        .set_expires(expires)
        .set_website_redirect_location(header("x-amz-website-redirect-location"))
        .set_metadata(Some(metadata.collect()))
        .set_tagging((!tags.is_empty()).then_some(tags))
        .set_server_side_encryption(head.encryption.as_deref().map(ServerSideEncryption::from))
        .set_ssekms_key_id(head.kms_key.clone())
        .set_bucket_key_enabled(head.bucket_key)
        .set_storage_class(class.map(StorageClass::from))
        .set_object_lock_mode(lock.map(|(mode, _)| ObjectLockMode::from(mode.as_str())))
        .set_object_lock_retain_until_date(lock.map(|(_, until)| to_sdk(*until)))
        .set_object_lock_legal_hold_status(head.legal_hold.then_some(ObjectLockLegalHoldStatus::On))
}

impl Writer {
    /// Puts a version that is too large for one call on top of its own key again (S3
    /// `CreateMultipartUpload`, `UploadPartCopy`, `CompleteMultipartUpload`), with these tags and all else
    /// that it carries, if what is on top is still what the caller saw.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt, as with [`Self::copy_version`].
    pub async fn copy_version_in_parts(
        &self,
        region: &str,
        copy: &VersionCopy,
        tags: &BTreeMap<String, String>,
    ) -> Result<Accepted, CloudError> {
        self.check_region(CREATE, region)?;
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let create = client.create_multipart_upload().bucket(&copy.bucket).key(&copy.key);
        let create = carried(create, &copy.head, tags, self.shared.clock.now());
        let call = |operation| Call { operation, region, intent: Intent::Write };
        let created = create.send().await.map_err(|error| sdk_error(call(CREATE), &error))?;
        let Some(upload) = created.upload_id() else {
            return Err(unnamed(region));
        };
        let made = match self.parts_of(region, copy, upload).await {
            Ok(made) => self.put_together(region, copy, upload, made).await,
            Err(error) => Err(error),
        };
        // What may have been put together is not there to be given up.
        if made.as_ref().is_err_and(|error| error.class != ErrorClass::InDoubt) {
            let abort = client.abort_multipart_upload().bucket(&copy.bucket).key(&copy.key);
            if let Err(error) = abort.upload_id(upload).send().await {
                let error = sdk_error(call(ABORT), &error);
                tracing::warn!(%error, "parts of an unfinished copy may be left");
            }
        }
        made
    }

    async fn parts_of(
        &self,
        region: &str,
        copy: &VersionCopy,
        upload: &str,
    ) -> Result<Vec<CompletedPart>, CloudError> {
        let numbered = (1..).zip(parts(copy.head.size));
        futures_util::stream::iter(numbered)
            .map(|(number, range)| self.part(region, copy, upload, number, range))
            .buffered(AT_A_TIME)
            .try_collect()
            .await
    }

    async fn part(
        &self,
        region: &str,
        copy: &VersionCopy,
        upload: &str,
        number: i32,
        (first, last): (u64, u64),
    ) -> Result<CompletedPart, CloudError> {
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let request = client
            .upload_part_copy()
            .bucket(&copy.bucket)
            .key(&copy.key)
            .upload_id(upload)
            .part_number(number)
            .copy_source(copy_source(&copy.bucket, &copy.key, &copy.version_id))
            .copy_source_range(format!("bytes={first}-{last}"));
        let patient = Builder::new().timeout_config(copy_time_outs(&self.shared.clock));
        let answer = request.customize().config_override(patient).send().await;
        // A part whose answer was lost is no doubt about the object: nothing is put together.
        let call = Call { operation: PART, region, intent: Intent::Read };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        let tag = answer.copy_part_result().and_then(|part| part.e_tag()).map(str::to_owned);
        Ok(CompletedPart::builder().part_number(number).set_e_tag(tag).build())
    }

    async fn put_together(
        &self,
        region: &str,
        copy: &VersionCopy,
        upload: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<Accepted, CloudError> {
        let client = self.shared.clients.s3(region, ClientUse::Writes);
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = client
            .complete_multipart_upload()
            .bucket(&copy.bucket)
            .key(&copy.key)
            .upload_id(upload)
            .multipart_upload(parts);
        let request = match &copy.over {
            Over::Version(etag) => request.if_match(etag),
            Over::Nothing => request.if_none_match("*"),
        };
        let patient = Builder::new().timeout_config(copy_time_outs(&self.shared.clock));
        let answer = request.customize().config_override(patient).send().await;
        let call = Call { operation: COMPLETE, region, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(Accepted { request_id: answer.request_id().map(str::to_owned) })
    }
}

fn unnamed(region: &str) -> CloudError {
    CloudError {
        class: ErrorClass::Temporary,
        operation: CREATE.to_owned(),
        region: region.to_owned(),
        code: None,
        message: "the answer names no upload".to_owned(),
        request_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{LARGEST_OBJECT, MOST_PARTS, PART_SIZE, parts};

    #[test]
    fn parts_cover_every_byte_once() {
        for size in [1, PART_SIZE, PART_SIZE + 1, 11 * PART_SIZE, 6 << 40, LARGEST_OBJECT] {
            let all = parts(size);
            assert!(all.len() as u64 <= MOST_PARTS, "{size}");
            assert_eq!((all[0].0, all.last().map(|part| part.1)), (0, Some(size - 1)));
            assert!(all.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{size}");
        }
    }
}
