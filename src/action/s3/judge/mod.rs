//! Judges a replicated bucket by rules: pure, from what was read to findings.
//!
//! **Invariant:** the same answers give the same findings in the same order; what was not read breaks no
//! rule but the one that says so.

mod copies;
mod figures;
mod kept;
mod places;
mod rules;
#[cfg(test)]
mod tests;

use super::finding::{Finding, NOT_READ, Rule, Severity};
use super::subject::Subject;
use crate::cloud::model::{BucketSettings, Setting};

/// What is wrong with a subject, worst first, then by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Findings.
    pub findings: Vec<Finding>,
    /// Whether new objects are copied, as far as the configuration tells; `None` when a part that decides
    /// could not be read.
    pub replicating: Option<bool>,
}

impl Judgement {
    /// How many findings are as bad as this.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|found| found.rule.severity == severity).count()
    }
}

/// Findings by which nothing at all is copied.
const STOPS: [&str; 12] = [
    "S3-001", "S3-002", "S3-010", "S3-011", "S3-013", "S3-020", "S3-021", "S3-024", "S3-025",
    "S3-030", "S3-032", "S3-033",
];

/// Parts of a configuration without which nobody can say whether anything is copied.
const DECIDES: [&str; 2] = ["s3:GetBucketReplication", "s3:GetBucketVersioning"];

/// Collects findings.
struct Found(Vec<Finding>);

impl Found {
    fn add(
        &mut self,
        rule: Rule,
        bucket: &str,
        what: String,
        (call, said): (&str, String),
        remedy: String,
    ) {
        let (bucket, evidence) = (bucket.to_owned(), (call.to_owned(), said));
        self.0.push(Finding { rule, bucket, what, evidence, remedy });
    }
}

/// Judges.
pub fn judge(subject: &Subject) -> Judgement {
    let mut found = Found(Vec::new());
    unread(subject, &mut found);
    places::judge(subject, &mut found);
    rules::judge(subject, &mut found);
    copies::judge(subject, &mut found);
    kept::judge(subject, &mut found);
    figures::judge(subject, &mut found);
    let mut findings = found.0;
    findings.sort_by(|a, b| {
        let place = |it: &Finding| (std::cmp::Reverse(it.rule.severity), it.rule.id);
        place(a).cmp(&place(b)).then_with(|| a.what.cmp(&b.what))
    });
    let replicating = replicating(subject, &findings);
    Judgement { findings, replicating }
}

fn replicating(subject: &Subject, findings: &[Finding]) -> Option<bool> {
    if findings.iter().any(|found| STOPS.contains(&found.rule.id)) {
        return Some(false);
    }
    let decides =
        |found: &&Finding| found.rule == NOT_READ && DECIDES.contains(&&*found.evidence.0);
    let unseen = subject.seen().count() < subject.destinations.len();
    (!unseen && !findings.iter().any(|found| decides(&found))).then_some(true)
}

/// What these credentials may not read.
fn unread(subject: &Subject, found: &mut Found) {
    for settings in std::iter::once(&subject.source).chain(subject.seen()) {
        for (operation, why) in denied(settings) {
            let bucket = &settings.bucket;
            found.add(
                NOT_READ,
                bucket,
                format!("{operation} of `{bucket}` was refused: that part is unknown"),
                (operation, why.to_owned()),
                format!(
                    "let this role call {operation} ({}) on arn:aws:s3:::{bucket}",
                    permission(operation)
                ),
            );
        }
    }
}

fn denied(settings: &BucketSettings) -> Vec<(&'static str, &str)> {
    let BucketSettings {
        bucket: _,
        region: _,
        versioning,
        replication,
        encryption,
        public_access,
        policy_is_public,
        lifecycle,
        object_lock,
        ownership,
        // Not needed to judge replication; a comparison says so itself.
        inventories: _,
    } = settings;
    let all = [
        Setting::denied(versioning),
        replication.denied(),
        encryption.denied(),
        public_access.denied(),
        policy_is_public.denied(),
        lifecycle.denied(),
        object_lock.denied(),
        ownership.denied(),
    ];
    all.into_iter().flatten().collect()
}

/// The permission that an operation needs: IAM has other names for some.
fn permission(operation: &str) -> &str {
    match operation {
        "s3:GetBucketReplication" => "s3:GetReplicationConfiguration",
        "s3:GetBucketEncryption" => "s3:GetEncryptionConfiguration",
        "s3:GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketLifecycleConfiguration" => "s3:GetLifecycleConfiguration",
        "s3:GetObjectLockConfiguration" => "s3:GetBucketObjectLockConfiguration",
        other => other,
    }
}
