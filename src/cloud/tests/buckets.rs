//! Reads of buckets over the wire: regions, every part of the configuration, refusals, figures.
//!
//! **Invariant:** a refused part is not known, and the rest of the bucket is read all the same.

use crate::base::clock::simulated_epoch;
use crate::cloud::model::{
    BucketSettings, InventorySettings, LifecycleRule, MeasuredFigure, ObjectLock, PublicAccess,
    Setting, Versioning,
};
use crate::cloud::tests::answers::{metric, metric_error, metrics};
use crate::cloud::tests::bucket_answers::{
    ENCRYPTION, INVENTORIES, LIFECYCLE, Nine, OBJECT_LOCK, POLICY_STATUS, PUBLIC_ACCESS,
    REPLICATION, VERSIONING, element, encryption, head, lifecycle, public_access, replication,
    s3_error,
};
use crate::cloud::tests::scripted::{REGION, Reply, Script};
use crate::cloud::{CloudError, ErrorClass, EstateView, GuardPolicy, Overlay};

async fn view(script: &Script) -> EstateView {
    script.open(GuardPolicy::DryRun).await.view(Overlay::new())
}

async fn settings(nine: Nine) -> Result<Option<BucketSettings>, CloudError> {
    let script = Script::new(nine.0);
    view(&script).await.bucket_settings(REGION, "documents").await
}

#[tokio::test(start_paused = true)]
async fn a_bucket_is_where_s3_says_also_when_it_refuses() {
    for (reply, wanted) in [
        (head(200, &[("x-amz-bucket-region", "us-west-2")]), Some("us-west-2")),
        (head(200, &[]), Some(REGION)),
        (head(301, &[("x-amz-bucket-region", "eu-west-1")]), Some("eu-west-1")),
        (head(404, &[]), None),
    ] {
        let script = Script::new([reply]);
        let found = view(&script).await.bucket_region("documents").await.expect("answered");
        assert_eq!(found.as_deref(), wanted);
    }
    let script = Script::new([head(403, &[])]);
    let failed = view(&script).await.bucket_region("documents").await.expect_err("refused");
    assert_eq!((failed.class, failed.is("AccessDenied")), (ErrorClass::Credentials, true));
}

const RULES: &str = "<Rule><ID>all</ID><Priority>2</Priority><Status>Enabled</Status>\
    <Filter><And><Prefix>clients/</Prefix><Tag><Key>copy</Key><Value>yes</Value></Tag></And></Filter>\
    <SourceSelectionCriteria><SseKmsEncryptedObjects><Status>Enabled</Status>\
    </SseKmsEncryptedObjects></SourceSelectionCriteria>\
    <ExistingObjectReplication><Status>Enabled</Status></ExistingObjectReplication>\
    <DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>\
    <Destination><Bucket>arn:aws:s3:::copies</Bucket><Account>210987654321</Account>\
    <StorageClass>STANDARD_IA</StorageClass>\
    <AccessControlTranslation><Owner>Destination</Owner></AccessControlTranslation>\
    <EncryptionConfiguration><ReplicaKmsKeyID>arn:aws:kms:us-west-2:1:key/2</ReplicaKmsKeyID>\
    </EncryptionConfiguration>\
    <ReplicationTime><Status>Enabled</Status><Time><Minutes>15</Minutes></Time></ReplicationTime>\
    <Metrics><Status>Enabled</Status></Metrics></Destination></Rule>\
    <Rule><ID>old</ID><Prefix>logs/</Prefix><Status>Disabled</Status>\
    <Destination><Bucket>arn:aws:s3:::copies</Bucket></Destination></Rule>";

const EXPIRY: &str = "<Rule><ID>e</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status>\
    <Expiration><Days>30</Days></Expiration>\
    <Transition><Days>10</Days><StorageClass>GLACIER</StorageClass></Transition>\
    <NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays>\
    <NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>";

const INVENTORY: &str = "<InventoryConfiguration><Destination><S3BucketDestination>\
    <Format>CSV</Format><Bucket>arn:aws:s3:::inventories</Bucket><Prefix>inv</Prefix>\
    </S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>daily</Id>\
    <IncludedObjectVersions>Current</IncludedObjectVersions>\
    <OptionalFields><Field>Size</Field><Field>ETag</Field></OptionalFields>\
    <Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>\
    <IsTruncated>false</IsTruncated>";

const LOCK: &str = "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
    <Mode>GOVERNANCE</Mode><Days>30</Days></DefaultRetention></Rule>";

#[tokio::test(start_paused = true)]
async fn every_part_of_a_bucket_is_read() {
    let nine = Nine::plain()
        .with(REPLICATION, replication(RULES))
        .with(ENCRYPTION, encryption("aws:kms", Some("alias/documents")))
        .with(POLICY_STATUS, element("PolicyStatus", "<IsPublic>true</IsPublic>"))
        .with(LIFECYCLE, lifecycle(EXPIRY))
        .with(OBJECT_LOCK, element("ObjectLockConfiguration", LOCK))
        .with(INVENTORIES, element("ListInventoryConfigurationsResult", INVENTORY));
    let found = settings(nine).await.expect("answered").expect("there");
    assert_eq!(found.versioning, Setting::Known(Versioning::Enabled));
    let replication = found.replication.known().expect("known");
    assert!(replication.role.ends_with("role/s3-replication"));
    let [all, old] = replication.rules.as_slice() else { panic!("two rules") };
    assert_eq!((all.id.as_str(), all.priority, all.enabled), ("all", Some(2), true));
    assert_eq!((all.prefix.as_str(), all.first_kind), ("clients/", false));
    assert_eq!(all.tags.get("copy").map(String::as_str), Some("yes"));
    assert_eq!(
        (all.destination.as_str(), all.account.as_deref()),
        ("copies", Some("210987654321"))
    );
    assert_eq!(all.storage_class.as_deref(), Some("STANDARD_IA"));
    assert!(all.existing_objects && all.kms_objects && all.owner_override && all.metrics);
    assert!(!all.delete_markers && !all.replica_modifications);
    assert_eq!(all.replica_key.as_deref(), Some("arn:aws:kms:us-west-2:1:key/2"));
    assert_eq!(all.time_control, Some(15));
    assert_eq!((old.prefix.as_str(), old.enabled, old.first_kind), ("logs/", false, true));
    assert!(old.delete_markers, "rules of the first kind copy markers");
    let encryption = found.encryption.known().expect("known");
    assert_eq!((encryption.is_kms(), encryption.key.as_deref()), (true, Some("alias/documents")));
    assert_eq!(found.policy_is_public, Setting::Known(true));
    let rule = LifecycleRule {
        id: "e".to_owned(),
        enabled: true,
        prefix: "tmp/".to_owned(),
        expire_days: Some(30),
        noncurrent_days: Some(90),
        newer_noncurrent: Some(3),
        transitions: vec![(Some(10), "GLACIER".to_owned())],
        ..LifecycleRule::default()
    };
    assert_eq!(found.lifecycle, Setting::Known(vec![rule]));
    let (mode, days) = (Some("GOVERNANCE".to_owned()), Some(30));
    let lock = ObjectLock { enabled: true, mode, days, years: None };
    assert_eq!(found.object_lock, Setting::Known(lock));
    assert_eq!(found.ownership, Setting::Known("BucketOwnerEnforced".to_owned()));
    let daily = InventorySettings {
        id: "daily".to_owned(),
        enabled: true,
        bucket: "inventories".to_owned(),
        prefix: "inv".to_owned(),
        format: "CSV".to_owned(),
        versions: "Current".to_owned(),
        frequency: "Daily".to_owned(),
        fields: vec!["Size".to_owned(), "ETag".to_owned()],
    };
    assert_eq!(found.inventories, Setting::Known(vec![daily]));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_configured_is_absent() {
    let nine = Nine::plain()
        .with(VERSIONING, element("VersioningConfiguration", ""))
        .with(
            ENCRYPTION,
            s3_error(404, "ServerSideEncryptionConfigurationNotFoundError", "there is none"),
        )
        .with(
            PUBLIC_ACCESS,
            s3_error(404, "NoSuchPublicAccessBlockConfiguration", "there is none"),
        );
    let found = settings(nine).await.expect("answered").expect("there");
    assert_eq!(found.versioning, Setting::Absent);
    assert_eq!(found.replication, Setting::Absent);
    assert_eq!(found.encryption, Setting::Absent);
    assert_eq!(found.public_access, Setting::Absent);
    assert_eq!(found.policy_is_public, Setting::Absent);
    assert_eq!(found.lifecycle, Setting::Absent);
    assert_eq!(found.object_lock, Setting::Absent);
    assert_eq!(found.inventories, Setting::Absent);
    let suspended = element("VersioningConfiguration", "<Status>Suspended</Status>");
    let nine = Nine::plain().with(VERSIONING, suspended).with(PUBLIC_ACCESS, public_access(false));
    let found = settings(nine).await.expect("answered").expect("there");
    assert_eq!(found.versioning, Setting::Known(Versioning::Suspended));
    let open = PublicAccess {
        block_acls: false,
        ignore_acls: false,
        block_policy: false,
        restrict: false,
    };
    assert_eq!(found.public_access, Setting::Known(open));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_known_and_the_rest_is() {
    for place in 0..9 {
        let nine = Nine::plain().with(place, s3_error(403, "AccessDenied", "Access Denied"));
        let found = settings(nine).await.expect("answered").expect("there");
        let denied = [
            found.versioning.denied(),
            found.replication.denied(),
            found.encryption.denied(),
            found.public_access.denied(),
            found.policy_is_public.denied(),
            found.lifecycle.denied(),
            found.object_lock.denied(),
            found.ownership.denied(),
            found.inventories.denied(),
        ];
        for (other, denied) in denied.iter().enumerate() {
            assert_eq!(denied.is_some(), other == place, "{place} {other}: {denied:?}");
        }
    }
    let unknown = s3_error(501, "NotImplemented", "this server has no such thing");
    let found = settings(Nine::plain().with(INVENTORIES, unknown)).await.expect("answered");
    let found = found.expect("there");
    let other = element("ListBucketResult", "<Name>documents</Name>");
    let listed = settings(Nine::plain().with(POLICY_STATUS, other)).await.expect("answered");
    let listed = listed.expect("there");
    assert!(listed.policy_is_public.denied().is_some(), "another question was answered");
    let (operation, why) = found.inventories.denied().expect("not known");
    assert_eq!(operation, "s3:ListBucketInventoryConfigurations");
    assert!(why.contains("this server has no such thing"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_bucket_is_none_and_trouble_is_an_error() {
    let missing = s3_error(404, "NoSuchBucket", "The specified bucket does not exist");
    assert_eq!(settings(Nine::plain().with(VERSIONING, missing)).await, Ok(None));
    let slow = s3_error(503, "SlowDown", "Please reduce your request rate.");
    let script = Script::new(vec![slow; 4]);
    let failed = view(&script).await.bucket_settings(REGION, "a").await.expect_err("throttled");
    assert_eq!((failed.class, failed.is("SlowDown")), (ErrorClass::Temporary, true));
    assert_eq!(script.sent().len(), 4);
    let elsewhere = s3_error(301, "PermanentRedirect", "use the other endpoint");
    let failed = settings(Nine::plain().with(VERSIONING, elsewhere)).await.expect_err("elsewhere");
    assert!(failed.is("PermanentRedirect"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn figures_of_a_rule_are_asked_where_they_are_published() {
    let now = simulated_epoch().timestamp();
    let at = |ago: i64| f64::from(i32::try_from(now - ago).expect("a time"));
    let waiting: [(&str, &[(f64, f64)]); 3] = [
        ("latency", &[(at(60), 12.0), (at(120), 700.0)]),
        ("bytes", &[(at(60), 4096.0)]),
        ("operations", &[]),
    ];
    let failed: [(&str, &[(f64, f64)]); 1] = [("failed", &[(at(60), 1.0), (at(120), 2.0)])];
    let script = Script::new([metrics("Complete", &waiting), metrics("Complete", &failed)]);
    let view = view(&script).await;
    let figures = view
        .replication_figures((REGION, "documents"), ("us-west-2", "copies"), "all")
        .await
        .expect("answered");
    let value = |figure: Option<MeasuredFigure>| figure.map(|figure| figure.value);
    assert_eq!(value(figures.latency), Some(12.0), "the newest");
    assert_eq!(value(figures.pending_bytes), Some(4096.0));
    assert_eq!(figures.pending_operations, None, "no figure is not zero");
    assert_eq!(value(figures.failed), Some(3.0), "all of the hour");
    let sent = script.sent();
    assert!(sent[0].uri.contains("us-west-2"), "{}", sent[0].uri);
    assert!(sent[1].uri.contains(REGION), "{}", sent[1].uri);
    let body = &sent[0].body;
    for word in ["ReplicationLatency", "BytesPendingReplication", "SourceBucket", "RuleId"] {
        assert!(body.contains(word), "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn figures_that_nobody_vouches_for_are_an_error() {
    for reply in
        [metric("InternalError", &[]), metric_error(403, "AccessDenied;Sender", "AccessDenied")]
    {
        let refused = matches!(reply, Reply::Bytes(403, ..));
        let script = Script::new([reply]);
        let failed = view(&script)
            .await
            .replication_figures((REGION, "a"), (REGION, "b"), "all")
            .await
            .expect_err("no figures");
        let wanted = if refused { ErrorClass::Credentials } else { ErrorClass::Temporary };
        assert_eq!(failed.class, wanted, "{failed}");
    }
}
