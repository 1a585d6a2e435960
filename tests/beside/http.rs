//! HTTP servers, most of them hostile.
//!
//! **Invariant:** the servers write bytes by themselves: no library that the client uses helps them.

use drctl::base::clock::Clock;
use drctl::base::secret::Secret;
use drctl::cloud::dns::DnsNetwork;
use drctl::cloud::http::{
    HttpAddress, HttpAnswer, HttpError, HttpMethod, HttpNetwork, HttpPort as _, HttpRequest,
    MAX_BODY,
};
use drctl::cloud::process::LocalProcesses;
use drctl::cloud::{
    CloudError, EffectError, EffectOutcome, Effects, ErrorClass, GuardPolicy, HTTP_READ, Ports,
    PostgresConnector, SecretReader, SecretStage, Variables,
};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(60);
/// Short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);

/// What a server does with a request.
#[derive(Clone)]
enum Act {
    /// Writes these bytes and closes.
    Say(String),
    /// Writes the first, and then the second again and again for as long as anybody reads.
    Repeat(String, &'static [u8], Duration),
    /// Keeps the connection open and says nothing.
    Nothing,
    /// Closes before it reads.
    Close,
}

/// A server; every request goes to its log.
struct Server {
    port: u16,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (kept, act) = (Arc::clone(&log), Arc::new(act));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, act) = (Arc::clone(&kept), Arc::clone(&act));
                tokio::spawn(async move { serve(stream, &kept, &*act).await });
            }
        });
        Self { port, log }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn requests(&self) -> Vec<String> {
        self.log.lock().expect("a log").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<String>>,
    act: &(dyn Fn(&str) -> Act + Sync),
) {
    if matches!(act(""), Act::Close) {
        return;
    }
    let mut read = Vec::new();
    let mut buffer = [0_u8; 4_096];
    loop {
        let Ok(length @ 1..) = stream.read(&mut buffer).await else { return };
        read.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&read).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
        });
        if body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let request = String::from_utf8_lossy(&read).into_owned();
    log.lock().expect("a log").push(request.clone());
    match act(&request) {
        Act::Say(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Act::Repeat(first, again, pause) => {
            let _ = stream.write_all(first.as_bytes()).await;
            while stream.write_all(again).await.is_ok() {
                if !pause.is_zero() {
                    Clock::real().sleep(pause).await;
                }
            }
        }
        Act::Nothing => {
            // Until the client has gone.
            while let Ok(1..) = stream.read(&mut buffer).await {}
        }
        Act::Close => {}
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn request(method: HttpMethod, url: &str) -> HttpRequest {
    HttpRequest {
        method,
        address: HttpAddress::parse(url).expect("an address"),
        headers: Vec::new(),
        body: Secret::from(if method == HttpMethod::Post { "{\"a\":1}" } else { "" }),
        redirects: 0,
        trust: None,
        timeout: LONG,
    }
}

async fn send(request: &HttpRequest) -> Result<HttpAnswer, HttpError> {
    HttpNetwork::new(Clock::real(), Path::new(".")).send(request).await
}

async fn get(url: &str) -> Result<HttpAnswer, HttpError> {
    send(&request(HttpMethod::Get, url)).await
}

/// Nobody: these tests read no secret and no variable.
#[derive(Debug)]
struct Nothing;

#[async_trait::async_trait]
impl SecretReader for Nothing {
    async fn secret_value(
        &self,
        _: &str,
        secret: &str,
        _: SecretStage,
    ) -> Result<Secret, CloudError> {
        panic!("nobody asks for the secret {secret}")
    }
}

impl Variables for Nothing {
    fn value(&self, _: &str) -> Option<Secret> {
        None
    }
}

/// The gate in front of this machine's network.
fn gate(policy: GuardPolicy) -> Effects {
    let (clock, here) = (Clock::real(), Path::new("."));
    let ports = Ports {
        sql: Arc::new(PostgresConnector::new(clock.clone())),
        http: Arc::new(HttpNetwork::new(clock.clone(), here)),
        dns: Arc::new(DnsNetwork::new(clock.clone())),
        processes: Arc::new(LocalProcesses::new(clock, here)),
        variables: Arc::new(Nothing),
    };
    Effects::new(policy, ports, Arc::new(Nothing))
}

/// Sends as a live run does: through the gate, which follows redirects.
async fn follow(request: &HttpRequest) -> Result<HttpAnswer, HttpError> {
    match gate(GuardPolicy::live([HTTP_READ])).http(request).await {
        Ok(answer) => Ok(answer),
        Err(EffectError::Http(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

fn to(place: &str) -> Act {
    Act::Say(format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"))
}

/// The request lines that a server got.
fn lines(server: &Server) -> Vec<String> {
    let line = |request: &String| request.lines().next().unwrap_or_default().to_owned();
    server.requests().iter().map(line).collect()
}

#[tokio::test]
async fn a_dry_run_sends_nothing_that_logs_in_and_follows_nothing() {
    let server = Server::start(|_| to("/login")).await;
    let effects = gate(GuardPolicy::DryRun);
    let bearing = HttpRequest {
        headers: vec![("Authorization".to_owned(), Secret::from("Bearer hunter2"))],
        ..request(HttpMethod::Get, &server.url("/x"))
    };
    let keyed = request(HttpMethod::Get, &server.url("/x?api_key=hunter2"));
    for request in [bearing, keyed] {
        let error = effects.http(&request).await.expect_err("refused");
        assert_eq!(error.class(), ErrorClass::Refused, "{error}");
    }
    assert_eq!(server.requests(), Vec::<String>::new());
    let asked = HttpRequest { redirects: 3, ..request(HttpMethod::Get, &server.url("/x")) };
    assert_eq!(effects.http(&asked).await.expect("an answer").status, 302);
    assert_eq!(lines(&server), ["GET /x HTTP/1.1"]);
    let log = effects.log();
    let done = log.iter().filter(|record| record.outcome == EffectOutcome::Done);
    assert_eq!(done.count(), 1, "the certificate names every call, and no other: {log:?}");
}

#[tokio::test]
async fn locations_mean_what_they_mean_to_a_browser() {
    let server = Server::start(|request| match request.split(' ').nth(1) {
        Some("/x/y") => to("?page=2"),
        Some("/x/y?page=2") => to("/login?next=https://app.invalid/"),
        _ => Act::Say(ok("the end")),
    })
    .await;
    let asked = HttpRequest { redirects: 2, ..request(HttpMethod::Get, &server.url("/x/y")) };
    let effects = gate(GuardPolicy::live([HTTP_READ]));
    assert_eq!(effects.http(&asked).await.expect("an answer").status, 200);
    let paths = ["/x/y", "/x/y?page=2", "/login?next=https://app.invalid/"];
    assert_eq!(lines(&server), paths.map(|path| format!("GET {path} HTTP/1.1")));
    let recorded: Vec<String> = effects.log().into_iter().map(|record| record.effect).collect();
    assert_eq!(recorded, paths.map(|path| format!("GET {}", server.url(path))));
}

#[tokio::test]
async fn an_answer_has_status_body_and_time() {
    let server = Server::start(|_| Act::Say(ok("ready"))).await;
    let answer = get(&server.url("/health?x=1")).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice(), answer.whole), (200, &b"ready"[..], true));
    assert!(answer.took > Duration::ZERO);
    assert_eq!(answer.certificate_ends, None);
    let sent = server.requests().remove(0);
    assert!(sent.starts_with("GET /health?x=1 HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains(&format!("host: 127.0.0.1:{}\r\n", server.port)), "{sent}");
    assert!(sent.contains("user-agent: drctl/"), "{sent}");
    let head = send(&request(HttpMethod::Head, &server.url("/"))).await.expect("an answer");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn every_status_is_an_answer() {
    for status in [204, 301, 404, 500, 503] {
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nLocation: /x\r\n\r\n");
        let server = Server::start(move |_| Act::Say(text.clone())).await;
        assert_eq!(get(&server.url("/")).await.expect("an answer").status, status);
        assert_eq!(server.requests().len(), 1, "redirects are not followed unless asked");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut() {
    let head = "HTTP/1.1 200 OK\r\n\r\n".to_owned();
    let server =
        Server::start(move |_| Act::Repeat(head.clone(), &[b'x'; 8_192], Duration::ZERO)).await;
    let answer = get(&server.url("/")).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.whole), (MAX_BODY, false));
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole() {
    let text = ok(&"x".repeat(MAX_BODY));
    let server = Server::start(move |_| Act::Say(text.clone())).await;
    let answer = get(&server.url("/")).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.whole), (MAX_BODY, true));
}

#[tokio::test]
async fn whoever_is_slow_or_silent_is_given_up() {
    let acts = [
        Act::Nothing,
        // One header byte now and then, for ever.
        Act::Repeat("HTTP/1.1 200 OK\r\nX: ".to_owned(), b"y", Duration::from_millis(20)),
        // A body that trickles.
        Act::Repeat("HTTP/1.1 200 OK\r\n\r\n".to_owned(), b"z", Duration::from_millis(20)),
    ];
    for act in acts {
        let server = Server::start(move |_| act.clone()).await;
        let asked = HttpRequest { timeout: SHORT, ..request(HttpMethod::Get, &server.url("/")) };
        let error = send(&asked).await.expect_err("no answer");
        assert_eq!(error.class(), ErrorClass::Unreachable, "{error}");
        assert!(error.to_string().contains("after 200ms"), "{error}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error_and_no_status() {
    let garbage = [
        "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".to_owned(),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(1_000_000)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(1_000)),
        "HTTP/1.1 99999 OK\r\n\r\n".to_owned(),
        "\0\0\0\0".to_owned(),
        String::new(),
    ];
    for text in garbage {
        let said = text.clone();
        let server = Server::start(move |_| Act::Say(said.clone())).await;
        let error = get(&server.url("/")).await.expect_err("no answer");
        assert!(matches!(error, HttpError::Broken { .. }), "{:.40}: {error}", text);
        assert_eq!(error.class(), ErrorClass::Temporary);
        assert!(error.to_string().len() < 600, "{error}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let url = format!("http://127.0.0.1:{port}/?token=hunter2");
    for method in [HttpMethod::Get, HttpMethod::Post] {
        let error = send(&request(method, &url)).await.expect_err("nobody");
        assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let nowhere = get("http://no-such-host.invalid/").await.expect_err("no such host");
    assert_eq!(nowhere.class(), ErrorClass::Unreachable, "{nowhere}");
}

#[tokio::test]
async fn redirects_are_followed_as_far_as_asked() {
    let server = Server::start(|request| match request.split(' ').nth(1) {
        Some("/a") => to("/b"),
        Some("/b") => to("end"),
        Some("/loop") => to("/loop"),
        Some("/odd") => to("gopher://x/"),
        _ => Act::Say(ok("the end")),
    })
    .await;
    let asked = |path: &str, redirects| HttpRequest {
        redirects,
        ..request(HttpMethod::Get, &server.url(path))
    };
    let answer = follow(&asked("/a", 2)).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"the end"[..]));
    assert_eq!(answer.place, server.url("/end"));
    for (path, redirects, why) in
        [("/a", 1, "more than 1"), ("/loop", 10, "more than 10"), ("/odd", 3, "begins with http")]
    {
        let error = follow(&asked(path, redirects)).await.expect_err(path);
        assert!(matches!(error, HttpError::Redirect { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(error.class(), ErrorClass::Permanent);
    }
}

#[tokio::test]
async fn headers_go_to_the_host_that_was_named_and_to_no_other() {
    let other = Server::start(|_| Act::Say(ok(""))).await;
    let place = other.url("/elsewhere");
    let server = Server::start(move |_| {
        Act::Say(format!("HTTP/1.1 307 Moved\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"))
    })
    .await;
    let asked = HttpRequest {
        headers: vec![("Authorization".to_owned(), Secret::from("hunter2"))],
        redirects: 1,
        ..request(HttpMethod::Get, &server.url("/"))
    };
    assert_eq!(follow(&asked).await.expect("an answer").status, 200);
    assert!(server.requests()[0].contains("authorization: hunter2"));
    assert!(!other.requests()[0].contains("hunter2"), "{}", other.requests()[0]);
    assert!(!format!("{asked:?}").contains("hunter2"));
    let split = HttpRequest {
        headers: vec![("X".to_owned(), Secret::from("a\r\nY: b"))],
        ..request(HttpMethod::Get, &server.url("/"))
    };
    let error = send(&split).await.expect_err("no header");
    assert!(matches!(error, HttpError::Request { .. }), "{error}");
}

#[tokio::test]
async fn what_was_sent_and_not_answered_is_lost_not_refused() {
    for act in [Act::Nothing, Act::Say(String::new()), Act::Say("gibberish\r\n\r\n".to_owned())] {
        let server = Server::start(move |_| act.clone()).await;
        let asked = HttpRequest { timeout: SHORT, ..request(HttpMethod::Post, &server.url("/")) };
        let error = send(&asked).await.expect_err("no answer");
        assert_eq!(error.class(), ErrorClass::InDoubt, "{error}");
        assert!(server.requests()[0].ends_with("{\"a\":1}"), "{}", server.requests()[0]);
    }
    let closing = Server::start(|_| Act::Close).await;
    let error = send(&request(HttpMethod::Post, &closing.url("/"))).await.expect_err("closed");
    // It may have read before it closed: nobody can tell.
    assert_eq!(error.class(), ErrorClass::InDoubt, "{error}");
}
