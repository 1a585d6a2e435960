//! Object Lock and archives.
//!
//! **Invariant:** what is kept stays, whoever asks.

use super::{Store, text};
use crate::sim::tests::support::code;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    GlacierJobParameters, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockMode,
    ObjectLockRetention, ObjectLockRetentionMode, RestoreRequest, StorageClass, Tier,
};

const VAULT: &str = "shop-vault";

#[tokio::test(start_paused = true)]
async fn a_kept_version_is_not_taken_away() {
    let store = Store::new(&[]);
    let id = store.put(VAULT, "k", "1").await;
    let head = store.east.head_object().bucket(VAULT).key("k").send().await.expect("there");
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
    let delete = || store.east.delete_object().bucket(VAULT).key("k").version_id(&id);
    assert_eq!(code(delete().send().await), "AccessDenied");
    store.east.delete_object().bucket(VAULT).key("k").send().await.expect("a marker is allowed");
    delete().bypass_governance_retention(true).send().await.expect("gone around");
    let far = DateTime::from_secs(store.lab.clock.now().timestamp() + 86_400);
    let put = store.east.put_object().bucket(VAULT).key("c").body(ByteStream::from_static(b"x"));
    let put = put.object_lock_mode(ObjectLockMode::Compliance).object_lock_retain_until_date(far);
    let id = put.send().await.expect("put").version_id().expect("an id").to_owned();
    let delete = || store.east.delete_object().bucket(VAULT).key("c").version_id(&id);
    assert_eq!(code(delete().bypass_governance_retention(true).send().await), "AccessDenied");
    let shorter = ObjectLockRetention::builder()
        .mode(ObjectLockRetentionMode::Governance)
        .retain_until_date(far)
        .build();
    let set = store.east.put_object_retention().bucket(VAULT).key("c").retention(shorter);
    assert_eq!(code(set.bypass_governance_retention(true).send().await), "AccessDenied");
    store.lab.sleep(86_400).await;
    let hold = |status: ObjectLockLegalHoldStatus| {
        let hold = ObjectLockLegalHold::builder().status(status).build();
        store.east.put_object_legal_hold().bucket(VAULT).key("c").legal_hold(hold).send()
    };
    hold(ObjectLockLegalHoldStatus::On).await.expect("held");
    assert_eq!(code(delete().send().await), "AccessDenied");
    hold(ObjectLockLegalHoldStatus::Off).await.expect("let go");
    delete().send().await.expect("nothing keeps it any more");
    let put = store
        .east
        .put_object()
        .bucket("shop-plain")
        .key("k")
        .object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On);
    assert_eq!(code(put.send().await), "InvalidRequest", "a bucket without Object Lock");
}

#[tokio::test(start_paused = true)]
async fn an_archive_is_read_after_its_copy_was_taken_out() {
    let store = Store::new(&[]);
    let put =
        store.east.put_object().bucket("shop-plain").key("k").storage_class(StorageClass::Glacier);
    put.body(ByteStream::from_static(b"cold")).send().await.expect("put");
    assert_eq!(
        text(&store.east, "shop-plain", "k", None).await,
        Err("InvalidObjectState".to_owned())
    );
    let ask = |days: i32| {
        let tier = GlacierJobParameters::builder().tier(Tier::Standard).build().expect("a tier");
        let wanted = RestoreRequest::builder().days(days).glacier_job_parameters(tier).build();
        store.east.restore_object().bucket("shop-plain").key("k").restore_request(wanted).send()
    };
    assert_eq!(code(ask(0).await), "MalformedXML");
    ask(2).await.expect("accepted");
    assert_eq!(code(ask(2).await), "RestoreAlreadyInProgress");
    let restore = || async {
        let head =
            store.east.head_object().bucket("shop-plain").key("k").send().await.expect("there");
        head.restore().map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(restore().await, "ongoing-request=\"true\"");
    store.lab.sleep(8 * 3600).await;
    assert!(restore().await.starts_with("ongoing-request=\"false\", expiry-date="));
    assert_eq!(text(&store.east, "shop-plain", "k", None).await.as_deref(), Ok("cold"));
    store.lab.sleep(4 * 86_400).await;
    assert_eq!(
        text(&store.east, "shop-plain", "k", None).await,
        Err("InvalidObjectState".to_owned())
    );
    store.put("shop-plain", "warm", "x").await;
    let wanted = RestoreRequest::builder().days(1).build();
    let warm = store.east.restore_object().bucket("shop-plain").key("warm").restore_request(wanted);
    assert_eq!(code(warm.send().await), "InvalidObjectState");
    let odd = store.east.put_object().bucket("shop-plain").key("k").storage_class("ICE".into());
    assert_eq!(code(odd.send().await), "InvalidStorageClass");
}
