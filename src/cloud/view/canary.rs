//! Reads of canaries, with their bytes.
//!
//! **Invariant:** the bytes of nothing but canaries are read, and no more than a canary has.

use super::{EstateView, absent, read};
use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::listing::ListPlace;
use crate::cloud::model::{CANARIES, Canary, CanaryEntry};
use crate::cloud::permit::{CanaryPermit, PermitError};

const GET: &str = "s3:GetObject";

/// Most bytes that are read; a canary has far fewer.
const LONGEST: i64 = 64 * 1024;

impl EstateView {
    /// The current version of a canary with the digest of its bytes (S3 `GetObject`); `None` when there is
    /// none, or a delete marker is on top.
    ///
    /// # Errors
    /// When S3 cannot say, or the key is none of a canary, or what is there is too long for one.
    pub async fn canary(
        &self,
        region: &str,
        (bucket, key): (&str, &str),
    ) -> Result<Option<Canary>, CloudError> {
        let call = read(GET, region);
        let wrong = |class, message: String| CloudError {
            class,
            operation: GET.to_owned(),
            region: region.to_owned(),
            code: None,
            message,
            request_id: None,
        };
        if !key.contains(CANARIES) {
            return Err(wrong(ErrorClass::Refused, format!("`{key}` is no canary of drctl")));
        }
        let client = self.shared.clients.s3(region, ClientUse::Reads);
        let answer = client.get_object().bucket(bucket).key(key).send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error));
        let Some(found) = absent(answer, &["NoSuchKey"])? else { return Ok(None) };
        if found.content_length().is_some_and(|length| length > LONGEST) {
            return Err(wrong(ErrorClass::Permanent, format!("`{key}` is too long for a canary")));
        }
        let version_id = found.version_id().map(str::to_owned);
        let status = found.replication_status().map(|status| status.as_str().to_owned());
        let metadata = found.metadata().into_iter().flatten();
        let metadata = metadata.map(|(name, value)| (name.clone(), value.clone())).collect();
        let bytes = found.body.collect().await.map_err(|error| {
            wrong(ErrorClass::Temporary, format!("the body of `{key}` broke off: {error}"))
        })?;
        let digest = Digest::of(&bytes.into_bytes());
        let read_at = self.shared.clock.now();
        Ok(Some(Canary { version_id, digest, status, metadata, read_at }))
    }

    /// Every version and delete marker whose key begins with `keys` (S3 `ListObjectVersions`).
    ///
    /// # Errors
    /// When S3 cannot say.
    pub async fn canary_entries(
        &self,
        region: &str,
        (bucket, keys): (&str, &str),
    ) -> Result<Vec<CanaryEntry>, CloudError> {
        let (region, bucket) = (region.to_owned(), bucket.to_owned());
        let mut stream = self.versions(ListPlace { region, bucket, prefix: keys.to_owned() });
        let mut found = Vec::new();
        while let Some(versions) = stream.next().await? {
            found.extend(versions.into_iter().map(|version| CanaryEntry {
                key: format!("{keys}{}", version.key),
                version_id: version.id,
                marker: version.is_delete_marker,
            }));
        }
        Ok(found)
    }

    /// Proof that an entry of a key's history is a canary of this run, from a fresh answer of S3: its key
    /// names the run, and so does what is written beside it. A delete marker on such a key has nothing
    /// beside it, and holds nothing.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn canary_permit(
        &self,
        region: &str,
        bucket: &str,
        entry: &CanaryEntry,
        run: &RunId,
    ) -> Result<CanaryPermit, PermitError> {
        let place = (bucket, entry.key.as_str());
        let beside = if !entry.marker {
            let head = self.object_head(region, place, Some(&entry.version_id)).await?;
            let Some(head) = head else {
                return Err(PermitError::Absent {
                    what: "canary",
                    region: region.to_owned(),
                    id: entry.key.clone(),
                });
            };
            Some(head.metadata)
        } else {
            None
        };
        CanaryPermit::judge((region, bucket), entry, beside.as_ref(), run)
    }
}
