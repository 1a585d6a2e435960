//! Reads the objects that the simulated world of a bucket begins with.
//!
//! **Invariant:** what loads could have been put there, one version after another.

use super::shape::{CLASSES, OBJECT};
use super::{Bucket, BucketObject, ObjectContent, Replicated, Versioning};
use crate::base::diagnostic::{Problems, Span};
use crate::base::yaml::{Fields, Node};
use crate::estate::load::named_texts;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest key, bytes.
const LONGEST: usize = 1_024;

/// Units of sizes.
const UNITS: [(&str, u64); 4] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// How old an object is when nothing is said.
const AGE: Duration = Duration::from_secs(30 * 86_400);

/// Reads one of `objects`.
pub(super) fn read(node: &Node, p: &mut Problems) -> BucketObject {
    let mut f = Fields::of(node, "an object", p).shaped(&OBJECT);
    let key = f.required_text("key", p).unwrap_or_default();
    if f.node("key").is_some() && (key.is_empty() || key.len() > LONGEST) {
        let message = format!("a key has 1 to {LONGEST} bytes, this one has {}", key.len());
        p.error("DR004", node.span, message);
    }
    let deleted = f.boolean("deleted", p).unwrap_or(false);
    let (text, size) = (f.text("text", p), size(&mut f, p));
    if u8::from(deleted) + u8::from(text.is_some()) + u8::from(size.is_some()) > 1 {
        p.error("DR004", node.span, format!("object `{key}` has one of `text`, `size`, `deleted`"));
    }
    let class = f.word("storage_class", CLASSES, p);
    let object = BucketObject {
        key,
        content: match (deleted, size) {
            (true, _) => ObjectContent::Deleted,
            (false, Some(size)) => ObjectContent::Bytes(size),
            (false, None) => ObjectContent::Text(text.unwrap_or_default()),
        },
        age: f.duration("age", p).unwrap_or(AGE),
        replicated: replicated(&mut f, p),
        metadata: named_texts(&mut f, "metadata", "metadata", p),
        tags: named_texts(&mut f, "tags", "tag", p),
        storage_class: class.unwrap_or_else(|| CLASSES[0].to_owned()),
    };
    f.finish(p);
    object
}

fn replicated(f: &mut Fields<'_>, p: &mut Problems) -> Option<Replicated> {
    Some(match f.word("replicated", Replicated::WORDS, p)?.as_str() {
        "completed" => Replicated::Completed,
        "pending" => Replicated::Pending,
        "failed" => Replicated::Failed,
        _ => Replicated::None,
    })
}

/// The field `size`, such as `5MiB`, in bytes.
pub(super) fn size(f: &mut Fields<'_>, p: &mut Problems) -> Option<u64> {
    let span = f.node("size")?.span;
    let text = f.text("size", p)?;
    let found = UNITS.iter().find_map(|(unit, bytes)| {
        let digits = text.strip_suffix(unit)?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|_| plain)?.checked_mul(*bytes)
    });
    if found.is_none() {
        let message = format!("field `size`: `{text}` is no size");
        p.error("DR004", span, message).help("write `512B`, `1KiB`, `5MiB` or `2GiB`");
    }
    found
}

/// What no series of puts and deletes would leave behind.
pub(super) fn check(bucket: &Bucket, span: Span, p: &mut Problems) {
    let mut seen: BTreeMap<&str, Duration> = BTreeMap::new();
    for object in &bucket.objects {
        let key = &object.key;
        let kept = bucket.versioning != Versioning::Never;
        if object.content == ObjectContent::Deleted && !kept {
            let message =
                format!("object `{key}`: a bucket without versions has no delete markers");
            p.error("DR004", span, message);
        }
        if object.replicated.is_some_and(|it| it != Replicated::None)
            && bucket.replication.is_empty()
        {
            let message = format!("object `{key}`: nothing replicates this bucket");
            p.error("DR004", span, message).help("leave `replicated` out, or add a rule");
        }
        let Some(before) = seen.insert(key, object.age) else { continue };
        if !kept {
            p.error("DR004", span, format!("object `{key}` is there twice, without versions"));
        } else if before < object.age {
            let message =
                format!("versions of `{key}` come in the order of their age, oldest first");
            p.error("DR004", span, message);
        }
    }
}
