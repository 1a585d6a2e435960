//! Journals in the simulator's S3, through the guarded client: the contract of stores, and faults.

use super::joined;
use super::objects::BucketObjects;
use crate::base::clock::{Clock, simulated_epoch};
use crate::base::ids::RunId;
use crate::cli::state::StateDir;
use crate::cloud::HttpSource;
use crate::cloud::bucket::{Bucket, BucketPlace, Written};
use crate::estate;
use crate::journal::event::{Event, Record};
use crate::journal::objects::Objects;
use crate::journal::testing::JournalBuilder;
use crate::journal::{SegmentStore, SqliteStore, Store, Takeover, contract};
use crate::sim::{SimOptions, Simulator, WireRequest, http_client};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// So much faster than real time do answers come.
const SPEED: f64 = 10_000.0;

const ESTATE: &str = "apiVersion: drctl/v1\nkind: Estate\nname: shop\nenvironments:\n\
                      \x20 sim: { type: simulated, account: '123456789012', region: us-east-1 }\n\
                      databases:\n  orders: { instance: shop-orders, database: orders }\n";

/// A simulated AWS with one bucket.
fn simulator() -> Simulator {
    let estate = estate::load("shop.yaml", ESTATE).expect("a valid estate");
    let environment = &estate.environments["sim"];
    let made = Simulator::create(&estate, environment, SimOptions::default());
    let simulator = made.expect("a world");
    let scope = "AWS4-HMAC-SHA256 Credential=A/20260115/eu-west-1/s3/aws4_request, S=1";
    let place = "<C><LocationConstraint>eu-west-1</LocationConstraint></C>";
    let request = WireRequest {
        method: "PUT".to_owned(),
        host: "s3".to_owned(),
        path: "/team".to_owned(),
        query: String::new(),
        headers: BTreeMap::from([("authorization".to_owned(), scope.to_owned())]),
        body: place.as_bytes().to_vec(),
    };
    assert_eq!(simulator.handle(&request, simulated_epoch()).response.status, 200);
    simulator
}

fn place() -> BucketPlace {
    BucketPlace {
        bucket: "team".to_owned(),
        prefix: "dr".to_owned(),
        region: None,
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        profile: None,
    }
}

fn bucket(simulator: &Simulator) -> Bucket {
    let clock = Clock::scaled(SPEED, simulator.time());
    let http = http_client(simulator.clone(), clock.clone(), None);
    Bucket::open(place(), clock, HttpSource::Injected(http)).expect("it is there")
}

fn store(bucket: &Bucket, station: &str) -> SegmentStore {
    SegmentStore::new(Arc::new(BucketObjects::new(bucket.clone())), "01run", station)
}

fn turn(number: u64, fence: u64) -> Vec<Record> {
    let mut builder = JournalBuilder::new();
    for at in 1..=number {
        builder.push(at, Event::RunInterrupted { reason: format!("reason {at}") });
    }
    let mut records = builder.records().split_off(usize::try_from(number - 1).unwrap());
    records.iter_mut().for_each(|record| record.fence = fence);
    records
}

#[test]
fn it_keeps_the_contract_of_stores() {
    contract::inbox(&mut store(&bucket(&simulator()), "a"));
    contract::lease_check(&mut store(&bucket(&simulator()), "a"));
    let simulator = simulator();
    let (a, b) = (bucket(&simulator), bucket(&simulator));
    contract::inbox_of_two(&mut store(&a, "a"), &mut store(&b, "b"));
}

#[test]
fn a_bucket_reads_writes_and_lists_below_its_prefix() {
    let simulator = simulator();
    let bucket = bucket(&simulator);
    assert_eq!(
        (bucket.region(), bucket.place().to_string().as_str()),
        ("eu-west-1", "s3://team/dr")
    );
    let put = |key: &str, over: Option<&str>| bucket.put(key, b"x", over).unwrap();
    let Written::Done(tag) = put("runs/1/a", None) else { panic!("nothing was there") };
    assert_eq!(put("runs/1/a", None), Written::Refused);
    assert_eq!(put("runs/1/a", Some("\"00\"")), Written::Refused);
    assert_eq!(put("runs/1/none", Some(&tag)), Written::Refused);
    assert!(matches!(put("runs/1/a", Some(&tag)), Written::Done(_)));
    put("runs/2/a", None);
    let listed = bucket.list("runs/", "", false).unwrap();
    assert_eq!(listed.keys, ["runs/1/a", "runs/2/a"]);
    assert_eq!(bucket.list("runs/", "runs/1/a", false).unwrap().keys, ["runs/2/a"]);
    assert_eq!(bucket.list("runs/", "", true).unwrap().prefixes, ["runs/1/", "runs/2/"]);
    assert_eq!(bucket.get("runs/3").unwrap(), None);
    let found = bucket.get_all(&listed.keys).unwrap();
    assert!(found.iter().all(|object| object.as_ref().is_some_and(|one| one.bytes == b"x")));
    let objects = BucketObjects::new(bucket.clone());
    assert_eq!(objects.directories("runs/").unwrap(), ["1", "2"]);
    let sent = bucket.calls().sent();
    assert_eq!(
        sent.keys().collect::<Vec<_>>(),
        ["s3:GetObject", "s3:HeadBucket", "s3:ListObjectsV2", "s3:PutObject"]
    );
}

/// A run's appends meet each fault; what is in doubt is settled, and nothing is written twice.
#[test]
fn faults_of_s3_are_survived() {
    for fault in [
        "lost-answer=PutObject",
        "error-after-effect=PutObject",
        "error-before-effect=PutObject",
        "throttled=3",
        "throttled=0.3",
    ] {
        let simulator = simulator();
        let bucket = bucket(&simulator);
        simulator.set_faults(&[fault.to_owned()]).expect("a fault");
        let mut writer = store(&bucket, "a");
        let ttl = Duration::from_secs(60);
        let fence = writer.acquire("a", simulated_epoch(), ttl, Takeover::IfExpired).expect(fault);
        for number in 1..=6 {
            writer.append(&turn(number, fence.number())).expect(fault);
        }
        writer.release(fence).expect(fault);
        assert!(simulator.faults()[0].1 > 0, "{fault} struck");
        simulator.set_faults(&[]).expect("none");
        assert_eq!(store(&bucket, "b").load().expect(fault).len(), 6);
    }
}

#[test]
fn a_bucket_that_cannot_be_used_says_why() {
    let simulator = simulator();
    let clock = Clock::scaled(SPEED, simulator.time());
    let open = |place: BucketPlace| {
        let http = http_client(simulator.clone(), clock.clone(), None);
        Bucket::open(place, clock.clone(), HttpSource::Injected(http))
    };
    let missing = open(BucketPlace { bucket: "nobody".to_owned(), ..place() }).unwrap_err();
    assert!(missing.is("NoSuchBucket"), "{missing}");
    let elsewhere = open(BucketPlace { region: Some("us-west-2".to_owned()), ..place() });
    let elsewhere = elsewhere.unwrap_err();
    assert!(elsewhere.is("PermanentRedirect"), "{elsewhere}");
    assert!(elsewhere.message.contains("is in eu-west-1, not in us-west-2"), "{elsewhere}");
    let said = open(BucketPlace { region: Some("eu-west-1".to_owned()), ..place() });
    assert_eq!(said.expect("right").region(), "eu-west-1");
    simulator.set_faults(&["access-denied".to_owned()]).expect("a fault");
    assert!(open(place()).unwrap_err().is("AccessDenied"));
}

#[test]
fn a_damaged_copy_is_set_aside_and_made_anew_from_the_bucket() {
    let simulator = simulator();
    let bucket = bucket(&simulator);
    let mut writer = store(&bucket, "a");
    let ttl = Duration::from_secs(60);
    let fence = writer.acquire("a", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
    for number in 1..=3 {
        writer.append(&turn(number, fence.number())).unwrap();
    }
    writer.release(fence).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::at(directory.path());
    let run = RunId::parse("01kf0e44m0zcmved8pcbds3f7h").unwrap();
    let path = state.journal(&run);
    drop(joined(store(&bucket, "b"), &state, &run).unwrap());
    for (damage, aside) in [("no journal at all", "damaged"), ("nor this", "damaged-2")] {
        std::fs::write(&path, damage).unwrap();
        drop(joined(store(&bucket, "b"), &state, &run).unwrap());
        assert_eq!(SqliteStore::open_read_only(&path).unwrap().load().unwrap().len(), 3);
        let aside = path.with_extension(format!("db.{aside}"));
        assert_eq!(std::fs::read_to_string(aside).unwrap(), damage, "nothing is thrown away");
    }
}

#[test]
fn a_command_of_any_size_is_not_taken_into_memory() {
    let simulator = simulator();
    let bucket = bucket(&simulator);
    let long = vec![b' '; 70_000];
    bucket.put("runs/01run/inbox/x.json", &long, None).unwrap();
    bucket.put("runs/01run/segments/x.jsonl", &long, None).unwrap();
    let refused = bucket.get("runs/01run/inbox/x.json").unwrap_err();
    assert!(refused.is("EntityTooLarge"), "{refused}");
    assert!(bucket.get("runs/01run/segments/x.jsonl").unwrap().is_some());
}
