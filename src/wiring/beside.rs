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
use crate::sim::{SimDnsAnswer, SimDnsEnd, SimDnsSet, Simulator};
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

/// The ways out of a simulated environment; `directory` is its world's, `None` for one in memory.
pub(super) fn ports(
    environment: &Environment,
    clock: &Clock,
    (simulator, sql): (&Simulator, Arc<dyn SqlConnector>),
    directory: Option<&Path>,
) -> Ports {
    let beside = match &environment.kind {
        EnvironmentKind::Simulated(settings) => settings.beside.clone(),
        EnvironmentKind::Endpoints(_) | EnvironmentKind::Aws { .. } => Beside::default(),
    };
    let file = directory.map(|directory| directory.join(SENT));
    let simulated =
        Arc::new(Simulated { beside, simulator: simulator.clone(), clock: clock.clone(), file });
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
    simulator: Simulator,
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
        let (kind, now) = (question.kind, self.clock.now());
        let asked = (question.name.as_str(), kind.name());
        let answer = self.simulator.resolve(asked, &question.resolver.to_string(), now);
        let answer = answer.ok_or_else(|| DnsError::Question {
            name: question.name.clone(),
            why: "it is no name that DNS has".to_owned(),
        })?;
        let SimDnsAnswer { mut sets, end, .. } = answer;
        let found = match end {
            SimDnsEnd::Found => sets.pop(),
            SimDnsEnd::NoSuchRecord => None,
            SimDnsEnd::NoSuchName | SimDnsEnd::NotOurs => return Ok(DnsAnswer::NoSuchName),
        };
        let Some(found) = found else { return Ok(DnsAnswer::NoSuchRecord) };
        let mut found = records(&found, kind);
        found.sort();
        let aliases = sets.iter().flat_map(|set| records(set, RecordKind::Cname)).collect();
        Ok(DnsAnswer::Found { records: found, aliases })
    }
}

fn records(set: &SimDnsSet, kind: RecordKind) -> Vec<DnsRecord> {
    let plain = |value: &String| match kind {
        // What a resolver shows of a text has no quotation marks.
        RecordKind::Txt => value.trim_matches('"').replace("\" \"", ""),
        _ => kind.plain(value),
    };
    let record = |value| DnsRecord { value: plain(value), ttl: set.ttl };
    set.values.iter().map(record).collect()
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
