//! `rds.restore_from_snapshot`.
//!
//! **Invariant:** the snapshot that was planned is restored, or nothing.

use super::{Bench, TAKEN, broken, done, inputs, made, run, waiting};
use crate::action::rds::RestoreFromSnapshot;
use crate::action::{Acted, Observation, Verdict};
use crate::base::clock::parse_instant;
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{
    KEY, encrypted_at, error, instance, instances, json_error, key, snapshot, snapshots,
};
use crate::cloud::tests::scripted::{Reply, other_run};

const ID: &str = "rds:orders-1";

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let given = [("snapshot", Value::text(ID)), ("source", Value::text("orders"))];
    Bench::new(inputs(&given), replies)
}

fn shot(status: &str, more: &str) -> Reply {
    snapshots(&snapshot(ID, "automated", status, None, more))
}

fn good() -> Reply {
    shot("available", &encrypted_at(TAKEN))
}

fn source() -> Reply {
    let more = "<DBInstanceClass>db.m5</DBInstanceClass><EngineVersion>15.3</EngineVersion>\
        <StorageEncrypted>true</StorageEncrypted><MultiAZ>true</MultiAZ>\
        <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-9</VpcSecurityGroupId>\
        </VpcSecurityGroupMembership></VpcSecurityGroups>\
        <DBParameterGroups><DBParameterGroup><DBParameterGroupName>pg15</DBParameterGroupName>\
        </DBParameterGroup></DBParameterGroups>\
        <DBSubnetGroup><DBSubnetGroupName>prod</DBSubnetGroupName></DBSubnetGroup>";
    instances(&instance("orders", "available", None, more))
}

fn gone() -> Reply {
    error(404, "DBInstanceNotFound", "DBInstance not found.")
}

/// The instance that the step makes, usable unless `more` says otherwise.
fn restored(status: &str, run: Option<&str>, more: &str) -> Reply {
    let endpoint = "<Endpoint><Address>h</Address><Port>5432</Port></Endpoint>";
    instances(&instance(&made(), status, run, &format!("{endpoint}{more}")))
}

fn sound() -> String {
    format!(
        "<PubliclyAccessible>false</PubliclyAccessible><StorageEncrypted>true</StorageEncrypted>\
         <KmsKeyId>{KEY}</KmsKeyId>"
    )
}

#[tokio::test(start_paused = true)]
async fn a_preview_takes_settings_from_the_source_and_the_rest_from_the_snapshot() {
    let action = RestoreFromSnapshot::default();
    let preview = bench([good(), source(), key("Enabled"), gone()]).preview(&action).await;
    let preview = preview.expect("a prediction");
    assert_eq!(preview.wont, None);
    assert_eq!(preview.outputs["instance"], Value::text(made()));
    assert_eq!(preview.outputs["restore_time"].to_string(), TAKEN);
    assert_eq!(preview.predictions["class"], "db.m5");
    assert_eq!(preview.predictions["security_groups"][0], "sg-9");
    assert_eq!(preview.predictions["parameter_groups"][0], "pg15");
    assert_eq!(preview.predictions["kms_key"], KEY);
    assert!(preview.details.iter().any(|line| line.starts_with("lost, and not settable")));
    assert!(preview.facts.keys().any(|name| name.contains("security groups")));
}

#[tokio::test(start_paused = true)]
async fn an_older_engine_gets_no_groups_of_the_newer_one() {
    let action = RestoreFromSnapshot::default();
    let old = snapshot(ID, "manual", "available", None, &encrypted_at(TAKEN));
    let old = snapshots(&old.replace("15.3", "14.9"));
    let preview = bench([old, source(), key("Enabled"), gone()]).preview(&action).await;
    let preview = preview.expect("a prediction");
    assert_eq!(preview.predictions.get("parameter_groups"), None);
    assert_eq!(preview.predictions["engine_version"], "14.9");
    assert!(preview.warnings.iter().any(|line| line.contains("has 15.3 now")), "{preview:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_source_needs_its_security_groups_said() {
    let action = RestoreFromSnapshot::default();
    let failed = bench([good(), gone()]).preview(&action).await.expect_err("not said");
    assert!(failed.to_string().contains("input `security_groups`"), "{failed}");
    let mut bench = bench([good(), gone(), key("Enabled"), gone()]);
    bench.inputs.insert("security_groups".to_owned(), Value::from(vec!["sg-1".to_owned()]));
    let preview = bench.preview(&action).await.expect("a prediction");
    assert_eq!(preview.wont, None);
    assert_eq!(preview.predictions["security_groups"][0], "sg-1");
    assert_eq!(preview.predictions.get("class"), None, "nobody knows it");
    assert!(preview.details.iter().any(|line| line.contains("`orders` is not there")));
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_restored_is_refused_in_the_dry_run_and_in_the_run() {
    let action = RestoreFromSnapshot::default();
    let with = |from: &str, to: &str| {
        let element = snapshot(ID, "manual", "available", None, &encrypted_at(TAKEN));
        assert!(element.contains(from), "{from}");
        snapshots(&element.replace(from, to))
    };
    for (reply, words) in [
        (with(">orders<", ">users<"), "is of `users`, not of `orders`"),
        (with("<Encrypted>true", "<Encrypted>false"), "is not encrypted"),
        (with(":123456789012:snapshot", ":999999999999:snapshot"), "belongs to account 9999"),
        (with(">available<", ">failed<"), "is `failed`"),
    ] {
        // Nobody asks for the key of a snapshot that has none.
        let asked = (words != "is not encrypted").then(|| key("Enabled"));
        let first = [reply.clone(), source()].into_iter().chain(asked);
        let mut planning = bench(first.chain([gone()]));
        planning.inputs.insert("security_groups".to_owned(), Value::from(vec!["sg-1".to_owned()]));
        let preview = planning.preview(&action).await.expect("a prediction");
        assert!(preview.wont.as_ref().is_some_and(|why| why.contains(words)), "{preview:?}");
        let running = bench([reply, source()]);
        let failed = running.act(&action).await.expect_err("refused");
        assert!(failed.to_string().contains(words), "{failed}");
        assert_eq!(running.script.sent().len(), 2, "two looks and no write");
    }
    let none = error(404, "DBSnapshotNotFound", "none");
    let failed = bench([none.clone()]).preview(&action).await.expect_err("no snapshot");
    assert!(failed.to_string().contains("no snapshot `rds:orders-1`"), "{failed}");
    let failed = bench([none]).act(&action).await.expect_err("no snapshot");
    assert_eq!(failed.class(), ErrorClass::Permanent);
}

#[tokio::test(start_paused = true)]
async fn another_snapshot_than_was_planned_is_refused() {
    let action = RestoreFromSnapshot::default();
    let planned = |at: &str| Value::Time(parse_instant(at).expect("an instant"));
    let bench =
        bench([good(), source()]).planned(&[("restore_time", planned("2026-01-14T03:00:00Z"))]);
    let failed = bench.act(&action).await.expect_err("replaced");
    assert!(failed.to_string().contains("the plan was made for one of 2026-01-14"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let action = RestoreFromSnapshot::default();
    for (reply, wanted) in [
        (key("Disabled"), Some("is `Disabled`")),
        (key("PendingDeletion"), Some("cancel-key-deletion")),
        (json_error("NotFoundException", "no"), Some("gone for good")),
        (json_error("AccessDeniedException", "no"), None),
    ] {
        let preview = bench([good(), source(), reply, gone()]).preview(&action).await;
        let preview = preview.expect("a prediction");
        match wanted {
            Some(words) => assert!(preview.wont.is_some_and(|why| why.contains(words)), "{words}"),
            None => {
                assert_eq!(preview.wont, None);
                assert!(preview.warnings[0].contains("let the role call kms:DescribeKey"));
            }
        }
    }
    let throttled = vec![json_error("ThrottlingException", "Rate exceeded"); 4];
    let replies = [good(), source()].into_iter().chain(throttled);
    let failed = bench(replies).preview(&action).await.expect_err("no answer");
    assert_eq!(failed.class(), ErrorClass::Temporary);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_being_made_is_waited_for() {
    let action = RestoreFromSnapshot::default();
    let state = waiting(bench([gone(), shot("creating", "")]).observe(&action).await);
    assert!(state.contains("is `creating`"), "{state}");
    assert_eq!(bench([gone(), good()]).observe(&action).await, Ok(Observation::Absent));
    // Stale: our instance does not show yet; the engine waits before it acts again.
    let failed = shot("failed", "");
    assert_eq!(bench([gone(), failed]).observe(&action).await, Ok(Observation::Absent));
}

#[tokio::test(start_paused = true)]
async fn a_restored_instance_is_judged_before_it_is_handed_over() {
    let (action, ours) = (RestoreFromSnapshot::default(), run());
    let ours = Some(ours.as_str());
    let (outputs, verdict) =
        done(bench([restored("available", ours, &sound()), good()]).observe(&action).await);
    assert_eq!((verdict, outputs["restore_time"].to_string()), (Verdict::Pass, TAKEN.to_owned()));
    assert_eq!(outputs["chosen"], Value::Bool(false));
    assert_eq!(waiting(bench([restored("creating", ours, "")]).observe(&action).await), "creating");
    for (status, tag, more, words) in [
        ("available", None, sound(), "no drctl:run tag"),
        ("available", Some("other"), sound(), "belongs to run other"),
        ("incompatible-restore", ours, sound(), "ended as `incompatible-restore`"),
        ("available", ours, sound().replace(">false<", ">true<"), "publicly accessible"),
        ("available", ours, String::new(), "publicly accessible"),
        (
            "available",
            ours,
            sound().replace("<StorageEncrypted>true", "<StorageEncrypted>false"),
            "not encrypted",
        ),
        ("available", ours, sound().replace("1111", "2222"), "another KMS key"),
    ] {
        let why = broken(bench([restored(status, tag, &more), good()]).observe(&action).await);
        assert!(why.contains(words), "{why}");
    }
    // The snapshot has ended with its retention since: the plan still says what it was of.
    let at = ("restore_time", Value::Time(parse_instant(TAKEN).expect("an instant")));
    let none = error(404, "DBSnapshotNotFound", "none");
    let late = bench([restored("available", ours, &sound()), none.clone()]).planned(&[at]);
    assert_eq!(done(late.observe(&action).await).0["restore_time"].to_string(), TAKEN);
    let why = broken(bench([restored("available", ours, &sound()), none]).observe(&action).await);
    assert!(why.contains("nothing says any more"), "{why}");
    for replies in [
        vec![error(400, "Throttling", "Rate exceeded"); 4],
        vec![Reply::Http(200, "<Descr".to_owned(), Vec::new())],
    ] {
        let failed = bench(replies).observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::Temporary);
    }
}

#[tokio::test(start_paused = true)]
async fn a_namesake_keeps_the_dry_run_from_promising() {
    let action = RestoreFromSnapshot::default();
    let theirs = restored("available", Some(other_run().as_str()), &sound());
    let preview = bench([good(), source(), key("Enabled"), theirs]).preview(&action).await;
    let wont = preview.expect("a prediction").wont.expect("taken");
    assert!(wont.contains(other_run().as_str()), "{wont}");
}

#[tokio::test(start_paused = true)]
async fn what_a_restore_may_end_with() {
    let action = RestoreFromSnapshot::default();
    let exists = bench([good(), source(), error(400, "DBInstanceAlreadyExists", "exists")]);
    let acted = exists.act(&action).await;
    assert_eq!(
        acted,
        Ok(Acted { request_id: Some("r-2".to_owned()), done: None }),
        "its tag decides"
    );
    let form = exists.script.sent()[2].form.clone();
    assert_eq!(
        (form["DBSnapshotIdentifier"].as_str(), form["DBInstanceClass"].as_str()),
        (ID, "db.m5")
    );
    for (reply, class) in [
        (error(404, "DBSnapshotNotFound", "gone"), ErrorClass::Permanent),
        (error(400, "InstanceQuotaExceeded", "40"), ErrorClass::Permanent),
        (error(400, "KMSKeyNotAccessibleFault", "key"), ErrorClass::Permanent),
        (error(400, "InvalidDBSnapshotState", "creating"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
        (Reply::Http(200, "<Restore".to_owned(), Vec::new()), ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let failed = bench([good(), source(), reply]).act(&action).await.expect_err("no success");
        assert_eq!(failed.class(), class, "{shown}");
    }
}
