//! Replication rules, as a bucket's configuration says them.
//!
//! **Invariant:** for one object and one destination one rule counts: of those that are about it, the one with the
//! highest priority.

use crate::sim::s3::documents::{all, read, text_at};
use crate::sim::s3::state::{Bucket, Version};
use crate::sim::xml::Element;
use std::collections::BTreeMap;

/// A replication rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sim) struct Rule {
    pub(in crate::sim) id: String,
    pub(super) priority: i64,
    pub(super) enabled: bool,
    pub(super) prefix: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) delete_markers: bool,
    pub(super) existing: bool,
    pub(super) kms: bool,
    /// Name of the destination.
    pub(in crate::sim) to: String,
    pub(super) class: Option<String>,
    pub(super) replica_key: Option<String>,
    pub(super) time_control: bool,
    pub(in crate::sim) metrics: bool,
}

/// The rules of a bucket.
pub(in crate::sim) fn of_bucket(bucket: &Bucket) -> Vec<Rule> {
    bucket.config.get("replication").map(|kept| of(&read(kept))).unwrap_or_default()
}

/// The rules of a configuration; those without a destination are left out.
pub(super) fn of(root: &Element) -> Vec<Rule> {
    (1..).zip(all(root, "Rule")).filter_map(|(place, rule)| one(place, rule)).collect()
}

fn one(place: usize, rule: &Element) -> Option<Rule> {
    let on = |path: &[&str]| text_at(rule, path) == Some("Enabled");
    let to = text_at(rule, &["Destination", "Bucket"])?.strip_prefix("arn:aws:s3:::")?;
    let text = |path: &[&str]| text_at(rule, path).map(str::to_owned);
    let filter = rule.child("Filter");
    let prefix = match filter {
        None => rule.text_of("Prefix"),
        Some(filter) => filter.text_of("Prefix").or_else(|| text_at(filter, &["And", "Prefix"])),
    };
    let single = filter.into_iter().flat_map(|filter| all(filter, "Tag"));
    let several = filter.and_then(|filter| filter.child("And")).into_iter();
    let tags = single.chain(several.flat_map(|and| all(and, "Tag"))).filter_map(|tag| {
        Some((tag.text_of("Key")?.to_owned(), tag.text_of("Value").unwrap_or_default().to_owned()))
    });
    let priority = text_at(rule, &["Priority"]).and_then(|text| text.parse().ok());
    Some(Rule {
        id: text(&["ID"]).unwrap_or_else(|| format!("rule-{place}")),
        priority: priority.unwrap_or_default(),
        enabled: on(&["Status"]),
        prefix: prefix.unwrap_or_default().to_owned(),
        tags: tags.collect(),
        // A rule in the old form, without a filter, replicates delete markers.
        delete_markers: filter.is_none() || on(&["DeleteMarkerReplication", "Status"]),
        existing: on(&["ExistingObjectReplication", "Status"]),
        kms: on(&["SourceSelectionCriteria", "SseKmsEncryptedObjects", "Status"]),
        to: to.to_owned(),
        class: text(&["Destination", "StorageClass"]),
        replica_key: text(&["Destination", "EncryptionConfiguration", "ReplicaKmsKeyID"]),
        time_control: on(&["Destination", "ReplicationTime", "Status"]),
        metrics: on(&["Destination", "Metrics", "Status"]),
    })
}

impl Rule {
    /// Whether it is about this version of `key`.
    fn covers(&self, key: &str, version: &Version) -> bool {
        let tagged = |(name, value): (&String, &String)| version.tags.get(name) == Some(value);
        self.enabled
            && key.starts_with(&self.prefix)
            && if version.marker {
                self.delete_markers && self.tags.is_empty()
            } else {
                self.tags.iter().all(tagged) && (self.kms || version.extra.kms_key.is_none())
            }
    }
}

/// The rules that replicate this version, one a destination.
pub(super) fn about<'a>(
    rules: &'a [Rule],
    key: &str,
    version: &Version,
) -> BTreeMap<&'a str, &'a Rule> {
    let mut found: BTreeMap<&str, &Rule> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.covers(key, version)) {
        let kept = found.entry(&rule.to).or_insert(rule);
        if kept.priority < rule.priority {
            *kept = rule;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    #[test]
    fn the_highest_priority_counts_for_each_destination() {
        let rule = |id: &str, priority, prefix: &str, to: &str| Rule {
            id: id.to_owned(),
            priority,
            enabled: true,
            prefix: prefix.to_owned(),
            to: to.to_owned(),
            ..Rule::default()
        };
        let off = Rule { enabled: false, ..rule("off", 9, "", "west") };
        let gold = [("tier".to_owned(), "gold".to_owned())];
        let tagged = Rule { tags: gold.clone().into(), ..rule("tagged", 8, "", "west") };
        let markers = Rule { delete_markers: true, ..rule("markers", 0, "", "east") };
        let rules =
            [rule("all", 1, "", "west"), rule("logs", 2, "logs/", "west"), off, tagged, markers];
        let plain = Version::new(Vec::new(), simulated_epoch());
        let names = |key: &str, version: &Version| {
            about(&rules, key, version).values().map(|rule| rule.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names("a", &plain), ["markers", "all"]);
        assert_eq!(names("logs/a", &plain), ["markers", "logs"]);
        let golden = Version { tags: gold.into(), ..plain.clone() };
        assert_eq!(names("logs/a", &golden), ["markers", "tagged"]);
        let marker = Version { marker: true, ..plain.clone() };
        assert_eq!(names("a", &marker), ["markers"]);
        let mut secret = plain;
        secret.extra.kms_key = Some("k".to_owned());
        assert_eq!(names("a", &secret), Vec::<String>::new());
    }

    #[test]
    fn both_forms_of_rules_are_read() {
        let text = "<ReplicationConfiguration><Role>r</Role>\
            <Rule><ID>old</ID><Prefix>a/</Prefix><Status>Enabled</Status>\
            <Destination><Bucket>arn:aws:s3:::west</Bucket></Destination></Rule>\
            <Rule><ID>new</ID><Priority>3</Priority><Filter><And><Prefix>b/</Prefix>\
            <Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status>\
            <DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>\
            <SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status>\
            </SseKmsEncryptedObjects></SourceSelectionCriteria>\
            <Destination><Bucket>arn:aws:s3:::west</Bucket><StorageClass>STANDARD_IA</StorageClass>\
            <ReplicationTime><Status>Enabled</Status></ReplicationTime>\
            <Metrics><Status>Enabled</Status></Metrics></Destination></Rule>\
            <Rule><ID>lost</ID><Status>Enabled</Status></Rule></ReplicationConfiguration>";
        let [old, new] = of(&read(text)).try_into().expect("two rules");
        assert_eq!((old.prefix.as_str(), old.delete_markers, old.priority), ("a/", true, 0));
        assert_eq!((new.prefix.as_str(), new.delete_markers, new.priority), ("b/", false, 3));
        assert!(new.kms && new.time_control && new.metrics && new.tags["k"] == "v");
        assert_eq!((new.class.as_deref(), new.to.as_str()), (Some("STANDARD_IA"), "west"));
    }
}
