//! `rds.rename_instance`.
//!
//! **Invariant:** it is done when the old name is gone and the same instance has the new one.

use super::{Bench, broken, done, inputs, waiting};
use crate::action::rds::RenameInstance;
use crate::action::spec::Reversibility;
use crate::action::{Action, Observation, PastIntent, Verdict};
use crate::base::clock::simulated_epoch;
use crate::base::value::Value;
use crate::cloud::tests::answers::{error, instance, instances, ok};
use crate::cloud::tests::scripted::Reply;
use crate::cloud::{ErrorClass, PredictedEffect};
use chrono::TimeDelta;

fn bench(replies: impl IntoIterator<Item = Reply>) -> Bench {
    let pairs = [("instance", Value::text("orders")), ("to", Value::text("orders-old"))];
    Bench::new(inputs(&pairs), replies)
}

fn asked(seconds: i64, accepted: bool, bench: Bench) -> Bench {
    let at = simulated_epoch() - TimeDelta::seconds(seconds);
    Bench { intent: Some(PastIntent { at, accepted, retried: None }), ..bench }
}

fn none() -> Reply {
    error(404, "DBInstanceNotFound", "gone")
}

/// An instance with a name, whose resource id is that of the old one unless said otherwise.
fn named(id: &str, resource: &str, status: &str) -> Reply {
    let more = format!(
        "<Endpoint><Address>{id}.c1.us-east-1.rds.amazonaws.com</Address><Port>5432</Port></Endpoint>"
    );
    let element = instance(id, status, None, &more);
    instances(&element.replace(&format!("db-{id}"), resource))
}

fn planned(bench: Bench) -> Bench {
    bench.planned(&[("resource_id", Value::text("db-1"))])
}

#[tokio::test(start_paused = true)]
async fn a_preview_moves_the_instance_to_its_new_name() {
    let action = RenameInstance::default();
    let preview = bench([named("orders", "db-1", "available"), none()]).preview(&action).await;
    let preview = preview.expect("a prediction");
    assert_eq!(preview.wont, None);
    assert!(preview.details[0].contains("10 minutes"), "{:?}", preview.details);
    let host = Value::text("orders-old.c1.us-east-1.rds.amazonaws.com");
    assert_eq!(
        (&preview.outputs["endpoint"], &preview.outputs["resource_id"]),
        (&host, &Value::text("db-1"))
    );
    let [PredictedEffect::Deleted { id, .. }, PredictedEffect::Created(new, _)] =
        &preview.effects[..]
    else {
        panic!("{:?}", preview.effects)
    };
    assert_eq!(
        (id.as_str(), new.id.as_str(), new.resource_id.as_str()),
        ("orders", "orders-old", "db-1")
    );
    for (replies, words) in [
        (vec![none()], "no database instance `orders`"),
        (
            vec![named("orders", "db-1", "available"), named("orders-old", "db-2", "available")],
            "is taken by db-2",
        ),
        (vec![named("orders", "db-1", "stopped"), none()], "`stopped`"),
    ] {
        let preview = bench(replies).preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(words)), "{words}");
    }
    for (to, words) in [("Orders", "already"), ("1x", "a letter first"), ("a--b", "single hyphens")]
    {
        let pairs = [("instance", Value::text("orders")), ("to", Value::text(to))];
        let failed = Bench::new(inputs(&pairs), []).observe(&action).await.expect_err("no name");
        assert!(failed.to_string().contains(words), "{failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_old_name_gone_and_the_same_instance_under_the_new_one() {
    let action = RenameInstance::default();
    let old = |status: &str| named("orders", "db-1", status);
    assert_eq!(bench([old("available"), none()]).observe(&action).await, Ok(Observation::Absent));
    let busy = bench([old("backing-up"), none()]).observe(&action).await;
    assert!(waiting(busy).contains("backing-up"));
    for status in ["available", "renaming"] {
        let early = asked(30, true, bench([old(status), none()])).observe(&action).await;
        assert!(waiting(early).contains("under the old name"));
    }
    let between = asked(30, true, bench([none(), none()])).observe(&action).await;
    assert!(waiting(between).contains("neither name"));
    let new = |status: &str| named("orders-old", "db-1", status);
    let row = [
        none(),
        new("rebooting"),
        none(),
        new("available"),
        none(),
        new("available"),
        none(),
        new("available"),
    ];
    let bench_done = planned(asked(60, true, bench(row)));
    assert!(waiting(bench_done.observe(&action).await).contains("`rebooting`"));
    for _ in 0..2 {
        assert!(waiting(bench_done.observe(&action).await).contains("looking again"));
    }
    let (outputs, verdict) = done(bench_done.observe(&action).await);
    assert_eq!(verdict, Verdict::Pass);
    let Reversibility::UndoneBy { inputs: undo, .. } = action.spec().reversibility else {
        panic!("it can be undone")
    };
    let undo = undo(&bench_done.inputs, &outputs);
    assert_eq!(
        (&undo["instance"], &undo["to"]),
        (&Value::text("orders-old"), &Value::text("orders"))
    );
    let doubt = asked(200, false, bench([old("available"), none()])).observe(&action).await;
    assert_eq!(doubt, Ok(Observation::Absent));
}

#[tokio::test(start_paused = true)]
async fn another_instance_under_the_name_is_never_taken_for_it() {
    let action = RenameInstance::default();
    let other = || named("orders-old", "db-2", "available");
    let why = broken(planned(asked(60, true, bench([none(), other()]))).observe(&action).await);
    assert!(why.contains("another instance (db-2)"), "{why}");
    let why = broken(bench([none(), other()]).observe(&action).await);
    assert!(why.contains("another instance"), "{why}");
    assert!(
        broken(bench([none(), none()]).observe(&action).await).contains("no database instance")
    );
    // The step before may just have freed the name.
    let both = || [named("orders", "db-1", "available"), other()];
    let mut fresh = bench(both());
    fresh.began = Some(simulated_epoch() - TimeDelta::seconds(599));
    assert!(waiting(fresh.observe(&action).await).contains("waiting until it is free"));
    let mut late = bench(both());
    late.began = Some(simulated_epoch() - TimeDelta::seconds(601));
    assert!(broken(late.observe(&action).await).contains("taken by db-2"));
}

#[tokio::test(start_paused = true)]
async fn what_renaming_may_end_with() {
    let action = RenameInstance::default();
    let accepted = || ok("ModifyDBInstance", &instance("orders", "available", None, ""));
    let bench_ok = bench([accepted()]);
    bench_ok.act(&action).await.expect("accepted");
    let form = &bench_ok.script.sent()[0].form;
    for (field, value) in [
        ("Action", "ModifyDBInstance"),
        ("DBInstanceIdentifier", "orders"),
        ("NewDBInstanceIdentifier", "orders-old"),
        ("ApplyImmediately", "true"),
    ] {
        assert_eq!(form.get(field).map(String::as_str), Some(value), "{field}");
    }
    for (reply, class) in [
        (error(400, "DBInstanceAlreadyExists", "taken"), ErrorClass::Permanent),
        (none(), ErrorClass::Permanent),
        (error(400, "InvalidDBInstanceState", "busy"), ErrorClass::Temporary),
        (error(400, "Throttling", "Rate exceeded"), ErrorClass::Temporary),
        (Reply::Lost, ErrorClass::InDoubt),
        (Reply::Http(200, "<Modify".to_owned(), Vec::new()), ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = bench([reply, accepted()]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 1), "{shown}");
    }
}
