//! Answers as AWS writes them.
//!
//! **Invariant:** written by hand from the service's documented shapes; no code of the SDK makes them.

use crate::cloud::tests::scripted::{ACCOUNT, REGION, Reply};
use ciborium::value::Value as Cbor;

const RDS: &str = "http://rds.amazonaws.com/doc/2014-10-31/";

pub(crate) fn ok(operation: &str, result: &str) -> Reply {
    let body = format!(
        "<{operation}Response xmlns=\"{RDS}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{operation}Response>"
    );
    Reply::Http(200, body, vec![("content-type", "text/xml"), ("x-amzn-requestid", "r-1")])
}

pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse xmlns=\"{RDS}\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>r-2</RequestId></ErrorResponse>"
    );
    Reply::Http(status, body, vec![("content-type", "text/xml"), ("x-amzn-requestid", "r-2")])
}

pub(crate) fn html(status: u16) -> Reply {
    let body = "<!doctype html><title>Oops</title><h1>Not Implemented</h1>".to_owned();
    Reply::Http(status, body, vec![("content-type", "text/html; charset=utf-8")])
}

pub(crate) fn json(body: &str) -> Reply {
    let kind = vec![("content-type", "application/x-amz-json-1.1")];
    Reply::Http(200, body.to_owned(), kind)
}

pub(crate) fn json_error(code: &str, message: &str) -> Reply {
    let body = format!("{{\"__type\":\"{code}\",\"message\":\"{message}\"}}");
    Reply::Http(400, body, vec![("content-type", "application/x-amz-json-1.1")])
}

pub(crate) fn identity(account: &str) -> Reply {
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <GetCallerIdentityResult><Arn>arn:aws:sts::{account}:assumed-role/dr/ada</Arn>\
         <UserId>U</UserId><Account>{account}</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>"
    );
    Reply::Http(200, body, vec![("content-type", "text/xml")])
}

/// A `DBInstance` element with the given identifier, status, run tag and further elements.
pub(crate) fn instance(id: &str, status: &str, run: Option<&str>, more: &str) -> String {
    let tags = run.map_or_else(String::new, |run| {
        format!("<TagList><Tag><Key>drctl:run</Key><Value>{run}</Value></Tag></TagList>")
    });
    format!(
        "<DBInstance><DBInstanceIdentifier>{id}</DBInstanceIdentifier>\
         <DbiResourceId>db-{id}</DbiResourceId><DBInstanceStatus>{status}</DBInstanceStatus>\
         <Engine>postgres</Engine>{more}{tags}</DBInstance>"
    )
}

pub(crate) fn instances(elements: &str) -> Reply {
    ok("DescribeDBInstances", &format!("<DBInstances>{elements}</DBInstances>"))
}

/// A `DBSnapshot` element of `orders` with the given identifier, kind, status, run tag and further
/// elements.
pub(crate) fn snapshot(
    id: &str,
    kind: &str,
    status: &str,
    run: Option<&str>,
    more: &str,
) -> String {
    let tags = run.map_or_else(String::new, |run| {
        format!("<TagList><Tag><Key>drctl:run</Key><Value>{run}</Value></Tag></TagList>")
    });
    format!(
        "<DBSnapshot><DBSnapshotIdentifier>{id}</DBSnapshotIdentifier>\
         <DBSnapshotArn>arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:{id}</DBSnapshotArn>\
         <DBInstanceIdentifier>orders</DBInstanceIdentifier><DbiResourceId>db-orders</DbiResourceId>\
         <SnapshotType>{kind}</SnapshotType><Status>{status}</Status><Engine>postgres</Engine>\
         <EngineVersion>15.3</EngineVersion><AllocatedStorage>100</AllocatedStorage>{more}{tags}\
         </DBSnapshot>"
    )
}

pub(crate) fn snapshots(elements: &str) -> Reply {
    ok("DescribeDBSnapshots", &format!("<DBSnapshots>{elements}</DBSnapshots>"))
}

pub(crate) const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/1111";

/// Elements of an encrypted snapshot that was taken at `at`.
pub(crate) fn encrypted_at(at: &str) -> String {
    format!(
        "<SnapshotCreateTime>{at}</SnapshotCreateTime><Encrypted>true</Encrypted>\
         <KmsKeyId>{KEY}</KmsKeyId>"
    )
}

pub(crate) fn key(state: &str) -> Reply {
    json(&format!(
        "{{\"KeyMetadata\":{{\"KeyId\":\"1111\",\"Arn\":\"{KEY}\",\"KeyState\":\"{state}\"}}}}"
    ))
}

const CBOR: [(&str, &str); 2] =
    [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];

fn bytes(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a buffer takes it");
    bytes
}

/// `GetMetricData` with one result: figures with their instants, seconds since 1970.
pub(crate) fn metric(status: &str, figures: &[(f64, f64)]) -> Reply {
    metrics(status, &[("lag", figures)])
}

/// `GetMetricData` with results by their ids: figures with their instants, seconds since 1970.
pub(crate) fn metrics(status: &str, of: &[(&str, &[(f64, f64)])]) -> Reply {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let one = |(id, figures): &(&str, &[(f64, f64)])| {
        let times = figures.iter().map(|(at, _)| Cbor::Tag(1, Box::new(Cbor::Float(*at))));
        let values = figures.iter().map(|(_, value)| Cbor::Float(*value));
        Cbor::Map(vec![
            (text("Id"), text(id)),
            (text("Label"), text("a label")),
            (text("Timestamps"), Cbor::Array(times.collect())),
            (text("Values"), Cbor::Array(values.collect())),
            (text("StatusCode"), text(status)),
        ])
    };
    let results = Cbor::Array(of.iter().map(one).collect());
    let body = Cbor::Map(vec![(text("MetricDataResults"), results)]);
    Reply::Bytes(200, bytes(&body), CBOR.to_vec())
}

/// An error of CloudWatch under the code that the query protocol has for it.
pub(crate) fn metric_error(status: u16, query: &'static str, kind: &str) -> Reply {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let kind = format!("com.amazonaws.cloudwatch#{kind}");
    let body = Cbor::Map(vec![(text("__type"), Cbor::Text(kind)), (text("message"), text("no"))]);
    let mut headers = CBOR.to_vec();
    headers.push(("x-amzn-query-error", query));
    Reply::Bytes(status, bytes(&body), headers)
}

/// `DescribeAlarms` with metric alarms: name, state, and since when, seconds since 1970.
pub(crate) fn alarms(of: &[(&str, &str, f64)]) -> Reply {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let one = |(name, state, since): &(&str, &str, f64)| {
        Cbor::Map(vec![
            (text("AlarmName"), text(name)),
            (text("AlarmArn"), Cbor::Text(format!("arn:aws:cloudwatch:us-east-1:1:alarm:{name}"))),
            (text("StateValue"), text(state)),
            (text("StateReason"), text("the test says so")),
            (text("StateTransitionedTimestamp"), Cbor::Tag(1, Box::new(Cbor::Float(*since)))),
        ])
    };
    let all = Cbor::Array(of.iter().map(one).collect());
    let body = Cbor::Map(vec![
        (text("MetricAlarms"), all),
        (text("CompositeAlarms"), Cbor::Array(Vec::new())),
    ]);
    Reply::Bytes(200, bytes(&body), CBOR.to_vec())
}
