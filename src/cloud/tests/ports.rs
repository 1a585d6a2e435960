//! Ways out that answer from a script and count who came.
//!
//! **Invariant:** an answer that was not given is a panic, so that a test sees every use.

use crate::base::digest::Digest;
use crate::base::secret::Secret;
use crate::cloud::dns::{DnsAnswer, DnsError, DnsQuestion, Resolvers};
use crate::cloud::http::{HttpAnswer, HttpError, HttpPort, HttpRequest};
use crate::cloud::process::{Command, Finished, Output, ProcessError, Processes};
use crate::cloud::{Ports, SqlConnector, Variables};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Everything beside databases, which answers well and counts.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// How often anything was used.
    pub(crate) used: AtomicU32,
}

impl World {
    fn count(&self) {
        self.used.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ports to `sql` and to `world`.
pub(crate) fn ports(sql: Arc<dyn SqlConnector>, world: &Arc<World>) -> Ports {
    Ports {
        sql,
        http: world.clone(),
        dns: world.clone(),
        processes: world.clone(),
        variables: world.clone(),
    }
}

#[async_trait]
impl HttpPort for World {
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpError> {
        self.count();
        let moved = request.address.target() == "/moved";
        Ok(HttpAnswer {
            status: if moved { 302 } else { 200 },
            body: Vec::new(),
            whole: true,
            took: Duration::ZERO,
            place: request.address.to_string(),
            location: moved.then(|| "https://elsewhere.test/here".to_owned()),
            certificate_ends: None,
            recorded: None,
            stand_in: None,
        })
    }
}

#[async_trait]
impl Resolvers for World {
    async fn ask(&self, _: &DnsQuestion) -> Result<DnsAnswer, DnsError> {
        self.count();
        Ok(DnsAnswer::NoSuchName)
    }
}

#[async_trait]
impl Processes for World {
    async fn run(&self, _: &Command) -> Result<Finished, ProcessError> {
        self.count();
        let output = || Output { shown: String::new(), bytes: 0, digest: Digest::of(b"") };
        let (stdout, stderr) = (output(), output());
        Ok(Finished { exit_code: 0, stdout, stderr, took: Duration::ZERO, started: true })
    }
}

impl Variables for World {
    fn value(&self, name: &str) -> Option<Secret> {
        self.count();
        (name != "ABSENT").then(|| Secret::from("hunter4"))
    }
}
