//! The factory of SDK clients: the one place that makes any.
//!
//! **Invariant:** every client has the guard on both sides, its own number of attempts and its own
//! time-outs; `Client::new` and `Client::from_conf` appear nowhere else.

use crate::base::clock::Clock;
use crate::cloud::ec2::Ec2;
use crate::cloud::guard::Guard;
use crate::cloud::guard::connector::guarded;
use crate::cloud::guard::interceptor::GuardInterceptor;
use crate::cloud::own::OwnClient;
use crate::cloud::time;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_rds::config::retry::RetryPartition;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::collections::BTreeMap;
use std::time::Duration;

/// Attempts of a read. Three retries bridge a throttled second; longer outages are the engine's.
const READ_ATTEMPTS: u32 = 4;
/// Longest read attempt: RDS answers describes within a second or two.
const READ_ATTEMPT: Duration = Duration::from_secs(15);
/// Longest read with its retries and their back-off of at most 20 s.
const READ_TOTAL: Duration = Duration::from_secs(90);
/// Longest write. A write that is given up is in doubt, so it gets more time than a read.
const WRITE_TOTAL: Duration = Duration::from_secs(40);
/// Longest copy of an object in S3: 5 GiB at some 10 MB/s.
const COPY_TOTAL: Duration = Duration::from_secs(10 * 60);
/// Longest time until a connection is open.
const CONNECT: Duration = Duration::from_secs(5);

/// S3 without checksums in trailers, which not every server at a fixed address reads: a body is signed
/// with its digest anyway. Such a server has one name for all buckets.
fn simple_bodies(config: aws_sdk_s3::config::Builder, fixed: bool) -> aws_sdk_s3::config::Builder {
    config
        .force_path_style(fixed)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
}

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientUse {
    /// Reads: the SDK tries again by itself.
    Reads,
    /// Writes: one attempt, because only the engine may repeat one, after looking.
    Writes,
}

/// Where a service is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Endpoints {
    /// Where the SDK's own rules and the operator's settings say.
    Resolved,
    /// At fixed addresses, by service, with `default` for the rest.
    Fixed(BTreeMap<String, String>),
}

impl Endpoints {
    /// The fixed address of a service.
    pub(crate) fn of(&self, service: &str) -> Option<&str> {
        match self {
            Self::Resolved => None,
            Self::Fixed(map) => map.get(service).or_else(|| map.get("default")).map(String::as_str),
        }
    }
}

/// Makes clients.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    sdk: SdkConfig,
    http: SharedHttpClient,
    guard: Guard,
    clock: Clock,
    endpoints: Endpoints,
    partition: String,
}

macro_rules! services {
    ($($(#[$doc:meta])* $service:ident: $sdk:ident $(, $tuned:path)?;)*) => {
        impl Clients {
            $(
                $(#[$doc])*
                pub(crate) fn $service(&self, region: &str, used: ClientUse) -> $sdk::Client {
                    let mut config = $sdk::config::Builder::from(&self.sdk)
                        .http_client(self.http.clone())
                        .interceptor(GuardInterceptor::new(self.guard.clone()))
                        .region(Region::new(region.to_owned()))
                        .retry_config(retries(used))
                        .retry_partition(self.partition(stringify!($service), region))
                        .timeout_config(time_outs(&self.clock, used))
                        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
                    let fixed = self.endpoints.of(stringify!($service));
                    if let Some(url) = fixed {
                        config = config.endpoint_url(url);
                    }
                    $(config = $tuned(config, fixed.is_some());)?
                    $sdk::Client::from_conf(config.build())
                }
            )*
        }

        /// Services that clients exist for.
        pub(crate) const SERVICES: &[&str] = &[$(stringify!($service),)* "ec2"];
    };
}

services! {
    /// A client of RDS.
    rds: aws_sdk_rds;
    /// A client of STS.
    sts: aws_sdk_sts;
    /// A client of Secrets Manager.
    secretsmanager: aws_sdk_secretsmanager;
    /// A client of IAM, which `doctor` asks about permissions.
    iam: aws_sdk_iam;
    /// A client of KMS, which is asked whether a snapshot's key can be used.
    kms: aws_sdk_kms;
    /// A client of SNS, which takes messages to people.
    sns: aws_sdk_sns;
    /// A client of S3, which keeps the journals that a team shares.
    s3: aws_sdk_s3, simple_bodies;
    /// A client of ECS, whose services are fenced, redeployed and scaled.
    ecs: aws_sdk_ecs;
    /// A client of Route 53.
    route53: aws_sdk_route53;
    /// A client of CloudWatch, which is asked for lags and alarms.
    cloudwatch: aws_sdk_cloudwatch;
    /// A client of CloudWatch Logs, whose groups are preserved as evidence.
    logs: aws_sdk_cloudwatchlogs;
}

impl Clients {
    /// A factory over a base configuration; `http` is the unguarded client.
    pub(crate) fn new(
        sdk: SdkConfig,
        http: SharedHttpClient,
        guard: Guard,
        clock: Clock,
        endpoints: Endpoints,
        partition: String,
    ) -> Self {
        let http = guarded(http, guard.clone());
        Self { sdk, http, guard, clock, endpoints, partition }
    }

    /// A client of STS for sessions of roles: what it sends is on the list of credential calls, which the
    /// HTTP client of `sdk` keeps to.
    pub(crate) fn sts_for_roles(
        sdk: &SdkConfig,
        url: Option<&str>,
        clock: &Clock,
    ) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::config::Builder::from(sdk)
            .retry_config(retries(ClientUse::Reads))
            .timeout_config(time_outs(clock, ClientUse::Reads))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = url {
            config = config.endpoint_url(url);
        }
        aws_sdk_sts::Client::from_conf(config.build())
    }

    /// A client of EC2, whose security groups fence.
    pub(crate) fn ec2(&self, region: &str, used: ClientUse) -> Ec2 {
        Ec2 { own: self.own("ec2", region, retries(used), time_outs(&self.clock, used)) }
    }

    /// A client that lists buckets. It sends a request once: whoever lists knows how many others are on
    /// their way, and slows all of them down.
    pub(crate) fn lists(&self, region: &str) -> OwnClient {
        self.own("s3", region, RetryConfig::disabled(), time_outs(&self.clock, ClientUse::Reads))
    }

    fn own(
        &self,
        service: &str,
        region: &str,
        retries: RetryConfig,
        time_outs: TimeoutConfig,
    ) -> OwnClient {
        OwnClient {
            sdk: self.sdk.clone(),
            http: self.http.clone(),
            guard: self.guard.clone(),
            region: region.to_owned(),
            fixed: self.endpoints.of(service).map(str::to_owned),
            retries,
            partition: self.partition(service, region),
            time_outs,
        }
    }

    /// A partition of the SDK's retry budget, so that two sessions in one process (rehearsals, tests)
    /// do not use up each other's.
    fn partition(&self, service: &str, region: &str) -> RetryPartition {
        RetryPartition::new(format!("{}-{service}-{region}", self.partition))
    }
}

fn retries(used: ClientUse) -> RetryConfig {
    match used {
        ClientUse::Reads => RetryConfig::standard().with_max_attempts(READ_ATTEMPTS),
        ClientUse::Writes => RetryConfig::standard().with_max_attempts(1),
    }
}

/// Time-outs of a copy, which S3 answers when all bytes are copied.
pub(crate) fn copy_time_outs(clock: &Clock) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(time::limit(clock, CONNECT))
        .operation_attempt_timeout(time::limit(clock, COPY_TOTAL))
        .operation_timeout(time::limit(clock, COPY_TOTAL))
        .build()
}

fn time_outs(clock: &Clock, used: ClientUse) -> TimeoutConfig {
    let (attempt, total) = match used {
        ClientUse::Reads => (READ_ATTEMPT, READ_TOTAL),
        ClientUse::Writes => (WRITE_TOTAL, WRITE_TOTAL),
    };
    TimeoutConfig::builder()
        .connect_timeout(time::limit(clock, CONNECT))
        .operation_attempt_timeout(time::limit(clock, attempt))
        .operation_timeout(time::limit(clock, total))
        .build()
}
