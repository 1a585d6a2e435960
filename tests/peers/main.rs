//! drctl against servers and clients that we did not write: moto and PostgreSQL behind
//! `localstack/`, moto's RDS, MiniStack's S3, ECS, Route 53, SNS, Secrets Manager and IAM, boto3, rclone, s5cmd and the aws command line as clients of `drctl sim serve`,
//! and a YAML language server that reads our schemas.
//!
//! **Invariant:** a missing peer is reported as skipped, and in CI (`CI=true`) it is a failure;
//! real AWS is never contacted.

mod boto3;
mod localstack;
mod ministack;
mod ministack_buckets;
mod ministack_failover;
mod ministack_services;
mod moto;
mod rds;
mod rolled_back;
mod s3_clients;
mod schema;
mod served;
mod support;
