//! `ecs.check_service` and `ecs.wait_stable`.
//!
//! **Invariant:** a service that rests with something else than was named has failed the check.

use super::{Api, api, bench, done, missing, throttled, waiting};
use crate::action::Verdict;
use crate::action::ecs::{CheckService, WaitStable};
use crate::base::value::Value;
use crate::cloud::ErrorClass;

#[track_caller]
fn failed(verdict: Verdict) -> String {
    match verdict {
        Verdict::Fail { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_has_the_tasks_that_it_should_have() {
    let action = CheckService::default();
    let verdict = async |least: Value, shown: Api| {
        done(bench(&[("at_least", least)], [shown.reply()]).observe(&action).await).1
    };
    assert_eq!(verdict(Value::Null, api(4, 4, 0)).await, Verdict::Pass);
    let why = failed(verdict(Value::Null, api(4, 3, 1)).await);
    assert!(why.contains("3 of 4 tasks run, 1 are pending"), "{why}");
    assert!(matches!(verdict(Value::Int(3), api(4, 3, 1)).await, Verdict::Warn(_)));
    failed(verdict(Value::Int(5), api(4, 4, 0)).await);
    let Verdict::Warn(lines) = verdict(Value::Null, api(0, 0, 0)).await else { panic!() };
    assert!(lines[0].contains("scaled to 0"), "{lines:?}");
    let why = failed(done(bench(&[], [missing()]).observe(&action).await).1);
    assert!(why.contains("no service `api`"), "{why}");
    let preview = bench(&[("at_least", Value::Int(5))], [api(4, 4, 0).reply()]);
    assert!(preview.preview(&action).await.wont.is_some_and(|why| why.contains("5 are needed")));
    let error = bench(&[], throttled()).observe(&action).await.expect_err("no answer");
    assert_eq!(error.class(), ErrorClass::Temporary, "a check that could not look is no verdict");
    let bad = bench(&[("at_least", Value::Int(-1))], [api(4, 4, 0).reply()]);
    assert_eq!(bad.observe(&action).await.expect_err("input").class(), ErrorClass::Permanent);
}

#[tokio::test(start_paused = true)]
async fn a_service_rests_with_one_deployment_of_what_was_named() {
    let action = WaitStable::default();
    let named = |definition: &str| [("task_definition", Value::text(definition))];
    let two = [("PRIMARY", "api:43", -60, "IN_PROGRESS"), ("ACTIVE", "api:42", -900, "COMPLETED")];
    let rolling = bench(&[], [api(4, 6, 2).deployments(&two).reply()]);
    let state = waiting(rolling.observe(&action).await);
    assert!(state.contains("2 deployments") && state.contains("6 of 4 tasks"), "{state}");
    let (outputs, verdict) = done(bench(&[], [api(4, 4, 0).reply()]).observe(&action).await);
    assert_eq!(
        (outputs["task_definition"].to_string(), verdict),
        ("api:42".to_owned(), Verdict::Pass)
    );
    // The circuit breaker rolled it back: stable, and not what was asked for.
    let back = bench(&named("api:43"), [api(4, 4, 0).reply()]).observe(&action).await;
    let why = failed(done(back).1);
    assert!(why.contains("rests with api:42, not api:43"), "{why}");
    let arn = "arn:aws:ecs:us-east-1:123456789012:task-definition/api:42";
    let right = bench(&named(arn), [api(4, 4, 0).reply()]).observe(&action).await;
    assert_eq!(done(right).1, Verdict::Pass);
    let given_up = [("PRIMARY", "api:43", -60, "FAILED")];
    let given_up = bench(&[], [api(4, 0, 0).deployments(&given_up).reply()]);
    assert!(failed(done(given_up.observe(&action).await).1).contains("state FAILED"));
    failed(done(bench(&[], [missing()]).observe(&action).await).1);
    let none = bench(&[], [api(0, 0, 0).reply()]).observe(&action).await;
    assert!(matches!(done(none).1, Verdict::Warn(_)));
    let preview = bench(&named("api:43"), [api(4, 4, 0).reply()]).preview(&action).await;
    assert!(preview.wont.is_some_and(|why| why.contains("not api:43")));
    let preview = bench(&[], [api(4, 6, 2).deployments(&two).reply()]).preview(&action).await;
    assert!(preview.cannot_know.is_some_and(|why| why.contains("does not rest now")));
}
