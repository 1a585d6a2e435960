//! Object Lock: retention and legal hold.
//!
//! **Invariant:** a version that is kept is not taken away, and its retention not shortened, by anybody whom its
//! mode does not allow to.

use crate::base::clock::parse_instant;
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::s3::buckets::bucket;
use crate::sim::s3::change::change;
use crate::sim::s3::documents::{self, text_at};
use crate::sim::s3::objects::found;
use crate::sim::s3::refusals::{invalid_argument, malformed_xml};
use crate::sim::s3::state::{Bucket, Retention, Version};
use crate::sim::s3::{NAMESPACE, document, headers_only};
use crate::sim::xml::Xml;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

const MODES: [&str; 2] = ["GOVERNANCE", "COMPLIANCE"];

/// The bucket's default retention of a version that is put at `at`; `None` without one.
pub(super) fn default(bucket: &Bucket, at: DateTime<Utc>) -> Option<Retention> {
    let root = documents::read(bucket.config.get("object-lock")?);
    let rule = root.child("Rule")?.child("DefaultRetention")?;
    let number = |name: &str| rule.text_of(name).and_then(|text| text.trim().parse::<i64>().ok());
    let days = number("Days").or_else(|| Some(number("Years")? * 365))?;
    let mode = rule.text_of("Mode")?.to_owned();
    Some(Retention { mode, until: at + TimeDelta::try_days(days)? })
}

/// What the request's headers say of retention and hold, else the bucket's default.
pub(super) fn of_request(
    turn: &Turn<'_>,
    bucket: &Bucket,
    version: &mut Version,
) -> Result<(), ApiError> {
    let header = |name: &str| turn.s3.header(&format!("x-amz-object-lock-{name}"));
    let (mode, until, hold) = (header("mode"), header("retain-until-date"), header("legal-hold"));
    if (mode, until, hold) != (None, None, None) && !bucket.config.contains_key("object-lock") {
        return Err(missing());
    }
    version.extra.lock = match (mode, until) {
        (None, None) => default(bucket, turn.now),
        (Some(mode), Some(until)) => Some(retention(mode, until, turn.now)?),
        (given, _) => {
            let message = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both \
                           be supplied";
            return Err(invalid_argument(
                message,
                "x-amz-object-lock-mode",
                given.unwrap_or_default(),
            ));
        }
    };
    version.extra.hold = match hold {
        None | Some("OFF") => false,
        Some("ON") => true,
        Some(other) => {
            let message = "Legal hold must be either of 'ON' or 'OFF'";
            return Err(invalid_argument(message, "x-amz-object-lock-legal-hold", other));
        }
    };
    Ok(())
}

fn missing() -> ApiError {
    ApiError::sender("InvalidRequest", "Bucket is missing Object Lock Configuration")
}

fn retention(mode: &str, until: &str, now: DateTime<Utc>) -> Result<Retention, ApiError> {
    if !MODES.contains(&mode) {
        let message = "Unknown wormMode directive";
        return Err(invalid_argument(message, "x-amz-object-lock-mode", mode));
    }
    let at = parse_instant(until).ok_or_else(malformed_xml)?;
    if at <= now {
        let message = "The retain until date must be in the future!";
        return Err(invalid_argument(message, "x-amz-object-lock-retain-until-date", until));
    }
    Ok(Retention { mode: mode.to_owned(), until: at })
}

/// Whether the request may go around the mode `GOVERNANCE`.
fn bypasses(turn: &Turn<'_>) -> bool {
    turn.s3.header("x-amz-bypass-governance-retention") == Some("true")
}

/// Refuses to take away a version that is kept.
pub(super) fn deletable(turn: &Turn<'_>, version: &Version) -> Result<(), ApiError> {
    if keeps(version, turn.now, bypasses(turn)) {
        let message = "Access Denied because object protected by object lock.";
        return Err(ApiError::sender("AccessDenied", message).with_status(403));
    }
    Ok(())
}

/// Whether a version is kept at `now`, also from somebody who may go around the mode `GOVERNANCE`.
pub(super) fn keeps(version: &Version, now: DateTime<Utc>, bypass: bool) -> bool {
    let kept = version.extra.lock.as_ref().filter(|lock| lock.until > now);
    version.extra.hold || kept.is_some_and(|lock| !(bypass && lock.mode == "GOVERNANCE"))
}

pub(super) fn get_retention(turn: &mut Turn<'_>) -> Outcome {
    if !bucket(turn)?.config.contains_key("object-lock") {
        return Err(missing());
    }
    let version = found(turn)?;
    let Some(lock) = &version.extra.lock else { return Err(not_set()) };
    let mut xml = Xml::default();
    xml.element_in("Retention", NAMESPACE, |xml| {
        xml.leaf("Mode", &lock.mode);
        xml.leaf("RetainUntilDate", lock.until.to_rfc3339_opts(SecondsFormat::Millis, true));
    });
    Ok(document(xml))
}

fn not_set() -> ApiError {
    let message = "The specified object does not have a ObjectLock configuration";
    ApiError::not_found("NoSuchObjectLockConfiguration", message)
}

pub(super) fn put_retention(turn: &mut Turn<'_>) -> Outcome {
    if !bucket(turn)?.config.contains_key("object-lock") {
        return Err(missing());
    }
    let root = documents::of_request(&turn.s3, "Retention")?;
    let wanted = match (text_at(&root, &["Mode"]), text_at(&root, &["RetainUntilDate"])) {
        (Some(mode), Some(until)) => Some(retention(mode, until, turn.now)?),
        (None, None) => None,
        _ => return Err(malformed_xml()),
    };
    let (now, bypass) = (turn.now, bypasses(turn));
    change(turn, "its retention was changed", |version| {
        let old = version.extra.lock.as_ref().filter(|lock| lock.until > now);
        let weaker = old.is_some_and(|old| match &wanted {
            None => true,
            Some(new) => new.until < old.until || (old.mode == MODES[1] && new.mode != MODES[1]),
        });
        if weaker && old.is_some_and(|old| old.mode == MODES[1] || !bypass) {
            let message = "Access Denied because object protected by object lock.";
            return Err(ApiError::sender("AccessDenied", message).with_status(403));
        }
        version.extra.lock = wanted;
        Ok(())
    })?;
    Ok(headers_only(200, Vec::new()))
}

pub(super) fn get_hold(turn: &mut Turn<'_>) -> Outcome {
    if !bucket(turn)?.config.contains_key("object-lock") {
        return Err(missing());
    }
    let version = found(turn)?;
    let mut xml = Xml::default();
    xml.element_in("LegalHold", NAMESPACE, |xml| {
        xml.leaf("Status", if version.extra.hold { "ON" } else { "OFF" });
    });
    Ok(document(xml))
}

pub(super) fn put_hold(turn: &mut Turn<'_>) -> Outcome {
    if !bucket(turn)?.config.contains_key("object-lock") {
        return Err(missing());
    }
    let root = documents::of_request(&turn.s3, "LegalHold")?;
    let on = match text_at(&root, &["Status"]) {
        Some("ON") => true,
        Some("OFF") => false,
        _ => return Err(malformed_xml()),
    };
    change(turn, "its legal hold was changed", |version| {
        version.extra.hold = on;
        Ok(())
    })?;
    Ok(headers_only(200, Vec::new()))
}
