//! The contract between actions and whatever answers DNS: resolvers, or a simulated environment.
//!
//! **Invariant:** plain data and a trait; nothing here opens a socket.

use crate::base::duration;
use crate::base::redact::redact_line;
use crate::cloud::error::ErrorClass;
use async_trait::async_trait;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Port of DNS.
const PORT: u16 = 53;
/// Longest piece of foreign text that an error carries, in characters.
const MAX_TEXT: usize = 200;

/// A type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Another name.
    Cname,
    /// Mail servers.
    Mx,
    /// Name servers.
    Ns,
    /// A name for an address.
    Ptr,
    /// Servers of a service.
    Srv,
    /// Text.
    Txt,
}

impl RecordKind {
    /// Every type by its name.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("A", Self::A),
        ("AAAA", Self::Aaaa),
        ("CNAME", Self::Cname),
        ("MX", Self::Mx),
        ("NS", Self::Ns),
        ("PTR", Self::Ptr),
        ("SRV", Self::Srv),
        ("TXT", Self::Txt),
    ];

    /// Its name, such as `AAAA`.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// A value of this type in the one form in which values are compared: names in lower case without
    /// the last dot, addresses as the library prints them, text as it is.
    pub fn plain(self, value: &str) -> String {
        match self {
            Self::Txt => value.to_owned(),
            Self::A | Self::Aaaa => match value.trim().parse::<IpAddr>() {
                Ok(address) => address.to_string(),
                Err(_) => value.trim().to_ascii_lowercase(),
            },
            Self::Cname | Self::Mx | Self::Ns | Self::Ptr | Self::Srv => plain_name(value),
        }
    }
}

/// A name in lower case without its last dot.
pub(super) fn plain_name(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.strip_suffix('.').unwrap_or(&name).to_owned()
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResolverName {
    /// The resolvers of the system, as one.
    System,
    /// The one at this address.
    At(SocketAddr),
}

impl ResolverName {
    /// Reads `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353` or `system`.
    ///
    /// # Errors
    /// A sentence fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "system" {
            return Ok(Self::System);
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::At(SocketAddr::new(ip, PORT)));
        }
        text.parse::<SocketAddr>().map(Self::At).map_err(|_| {
            format!(
                "`{text}` is no resolver: write its address, as `192.0.2.53` or `192.0.2.53:5353`, \
                 or `system`"
            )
        })
    }
}

impl fmt::Display for ResolverName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::At(address) if address.port() == PORT => write!(f, "{}", address.ip()),
            Self::At(address) => write!(f, "{address}"),
        }
    }
}

/// A question to one resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsQuestion {
    /// The name; it is never completed with a search domain.
    pub name: String,
    /// The type of record.
    pub kind: RecordKind,
    /// Who is asked.
    pub resolver: ResolverName,
    /// Longest time for the answer.
    pub timeout: Duration,
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DnsRecord {
    /// Its value in plain form, see [`RecordKind::plain`].
    pub value: String,
    /// Time to live as the resolver gave it, seconds.
    pub ttl: u32,
}

/// What a resolver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsAnswer {
    /// Records.
    Found {
        /// Those of the type that was asked for, sorted.
        records: Vec<DnsRecord>,
        /// Names that led there (CNAME), in order.
        aliases: Vec<DnsRecord>,
    },
    /// The name exists and has no record of this type (NODATA).
    NoSuchRecord,
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
}

/// Asks resolvers.
#[async_trait]
pub trait Resolvers: Send + Sync + fmt::Debug {
    /// Asks one resolver once.
    ///
    /// # Errors
    /// Why there is no usable answer.
    async fn ask(&self, question: &DnsQuestion) -> Result<DnsAnswer, DnsError>;
}

/// Why there is no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// Nobody answered in time.
    #[error("resolver {resolver} had not answered about `{name}` after {}", duration::format(*.limit))]
    Timeout {
        /// Who was asked.
        resolver: String,
        /// About what.
        name: String,
        /// The limit.
        limit: Duration,
    },
    /// There is no way to the resolver, or what answers there does not speak DNS.
    #[error("resolver {resolver} cannot be asked about `{name}`: {why}")]
    Unreachable {
        /// Who was asked.
        resolver: String,
        /// About what.
        name: String,
        /// The cause.
        why: String,
    },
    /// The resolver answered that it could not find out.
    #[error("resolver {resolver} failed on `{name}`: {code}")]
    Failed {
        /// Who was asked.
        resolver: String,
        /// About what.
        name: String,
        /// The code of DNS, such as `SERVFAIL` or `REFUSED`.
        code: String,
    },
    /// The question cannot be asked.
    #[error("`{name}` cannot be asked for: {why}")]
    Question {
        /// The name.
        name: String,
        /// The cause.
        why: String,
    },
}

impl DnsError {
    /// No way to the resolver.
    pub(super) fn unreachable(question: &DnsQuestion, why: &str) -> Self {
        Self::Unreachable {
            resolver: question.resolver.to_string(),
            name: question.name.clone(),
            why: redact_line(why, MAX_TEXT),
        }
    }

    /// What may be done about it.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Timeout { .. } | Self::Unreachable { .. } => ErrorClass::Unreachable,
            Self::Failed { .. } => ErrorClass::Temporary,
            Self::Question { .. } => ErrorClass::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordKind, ResolverName};

    #[test]
    fn resolvers_are_addresses_and_print_as_they_are_written() {
        for text in ["system", "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[::1]:5353"] {
            assert_eq!(ResolverName::parse(text).map(|name| name.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "dns.example", "192.0.2.53:dns", "1.2.3", "192.0.2.53:99999"] {
            assert!(ResolverName::parse(text).is_err_and(|why| why.contains("no resolver")));
        }
    }

    #[test]
    fn values_have_one_form() {
        for (kind, value, plain) in [
            (RecordKind::A, " 192.0.2.1", "192.0.2.1"),
            (RecordKind::Aaaa, "2001:0DB8:0::1", "2001:db8::1"),
            (RecordKind::Cname, "App.Example.", "app.example"),
            (RecordKind::Mx, "10 Mail.Example.", "10 mail.example"),
            (RecordKind::Txt, "V=Spf1 ~all", "V=Spf1 ~all"),
        ] {
            assert_eq!(kind.plain(value), plain);
            assert_eq!(kind.plain(plain), plain);
        }
    }
}
