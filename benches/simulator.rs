//! Requests a second that the simulator answers, in process and over TCP, and those of moto over TCP, all
//! in one run. Measures; asserts nothing but success.
//!
//! ```text
//! cargo bench --bench simulator                         moto beside it when `moto_server` is found
//! DRCTL_BENCH_MOTO=moto_server cargo bench …            the program to start as moto
//! ```
//!
//! Both servers have the same number of instances to describe, and one client. moto's server keeps no
//! connection open, so the comparable figures are those with a connection for each call.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use drctl::sim::{SimOptions, Simulator, WireRequest};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BODY: &str = "Action=DescribeDBInstances&Version=2014-10-31";
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/rds/\
                             aws4_request, SignedHeaders=host, Signature=0";
/// Instances that the shipped estate has in us-east-1: moto gets as many.
const INSTANCES: usize = 2;
const FORM: &str = "application/x-www-form-urlencoded";

/// A signed call with a form.
fn post(address: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nAuthorization: {AUTHORIZATION}\r\n\
         Content-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A connection that is kept open, as AWS's clients do.
struct Client {
    stream: BufReader<TcpStream>,
    request: String,
}

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream: BufReader::new(stream), request: post(address, BODY) }
    }

    /// One request and its whole answer.
    fn call(&mut self) -> usize {
        self.stream.get_mut().write_all(self.request.as_bytes()).expect("it reads");
        let mut length = 0;
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("it answers");
        assert!(line.contains(" 200 "), "{line}");
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a header");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a body");
        assert!(length > 0, "an answer without a length");
        length
    }
}

/// `drctl sim serve`, which ends with the benchmark.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve() -> (Served, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drctl"));
    // At this pace the latency that the simulator plays is nothing: what is left is its own.
    command.args(["sim", "serve", "--port", "0", "--ephemeral", "--speed", "100000"]);
    command.stdout(Stdio::piped());
    command.env("DRCTL_STATE_DIR", std::env::temp_dir().join("drctl-bench"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("its first line");
    let address = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    let address = address.expect("it says where").to_owned();
    (Served(child), address)
}

/// The moto of `localstack/localstack install`, else one in the path.
fn moto_program() -> String {
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/.state/localstack/venv/bin/moto_server");
    let found = if std::path::Path::new(ours).exists() { ours } else { "moto_server" };
    std::env::var("DRCTL_BENCH_MOTO").unwrap_or_else(|_| found.to_owned())
}

/// moto with as many instances; `None`, said, when it is not to be had.
#[expect(clippy::print_stderr, reason = "a figure that is missing has to be missed")]
fn moto() -> Option<(Served, String)> {
    let program = moto_program();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let mut command = Command::new(&program);
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(child) = started else {
        eprintln!("moto is not measured: no program `{program}` (pip install 'moto[server]')");
        return None;
    };
    let (served, address) = (Served(child), format!("127.0.0.1:{port}"));
    let mut waited = 0;
    while TcpStream::connect(&address).is_err() {
        waited += 1;
        assert!(waited < 200, "moto does not listen");
        // The one wait of this file, for a program that we did not write.
        Command::new("sleep").arg("0.1").status().expect("sleep");
    }
    for number in 0..INSTANCES {
        let body = format!(
            "Action=CreateDBInstance&Version=2014-10-31&DBInstanceIdentifier=db{number}&\
             DBInstanceClass=db.r6g.large&Engine=postgres&AllocatedStorage=100&\
             MasterUsername=admin1&MasterUserPassword=aaaaaaaaaa"
        );
        let mut client = Client::connect(&address);
        client.request = post(&address, &body);
        client.call();
    }
    Some((served, address))
}

fn in_process() -> impl FnMut() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/localstack/estates/techcorp.yaml");
    let text = std::fs::read_to_string(file).expect("a shipped file");
    let estate = drctl::estate::load("techcorp", &text).expect("a valid estate");
    let world = Simulator::create(&estate, &estate.environments["sim"], SimOptions::default());
    let world = world.expect("a world");
    let headers = [("authorization", AUTHORIZATION), ("content-type", FORM)];
    let request = WireRequest {
        method: "POST".to_owned(),
        host: "rds.us-east-1.amazonaws.com".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: BODY.into(),
    };
    move || {
        let answer = world.handle(&request, world.time());
        assert_eq!(answer.response.status, 200);
    }
}

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("DescribeDBInstances");
    group.throughput(Throughput::Elements(1));
    let mut call = in_process();
    group.bench_function("simulator, in process", |bencher| bencher.iter(&mut call));
    let (_served, address) = serve();
    let mut client = Client::connect(&address);
    group.bench_function("simulator, TCP", |bencher| bencher.iter(|| client.call()));
    group.bench_function("simulator, TCP, a connection each", |bencher| {
        bencher.iter(|| Client::connect(&address).call());
    });
    if let Some((_moto, address)) = moto() {
        group.bench_function("moto, TCP, a connection each", |bencher| {
            bencher.iter(|| Client::connect(&address).call());
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    targets = requests
}
criterion_main!(benches);
