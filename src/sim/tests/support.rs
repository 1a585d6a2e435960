//! Estates and clients for the tests.

use crate::base::clock::{Clock, simulated_epoch};
use crate::estate::{self, Estate};
use crate::sim::{SimOptions, Simulator, http_client};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_rds::primitives::DateTime as SdkTime;
use aws_sdk_rds::types::{DbInstance, SourceType};
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_types::{SdkConfig, region::Region};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::{Duration, SystemTime};

pub(super) const ESTATE: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
services:
  api: { cluster: shop, task_definition: "shop-api:42", desired: 10, database: orders }
  web: { cluster: shop, task_definition: "shop-web:7", desired: 4, minimum_healthy_percent: 50, maximum_percent: 100 }
  jobs: { cluster: batch, service: nightly, task_definition: "jobs:1", desired: 0 }
  api_west: { cluster: shop, service: api, task_definition: "shop-api:42", region: us-west-2, desired: 2 }
log_groups:
  api: { name: /ecs/shop-api }
databases:
  orders:
    instance: shop-orders
    engine_version: "15.3"
    class: db.r6g.large
    storage_gib: 100
    multi_az: true
    kms_key: alias/shop
    deletion_protection: true
    subnet_group: shop-private
    security_groups: [sg-shop]
    parameter_group: shop-pg15
    log_exports: [postgresql]
    database: orders
    user: orders_admin
    secret: shop/orders
    tags: { service: orders, tier: critical }
    dataset:
      extensions: [plpgsql, amcheck]
      heartbeat_every: 1s
      tables: { customers: { rows: 50 }, orders: { rows: 500, row_every: 60s } }
  replica:
    instance: shop-orders-replica
    replica_of: orders
    backup_retention_days: 0
    subnet_group: shop-private
    database: orders
    user: orders_admin
  stock:
    instance: shop-stock
    database: stock
    secret: shop/stock
    dataset: { heartbeat_every: 1s, tables: { items: { rows: 30 } } }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3, topics: [alerts], buckets: [evidence] }
"#;

pub(super) fn estate() -> Estate {
    estate::load("shop.yaml", ESTATE).expect("a valid estate")
}

pub(super) fn simulator(faults: &[&str]) -> Simulator {
    let estate = estate();
    let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
    let options = SimOptions { seed: None, faults };
    Simulator::create(&estate, &estate.environments["sim"], options).expect("a world")
}

#[derive(Debug, Clone)]
pub(super) struct Time(pub(super) Clock);
impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}
impl AsyncSleep for Time {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.0.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

pub(super) fn sdk(client: SharedHttpClient, clock: &Clock, attempts: u32) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "sim");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(client)
        .sleep_impl(SharedAsyncSleep::new(Time(clock.clone())))
        .time_source(SharedTimeSource::new(Time(clock.clone())))
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .build()
}

/// One simulated AWS with its clients, on a paused clock.
pub(super) struct Lab {
    pub(super) simulator: Simulator,
    pub(super) clock: Clock,
    pub(super) rds: aws_sdk_rds::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) secrets: aws_sdk_secretsmanager::Client,
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) kms: aws_sdk_kms::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) metrics: aws_sdk_cloudwatch::Client,
    pub(super) ecs: aws_sdk_ecs::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
}

impl Lab {
    pub(super) fn new(faults: &[&str]) -> Self {
        Self::with(simulator(faults), 1)
    }

    pub(super) fn with(simulator: Simulator, attempts: u32) -> Self {
        fastrand::seed(7);
        let clock = Clock::virtual_from(simulator.time());
        let config = sdk(http_client(simulator.clone(), clock.clone(), None), &clock, attempts);
        Self {
            rds: aws_sdk_rds::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            kms: aws_sdk_kms::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            metrics: aws_sdk_cloudwatch::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            simulator,
            clock,
        }
    }

    /// The same AWS in another region.
    pub(super) fn rds_in(&self, region: &'static str) -> aws_sdk_rds::Client {
        let config = self.rds.config().to_builder().region(Region::from_static(region)).build();
        aws_sdk_rds::Client::from_conf(config)
    }

    /// The statuses that an instance goes through until it is in the last one wanted.
    pub(super) async fn course(
        &self,
        rds: &aws_sdk_rds::Client,
        id: &str,
        last: &str,
    ) -> Vec<String> {
        let mut statuses: Vec<String> = Vec::new();
        let mut calm = 0;
        for _ in 0..4000 {
            self.sleep(5).await;
            let found = rds.describe_db_instances().db_instance_identifier(id).send().await;
            let status = match found {
                Ok(found) => found.db_instances()[0].db_instance_status().map(str::to_owned),
                Err(error) => error.code().map(str::to_owned),
            };
            let status = status.expect("a status");
            calm = if status == last { calm + 1 } else { 0 };
            if statuses.last() != Some(&status) {
                statuses.push(status);
            }
            // Longer than anything reads `available` before it changes.
            if calm > 12 {
                return statuses;
            }
        }
        panic!("{id} never stayed {last}: {statuses:?}");
    }

    /// Messages of the events of an instance or snapshot, oldest first.
    pub(super) async fn told(
        &self,
        rds: &aws_sdk_rds::Client,
        kind: SourceType,
        id: &str,
    ) -> Vec<String> {
        let asked = rds.describe_events().source_identifier(id).source_type(kind).duration(20_160);
        let found = asked.send().await.expect("events");
        found.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect()
    }

    pub(super) async fn sleep(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    /// `None` when it is not found.
    pub(super) async fn find(&self, id: &str) -> Option<DbInstance> {
        let answer = self.rds.describe_db_instances().db_instance_identifier(id).send().await;
        match answer {
            Ok(found) => Some(found.db_instances()[0].clone()),
            Err(error) => {
                assert_eq!(error.code(), Some("DBInstanceNotFound"), "{error:?}");
                None
            }
        }
    }

    pub(super) async fn instance(&self, id: &str) -> DbInstance {
        self.find(id).await.unwrap_or_else(|| panic!("{id} exists"))
    }

    /// Restores `shop-orders` as of `ago` before now; the error code when refused.
    pub(super) async fn restore(&self, target: &str, ago: TimeDelta) -> Result<(), String> {
        self.rds
            .restore_db_instance_to_point_in_time()
            .source_db_instance_identifier("shop-orders")
            .target_db_instance_identifier(target)
            .restore_time(sdk_time(self.clock.now() - ago))
            .send()
            .await
            .map(drop)
            .map_err(|error| error.code().map_or_else(|| format!("{error:?}"), str::to_owned))
    }

    /// Polls until the instance has `status`.
    pub(super) async fn until(&self, id: &str, status: &str) -> DbInstance {
        for _ in 0..2000 {
            if let Some(found) = self.find(id).await
                && found.db_instance_status() == Some(status)
            {
                return found;
            }
            self.sleep(15).await;
        }
        panic!("{id} never became {status}");
    }
}

pub(super) fn sdk_time(instant: DateTime<Utc>) -> SdkTime {
    SdkTime::from_millis(instant.timestamp_millis())
}

/// Code of a refused call.
pub(super) fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, E>,
) -> String {
    let error = answer.expect_err("refused");
    error.code().map_or_else(|| format!("{error:?}"), str::to_owned)
}

pub(super) fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

pub(super) fn epoch() -> DateTime<Utc> {
    simulated_epoch()
}

/// Code and message of a refused call.
pub(super) async fn refused<E: ProvideErrorMetadata, O, F>(call: F) -> (String, String)
where
    F: Future<Output = Result<O, aws_sdk_rds::error::SdkError<E>>>,
{
    match call.await {
        Ok(_) => panic!("was accepted"),
        Err(error) => (
            error.code().unwrap_or_default().to_owned(),
            error.message().unwrap_or_default().to_owned(),
        ),
    }
}
