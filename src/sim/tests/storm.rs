//! Random calls in random order: whatever happens, a world depends on what was asked of it and when,
//! and on nothing else.

use super::support::{epoch, estate};
use crate::sim::{SimAccess, SimOptions, SimQuery, Simulator, WireRequest};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::path::Path;

const STORMS: u64 = 12;
const CALLS: usize = 90;

const INSTANCES: [&str; 6] =
    ["shop-orders", "shop-stock", "shop-orders-replica", "one", "two", "three"];
const SNAPSHOTS: [&str; 3] = ["s1", "s2", "s3"];
const REGIONS: [&str; 2] = ["us-east-1", "us-west-2"];
/// Most calls are made where the estate is.
const PLACES: [&str; 5] = ["us-east-1", "us-east-1", "us-east-1", "us-east-1", "us-west-2"];

/// A call, and how long after the one before.
#[derive(Debug, Clone)]
struct Call {
    after: TimeDelta,
    region: &'static str,
    action: &'static str,
    fields: Vec<(&'static str, String)>,
}

/// One of the calls that change something, with parameters that may well be right.
fn call(random: &mut fastrand::Rng) -> Call {
    let of = |random: &mut fastrand::Rng, from: &[&'static str]| from[random.usize(0..from.len())];
    let region = of(random, &PLACES);
    let mut arn = |kind: &str, names: &[&'static str]| {
        let place = of(random, &PLACES);
        format!("arn:aws:rds:{place}:123456789012:{kind}:{}", of(random, names))
    };
    let (instance_arn, snapshot_arn) = (arn("db", &INSTANCES), arn("snapshot", &SNAPSHOTS));
    let instance = of(random, &INSTANCES).to_owned();
    let other = of(random, &INSTANCES).to_owned();
    let snapshot = of(random, &SNAPSHOTS).to_owned();
    let key = ("KmsKeyId", "alias/aws/rds".to_owned());
    let flag = |random: &mut fastrand::Rng| random.bool().to_string();
    let id = ("DBInstanceIdentifier", instance.clone());
    let few = ("DBInstanceIdentifier", of(random, &["shop-stock", "one"]).to_owned());
    let (action, fields) = match random.usize(0..22) {
        0 => (
            "CopyDBSnapshot",
            vec![
                ("SourceDBSnapshotIdentifier", snapshot_arn),
                ("TargetDBSnapshotIdentifier", snapshot),
                key,
            ],
        ),
        1 => (
            "CreateDBInstance",
            vec![
                id,
                ("DBInstanceClass", "db.t4g.micro".to_owned()),
                ("Engine", "postgres".to_owned()),
                ("AllocatedStorage", "20".to_owned()),
                ("MasterUsername", "boss".to_owned()),
                ("MasterUserPassword", "correct-horse".to_owned()),
                ("BackupRetentionPeriod", random.u32(0..3).to_string()),
            ],
        ),
        2 | 3 => (
            "CreateDBInstanceReadReplica",
            vec![
                id,
                ("SourceDBInstanceIdentifier", if random.bool() { other } else { instance_arn }),
            ]
            .into_iter()
            .chain(random.bool().then_some(key))
            .collect(),
        ),
        4 | 5 => ("CreateDBSnapshot", vec![id, ("DBSnapshotIdentifier", snapshot)]),
        6 => (
            "DeleteDBInstance",
            vec![
                id,
                ("SkipFinalSnapshot", "true".to_owned()),
                ("DeleteAutomatedBackups", flag(random)),
            ],
        ),
        7 => ("DeleteDBSnapshot", vec![("DBSnapshotIdentifier", snapshot)]),
        8 => (
            "ModifyDBInstance",
            vec![id, ("NewDBInstanceIdentifier", other), ("ApplyImmediately", flag(random))],
        ),
        9 => (
            "ModifyDBInstance",
            vec![
                id,
                ("MultiAZ", flag(random)),
                ("MonitoringInterval", "30".to_owned()),
                ("ApplyImmediately", flag(random)),
            ],
        ),
        10 => ("ModifyDBInstance", vec![id, ("DeletionProtection", "false".to_owned())]),
        11 | 12 => ("PromoteReadReplica", vec![id]),
        13 => ("RebootDBInstance", vec![id, ("ForceFailover", flag(random))]),
        14 => ("RestoreDBInstanceFromDBSnapshot", vec![id, ("DBSnapshotIdentifier", snapshot)]),
        15 => (
            "RestoreDBInstanceToPointInTime",
            vec![
                ("SourceDBInstanceIdentifier", instance),
                ("TargetDBInstanceIdentifier", other),
                ("UseLatestRestorableTime", "true".to_owned()),
            ],
        ),
        16 | 20 => ("StartDBInstance", vec![few]),
        17 => ("StopDBInstance", vec![few]),
        18 | 21 => (
            "StartDBInstanceAutomatedBackupsReplication",
            vec![("SourceDBInstanceArn", instance_arn), key],
        ),
        _ => (
            "StopDBInstanceAutomatedBackupsReplication",
            vec![("SourceDBInstanceArn", instance_arn)],
        ),
    };
    let region = if action.contains("BackupsReplication") { "us-west-2" } else { region };
    let after = match random.usize(0..12) {
        0 => random.i64(0..10 * 86_400),
        1..4 => random.i64(0..100),
        _ => random.i64(600..7200),
    };
    Call { after: TimeDelta::seconds(after), region, action, fields }
}

fn send(world: &Simulator, region: &str, form: &str, now: DateTime<Utc>) -> (u16, String) {
    let request = WireRequest {
        method: "POST".to_owned(),
        host: format!("rds.{region}.amazonaws.com"),
        path: "/".to_owned(),
        query: String::new(),
        headers: BTreeMap::new(),
        body: form.as_bytes().to_vec(),
    };
    let answer = world.handle(&request, now).response;
    (answer.status, String::from_utf8(answer.body).expect("text"))
}

/// Lets the world notice the time without asking it anything that counts.
fn notice(world: &Simulator, now: DateTime<Utc>) {
    let query = SimQuery {
        host: "nowhere".to_owned(),
        port: 5432,
        database: "orders".to_owned(),
        user: "nobody".to_owned(),
        password: "none".to_owned().into(),
        statement: "SELECT 1".to_owned(),
        access: SimAccess::ReadOnly,
    };
    assert!(world.query(&query, now).is_err());
}

fn open(dir: Option<&Path>) -> Simulator {
    let (estate, options) = (estate(), SimOptions { seed: Some(11), faults: Vec::new() });
    let environment = &estate.environments["sim"];
    let world = match dir {
        Some(dir) => Simulator::open(dir, &estate, environment, options),
        None => Simulator::create(&estate, environment, options),
    };
    world.expect("a world")
}

#[test]
fn a_world_depends_on_what_was_asked_and_when_and_on_nothing_else() {
    let mut ends: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    for storm in 0..STORMS {
        let mut random = fastrand::Rng::with_seed(storm);
        let calls: Vec<Call> = (0..CALLS).map(|_| call(&mut random)).collect();
        let dir = tempfile::tempdir().expect("a directory");
        // One world is left alone between calls; the other is watched all the time and reopened.
        let (calm, mut watched) = (open(None), open(Some(dir.path())));
        let mut now = epoch();
        for (at, call) in calls.iter().enumerate() {
            for part in 1..8 {
                notice(&watched, now + call.after * part / 8);
            }
            if at % 20 == 19 {
                watched.save(now + call.after / 2).expect("saved");
                drop(watched);
                watched = open(Some(dir.path()));
            }
            now += call.after;
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("Action", call.action);
            form.extend_pairs(call.fields.iter().map(|(name, value)| (*name, value.as_str())));
            let form = form.finish();
            let first = send(&calm, call.region, &form, now);
            let second = send(&watched, call.region, &form, now);
            assert_eq!(first, second, "storm {storm}, call {at}: {call:?}");
            assert!([200, 400, 404].contains(&first.0), "{first:?}");
            *ends.entry((call.action, first.0 == 200)).or_default() += 1;
        }
        now += TimeDelta::days(2);
        for (region, action) in REGIONS.iter().flat_map(|region| {
            [
                "DescribeDBInstances",
                "DescribeDBSnapshots",
                "DescribeEvents&Duration=20160",
                "DescribeDBInstanceAutomatedBackups",
            ]
            .map(|action| (*region, action))
        }) {
            let form = format!("Action={action}");
            let shown = send(&calm, region, &form, now);
            assert_eq!(shown, send(&watched, region, &form, now), "storm {storm}: {action}");
        }
        assert_eq!(calm.state_json(), watched.state_json(), "storm {storm}");
        assert_eq!(calm.mutations(), watched.mutations(), "storm {storm}");
    }
    assert_eq!(ends.len(), 2 * 15, "each of fifteen operations, accepted and refused: {ends:?}");
}
