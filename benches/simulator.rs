//! Requests a second that the simulator answers, in process and over TCP, and those of another server.
//! Measures; asserts nothing but success.
//!
//! ```text
//! cargo bench --bench simulator
//! DRCTL_BENCH_MOTO=127.0.0.1:5000 cargo bench --bench simulator     with moto beside it
//! ```

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use drctl::sim::{SimOptions, Simulator, WireRequest};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const BODY: &str = "Action=DescribeDBInstances&Version=2014-10-31";
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/rds/\
                             aws4_request, SignedHeaders=host, Signature=0";
const FORM: &str = "application/x-www-form-urlencoded";

/// A connection that is kept open, as AWS's clients do.
struct Client {
    stream: BufReader<TcpStream>,
    request: String,
}

impl Client {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_nodelay(true).expect("a socket option");
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nAuthorization: {AUTHORIZATION}\r\n\
             Content-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{BODY}",
            BODY.len()
        );
        Self { stream: BufReader::new(stream), request }
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
    command.args(["sim", "serve", "--port", "0", "--ephemeral", "--pace", "100000"]);
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
    if let Ok(address) = std::env::var("DRCTL_BENCH_MOTO") {
        let mut client = Client::connect(&address);
        group.bench_function("moto, TCP", |bencher| bencher.iter(|| client.call()));
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
