//! `rds.create_replica`.
//!
//! **Invariant:** a replica that is public, of something else, or not this run's is never handed over.

use super::{Bench, broken, done, inputs, made, run, waiting};
use crate::action::rds::CreateReplica;
use crate::action::{Acted, Observation, Verdict};
use crate::base::value::Value;
use crate::cloud::tests::answers::{KEY, error, instance, instances, json_error, key, ok};
use crate::cloud::tests::scripted::{Reply, other_run};
use crate::cloud::{ErrorClass, PredictedEffect};

const FAR: &str = "arn:aws:rds:us-west-2:123456789012:db:orders";

fn bench(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("source", Value::text("orders"))];
    pairs.retain(|_| !more.iter().any(|(name, _)| *name == "source"));
    pairs.extend_from_slice(more);
    Bench::new(inputs(&pairs), replies)
}

fn far(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("source", Value::text(FAR)), ("kms_key", Value::text(KEY))];
    pairs.extend_from_slice(more);
    bench(&pairs, replies)
}

fn none() -> Reply {
    error(404, "DBInstanceNotFound", "gone")
}

fn orders(status: &str, days: u32) -> Reply {
    let more = format!(
        "<StorageEncrypted>true</StorageEncrypted><BackupRetentionPeriod>{days}</BackupRetentionPeriod>"
    );
    instances(&instance("orders", status, None, &more))
}

fn replica(status: &str, run: Option<&str>, source: &str, public: bool, word: &str) -> Reply {
    let more = format!(
        "<PubliclyAccessible>{public}</PubliclyAccessible><StorageEncrypted>true</StorageEncrypted>\
         <ReadReplicaSourceDBInstanceIdentifier>{source}</ReadReplicaSourceDBInstanceIdentifier>\
         <StatusInfos><DBInstanceStatusInfo><StatusType>read replication</StatusType>\
         <Status>{word}</Status></DBInstanceStatusInfo></StatusInfos>\
         <Endpoint><Address>h</Address><Port>5432</Port></Endpoint>"
    );
    instances(&instance(&made(), status, run, &more))
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_replicated_is_waited_for_or_refused() {
    let action = CreateReplica::default();
    let ready = bench(&[], [none(), orders("backing-up", 7)]).observe(&action).await;
    assert_eq!(ready, Ok(Observation::Absent));
    let busy = bench(&[], [none(), orders("modifying", 7)]).observe(&action).await;
    assert!(waiting(busy).contains("`modifying`"));
    for (reply, words) in [
        (none(), "no database instance `orders`"),
        (orders("available", 0), "backup retention 0"),
        (orders("stopped", 7), "`stopped`"),
    ] {
        let why = broken(bench(&[], [none(), reply.clone()]).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = bench(&[], [reply, none()]).preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(words)), "{words}");
    }
    let keyless = bench(&[("source", Value::text(FAR))], [none(), orders("available", 7)]);
    assert!(broken(keyless.observe(&action).await).contains("needs a key there"));
    for (bad, words) in [
        ("arn:aws:rds:us-west-2:999999999999:db:orders", "another account"),
        ("arn:aws:s3:::orders", "not the ARN of a database instance"),
    ] {
        let bench = bench(&[("source", Value::text(bad))], []);
        let failed = bench.observe(&action).await.expect_err("no source");
        assert!(failed.to_string().contains(words), "{failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_preview_looks_at_the_key_of_its_own_region() {
    let action = CreateReplica::default();
    let preview = far(&[], [orders("available", 7), key("Enabled"), none()]).preview(&action).await;
    let preview = preview.expect("a prediction");
    assert_eq!((preview.wont, &preview.outputs["source"]), (None, &Value::text(FAR)));
    assert!(preview.warnings.iter().any(|line| line.contains("subnet group: the default")));
    let [PredictedEffect::Created(replica, _)] = &preview.effects[..] else {
        panic!("{:?}", preview.effects)
    };
    assert_eq!(
        (replica.replica_source.as_deref(), replica.publicly_accessible),
        (Some(FAR), Some(false))
    );
    for (reply, words) in [
        (key("Disabled"), "`Disabled`"),
        (json_error("NotFoundException", "no key"), "there is no key"),
    ] {
        let preview = far(&[], [orders("available", 7), reply, none()]).preview(&action).await;
        assert!(preview.expect("a prediction").wont.is_some_and(|why| why.contains(words)));
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_done_when_it_follows_its_source() {
    let action = CreateReplica::default();
    let (ours, theirs) = (run().to_string(), other_run().to_string());
    let look = |reply: Reply| bench(&[], [reply]);
    let creating = replica("creating", Some(&ours), "orders", false, "replicating");
    assert_eq!(waiting(look(creating).observe(&action).await), "creating");
    let late = replica("available", Some(&ours), "orders", false, "error");
    assert!(waiting(look(late).observe(&action).await).contains("replication `error`"));
    let good = replica("available", Some(&ours), "orders", false, "replicating");
    let (outputs, verdict) = done(look(good).observe(&action).await);
    assert_eq!((verdict, &outputs["instance"]), (Verdict::Pass, &Value::text(made())));
    for (reply, words) in [
        (replica("available", Some(&theirs), "orders", false, "replicating"), theirs.as_str()),
        (replica("available", None, "orders", false, "replicating"), "no drctl:run tag"),
        (replica("available", Some(&ours), "orders", true, "replicating"), "publicly accessible"),
        (replica("available", Some(&ours), "stock", false, "replicating"), "follows `stock`"),
        (replica("storage-full", Some(&ours), "orders", false, "replicating"), "ended as"),
    ] {
        let why = broken(look(reply).observe(&action).await);
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_creating_may_end_with() {
    let action = CreateReplica::default();
    let accepted = || ok("CreateDBInstanceReadReplica", &instance(&made(), "creating", None, ""));
    let bench_ok = far(&[("class", Value::text("db.big"))], [accepted()]);
    bench_ok.act(&action).await.expect("accepted");
    let form = &bench_ok.script.sent()[0].form;
    for (field, value) in [
        ("Action", "CreateDBInstanceReadReplica"),
        ("SourceDBInstanceIdentifier", FAR),
        ("PubliclyAccessible", "false"),
        ("KmsKeyId", KEY),
        ("DBInstanceClass", "db.big"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field}");
    }
    let exists = bench(&[], [error(400, "DBInstanceAlreadyExists", "exists")]).act(&action).await;
    assert_eq!(
        exists,
        Ok(Acted { request_id: Some("r-2".to_owned()), done: None }),
        "its tag decides"
    );
    for (reply, class) in [
        (error(400, "InstanceQuotaExceeded", "40"), ErrorClass::Permanent),
        (error(400, "KMSKeyNotAccessibleFault", "no"), ErrorClass::Permanent),
        (error(400, "InvalidDBInstanceState", "busy"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let failed = bench(&[], [reply]).act(&action).await.expect_err("no success");
        assert_eq!(failed.class(), class, "{shown}");
    }
}
