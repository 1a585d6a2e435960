//! What answers beside AWS in a simulated environment: what the estate declares, and nothing else.
//!
//! **Invariant:** no socket is opened, no program started, no resolver asked; what would have been sent
//! is recorded in the world's directory.

use crate::base::clock::{Clock, format_instant};
use crate::base::digest::Digest;
use crate::base::redact::redact;
use crate::base::secret::{ExposeSecret as _, Secret};
use crate::cloud::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecord, RecordKind, Resolvers};
use crate::cloud::http::{HttpAddress, HttpAnswer, HttpError, HttpMethod, HttpPort, HttpRequest};
use crate::cloud::process::{Command, Finished, Output, ProcessError, Processes};
use crate::cloud::{Ports, SqlConnector, Variables};
use crate::estate::{Beside, Environment, EnvironmentKind, HttpReply};
use async_trait::async_trait;
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Name in evidence of what answers here.
const STAND_IN: &str = "the estate file";
/// File of the world's directory with everything that would have been sent.
const SENT: &str = "sent.jsonl";
/// Most names that lead from one to the next.
const MAX_ALIASES: usize = 8;

/// The ways out of a simulated environment; `directory` is its world's, `None` for one in memory.
pub(super) fn ports(
    environment: &Environment,
    clock: &Clock,
    sql: Arc<dyn SqlConnector>,
    directory: Option<&Path>,
) -> Ports {
    let beside = match &environment.kind {
        EnvironmentKind::Simulated(settings) => settings.beside.clone(),
        EnvironmentKind::Endpoints(_) | EnvironmentKind::Aws { .. } => Beside::default(),
    };
    let file = directory.map(|directory| directory.join(SENT));
    let simulated = Arc::new(Simulated { beside, clock: clock.clone(), file });
    Ports {
        sql,
        http: simulated.clone(),
        dns: simulated.clone(),
        processes: simulated.clone(),
        variables: simulated,
    }
}

#[derive(Debug)]
struct Simulated {
    beside: Beside,
    clock: Clock,
    file: Option<PathBuf>,
}

impl Simulated {
    fn reply(&self, address: &HttpAddress) -> Option<&HttpReply> {
        let declared = self.beside.http.iter();
        declared
            .filter_map(|(text, reply)| Some((HttpAddress::parse(text).ok()?, reply)))
            .find(|(declared, _)| declared.means(address))
            .map(|(_, reply)| reply)
    }

    /// The record's place in words; not the whole path, so that rehearsals repeat anywhere.
    fn record_place(&self) -> Option<String> {
        let world = self.file.as_ref()?.parent()?.file_name()?.to_string_lossy().into_owned();
        Some(format!("worlds/{world}/{SENT} of the state directory"))
    }

    /// Writes down what would have left the machine.
    fn record(&self, line: &serde_json::Value) -> std::io::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{line}")
    }
}

#[async_trait]
impl HttpPort for Simulated {
    async fn send(&self, request: &HttpRequest) -> Result<HttpAnswer, HttpError> {
        let address = &request.address;
        let (reply, body) = match (request.method, self.reply(address)) {
            (HttpMethod::Get, Some(reply)) => (reply.clone(), reply.body.clone().into_bytes()),
            (HttpMethod::Head, Some(reply)) => (reply.clone(), Vec::new()),
            (HttpMethod::Get | HttpMethod::Head, None) => {
                let why = "connection refused: the simulated environment declares no answer \
                           (`http` in the estate)";
                return Err(HttpError::unreachable(address, why));
            }
            (HttpMethod::Post, reply) => {
                let accepted =
                    HttpReply { status: 202, body: String::new(), latency: Duration::ZERO };
                let line = json!({
                    "at": format_instant(self.clock.now()),
                    "sent": "http",
                    "to": address.to_string(),
                    "body": redact(request.body.expose_secret()),
                });
                self.record(&line).map_err(|error| {
                    HttpError::unreachable(address, &format!("it could not be recorded: {error}"))
                })?;
                (reply.cloned().unwrap_or(accepted), Vec::new())
            }
        };
        if reply.latency >= request.timeout {
            self.clock.sleep(request.timeout).await;
            let (place, limit) = (address.to_string(), request.timeout);
            return Err(HttpError::Timeout { place, limit });
        }
        if !reply.latency.is_zero() {
            self.clock.sleep(reply.latency).await;
        }
        Ok(HttpAnswer {
            status: reply.status,
            body,
            whole: true,
            took: reply.latency,
            place: address.to_string(),
            location: None,
            certificate_ends: None,
            recorded: self.record_place().filter(|_| request.method == HttpMethod::Post),
            stand_in: Some(STAND_IN),
        })
    }
}

#[async_trait]
impl Resolvers for Simulated {
    async fn ask(&self, question: &DnsQuestion) -> Result<DnsAnswer, DnsError> {
        let mut name = RecordKind::Cname.plain(&question.name);
        let mut aliases = Vec::new();
        while let Some(found) = self.beside.names.get(&name) {
            if let Some(values) = found.records.get(question.kind.name()) {
                let record = |value: &String| DnsRecord {
                    value: question.kind.plain(value),
                    ttl: found.ttl,
                };
                let mut records: Vec<DnsRecord> = values.iter().map(record).collect();
                records.sort();
                return Ok(if records.is_empty() {
                    DnsAnswer::NoSuchRecord
                } else {
                    DnsAnswer::Found { records, aliases }
                });
            }
            let next = found.records.get("CNAME").and_then(|values| values.first());
            let Some(next) = next.filter(|_| aliases.len() < MAX_ALIASES) else {
                return Ok(DnsAnswer::NoSuchRecord);
            };
            name = RecordKind::Cname.plain(next);
            aliases.push(DnsRecord { value: name.clone(), ttl: found.ttl });
        }
        Ok(DnsAnswer::NoSuchName)
    }
}

#[async_trait]
impl Processes for Simulated {
    async fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        let said = command.rehearsal.clone().unwrap_or_default();
        let output = |text: &str| Output {
            shown: redact(text),
            bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            digest: Digest::of(text.as_bytes()),
        };
        Ok(Finished {
            exit_code: said.exit_code,
            stdout: output(&said.stdout),
            stderr: output(""),
            took: Duration::ZERO,
            started: false,
        })
    }
}

impl Variables for Simulated {
    /// A stand-in, so that a rehearsal needs no secret and cannot leak one.
    fn value(&self, name: &str) -> Option<Secret> {
        Some(format!("https://simulated.invalid/{name}").into())
    }
}
