//! Rules of buckets, from the SDK's types to ours.
//!
//! **Invariant:** a filter in any of S3's three spellings is read the same; what is not said stays absent.

use crate::cloud::model::{InventorySettings, LifecycleRule, ReplicationRule, ReplicationSettings};
use crate::cloud::time::from_sdk;
use aws_sdk_s3::types::{
    DeleteMarkerReplicationStatus, Destination, ExistingObjectReplicationStatus, ExpirationStatus,
    InventoryConfiguration, LifecycleRule as SdkLifecycleRule, MetricsStatus, OwnerOverride,
    ReplicaModificationsStatus, ReplicationConfiguration, ReplicationRule as SdkRule,
    ReplicationRuleStatus, ReplicationTimeStatus, SseKmsEncryptedObjectsStatus, Tag,
};
use std::collections::BTreeMap;

/// Minutes that Replication Time Control promises when an answer does not say.
const TIME_CONTROL: i32 = 15;

/// A bucket's name in its ARN, `arn:aws:s3:::name`; a plain name stays as it is.
fn bucket_name(arn: &str) -> String {
    let name = arn.strip_prefix("arn:").and_then(|rest| rest.split_once(":s3:::"));
    name.map_or(arn, |(_, name)| name).to_owned()
}

fn tag_map<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// A whole replication configuration.
pub(super) fn replication_settings(from: &ReplicationConfiguration) -> ReplicationSettings {
    ReplicationSettings {
        role: from.role().to_owned(),
        rules: from.rules().iter().map(replication_rule).collect(),
    }
}

fn replication_rule(from: &SdkRule) -> ReplicationRule {
    let filter = from.filter();
    let both = filter.and_then(|filter| filter.and());
    let said = filter.and_then(|filter| filter.prefix()).or_else(|| both.and_then(|b| b.prefix()));
    #[expect(deprecated, reason = "rules of the first kind still have their prefix there")]
    let old = from.prefix();
    let tags = both.map(|both| both.tags()).unwrap_or_default();
    let one = filter.and_then(|filter| filter.tag());
    let selection = from.source_selection_criteria();
    let marked = from.delete_marker_replication().and_then(|marked| marked.status());
    let first_kind = filter.is_none();
    let rule = ReplicationRule {
        id: from.id().unwrap_or_default().to_owned(),
        enabled: *from.status() == ReplicationRuleStatus::Enabled,
        priority: from.priority(),
        first_kind,
        prefix: said.or(old).unwrap_or_default().to_owned(),
        tags: tag_map(tags.iter().chain(one)),
        delete_markers: first_kind || marked == Some(&DeleteMarkerReplicationStatus::Enabled),
        existing_objects: from
            .existing_object_replication()
            .is_some_and(|e| *e.status() == ExistingObjectReplicationStatus::Enabled),
        kms_objects: selection
            .and_then(|selection| selection.sse_kms_encrypted_objects())
            .is_some_and(|objects| *objects.status() == SseKmsEncryptedObjectsStatus::Enabled),
        replica_modifications: selection
            .and_then(|selection| selection.replica_modifications())
            .is_some_and(|changes| *changes.status() == ReplicaModificationsStatus::Enabled),
        ..ReplicationRule::default()
    };
    from.destination().map_or(rule.clone(), |to| with_destination(rule, to))
}

fn with_destination(rule: ReplicationRule, to: &Destination) -> ReplicationRule {
    let time = to.replication_time();
    let time = time.filter(|time| *time.status() == ReplicationTimeStatus::Enabled);
    let key = to.encryption_configuration().and_then(|config| config.replica_kms_key_id());
    ReplicationRule {
        destination: bucket_name(to.bucket()),
        account: to.account().map(str::to_owned),
        storage_class: to.storage_class().map(|class| class.as_str().to_owned()),
        replica_key: key.map(str::to_owned),
        owner_override: to
            .access_control_translation()
            .is_some_and(|translation| *translation.owner() == OwnerOverride::Destination),
        time_control: time
            .map(|time| time.time().and_then(|value| value.minutes()).unwrap_or(TIME_CONTROL)),
        metrics: to.metrics().is_some_and(|m| *m.status() == MetricsStatus::Enabled),
        ..rule
    }
}

/// One lifecycle rule.
pub(super) fn lifecycle_rule(from: &SdkLifecycleRule) -> LifecycleRule {
    let filter = from.filter();
    let both = filter.and_then(|filter| filter.and());
    let said = filter.and_then(|filter| filter.prefix()).or_else(|| both.and_then(|b| b.prefix()));
    #[expect(deprecated, reason = "old rules still have their prefix there")]
    let old = from.prefix();
    let tags = both.map(|both| both.tags()).unwrap_or_default();
    let expiration = from.expiration();
    let noncurrent = from.noncurrent_version_expiration();
    LifecycleRule {
        id: from.id().unwrap_or_default().to_owned(),
        enabled: *from.status() == ExpirationStatus::Enabled,
        prefix: said.or(old).unwrap_or_default().to_owned(),
        tags: tag_map(tags.iter().chain(filter.and_then(|filter| filter.tag()))),
        expire_days: expiration.and_then(|e| e.days()),
        expire_at: expiration.and_then(|e| e.date()).and_then(from_sdk),
        noncurrent_days: noncurrent.and_then(|n| n.noncurrent_days()),
        newer_noncurrent: noncurrent.and_then(|n| n.newer_noncurrent_versions()),
        transitions: from
            .transitions()
            .iter()
            .map(|one| (one.days(), one.storage_class().map_or("", |c| c.as_str()).to_owned()))
            .collect(),
        noncurrent_transitions: from
            .noncurrent_version_transitions()
            .iter()
            .map(|one| {
                let class = one.storage_class().map_or("", |class| class.as_str());
                (one.noncurrent_days(), class.to_owned())
            })
            .collect(),
    }
}

/// One inventory; `None` when it has nowhere to go.
pub(super) fn inventory(from: &InventoryConfiguration) -> Option<InventorySettings> {
    let to = from.destination()?.s3_bucket_destination()?;
    Some(InventorySettings {
        id: from.id().to_owned(),
        enabled: from.is_enabled(),
        bucket: bucket_name(to.bucket()),
        prefix: to.prefix().unwrap_or_default().to_owned(),
        format: to.format().as_str().to_owned(),
        versions: from.included_object_versions().as_str().to_owned(),
        frequency: from.schedule().map_or("", |s| s.frequency().as_str()).to_owned(),
        fields: from.optional_fields().iter().map(|field| field.as_str().to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::bucket_name;

    #[test]
    fn a_bucket_has_one_name() {
        for (arn, wanted) in [
            ("arn:aws:s3:::copies", "copies"),
            ("arn:aws-cn:s3:::copies", "copies"),
            ("copies", "copies"),
        ] {
            assert_eq!(bucket_name(arn), wanted);
        }
    }
}
