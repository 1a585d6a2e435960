//! What a difference means: from a second look at both sides, S3's own words, and the rules.
//!
//! **Invariant:** equal is only what size and ETag, a checksum of the content, or S3's own word for this
//! very version prove; anything else that cannot be told is `unproven`.

use super::class::{Class, Difference, Seen};
use super::look::{Head, Look};
use crate::cloud::listing::Object;
use crate::cloud::model::ReplicationRule;
use std::borrow::Cow;
use std::time::Duration;

/// What is known of the rules that copy the source to the destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rules {
    /// Nobody said, or these buckets are no source and replica of S3's own replication.
    Unknown,
    /// Those that are switched on and lead to the destination.
    Known(Vec<ReplicationRule>),
}

/// A key that differs in the lists.
#[derive(Debug, Clone)]
pub(super) struct Unlike {
    pub(super) key: String,
    pub(super) source: Option<Object>,
    pub(super) destination: Option<Object>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on its way to where differences are kept"
)]
pub(super) enum Verdict {
    /// It differed while the lists were read, and no longer.
    Settled,
    /// The contents are the same by a checksum.
    SameContent,
    /// S3 says that it is the replica of this version.
    SameVersion,
    Differs(Difference),
}

/// What decides beside the objects.
#[derive(Debug)]
pub(super) struct Grounds<'a> {
    pub(super) rules: &'a Rules,
    /// What keys of the source begin with: rules name whole keys.
    pub(super) prefix: &'a str,
    pub(super) now_ms: i64,
    pub(super) pending_after: Duration,
}

/// Whether lists alone prove two objects the same.
pub(super) fn same(one: &Object, other: &Object) -> bool {
    one.size == other.size && one.tag == other.tag && one.tag.is_told()
}

/// Judges by the lists alone.
pub(super) fn by_lists(unlike: &Unlike, why: &'static str) -> Difference {
    let class = match (&unlike.source, &unlike.destination) {
        (Some(one), Some(other)) if one.size == other.size && !(comparable(one, other)) => {
            Class::Unproven
        }
        (Some(_), Some(_)) => Class::Different,
        (Some(_), None) => Class::Missing,
        (None, _) => Class::Extra,
    };
    let seen = |object: &Object| Seen {
        size: object.size,
        modified_ms: object.modified_ms,
        etag: object.tag.to_string(),
        version: None,
    };
    Difference {
        key: unlike.key.clone(),
        class,
        how: why.into(),
        source: unlike.source.as_ref().map(seen),
        destination: unlike.destination.as_ref().map(seen),
        status: None,
    }
}

fn comparable(one: &Object, other: &Object) -> bool {
    one.tag.may_be_digest() && other.tag.may_be_digest()
}

/// Judges by a second look.
pub(super) fn by_looks(
    key: &str,
    source: &Look,
    destination: &Look,
    grounds: &Grounds<'_>,
) -> Verdict {
    match (source, destination) {
        (Look::Present(one), Look::Present(other)) => both(key, one, other, grounds),
        (Look::Present(one), Look::Absent { marker }) => {
            let (class, how) = if *marker && !is_pending(one) {
                (Class::DeletedAtDestination, "the destination has a delete marker".into())
            } else {
                behind(key, one, Class::Missing, grounds)
            };
            differs(key, (class, how), Some(one), None)
        }
        (Look::Absent { marker }, Look::Present(other)) => {
            let decided = if *marker {
                (Class::DeletedAtSource, "the source has a delete marker".into())
            } else {
                (Class::Extra, "the source has nothing under this key".into())
            };
            differs(key, decided, None, Some(other))
        }
        (Look::Absent { .. } | Look::Denied, _) | (_, Look::Denied) => Verdict::Settled,
    }
}

fn is_pending(head: &Head) -> bool {
    matches!(head.status.as_deref(), Some("PENDING" | "FAILED"))
}

fn both(key: &str, one: &Head, other: &Head, grounds: &Grounds<'_>) -> Verdict {
    let different = |how: Cow<'static, str>| {
        let (class, said) = behind(key, one, Class::Different, grounds);
        let how = if class == Class::Different { how } else { format!("{how}; {said}").into() };
        differs(key, (class, how), Some(one), Some(other))
    };
    if one.size != other.size {
        return different("the sizes differ".into());
    }
    if one.tag == other.tag && one.tag.is_told() {
        return Verdict::Settled;
    }
    let shared = one.checksums.iter().find_map(|(name, value)| {
        let (_, there) = other.checksums.iter().find(|(known, _)| known == name)?;
        Some((*name, value == there))
    });
    match shared {
        Some((_, true)) => return Verdict::SameContent,
        Some((name, false)) => return different(format!("the {name} checksums differ").into()),
        None => {}
    }
    let replica = other.status.as_deref() == Some("REPLICA")
        && matches!(one.status.as_deref(), Some("COMPLETED" | "COMPLETE"));
    if replica && one.version.is_some() && one.version == other.version {
        return Verdict::SameVersion;
    }
    if one.opaque || other.opaque {
        let how =
            "the sizes agree; with KMS or a customer's key an ETag is no digest of the content";
        return differs(key, (Class::Unproven, how.into()), Some(one), Some(other));
    }
    if one.tag.may_be_digest() && other.tag.may_be_digest() {
        return different("the sizes agree and the ETags differ".into());
    }
    let how = "the sizes agree; ETags of uploads in parts depend on the parts";
    differs(key, (Class::Unproven, how.into()), Some(one), Some(other))
}

/// Why the source's object is not at the destination: `plain` where nothing tells.
fn behind(
    key: &str,
    one: &Head,
    plain: Class,
    grounds: &Grounds<'_>,
) -> (Class, Cow<'static, str>) {
    let age = u64::try_from(grounds.now_ms - one.modified_ms).unwrap_or_default();
    match one.status.as_deref() {
        Some("PENDING") if Duration::from_millis(age) < grounds.pending_after => {
            (Class::PendingYoung, "S3 says PENDING".into())
        }
        Some("PENDING") => (Class::PendingOld, "S3 says PENDING".into()),
        Some("FAILED") => (Class::Failed, "S3 says FAILED".into()),
        Some("REPLICA") => {
            (Class::NotEligible, "it is a replica itself, and rules copy no replicas".into())
        }
        Some("COMPLETED" | "COMPLETE") => {
            (plain, "S3 says COMPLETED, and the destination does not have it so".into())
        }
        Some(_) | None => by_rules(key, one, plain, grounds),
    }
}

fn by_rules(
    key: &str,
    one: &Head,
    plain: Class,
    grounds: &Grounds<'_>,
) -> (Class, Cow<'static, str>) {
    let Rules::Known(rules) = grounds.rules else {
        return (plain, "S3 says nothing of its replication, and the rules are not known".into());
    };
    let whole = format!("{}{key}", grounds.prefix);
    let selects = |rule: &&ReplicationRule| whole.starts_with(&rule.prefix);
    let Some(rule) = rules.iter().find(selects) else {
        return (Class::NotEligible, "no rule selects its key".into());
    };
    if one.archived {
        return (Class::NotEligible, "archived objects are not replicated".into());
    }
    if one.kms && !rules.iter().filter(selects).any(|rule| rule.kms_objects) {
        return (Class::NotEligible, format!("rule `{}` copies no KMS objects", rule.id).into());
    }
    if rules.iter().filter(selects).all(|rule| !rule.tags.is_empty()) {
        let how = format!("only rules with tags select its key, such as `{}`", rule.id);
        return (Class::NotEligible, how.into());
    }
    let how = format!("it has no replication status although rule `{}` selects it", rule.id);
    (Class::BeforeRule, how.into())
}

fn differs(
    key: &str,
    (class, how): (Class, Cow<'static, str>),
    source: Option<&Head>,
    destination: Option<&Head>,
) -> Verdict {
    let seen = |head: &Head| Seen {
        size: head.size,
        modified_ms: head.modified_ms,
        etag: head.etag.clone(),
        version: head.version.clone(),
    };
    Verdict::Differs(Difference {
        key: key.to_owned(),
        class,
        how,
        source: source.map(seen),
        destination: destination.map(seen),
        status: source.and_then(|head| head.status.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::listing::Tag;

    fn head(etag: &str, status: Option<&str>) -> Head {
        Head {
            size: 1,
            modified_ms: 1_000,
            etag: etag.to_owned(),
            tag: Tag::read(etag.as_bytes()),
            version: Some("v".to_owned()),
            status: status.map(str::to_owned),
            opaque: false,
            kms: false,
            archived: false,
            checksums: Vec::new(),
        }
    }

    fn judged(one: Option<Head>, other: Option<Head>, rules: &Rules) -> Verdict {
        let look = |head: Option<Head>| {
            head.map_or(Look::Absent { marker: false }, |head| Look::Present(Box::new(head)))
        };
        let pending_after = Duration::from_secs(60);
        let grounds = Grounds { rules, prefix: "docs/", now_ms: 31_000, pending_after };
        by_looks("a", &look(one), &look(other), &grounds)
    }

    fn class(one: Option<Head>, other: Option<Head>, rules: &Rules) -> Class {
        match judged(one, other, rules) {
            Verdict::Differs(difference) => difference.class,
            verdict => panic!("{verdict:?}"),
        }
    }

    #[test]
    fn rules_tell_what_is_nobodys_to_copy() {
        let rule = |change: fn(&mut ReplicationRule)| {
            let mut rule =
                ReplicationRule { id: "r".to_owned(), enabled: true, ..Default::default() };
            change(&mut rule);
            Rules::Known(vec![rule])
        };
        let (all, docs) = (rule(|_| ()), rule(|rule| rule.prefix = "docs/".to_owned()));
        let logs = rule(|rule| rule.prefix = "logs/".to_owned());
        let tagged = rule(|rule| rule.tags = [("a".to_owned(), "b".to_owned())].into());
        let kms_rule = rule(|rule| rule.kms_objects = true);
        let kms = || Head { kms: true, opaque: true, ..head("x", None) };
        let plain = || head("x", None);
        let archived = Head { archived: true, ..plain() };
        for (one, rules, wanted) in [
            (plain(), &Rules::Unknown, Class::Missing),
            (plain(), &all, Class::BeforeRule),
            (plain(), &docs, Class::BeforeRule),
            (plain(), &logs, Class::NotEligible),
            (plain(), &tagged, Class::NotEligible),
            (kms(), &all, Class::NotEligible),
            (kms(), &kms_rule, Class::BeforeRule),
            (archived, &all, Class::NotEligible),
            (head("x", Some("COMPLETED")), &all, Class::Missing),
            (head("x", Some("PENDING")), &all, Class::PendingYoung),
            (head("x", Some("REPLICA")), &all, Class::NotEligible),
        ] {
            assert_eq!(class(Some(one.clone()), None, rules), wanted, "{one:?} {rules:?}");
        }
    }

    #[test]
    fn only_what_proves_it_is_equal() {
        let (md5, other) = ("9b2cf535f27731c974343645a3985328", "9b2cf535f27731c974343645a3985329");
        let rules = &Rules::Unknown;
        let both = |one: Head, other: Head| judged(Some(one), Some(other), rules);
        assert_eq!(both(head(md5, None), head(md5, None)), Verdict::Settled);
        let differ = |one: Head, other: Head| class(Some(one), Some(other), rules);
        assert_eq!(differ(head(md5, None), head(other, None)), Class::Different);
        assert_eq!(differ(head(md5, None), head(&format!("{md5}-2"), None)), Class::Unproven);
        let opaque = Head { opaque: true, ..head(md5, None) };
        assert_eq!(differ(opaque.clone(), head(other, None)), Class::Unproven);
        let bigger = Head { size: 2, ..head(md5, None) };
        assert_eq!(differ(bigger, head(md5, None)), Class::Different);
        let sum =
            |value: &str| Head { checksums: vec![("CRC32", value.to_owned())], ..opaque.clone() };
        let summed = |value: &str| Head {
            etag: other.to_owned(),
            tag: Tag::read(other.as_bytes()),
            ..sum(value)
        };
        assert_eq!(both(sum("a"), summed("a")), Verdict::SameContent);
        assert_eq!(differ(sum("a"), summed("b")), Class::Different);
        let completed = head(md5, Some("COMPLETED"));
        assert_eq!(both(completed.clone(), head(other, Some("REPLICA"))), Verdict::SameVersion);
        let elsewhere = Head { version: Some("w".to_owned()), ..head(other, Some("REPLICA")) };
        assert_eq!(differ(completed, elsewhere), Class::Different);
        assert_eq!(
            both(head("", None), head("", None)),
            differs(
                "a",
                (
                    Class::Unproven,
                    "the sizes agree; ETags of uploads in parts depend on the parts".into()
                ),
                Some(&head("", None)),
                Some(&head("", None))
            )
        );
    }
}
