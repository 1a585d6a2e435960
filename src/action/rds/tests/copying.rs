//! `rds.copy_snapshot`.
//!
//! **Invariant:** what the plan chose stays chosen, and an encrypted snapshot is not copied without a key
//! of the copy's region.

use super::{Bench, TAKEN, broken, done, inputs, made, run, waiting};
use crate::action::rds::CopySnapshot;
use crate::action::{Acted, Observation, Verdict};
use crate::base::value::Value;
use crate::cloud::tests::answers::{KEY, encrypted_at, error, key, ok, snapshot, snapshots};
use crate::cloud::tests::scripted::{Reply, other_run};
use crate::cloud::{ErrorClass, PredictedEffect};

fn bench(snapshot: &str, with_key: bool, replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![
        ("source_region", Value::text("us-west-2")),
        ("snapshot", Value::text(snapshot)),
        ("instance", Value::text("orders")),
    ];
    if with_key {
        pairs.push(("kms_key", Value::text(KEY)));
    }
    Bench::new(inputs(&pairs), replies)
}

fn none() -> Reply {
    error(404, "DBSnapshotNotFound", "no")
}

fn source(id: &str, status: &str) -> Reply {
    snapshots(&snapshot(id, "automated", status, None, &encrypted_at(TAKEN)))
}

fn arn(id: &str) -> String {
    format!("arn:aws:rds:us-east-1:123456789012:snapshot:{id}")
}

fn copy(status: &str, run: Option<&str>, more: &str) -> Reply {
    snapshots(&snapshot(&made(), "manual", status, run, more))
}

#[tokio::test(start_paused = true)]
async fn the_newest_is_chosen_once() {
    let action = CopySnapshot::default();
    let old = snapshot(
        "rds:orders-1",
        "automated",
        "available",
        None,
        &encrypted_at("2026-01-14T03:00:00Z"),
    );
    let new = snapshot("rds:orders-2", "automated", "available", None, &encrypted_at(TAKEN));
    let all = || [snapshots(&format!("{new}{old}")), snapshots("")];
    let replies = all().into_iter().chain([key("Enabled"), none()]);
    let preview = bench("newest", true, replies).preview(&action).await.expect("a prediction");
    assert_eq!(
        (preview.wont, &preview.outputs["source_snapshot"]),
        (None, &Value::text(arn("rds:orders-2")))
    );
    let [PredictedEffect::SnapshotCreated(made, _)] = &preview.effects[..] else {
        panic!("{:?}", preview.effects)
    };
    assert!(made.encrypted && made.kms_key_id.as_deref() == Some(KEY));
    // A run keeps to what the plan chose, whatever came since.
    let planned = [("source_snapshot", Value::text(arn("rds:orders-1")))];
    let bench_planned = bench("newest", true, [none(), source("rds:orders-1", "available")]);
    assert_eq!(bench_planned.planned(&planned).observe(&action).await, Ok(Observation::Absent));
    let pairs = [("source_region", Value::text("us-west-2")), ("snapshot", Value::text("newest"))];
    let failed = Bench::new(inputs(&pairs), [none()]).observe(&action).await.expect_err("of what?");
    assert!(failed.to_string().contains("needs the instance"), "{failed}");
    let empty = bench("newest", true, [snapshots(""), snapshots("")]).preview(&action).await;
    assert!(empty.expect("a prediction").wont.is_some_and(|why| why.contains("no snapshot")));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_copied_is_refused_or_waited_for() {
    let action = CopySnapshot::default();
    let keyless = bench("s-1", false, [none(), source("s-1", "available")]).observe(&action).await;
    assert!(broken(keyless).contains("needs a key there"));
    let failed = bench("s-1", true, [none(), source("s-1", "failed")]).observe(&action).await;
    assert!(broken(failed).contains("`failed`"));
    let missing = bench("s-1", true, [none(), none()]).observe(&action).await;
    assert!(broken(missing).contains("no snapshot `s-1` in us-west-2"));
    let early = bench("s-1", true, [none(), source("s-1", "creating")]).observe(&action).await;
    assert!(waiting(early).contains("`creating`"));
    let preview = bench("s-1", true, [source("s-1", "available"), key("Disabled"), none()]);
    let preview = preview.preview(&action).await.expect("a prediction");
    assert!(preview.wont.is_some_and(|why| why.contains("`Disabled`")));
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_done_when_aws_says_so_and_it_is_ours() {
    let action = CopySnapshot::default();
    let ours = run().to_string();
    let more = "<PercentProgress>37</PercentProgress>";
    for status in ["pending", "creating", "copying"] {
        let look = bench("s-1", true, [copy(status, Some(&ours), more)]).observe(&action).await;
        assert_eq!(waiting(look), format!("{status}, 30 %"));
    }
    let ready = copy("available", Some(&ours), &encrypted_at(TAKEN));
    let (outputs, verdict) = done(bench("s-1", true, [ready]).observe(&action).await);
    assert_eq!((verdict, &outputs["snapshot"]), (Verdict::Pass, &Value::text(made())));
    let theirs = other_run().to_string();
    let plain = format!("<SnapshotCreateTime>{TAKEN}</SnapshotCreateTime>");
    for (reply, words) in [
        (copy("available", Some(&theirs), &encrypted_at(TAKEN)), theirs.as_str()),
        (copy("failed", Some(&ours), ""), "ended as `failed`"),
        (copy("available", Some(&ours), &plain), "not encrypted"),
    ] {
        let why = broken(bench("s-1", true, [reply]).observe(&action).await);
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_copying_may_end_with() {
    let action = CopySnapshot::default();
    let accepted = || ok("CopyDBSnapshot", &snapshot(&made(), "manual", "pending", None, ""));
    let bench_ok = bench("s-1", true, [source("s-1", "available"), accepted()]);
    bench_ok.act(&action).await.expect("accepted");
    let form = &bench_ok.script.sent()[1].form;
    for (field, value) in [
        ("Action", "CopyDBSnapshot"),
        ("SourceDBSnapshotIdentifier", arn("s-1").as_str()),
        ("TargetDBSnapshotIdentifier", made().as_str()),
        ("KmsKeyId", KEY),
        ("CopyTags", "false"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field}");
    }
    let exists = error(400, "DBSnapshotAlreadyExists", "exists");
    let acted = bench("s-1", true, [source("s-1", "available"), exists]).act(&action).await;
    assert_eq!(
        acted,
        Ok(Acted { request_id: Some("r-2".to_owned()), done: None }),
        "its tag decides"
    );
    for (reply, class) in [
        (none(), ErrorClass::Permanent),
        (error(400, "SnapshotQuotaExceeded", "20"), ErrorClass::Permanent),
        (error(400, "InvalidDBSnapshotState", "creating"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = bench("s-1", true, [source("s-1", "available"), reply]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!(failed.class(), class, "{shown}");
    }
}
