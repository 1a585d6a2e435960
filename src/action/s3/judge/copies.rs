//! The copies that rules make: their keys, owners, classes, and what becomes of copies of copies.
//!
//! **Invariant:** only rules that are on are judged; what a destination does not say breaks no rule.

use super::Found;
use super::rules::set;
use crate::action::s3::finding::{
    BOTH_WAYS, COLD_COPIES, FOREIGN_OWNER, KMS_NOT_SELECTED, NO_REPLICA_KEY, ONWARD,
    OWNER_WITHOUT_ACCOUNT, REPLICA_KEY_ELSEWHERE,
};
use crate::action::s3::subject::Subject;
use crate::cloud::model::{BucketSettings, ReplicationRule};

const CALL: &str = "s3:GetBucketReplication";

/// Classes whose objects have to be restored before they can be read.
pub(super) const ARCHIVES: [&str; 2] = ["DEEP_ARCHIVE", "GLACIER"];

/// Ownership by which a bucket's owner owns all of its objects.
const ENFORCED: &str = "BucketOwnerEnforced";

pub(super) fn judge(subject: &Subject, found: &mut Found) {
    let bucket = &subject.source.bucket;
    for rule in subject.enabled() {
        let to = subject.seen().find(|settings| settings.bucket == rule.destination);
        keys(subject, rule, to, found);
        owner(bucket, rule, to, found);
        if let Some(class) = rule.storage_class.as_ref().filter(|c| ARCHIVES.contains(&c.as_str()))
        {
            found.add(
                COLD_COPIES,
                bucket,
                format!(
                    "rule `{}` of `{bucket}` stores copies as {class}: each has to be restored for \
                     hours before it can be read",
                    rule.id
                ),
                (CALL, format!("StorageClass {class} of {}", rule.id)),
                set(bucket, rule, "Destination.StorageClass to STANDARD_IA or GLACIER_IR"),
            );
        }
    }
    for settings in subject.seen() {
        onward(subject, settings, found);
    }
}

/// Which key the copies have.
fn keys(subject: &Subject, rule: &ReplicationRule, to: Option<&BucketSettings>, found: &mut Found) {
    let (source, bucket) = (&subject.source, &subject.source.bucket);
    let encryption = source.encryption.known().filter(|encryption| encryption.is_kms());
    if let Some(encryption) = encryption.filter(|_| !rule.kms_objects) {
        found.add(
            KMS_NOT_SELECTED,
            bucket,
            format!(
                "`{bucket}` encrypts with {} and rule `{}` does not select such objects: they are not \
                 copied",
                encryption.algorithm, rule.id
            ),
            (CALL, format!("no SseKmsEncryptedObjects of {}", rule.id)),
            set(
                bucket,
                rule,
                "SourceSelectionCriteria.SseKmsEncryptedObjects.Status to Enabled, with \
                 Destination.EncryptionConfiguration.ReplicaKmsKeyID",
            ),
        );
    }
    let Some(key) = &rule.replica_key else {
        if rule.kms_objects {
            found.add(
                NO_REPLICA_KEY,
                bucket,
                format!("rule `{}` of `{bucket}` selects objects of KMS and names no key for their copies",
                    rule.id),
                (CALL, format!("no ReplicaKmsKeyID of {}", rule.id)),
                set(bucket, rule, "Destination.EncryptionConfiguration.ReplicaKmsKeyID"),
            );
        }
        return;
    };
    let region = key.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    if let (Some(region), Some(to)) = (region, to)
        && region != to.region
    {
        found.add(
            REPLICA_KEY_ELSEWHERE,
            bucket,
            format!(
                "rule `{}` of `{bucket}` names a key in {region}, and `{}` is in {}: no copy can \
                be encrypted",
                rule.id, to.bucket, to.region
            ),
            (CALL, format!("ReplicaKmsKeyID {key} of {}", rule.id)),
            set(bucket, rule, "ReplicaKmsKeyID to a key in the destination's region"),
        );
    }
}

/// Who owns the copies.
fn owner(bucket: &str, rule: &ReplicationRule, to: Option<&BucketSettings>, found: &mut Found) {
    if rule.owner_override && rule.account.is_none() {
        return found.add(
            OWNER_WITHOUT_ACCOUNT,
            bucket,
            format!(
                "rule `{}` of `{bucket}` gives copies to the destination's owner and names no \
                account",
                rule.id
            ),
            (CALL, format!("AccessControlTranslation without Account of {}", rule.id)),
            set(bucket, rule, "Destination.Account"),
        );
    }
    let enforced = to.and_then(|to| to.ownership.known()).is_none_or(|word| word == ENFORCED);
    if let Some(account) = rule.account.as_ref().filter(|_| !rule.owner_override && !enforced) {
        found.add(
            FOREIGN_OWNER,
            bucket,
            format!(
                "rule `{}` of `{bucket}` copies into account {account}, which will not own the \
                copies",
                rule.id
            ),
            (CALL, format!("Account {account} without AccessControlTranslation of {}", rule.id)),
            set(bucket, rule, "Destination.AccessControlTranslation.Owner to Destination"),
        );
    }
}

/// What becomes of copies: S3 does not copy a copy.
fn onward(subject: &Subject, to: &BucketSettings, found: &mut Found) {
    let (source, bucket) = (&subject.source.bucket, &to.bucket);
    let rules = to.replication.known().map(|settings| settings.rules.as_slice());
    let on = rules.unwrap_or_default().iter().filter(|rule| rule.enabled);
    for rule in on {
        if rule.destination == *source {
            let there = subject.enabled().filter(|it| it.destination == *bucket);
            let synced =
                rule.replica_modifications && there.into_iter().all(|it| it.replica_modifications);
            if !synced {
                found.add(
                    BOTH_WAYS,
                    bucket,
                    format!("`{source}` and `{bucket}` replicate to each other: objects do not go round, \
                        and changes of tags and locks made to a copy stay there"),
                    (CALL, format!("rule {} of {bucket} to {source}", rule.id)),
                    set(bucket, rule, "SourceSelectionCriteria.ReplicaModifications.Status to Enabled \
                        on both sides"),
                );
            }
        } else {
            found.add(
                ONWARD,
                bucket,
                format!(
                    "`{bucket}` replicates to `{}`, which gets nothing that came from `{source}`: \
                    S3 does not copy a copy",
                    rule.destination
                ),
                (CALL, format!("rule {} of {bucket} to {}", rule.id, rule.destination)),
                format!(
                    "add a rule from `{source}` to `{}`: {}",
                    rule.destination,
                    super::rules::put(source)
                ),
            );
        }
    }
}
