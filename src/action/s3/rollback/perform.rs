//! Makes one change.
//!
//! **Invariant:** what is removed for good is a delete marker with a permit; a write that finds something
//! else on top than was seen changes nothing.

use super::bulk::Task;
use super::change::Change;
use super::look::Reach;
use super::reason::Reason;
use crate::cloud::model::{VersionCopy, VersionEntry};
use crate::cloud::{CloudError, ErrorClass, LARGEST_COPY, MarkerProof, PermitError, Writer};
use std::collections::BTreeMap;

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// It was made.
    Done,
    /// It cannot be made.
    Lost(Reason),
    /// It is not known to be made: look again.
    Again(Setback),
    /// These credentials may not make it.
    Denied(CloudError),
    /// Nothing can be done any more by anybody here.
    Stop(CloudError),
}

impl End {
    /// What a whole batch failed with: what nobody here can do anything about; or when nothing of it was
    /// settled. A refusal of all is one of the credentials while nothing at all was `changed` before.
    pub(crate) fn failure_of<'a>(
        ends: impl Iterator<Item = &'a Self> + Clone,
        changed: bool,
    ) -> Option<CloudError> {
        let stop = ends.clone().find_map(|end| match end {
            Self::Stop(error) => Some(error),
            Self::Done | Self::Lost(_) | Self::Denied(_) | Self::Again(_) => None,
        });
        let denied = ends.clone().all(|end| matches!(end, Self::Denied(_))) && !changed;
        let unsettled = ends.clone().all(|end| matches!(end, Self::Again(_)));
        let first = ends.into_iter().find_map(|end| match end {
            Self::Denied(error) if denied => Some(error),
            Self::Again(Setback::Failed(error)) if unsettled => Some(error),
            Self::Done | Self::Lost(_) | Self::Denied(_) | Self::Again(_) | Self::Stop(_) => None,
        });
        stop.or(first).cloned()
    }
}

/// Why a key is looked at again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Setback {
    /// Something else is on top than was seen.
    Moved,
    /// The call failed, and may have had its effect or not.
    Failed(CloudError),
}

impl Setback {
    /// Whether S3 asked to be sent less.
    pub(crate) fn is_throttled(&self) -> bool {
        matches!(self, Self::Failed(error) if error.class == ErrorClass::Temporary)
    }

    /// Whether it counts as a try.
    pub(crate) fn counts(&self) -> bool {
        !self.is_throttled()
    }
}

/// Codes by which S3 says that something else is on top, or is being put there.
const MOVED: [&str; 3] = ["PreconditionFailed", "ConditionalRequestConflict", "OperationAborted"];

/// Codes of a version in an archive.
const ARCHIVED: [&str; 2] = ["InvalidObjectState", "ObjectNotInActiveTierError"];

/// Codes of what is not there.
const GONE: [&str; 3] = ["NoSuchKey", "NoSuchVersion", "NotFound"];

/// Codes of a refusal that is about this object or this operation, not about who asks.
const DENIED: [&str; 3] = ["AccessDenied", "AllAccessDisabled", "Forbidden"];

/// Makes the change of a task.
pub(crate) async fn perform(reach: Reach<'_>, writer: &Writer, task: &Task) -> End {
    let made = match &task.change {
        Change::Copy { wanted, over } => {
            let place = (reach.bucket, task.key.as_str());
            let id = Some(wanted.version_id.as_str());
            let head = match reach.view.object_head(reach.region, place, id).await {
                Ok(Some(head)) => head,
                Ok(None) => return End::Lost(Reason::Gone),
                Err(error) => return unread(error),
            };
            if head.customer_key {
                return End::Lost(Reason::CustomerKey);
            }
            if head.is_out_of_reach() {
                return End::Lost(archived(wanted));
            }
            let copy = VersionCopy {
                bucket: reach.bucket.to_owned(),
                key: task.key.clone(),
                version_id: wanted.version_id.clone(),
                over: over.clone(),
                head,
            };
            copied(reach, writer, &copy).await
        }
        Change::RemoveMarkers { wanted, markers } => {
            return remove(reach, writer, task, (wanted, markers)).await;
        }
        Change::Delete { etag } => {
            let place = (reach.bucket, task.key.as_str());
            writer.mark_deleted(reach.region, place, etag).await.map(|_| ())
        }
    };
    let wanted = match &task.change {
        Change::Copy { wanted, .. } => Some(wanted),
        Change::RemoveMarkers { .. } | Change::Delete { .. } => None,
    };
    made.map_or_else(|error| judge(error, wanted), |()| End::Done)
}

/// Copies a version, in one call or in parts.
async fn copied(reach: Reach<'_>, writer: &Writer, copy: &VersionCopy) -> Result<(), CloudError> {
    if copy.head.size <= LARGEST_COPY {
        return writer.copy_version(reach.region, copy).await.map(|_| ());
    }
    let place = (reach.bucket, copy.key.as_str());
    let tags = match copy.head.tags {
        0 => BTreeMap::new(),
        _ => reach.view.object_tags(reach.region, place, &copy.version_id).await?,
    };
    writer.copy_version_in_parts(reach.region, copy, &tags).await.map(|_| ())
}

fn archived(wanted: &VersionEntry) -> Reason {
    let class = wanted.object.as_ref().map(|facts| facts.storage_class.clone());
    Reason::Archived(class.unwrap_or_default())
}

/// A version that could not be read before it was to be copied: nothing was changed.
fn unread(error: CloudError) -> End {
    // S3 answers so when a version is encrypted with a customer's key.
    if error.class == ErrorClass::Permanent && error.message.contains("400") {
        return End::Lost(Reason::CustomerKey);
    }
    judge(error, None)
}

/// What an error of a change comes to.
fn judge(error: CloudError, wanted: Option<&VersionEntry>) -> End {
    let code = error.code.clone().unwrap_or_default();
    let code = code.as_str();
    if MOVED.contains(&code) || GONE.contains(&code) {
        return End::Again(Setback::Moved);
    }
    if let (true, Some(wanted)) = (ARCHIVED.contains(&code), wanted) {
        return End::Lost(archived(wanted));
    }
    if code == "NotImplemented" {
        return End::Lost(Reason::Refused(code.to_owned(), error.message));
    }
    match error.class {
        ErrorClass::Credentials if DENIED.contains(&code) || code.is_empty() => End::Denied(error),
        ErrorClass::Credentials | ErrorClass::Refused => End::Stop(error),
        ErrorClass::Temporary | ErrorClass::InDoubt | ErrorClass::Unreachable => {
            End::Again(Setback::Failed(error))
        }
        ErrorClass::Permanent => End::Lost(Reason::Refused(code.to_owned(), error.message)),
    }
}

/// Removes delete markers, newest first, each with a permit of its own.
async fn remove(
    reach: Reach<'_>,
    writer: &Writer,
    task: &Task,
    (wanted, markers): (&VersionEntry, &[String]),
) -> End {
    for marker in markers {
        let proof = MarkerProof {
            bucket: reach.bucket.to_owned(),
            key: task.key.clone(),
            marker: marker.clone(),
            wanted: wanted.version_id.clone(),
        };
        let permit = match reach.view.marker_permit(reach.region, &proof).await {
            Ok(permit) => permit,
            Err(PermitError::Cloud(error)) => return judge(error, None),
            // What is on top is not what was seen.
            Err(_) => return End::Again(Setback::Moved),
        };
        match writer.remove_marker(&permit).await {
            Ok(_) => {}
            Err(error) if error.class == ErrorClass::Refused && error.code.is_none() => {
                return End::Again(Setback::Moved);
            }
            Err(error) => return judge(error, None),
        }
    }
    End::Done
}
