//! `rds.modify_instance`.
//!
//! **Invariant:** an instance that is `available` and not changed is not done, and what would take backups
//! or protection away is refused before anything is sent.

use super::{Bench, broken, done, inputs, waiting};
use crate::action::rds::ModifyInstance;
use crate::action::spec::Reversibility;
use crate::action::{Action, Observation, PastIntent, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::{Value, Values};
use crate::cloud::model::InstanceChanges;
use crate::cloud::tests::answers::{error, instance, instances, ok};
use crate::cloud::tests::scripted::{REGION, Reply};
use crate::cloud::{ErrorClass, GuardPolicy, PredictedEffect};
use chrono::TimeDelta;

fn bench(more: &[(&str, Value)], replies: impl IntoIterator<Item = Reply>) -> Bench {
    let mut pairs = vec![("instance", Value::text("orders"))];
    pairs.extend_from_slice(more);
    Bench::new(inputs(&pairs), replies)
}

fn asked(accepted: bool, bench: Bench) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(60);
    Bench { intent: Some(PastIntent { at, accepted, retried: None }), ..bench }
}

fn orders(status: &str, class: &str, days: u32) -> Reply {
    let more = format!(
        "<DBInstanceClass>{class}</DBInstanceClass><BackupRetentionPeriod>{days}</BackupRetentionPeriod>\
         <VpcSecurityGroups><VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>\
         </VpcSecurityGroupMembership></VpcSecurityGroups>"
    );
    instances(&instance("orders", status, None, &more))
}

fn larger() -> [(&'static str, Value); 2] {
    [("class", Value::text("db.big")), ("backup_retention_days", Value::Int(7))]
}

async fn plan(more: &[(&str, Value)], reply: Reply) -> Values {
    let preview = bench(more, [reply]).preview(&ModifyInstance::default()).await;
    preview.expect("a prediction").outputs
}

#[tokio::test(start_paused = true)]
async fn only_what_differs_is_changed_and_remembered() {
    let action = ModifyInstance::default();
    let preview = bench(&larger(), [orders("available", "db.small", 7)]).preview(&action).await;
    let preview = preview.expect("a prediction");
    assert_eq!(preview.details, ["class: db.small becomes db.big"]);
    let [PredictedEffect::Created(changed, _)] = &preview.effects[..] else {
        panic!("{:?}", preview.effects)
    };
    assert_eq!(changed.class, "db.big");
    let outputs = plan(&larger(), orders("available", "db.small", 7)).await;
    let bench_done = |replies: Vec<Reply>| {
        let mut bench = asked(true, bench(&larger(), replies));
        bench.planned = Some(outputs.clone());
        bench
    };
    let early = bench_done(vec![orders("available", "db.small", 7)]).observe(&action).await;
    assert!(waiting(early).contains("not changed yet: class"), "available proves nothing");
    let row = bench_done(vec![orders("available", "db.big", 7); 3]);
    for _ in 0..2 {
        assert!(waiting(row.observe(&action).await).contains("looking again"));
    }
    let (outputs, verdict) = done(row.observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    let Reversibility::UndoneBy { inputs: undo, .. } = action.spec().reversibility else {
        panic!("it can be undone")
    };
    let undo = undo(&row.inputs, &outputs);
    assert_eq!(
        (&undo["class"], &undo["instance"]),
        (&Value::text("db.small"), &Value::text("orders"))
    );
    assert_eq!(undo["backup_retention_days"], Value::Null, "that was not changed");
    // Nothing to change is done without asking, and has nothing to undo.
    let (outputs, _) =
        done(bench(&larger(), [orders("available", "db.big", 7)]).observe(&action).await);
    let Value::Map(changed) = &outputs["changed"] else { panic!("a map") };
    assert!(changed.values().all(|value| *value == Value::Null), "{changed:?}");
}

#[tokio::test(start_paused = true)]
async fn protection_that_was_turned_on_stays_on() {
    let Reversibility::UndoneBy { inputs: undo, .. } =
        ModifyInstance::default().spec().reversibility
    else {
        panic!("it can be undone")
    };
    let more =
        [("deletion_protection", Value::Bool(true)), ("backup_retention_days", Value::Int(7))];
    let outputs = plan(&more, orders("available", "db.small", 0)).await;
    let undo = undo(&bench(&more, []).inputs, &outputs);
    assert_eq!(
        (&undo["deletion_protection"], &undo["backup_retention_days"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_modified_is_refused_or_waited_for() {
    let action = ModifyInstance::default();
    for (reply, words) in [
        (error(404, "DBInstanceNotFound", "gone"), "no database instance"),
        (orders("stopped", "db.small", 7), "`stopped`"),
        (orders("storage-full", "db.small", 7), "`storage-full`"),
    ] {
        let why = broken(bench(&larger(), [reply.clone()]).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = bench(&larger(), [reply]).preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(words)));
    }
    let busy = bench(&larger(), [orders("backing-up", "db.small", 7)]).observe(&action).await;
    assert!(waiting(busy).contains("`backing-up`"));
    let ready = bench(&larger(), [orders("available", "db.small", 7)]).observe(&action).await;
    assert_eq!(ready, Ok(Observation::Absent));
    let doubt = asked(false, bench(&larger(), [orders("available", "db.small", 7)]));
    assert_eq!(doubt.observe(&action).await, Ok(Observation::Absent), "the same again is harmless");
    for (name, bad, words) in [
        ("backup_retention_days", Value::Int(0), "1 to 35"),
        ("security_groups", Value::List(Vec::new()), "one at least"),
    ] {
        let failed = bench(&[(name, bad)], []).observe(&action).await.expect_err("refused");
        assert!(failed.to_string().contains(words), "{failed}");
    }
    let later = [("class", Value::text("db.big")), ("apply_immediately", Value::Bool(false))];
    let (outputs, verdict) = done(
        asked(true, bench(&later, [orders("available", "db.small", 7)])).observe(&action).await,
    );
    assert!(matches!(verdict, Verdict::Warn(_)) && outputs["applied_at"] == Value::Null);
}

#[tokio::test(start_paused = true)]
async fn what_modifying_may_end_with() {
    let action = ModifyInstance::default();
    let accepted = || ok("ModifyDBInstance", &instance("orders", "available", None, ""));
    let bench_ok = bench(&larger(), [orders("available", "db.small", 3), accepted()]);
    bench_ok.act(&action).await.expect("accepted");
    let form = &bench_ok.script.sent()[1].form;
    assert_eq!((&*form["DBInstanceClass"], &*form["BackupRetentionPeriod"]), ("db.big", "7"));
    assert_eq!(form["ApplyImmediately"], "true");
    let named = |name: &str| form.contains_key(name);
    assert!(!named("PubliclyAccessible") && !named("MultiAZ") && !named("DeletionProtection"));
    for (reply, class) in [
        (error(404, "DBInstanceNotFound", "gone"), ErrorClass::Permanent),
        (error(400, "InvalidParameterCombination", "no"), ErrorClass::Permanent),
        (error(400, "InvalidDBInstanceState", "busy"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = bench(&larger(), [orders("available", "db.small", 3), reply]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!(failed.class(), class, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_writer_takes_neither_backups_nor_the_protection_of_the_estate() {
    let bench = bench(&[], []);
    let cloud = bench.script.open(GuardPolicy::live(["rds:ModifyDBInstance"])).await;
    let writer = cloud.protecting(&bench.estate).writer().expect("a live run");
    let changes = |instance: &str, days: Option<u32>, protection: Option<bool>| InstanceChanges {
        instance: instance.to_owned(),
        backup_retention_days: days,
        deletion_protection: protection,
        immediately: true,
        ..InstanceChanges::default()
    };
    for refused in [changes("other", Some(0), None), changes("Orders", None, Some(false))] {
        let failed = writer.modify_instance(REGION, &refused).await.expect_err("refused");
        assert_eq!(failed.class, ErrorClass::Refused, "{failed}");
    }
    let far = writer.modify_instance("eu-west-1", &changes("other", Some(1), None)).await;
    assert_eq!(far.expect_err("not allowed").class, ErrorClass::Refused);
    assert!(bench.script.sent().is_empty(), "nothing was sent");
}
