//! `drctl s3 compare` against a server over TCP: what differences mean, hostile keys, and trouble.
//!
//! **Invariant:** whatever happens, the program reads, never writes, and never calls equal what it did not
//! see to be equal.

use crate::env::{Output, TestEnv, finished};
use crate::s3_stub::{Held, Odd, Stub, World, held};
use crate::two::eventually;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

fn command(env: &TestEnv, stub: &Stub, args: &[&str]) -> Command {
    let mut all =
        vec!["s3", "compare", "s3://source", "s3://replica", "--endpoint-url", &stub.address];
    all.extend(args);
    env.command(&all)
}

fn compare(stub: &Stub, args: &[&str]) -> Output {
    finished(command(&TestEnv::new(), stub, args).output().expect("it starts"))
}

fn numbered(count: u64) -> impl Iterator<Item = (String, Held)> {
    (0..count).map(|number| (format!("k{number:05}"), held(number)))
}

#[expect(clippy::disallowed_methods, reason = "the program goes by the time of this machine")]
fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// Lines of JSON by key.
fn lines(output: &Output) -> BTreeMap<String, Json> {
    let read = |line: &str| serde_json::from_str::<Json>(line).expect("JSON");
    output
        .stdout
        .lines()
        .map(read)
        .map(|one| (one["key"].as_str().expect("a key").to_owned(), one))
        .collect()
}

#[test]
fn twins_are_equal_and_only_reads_are_sent() {
    let stub = Stub::start(World::twins(numbered(2_500)));
    let output = compare(&stub, &[]).expect(0);
    output.shows(&["2500 keys", "2500 by size and ETag", "nothing is behind", "reads only"]);
    for asked in stub.asked() {
        assert!(matches!(asked.method.as_str(), "GET" | "HEAD"), "{asked:?}");
        assert!(asked.authorization.starts_with("AWS4-HMAC-SHA256"), "{asked:?}");
    }
}

#[test]
fn each_difference_has_its_class() {
    let mut world = World::twins(numbered(30));
    let now = now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = |number: u64, status| Held { status: Some(status), ..held(number) };
    let source = world.bucket("source");
    source.insert("missing".to_owned(), held(1));
    source.insert("young".to_owned(), Held { modified: now, ..status(2, "PENDING") });
    source.insert("old".to_owned(), status(3, "PENDING"));
    source.insert("failed".to_owned(), status(4, "FAILED"));
    source.insert("replica".to_owned(), status(5, "REPLICA"));
    source.insert("deleted-there".to_owned(), status(6, "COMPLETED"));
    source.insert("changed".to_owned(), status(7, "COMPLETED"));
    let parts = |parts: &str| Held { etag: format!("{:032x}-{parts}", 9), ..held(8) };
    source.insert("parts".to_owned(), parts("2"));
    let sum = |value| Held { headers: vec![("x-amz-checksum-crc64nvme", value)], ..parts("2") };
    source.insert("summed".to_owned(), sum("AAAAAAAAAAA="));
    let replica = world.bucket("replica");
    replica.insert("changed".to_owned(), held(8));
    replica.insert("extra".to_owned(), held(9));
    replica.insert("deleted-here".to_owned(), held(9));
    replica.insert("parts".to_owned(), parts("3"));
    replica.insert("summed".to_owned(), Held { etag: "x".to_owned(), ..sum("AAAAAAAAAAA=") });
    world.markers.push(("replica".to_owned(), "deleted-there".to_owned()));
    world.markers.push(("source".to_owned(), "deleted-here".to_owned()));
    let stub = Stub::start(world);
    let found = lines(&compare(&stub, &["--format", "jsonl", "--checksum"]).expect(10));
    let classes: Vec<(&str, &str)> = found
        .iter()
        .map(|(key, one)| (key.as_str(), one["class"].as_str().expect("a class")))
        .collect();
    let wanted = [
        ("changed", "different"),
        ("deleted-here", "deleted_at_source"),
        ("deleted-there", "deleted_at_destination"),
        ("extra", "extra"),
        ("failed", "failed"),
        ("missing", "missing"),
        ("old", "pending_old"),
        ("parts", "unproven"),
        ("replica", "not_eligible"),
        ("young", "pending_young"),
    ];
    assert_eq!(classes, wanted);
    let combined = compare(&stub, &["--format", "combined"]).expect(10);
    let first: Vec<&str> = combined.stdout.lines().take(4).collect();
    assert_eq!(first, ["* changed", "- deleted-here", "+ deleted-there", "- extra"]);
    let document =
        compare(&stub, &["--output", "json", "--max-recovery-point", "1h"]).expect(11).json();
    assert_eq!(document["classes"]["failed"], 1);
    assert_eq!(document["oldest"]["modified"], "2026-01-01T10:00:00Z");
    assert_eq!(document["exit_code"], 11);
    let csv = compare(&stub, &["--format", "csv"]).expect(10).stdout;
    assert!(csv.starts_with("key,class,symbol,status,"), "{csv}");
}

#[test]
fn only_what_is_on_its_way_is_no_failure() {
    let mut world = World::twins(numbered(3));
    let modified = now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let young = Held { modified, status: Some("PENDING"), ..held(1) };
    world.bucket("source").insert("young".to_owned(), young);
    let stub = Stub::start(world);
    compare(&stub, &["--max-recovery-point", "10m"]).expect(0).shows(&["pending_young"]);
    compare(&stub, &["--pending-after", "0s"]).expect(10).shows(&["pending_old"]);
}

#[test]
fn hostile_keys_are_compared_and_told_exactly() {
    let long = "ü".repeat(512);
    let keys = [
        "a\nb",
        "a b",
        "a+b",
        "a%2Bb",
        "a&b",
        "<a>",
        "\"q\"",
        "a//b",
        "./..",
        "漢字",
        "\u{1F600}",
        "\u{1}",
        long.as_str(),
    ];
    let mut world = World::twins(keys.iter().map(|key| ((*key).to_owned(), held(1))));
    world.page = 2;
    let like = |key: &str| key.chars().take(2).chain(['~']).collect::<String>();
    for key in keys {
        world.bucket("source").insert(like(key), held(2));
    }
    let stub = Stub::start(world);
    let output = compare(&stub, &["--format", "jsonl"]).expect(10);
    let found = lines(&output);
    let wanted: std::collections::BTreeSet<String> = keys.iter().map(|key| like(key)).collect();
    assert_eq!(found.keys().cloned().collect::<std::collections::BTreeSet<_>>(), wanted);
    output.says(&[&format!("{} by size and ETag", keys.len())]);
    let text = compare(&stub, &[]).expect(10).stdout;
    assert!(text.contains("  + a\\n~  missing"), "a key breaks no line: {text}");
}

#[test]
fn a_prefix_of_each_side_is_left_out_of_keys() {
    let mut world = World::twins(numbered(0));
    for number in 0..5 {
        world.bucket("source").insert(format!("one+/k{number}"), held(number));
        world.bucket("replica").insert(format!("two/k{number}"), held(number));
    }
    world.bucket("replica").insert("two/k9".to_owned(), held(9));
    world.bucket("source").insert("elsewhere".to_owned(), held(9));
    let stub = Stub::start(world);
    let env = TestEnv::new();
    let args = [
        "s3",
        "compare",
        "s3://source/one+/",
        "s3://replica/two/",
        "--endpoint-url",
        &stub.address,
        "--format",
        "combined",
    ];
    env.run(&args).expect(10).shows(&["- k9"]).says(&["5 keys", "6 keys"]);
    let one = [&args[..], &["--prefix", "k1"]].concat();
    env.run(&one).expect(0);
}

#[test]
fn what_settles_while_it_is_compared_is_no_difference() {
    let mut world = World::twins(numbered(50));
    world.late.push(("replica".to_owned(), "k00007".to_owned()));
    world.late.push(("source".to_owned(), "k00009".to_owned()));
    let stub = Stub::start(world);
    compare(&stub, &[]).expect(0).shows(&["2 of these differed at first and not at a second look"]);
    compare(&stub, &["--looks", "0"]).expect(10).shows(&[
        "missing",
        "extra",
        "2 differences are told from the lists alone",
    ]);
}

#[test]
fn buckets_that_cannot_be_read_say_why() {
    let env = TestEnv::new();
    let stub = Stub::start(World::twins(numbered(1)));
    let at = ["--endpoint-url", &stub.address];
    let ask = |one: &str, other: &str| env.run(&[&["s3", "compare", one, other], &at[..]].concat());
    ask("s3://source", "s3://nobody").expect(2).says(&["there is no bucket `nobody`"]);
    ask("s3://source", "s3://source").expect(2).says(&["compared with itself"]);
    ask("s3://source", "https://replica").expect(2).says(&["s3://bucket/prefix"]);
    let mut world = World::twins(numbered(1));
    world.trouble =
        Box::new(|asked| (asked.bucket() == "replica").then(|| Odd::error(403, "AccessDenied")));
    compare(&Stub::start(world), &[]).expect(18).says(&["may not use bucket `replica`"]);
    let mut world = World::twins(numbered(1));
    world.trouble = Box::new(|asked| asked.lists().then(|| Odd::error(403, "AccessDenied")));
    compare(&Stub::start(world), &[]).expect(18).says(&["s3:ListObjectsV2", "AccessDenied"]);
    let nobody = ["s3", "compare", "s3://a-b", "s3://b-c", "--endpoint-url", "http://127.0.0.1:1"];
    env.run(&nobody).expect(18).says(&["nobody answers"]);
    let bad = ["s3", "compare", "s3://a-b", "s3://b-c", "--endpoint-url", "ftp://x"];
    env.run(&bad).expect(2).says(&["is no address of a server"]);
    for (option, value, said) in [
        ("--since", "yesterday", "is no instant"),
        ("--pending-after", "soon", "is no duration"),
        ("--max-recovery-point", "-1m", "--max-recovery-point"),
        ("--sample", "0", "--sample"),
        ("--concurrency", "0", "--concurrency"),
        ("--format", "xml", "--format"),
    ] {
        compare(&stub, &[&format!("{option}={value}")]).expect(2).says(&[said]);
    }
}

#[test]
fn another_region_is_found_out_and_a_redirect_is_told() {
    let mut world = World::twins(numbered(5));
    world.trouble = Box::new(|asked| {
        let there = asked.authorization.contains("/eu-west-1/s3/");
        let region = ("x-amz-bucket-region".to_owned(), "eu-west-1".to_owned());
        let wrong = asked.bucket() == "replica" && !there;
        wrong.then(|| Odd { headers: vec![region], ..Odd::error(301, "PermanentRedirect") })
    });
    compare(&Stub::start(world), &[]).expect(0).shows(&["s3://replica/ (eu-west-1): 5 keys"]);
    let mut world = World::twins(numbered(5));
    world.trouble = Box::new(|asked| {
        let region = ("x-amz-bucket-region".to_owned(), "eu-west-1".to_owned());
        asked.lists().then(|| Odd { headers: vec![region], ..Odd::error(301, "PermanentRedirect") })
    });
    compare(&Stub::start(world), &[]).expect(10).says(&["the bucket is in eu-west-1"]);
}

#[test]
fn without_leave_to_look_the_lists_tell() {
    let mut world = World::twins(numbered(5));
    world.bucket("source").insert("more".to_owned(), held(1));
    world.trouble = Box::new(|asked| {
        let of_object = asked.method == "HEAD" && asked.target.matches('/').count() > 1;
        let of_object = of_object && !asked.target.ends_with('/');
        of_object.then(|| Odd::error(403, "AccessDenied"))
    });
    compare(&Stub::start(world), &[])
        .expect(10)
        .shows(&["HeadObject is refused", "+ more  missing"]);
}

#[test]
fn a_storm_of_throttling_is_outlasted() {
    let mut world = World::twins(numbered(3_000));
    world.bucket("replica").remove("k00100");
    world.page = 100;
    world.trouble = Box::new(|asked| (asked.before % 3 == 1).then(|| Odd::error(503, "SlowDown")));
    let output = compare(&Stub::start(world), &[]).expect(10);
    output.shows(&["3000 keys", "2999 keys", "+ k00100  missing", "to slow down"]);
}

#[test]
fn an_answer_that_is_cut_off_is_asked_for_again() {
    let mut world = World::twins(numbered(10));
    world.trouble = Box::new(|asked| {
        let body = "<ListBucketResult><Contents><Key>k00000</Key>".to_owned();
        let first = asked.lists() && asked.before < 8;
        first.then_some(Odd { status: 200, headers: Vec::new(), body })
    });
    compare(&Stub::start(world), &[]).expect(0).shows(&["10 by size and ETag"]);
}

#[test]
fn a_server_without_order_is_refused() {
    let mut world = World::twins(numbered(10));
    world.trouble = Box::new(|asked| {
        let item = |key| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T10:00:00Z</LastModified><ETag>x</ETag><Size>1</Size></Contents>"
            )
        };
        let body = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{}{}</ListBucketResult>",
            item("b"),
            item("a")
        );
        (asked.lists() && asked.bucket() == "replica").then_some(Odd {
            status: 200,
            headers: Vec::new(),
            body,
        })
    });
    compare(&Stub::start(world), &[]).expect(10).says(&["not in the order of their bytes"]);
}

#[test]
fn a_comparison_that_was_stopped_goes_on() {
    let mut world = World::twins(numbered(4_000));
    world.bucket("replica").remove("k00001");
    world.bucket("replica").remove("k03999");
    world.page = 20;
    world.delay = Duration::from_millis(40);
    let (env, stub) = (TestEnv::new(), Stub::start(world));
    let args = ["--checkpoint", "c.json", "--concurrency", "2", "--format", "combined"];
    let mut command_line = command(&env, &stub, &args);
    let child =
        command_line.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let read = |stub: &Stub| stub.asked().iter().filter(|one| one.lists()).count();
    eventually("reading", || (read(&stub) >= 60).then_some(()));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill starts").success());
    let output = finished(child.wait_with_output().expect("it ends")).expect(13);
    output.says(&["the same command goes on from c.json"]);
    let other = command(&env, &stub, &["--checkpoint", "c.json", "--pending-after", "1m"]).output();
    finished(other.expect("it starts")).expect(2).says(&["another comparison", "pending_after"]);
    let before = read(&stub);
    let output = finished(command(&env, &stub, &args).output().expect("it starts")).expect(10);
    assert_eq!(output.stdout, "+ k00001\n+ k03999\n");
    output.says(&["taken up", "4000 keys", "3998 keys"]);
    let all = 2 * 4_000 / 20;
    assert!(
        read(&stub) - before < all - 20,
        "{} of {all} pages were read again",
        read(&stub) - before
    );
    assert!(!env.project().join("c.json").exists(), "it is done");
    env.write("c.json", "{ nonsense");
    let output = command(&env, &stub, &args).output().expect("it starts");
    finished(output).expect(2).says(&["is no checkpoint"]);
}

#[test]
fn a_sample_reads_a_part() {
    let stub = Stub::start(World::twins(numbered(20_000)));
    let output = compare(&stub, &["--sample", "1000", "--output", "json"]).expect(0).json();
    let compared = output["compared"].as_u64().expect("a number");
    assert!((1_000..4_000).contains(&compared), "{compared}");
}

#[test]
fn what_is_older_than_since_is_left_out() {
    let mut world = World::twins(numbered(5));
    let new = Held { modified: "2026-02-01T10:00:00Z".to_owned(), ..held(1) };
    world.bucket("source").insert("new".to_owned(), new);
    world.bucket("source").insert("old".to_owned(), held(1));
    let stub = Stub::start(world);
    let output = compare(&stub, &["--since", "2026-01-15T00:00:00Z"]).expect(10);
    output.shows(&["+ new  missing", "6 written before --since"]);
}

#[test]
fn histories_are_compared_by_version() {
    let mut world = World::twins(numbered(20));
    world.bucket("source").insert("more\n".to_owned(), held(7));
    world.markers.push(("source".to_owned(), "k00003".to_owned()));
    world.markers.push(("replica".to_owned(), "k00004".to_owned()));
    let odd = Held { etag: "x".to_owned(), ..held(5) };
    world.bucket("replica").insert("k00005".to_owned(), odd);
    let stub = Stub::start(world);
    let output = compare(&stub, &["--versions", "--format", "jsonl"]).expect(10);
    let found = lines(&output);
    let class = |key: &str| found[key]["class"].as_str().expect("a class").to_owned();
    assert_eq!(found.len(), 4);
    assert_eq!(class("k00003"), "deleted_at_source");
    assert_eq!(class("k00004"), "deleted_at_destination");
    assert_eq!(class("k00005"), "different");
    assert_eq!(class("more\n"), "missing");
    compare(&Stub::start(World::twins(numbered(20))), &["--versions"]).expect(0);
    compare(&stub, &["--versions", "--sample", "5"]).expect(2).says(&["--sample"]);
}
