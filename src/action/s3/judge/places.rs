//! The buckets themselves: versions, encryption, who may read them, where they are.
//!
//! **Invariant:** source and destination are judged alike, each under ids of its own.

use super::Found;
use crate::action::s3::finding::{
    DESTINATION_MISSING, DESTINATION_OPEN, DESTINATION_PUBLIC, DESTINATION_SUSPENDED,
    DESTINATION_UNENCRYPTED, DESTINATION_UNSEEN, DESTINATION_UNVERSIONED, REGION_NOT_ALLOWED, Rule,
    SAME_REGION, SOURCE_OPEN, SOURCE_PUBLIC, SOURCE_SUSPENDED, SOURCE_UNENCRYPTED,
    SOURCE_UNVERSIONED,
};
use crate::action::s3::subject::{Destination, Subject};
use crate::cloud::model::{BucketSettings, Setting, Versioning};

/// Ids of one side.
struct Side {
    role: &'static str,
    unversioned: Rule,
    suspended: Rule,
    unencrypted: Rule,
    open: Rule,
    public: Rule,
}

const SOURCE: Side = Side {
    role: "source",
    unversioned: SOURCE_UNVERSIONED,
    suspended: SOURCE_SUSPENDED,
    unencrypted: SOURCE_UNENCRYPTED,
    open: SOURCE_OPEN,
    public: SOURCE_PUBLIC,
};

const DESTINATION: Side = Side {
    role: "destination",
    unversioned: DESTINATION_UNVERSIONED,
    suspended: DESTINATION_SUSPENDED,
    unencrypted: DESTINATION_UNENCRYPTED,
    open: DESTINATION_OPEN,
    public: DESTINATION_PUBLIC,
};

pub(super) fn judge(subject: &Subject, found: &mut Found) {
    side(&SOURCE, &subject.source, found);
    for (name, destination) in &subject.destinations {
        match destination {
            Destination::Settings(settings) => {
                side(&DESTINATION, settings, found);
                region(subject, settings, found);
            }
            Destination::Missing => found.add(
                DESTINATION_MISSING,
                name,
                format!("destination `{name}` does not exist: nothing is copied to it"),
                ("s3:HeadBucket", "NoSuchBucket".to_owned()),
                format!(
                    "aws s3api create-bucket --bucket {name} with versioning on, or name another \
                     bucket in the rule"
                ),
            ),
            Destination::Unseen(why) => found.add(
                DESTINATION_UNSEEN,
                name,
                format!(
                    "destination `{name}` could not be looked at: whether it is right is unknown"
                ),
                ("s3:HeadBucket", why.clone()),
                format!("let this role read the configuration of arn:aws:s3:::{name}"),
            ),
        }
    }
}

fn side(side: &Side, settings: &BucketSettings, found: &mut Found) {
    versions(side, settings, found);
    let (bucket, role) = (&settings.bucket, side.role);
    if settings.encryption == Setting::Absent {
        found.add(
            side.unencrypted,
            bucket,
            format!("{role} `{bucket}` has no default encryption"),
            ("s3:GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError".to_owned()),
            format!("aws s3api put-bucket-encryption --bucket {bucket}"),
        );
    }
    let gaps = match &settings.public_access {
        Setting::Known(access) => access.open(),
        Setting::Absent => vec!["all four"],
        Setting::Denied { .. } => Vec::new(),
    };
    if !gaps.is_empty() {
        let gaps = gaps.join(", ");
        found.add(
            side.open,
            bucket,
            format!("{role} `{bucket}` does not block public access: {gaps} off"),
            ("s3:GetPublicAccessBlock", format!("off: {gaps}")),
            format!(
                "aws s3api put-public-access-block --bucket {bucket} \
                 --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,\
                 BlockPublicPolicy=true,RestrictPublicBuckets=true (unless the account blocks it)"
            ),
        );
    }
    let restricted = settings.public_access.known().is_some_and(|access| access.restrict);
    if settings.policy_is_public == Setting::Known(true) && !restricted {
        found.add(
            side.public,
            bucket,
            format!("the policy of {role} `{bucket}` lets anybody in"),
            ("s3:GetBucketPolicyStatus", "IsPublic true".to_owned()),
            format!("aws s3api get-bucket-policy --bucket {bucket}; take out what names everybody"),
        );
    }
}

fn versions(side: &Side, settings: &BucketSettings, found: &mut Found) {
    let (bucket, role) = (&settings.bucket, side.role);
    let (rule, what) = match &settings.versioning {
        Setting::Absent => (
            side.unversioned,
            format!(
                "{role} `{bucket}` never kept versions: S3 replicates only between versioned buckets"
            ),
        ),
        Setting::Known(Versioning::Suspended) => (
            side.suspended,
            format!(
                "versioning of {role} `{bucket}` is suspended: nothing is replicated, and each write \
                 overwrites"
            ),
        ),
        Setting::Known(Versioning::Enabled) | Setting::Denied { .. } => return,
    };
    let status = settings.versioning.known().map_or("no Status", |it| it.word());
    found.add(
        rule,
        bucket,
        what,
        ("s3:GetBucketVersioning", status.to_owned()),
        format!(
            "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration \
             Status=Enabled"
        ),
    );
}

fn region(subject: &Subject, settings: &BucketSettings, found: &mut Found) {
    let (bucket, region) = (&settings.bucket, &settings.region);
    let allowed = &subject.question.allowed_regions;
    if !allowed.is_empty() && !allowed.contains(region) {
        let list = allowed.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        found.add(
            REGION_NOT_ALLOWED,
            bucket,
            format!("destination `{bucket}` is in {region}: data may be in {list} only"),
            ("s3:HeadBucket", format!("x-amz-bucket-region {region}")),
            "replicate to a bucket in an allowed region, or allow this one in the estate file"
                .to_owned(),
        );
    }
    if *region == subject.source.region {
        found.add(
            SAME_REGION,
            bucket,
            format!(
                "destination `{bucket}` is in {region} like its source: one lost region takes both"
            ),
            ("s3:HeadBucket", format!("x-amz-bucket-region {region}")),
            "replicate to a bucket in another region".to_owned(),
        );
    }
}
