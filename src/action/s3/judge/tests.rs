//! Every rule, planted and absent.
//!
//! **Invariant:** a subject that is well has no finding at all, so that each case shows what it planted.

use super::{Judgement, judge};
use crate::action::s3::finding::{RULES, Severity};
use crate::action::s3::subject::{Destination, Measured, Question, Subject};
use crate::base::clock::simulated_epoch;
use crate::cloud::model::{
    BucketEncryption, BucketSettings, LifecycleRule, MeasuredFigure, ObjectLock, PublicAccess,
    ReplicationFigures, ReplicationRule, ReplicationSettings, Setting, Versioning,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

pub(in crate::action::s3) fn bucket(name: &str, region: &str) -> BucketSettings {
    let on =
        PublicAccess { block_acls: true, ignore_acls: true, block_policy: true, restrict: true };
    BucketSettings {
        bucket: name.to_owned(),
        region: region.to_owned(),
        versioning: Setting::Known(Versioning::Enabled),
        replication: Setting::Absent,
        encryption: Setting::Known(BucketEncryption {
            algorithm: "AES256".to_owned(),
            key: None,
            bucket_key: false,
        }),
        public_access: Setting::Known(on),
        policy_is_public: Setting::Absent,
        lifecycle: Setting::Absent,
        object_lock: Setting::Absent,
        ownership: Setting::Known("BucketOwnerEnforced".to_owned()),
        inventories: Setting::Absent,
    }
}

fn rule(id: &str) -> ReplicationRule {
    ReplicationRule {
        id: id.to_owned(),
        enabled: true,
        priority: Some(1),
        destination: "copies".to_owned(),
        delete_markers: true,
        existing_objects: true,
        time_control: Some(15),
        metrics: true,
        ..ReplicationRule::default()
    }
}

fn replicates(rules: Vec<ReplicationRule>) -> Setting<ReplicationSettings> {
    let role = "arn:aws:iam::123456789012:role/s3-replication".to_owned();
    Setting::Known(ReplicationSettings { role, rules })
}

fn figure(value: f64) -> Option<MeasuredFigure> {
    Some(MeasuredFigure { at: simulated_epoch(), value })
}

/// A subject that is well.
fn well() -> Subject {
    let mut source = bucket("documents", "us-east-1");
    source.replication = replicates(vec![rule("all")]);
    let copies = Destination::Settings(Box::new(bucket("copies", "us-west-2")));
    let figures = ReplicationFigures { latency: figure(2.0), ..ReplicationFigures::default() };
    Subject {
        question: Question {
            source: "documents".to_owned(),
            allowed_regions: ["us-east-1", "us-west-2"].map(str::to_owned).into(),
            keep: Some(90 * DAY),
            ..Question::default()
        },
        source,
        destinations: [("copies".to_owned(), copies)].into(),
        figures: [("all".to_owned(), Measured::Figures(figures))].into(),
    }
}

fn to(subject: &mut Subject) -> &mut BucketSettings {
    let Some(Destination::Settings(found)) = subject.destinations.get_mut("copies") else {
        panic!("a destination that was looked at")
    };
    found
}

/// Changes the one rule of a subject.
fn ruled(subject: &mut Subject, change: impl FnOnce(&mut ReplicationRule)) {
    let mut changed = rule("all");
    change(&mut changed);
    subject.source.replication = replicates(vec![changed]);
}

fn measured(subject: &mut Subject, figures: ReplicationFigures) {
    subject.figures.insert("all".to_owned(), Measured::Figures(figures));
}

fn expiring(days: i32) -> Setting<Vec<LifecycleRule>> {
    let id = "expire".to_owned();
    let expire_days = Some(days);
    Setting::Known(vec![LifecycleRule {
        id,
        enabled: true,
        expire_days,
        ..LifecycleRule::default()
    }])
}

fn forgetting(days: i32) -> Setting<Vec<LifecycleRule>> {
    let id = "forget".to_owned();
    let noncurrent_days = Some(days);
    Setting::Known(vec![LifecycleRule {
        id,
        enabled: true,
        noncurrent_days,
        ..LifecycleRule::default()
    }])
}

fn locked(mode: Option<&str>) -> Setting<ObjectLock> {
    let mode = mode.map(str::to_owned);
    Setting::Known(ObjectLock { enabled: true, days: mode.as_ref().map(|_| 30), mode, years: None })
}

fn kms() -> Setting<BucketEncryption> {
    let algorithm = "aws:kms".to_owned();
    Setting::Known(BucketEncryption { algorithm, key: None, bucket_key: true })
}

/// An id, whether new objects are still copied, and how it comes about.
type Case = (&'static str, Option<bool>, fn(&mut Subject));

const BUCKETS: &[Case] = &[
    ("S3-001", Some(false), |s| s.source.versioning = Setting::Absent),
    ("S3-002", Some(false), |s| s.source.versioning = Setting::Known(Versioning::Suspended)),
    ("S3-003", Some(true), |s| s.source.public_access = Setting::Absent),
    ("S3-004", Some(true), |s| {
        let open = PublicAccess {
            block_acls: true,
            ignore_acls: true,
            block_policy: true,
            restrict: false,
        };
        s.source.public_access = Setting::Known(open);
        s.source.policy_is_public = Setting::Known(true);
    }),
    ("S3-005", Some(true), |s| s.source.encryption = Setting::Absent),
    ("S3-030", Some(false), |s| {
        s.destinations.insert("copies".to_owned(), Destination::Missing);
    }),
    ("S3-031", None, |s| {
        s.destinations.insert("copies".to_owned(), Destination::Unseen("AccessDenied".to_owned()));
    }),
    ("S3-032", Some(false), |s| to(s).versioning = Setting::Absent),
    ("S3-033", Some(false), |s| to(s).versioning = Setting::Known(Versioning::Suspended)),
    ("S3-034", Some(true), |s| "eu-west-1".clone_into(&mut to(s).region)),
    ("S3-035", Some(true), |s| "us-east-1".clone_into(&mut to(s).region)),
    ("S3-036", Some(true), |s| to(s).encryption = Setting::Absent),
    ("S3-037", Some(true), |s| to(s).public_access = Setting::Absent),
    ("S3-038", Some(true), |s| {
        to(s).public_access = Setting::Absent;
        to(s).policy_is_public = Setting::Known(true);
    }),
    ("S3-090", None, |s| {
        s.source.versioning =
            Setting::Denied { operation: "s3:GetBucketVersioning", why: "AccessDenied".to_owned() };
    }),
];

const COPYING: &[Case] = &[
    ("S3-010", Some(false), |s| s.source.replication = Setting::Absent),
    ("S3-011", Some(false), |s| ruled(s, |rule| "elsewhere".clone_into(&mut rule.destination))),
    ("S3-012", Some(true), |s| {
        let off = ReplicationRule { enabled: false, ..rule("old") };
        s.source.replication = replicates(vec![rule("all"), off]);
    }),
    ("S3-013", Some(false), |s| ruled(s, |rule| rule.enabled = false)),
    ("S3-014", Some(true), |s| ruled(s, |rule| "clients/".clone_into(&mut rule.prefix))),
    ("S3-015", Some(true), |s| {
        let low =
            ReplicationRule { priority: Some(0), prefix: "clients/".to_owned(), ..rule("clients") };
        s.source.replication = replicates(vec![rule("all"), low]);
    }),
    ("S3-016", Some(true), |s| {
        let high =
            ReplicationRule { priority: Some(2), prefix: "clients/".to_owned(), ..rule("clients") };
        s.source.replication = replicates(vec![rule("all"), high]);
    }),
    ("S3-017", Some(true), |s| ruled(s, |rule| rule.delete_markers = false)),
    ("S3-018", Some(true), |s| ruled(s, |rule| rule.existing_objects = false)),
    ("S3-019", Some(true), |s| {
        ruled(s, |rule| rule.storage_class = Some("DEEP_ARCHIVE".to_owned()));
    }),
    ("S3-020", Some(false), |s| s.source.encryption = kms()),
    ("S3-021", Some(false), |s| ruled(s, |rule| rule.kms_objects = true)),
    ("S3-022", Some(true), |s| {
        let key = "arn:aws:kms:us-east-1:123456789012:key/1".to_owned();
        ruled(s, |rule| {
            rule.kms_objects = true;
            rule.replica_key = Some(key);
        });
    }),
    ("S3-023", Some(true), |s| {
        to(s).ownership = Setting::Known("ObjectWriter".to_owned());
        ruled(s, |rule| rule.account = Some("210987654321".to_owned()));
    }),
    ("S3-024", Some(false), |s| ruled(s, |rule| rule.owner_override = true)),
    ("S3-025", Some(false), |s| {
        let (role, rules) = (String::new(), vec![rule("all")]);
        s.source.replication = Setting::Known(ReplicationSettings { role, rules });
    }),
    ("S3-026", Some(true), |s| ruled(s, |rule| rule.metrics = false)),
    ("S3-027", Some(true), |s| ruled(s, |rule| rule.time_control = None)),
    ("S3-060", Some(true), |s| {
        let back = ReplicationRule { destination: "documents".to_owned(), ..rule("back") };
        to(s).replication = replicates(vec![back]);
    }),
    ("S3-061", Some(true), |s| {
        let on = ReplicationRule { destination: "third".to_owned(), ..rule("on") };
        to(s).replication = replicates(vec![on]);
    }),
];

const KEEPING: &[Case] = &[
    ("S3-040", Some(true), |s| to(s).lifecycle = expiring(30)),
    ("S3-041", Some(true), |s| {
        let id = "cold".to_owned();
        let transitions = vec![(Some(0), "GLACIER".to_owned())];
        let rule = LifecycleRule { id, enabled: true, transitions, ..LifecycleRule::default() };
        to(s).lifecycle = Setting::Known(vec![rule]);
    }),
    ("S3-042", Some(true), |s| s.source.lifecycle = forgetting(30)),
    ("S3-043", Some(true), |s| to(s).lifecycle = forgetting(89)),
    ("S3-044", Some(true), |s| s.source.lifecycle = expiring(30)),
    ("S3-050", Some(true), |s| s.source.object_lock = locked(None)),
    ("S3-051", Some(true), |s| to(s).object_lock = locked(Some("COMPLIANCE"))),
    ("S3-070", Some(true), |s| {
        let failed = ReplicationFigures { failed: figure(3.0), ..ReplicationFigures::default() };
        measured(s, failed);
    }),
    ("S3-071", Some(true), |s| {
        let late = ReplicationFigures {
            latency: figure(3_600.0),
            pending_operations: figure(12.0),
            pending_bytes: figure(4_096.0),
            failed: None,
        };
        measured(s, late);
    }),
    ("S3-072", Some(true), |s| measured(s, ReplicationFigures::default())),
    ("S3-073", Some(true), |s| {
        s.figures.insert("all".to_owned(), Measured::Unseen("AccessDenied".to_owned()));
    }),
];

fn ids(judgement: &Judgement) -> BTreeSet<&'static str> {
    judgement.findings.iter().map(|found| found.rule.id).collect()
}

#[test]
fn what_is_well_breaks_no_rule() {
    let judgement = judge(&well());
    assert_eq!(judgement.findings, Vec::new());
    assert_eq!(judgement.replicating, Some(true));
}

#[test]
fn every_rule_is_broken_by_what_it_is_about() {
    let mut planted = BTreeSet::new();
    for (id, replicating, plant) in BUCKETS.iter().chain(COPYING).chain(KEEPING) {
        let mut subject = well();
        plant(&mut subject);
        let judgement = judge(&subject);
        let found: Vec<_> = judgement.findings.iter().filter(|it| it.rule.id == *id).collect();
        assert_eq!(found.len(), 1, "{id}: {:?}", judgement.findings);
        assert_eq!(judgement.replicating, *replicating, "{id}");
        let found = found[0];
        assert!(found.evidence.0.contains(':') && !found.evidence.1.is_empty(), "{id}");
        assert!(!found.remedy.is_empty() && found.what.contains('`'), "{id}: {}", found.what);
        for text in [&found.what, &found.remedy] {
            assert!(!text.contains("  "), "{id}: {text}");
        }
        planted.insert(*id);
    }
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(planted, all);
}

#[test]
fn a_cause_does_not_come_with_findings_that_are_none() {
    // What an id brings along because it is so; everything else comes alone.
    let beside: BTreeMap<&str, &[&str]> =
        [("S3-004", &["S3-003"][..]), ("S3-013", &["S3-012"]), ("S3-038", &["S3-037"])].into();
    for (id, _, plant) in BUCKETS.iter().chain(COPYING).chain(KEEPING) {
        let mut subject = well();
        plant(&mut subject);
        let mut found = ids(&judge(&subject));
        found.remove(id);
        let beside: BTreeSet<_> =
            beside.get(id).copied().unwrap_or_default().iter().copied().collect();
        assert_eq!(found, beside, "beside {id}");
    }
}

#[test]
fn what_may_not_be_read_breaks_no_rule() {
    for part in 0..8 {
        let mut subject = well();
        let source = &mut subject.source;
        let (operation, why) = ("s3:GetBucketPart", "AccessDenied".to_owned());
        match part {
            0 => source.versioning = Setting::Denied { operation, why },
            1 => source.replication = Setting::Denied { operation, why },
            2 => source.encryption = Setting::Denied { operation, why },
            3 => source.public_access = Setting::Denied { operation, why },
            4 => source.policy_is_public = Setting::Denied { operation, why },
            5 => source.lifecycle = Setting::Denied { operation, why },
            6 => source.object_lock = Setting::Denied { operation, why },
            _ => source.ownership = Setting::Denied { operation, why },
        }
        assert_eq!(ids(&judge(&subject)), ["S3-090"].into(), "{part}");
    }
}

#[test]
fn a_prefix_narrows_what_matters() {
    let mut subject = well();
    ruled(&mut subject, |rule| "clients/".clone_into(&mut rule.prefix));
    "clients/2026/".clone_into(&mut subject.question.prefix);
    assert_eq!(ids(&judge(&subject)), BTreeSet::new());
    "logs/".clone_into(&mut subject.question.prefix);
    assert_eq!(ids(&judge(&subject)), ["S3-014"].into());
    let Setting::Known(rules) = expiring(1) else { panic!("rules") };
    let rules = rules.into_iter().map(|rule| LifecycleRule { prefix: "tmp/".to_owned(), ..rule });
    let mut subject = well();
    to(&mut subject).lifecycle = Setting::Known(rules.collect());
    assert_eq!(ids(&judge(&subject)), ["S3-040"].into());
    "clients/".clone_into(&mut subject.question.prefix);
    assert_eq!(ids(&judge(&subject)), BTreeSet::new(), "it eats other keys");
}

#[test]
fn lifecycles_that_agree_are_well() {
    let mut subject = well();
    subject.source.lifecycle = expiring(365);
    to(&mut subject).lifecycle = expiring(365);
    assert_eq!(ids(&judge(&subject)), BTreeSet::new());
    let mut off = well();
    let Setting::Known(rules) = expiring(1) else { panic!("rules") };
    let rules = rules.into_iter().map(|rule| LifecycleRule { enabled: false, ..rule });
    to(&mut off).lifecycle = Setting::Known(rules.collect());
    assert_eq!(ids(&judge(&off)), BTreeSet::new(), "a rule that is off deletes nothing");
}

#[test]
fn the_worst_comes_first() {
    let mut subject = well();
    ruled(&mut subject, |rule| {
        rule.time_control = None;
        rule.metrics = false;
    });
    subject.source.versioning = Setting::Absent;
    let judgement = judge(&subject);
    let order: Vec<_> = judgement.findings.iter().map(|found| found.rule.id).collect();
    assert_eq!(order, ["S3-001", "S3-026", "S3-027"]);
    assert_eq!(judgement.count(Severity::Error), 1);
    let text = judgement.findings[0].to_string();
    assert!(text.starts_with("S3-001 error: source `documents` never kept"), "{text}");
}
