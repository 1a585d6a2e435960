//! Faults of transport and service: throttling, 5xx, lost answers, failed restores.

use super::support::{Lab, minutes, simulator};
use crate::sim::SimError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

#[tokio::test(start_paused = true)]
async fn throttling_passes_with_retries() {
    let lab = Lab::new(&["throttled=2"]);
    for _ in 0..2 {
        let error = lab.rds.describe_db_instances().send().await.expect_err("throttled");
        assert_eq!((error.code(), error.message()), (Some("Throttling"), Some("Rate exceeded")));
    }
    lab.rds.describe_db_instances().send().await.expect("two calls only");

    let patient = Lab::with(simulator(&["throttled=2"]), 3);
    patient.rds.describe_db_instances().send().await.expect("the SDK retries");
    patient.sts.get_caller_identity().send().await.expect("STS is never throttled");

    let lab = Lab::new(&["throttled=0.5"]);
    let mut refused = 0;
    for _ in 0..40 {
        refused += u32::from(lab.rds.describe_db_instances().send().await.is_err());
    }
    assert!((8..=32).contains(&refused), "{refused} of 40");
}

#[tokio::test(start_paused = true)]
async fn errors_before_and_after_the_effect() {
    let lab = Lab::new(&["error-before-effect=RestoreDBInstanceToPointInTime"]);
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("ServiceUnavailable".to_owned()));
    assert!(lab.simulator.mutations().is_empty());
    assert_eq!(lab.restore("copy", minutes(30)).await, Ok(()), "once only");

    let lab = Lab::new(&["error-after-effect"]);
    lab.rds.describe_db_instances().send().await.expect("reads are spared");
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("InternalFailure".to_owned()));
    assert_eq!(lab.simulator.mutations().len(), 1);
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("DBInstanceAlreadyExists".to_owned()));

    // What an operator's own client makes of it: the retry meets what the first attempt made.
    let lab = Lab::with(simulator(&["error-after-effect"]), 3);
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("DBInstanceAlreadyExists".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn lost_answers_have_effects() {
    let lab = Lab::new(&["lost-answer=RestoreDBInstanceToPointInTime"]);
    let error = lab.restore("copy", minutes(30)).await.expect_err("lost");
    assert!(error.contains("DispatchFailure"), "{error}");
    lab.sleep(5).await;
    assert!(lab.find("copy").await.is_some());
}

#[tokio::test(start_paused = true)]
async fn restores_fail_or_never_end() {
    let lab = Lab::new(&["restore-failed"]);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    let failed = lab.until("copy", "incompatible-restore").await;
    assert!(failed.endpoint().is_none());
    let delete = lab.rds.delete_db_instance().db_instance_identifier("copy");
    delete.skip_final_snapshot(true).send().await.expect("a failed restore can be deleted");

    let lab = Lab::new(&["stuck-creating"]);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    lab.sleep(7 * 24 * 3600).await;
    assert_eq!(lab.instance("copy").await.db_instance_status(), Some("creating"));
}

#[tokio::test(start_paused = true)]
async fn slow_restores_take_their_time() {
    let mut took = Vec::new();
    for faults in [&[][..], &["slow=4"][..]] {
        let lab = Lab::new(faults);
        let started = lab.clock.now();
        lab.restore("copy", minutes(30)).await.expect("accepted");
        lab.until("copy", "available").await;
        took.push((lab.clock.now() - started).num_seconds());
    }
    assert!(took[1] > 3 * took[0] && took[1] < 5 * took[0], "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn named_operations_are_denied_once() {
    let lab = Lab::new(&["access-denied=DescribeDBInstances"]);
    let error = lab.rds.describe_db_instances().send().await.expect_err("denied");
    assert_eq!(error.code(), Some("AccessDenied"));
    lab.rds.describe_db_instances().send().await.expect("once only");
    let lab = Lab::new(&["access-denied"]);
    lab.sts.get_caller_identity().send().await.expect("needs no permission");
    assert!(lab.secrets.get_secret_value().secret_id("shop/orders").send().await.is_err());
}

#[test]
fn faults_are_set_and_refused_by_name() {
    let simulator = simulator(&[]);
    let error = simulator.set_faults(&["flood".to_owned()]).expect_err("no such fault");
    assert!(matches!(error, SimError::Fault { .. }));
    assert!(error.to_string().contains("throttled, error-before-effect"), "{error}");
    simulator.set_faults(&["slow".to_owned()]).expect("known");
}
