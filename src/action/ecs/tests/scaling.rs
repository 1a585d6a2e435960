//! `ecs.scale`.
//!
//! **Invariant:** a number that was fixed stays fixed, and one that nobody measured is no number.

use super::{
    Bench, api, bench, broken, done, json, json_error, missing, no_cluster, throttled, unavailable,
    waiting,
};
use crate::action::ecs::Scale;
use crate::action::spec::Reversibility;
use crate::action::{Action as _, Observation};
use crate::base::value::Value;
use crate::cloud::tests::answers::metric;
use crate::cloud::tests::scripted::Reply;
use crate::cloud::{ErrorClass, PredictedEffect};

fn to(amount: impl Into<Value>, replies: impl IntoIterator<Item = Reply>) -> Bench {
    bench(&[("to", amount.into())], replies)
}

/// Figures of five minutes each.
fn measured(values: &[f64]) -> Reply {
    let figures: Vec<(f64, f64)> = values.iter().map(|value| (1_768_467_600.0, *value)).collect();
    metric("Complete", &figures)
}

#[tokio::test(start_paused = true)]
async fn it_is_done_when_as_many_run_as_are_wanted() {
    let action = Scale::default();
    let seen = to(12, [api(10, 10, 0).reply()]).observe(&action).await;
    assert_eq!(seen, Ok(Observation::Absent));
    let coming = to(12, [api(12, 10, 2).reply()]).asked(20, true);
    assert_eq!(waiting(coming.observe(&action).await), "10 of 12 tasks run, 2 are pending");
    let going = to(4, [api(4, 10, 0).reply()]).asked(20, true);
    assert_eq!(waiting(going.observe(&action).await), "10 of 4 tasks run");
    let there =
        to(12, [api(12, 12, 0).reply()]).planned(&[("was", Value::Int(10))]).asked(90, true);
    let (outputs, _) = done(there.observe(&action).await);
    assert_eq!((&outputs["desired"], &outputs["running"]), (&Value::Int(12), &Value::Int(12)));
    assert_eq!(outputs["was"], Value::Int(10));
    let Reversibility::UndoneBy { action: by, inputs } = action.spec().reversibility else {
        panic!()
    };
    assert_eq!((by, &inputs(&there.inputs, &outputs)["to"]), ("ecs.scale", &Value::Int(10)));
    // A stale read after the change is "not there yet", and the machine gives it time.
    let stale = to(12, [api(10, 10, 0).reply()]).asked(3, true).observe(&action).await;
    assert_eq!(stale, Ok(Observation::Absent));
}

#[tokio::test(start_paused = true)]
async fn what_it_was_is_what_this_process_saw_else_what_the_plan_saw() {
    let action = Scale::default();
    let plan = [("was", Value::Int(10)), ("desired", Value::Int(12))];
    let mut moved = to(12, [api(11, 11, 0).reply(), api(12, 12, 0).reply()]).planned(&plan);
    assert_eq!(moved.observe(&action).await, Ok(Observation::Absent));
    moved = moved.asked(0, true);
    let (outputs, _) = done(moved.observe(&action).await);
    assert_eq!(outputs["was"], Value::Int(11), "auto scaling had its say after the plan");
    let unseen = to(12, [api(12, 12, 0).reply()]).asked(90, true).observe(&action).await;
    assert_eq!(done(unseen).0["was"], Value::Int(9), "nobody saw it: the estate says");
    let nothing = to(12, [api(12, 12, 0).reply()]).planned(&plan).observe(&action).await;
    assert_eq!(done(nothing).0["was"], Value::Int(12), "nothing was changed, nothing is undone");
}

#[tokio::test(start_paused = true)]
async fn shares_and_maxima_are_fixed_when_planned() {
    let action = Scale::default();
    let preview = to(Value::text("150%"), [api(5, 5, 0).reply()]).preview(&action).await;
    assert_eq!(preview.outputs["desired"], Value::Int(8), "rounded up");
    assert_eq!(preview.outputs["was"], Value::Int(5));
    let [PredictedEffect::ServiceChanged(after, _)] = &preview.effects[..] else { panic!() };
    assert_eq!((after.desired, after.running), (8, 8));
    // After the change a share of what is wanted then would be another number.
    let fixed = to(Value::text("150%"), [api(8, 8, 0).reply()]);
    let fixed =
        fixed.planned(&[("desired", Value::Int(8)), ("was", Value::Int(5))]).asked(9, false);
    done(fixed.observe(&action).await);
    let lost = to(Value::text("150%"), [api(8, 8, 0).reply()]).asked(9, true);
    assert!(broken(lost.observe(&action).await).contains("not known any more"));
    let most = || to(Value::text("max_24h"), [api(2, 2, 0).reply(), measured(&[2.0, 17.0, 9.0])]);
    assert_eq!(most().preview(&action).await.outputs["desired"], Value::Int(17));
    let known = most();
    assert_eq!(known.observe(&action).await, Ok(Observation::Absent));
    let nobody = || to(Value::text("max_24h"), [api(2, 2, 0).reply(), measured(&[])]);
    let wont = nobody().preview(&action).await.wont.expect("unknown is not zero");
    assert!(wont.contains("no RunningTaskCount") && wont.contains("Container Insights"), "{wont}");
    assert!(broken(nobody().observe(&action).await).contains("no RunningTaskCount"));
    let huge = to(Value::text("9000%"), [api(100, 100, 0).reply()]).preview(&action).await;
    assert!(huge.wont.is_some_and(|why| why.contains("5000 tasks")));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_there_or_not_active_is_not_scaled() {
    let action = Scale::default();
    let gone = crate::action::ecs::tests::Api { status: "INACTIVE", ..api(0, 0, 0) };
    for (reply, words) in [
        (missing(), "no service `api` in cluster `shop`"),
        (no_cluster(), "no service `api` in cluster `shop`"),
        (gone.reply(), "is `INACTIVE`"),
    ] {
        let why = broken(to(3, [reply.clone()]).observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = to(3, [reply]).preview(&action).await;
        assert!(preview.wont.is_some_and(|why| why.contains(words)));
    }
    for amount in [Value::text("lots"), Value::Int(-2), Value::Bool(true)] {
        let failed = to(amount, []).observe(&action).await.expect_err("no amount");
        assert_eq!(failed.class(), ErrorClass::Permanent);
    }
    for replies in [throttled(), vec![Reply::Http(200, "{\"serv".to_owned(), Vec::new())]] {
        let failed = to(3, replies).observe(&action).await.expect_err("no answer");
        assert_eq!(failed.class(), ErrorClass::Temporary);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_change_may_end_with() {
    let action = Scale::default();
    let well = to(12, [api(10, 10, 0).reply(), api(12, 10, 0).updated()]);
    well.act(&action).await.expect("accepted");
    let body = well.body(1);
    assert_eq!((&body["cluster"], &body["service"]), (&"shop".into(), &"api".into()));
    assert_eq!(body["desiredCount"], 12);
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(3), "it changes nothing else");
    for (reply, class) in [
        (json_error("ServiceNotFoundException", "gone"), ErrorClass::Permanent),
        (json_error("ServiceNotActiveException", "inactive"), ErrorClass::Permanent),
        (json_error("InvalidParameterException", "no"), ErrorClass::Permanent),
        (json_error("AccessDeniedException", "no"), ErrorClass::Credentials),
        (json_error("ThrottlingException", "Rate exceeded"), ErrorClass::Temporary),
        (unavailable(), ErrorClass::InDoubt),
        (Reply::Lost, ErrorClass::InDoubt),
        (json("{\"servi"), ErrorClass::InDoubt),
    ] {
        let shown = format!("{reply:?}");
        let bench = to(12, [api(10, 10, 0).reply(), reply]);
        let failed = bench.act(&action).await.expect_err("no success");
        assert_eq!((failed.class(), bench.script.sent().len()), (class, 2), "{shown}");
    }
    // A lost answer: what is wanted then says whether it took effect.
    let took = to(12, [api(12, 12, 0).reply()]).asked(30, false).observe(&action).await;
    done(took);
    let not = to(12, [api(10, 10, 0).reply()]).asked(30, false).observe(&action).await;
    assert_eq!(not, Ok(Observation::Absent));
}
