//! The simulator on loopback TCP, for clients that are not in this process.
//!
//! **Invariant:** answers are those of the seam, byte for byte; only the transport differs. A lost
//! answer closes the connection without a response.

use crate::base::clock::Clock;
use crate::sim::api::{Delivery, WireRequest, WireResponse};
use crate::sim::simulator::Simulator;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;

/// Largest request body accepted, bytes: far above anything RDS, STS or Secrets Manager take.
const BODY_LIMIT: usize = 1024 * 1024;

/// Answers connections on `listener` until the future is dropped. `clock` must not be a virtual
/// one: sockets let paused time run away.
///
/// # Errors
/// When the listener itself fails; trouble with one connection ends that connection only.
pub async fn serve(
    simulator: Simulator,
    clock: Clock,
    listener: tokio::net::TcpListener,
) -> std::io::Result<()> {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let (simulator, clock) = (simulator.clone(), clock.clone());
        connections.spawn(async move {
            let service =
                service_fn(move |request| answer(simulator.clone(), clock.clone(), request));
            // A client that goes away is its own business; there is nobody left to tell.
            drop(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    simulator: Simulator,
    clock: Clock,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let headers: BTreeMap<String, String> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return respond(WireResponse {
            status: 413,
            headers: BTreeMap::new(),
            body: b"request body is too large".to_vec(),
        });
    };
    let wire = WireRequest {
        method: parts.method.as_str().to_owned(),
        host: headers.get("host").cloned().unwrap_or_default(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_bytes().to_vec(),
    };
    let answer = simulator.handle(&wire, clock.now());
    clock.sleep(answer.latency).await;
    match answer.delivery {
        Delivery::Lost => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        Delivery::Delivered => respond(answer.response),
    }
}

fn respond(response: WireResponse) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let mut builder = Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(response.body))).map_err(std::io::Error::other)
}
