//! `drctl sim serve` over loopback TCP, and `drctl sim faults`.

use crate::env::{TestEnv, mutations};
use serde_json::{Value as Json, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A served simulator, which ends with the test.
pub(crate) struct Served {
    child: Child,
    pub address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    /// Starts it with the options `more` on a free port.
    pub(crate) fn start(env: &TestEnv, more: &[&str]) -> Self {
        let args = [&["sim", "serve", "--port", "0", "--output", "json"], more].concat();
        let mut command = env.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("its first line");
        let greeting: Json = serde_json::from_str(&line).expect("JSON");
        let endpoint = greeting["endpoint"].as_str().expect("an endpoint");
        let address = endpoint.strip_prefix("http://").expect("plain HTTP").to_owned();
        Self { child, address }
    }

    fn connect(&self) -> Connection {
        Connection(BufReader::new(TcpStream::connect(&self.address).expect("it listens")))
    }

    /// Asks one of its own paths: status and answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Json) {
        let (status, body) = self.connect().send(method, path, "", body.as_bytes());
        (status, serde_json::from_str(&body).unwrap_or(Json::Null))
    }

    /// Sends one signed request to its S3 in a region: status and answer.
    pub(crate) fn s3(&self, region: &str, method: &str, path: &str, body: &[u8]) -> (u16, String) {
        let signed = signed("s3").replace("us-east-1", region);
        self.connect().send(method, path, &signed, body)
    }

    /// Ends it as a service manager does; its exit code and what it said.
    fn terminate(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut said).expect("text");
        (self.child.wait().expect("it ends").code(), said)
    }
}

/// A connection that is kept open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes()).expect("it reads");
        // A server that refuses a large body need not read all of it.
        let _ = stream.write_all(body);
        self.answer()
    }

    fn answer(&mut self) -> (u16, String) {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("an answer");
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("a header");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

fn signed(service: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260115/us-east-1/{service}/aws4_request, \
         SignedHeaders=host, Signature=0\r\n"
    )
}

#[test]
fn it_serves_until_told_to_stop_and_saves_the_world() {
    let env = TestEnv::new();
    let served = Served::start(&env, &["--speed", "1000"]);
    let mut connection = served.connect();
    let rds = signed("rds");
    for _ in 0..3 {
        let call = b"Action=DescribeDBInstances&Version=2014-10-31";
        let (status, body) = connection.send("POST", "/", &rds, call);
        assert!(status == 200 && body.contains("techcorp-orders"), "{body}");
    }
    let (status, made) = connection.send("POST", "/", &signed("sns"), b"Action=CreateTopic&Name=a");
    assert!(status == 200 && made.contains("arn:aws:sns:us-east-1:123456789012:a"), "{made}");
    let (_, world) = served.ask("GET", "/_drctl/world", "");
    assert_eq!((&world["schema_version"], &world["speed"]), (&json!(1), &json!(1000.0)));
    assert_eq!((&world["requests"], &world["mutations"]), (&json!(4), &json!(1)));
    let (code, said) = served.terminate();
    assert_eq!((code, said.trim()), (Some(0), "stopped; the simulated world is saved"));
    assert_eq!(mutations(&env.world()), ["CreateTopic a"]);
    let again = Served::start(&env, &[]);
    let (_, world) = again.ask("GET", "/_drctl/world", "");
    assert_eq!((&world["topics"], &world["speed"]), (&json!(2), &json!(1.0)));
}

#[test]
fn faults_are_switched_while_it_serves() {
    let env = TestEnv::new();
    let served = Served::start(&env, &["--ephemeral", "--pace", "1000", "--fault", "slow"]);
    let call = b"Action=DescribeDBInstances&Version=2014-10-31";
    let ask = || served.connect().send("POST", "/", &signed("rds"), call);
    assert_eq!(ask().0, 200);
    let wanted = json!({ "faults": ["throttled=1"] }).to_string();
    assert_eq!(served.ask("PUT", "/_drctl/faults", &wanted).0, 200);
    let (status, body) = ask();
    assert!(status == 400 && body.contains("<Code>Throttling</Code>"), "{body}");
    let (_, faults) = served.ask("GET", "/_drctl/faults", "");
    assert_eq!(faults["faults"], json!([{ "fault": "throttled=1", "struck": 1 }]));
    let lost = json!({ "faults": ["lost-answer=DescribeDBInstances"] }).to_string();
    served.ask("POST", "/_drctl/faults", &lost);
    let mut connection = served.connect();
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{}Content-Length: 26\r\n\r\n", signed("rds"));
    connection.0.get_mut().write_all(head.as_bytes()).expect("it reads");
    connection.0.get_mut().write_all(b"Action=DescribeDBInstances").expect("it reads");
    let mut rest = Vec::new();
    let ended = connection.0.read_to_end(&mut rest);
    assert!(rest.is_empty(), "a lost answer closes the connection: {ended:?}");
    let (status, refused) = served.ask("PUT", "/_drctl/faults", "{\"faults\": [\"flood\"]}");
    assert_eq!((status, &refused["schema_version"]), (400, &json!(1)));
    assert_eq!(served.ask("DELETE", "/_drctl/faults", "").0, 200);
    assert_eq!(ask().0, 200);
}

#[test]
fn garbage_ends_in_an_error_and_others_go_on() {
    let env = TestEnv::new();
    let served = Served::start(&env, &["--ephemeral", "--speed", "1000"]);
    let (status, body) = served.connect().send("POST", "/", &signed("rds"), &vec![b'a'; 3 << 20]);
    assert!(status == 413 && body.contains("<Code>RequestEntityTooLarge</Code>"), "{body}");
    let (status, body) = served.connect().send("PUT", "/", &signed("rds"), b"");
    assert!(status == 405 && body.contains("<Code>MethodNotAllowed</Code>"), "{body}");
    let (status, body) = served.connect().send("POST", "/", &signed("dynamodb"), b"{}");
    assert!(status == 400 && body.contains("<Code>UnknownEndpoint</Code>"), "{body}");
    let mut garbage = served.connect();
    garbage.0.get_mut().write_all(b"\x00\x01 what\r\n\r\n").expect("it reads");
    let mut said = Vec::new();
    let _ = garbage.0.read_to_end(&mut said);
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 400"), "{said:?}");
    let cut = served.connect();
    cut.0
        .get_ref()
        .write_all_then_close(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nA");
    let mut many: Vec<Connection> = (0..100).map(|_| served.connect()).collect();
    for connection in &mut many {
        let (status, _) = connection.send("POST", "/", &signed("sts"), b"Action=GetCallerIdentity");
        assert_eq!(status, 200);
    }
}

trait CutOff {
    fn write_all_then_close(&self, bytes: &[u8]);
}

impl CutOff for TcpStream {
    fn write_all_then_close(&self, bytes: &[u8]) {
        let mut stream = self;
        stream.write_all(bytes).expect("it reads");
        self.shutdown(std::net::Shutdown::Both).expect("a socket");
    }
}

#[test]
fn requests_are_logged_when_asked_for() {
    let env = TestEnv::new();
    let served = Served::start(&env, &["--ephemeral", "--speed", "1000", "-v"]);
    let rds = signed("rds");
    served.connect().send("POST", "/", &rds, b"Action=DescribeDBInstances&Version=2014-10-31");
    let (_, said) = served.terminate();
    for part in ["DescribeDBInstances", "us-east-1", "200"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn it_says_how_to_be_used() {
    let env = TestEnv::new();
    let help = env.run(&["sim", "serve", "--help"]).expect(0);
    help.shows(&["--speed", "AWS_ENDPOINT_URL", "PUT    /_drctl/faults", "/_drctl/published"]);
    for speed in ["0", "-1", "NaN", "inf", "1e9"] {
        env.run(&["sim", "serve", "--speed", speed]).expect(2).says(&["--speed", "is no speed"]);
    }
    env.run(&["sim", "serve", "--fault", "flood"]).expect(2).says(&["no such fault"]);
    env.run(&["sim", "serve", "--env", "production"]).expect(2).says(&["is not simulated"]);
    assert!(!env.state().exists(), "a mistake leaves nothing behind");
}

#[test]
fn the_faults_are_listed_with_values_and_meanings() {
    let env = TestEnv::new();
    let parts = ["throttled[=CALLS|=RATE]", "control-plane-down", "HTTP 503", "--fault"];
    env.run(&["sim", "faults"]).expect(0).shows(&parts);
    let document = env.run(&["sim", "faults", "--output", "json"]).expect(0).json();
    assert_eq!(document["schema_version"], 1);
    let faults = document["faults"].as_array().expect("a list");
    let names: Vec<&str> = faults.iter().filter_map(|fault| fault["name"].as_str()).collect();
    assert_eq!(names, drctl::sim::Simulator::fault_names());
    assert!(
        faults.iter().all(|fault| fault["meaning"].as_str().is_some_and(|text| !text.is_empty()))
    );
}
