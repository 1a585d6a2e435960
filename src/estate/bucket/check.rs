//! What buckets of an estate say about each other.
//!
//! **Invariant:** every bucket that a rule, a mirror or an inventory names is there and fits.

use super::{Bucket, Versioning};
use crate::base::diagnostic::{Problems, Span, nearest};
use crate::base::yaml::Node;
use crate::estate::model::Estate;
use std::collections::BTreeMap;

/// Checks all buckets of `estate`, which was read from `node`, and what environments change in them.
pub(in crate::estate) fn check(estate: &Estate, node: &Node, p: &mut Problems) {
    let section = node.field("buckets").map(|(_, section)| section);
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, bucket) in &estate.buckets {
        let entry = section.and_then(|section| section.field(key));
        let span = entry.map_or(node.span, |(_, entry)| entry.span);
        if let Some(other) = names.insert(&bucket.name, key) {
            let message =
                format!("buckets `{other}` and `{key}` are both called `{}`", bucket.name);
            p.error("DR004", span, message).help("a name belongs to one bucket in all of AWS");
        }
        for rule in &bucket.replication {
            let what = format!("bucket `{key}`, replication rule `{}`", rule.id);
            destination(estate, key, (&rule.to, &what), span, p);
        }
        if let Some(inventory) = &bucket.inventory {
            let what = format!("bucket `{key}`, inventory `{}`", inventory.id);
            named(estate, (&inventory.to, &what), span, p);
        }
        mirror(estate, key, bucket, span, p);
    }
    for (name, environment) in &estate.environments {
        for key in environment.buckets.keys().filter(|key| !estate.buckets.contains_key(*key)) {
            let what = format!("environment `{name}`");
            named(estate, (key, &what), node.span, p);
        }
    }
}

fn named<'a>(
    estate: &'a Estate,
    (to, what): (&str, &str),
    span: Span,
    p: &mut Problems,
) -> Option<&'a Bucket> {
    let found = estate.buckets.get(to);
    // An empty name has been reported where it is missing.
    if found.is_none() && !to.is_empty() {
        let problem = p.error("DR004", span, format!("{what}: there is no bucket `{to}`"));
        if let Some(near) = nearest(to, estate.buckets.keys().map(String::as_str)) {
            problem.help(format!("did you mean `{near}`?"));
        }
    }
    found
}

fn destination(estate: &Estate, key: &str, (to, what): (&str, &str), span: Span, p: &mut Problems) {
    if to == key {
        p.error("DR004", span, format!("{what}: a bucket is not replicated to itself"));
        return;
    }
    let found = named(estate, (to, what), span, p);
    if found.is_some_and(|found| found.versioning != Versioning::Enabled) {
        p.error("DR004", span, format!("{what}: `{to}` must keep versions too"));
    }
}

/// Differences must be few enough to be told apart.
fn mirror(estate: &Estate, key: &str, bucket: &Bucket, span: Span, p: &mut Problems) {
    let Some(generated) = &bucket.generated else { return };
    let Some(original) = &generated.mirror_of else { return };
    let what = format!("bucket `{key}`, generated");
    let Some(found) = named(estate, (original, &what), span, p) else { return };
    let Some(source) = found.generated.as_ref().filter(|source| source.mirror_of.is_none()) else {
        let message = format!("{what}: `{original}` has no generated objects of its own");
        p.error("DR004", span, message);
        return;
    };
    let differs = &generated.differs;
    for (count, name) in
        [(differs.missing, "missing"), (differs.changed, "changed"), (differs.extra, "extra")]
    {
        if count > source.keys / 4 {
            let most = source.keys / 4;
            p.error(
                "DR004",
                span,
                format!("{what}: `{name}` is at most a quarter of the keys, {most}"),
            );
        }
    }
}
