//! How long copies and old versions stay: lifecycle rules and Object Lock of both sides.
//!
//! **Invariant:** a lifecycle rule is judged only where it meets keys that are asked about.

use super::Found;
use super::copies::ARCHIVES;
use crate::action::s3::finding::{
    COPIES_EXPIRE, COPIES_MOVE, DESTINATION_VERSIONS_EXPIRE, EXPIRY_NOT_COPIED,
    LOCK_AT_DESTINATION, LOCK_NOT_COPIED, Rule, SOURCE_VERSIONS_EXPIRE,
};
use crate::action::s3::subject::Subject;
use crate::base::duration;
use crate::cloud::model::{BucketSettings, LifecycleRule, ObjectLock, Setting};
use std::time::Duration;

const CALL: &str = "s3:GetBucketLifecycleConfiguration";
const LOCK: &str = "s3:GetObjectLockConfiguration";
const DAY: u64 = 86_400;

pub(super) fn judge(subject: &Subject, found: &mut Found) {
    let prefix = subject.question.prefix.as_str();
    let keep = subject.question.keep;
    versions(SOURCE_VERSIONS_EXPIRE, &subject.source, (prefix, keep), found);
    for to in subject.seen() {
        versions(DESTINATION_VERSIONS_EXPIRE, to, (prefix, keep), found);
        copies(subject, to, found);
        locks(&subject.source, to, found);
    }
    for rule in active(&subject.source, prefix).filter(|rule| expires(rule)) {
        let bucket = &subject.source.bucket;
        // Where the copies expire too, and as soon, both sides end up alike.
        if subject.seen().all(|to| active(to, prefix).any(|it| expires_like(it, rule))) {
            continue;
        }
        found.add(
            EXPIRY_NOT_COPIED,
            bucket,
            format!(
                "lifecycle rule `{}` deletes {} of `{bucket}`: S3 does not copy that, copies stay",
                rule.id,
                keys(rule)
            ),
            (CALL, expiry(rule)),
            "give the destination the same lifecycle rule, if copies should go too".to_owned(),
        );
    }
}

/// Rules that are on and meet keys of the prefix.
fn active<'a>(
    settings: &'a BucketSettings,
    prefix: &'a str,
) -> impl Iterator<Item = &'a LifecycleRule> {
    let rules = settings.lifecycle.known().map(Vec::as_slice).unwrap_or_default().iter();
    rules.filter(move |rule| {
        let meets = rule.prefix.starts_with(prefix) || prefix.starts_with(&rule.prefix);
        rule.enabled && meets
    })
}

fn expires(rule: &LifecycleRule) -> bool {
    rule.expire_days.is_some() || rule.expire_at.is_some()
}

fn expires_like(one: &LifecycleRule, other: &LifecycleRule) -> bool {
    (one.expire_days, one.expire_at) == (other.expire_days, other.expire_at)
        && other.prefix.starts_with(&one.prefix)
}

fn keys(rule: &LifecycleRule) -> String {
    if rule.prefix.is_empty() {
        "objects".to_owned()
    } else {
        format!("objects of {}", rule.prefix)
    }
}

fn expiry(rule: &LifecycleRule) -> String {
    match (rule.expire_days, rule.expire_at) {
        (Some(days), _) => format!("Expiration after {days} days in {}", rule.id),
        (None, Some(at)) => format!("Expiration on {} in {}", at.date_naive(), rule.id),
        (None, None) => format!("no Expiration in {}", rule.id),
    }
}

/// Whether old versions are kept as long as they have to be.
fn versions(
    kind: Rule,
    settings: &BucketSettings,
    (prefix, keep): (&str, Option<Duration>),
    found: &mut Found,
) {
    let Some(keep) = keep else { return };
    let bucket = &settings.bucket;
    for rule in active(settings, prefix) {
        let Some(days) = rule.noncurrent_days else { continue };
        let kept = Duration::from_secs(u64::try_from(days).unwrap_or_default() * DAY);
        if kept >= keep {
            continue;
        }
        found.add(
            kind,
            bucket,
            format!(
                "lifecycle rule `{}` removes old versions of {} in `{bucket}` after {days} days, and {} \
                 are promised: what is older cannot be rolled back to",
                rule.id,
                keys(rule),
                duration::human(keep)
            ),
            (CALL, format!("NoncurrentDays {days} in {}", rule.id)),
            format!(
                "aws s3api put-bucket-lifecycle-configuration --bucket {bucket} with NoncurrentDays {} \
                 or more in `{}`",
                keep.as_secs().div_ceil(DAY),
                rule.id
            ),
        );
    }
}

/// What a destination's own lifecycle does to copies.
fn copies(subject: &Subject, to: &BucketSettings, found: &mut Found) {
    let (prefix, bucket) = (subject.question.prefix.as_str(), &to.bucket);
    for rule in active(to, prefix) {
        let as_early = active(&subject.source, prefix).any(|it| expires_like(it, rule));
        if expires(rule) && !as_early {
            found.add(
                COPIES_EXPIRE,
                bucket,
                format!("lifecycle rule `{}` deletes {} of `{bucket}`, and not their originals: the copy \
                    is eaten", rule.id, keys(rule)),
                (CALL, expiry(rule)),
                format!("aws s3api put-bucket-lifecycle-configuration --bucket {bucket} without \
                    Expiration in `{}`", rule.id),
            );
        }
        let moves = rule.transitions.iter().filter(|it| ARCHIVES.contains(&it.1.as_str()));
        for (days, class) in moves {
            let same = active(&subject.source, prefix)
                .any(|it| it.transitions.contains(&(*days, class.clone())));
            if same {
                continue;
            }
            let after = days.map_or_else(String::new, |days| format!(" after {days} days"));
            found.add(
                COPIES_MOVE,
                bucket,
                format!(
                    "lifecycle rule `{}` moves {} of `{bucket}` to {class}{after}, and not their \
                    originals: they have to be restored for hours before they can be read",
                    rule.id,
                    keys(rule)
                ),
                (CALL, format!("Transition to {class}{after} in {}", rule.id)),
                "move them to GLACIER_IR, which is read at once, or plan the hours".to_owned(),
            );
        }
    }
}

/// Whether Object Lock goes with the copies.
fn locks(source: &BucketSettings, to: &BucketSettings, found: &mut Found) {
    let locked = |lock: &Setting<ObjectLock>| match lock {
        Setting::Known(lock) => Some(lock.enabled),
        Setting::Absent => Some(false),
        Setting::Denied { .. } => None,
    };
    let bucket = &to.bucket;
    match (locked(&source.object_lock), locked(&to.object_lock)) {
        (Some(true), Some(false)) => found.add(
            LOCK_NOT_COPIED,
            bucket,
            format!(
                "`{}` has Object Lock and `{bucket}` has none: locked objects are not copied",
                source.bucket
            ),
            (LOCK, "ObjectLockConfigurationNotFoundError".to_owned()),
            format!(
                "aws s3api put-object-lock-configuration --bucket {bucket} \
                --object-lock-configuration ObjectLockEnabled=Enabled"
            ),
        ),
        (Some(false), Some(true)) => {
            let lock = to.object_lock.known();
            let retention = lock.and_then(|lock| {
                let mode = lock.mode.as_deref()?;
                let days = lock.days.or(lock.years.map(|years| years * 365))?;
                Some(format!("{mode} for {days} days"))
            });
            let Some(retention) = retention else { return };
            found.add(
                LOCK_AT_DESTINATION,
                bucket,
                format!(
                    "`{bucket}` locks each copy ({retention}) although `{}` locks nothing",
                    source.bucket
                ),
                (LOCK, retention),
                "nothing to do, if copies are meant to be kept".to_owned(),
            );
        }
        (Some(_), Some(_)) | (None, _) | (_, None) => {}
    }
}
