//! Effects beside AWS, seen by a watch: what is sent over HTTP, programs, SQL that writes.
//!
//! **Invariant:** reads pass unseen: they change nothing, so that dying beside one is no other instant
//! than dying between two calls.

use crate::cloud::http::{HttpAnswer, HttpError, HttpMethod, HttpPort, HttpRequest};
use crate::cloud::process::{Command, Finished, ProcessError, Processes};
use crate::cloud::{Ports, SqlConnector, SqlError, SqlMode, SqlRows, SqlSession, SqlTarget};
use crate::sim::Watch;
use async_trait::async_trait;
use std::sync::Arc;

/// `ports`, with their effects seen by `watch`.
pub(super) fn watched(ports: Ports, watch: &Arc<dyn Watch>) -> Ports {
    let Ports { sql, http, dns, processes, variables } = ports;
    let watch = || Arc::clone(watch);
    Ports {
        sql: Arc::new(WatchedSql { inner: sql, watch: watch() }),
        http: Arc::new(WatchedHttp { inner: http, watch: watch() }),
        dns,
        processes: Arc::new(WatchedProcesses { inner: processes, watch: watch() }),
        variables,
    }
}

#[derive(Debug)]
struct WatchedHttp {
    inner: Arc<dyn HttpPort>,
    watch: Arc<dyn Watch>,
}

#[async_trait]
impl HttpPort for WatchedHttp {
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpError> {
        if request.method != HttpMethod::Post {
            return self.inner.send(request).await;
        }
        let call = format!("http:POST {}", request.address);
        self.watch.before(&call);
        let answer = self.inner.send(request).await;
        self.watch.after(&call, answer.is_ok());
        answer
    }
}

#[derive(Debug)]
struct WatchedProcesses {
    inner: Arc<dyn Processes>,
    watch: Arc<dyn Watch>,
}

#[async_trait]
impl Processes for WatchedProcesses {
    async fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        let call = format!("process:{command}");
        self.watch.before(&call);
        let finished = self.inner.run(command).await;
        self.watch.after(&call, finished.is_ok());
        finished
    }
}

#[derive(Debug)]
struct WatchedSql {
    inner: Arc<dyn SqlConnector>,
    watch: Arc<dyn Watch>,
}

#[async_trait]
impl SqlConnector for WatchedSql {
    async fn connect(&self, target: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
        let inner = self.inner.connect(target).await?;
        if target.mode == SqlMode::ReadOnly {
            return Ok(inner);
        }
        let call = format!("sql:{}:{}/{}", target.host, target.port, target.database);
        Ok(Box::new(WatchedSession { inner, call, watch: Arc::clone(&self.watch) }))
    }
}

struct WatchedSession {
    inner: Box<dyn SqlSession>,
    call: String,
    watch: Arc<dyn Watch>,
}

#[async_trait]
impl SqlSession for WatchedSession {
    async fn query(&mut self, statement: &str) -> Result<SqlRows, SqlError> {
        self.watch.before(&self.call);
        let rows = self.inner.query(statement).await;
        self.watch.after(&self.call, rows.is_ok());
        rows
    }

    async fn close(self: Box<Self>) {
        self.inner.close().await;
    }
}
