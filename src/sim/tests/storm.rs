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
    fields: Fields,
}

type Fields = Vec<(&'static str, String)>;

fn of(random: &mut fastrand::Rng, from: &[&'static str]) -> &'static str {
    from[random.usize(0..from.len())]
}

fn arn(random: &mut fastrand::Rng, kind: &str, names: &[&'static str]) -> String {
    format!("arn:aws:rds:{}:123456789012:{kind}:{}", of(random, &PLACES), of(random, names))
}

fn key() -> (&'static str, String) {
    ("KmsKeyId", "alias/aws/rds".to_owned())
}

/// One of the calls that change something, with parameters that may well be right.
fn call(random: &mut fastrand::Rng) -> Call {
    let (action, fields) = if random.usize(0..22) < 11 { making(random) } else { changing(random) };
    let away = action.contains("BackupsReplication");
    let region = if away { "us-west-2" } else { of(random, &PLACES) };
    let after = match random.usize(0..12) {
        0 => random.i64(0..10 * 86_400),
        1..4 => random.i64(0..100),
        _ => random.i64(600..7200),
    };
    Call { after: TimeDelta::seconds(after), region, action, fields }
}

/// A call that makes something or takes it away.
fn making(random: &mut fastrand::Rng) -> (&'static str, Fields) {
    let id = ("DBInstanceIdentifier", of(random, &INSTANCES).to_owned());
    let snapshot = of(random, &SNAPSHOTS).to_owned();
    match random.usize(0..11) {
        0 => {
            let source = arn(random, "snapshot", &SNAPSHOTS);
            let target = ("TargetDBSnapshotIdentifier", snapshot);
            ("CopyDBSnapshot", vec![("SourceDBSnapshotIdentifier", source), target, key()])
        }
        1 => {
            let days = random.u32(0..3).to_string();
            let fixed = [
                ("DBInstanceClass", "db.t4g.micro"),
                ("Engine", "postgres"),
                ("AllocatedStorage", "20"),
                ("MasterUsername", "boss"),
                ("MasterUserPassword", "correct-horse"),
            ];
            let fixed = fixed.map(|(name, value)| (name, value.to_owned()));
            let fields = fixed.into_iter().chain([id, ("BackupRetentionPeriod", days)]);
            ("CreateDBInstance", fields.collect())
        }
        2 | 3 => {
            let near = of(random, &INSTANCES).to_owned();
            let source = if random.bool() { near } else { arn(random, "db", &INSTANCES) };
            let fields = [id, ("SourceDBInstanceIdentifier", source)].into_iter();
            let fields = fields.chain(random.bool().then(key)).collect();
            ("CreateDBInstanceReadReplica", fields)
        }
        4 | 5 => ("CreateDBSnapshot", vec![id, ("DBSnapshotIdentifier", snapshot)]),
        6 => {
            let skip = ("SkipFinalSnapshot", "true".to_owned());
            let drop = ("DeleteAutomatedBackups", random.bool().to_string());
            ("DeleteDBInstance", vec![id, skip, drop])
        }
        7 => ("DeleteDBSnapshot", vec![("DBSnapshotIdentifier", snapshot)]),
        8 => {
            let fields = vec![id, ("DBSnapshotIdentifier", snapshot)];
            ("RestoreDBInstanceFromDBSnapshot", fields)
        }
        _ => {
            let source = ("SourceDBInstanceIdentifier", id.1);
            let target = ("TargetDBInstanceIdentifier", of(random, &INSTANCES).to_owned());
            let latest = ("UseLatestRestorableTime", "true".to_owned());
            ("RestoreDBInstanceToPointInTime", vec![source, target, latest])
        }
    }
}

/// A call that changes what is there.
fn changing(random: &mut fastrand::Rng) -> (&'static str, Fields) {
    let id = ("DBInstanceIdentifier", of(random, &INSTANCES).to_owned());
    let few = ("DBInstanceIdentifier", of(random, &["shop-stock", "one"]).to_owned());
    let now = ("ApplyImmediately", random.bool().to_string());
    let source = ("SourceDBInstanceArn", arn(random, "db", &INSTANCES));
    match random.usize(0..12) {
        0 => {
            let name = ("NewDBInstanceIdentifier", of(random, &INSTANCES).to_owned());
            ("ModifyDBInstance", vec![id, name, now])
        }
        1 => {
            let zones = ("MultiAZ", random.bool().to_string());
            let monitoring = ("MonitoringInterval", "30".to_owned());
            ("ModifyDBInstance", vec![id, zones, monitoring, now])
        }
        2 => ("ModifyDBInstance", vec![id, ("DeletionProtection", "false".to_owned())]),
        3 | 4 => ("PromoteReadReplica", vec![id]),
        5 => ("RebootDBInstance", vec![id, ("ForceFailover", random.bool().to_string())]),
        6 | 7 => ("StartDBInstance", vec![few]),
        8 => ("StopDBInstance", vec![few]),
        9 | 10 => ("StartDBInstanceAutomatedBackupsReplication", vec![source, key()]),
        _ => ("StopDBInstanceAutomatedBackupsReplication", vec![source]),
    }
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
