//! The seam: the simulator as the HTTP client of real AWS SDK clients.
//!
//! **Invariant:** a call takes effect when it arrives and is answered one latency later, so that a
//! client that dies in between leaves an effect it knows nothing of, as with AWS.

use crate::base::clock::Clock;
use crate::sim::api::{Delivery, WireAnswer, WireRequest, joined};
use crate::sim::dispatch::operation;
use crate::sim::simulator::Simulator;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use std::fmt;
use std::sync::Arc;

/// Sees what happens to a simulated environment: each call as it arrives, and once it has taken effect
/// while its answer has not left.
pub trait Watch: Send + Sync + fmt::Debug {
    /// `call`, such as `rds:DescribeDBInstances`, is about to take effect.
    fn before(&self, call: &str);
    /// `call` was carried out, or, where `done` is false, refused; nobody knows yet.
    fn after(&self, call: &str, done: bool);
}

/// An HTTP client for `SdkConfig::builder().http_client(…)` that asks `simulator` at `clock`'s
/// time; `watch` sees each call.
pub fn http_client(
    simulator: Simulator,
    clock: Clock,
    watch: Option<Arc<dyn Watch>>,
) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Seam { simulator, clock, watch });
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Clone)]
struct Seam {
    simulator: Simulator,
    clock: Clock,
    watch: Option<Arc<dyn Watch>>,
}

impl Seam {
    /// Carries the request out, seen by the watch if there is one.
    fn carry_out(&self, request: &WireRequest) -> WireAnswer {
        let Some(watch) = &self.watch else {
            return self.simulator.handle(request, self.clock.now());
        };
        let call = operation(request);
        watch.before(&call);
        let answer = self.simulator.handle(request, self.clock.now());
        watch.after(&call, answer.response.status < 300);
        answer
    }
}

impl fmt::Debug for Seam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seam")
    }
}

impl HttpConnector for Seam {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let seam = self.clone();
        HttpConnectorFuture::new(async move {
            let answer = seam.carry_out(&to_wire(&request)?);
            seam.clock.sleep(answer.latency).await;
            match answer.delivery {
                Delivery::Lost => Err(ConnectorError::io("connection reset by peer".into())),
                Delivery::Delivered => {
                    let status = StatusCode::try_from(answer.response.status)
                        .map_err(|error| ConnectorError::other(error.into(), None))?;
                    let body = SdkBody::from(answer.response.body);
                    let mut response = HttpResponse::new(status, body);
                    for (name, value) in answer.response.headers {
                        response.headers_mut().insert(name, value);
                    }
                    Ok(response)
                }
            }
        })
    }
}

fn to_wire(request: &HttpRequest) -> Result<WireRequest, ConnectorError> {
    let uri = request.uri();
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (authority, target) = match rest.find(['/', '?']) {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = request.headers().iter();
    let headers = joined(headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let body = request
        .body()
        .bytes()
        .ok_or_else(|| ConnectorError::user("the simulator takes no streamed bodies".into()))?;
    Ok(WireRequest {
        method: request.method().to_owned(),
        host: headers.get("host").cloned().unwrap_or_else(|| authority.to_owned()),
        path: if path.is_empty() { "/".to_owned() } else { path.to_owned() },
        query: query.to_owned(),
        headers,
        body: body.to_vec(),
    })
}
