//! Input nobody sane would send: the simulator answers, it never panics.

use super::support::{epoch, simulator};
use crate::sim::{SimAccess, SimQuery, Simulator, WireRequest};
use proptest::prelude::*;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static WORLD: LazyLock<Simulator> = LazyLock::new(|| simulator(&[]));

const ACTIONS: [&str; 42] = [
    "DescribeDBInstances",
    "DescribeDBInstanceAutomatedBackups",
    "DescribeDBSnapshots",
    "DescribeDBSubnetGroups",
    "DescribeDBParameterGroups",
    "DescribeEvents",
    "ListTagsForResource",
    "AddTagsToResource",
    "RemoveTagsFromResource",
    "RestoreDBInstanceToPointInTime",
    "RestoreDBInstanceFromDBSnapshot",
    "CreateDBSnapshot",
    "DeleteDBSnapshot",
    "ModifyDBInstance",
    "DeleteDBInstance",
    "CopyDBSnapshot",
    "CreateDBInstance",
    "CreateDBInstanceReadReplica",
    "DeleteDBInstanceAutomatedBackup",
    "DescribeDBEngineVersions",
    "DescribeDBSnapshotAttributes",
    "DescribeOrderableDBInstanceOptions",
    "DescribeSourceRegions",
    "DescribeAccountAttributes",
    "PromoteReadReplica",
    "RebootDBInstance",
    "StartDBInstance",
    "StopDBInstance",
    "StartDBInstanceAutomatedBackupsReplication",
    "StopDBInstanceAutomatedBackupsReplication",
    "DescribeCertificates",
    "GetCallerIdentity",
    "AssumeRole",
    "CreateTopic",
    "GetTopicAttributes",
    "Publish",
    "SetTopicAttributes",
    "SimulatePrincipalPolicy",
    "GetMetricData",
    "GetMetricStatistics",
    "PutMetricData",
    "Nonsense",
];

const NAMES: [&str; 55] = [
    "DBInstanceIdentifier",
    "SourceDBInstanceIdentifier",
    "TargetDBInstanceIdentifier",
    "DBSnapshotIdentifier",
    "RestoreTime",
    "UseLatestRestorableTime",
    "MaxRecords",
    "Marker",
    "ResourceName",
    "Tags.Tag.1.Key",
    "Tags.Tag.1.Value",
    "TagKeys.member.1",
    "Filters.Filter.1.Name",
    "Filters.Filter.1.Values.Value.1",
    "Duration",
    "StartTime",
    "EndTime",
    "BackupRetentionPeriod",
    "AllocatedStorage",
    "MasterUserPassword",
    "RoleArn",
    "NewDBInstanceIdentifier",
    "SourceDBSnapshotIdentifier",
    "TargetDBSnapshotIdentifier",
    "SourceDBInstanceArn",
    "KmsKeyId",
    "Engine",
    "EngineVersion",
    "DBInstanceClass",
    "PreferredMaintenanceWindow",
    "PreferredBackupWindow",
    "DBPortNumber",
    "ForceFailover",
    "SkipFinalSnapshot",
    "Name",
    "TopicArn",
    "Message",
    "Subject",
    "MessageStructure",
    "AttributeName",
    "AttributeValue",
    "Attributes.entry.1.key",
    "MessageAttributes.entry.1.Name",
    "MessageAttributes.entry.1.Value.DataType",
    "PolicySourceArn",
    "ActionNames.member.1",
    "PolicyInputList.member.1",
    "MaxItems",
    "Namespace",
    "MetricName",
    "MetricData.member.1.MetricName",
    "MetricData.member.1.Value",
    "MetricDataQueries.member.1.Id",
    "MetricDataQueries.member.1.MetricStat.Period",
    "Period",
];

/// Services that speak JSON, and their operations.
const TARGETS: [(&str, &str); 15] = [
    ("secretsmanager", "secretsmanager.GetSecretValue"),
    ("secretsmanager", "secretsmanager.PutSecretValue"),
    ("secretsmanager", "secretsmanager.ListSecrets"),
    ("secretsmanager", "secretsmanager.ReplicateSecretToRegions"),
    ("kms", "TrentService.DescribeKey"),
    ("kms", "TrentService.ListAliases"),
    ("kms", "TrentService.CreateKey"),
    ("kms", "TrentService.CreateAlias"),
    ("kms", "TrentService.ScheduleKeyDeletion"),
    ("monitoring", "GraniteServiceVersion20100801.GetMetricData"),
    ("monitoring", "GraniteServiceVersion20100801.GetMetricStatistics"),
    ("monitoring", "GraniteServiceVersion20100801.ListMetrics"),
    ("monitoring", "GraniteServiceVersion20100801.PutMetricData"),
    ("monitoring", "GraniteServiceVersion20100801.PutMetricData"),
    ("monitoring", "GraniteServiceVersion20100801.Nonsense"),
];

const FIELDS: [&str; 25] = [
    "SecretId",
    "SecretString",
    "VersionStage",
    "VersionId",
    "ClientRequestToken",
    "AddReplicaRegions",
    "MaxResults",
    "NextToken",
    "Filters",
    "KeyId",
    "AliasName",
    "TargetKeyId",
    "Limit",
    "Marker",
    "PendingWindowInDays",
    "Namespace",
    "MetricName",
    "MetricData",
    "MetricDataQueries",
    "StartTime",
    "EndTime",
    "Period",
    "Statistics",
    "Dimensions",
    "MaxDatapoints",
];

/// Values that are nearly right, and any others.
fn json() -> impl Strategy<Value = Json> {
    let metric = serde_json::json!({ "Namespace": "AWS/RDS", "MetricName": "CPUUtilization",
        "Dimensions": [{ "Name": "DBInstanceIdentifier", "Value": "shop-orders" }] });
    let query = serde_json::json!([{ "Id": "q", "MetricStat": {
        "Metric": metric, "Period": 60, "Stat": "p99.9" } }]);
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        Just(Json::from(1_768_467_600)),
        Just(Json::from(60)),
        Just(Json::from("shop/orders")),
        Just(Json::from("alias/shop")),
        Just(Json::from("AWSPREVIOUS")),
        Just(query),
        Just(serde_json::json!([{ "MetricName": "m", "Value": 1e300 }])),
        Just(serde_json::json!([{ "MetricName": "m", "Values": [1, 2], "Counts": [1, "x"] }])),
        Just(serde_json::json!([{ "Region": "us-west-2", "KmsKeyId": "alias/aws/rds" }])),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[A-Za-z]{1,6}", inner, 0..3)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("shop-orders".to_owned()),
        Just("shop-stock".to_owned()),
        Just("true".to_owned()),
        Just("4294967295".to_owned()),
        Just("9999-12-31T23:59:59Z".to_owned()),
        Just("0000-01-01T00:00:00Z".to_owned()),
        Just("arn:aws:rds:us-east-1:123456789012:db:shop-stock".to_owned()),
        Just("arn:::".to_owned()),
        Just("arn:aws:sns:us-east-1:123456789012:alerts".to_owned()),
        Just("json".to_owned()),
        any::<String>(),
    ]
}

fn request(service: &str, body: Vec<u8>, target: &str) -> WireRequest {
    WireRequest {
        method: "POST".to_owned(),
        host: format!("{service}.us-east-1.amazonaws.com"),
        path: "/".to_owned(),
        query: String::new(),
        headers: BTreeMap::from([("x-amz-target".to_owned(), target.to_owned())]),
        body,
    }
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_form_gets_an_answer(
        action in prop::sample::select(&ACTIONS[..]),
        fields in prop::collection::vec((prop::sample::select(&NAMES[..]), value()), 0..8),
        service in prop::sample::select(&["rds", "sts", "sns", "iam", "monitoring"][..]),
    ) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action);
        form.extend_pairs(fields);
        let request = request(service, form.finish().into_bytes(), "");
        let answer = WORLD.fork().handle(&request, epoch());
        let status = answer.response.status;
        prop_assert!([200, 400, 403, 404].contains(&status), "{}", status);
        let text = String::from_utf8(answer.response.body).expect("text");
        let mut reader = quick_xml::Reader::from_str(&text);
        loop {
            match reader.read_event() {
                Ok(quick_xml::events::Event::Eof) => break,
                Ok(_) => {}
                Err(error) => prop_assert!(false, "{error} in {text}"),
            }
        }
    }

    #[test]
    fn any_bytes_get_an_answer(
        body in prop::collection::vec(any::<u8>(), 0..200),
        service in prop::sample::select(&["rds", "sts", "secretsmanager", "sns", "kms", "dynamodb"][..]),
        target in prop::sample::select(&["", "secretsmanager.GetSecretValue", "TrentService.DescribeKey", "x"][..]),
    ) {
        let answer = WORLD.fork().handle(&request(service, body, target), epoch());
        prop_assert_eq!(answer.response.status, 400);
    }

    #[test]
    fn any_object_gets_an_answer(
        method in prop::sample::select(&["GET", "PUT", "HEAD", "DELETE", "POST", "PATCH"][..]),
        path in "(/|b|%|%41|%ff|[a-z]|\\.\\.| ){0,12}",
        query in "(list-type=2|delete|location|prefix=|max-keys=|&|=|%|-1|x){0,8}",
        headers in prop::collection::btree_map(prop::sample::select(&[
            "if-match", "if-none-match", "content-encoding", "x-amz-content-sha256", "content-md5",
            "x-amz-decoded-content-length", "x-amz-checksum-crc32", "range",
        ][..]), "(\\*|\"|aws-chunked|STREAMING-|[0-9a-f]{2}|=){0,3}", 0..3),
        body in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut request = request("s3", body, "");
        request.headers.clear();
        (request.method, request.path, request.query) = (method.to_owned(), format!("/{path}"), query);
        request.headers.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let answer = WORLD.fork().handle(&request, epoch()).response;
        prop_assert!([200, 400, 404, 405, 501].contains(&answer.status), "{}", answer.status);
        let text = String::from_utf8(answer.body).expect("text");
        prop_assert_eq!(text.contains("<Code>"), answer.status != 200 && method != "HEAD");
    }

    #[test]
    fn any_json_gets_an_answer(
        (service, target) in prop::sample::select(&TARGETS[..]),
        fields in prop::collection::vec((prop::sample::select(&FIELDS[..]), json()), 0..6),
        cbor in any::<bool>(),
    ) {
        let body: serde_json::Map<String, Json> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let mut request = request(service, Json::Object(body.clone()).to_string().into(), target);
        if cbor && service == "monitoring" {
            request.headers.insert("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned());
            request.path = format!("/service/x/operation/{operation}");
            request.body.clear();
            ciborium::into_writer(&body, &mut request.body).expect("a vector");
        }
        let answer = WORLD.fork().handle(&request, epoch());
        let status = answer.response.status;
        prop_assert!([200, 400, 403].contains(&status), "{}", status);
        if request.path == "/" {
            let body: Json = serde_json::from_slice(&answer.response.body).expect("JSON");
            prop_assert_eq!(status != 200, body["__type"].is_string(), "{}", body);
        } else {
            let known = answer.response.headers.contains_key("x-amzn-query-error");
            prop_assert_eq!(status != 200, known);
        }
    }

    #[test]
    fn any_cbor_gets_an_answer(
        body in prop::collection::vec(any::<u8>(), 0..120),
        zipped in any::<bool>(),
        operation in prop::sample::select(&["GetMetricData", "PutMetricData", "", "x"][..]),
    ) {
        let mut request = request("monitoring", body, "");
        request.path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
        request.headers.insert("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned());
        if zipped {
            request.headers.insert("content-encoding".to_owned(), "gzip".to_owned());
        }
        let answer = WORLD.fork().handle(&request, epoch());
        prop_assert_eq!(answer.response.status, 400);
        let read: Result<ciborium::Value, _> =
            ciborium::from_reader(answer.response.body.as_slice());
        prop_assert!(read.is_ok_and(|value| value.is_map()));
    }

    #[test]
    fn any_statement_gets_an_answer(statement in prop_oneof![
        any::<String>(),
        "(SELECT|WITH|SHOW|CREATE SCHEMA|INSERT INTO|::|'|\"|\\(|\\)|;|--|orders|é| ){0,12}",
    ]) {
        let body = br#"{"SecretId":"shop/orders"}"#.to_vec();
        let request = request("secretsmanager", body, "secretsmanager.GetSecretValue");
        let world = WORLD.fork();
        let answer = world.handle(&request, epoch()).response.body;
        let answer: serde_json::Value = serde_json::from_slice(&answer).expect("json");
        let secret = answer["SecretString"].as_str().expect("a secret");
        let secret: serde_json::Value = serde_json::from_str(secret).expect("json");
        let text = |name: &str| secret[name].as_str().expect("text").to_owned();
        for access in [SimAccess::ReadOnly, SimAccess::ReadWrite] {
            let query = SimQuery {
                host: text("host"),
                port: 5432,
                database: "orders".to_owned(),
                user: text("username"),
                password: text("password").into(),
                statement: statement.clone(),
                access,
            };
            if let Err(fault) = world.query(&query, epoch()) {
                prop_assert!(fault.code().is_some(), "{fault}");
            }
        }
    }
}
