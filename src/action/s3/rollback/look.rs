//! Looks at versions beyond their listing.
//!
//! **Invariant:** tags are compared by content where their numbers agree and are not zero.

use super::reason::Reason;
use super::standing::{Likeness, Look};
use crate::cloud::model::{ObjectHead, VersionEntry, is_archive};
use crate::cloud::{CloudError, EstateView, LARGEST_OBJECT};

/// Where the keys are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach<'a> {
    /// Reads.
    pub(crate) view: &'a EstateView,
    /// Region of the bucket.
    pub(crate) region: &'a str,
    /// The bucket.
    pub(crate) bucket: &'a str,
}

impl Reach<'_> {
    async fn head(&self, entry: &VersionEntry) -> Result<Option<ObjectHead>, CloudError> {
        let place = (self.bucket, entry.key.as_str());
        self.view.object_head(self.region, place, Some(&entry.version_id)).await
    }

    async fn same_tags(
        &self,
        one: &VersionEntry,
        other: &VersionEntry,
    ) -> Result<bool, CloudError> {
        let place = (self.bucket, one.key.as_str());
        let tags = self.view.object_tags(self.region, place, &one.version_id);
        let others = self.view.object_tags(self.region, place, &other.version_id);
        Ok(tags.await? == others.await?)
    }
}

impl Look for Reach<'_> {
    async fn likeness(
        &self,
        one: &VersionEntry,
        other: &VersionEntry,
    ) -> Result<Likeness, CloudError> {
        let size = |entry: &VersionEntry| entry.object.as_ref().map(|facts| facts.size);
        if size(one) != size(other) {
            return Ok(Likeness::Other);
        }
        let (Some(head), Some(others)) = (self.head(one).await?, self.head(other).await?) else {
            return Ok(Likeness::Other);
        };
        let bytes = head.same_bytes(&others);
        if bytes == Some(false) || !head.same_beside(&others) {
            return Ok(Likeness::Other);
        }
        if head.tags > 0 && !self.same_tags(one, other).await? {
            return Ok(Likeness::Other);
        }
        Ok(if bytes == Some(true) { Likeness::Same } else { Likeness::Alike })
    }

    async fn out_of_reach(&self, wanted: &VersionEntry) -> Result<Option<Reason>, CloudError> {
        let Some(facts) = &wanted.object else { return Ok(None) };
        if facts.size > LARGEST_OBJECT {
            return Ok(Some(Reason::TooLarge(facts.size)));
        }
        if !is_archive(&facts.storage_class) {
            return Ok(None);
        }
        let head = self.head(wanted).await?;
        let readable = head.is_some_and(|head| !head.is_out_of_reach());
        Ok((!readable).then(|| Reason::Archived(facts.storage_class.clone())))
    }
}
