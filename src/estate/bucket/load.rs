//! Reads the sections `buckets` of estates and environments.
//!
//! **Invariant:** every problem of a bucket is reported, at its place.

use super::shape::{
    BUCKET, BUCKET_CHANGES, DIFFERS, ENCRYPTIONS, FORMATS, GENERATED, INVENTORY, LOCK_MODES,
    OBJECT_LOCK,
};
use super::{Bucket, BucketChanges, Differs, Generated, Inventory, ObjectLock, Versioning};
use super::{objects, rules};
use crate::base::diagnostic::{Problems, Span};
use crate::base::yaml::{Fields, Kind, Node};
use crate::estate::load::whole;
use std::collections::BTreeMap;

/// Encryption with a key of KMS.
pub(super) const KMS: &str = "aws:kms";

/// Reads one entry of `buckets`; `key` is the bucket's name where the file gives none.
pub(in crate::estate) fn read(key: &str, node: &Node, p: &mut Problems) -> Bucket {
    let mut f = Fields::of(node, "a bucket", p).shaped(&BUCKET);
    let name = match name(&mut f, p) {
        Some(name) => name,
        None if f.node("name").is_some() => String::new(),
        None => {
            check_name(key, node.span, p);
            key.to_owned()
        }
    };
    let encryption = f.word("encryption", ENCRYPTIONS, p);
    let bucket = Bucket {
        name,
        region: f.text("region", p),
        versioning: versioning(&mut f, p).unwrap_or_default(),
        encryption: encryption.unwrap_or_else(|| ENCRYPTIONS[0].to_owned()),
        kms_key: f.text("kms_key", p),
        public_access_blocked: f.boolean("public_access_blocked", p).unwrap_or(true),
        object_lock: f.node("object_lock").map(|node| object_lock(node, p)),
        lifecycle: items(&mut f, "lifecycle", p, |_, node, p| rules::lifecycle(node, p)),
        replication: items(&mut f, "replication", p, rules::replication),
        objects: items(&mut f, "objects", p, |_, node, p| objects::read(node, p)),
        generated: f.node("generated").map(|node| generated(node, p)),
        inventory: f.node("inventory").map(|node| inventory(node, p)),
    };
    f.finish(p);
    together(&bucket, node.span, p);
    bucket
}

/// What S3 refuses together.
fn together(bucket: &Bucket, span: Span, p: &mut Problems) {
    let versioned = bucket.versioning == Versioning::Enabled;
    if bucket.kms_key.is_some() && bucket.encryption != KMS {
        let message = format!("`kms_key` goes with `encryption: {KMS}`");
        p.error("DR004", span, message).help("say both, or neither");
    }
    for (given, what) in [
        (bucket.object_lock.is_some(), "Object Lock"),
        (!bucket.replication.is_empty(), "replication"),
    ] {
        if given && !versioned {
            let message = format!("{what} needs versioning");
            p.error("DR004", span, message).help("write `versioning: enabled`, or leave it out");
        }
    }
    rules::check(bucket, span, p);
    objects::check(bucket, span, p);
}

/// Reads a list; the items' places in it count from 1.
fn items<T>(
    f: &mut Fields<'_>,
    name: &'static str,
    p: &mut Problems,
    read: impl Fn(u32, &Node, &mut Problems) -> T,
) -> Vec<T> {
    let Some(node) = f.node(name) else { return Vec::new() };
    let Kind::List(found) = &node.kind else {
        let message = format!("field `{name}`: expected a list, found {}", node.kind_name());
        p.error("DR004", node.span, message);
        return Vec::new();
    };
    (1..).zip(found).map(|(place, node)| read(place, node, p)).collect()
}

fn name(f: &mut Fields<'_>, p: &mut Problems) -> Option<String> {
    let span = f.node("name")?.span;
    let name = f.text("name", p)?;
    check_name(&name, span, p);
    Some(name)
}

/// 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends.
fn check_name(name: &str, span: Span, p: &mut Problems) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let valid = (3..=63).contains(&name.len())
        && name.chars().all(|c| plain(c) || c == '-' || c == '.')
        && name.starts_with(plain)
        && name.ends_with(plain)
        && !name.contains("..");
    if !valid {
        p.error("DR004", span, format!("`{name}` is no name of a bucket"))
            .help("3 to 63 of `a-z`, `0-9`, `-` and `.`; where the key is none, give a `name`");
    }
}

fn versioning(f: &mut Fields<'_>, p: &mut Problems) -> Option<Versioning> {
    Some(match f.word("versioning", Versioning::WORDS, p)?.as_str() {
        "suspended" => Versioning::Suspended,
        "never" => Versioning::Never,
        _ => Versioning::Enabled,
    })
}

fn object_lock(node: &Node, p: &mut Problems) -> ObjectLock {
    let mut f = Fields::of(node, "object_lock", p).shaped(&OBJECT_LOCK);
    f.required("mode", p);
    f.required("days", p);
    let lock = ObjectLock {
        mode: f.word("mode", LOCK_MODES, p).unwrap_or_default(),
        days: whole(&mut f, "days", 1, p),
    };
    if lock.days == 0 || lock.days > 36_500 {
        p.error("DR004", node.span, "field `days`: a retention is 1 to 36500 days");
    }
    f.finish(p);
    lock
}

fn generated(node: &Node, p: &mut Problems) -> Generated {
    let mut f = Fields::of(node, "generated", p).shaped(&GENERATED);
    let mirror_of = f.text("mirror_of", p);
    let keys = f.node("keys").map(|node| (node.span, f.int("keys", p)));
    let own = ["keys", "prefix", "size"].into_iter().find(|name| f.node(name).is_some());
    if let (Some(_), Some(own)) = (&mirror_of, own) {
        let message = format!("a mirror has the keys of its original: `{own}` says another thing");
        p.error("DR004", node.span, message).help("leave it out");
    }
    if mirror_of.is_none() && keys.is_none() {
        p.error("DR003", node.span, "generated needs the field `keys` or `mirror_of`");
    }
    let count = keys.and_then(|(span, given)| {
        let count = u64::try_from(given?).ok().filter(|count| (1..=1_000_000_000).contains(count));
        if count.is_none() {
            p.error("DR004", span, "field `keys`: expected 1 to 1000000000");
        }
        count
    });
    let generated = Generated {
        keys: count.unwrap_or_default(),
        prefix: f.text("prefix", p).unwrap_or_default(),
        size: objects::size(&mut f, p).unwrap_or(1_024),
        differs: f.node("differs").map(|node| differs(node, p)).unwrap_or_default(),
        mirror_of,
    };
    if generated.differs != Differs::default() && generated.mirror_of.is_none() {
        p.error("DR004", node.span, "`differs` says how a mirror differs: it needs `mirror_of`");
    }
    f.finish(p);
    generated
}

fn differs(node: &Node, p: &mut Problems) -> Differs {
    let mut f = Fields::of(node, "differs", p).shaped(&DIFFERS);
    let differs = Differs {
        missing: u64::from(whole(&mut f, "missing", 0, p)),
        changed: u64::from(whole(&mut f, "changed", 0, p)),
        extra: u64::from(whole(&mut f, "extra", 0, p)),
    };
    f.finish(p);
    differs
}

fn inventory(node: &Node, p: &mut Problems) -> Inventory {
    let mut f = Fields::of(node, "an inventory", p).shaped(&INVENTORY);
    let inventory = Inventory {
        id: f.required_text("id", p).unwrap_or_default(),
        to: f.required_text("to", p).unwrap_or_default(),
        prefix: f.text("prefix", p).unwrap_or_default(),
        format: f.word("format", FORMATS, p).unwrap_or_else(|| FORMATS[0].to_owned()),
        all_versions: f.boolean("all_versions", p).unwrap_or(false),
    };
    f.finish(p);
    inventory
}

/// Reads an environment's `buckets` where it is a list: names of buckets that there are besides.
pub(in crate::estate) fn listed(f: &mut Fields<'_>, p: &mut Problems) -> Vec<String> {
    let Some(Kind::List(found)) = f.node("buckets").map(|node| &node.kind) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for node in found {
        match &node.kind {
            Kind::Text(name) => names.push(name.clone()),
            _ => {
                let message = format!("field `buckets`: expected text, found {}", node.kind_name());
                p.error("DR004", node.span, message);
            }
        }
    }
    names
}

/// Reads an environment's `buckets` where it is a map: what differs there from the estate's buckets.
pub(in crate::estate) fn changes(
    f: &mut Fields<'_>,
    simulated: bool,
    p: &mut Problems,
) -> BTreeMap<String, BucketChanges> {
    let list = f.node("buckets").filter(|node| matches!(node.kind, Kind::List(_)));
    if let Some(node) = list {
        if !simulated {
            let message =
                "field `buckets`: only a simulated environment lists buckets that there are";
            p.error("DR004", node.span, message).help("say what differs here: `KEY: { name: … }`");
        }
        return BTreeMap::new();
    }
    let entries = f.entries("buckets", p).into_iter();
    entries.map(|(key, node)| (key.name.clone(), one_change(node, p))).collect()
}

fn one_change(node: &Node, p: &mut Problems) -> BucketChanges {
    let mut f = Fields::of(node, "a bucket's changes", p).shaped(&BUCKET_CHANGES);
    let changes = BucketChanges {
        name: name(&mut f, p),
        region: f.text("region", p),
        versioning: versioning(&mut f, p),
        encryption: f.word("encryption", ENCRYPTIONS, p),
        kms_key: f.text("kms_key", p),
        public_access_blocked: f.boolean("public_access_blocked", p),
    };
    f.finish(p);
    changes
}
