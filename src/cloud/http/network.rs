//! HTTP over the network: one connection a request, verified TLS, bounded answers.
//!
//! **Invariant:** an answer costs at most [`MAX_BODY`] of memory and the request's time-out; one request
//! goes to one host: who follows a redirect asks again, through the gate.

use super::certificate;
use super::contract::{HttpAnswer, HttpError, HttpMethod, HttpPort, HttpRequest, MAX_BODY};
use crate::base::clock::Clock;
use crate::base::secret::ExposeSecret;
use crate::cloud::classify::causes;
use crate::cloud::sql::authorities;
use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::ConfigBuilderExt as _;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// Most bytes of an answer's head: ten times what servers send.
const MAX_HEAD: usize = 65_536;
/// Most headers of an answer.
const MAX_HEADERS: usize = 100;

/// The network.
#[derive(Debug, Clone)]
pub struct HttpNetwork {
    clock: Clock,
    root: PathBuf,
}

impl HttpNetwork {
    /// Requests whose time-outs follow `clock`; PEM files are named relative to `root`.
    pub fn new(clock: Clock, root: &Path) -> Self {
        Self { clock, root: root.to_owned() }
    }

    async fn one(&self, request: &HttpRequest, sent: &AtomicBool) -> Result<HttpAnswer, HttpError> {
        let begun = self.clock.elapsed();
        let mut answer = self.ask(request, sent).await?;
        answer.took = self.clock.elapsed().saturating_sub(begun);
        Ok(answer)
    }

    async fn ask(&self, request: &HttpRequest, sent: &AtomicBool) -> Result<HttpAnswer, HttpError> {
        let address = &request.address;
        let message = message(request)?;
        let tcp = TcpStream::connect((address.host(), address.port())).await;
        let tcp = tcp.map_err(|error| HttpError::unreachable(address, &error.to_string()))?;
        if !address.is_tls() {
            return exchange(tcp, message, request, sent).await;
        }
        let refused = |why: String| HttpError::Tls {
            place: address.to_string(),
            why: HttpError::cause(&why),
        };
        let config = self.tls(request.trust.as_deref()).await.map_err(refused)?;
        let host = address.host().to_owned();
        let name = ServerName::try_from(host).map_err(|error| refused(error.to_string()))?;
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
        let tls = tls.map_err(|error| refused(error.to_string()))?;
        let shown = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let ends = shown.and_then(|certificate| certificate::end(certificate));
        let answer = exchange(tls, message, request, sent).await?;
        Ok(HttpAnswer { certificate_ends: ends, ..answer })
    }

    /// Who may sign certificates: the PEM file that was named, else what the system trusts.
    async fn tls(&self, trust: Option<&Path>) -> Result<ClientConfig, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the ring provider serves the default protocol versions");
        let Some(path) = trust else {
            let native = builder.with_native_roots().map_err(|error| {
                format!("the system trusts nobody ({error}); name a PEM file with `ca`")
            })?;
            return Ok(native.with_no_client_auth());
        };
        let path = self.root.join(path);
        let named = |why: String| format!("`ca` file {}: {why}", path.display());
        let pem = tokio::fs::read(&path).await.map_err(|error| named(error.to_string()))?;
        let roots = authorities(&pem).map_err(named)?;
        Ok(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

#[async_trait]
impl HttpPort for HttpNetwork {
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpError> {
        let sent = AtomicBool::new(false);
        tokio::select! {
            biased;
            answer = self.one(request, &sent) => answer,
            () = self.clock.sleep(request.timeout) => {
                let (place, limit) = (request.address.to_string(), request.timeout);
                Err(match request.method {
                    HttpMethod::Post if sent.load(Ordering::Relaxed) => {
                        let why = format!("none within {}", crate::base::duration::format(limit));
                        HttpError::Lost { place, why }
                    }
                    HttpMethod::Get | HttpMethod::Head | HttpMethod::Post => {
                        HttpError::Timeout { place, limit }
                    }
                })
            }
        }
    }
}

fn message(request: &HttpRequest) -> Result<http::Request<Full<Bytes>>, HttpError> {
    let address = &request.address;
    let mut message = http::Request::builder()
        .method(request.method.name())
        .uri(address.target())
        .header("host", address.authority())
        .header("user-agent", concat!("drctl/", env!("CARGO_PKG_VERSION")))
        .header("accept", "*/*")
        .header("connection", "close");
    for (name, value) in &request.headers {
        message = message.header(name, value.expose_secret());
    }
    let body = Full::new(Bytes::from(request.body.expose_secret().to_owned()));
    message.body(body).map_err(|error| HttpError::Request {
        place: address.to_string(),
        why: HttpError::cause(&error.to_string()),
    })
}

/// Sends over an open stream and reads the answer.
async fn exchange<S>(
    stream: S,
    message: http::Request<Full<Bytes>>,
    request: &HttpRequest,
    sent: &AtomicBool,
) -> Result<HttpAnswer, HttpError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let lost = |error: hyper::Error| HttpError::unanswered(request, &causes(&error));
    let handshake = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(lost)?;
    // Dropping the set ends the connection with whoever waits for it.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    sent.store(true, Ordering::Relaxed);
    let response = sender.send_request(message).await.map_err(lost)?;
    let status = response.status().as_u16();
    let location = response.headers().get("location");
    let location = location.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (body, whole) = read(response.into_body()).await.map_err(lost)?;
    Ok(HttpAnswer {
        status,
        body,
        whole,
        took: std::time::Duration::ZERO,
        place: request.address.to_string(),
        location,
        certificate_ends: None,
        recorded: None,
        stand_in: None,
    })
}

/// The body up to [`MAX_BODY`], and whether it ended there.
async fn read(mut body: Incoming) -> Result<(Vec<u8>, bool), hyper::Error> {
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = MAX_BODY - kept.len();
        if data.len() > room {
            kept.extend_from_slice(&data[..room]);
            return Ok((kept, false));
        }
        kept.extend_from_slice(&data);
    }
    Ok((kept, true))
}
