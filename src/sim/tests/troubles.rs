//! Faults of transport and service: throttling, 5xx, lost answers, failed restores.

use super::support::{Lab, code, epoch, minutes, simulator};
use crate::sim::{SimAccess, SimError, SimQuery, Simulator, WireRequest};
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_rds::error::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::region::Region;

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

/// Makes a snapshot and restores it.
async fn restore_snapshot(lab: &Lab) -> Result<(), String> {
    let make = lab.rds.create_db_snapshot().db_instance_identifier("shop-orders");
    make.db_snapshot_identifier("before").send().await.expect("a snapshot");
    lab.sleep(3600).await;
    let call = lab.rds.restore_db_instance_from_db_snapshot().db_instance_identifier("copy");
    let answer = call.db_snapshot_identifier("before").send().await;
    answer.map(drop).map_err(|error| error.code().unwrap_or_default().to_owned())
}

#[tokio::test(start_paused = true)]
async fn snapshot_restores_are_struck_as_others_are() {
    for (fault, refusal) in [
        ("quota-exceeded", "InstanceQuotaExceeded"),
        ("kms-disabled", "KMSKeyNotAccessibleFault"),
        ("error-before-effect=RestoreDBInstanceFromDBSnapshot", "ServiceUnavailable"),
        ("access-denied=RestoreDBInstanceFromDBSnapshot", "AccessDenied"),
    ] {
        let lab = Lab::new(&[fault]);
        assert_eq!(restore_snapshot(&lab).await, Err(refusal.to_owned()), "{fault}");
        assert!(lab.find("copy").await.is_none(), "{fault}");
    }
    let lab = Lab::new(&["restore-failed"]);
    restore_snapshot(&lab).await.expect("accepted");
    lab.until("copy", "incompatible-restore").await;
    let lab = Lab::new(&["stuck-creating"]);
    restore_snapshot(&lab).await.expect("accepted");
    lab.sleep(7 * 24 * 3600).await;
    assert_eq!(lab.instance("copy").await.db_instance_status(), Some("creating"));
}

#[tokio::test(start_paused = true)]
async fn a_region_without_control_plane_refuses_and_its_data_answers() {
    let lab = Lab::new(&["control-plane-down=us-east-1"]);
    assert_eq!(code(lab.rds.describe_db_instances().send().await), "ServiceUnavailable");
    assert_eq!(code(lab.kms.list_keys().send().await), "ServiceUnavailable");
    assert_eq!(code(lab.metrics.list_metrics().send().await), "ServiceUnavailable");
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("ServiceUnavailable".to_owned()));
    lab.sts.get_caller_identity().send().await.expect("STS answers");
    let west = aws_sdk_rds::config::Builder::new().region(Region::from_static("us-west-2"));
    let call = lab.rds.describe_db_instances().customize().config_override(west);
    call.send().await.expect("another region answers");
    let query = SimQuery {
        host: "nowhere.us-east-1.rds.amazonaws.com".to_owned(),
        port: 5432,
        database: "orders".to_owned(),
        user: "orders_admin".to_owned(),
        password: "wrong".to_owned().into(),
        statement: "SELECT 1".to_owned(),
        access: SimAccess::ReadOnly,
    };
    lab.simulator.set_faults(&[]).expect("none");
    let orders = lab.instance("shop-orders").await;
    let host = orders.endpoint().and_then(|endpoint| endpoint.address()).expect("an address");
    lab.simulator.set_faults(&["control-plane-down".to_owned()]).expect("known");
    let query = SimQuery { host: host.to_owned(), ..query };
    let answered = lab.simulator.query(&query, lab.clock.now()).expect_err("the wrong password");
    assert_eq!(answered.code(), Some("28P01"), "the database itself answers");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_control_plane_outlasts_its_clients() {
    let lab = Lab::new(&["control-plane-down=us-east-1/hang"]);
    let before = lab.clock.now();
    // As drctl's own clients do; otherwise the SDK's watch over uploads gives up first.
    let patient = StalledStreamProtectionConfig::disabled();
    let patient = aws_sdk_rds::config::Builder::new().stalled_stream_protection(patient);
    let call = lab.rds.describe_db_instances().customize().config_override(patient);
    let error = call.send().await.expect_err("no answer");
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert!(lab.clock.now() - before >= minutes(15));
}

#[tokio::test(start_paused = true)]
async fn a_skewed_clock_is_shown_and_beyond_five_minutes_refused() {
    let ask = |world: &Simulator| {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKID/20260115/us-east-1/rds/aws4_request";
        let headers = [("authorization".to_owned(), authorization.to_owned())].into();
        let request = WireRequest {
            method: "POST".to_owned(),
            host: "127.0.0.1:1".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body: b"Action=DescribeDBInstances".to_vec(),
        };
        world.handle(&request, epoch()).response
    };
    let date = |fault: &str| {
        let response = ask(&simulator(&[fault]));
        (response.status, response.headers["date"].clone())
    };
    assert_eq!(date("slow"), (200, "Thu, 15 Jan 2026 09:00:00 GMT".to_owned()));
    assert_eq!(date("clock-skew=4m"), (200, "Thu, 15 Jan 2026 09:04:00 GMT".to_owned()));
    assert_eq!(date("clock-skew"), (400, "Thu, 15 Jan 2026 09:10:00 GMT".to_owned()));
    assert_eq!(date("clock-skew=-1h"), (403, "Thu, 15 Jan 2026 08:00:00 GMT".to_owned()));
    let lab = Lab::new(&["clock-skew=6m"]);
    assert_eq!(code(lab.rds.describe_db_instances().send().await), "RequestExpired");
    let lab = Lab::new(&["clock-skew=-6m"]);
    assert_eq!(code(lab.sts.get_caller_identity().send().await), "RequestTimeTooSkewed");
}

#[tokio::test(start_paused = true)]
async fn faults_of_one_kind_replace_each_other_and_remember_their_strikes() {
    let lab = Lab::new(&["throttled=1"]);
    assert_eq!(code(lab.rds.describe_db_instances().send().await), "Throttling");
    assert_eq!(lab.simulator.faults(), [("throttled=1".to_owned(), 1)]);
    let set = |faults: &[&str]| {
        let faults: Vec<String> = faults.iter().map(|fault| (*fault).to_owned()).collect();
        lab.simulator.set_faults(&faults)
    };
    set(&["slow", "throttled=1"]).expect("known");
    assert_eq!(lab.simulator.faults()[1], ("throttled=1".to_owned(), 1), "still used up");
    set(&["throttled=1", "throttled=2"]).expect("known");
    assert_eq!(lab.simulator.faults(), [("throttled=2".to_owned(), 0)]);
    assert!(set(&["slow", "nonsense"]).is_err());
    assert_eq!(lab.simulator.faults().len(), 1, "a list is taken whole or not at all");
}
