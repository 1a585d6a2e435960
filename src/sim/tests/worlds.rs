//! Worlds that last, fork, page and are served over TCP.

use super::support::{ESTATE, Lab, epoch, estate, minutes, sdk, simulator};
use crate::base::clock::Clock;
use crate::estate;
use crate::sim::{SimError, SimOptions, Simulator, serve};
use aws_smithy_http_client::Builder;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

fn open(dir: &Path, faults: &[&str]) -> Result<Simulator, SimError> {
    let estate = estate();
    let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
    Simulator::open(dir, &estate, &estate.environments["sim"], SimOptions { seed: None, faults })
}

#[tokio::test(start_paused = true)]
async fn a_world_survives_its_process() {
    let dir = tempfile::tempdir().expect("a directory");
    let lab = Lab::with(open(dir.path(), &["error-before-effect"]).expect("new"), 1);
    assert!(lab.restore("copy", minutes(30)).await.is_err(), "the fault strikes");
    lab.restore("copy", minutes(30)).await.expect("accepted");
    let (state, log) = (lab.simulator.state_json(), lab.simulator.mutations());
    let time = lab.simulator.time();
    drop(lab);
    let again = open(dir.path(), &["error-before-effect"]).expect("opens");
    assert_eq!((again.state_json(), again.mutations()), (state, log));
    assert_eq!(again.time(), time);
    let lab = Lab::with(again, 1);
    lab.restore("copy-2", minutes(30)).await.expect("the fault has struck already");
    lab.until("copy", "available").await;
    assert!(lab.simulator.time() > time);
    let sequences: Vec<u64> = lab.simulator.mutations().iter().map(|m| m.sequence).collect();
    assert_eq!(sequences, [1, 2]);
    let lines = fs::read_to_string(dir.path().join("mutations.jsonl")).expect("a log");
    assert_eq!(lines.lines().count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_kill_between_log_and_world_leaves_no_trace() {
    let dir = tempfile::tempdir().expect("a directory");
    let lab = Lab::with(open(dir.path(), &[]).expect("new"), 1);
    lab.restore("copy", minutes(30)).await.expect("accepted");
    let world = fs::read(dir.path().join("world.json")).expect("a world");
    lab.restore("late", minutes(30)).await.expect("accepted");
    drop(lab);
    fs::write(dir.path().join("world.json"), world).expect("as if killed");
    let again = open(dir.path(), &[]).expect("opens");
    assert_eq!(again.mutations().len(), 1);
    let lab = Lab::with(again, 1);
    lab.restore("late", minutes(30)).await.expect("never happened");
    drop(lab);
    assert_eq!(open(dir.path(), &[]).expect("opens").mutations().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_opened_a_world_last_may_write_it_and_nobody_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let hung = Lab::with(open(dir.path(), &[]).expect("new"), 1);
    hung.restore("copy", minutes(30)).await.expect("accepted");
    let taken = Lab::with(open(dir.path(), &[]).expect("opens"), 1);
    taken.restore("other", minutes(30)).await.expect("accepted");
    let world = fs::read(dir.path().join("world.json")).expect("a world");
    let refused = hung.simulator.save(epoch()).expect_err("it is another's");
    assert!(refused.to_string().contains("may not write it any more"), "{refused}");
    hung.restore("late", minutes(30)).await.expect_err("nothing is kept, so nothing was done");
    assert_eq!(fs::read(dir.path().join("world.json")).expect("a world"), world);
    drop((hung, taken));
    assert_eq!(open(dir.path(), &[]).expect("opens").mutations().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn time_never_runs_backwards_and_is_kept_while_nothing_changes() {
    let dir = tempfile::tempdir().expect("a directory");
    let lab = Lab::with(open(dir.path(), &[]).expect("new"), 1);
    lab.sleep(600).await;
    lab.instance("shop-orders").await;
    let time = lab.simulator.time();
    assert!(time >= epoch() + minutes(10));
    lab.simulator.save(epoch()).expect("saved");
    assert_eq!(lab.simulator.time(), time, "an earlier instant changes nothing");
    drop(lab);
    let again = open(dir.path(), &[]).expect("opens");
    assert_eq!(again.time(), time);
    // A client whose clock starts at the epoch again meets a world that is ten minutes older.
    let early = Lab::with(again, 1);
    let client = early.simulator.clone();
    early.instance("shop-orders").await;
    assert!(client.time() >= time);
}

#[tokio::test(start_paused = true)]
async fn a_world_that_cannot_be_saved_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let lab = Lab::with(open(dir.path(), &[]).expect("new"), 1);
    fs::remove_dir_all(dir.path()).expect("removed");
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("InternalFailure".to_owned()));
    let shown = lab.simulator.save(epoch()).expect_err("no directory").to_string();
    assert!(shown.contains("cannot write"), "{shown}");
}

#[test]
fn damaged_and_foreign_worlds_are_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    drop(open(dir.path(), &[]).expect("new"));
    let path = dir.path().join("world.json");
    let whole = fs::read_to_string(&path).expect("a world");
    for (text, part) in [
        (whole[..whole.len() / 2].to_owned(), "damaged"),
        (String::new(), "damaged"),
        ("{}".to_owned(), "version 0"),
        (whole.replacen("\"version\":1", "\"version\":9", 1), "version 9"),
        (whole.replacen("\"estate\":\"shop\"", "\"estate\":\"other\"", 1), "made for estate"),
        (whole.replacen("\"mutations\":0", "\"mutations\":3", 1), "0 of 3 mutations"),
    ] {
        fs::write(&path, text).expect("written");
        let shown = open(dir.path(), &[]).expect_err(part).to_string();
        assert!(shown.contains(part) && shown.contains("drctl sim reset"), "{shown}");
    }
    fs::write(&path, whole).expect("written");
    let estate = estate();
    let options = SimOptions { seed: Some(99), faults: Vec::new() };
    let wrong = Simulator::open(dir.path(), &estate, &estate.environments["sim"], options);
    assert!(wrong.expect_err("seed").to_string().contains("seed `3`, not `99`"));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_world() {
    let mut worlds = Vec::new();
    for _ in 0..2 {
        let lab = Lab::new(&[]);
        lab.restore("copy", minutes(30)).await.expect("accepted");
        lab.until("copy", "available").await;
        worlds.push((lab.simulator.state_json(), lab.simulator.mutations(), lab.clock.now()));
    }
    assert_eq!(worlds[0], worlds[1]);
    let estate = estate();
    let options = SimOptions { seed: Some(4), faults: Vec::new() };
    let other = Simulator::create(&estate, &estate.environments["sim"], options).expect("a world");
    assert_ne!(other.state_json(), simulator(&[]).state_json());
}

#[tokio::test(start_paused = true)]
async fn forks_go_their_own_way() {
    let lab = Lab::new(&[]);
    let before = lab.simulator.state_json();
    let fork = lab.simulator.fork();
    lab.restore("copy", minutes(30)).await.expect("accepted");
    assert_ne!(lab.simulator.state_json(), before);
    assert_eq!(fork.state_json(), before);
    assert!(fork.mutations().is_empty());
    assert_eq!(fork.time(), epoch());
}

#[tokio::test(start_paused = true)]
async fn long_lists_come_in_pages() {
    let mut text = ESTATE.split("environments:").next().expect("a head").to_owned();
    for number in 0..45 {
        writeln!(text, "  many{number}: {{ instance: many-{number:02} }}").expect("text");
    }
    text.push_str("environments:");
    text.push_str(ESTATE.split("environments:").nth(1).expect("a tail"));
    let estate = estate::load("many.yaml", &text).expect("a valid estate");
    let options = SimOptions::default();
    let world = Simulator::create(&estate, &estate.environments["sim"], options).expect("a world");
    let lab = Lab::with(world, 1);
    let (mut found, mut marker, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = lab.rds.describe_db_instances().max_records(20).set_marker(marker);
        let page = page.send().await.expect("a page");
        pages += 1;
        found.extend(
            page.db_instances()
                .iter()
                .filter_map(|db| db.db_instance_identifier())
                .map(str::to_owned),
        );
        marker = page.marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((found.len(), pages), (48, 3));
    let mut sorted = found.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(found, sorted, "each once, in order");
    let error = lab.rds.describe_db_instances().max_records(5).send().await.expect_err("too few");
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    assert_eq!(lab.restore("copy", minutes(30)).await, Err("InstanceQuotaExceeded".to_owned()));
}

#[test]
fn contradictory_estates_are_refused() {
    for (from, to, part) in [
        ("replica_of: orders", "replica_of: nowhere", "replica of `nowhere`"),
        ("instance: shop-stock", "instance: shop-orders", "two databases are instance"),
    ] {
        let text = ESTATE.replacen(from, to, 1);
        let estate = estate::load("shop.yaml", &text).expect("well formed");
        let world = Simulator::create(&estate, &estate.environments["sim"], SimOptions::default());
        let shown = world.expect_err(part).to_string();
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn the_shipped_estates_make_worlds() {
    for file in ["techcorp", "credentialmate", "secure-app", "cloud-platform"] {
        let path = format!("{}/localstack/estates/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).expect(&path);
        let estate = estate::load(&path, &text).unwrap_or_else(|problems| panic!("{problems}"));
        for environment in estate.environments.values() {
            let world = Simulator::create(&estate, environment, SimOptions::default());
            let state = world.expect("a world").state_json();
            let instances = &state["regions"]["us-east-1"]["instances"];
            assert!(instances.as_object().is_some_and(|found| !found.is_empty()), "{state}");
        }
        assert!(estate.environments["production"].protected);
    }
}

#[tokio::test(start_paused = true)]
async fn replicas_in_other_regions_are_named_by_arn() {
    let path = format!("{}/localstack/estates/techcorp.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).expect(&path);
    let estate = estate::load(&path, &text).unwrap_or_else(|problems| panic!("{problems}"));
    let world = Simulator::create(&estate, &estate.environments["sim"], SimOptions::default());
    let lab = Lab::with(world.expect("a world"), 1);
    let orders = lab.instance("techcorp-orders").await;
    let replicas = orders.read_replica_db_instance_identifiers();
    assert_eq!(
        replicas,
        [
            "techcorp-orders-replica-1",
            "arn:aws:rds:us-west-2:123456789012:db:techcorp-orders-replica-west"
        ]
    );
    let near = lab.instance("techcorp-orders-replica-1").await;
    assert_eq!(near.read_replica_source_db_instance_identifier(), Some("techcorp-orders"));
    assert_eq!(near.status_infos()[0].status(), Some("replicating"));
    assert!(lab.find("techcorp-orders-replica-west").await.is_none(), "lives elsewhere");
}

#[tokio::test]
async fn loopback_tcp_answers_the_real_client() {
    let simulator = simulator(&["lost-answer=AddTagsToResource"]);
    let clock = Clock::scaled(200.0, simulator.time());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let server =
        tokio::spawn(serve(simulator.clone(), clock.clone(), listener, std::future::pending()));
    let http = Builder::new().build_http();
    let config = sdk(http, &clock, 1).into_builder().endpoint_url(&address).build();
    let rds = aws_sdk_rds::Client::new(&config);
    let found = rds.describe_db_instances().send().await.expect("instances");
    assert_eq!(found.db_instances().len(), 3);
    let missing = rds.describe_db_instances().db_instance_identifier("nope").send().await;
    assert_eq!(missing.expect_err("none").code(), Some("DBInstanceNotFound"));
    let who = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
    assert_eq!(who.expect("identity").account(), Some("123456789012"));
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let secret = secrets.get_secret_value().secret_id("shop/orders").send().await.expect("secret");
    assert_eq!(secret.version_stages(), ["AWSCURRENT"]);
    let tag = aws_sdk_rds::types::Tag::builder().key("k").value("v").build();
    let lost = rds
        .add_tags_to_resource()
        .resource_name("arn:aws:rds:us-east-1:123456789012:db:shop-orders")
        .tags(tag)
        .send()
        .await
        .expect_err("the connection breaks");
    assert!(lost.as_service_error().is_none(), "{lost:?}");
    assert_eq!(simulator.mutations().len(), 1, "but the tag is there");
    server.abort();
}
