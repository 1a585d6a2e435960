//! Objects in archives, which have to be taken out before they are read.
//!
//! **Invariant:** what is in an archive is never read; a copy that was taken out is, for its days.

use crate::base::clock::to_delta;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::s3::change::change;
use crate::sim::s3::documents::{of_request, text_at};
use crate::sim::s3::headers_only;
use crate::sim::s3::lifecycle::next_midnight;
use crate::sim::s3::objects::found;
use crate::sim::s3::refusals::malformed_xml;
use crate::sim::s3::state::{Restored, Version};
use chrono::{DateTime, TimeDelta, Utc};

/// Storage classes that are archives.
const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// Whether its class is an archive.
pub(super) fn is_archived(version: &Version) -> bool {
    ARCHIVES.contains(&version.class())
}

/// Refuses to read what is in an archive.
pub(super) fn readable(version: &Version, now: DateTime<Utc>, key: &str) -> Result<(), ApiError> {
    let out = version.extra.restored.as_ref();
    let out = out.is_some_and(|copy| copy.ready <= now && now < copy.until);
    if !is_archived(version) || out {
        return Ok(());
    }
    let message = "The operation is not valid for the object's storage class";
    Err(ApiError::sender("InvalidObjectState", message)
        .with_status(403)
        .with_detail("StorageClass", version.class())
        .with_detail("Key", key))
}

/// `RestoreObject`.
pub(super) fn restore(turn: &mut Turn<'_>) -> Outcome {
    let version = found(turn)?;
    if !is_archived(&version) {
        let message = "Restore is not allowed for the object's current storage class";
        return Err(ApiError::sender("InvalidObjectState", message)
            .with_status(403)
            .with_detail("StorageClass", version.class()));
    }
    let root = of_request(&turn.s3, "RestoreRequest")?;
    let days = text_at(&root, &["Days"]).and_then(|text| text.parse::<i64>().ok());
    let days = days.filter(|days| (1..=36_500).contains(days)).ok_or_else(malformed_xml)?;
    let tier = text_at(&root, &["GlacierJobParameters", "Tier"]);
    let tier = tier.or_else(|| text_at(&root, &["Tier"])).unwrap_or("Standard");
    let deep = version.class() == ARCHIVES[1];
    let hours = match (tier, deep) {
        ("Expedited", false) => 0.05,
        ("Standard", false) => 4.0,
        ("Standard", true) => 12.0,
        ("Bulk", false) => 8.0,
        ("Bulk", true) => 48.0,
        _ => return Err(malformed_xml()),
    };
    let now = turn.now;
    let copy = version.extra.restored.as_ref().filter(|copy| now < copy.until);
    if copy.is_some_and(|copy| now < copy.ready) {
        let message = "Object restore is already in progress";
        return Err(ApiError::sender("RestoreAlreadyInProgress", message).with_status(409));
    }
    let (status, ready) = match copy {
        Some(copy) => (200, copy.ready),
        None => {
            let entity = format!("s3/{}/{}/{}", turn.s3.bucket, turn.s3.key, version.id());
            (202, now + to_delta(turn.world.clockwork().retrieving(&entity, hours)))
        }
    };
    let until = next_midnight(ready.max(now) + TimeDelta::days(days));
    change(turn, "a copy is taken out of its archive", |version| {
        version.extra.restored = Some(Restored { ready, until });
        Ok(())
    })?;
    Ok(headers_only(status, Vec::new()))
}
