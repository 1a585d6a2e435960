//! Configuration of a bucket as the estate's facts say it, in the documents that S3 would give back.
//!
//! **Invariant:** what is read of a bucket that the estate describes is what somebody would have put.

use crate::estate::{Bucket as Facts, Inventory, LifecycleRule, ObjectLock, ReplicationRule};
use crate::sim::s3::config;
use crate::sim::state::World;
use crate::sim::xml::Xml;
use std::collections::BTreeMap;

/// Columns of an inventory that the estate describes.
const FIELDS: [&str; 7] = [
    "Size",
    "LastModifiedDate",
    "ETag",
    "StorageClass",
    "IsMultipartUploaded",
    "ReplicationStatus",
    "EncryptionStatus",
];

/// The documents, by the query parameters that they go by; `names` are the buckets' names by their keys in the
/// estate.
pub(super) fn configuration(
    world: &World,
    facts: &Facts,
    names: &BTreeMap<&str, &str>,
) -> BTreeMap<String, String> {
    let mut documents = config::of_new();
    let mut add = |name: &str, document: String| documents.insert(name.to_owned(), document);
    let kms = (facts.encryption == "aws:kms").then_some(facts.kms_key.as_deref());
    if let Some(key) = kms {
        add("encryption", encryption(key));
    }
    if let Some(lock) = &facts.object_lock {
        add("object-lock", object_lock(lock));
    }
    if !facts.lifecycle.is_empty() {
        add("lifecycle", lifecycle(&facts.lifecycle));
    }
    if !facts.replication.is_empty() {
        add("replication", replication(world, &facts.replication, names));
    }
    if let Some(wanted) = &facts.inventory {
        add(&format!("inventory/{}", wanted.id), inventory(wanted, names));
    }
    if !facts.public_access_blocked {
        documents.remove("publicAccessBlock");
    }
    documents
}

fn named(names: &BTreeMap<&str, &str>, key: &str) -> String {
    format!("arn:aws:s3:::{}", names.get(key).copied().unwrap_or(key))
}

fn enabled(xml: &mut Xml, name: &str, on: bool) {
    xml.element(name, |xml| xml.leaf("Status", if on { "Enabled" } else { "Disabled" }));
}

fn encryption(key: Option<&str>) -> String {
    let mut xml = Xml::default();
    xml.element("ServerSideEncryptionConfiguration", |xml| {
        xml.element("Rule", |xml| {
            xml.element("ApplyServerSideEncryptionByDefault", |xml| {
                xml.leaf("SSEAlgorithm", "aws:kms");
                xml.optional("KMSMasterKeyID", key);
            });
            xml.leaf("BucketKeyEnabled", true);
        });
    });
    xml.finish()
}

fn object_lock(lock: &ObjectLock) -> String {
    let mut xml = Xml::default();
    xml.element("ObjectLockConfiguration", |xml| {
        xml.leaf("ObjectLockEnabled", "Enabled");
        xml.element("Rule", |xml| {
            xml.element("DefaultRetention", |xml| {
                xml.leaf("Mode", &lock.mode);
                xml.leaf("Days", lock.days);
            });
        });
    });
    xml.finish()
}

fn lifecycle(rules: &[LifecycleRule]) -> String {
    let mut xml = Xml::default();
    xml.element("LifecycleConfiguration", |xml| {
        for rule in rules {
            xml.element("Rule", |xml| {
                xml.leaf("ID", &rule.id);
                xml.element("Filter", |xml| xml.leaf("Prefix", &rule.prefix));
                xml.leaf("Status", "Enabled");
                if let Some(days) = rule.glacier_after {
                    xml.element("Transition", |xml| {
                        xml.leaf("Days", days);
                        xml.leaf("StorageClass", &rule.transition_class);
                    });
                }
                if let Some(days) = rule.expire_after {
                    xml.element("Expiration", |xml| xml.leaf("Days", days));
                }
                if let Some(days) = rule.noncurrent_days {
                    xml.element("NoncurrentVersionExpiration", |xml| {
                        xml.leaf("NoncurrentDays", days);
                    });
                }
            });
        }
    });
    xml.finish()
}

fn replication(world: &World, rules: &[ReplicationRule], names: &BTreeMap<&str, &str>) -> String {
    let mut xml = Xml::default();
    xml.element("ReplicationConfiguration", |xml| {
        xml.leaf("Role", format!("arn:aws:iam::{}:role/s3-replication", world.account));
        rules.iter().for_each(|rule| replication_rule(world, rule, names, xml));
    });
    xml.finish()
}

fn replication_rule(
    world: &World,
    rule: &ReplicationRule,
    names: &BTreeMap<&str, &str>,
    xml: &mut Xml,
) {
    xml.element("Rule", |xml| {
        xml.leaf("ID", &rule.id);
        xml.leaf("Priority", rule.priority);
        xml.element("Filter", |xml| filter(rule, xml));
        xml.leaf("Status", if rule.enabled { "Enabled" } else { "Disabled" });
        if rule.kms {
            xml.element("SourceSelectionCriteria", |xml| {
                enabled(xml, "SseKmsEncryptedObjects", true);
            });
        }
        enabled(xml, "ExistingObjectReplication", rule.existing_objects);
        enabled(xml, "DeleteMarkerReplication", rule.delete_markers);
        xml.element("Destination", |xml| {
            xml.leaf("Bucket", named(names, &rule.to));
            if rule.owner_override {
                xml.leaf("Account", &world.account);
                xml.element("AccessControlTranslation", |xml| xml.leaf("Owner", "Destination"));
            }
            xml.optional("StorageClass", rule.storage_class.as_ref());
            if let Some(key) = &rule.replica_kms_key {
                xml.element("EncryptionConfiguration", |xml| xml.leaf("ReplicaKmsKeyID", key));
            }
            if rule.time_control {
                xml.element("ReplicationTime", |xml| {
                    xml.leaf("Status", "Enabled");
                    xml.element("Time", |xml| xml.leaf("Minutes", 15));
                });
            }
            if rule.metrics {
                xml.element("Metrics", |xml| {
                    xml.leaf("Status", "Enabled");
                    if rule.time_control {
                        xml.element("EventThreshold", |xml| xml.leaf("Minutes", 15));
                    }
                });
            }
        });
    });
}

fn filter(rule: &ReplicationRule, xml: &mut Xml) {
    let tags = |xml: &mut Xml| {
        for (key, value) in &rule.tags {
            xml.element("Tag", |xml| {
                xml.leaf("Key", key);
                xml.leaf("Value", value);
            });
        }
    };
    // One thing stands alone; several stand together.
    match (rule.tags.len(), rule.prefix.is_empty()) {
        (0, _) => xml.leaf("Prefix", &rule.prefix),
        (1, true) => tags(xml),
        _ => xml.element("And", |xml| {
            xml.leaf("Prefix", &rule.prefix);
            tags(xml);
        }),
    }
}

fn inventory(wanted: &Inventory, names: &BTreeMap<&str, &str>) -> String {
    let mut xml = Xml::default();
    xml.element("InventoryConfiguration", |xml| {
        xml.element("Destination", |xml| {
            xml.element("S3BucketDestination", |xml| {
                xml.leaf("Bucket", named(names, &wanted.to));
                xml.leaf("Format", &wanted.format);
                if !wanted.prefix.is_empty() {
                    xml.leaf("Prefix", &wanted.prefix);
                }
            });
        });
        xml.leaf("IsEnabled", true);
        xml.leaf("Id", &wanted.id);
        xml.leaf("IncludedObjectVersions", if wanted.all_versions { "All" } else { "Current" });
        xml.leaves("OptionalFields", "Field", FIELDS);
        xml.element("Schedule", |xml| xml.leaf("Frequency", "Daily"));
    });
    xml.finish()
}
