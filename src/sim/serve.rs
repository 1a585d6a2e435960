//! The simulator on loopback TCP, for clients that are not in this process.
//!
//! **Invariant:** answers are those of the seam, byte for byte; only the transport differs. A lost
//! answer closes the connection without a response.

use crate::base::clock::{Clock, ClockMode};
use crate::sim::admin;
use crate::sim::api::{Delivery, WireRequest, WireResponse, joined};
use crate::sim::decode::{Service, destination};
use crate::sim::simulator::Simulator;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::time::Duration;

/// Largest request body accepted, bytes: above anything that the simulated services take, a message of
/// 256 KB with every byte percent-encoded included.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// The same for S3, whose clients send parts of uploads.
const OBJECT_LIMIT: usize = 128 * 1024 * 1024;

/// How long a client may take to send a request's head.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a request that was already read may take to be answered when serving stops.
const LAST_ANSWERS: Duration = Duration::from_millis(500);

/// A simulator that is served.
#[derive(Debug, Clone)]
struct Served {
    simulator: Simulator,
    clock: Clock,
    speed: f64,
}

/// Answers connections on `listener` until `stop` is ready; then answers what was already asked, as
/// long as that takes no time to speak of. `clock` must not be a virtual one: sockets let paused time
/// run away.
///
/// # Errors
/// When the listener itself fails; trouble with one connection ends that connection only.
pub async fn serve(
    simulator: Simulator,
    clock: Clock,
    listener: tokio::net::TcpListener,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let speed = match clock.mode() {
        ClockMode::Scaled(factor) => factor,
        ClockMode::Real | ClockMode::Virtual => 1.0,
    };
    let served = Served { simulator, clock, speed };
    let mut connections = tokio::task::JoinSet::new();
    let (stopping, stopped) = tokio::sync::watch::channel(false);
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // A client that was gone before it was accepted, or too many at once.
                Err(error) if is_passing(&error) => continue,
                Err(error) => return Err(error),
            },
        };
        // An answer is one write; waiting for more of it would only delay it.
        drop(stream.set_nodelay(true));
        connections.spawn(connection(served.clone(), stream, stopped.clone()));
        while connections.try_join_next().is_some() {}
    }
    stopping.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    // Whoever is still waiting for a slow answer loses the connection, as with a server that ends.
    drop(tokio::time::timeout(LAST_ANSWERS, all).await);
    Ok(())
}

/// Whether the next connection may succeed although this one failed.
fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

async fn connection(
    served: Served,
    stream: tokio::net::TcpStream,
    mut stopped: tokio::sync::watch::Receiver<bool>,
) {
    let service = service_fn(move |request| answer(served.clone(), request));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A client that goes away is its own business; there is nobody left to tell.
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    drop(connection.await);
}

async fn answer(
    served: Served,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let Served { simulator, clock, speed } = served;
    let (parts, body) = request.into_parts();
    let headers = joined(parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    }));
    let mut wire = WireRequest {
        method: parts.method.as_str().to_owned(),
        host: headers.get("host").cloned().unwrap_or_default(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
    };
    let of_s3 = destination(&wire).is_some_and(|to| to.service == Service::S3);
    let limit = if of_s3 { OBJECT_LIMIT } else { BODY_LIMIT };
    match Limited::new(body, limit).collect().await {
        Ok(body) => wire.body = body.to_bytes().to_vec(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return respond(simulator.too_large(&wire, clock.now()));
        }
        // The client broke off in the middle of its request.
        Err(error) => return Err(std::io::Error::other(error)),
    }
    if wire.path == admin::PREFIX || wire.path.starts_with("/_drctl/") {
        return respond(admin::answer(&simulator, speed, &wire, clock.now()));
    }
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
