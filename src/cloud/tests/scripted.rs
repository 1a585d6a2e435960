//! A wire that answers from a script and remembers what was sent.
//!
//! **Invariant:** a request that the script does not expect fails with words that say so.

use crate::base::clock::{Clock, simulated_epoch};
use crate::base::ids::{RunId, StepKey};
use crate::base::seed::Seed;
use crate::cloud::tags::Marks;
use crate::cloud::{Cloud, CloudError, CloudOptions, GuardPolicy, HttpSource};
use crate::estate::{Environment, EnvironmentKind, Simulation, SqlAccess};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status, body and headers.
    Http(u16, String, Vec<(&'static str, &'static str)>),
    /// The same with a body that is no text.
    Bytes(u16, Vec<u8>, Vec<(&'static str, &'static str)>),
    /// Nobody listens.
    ConnectionRefused,
    /// The connection breaks after the request was sent.
    Lost,
    /// No answer, ever.
    Silence,
}

/// One request as it left.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) uri: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// Form fields of the query protocol.
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) body: String,
    /// Time since the clock was made.
    pub(crate) at: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct Script {
    clock: Clock,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Script {
    pub(crate) fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            clock: Clock::virtual_from(simulated_epoch()),
            replies: Arc::new(Mutex::new(replies.into_iter().collect())),
            sent: Arc::default(),
        }
    }

    pub(crate) fn client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// Names of the operations that were sent, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        let name = |sent: Sent| match sent.headers.get("x-amz-target") {
            Some(target) => target.clone(),
            None => sent.form.get("Action").cloned().unwrap_or_default(),
        };
        self.sent().into_iter().map(name).collect()
    }

    pub(crate) async fn try_open(
        &self,
        environment: Environment,
        policy: GuardPolicy,
    ) -> Result<Cloud, CloudError> {
        let http = HttpSource::Injected(self.client());
        let (clock, seed) = (self.clock(), Seed::new(1));
        Cloud::open(CloudOptions { environment, clock, seed, http, policy }).await
    }

    pub(crate) async fn open(&self, policy: GuardPolicy) -> Cloud {
        self.try_open(environment(), policy).await.expect("a valid environment")
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let bytes = request.body().bytes().unwrap_or_default().to_vec();
        let headers = request.headers().iter();
        self.sent.lock().unwrap().push(Sent {
            uri: request.uri().to_owned(),
            headers: headers.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            form: form_urlencoded::parse(&bytes).into_owned().collect(),
            body: String::from_utf8_lossy(&bytes).into_owned(),
            at: self.clock.elapsed(),
        });
        let reply = self.replies.lock().unwrap().pop_front();
        HttpConnectorFuture::new(async move {
            match reply {
                Some(Reply::Http(status, body, headers)) => {
                    Ok(response(status, body.into_bytes(), headers))
                }
                Some(Reply::Bytes(status, body, headers)) => Ok(response(status, body, headers)),
                Some(Reply::ConnectionRefused) => {
                    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
                    Err(ConnectorError::io(refused.into()))
                }
                Some(Reply::Lost) => {
                    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
                    Err(ConnectorError::io(reset.into()))
                }
                Some(Reply::Silence) => std::future::pending().await,
                None => Err(ConnectorError::user("the script is over".into())),
            }
        })
    }
}

fn response(
    status: u16,
    body: Vec<u8>,
    headers: Vec<(&'static str, &'static str)>,
) -> HttpResponse {
    let status = StatusCode::try_from(status).unwrap();
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    for (key, value) in headers {
        response.headers_mut().insert(key, value);
    }
    response
}

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-1";

/// A simulated environment, which the script stands in for.
pub(crate) fn environment() -> Environment {
    Environment {
        name: "test".to_owned(),
        kind: EnvironmentKind::Simulated(Simulation { seed: 1, ..Simulation::default() }),
        account: ACCOUNT.to_owned(),
        region: REGION.to_owned(),
        allowed_regions: vec!["us-west-2".to_owned()],
        protected: false,
        sql: SqlAccess::default(),
        databases: BTreeMap::new(),
        zones: BTreeMap::new(),
        health_checks: BTreeMap::new(),
        accounts: BTreeMap::new(),
        security_groups: BTreeMap::new(),
        services: BTreeMap::new(),
        log_groups: BTreeMap::new(),
        alarms: BTreeMap::new(),
        buckets: BTreeMap::new(),
    }
}

pub(crate) fn run() -> RunId {
    RunId::mint(simulated_epoch(), &mut Seed::new(1).stream("run"))
}

/// The four tags of what `restore` of [`run`] makes.
pub(crate) fn tags() -> BTreeMap<String, String> {
    let (step, owner) = (StepKey::new("restore"), "ada".to_owned());
    Marks { run: run(), step, owner, expires: simulated_epoch() }.tags()
}

pub(crate) fn other_run() -> RunId {
    RunId::mint(simulated_epoch(), &mut Seed::new(2).stream("run"))
}
