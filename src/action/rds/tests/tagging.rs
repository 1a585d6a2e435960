//! Every creating call of the catalogue carries whose it is and until when.
//!
//! **Invariant:** an action that declares a call of a kind that is not known here fails the test, so that
//! nobody adds one that creates without tags.

use super::{Bench, TAKEN, inputs, run, step};
use crate::action::standard;
use crate::base::clock::simulated_epoch;
use crate::base::value::{Value, Values};
use crate::cloud::guard::allow_list::{OperationKind, kind};
use crate::cloud::tests::answers::{encrypted_at, error, instance, instances, snapshot, snapshots};
use crate::cloud::tests::scripted::Reply;
use std::collections::{BTreeMap, BTreeSet};

/// Calls that change, disclose, remove or tell, and make nothing that would stay; an export of logs takes
/// no tags, and what it writes is evidence that is to stay.
const CREATES_NOTHING: &[&str] = &[
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupIngress",
    "ecs:UpdateService",
    "logs:CreateExportTask",
    "rds:DeleteDBInstance",
    "rds:DeleteDBSnapshot",
    "rds:ModifyDBInstance",
    "rds:PromoteReadReplica",
    "rds:RebootDBInstance",
    // Records and health checks carry no tags.
    "route53:ChangeResourceRecordSets",
    "route53:UpdateHealthCheck",
    // An object that is put is a canary: what it carries is metadata, and `canaries` shows it. What is copied
    // is a version of a key that is there.
    "s3:AbortMultipartUpload",
    "s3:CompleteMultipartUpload",
    "s3:CopyObject",
    "s3:CreateMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:PutObject",
    "s3:UploadPartCopy",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:RotateSecret",
    "secretsmanager:UpdateSecretVersionStage",
    "sns:Publish",
];

/// A creating action with what it needs to get as far as its creating call.
fn creating() -> Vec<(&'static str, Values, Vec<Reply>)> {
    let source = || {
        let more = "<StorageEncrypted>true</StorageEncrypted><VpcSecurityGroups>\
            <VpcSecurityGroupMembership><VpcSecurityGroupId>sg-1</VpcSecurityGroupId>\
            </VpcSecurityGroupMembership></VpcSecurityGroups>";
        instances(&instance("orders", "available", None, more))
    };
    let shot = snapshots(&snapshot("s-1", "manual", "available", None, &encrypted_at(TAKEN)));
    let text = |name: &'static str, value: &str| (name, Value::text(value));
    let at = ("restore_time", Value::Time(simulated_epoch()));
    let copied = [text("source_region", "us-east-1"), text("snapshot", "s-1")];
    vec![
        ("rds.copy_snapshot", inputs(&copied), vec![shot.clone()]),
        ("rds.create_replica", inputs(&[text("source", "orders")]), Vec::new()),
        ("rds.create_snapshot", inputs(&[text("instance", "orders")]), Vec::new()),
        (
            "rds.restore_from_snapshot",
            inputs(&[text("snapshot", "s-1"), text("source", "orders")]),
            vec![shot, source()],
        ),
        ("rds.restore_to_point_in_time", inputs(&[text("source", "orders"), at]), vec![source()]),
    ]
}

fn creates(operation: &str) -> bool {
    kind(operation) != OperationKind::ReadOnly && !CREATES_NOTHING.contains(&operation)
}

#[tokio::test(start_paused = true)]
async fn every_creating_call_of_the_catalogue_carries_owner_and_expiry() {
    let catalogue = standard();
    let declaring: BTreeSet<&str> = catalogue
        .names()
        .filter(|name| {
            catalogue.spec(name).is_some_and(|spec| spec.calls.iter().any(|it| creates(it)))
        })
        .collect();
    let tried: BTreeSet<&str> = creating().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(declaring, tried, "an action creates something: show here that it is tagged");

    let of = |hands_over: bool| creating().into_iter().map(move |it| (hands_over, it));
    let both = of(false).chain(of(true));
    for (hands_over, (name, inputs, mut replies)) in both {
        let action = catalogue.get(name).expect("it is in the catalogue");
        replies.push(error(400, "Throttling", "Rate exceeded"));
        let bench = Bench { hands_over, ..Bench::new(inputs, replies) };
        bench.act(&**action).await.expect_err("throttled");
        let sent = bench.script.sent();
        let form = &sent.last().expect("a creating call").form;
        assert!(creates(&format!("rds:{}", form["Action"])), "{name} sent {}", form["Action"]);
        let tags: BTreeMap<&str, &str> = (1..)
            .map_while(|number| {
                let field = |part: &str| form.get(&format!("Tags.Tag.{number}.{part}"));
                Some((field("Key")?.as_str(), field("Value")?.as_str()))
            })
            .collect();
        let (run, step) = (run(), step());
        let why = format!("run {run} made it to be used");
        let mut wanted = BTreeMap::from([
            ("drctl:run", run.as_str()),
            ("drctl:step", step.as_str()),
            ("drctl:owner", "ada"),
            ("drctl:expires", "2026-01-16T09:00:00Z"),
        ]);
        wanted.extend(hands_over.then_some(("drctl:keep", why.as_str())));
        assert_eq!(tags, wanted, "{name}, handed over: {hands_over}");
    }
}
