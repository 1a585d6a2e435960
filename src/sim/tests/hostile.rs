//! Input nobody sane would send: the simulator answers, it never panics.

use super::support::{epoch, simulator};
use crate::sim::{SimAccess, SimQuery, Simulator, WireRequest};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static WORLD: LazyLock<Simulator> = LazyLock::new(|| simulator(&[]));

const ACTIONS: [&str; 38] = [
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
    "Nonsense",
];

const NAMES: [&str; 44] = [
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
];

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
        service in prop::sample::select(&["rds", "sts", "sns"][..]),
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
        service in prop::sample::select(&["rds", "sts", "secretsmanager", "sns", "kms", "s3"][..]),
        target in prop::sample::select(&["", "secretsmanager.GetSecretValue", "TrentService.DescribeKey", "x"][..]),
    ) {
        let answer = WORLD.fork().handle(&request(service, body, target), epoch());
        prop_assert_eq!(answer.response.status, 400);
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
