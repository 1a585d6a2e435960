//! TLS: verified always, against the authorities that the user named.
//!
//! **Invariant:** certificates are made by OpenSSL, and the server is OpenSSL's own.

use drctl::base::clock::Clock;
use drctl::base::secret::Secret;
use drctl::cloud::ErrorClass;
use drctl::cloud::http::{
    HttpAddress, HttpAnswer, HttpError, HttpMethod, HttpNetwork, HttpPort as _, HttpRequest,
};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// `openssl s_server`, which answers every request with a page about itself.
struct Server {
    child: Child,
    port: u16,
    directory: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// A server whose certificate is for `names`; `None` without OpenSSL.
    #[expect(clippy::print_stdout, reason = "what was not tested has to be seen")]
    fn start(names: &[&str]) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            assert!(std::env::var_os("CI").is_none(), "CI installs openssl");
            println!("skipped: there is no openssl");
            return None;
        }
        let directory = TempDir::new().expect("a directory");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("localstack/certificates");
        let made = Command::new(script).arg(directory.path()).args(names).status();
        assert!(made.expect("it runs").success());
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut child = Command::new("openssl")
            .args(["s_server", "-www", "-cert", "server.crt", "-key", "server.key", "-accept"])
            .arg(format!("127.0.0.1:{port}"))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        assert!(lines.any(|line| line.expect("text").contains("ACCEPT")));
        // Somebody has to read on, or the server stops at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, port, directory })
    }

    async fn ask(&self, host: &str, trust: Option<&str>) -> Result<HttpAnswer, HttpError> {
        let url = format!("https://{host}:{}/", self.port);
        let request = HttpRequest {
            method: HttpMethod::Get,
            address: HttpAddress::parse(&url).expect("an address"),
            headers: Vec::new(),
            body: Secret::default(),
            redirects: 0,
            trust: trust.map(Into::into),
            timeout: Duration::from_secs(60),
        };
        HttpNetwork::new(Clock::real(), self.directory.path()).send(&request).await
    }
}

#[tokio::test]
async fn a_server_is_trusted_when_a_named_authority_signed_for_its_name() {
    let Some(server) = Server::start(&["IP:127.0.0.1"]) else { return };
    let answer = server.ask("127.0.0.1", Some("ca.pem")).await.expect("an answer");
    assert_eq!(answer.status, 200);
    let end = answer.certificate_ends.expect("a certificate ends");
    let wanted = Command::new("openssl")
        .args(["x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", "server.crt"])
        .current_dir(server.directory.path())
        .output();
    let wanted = String::from_utf8(wanted.expect("it runs").stdout).expect("text");
    let shown = end.format("notAfter=%Y-%m-%d %H:%M:%SZ").to_string();
    assert_eq!(wanted.trim(), shown);
}

#[tokio::test]
async fn nobody_else_is_trusted() {
    let Some(server) = Server::start(&["IP:127.0.0.1"]) else { return };
    let other = TempDir::new().expect("a directory");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("localstack/certificates");
    let made = Command::new(script).arg(other.path()).arg("IP:127.0.0.1").status();
    assert!(made.expect("it runs").success());
    let stranger = other.path().join("ca.pem").display().to_string();
    for (host, trust, why) in [
        // Signed by an authority that the system does not know.
        ("127.0.0.1", None, "UnknownIssuer"),
        ("127.0.0.1", Some(stranger.as_str()), "certificate"),
        // A name that the certificate is not for.
        ("localhost", Some("ca.pem"), "localhost"),
        ("127.0.0.1", Some("absent.pem"), "`ca` file"),
        ("127.0.0.1", Some("server.key"), "has no certificate"),
    ] {
        let error = server.ask(host, trust).await.expect_err(host);
        assert!(matches!(error, HttpError::Tls { .. }), "{host} {trust:?}: {error}");
        assert_eq!(error.class(), ErrorClass::Permanent);
        let text = error.to_string();
        // A system without any authorities says so instead.
        assert!(text.contains(why) || text.contains("trusts nobody"), "{host} {trust:?}: {text}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_an_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 No\r\n\r\n").await;
        }
    });
    let Some(mut server) = Server::start(&["IP:127.0.0.1"]) else { return };
    server.port = port;
    let error = server.ask("127.0.0.1", Some("ca.pem")).await.expect_err("no TLS");
    assert!(matches!(error, HttpError::Tls { .. }), "{error}");
}
