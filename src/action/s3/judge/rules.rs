//! The rules of a replication configuration: which objects they select, and in which order.
//!
//! **Invariant:** a rule is told by its id; rules to other destinations than those asked about are left out.

use super::Found;
use crate::action::s3::finding::{
    NO_DELETE_MARKERS, NO_ENABLED_RULE, NO_METRICS, NO_REPLICATION, NO_ROLE,
    NO_RULE_TO_DESTINATION, NO_TIME_CONTROL, NOT_EXISTING, OVERLAP, PARTLY_COVERED, RULE_DISABLED,
    SHADOWED,
};
use crate::action::s3::subject::Subject;
use crate::cloud::model::{ReplicationRule, ReplicationSettings, Setting};

const CALL: &str = "s3:GetBucketReplication";

pub(super) fn judge(subject: &Subject, found: &mut Found) {
    let bucket = &subject.source.bucket;
    match &subject.source.replication {
        Setting::Denied { .. } => {}
        Setting::Absent => found.add(
            NO_REPLICATION,
            bucket,
            format!("`{bucket}` has no replication configuration: nothing is copied"),
            (CALL, "ReplicationConfigurationNotFoundError".to_owned()),
            put(bucket),
        ),
        Setting::Known(settings) => {
            role(bucket, settings, found);
            for name in subject.destinations.keys() {
                destination(subject, name, found);
            }
            for rule in subject.rules() {
                one(bucket, rule, found);
            }
        }
    }
}

/// The command that changes a replication configuration.
pub(super) fn put(bucket: &str) -> String {
    format!(
        "aws s3api put-bucket-replication --bucket {bucket} --replication-configuration \
         file://replication.json"
    )
}

/// What of a rule to set, and the command that does.
pub(super) fn set(bucket: &str, rule: &ReplicationRule, what: &str) -> String {
    format!("set {what} of rule `{}`: {}", rule.id, put(bucket))
}

fn role(bucket: &str, settings: &ReplicationSettings, found: &mut Found) {
    let role = &settings.role;
    let is_role = role.starts_with("arn:") && role.contains(":role/");
    if !is_role {
        let said = if role.is_empty() { "no Role".to_owned() } else { role.clone() };
        found.add(
            NO_ROLE,
            bucket,
            format!("replication of `{bucket}` names no role that S3 could copy with ({said})"),
            (CALL, said),
            format!("name the ARN of a role that s3.amazonaws.com may assume: {}", put(bucket)),
        );
    }
}

/// What the rules to one destination select together.
fn destination(subject: &Subject, name: &str, found: &mut Found) {
    let bucket = &subject.source.bucket;
    let to: Vec<&ReplicationRule> =
        subject.rules().filter(|rule| rule.destination == name).collect();
    if to.is_empty() {
        return found.add(
            NO_RULE_TO_DESTINATION,
            bucket,
            format!("no rule of `{bucket}` copies to `{name}`"),
            (CALL, destinations(subject)),
            put(bucket),
        );
    }
    let on: Vec<&ReplicationRule> = to.iter().filter(|rule| rule.enabled).copied().collect();
    if on.is_empty() {
        return found.add(
            NO_ENABLED_RULE,
            bucket,
            format!("every rule of `{bucket}` to `{name}` is off: nothing is copied"),
            (CALL, format!("Status Disabled of {}", ids(&to))),
            set(bucket, to[0], "Status to Enabled"),
        );
    }
    let asked = &subject.question.prefix;
    if !on.iter().any(|rule| rule.tags.is_empty() && asked.starts_with(&rule.prefix)) {
        let keys =
            if asked.is_empty() { "every key".to_owned() } else { format!("keys of {asked}") };
        found.add(
            PARTLY_COVERED,
            bucket,
            format!(
                "`{name}` does not get {keys} of `{bucket}`: only {}",
                on.iter().map(|rule| selection(rule)).collect::<Vec<_>>().join("; ")
            ),
            (CALL, ids(&on)),
            format!("add a rule with an empty prefix and no tag: {}", put(bucket)),
        );
    }
    overlaps(bucket, &on, found);
}

fn destinations(subject: &Subject) -> String {
    let all = subject.source.replication.known().map(|settings| settings.rules.as_slice());
    let all = all.unwrap_or_default().iter();
    let all: Vec<String> = all.map(|rule| format!("{} to {}", rule.id, rule.destination)).collect();
    if all.is_empty() { "no rules".to_owned() } else { all.join(", ") }
}

fn ids(rules: &[&ReplicationRule]) -> String {
    rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>().join(", ")
}

fn selection(rule: &ReplicationRule) -> String {
    let mut words = match rule.prefix.as_str() {
        "" => format!("rule `{}`: keys", rule.id),
        prefix => format!("rule `{}`: keys of {prefix}", rule.id),
    };
    for (key, value) in &rule.tags {
        words.push_str(&format!(" with tag {key}={value}"));
    }
    words
}

/// Rules to one destination that select the same objects: the higher priority wins.
fn overlaps(bucket: &str, on: &[&ReplicationRule], found: &mut Found) {
    for (place, rule) in on.iter().enumerate() {
        for other in &on[place + 1..] {
            let (high, low) =
                if rule.priority >= other.priority { (*rule, *other) } else { (*other, *rule) };
            let wider = low.prefix.starts_with(&high.prefix);
            let narrower = high.prefix.starts_with(&low.prefix);
            if !wider && !narrower {
                continue;
            }
            let said = format!(
                "Priority {} of {}, {} of {}",
                priority(high),
                high.id,
                priority(low),
                low.id
            );
            let shadowed = wider && high.tags.iter().all(|tag| low.tags.get(tag.0) == Some(tag.1));
            let (kind, what, remedy) = if shadowed {
                (
                    SHADOWED,
                    format!(
                        "rule `{}` of `{bucket}` never applies: `{}` selects all that it does \
                         and comes first",
                        low.id, high.id
                    ),
                    format!(
                        "delete rule `{}` or give it the higher Priority: {}",
                        low.id,
                        put(bucket)
                    ),
                )
            } else {
                (
                    OVERLAP,
                    format!(
                        "rules `{}` and `{}` of `{bucket}` select the same objects: `{}` decides",
                        high.id, low.id, high.id
                    ),
                    "check that the priorities are meant so".to_owned(),
                )
            };
            found.add(kind, bucket, what, (CALL, said), remedy);
        }
    }
}

fn priority(rule: &ReplicationRule) -> String {
    rule.priority.map_or_else(|| "none".to_owned(), |priority| priority.to_string())
}

/// What one rule leaves out.
fn one(bucket: &str, rule: &ReplicationRule, found: &mut Found) {
    let (id, to) = (&rule.id, &rule.destination);
    if !rule.enabled {
        return found.add(
            RULE_DISABLED,
            bucket,
            format!("rule `{id}` of `{bucket}` to `{to}` is off"),
            (CALL, format!("Status Disabled of {id}")),
            set(bucket, rule, "Status to Enabled"),
        );
    }
    if !rule.delete_markers {
        found.add(
            NO_DELETE_MARKERS,
            bucket,
            format!("rule `{id}` of `{bucket}` does not copy delete markers: what is deleted stays in `{to}`"),
            (CALL, format!("DeleteMarkerReplication Disabled of {id}")),
            if rule.tags.is_empty() {
                set(bucket, rule, "DeleteMarkerReplication.Status to Enabled, if deletions should follow")
            } else {
                "rules that filter by tags cannot copy delete markers".to_owned()
            },
        );
    }
    if !rule.existing_objects {
        found.add(
            NOT_EXISTING,
            bucket,
            format!("rule `{id}` of `{bucket}` does not copy objects from before it"),
            (CALL, format!("no ExistingObjectReplication of {id}")),
            format!(
                "aws s3control create-job (S3 Batch Replication) for `{bucket}`, once; `drctl s3 \
                compare` tells which are not there"
            ),
        );
    }
    if rule.time_control.is_none() {
        found.add(
            NO_TIME_CONTROL,
            bucket,
            format!(
                "rule `{id}` of `{bucket}` has no Replication Time Control: S3 promises no time"
            ),
            (CALL, format!("no ReplicationTime of {id}")),
            set(bucket, rule, "Destination.ReplicationTime, if 15 minutes have to be promised"),
        );
    }
    if !rule.metrics {
        found.add(
            NO_METRICS,
            bucket,
            format!(
                "rule `{id}` of `{bucket}` has no metrics: CloudWatch cannot tell that it is late"
            ),
            (CALL, format!("no Metrics of {id}")),
            set(bucket, rule, "Destination.Metrics.Status to Enabled"),
        );
    }
}
