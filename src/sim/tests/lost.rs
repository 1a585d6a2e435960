//! A lost region: nothing in it answers, what follows it from elsewhere falls behind, and it comes back.

use super::support::{Lab, code, estate, sdk};
use crate::base::clock::Clock;
use crate::sim::{SimAccess, SimOptions, SimQuery, Simulator, http_client};
use aws_sdk_iam::operation::simulate_principal_policy::{
    SimulatePrincipalPolicyError, SimulatePrincipalPolicyOutput,
};
use aws_sdk_rds::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_types::region::Region;
use std::fmt::Debug;

const ORDERS: &str = "arn:aws:rds:us-east-1:123456789012:db:shop-orders";

fn breaks<T: Debug, E: Debug>(answer: Result<T, SdkError<E>>) {
    let error = answer.expect_err("no answer");
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
}

type Simulated = Result<SimulatePrincipalPolicyOutput, SdkError<SimulatePrincipalPolicyError>>;

/// One call of IAM.
async fn permissions(lab: &Lab) -> Simulated {
    let ask = lab.iam.simulate_principal_policy().action_names("rds:DescribeDBInstances");
    ask.policy_source_arn("arn:aws:iam::123456789012:user/drctl-simulated").send().await
}

impl Lab {
    fn faults(&self, faults: &[&str]) {
        let faults: Vec<String> = faults.iter().map(|fault| (*fault).to_owned()).collect();
        self.simulator.set_faults(&faults).expect("known");
    }

    /// A replica of the orders database in us-west-2.
    async fn far_replica(&self) -> aws_sdk_rds::Client {
        let west = self.rds_in("us-west-2");
        let create = west.create_db_instance_read_replica().db_instance_identifier("far");
        let create = create.source_db_instance_identifier(ORDERS).kms_key_id("alias/aws/rds");
        create.send().await.expect("accepted");
        self.course(&west, "far", "available").await;
        west
    }

    fn far_lag(&self) -> i64 {
        let lag = self.simulator.replica_lag("us-west-2", "far", self.clock.now());
        lag.expect("a replica")
    }

    async fn replicates(&self, west: &aws_sdk_rds::Client) -> (Option<String>, Option<bool>) {
        let found = west.describe_db_instances().db_instance_identifier("far").send().await;
        let found = found.expect("there");
        let info = &found.db_instances()[0].status_infos()[0];
        (info.status().map(str::to_owned), info.normal())
    }

    /// What a client of the database at `host` gets.
    async fn asks(&self, host: &str) -> Result<i64, String> {
        // The secret's home is lost as well: what is known of it stays known.
        let password = crate::sim::secrets::password(
            crate::base::seed::Seed::new(3),
            "orders",
            crate::sim::secrets::Version::Current,
        );
        let query = SimQuery {
            host: host.to_owned(),
            port: 5432,
            database: "orders".to_owned(),
            user: "orders_admin".to_owned(),
            password: password.into(),
            statement: "SELECT at_ms FROM drctl.heartbeat".to_owned(),
            access: SimAccess::ReadOnly,
        };
        let answer = self.simulator.query(&query, self.clock.now());
        let rows = answer.map_err(|error| error.to_string())?;
        Ok(rows.rows[0][0].clone().expect("a beat").parse().expect("a number"))
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_lost_region_answers() {
    let lab = Lab::new(&[]);
    let host =
        lab.instance("shop-orders").await.endpoint().expect("one").address().map(str::to_owned);
    let host = host.expect("a host");
    lab.asks(&host).await.expect("answers");
    lab.faults(&["region-lost=us-east-1"]);
    let before = lab.clock.now();
    breaks(lab.rds.describe_db_instances().send().await);
    breaks(lab.sts.get_caller_identity().send().await);
    breaks(lab.kms.list_keys().send().await);
    breaks(lab.sns.list_topics().send().await);
    breaks(lab.metrics.list_metrics().send().await);
    breaks(permissions(&lab).await);
    let asked = lab.asks(&host).await.expect_err("unreachable");
    assert!(asked.contains("no route to host"), "{asked}");
    assert!((lab.clock.now() - before).num_seconds() < 60, "refused at once");
    assert!(lab.simulator.mutations().is_empty());
    lab.rds_in("us-west-2").describe_db_instances().send().await.expect("another answers");
    lab.faults(&["region-lost=us-east-1/hang"]);
    let before = lab.clock.now();
    let patient = aws_config::stalled_stream_protection::StalledStreamProtectionConfig::disabled();
    let patient = aws_sdk_rds::config::Builder::new().stalled_stream_protection(patient);
    breaks(lab.rds.describe_db_instances().customize().config_override(patient).send().await);
    assert!((lab.clock.now() - before).num_minutes() >= 15, "it hung");
}

#[tokio::test(start_paused = true)]
async fn a_loss_begins_and_ends_when_it_is_to() {
    let lab = Lab::new(&["region-lost=us-east-1/after=5m/for=10m"]);
    lab.rds.describe_db_instances().send().await.expect("not yet");
    lab.sleep(290).await;
    lab.rds.describe_db_instances().send().await.expect("not yet");
    lab.sleep(20).await;
    breaks(lab.rds.describe_db_instances().send().await);
    // A fault that stays on goes on, and does not begin anew.
    lab.faults(&["slow", "region-lost=us-east-1/after=5m/for=10m"]);
    lab.sleep(580).await;
    breaks(lab.rds.describe_db_instances().send().await);
    lab.sleep(20).await;
    lab.rds.describe_db_instances().send().await.expect("back");
    lab.sleep(1200).await;
    lab.rds.describe_db_instances().send().await.expect("and stays");
    // Another one takes its place from now on.
    lab.faults(&["region-lost=us-east-1"]);
    breaks(lab.rds.describe_db_instances().send().await);
    lab.faults(&[]);
    lab.rds.describe_db_instances().send().await.expect("switched off");
}

#[tokio::test(start_paused = true)]
async fn replicas_elsewhere_fall_behind_and_catch_up() {
    let lab = Lab::new(&[]);
    let west = lab.far_replica().await;
    assert!((2..5).contains(&lab.far_lag()));
    lab.faults(&["region-lost=us-east-1"]);
    let lost_at = lab.clock.now();
    lab.sleep(1200).await;
    assert!((1200..1206).contains(&lab.far_lag()), "{}", lab.far_lag());
    let (status, normal) = lab.replicates(&west).await;
    assert_eq!((status.as_deref(), normal), (Some("error"), Some(false)));
    // What it has is what was written before the loss.
    let found = west.describe_db_instances().send().await.expect("there");
    let host = found.db_instances()[0].endpoint().and_then(|it| it.address()).expect("a host");
    let beat = lab.asks(host).await.expect("the replica itself answers");
    let behind = lost_at.timestamp_millis() - beat;
    assert!((0..=6_000).contains(&behind), "{behind} ms before the loss");
    lab.faults(&[]);
    lab.sleep(60).await;
    assert!((500..700).contains(&lab.far_lag()), "it replays: {}", lab.far_lag());
    assert_eq!(lab.replicates(&west).await.0.as_deref(), Some("replicating"));
    lab.sleep(120).await;
    assert!((2..5).contains(&lab.far_lag()), "caught up: {}", lab.far_lag());
}

#[tokio::test(start_paused = true)]
async fn nobody_measures_a_replica_in_a_lost_region() {
    let lab = Lab::new(&[]);
    lab.far_replica().await;
    let lag = || lab.simulator.replica_lag("us-west-2", "far", lab.clock.now());
    assert!(lag().is_some());
    lab.faults(&["region-lost=us-west-2"]);
    assert_eq!(lag(), None);
    lab.faults(&[]);
    assert!(lag().is_some(), "back");
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_is_promoted_meanwhile_keeps_what_it_had() {
    let lab = Lab::new(&[]);
    let west = lab.far_replica().await;
    lab.faults(&["region-lost=us-east-1"]);
    let lost_at = lab.clock.now().timestamp_millis();
    lab.sleep(600).await;
    west.promote_read_replica().db_instance_identifier("far").send().await.expect("accepted");
    lab.course(&west, "far", "available").await;
    let found = west.describe_db_instances().send().await.expect("there");
    let host = found.db_instances()[0].endpoint().and_then(|it| it.address()).expect("a host");
    let beat = lab.asks(host).await.expect("answers");
    assert!((0..=6_000).contains(&(lost_at - beat)), "{} ms before the loss", lost_at - beat);
    // The old writer is back when its region is, whoever writes elsewhere by then.
    lab.faults(&[]);
    assert_eq!(lab.instance("shop-orders").await.db_instance_status(), Some("available"));
}

#[tokio::test(start_paused = true)]
async fn what_needs_the_lost_region_is_refused_elsewhere() {
    let lab = Lab::new(&[]);
    let west = lab.rds_in("us-west-2");
    let snapshot = "arn:aws:rds:us-east-1:123456789012:snapshot:kept";
    let take = lab.rds.create_db_snapshot().db_snapshot_identifier("kept");
    take.db_instance_identifier("shop-stock").send().await.expect("accepted");
    lab.sleep(3600).await;
    let copy = || {
        let copy = west.copy_db_snapshot().source_db_snapshot_identifier(snapshot);
        copy.target_db_snapshot_identifier("copied")
    };
    lab.faults(&["region-lost=us-east-1"]);
    assert_eq!(code(copy().send().await), "ServiceUnavailable");
    let create = west.create_db_instance_read_replica().db_instance_identifier("far");
    let create = create.source_db_instance_identifier(ORDERS).kms_key_id("alias/aws/rds");
    assert_eq!(code(create.send().await), "ServiceUnavailable");
    let start = west.start_db_instance_automated_backups_replication();
    let start = start.source_db_instance_arn(ORDERS).kms_key_id("alias/aws/rds");
    assert_eq!(code(start.send().await), "ServiceUnavailable");
    lab.faults(&[]);
    copy().send().await.expect("accepted once it is back");
}

#[tokio::test(start_paused = true)]
async fn a_bucket_goes_with_its_region_whichever_endpoint_is_asked() {
    let estate = estate();
    let options = SimOptions { seed: None, faults: Vec::new() };
    let world = Simulator::create(&estate, &estate.environments["sim"], options).expect("a world");
    let clock = Clock::virtual_from(world.time());
    let sdk = sdk(http_client(world.clone(), clock.clone(), None), &clock, 1);
    let s3 = |region: &'static str| {
        let config = aws_sdk_s3::config::Builder::from(&sdk).region(Region::from_static(region));
        aws_sdk_s3::Client::from_conf(config.build())
    };
    let place = BucketLocationConstraint::from("eu-west-1");
    let place = CreateBucketConfiguration::builder().location_constraint(place).build();
    let made = s3("eu-west-1").create_bucket().bucket("kept").create_bucket_configuration(place);
    made.send().await.expect("made");
    let put = || {
        let body = ByteStream::from_static(b"x");
        s3("eu-west-1").put_object().bucket("kept").key("k").body(body).send()
    };
    put().await.expect("kept");
    world.set_faults(&["region-lost=eu-west-1".to_owned()]).expect("known");
    breaks(put().await);
    breaks(s3("us-east-1").head_bucket().bucket("kept").send().await);
    s3("us-east-1").list_buckets().send().await.expect("names are known everywhere");
    world.set_faults(&[]).expect("none");
    s3("eu-west-1").get_object().bucket("kept").key("k").send().await.expect("nothing is lost");
}

#[tokio::test(start_paused = true)]
async fn control_planes_of_global_services_are_in_one_region() {
    let lab = Lab::new(&["control-plane-down=us-east-1"]);
    assert_eq!(code(permissions(&lab).await), "ServiceUnavailable");
    lab.sts.get_caller_identity().send().await.expect("sessions are the data plane's");
    lab.faults(&["control-plane-down=us-west-2"]);
    permissions(&lab).await.expect("IAM's is in us-east-1");
}
