//! DNS over the network: each resolver by itself, over UDP, and over TCP where an answer is too long.
//!
//! **Invariant:** no cache, no hosts file, no search domain, one resolver a question: what is answered
//! is what that resolver says now.

use super::contract::{
    DnsAnswer, DnsError, DnsQuestion, DnsRecord, RecordKind, ResolverName, Resolvers, plain_name,
};
use crate::base::clock::Clock;
use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as Refusal, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};

/// Most records of an answer that are looked at.
const MAX_RECORDS: usize = 200;

/// The resolvers of the network.
#[derive(Debug, Clone)]
pub struct DnsNetwork {
    clock: Clock,
}

impl DnsNetwork {
    /// Questions whose time-outs follow `clock`.
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Resolvers for DnsNetwork {
    async fn ask(&self, question: &DnsQuestion) -> Result<DnsAnswer, DnsError> {
        let mut name = Name::from_utf8(&question.name).map_err(|error| DnsError::Question {
            name: question.name.clone(),
            why: error.to_string(),
        })?;
        name.set_fqdn(true);
        let resolver = resolver(question)?;
        let kind = record_type(question.kind);
        let late = || DnsError::Timeout {
            resolver: question.resolver.to_string(),
            name: question.name.clone(),
            limit: question.timeout,
        };
        let looked = tokio::select! {
            biased;
            looked = resolver.lookup(name, kind) => looked,
            () = self.clock.sleep(question.timeout) => return Err(late()),
        };
        match looked {
            Ok(found) => Ok(answer(question.kind, found.answers())),
            Err(NetError::Timeout) => Err(late()),
            Err(NetError::Dns(refusal)) => refused(question, refusal),
            Err(error) => Err(DnsError::unreachable(question, &error.to_string())),
        }
    }
}

fn resolver(question: &DnsQuestion) -> Result<TokioResolver, DnsError> {
    let unreachable = |error: NetError| DnsError::unreachable(question, &error.to_string());
    let config = match question.resolver {
        ResolverName::At(address) => {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
            let connections = connections.map(|mut connection| {
                connection.port = address.port();
                connection
            });
            let server = NameServerConfig::new(address.ip(), true, connections.to_vec());
            ResolverConfig::from_name_servers(vec![server])
        }
        ResolverName::System => {
            let (config, _) =
                hickory_resolver::system_conf::read_system_conf().map_err(unreachable)?;
            config
        }
    };
    let mut options = ResolverOpts::default();
    options.timeout = question.timeout;
    options.attempts = 1;
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.preserve_intermediates = true;
    options.edns0 = true;
    let provider = TokioRuntimeProvider::default();
    let builder = TokioResolver::builder_with_config(config, provider).with_options(options);
    builder.build().map_err(unreachable)
}

fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Ns => RecordType::NS,
        RecordKind::Ptr => RecordType::PTR,
        RecordKind::Srv => RecordType::SRV,
        RecordKind::Txt => RecordType::TXT,
    }
}

fn answer(kind: RecordKind, answers: &[hickory_resolver::proto::rr::Record]) -> DnsAnswer {
    let wanted = record_type(kind);
    let (mut records, mut aliases) = (Vec::new(), Vec::new());
    for record in answers.iter().take(MAX_RECORDS) {
        if record.record_type() == wanted {
            let value = kind.plain(&record.data.to_string());
            records.push(DnsRecord { value, ttl: record.ttl });
        } else if record.record_type() == RecordType::CNAME {
            let value = plain_name(&record.data.to_string());
            aliases.push(DnsRecord { value, ttl: record.ttl });
        }
    }
    records.sort();
    if records.is_empty() { DnsAnswer::NoSuchRecord } else { DnsAnswer::Found { records, aliases } }
}

fn refused(question: &DnsQuestion, refusal: Refusal) -> Result<DnsAnswer, DnsError> {
    let failed = |code: ResponseCode| DnsError::Failed {
        resolver: question.resolver.to_string(),
        name: question.name.clone(),
        code: code_name(code),
    };
    match refusal {
        Refusal::NoRecordsFound(none) => match none.response_code {
            ResponseCode::NXDomain => Ok(DnsAnswer::NoSuchName),
            ResponseCode::NoError => Ok(DnsAnswer::NoSuchRecord),
            code => Err(failed(code)),
        },
        Refusal::ResponseCode(code) => Err(failed(code)),
        other => Err(DnsError::unreachable(question, &other.to_string())),
    }
}

/// The code as people know it, in capitals.
fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        other => other.to_string(),
    }
}
