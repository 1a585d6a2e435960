//! What deletes say of what was not there, and of names that are ARNs.
//!
//! **Invariant:** `deleted` is never true of what this step did not delete.

use super::{Bench, REGION, broken, done, inputs, made, run, taken};
use crate::action::rds::{DeleteInstance, DeleteSnapshot};
use crate::action::{Acted, Action, Observation, Verdict};
use crate::base::value::Value;
use crate::cloud::ErrorClass;
use crate::cloud::tests::answers::{error, instance, instances};
use crate::cloud::tests::scripted::Reply;

/// Both deletes, each with its input and AWS's word for "not there".
fn both() -> [(Box<dyn Action>, &'static str, Reply); 2] {
    let none = |code: &str| error(404, code, "not found");
    [
        (Box::new(DeleteSnapshot::default()), "snapshot", none("DBSnapshotNotFound")),
        (Box::new(DeleteInstance::default()), "instance", none("DBInstanceNotFound")),
    ]
}

fn named(input: &str, reply: Reply) -> Bench {
    Bench::new(inputs(&[(input, Value::text("drctl-typo"))]), [reply])
}

#[tokio::test(start_paused = true)]
async fn what_was_never_there_is_not_called_deleted() {
    for (action, input, none) in both() {
        let (outputs, verdict) = done(named(input, none.clone()).observe(&*action).await);
        assert_eq!(outputs["deleted"], Value::Bool(false), "{input}");
        let Verdict::Warn(warnings) = verdict else { panic!("{input}: {verdict:?}") };
        assert_eq!(
            warnings,
            ["there was nothing to delete: is the name `drctl-typo` right?"],
            "{input}"
        );

        let asked = named(input, none.clone()).asked();
        let (outputs, verdict) = done(asked.observe(&*action).await);
        assert_eq!((&outputs["deleted"], verdict), (&Value::Bool(true), Verdict::Pass), "{input}");

        let foreseen =
            |there| named(input, none.clone()).planned(&[("deleted", Value::Bool(there))]);
        let (outputs, verdict) = done(foreseen(false).observe(&*action).await);
        assert_eq!((&outputs["deleted"], verdict), (&Value::Bool(false), Verdict::Pass), "{input}");
        let (outputs, verdict) = done(foreseen(true).observe(&*action).await);
        assert_eq!(outputs["deleted"], Value::Bool(false), "{input}");
        let Verdict::Warn(warnings) = verdict else { panic!("{input}: {verdict:?}") };
        assert!(warnings[0].contains("the plan counted on `drctl-typo`"), "{warnings:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_act_that_found_nothing_to_delete_is_not_an_accepted_one() {
    for (action, input, none) in both() {
        let bench = named(input, none);
        let failed = bench.act(&*action).await.expect_err("nothing was sent");
        assert_eq!((failed.class(), bench.script.sent().len()), (ErrorClass::Temporary, 1));
        assert!(failed.to_string().contains("was there and is not there now"), "{failed}");
    }
    let ours = run();
    let there = || instances(&instance("drctl-typo", "available", Some(ours.as_str()), ""));
    let gone = error(404, "DBInstanceNotFound", "not found");
    let bench =
        Bench::new(inputs(&[("instance", Value::text("drctl-typo"))]), [there(), there(), gone]);
    let failed = bench.act(&DeleteInstance::default()).await.expect_err("nothing was deleted");
    assert_eq!(failed.class(), ErrorClass::Temporary, "{failed}");
}

fn by_arn(arn: &str, replies: impl IntoIterator<Item = Reply>) -> Bench {
    Bench::new(inputs(&[("snapshot", Value::text(arn))]), replies)
}

fn arn(region: &str, account: &str) -> String {
    format!("arn:aws:rds:{region}:{account}:snapshot:{}", made())
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_may_be_named_by_its_arn() {
    let (action, ours) = (DeleteSnapshot::default(), run());
    let seen = || taken("available", Some(ours.as_str()));
    let ours_by_arn = arn(REGION, "123456789012");
    let bench = by_arn(&ours_by_arn, [seen()]);
    assert_eq!(bench.observe(&action).await, Ok(Observation::Absent));
    assert_eq!(bench.script.sent()[0].form["DBSnapshotIdentifier"], made());
    let gone = error(404, "DBSnapshotNotFound", "gone");
    let (outputs, _) = done(by_arn(&ours_by_arn, [gone]).asked().observe(&action).await);
    assert_eq!(outputs["snapshot"], Value::text(made()));
    let answer = Reply::Http(
        200,
        "<DeleteDBSnapshotResponse><DeleteDBSnapshotResult/></DeleteDBSnapshotResponse>".to_owned(),
        Vec::new(),
    );
    let bench = by_arn(&ours_by_arn, [seen(), seen(), answer]);
    let acted: Acted = bench.act(&action).await.expect("accepted");
    assert_eq!(acted.done, None);
    assert_eq!(bench.script.sent().len(), 3, "the delete was sent");
    assert_eq!(bench.script.sent()[2].form["DBSnapshotIdentifier"], made());
}

#[tokio::test(start_paused = true)]
async fn another_region_s_arn_is_refused_before_anything_is_asked() {
    let action = DeleteSnapshot::default();
    for (arn, words) in [
        (arn("eu-west-1", "123456789012"), "is in eu-west-1, and this step works in us-east-1"),
        (arn(REGION, "999999999999"), "belongs to account 999999999999"),
        (format!("arn:aws:rds:{REGION}:123456789012:db:orders"), "is not the ARN of a database"),
        ("arn:aws:rds".to_owned(), "is not the ARN of a database"),
    ] {
        let bench = by_arn(&arn, []);
        let why = broken(bench.observe(&action).await);
        assert!(why.contains(words), "{why}");
        let preview = bench.preview(&action).await.expect("a prediction");
        assert!(preview.wont.is_some_and(|why| why.contains(words)), "{arn}");
        let failed = bench.act(&action).await.expect_err("refused");
        assert!(failed.to_string().contains(words), "{failed}");
        assert_eq!(bench.script.sent().len(), 0, "{arn}");
    }
}
