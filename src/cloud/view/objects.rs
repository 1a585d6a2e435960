//! Reads of objects and of their histories.
//!
//! **Invariant:** keys are as they were written, whatever the wire needed; nothing here yields an object's
//! bytes.

use super::{EstateView, absent, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::listing::{ListPlace, Lister, PAGE, Pace, Version};
use crate::cloud::model::{
    ObjectHead, PageMark, VersionEntry, VersionFacts, VersionPage, Versioning,
};
use crate::cloud::permit::{MarkerPermit, MarkerProof, PermitError};
use crate::cloud::session::Shared;
use crate::cloud::time::from_sdk;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ChecksumMode, ChecksumType, ObjectLockLegalHoldStatus,
};
use std::collections::BTreeMap;

/// Codes and words of an object that is not there: the answer to a HEAD has no body to name the error in.
const NO_OBJECT: [&str; 4] = ["NotFound", "NoSuchKey", "NoSuchVersion", "404"];

/// One page of histories as S3 answers now (S3 `ListObjectVersions`).
pub(crate) async fn version_page(
    shared: &Shared,
    region: &str,
    (bucket, prefix): (&str, &str),
    after: Option<&PageMark>,
    most: u16,
) -> Result<VersionPage, CloudError> {
    let place = ListPlace {
        region: region.to_owned(),
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    };
    let lister = Lister::new(shared, place, Pace::new(shared.clock.clone(), 1));
    let after = after.map_or(("", ""), |mark| {
        (mark.key.as_str(), mark.version_id.as_deref().unwrap_or_default())
    });
    let (page, next) = lister.versions_after(after, most).await?;
    let entries = page.versions.into_iter().map(|version| entry(prefix, version)).collect();
    let next = next.map(|(key, version)| PageMark {
        key,
        version_id: Some(version).filter(|version| !version.is_empty()),
    });
    Ok(VersionPage { entries, next })
}

fn entry(prefix: &str, from: Version) -> VersionEntry {
    let modified = from.modified();
    let class = if from.storage_class.is_empty() { "STANDARD" } else { &from.storage_class };
    let object = (!from.is_delete_marker).then(|| VersionFacts {
        etag: format!("\"{}\"", from.etag),
        size: from.size,
        storage_class: class.to_owned(),
    });
    VersionEntry {
        key: format!("{prefix}{}", from.key),
        version_id: from.id,
        latest: from.is_latest,
        modified,
        object,
    }
}

/// The checksum of a whole object, where S3 tells one.
fn checksum(from: &HeadObjectOutput) -> Option<(&'static str, String)> {
    let whole = from.checksum_type() != Some(&ChecksumType::Composite);
    let all = [
        ("crc64nvme", from.checksum_crc64_nvme()),
        ("sha256", from.checksum_sha256()),
        ("sha1", from.checksum_sha1()),
        ("crc32c", from.checksum_crc32_c()),
        ("crc32", from.checksum_crc32()),
    ];
    let found = all.into_iter().find_map(|(kind, value)| Some((kind, value?.to_owned())));
    // A sum over parts ends with their number.
    found.filter(|(_, value)| whole && !value.contains('-'))
}

fn head(from: &HeadObjectOutput) -> ObjectHead {
    let said = [
        ("cache-control", from.cache_control()),
        ("content-disposition", from.content_disposition()),
        ("content-encoding", from.content_encoding()),
        ("content-language", from.content_language()),
        ("content-type", from.content_type()),
        ("expires", from.expires_string()),
        ("x-amz-website-redirect-location", from.website_redirect_location()),
    ];
    let said = said.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned())));
    let metadata = from.metadata().into_iter().flatten();
    let until = from.object_lock_retain_until_date().and_then(from_sdk);
    let mode = from.object_lock_mode().map(|mode| mode.as_str().to_owned());
    ObjectHead {
        version_id: from.version_id().map(str::to_owned),
        etag: from.e_tag().unwrap_or_default().to_owned(),
        size: from.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        headers: said.collect(),
        metadata: metadata.map(|(name, value)| (name.clone(), value.clone())).collect(),
        tags: from.tag_count().and_then(|count| u32::try_from(count).ok()).unwrap_or(0),
        encryption: from.server_side_encryption().map(|kind| kind.as_str().to_owned()),
        kms_key: from.ssekms_key_id().map(str::to_owned),
        bucket_key: from.bucket_key_enabled(),
        customer_key: from.sse_customer_algorithm().is_some(),
        storage_class: from.storage_class().map(|class| class.as_str().to_owned()),
        restored: from.restore().map(|said| said.contains("ongoing-request=\"false\"")),
        archived_tier: from.archive_status().is_some(),
        retention: mode.zip(until),
        legal_hold: from.object_lock_legal_hold_status() == Some(&ObjectLockLegalHoldStatus::On),
        checksum: checksum(from),
    }
}

impl EstateView {
    /// A page of histories of the keys that begin with `prefix` (S3 `ListObjectVersions`), from `after` on.
    ///
    /// # Errors
    /// When S3 cannot say; `NoSuchBucket` when there is no such bucket.
    pub async fn histories(
        &self,
        region: &str,
        (bucket, prefix): (&str, &str),
        after: Option<&PageMark>,
    ) -> Result<VersionPage, CloudError> {
        version_page(&self.shared, region, (bucket, prefix), after, PAGE).await
    }

    /// All that a version carries but its bytes (S3 `HeadObject`); without `version` the current one.
    ///
    /// # Errors
    /// When S3 cannot say; what is not there is `None`.
    pub async fn object_head(
        &self,
        region: &str,
        (bucket, key): (&str, &str),
        version: Option<&str>,
    ) -> Result<Option<ObjectHead>, CloudError> {
        let call = read("s3:HeadObject", region);
        let client = self.shared.clients.s3(region, ClientUse::Reads);
        let request = client.head_object().bucket(bucket).key(key);
        let request = request.checksum_mode(ChecksumMode::Enabled);
        let answer = request.set_version_id(version.map(str::to_owned)).send().await;
        let answer = answer.map_err(|error| {
            let missing = error.raw_response().is_some_and(|raw| raw.status().as_u16() == 404);
            let known = sdk_error(call, &error);
            if missing { CloudError { code: Some("NotFound".to_owned()), ..known } } else { known }
        });
        Ok(absent(answer, &NO_OBJECT)?.as_ref().map(head))
    }

    /// Tags of a version (S3 `GetObjectTagging`).
    ///
    /// # Errors
    /// When S3 cannot say; `NoSuchVersion` or `NoSuchKey` for what is not there.
    pub async fn object_tags(
        &self,
        region: &str,
        (bucket, key): (&str, &str),
        version: &str,
    ) -> Result<BTreeMap<String, String>, CloudError> {
        let call = read("s3:GetObjectTagging", region);
        let client = self.shared.clients.s3(region, ClientUse::Reads);
        let request = client.get_object_tagging().bucket(bucket).key(key).version_id(version);
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        let tags = answer.tag_set().iter();
        Ok(tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
    }

    /// Whether a bucket keeps versions; `None` when that was never turned on (S3 `GetBucketVersioning`).
    ///
    /// # Errors
    /// When S3 cannot say; `NoSuchBucket` when there is no such bucket.
    pub async fn bucket_versioning(
        &self,
        region: &str,
        bucket: &str,
    ) -> Result<Option<Versioning>, CloudError> {
        let call = read("s3:GetBucketVersioning", region);
        let client = self.shared.clients.s3(region, ClientUse::Reads);
        let answer = client.get_bucket_versioning().bucket(bucket).send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        Ok(match answer.status() {
            Some(BucketVersioningStatus::Enabled) => Some(Versioning::Enabled),
            Some(_) => Some(Versioning::Suspended),
            None => None,
        })
    }

    /// Proof that what is on top of a key is a delete marker, that only delete markers lie between it and
    /// the version that is to be seen again, and which one it is; from a fresh answer of S3.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn marker_permit(
        &self,
        region: &str,
        proof: &MarkerProof,
    ) -> Result<MarkerPermit, PermitError> {
        let place = (proof.bucket.as_str(), proof.key.as_str());
        let page = version_page(&self.shared, region, place, None, PAGE).await?;
        proof.judge(region, &page.entries)
    }
}
