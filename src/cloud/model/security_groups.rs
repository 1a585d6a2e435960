//! What drctl knows of security groups: who may come in.
//!
//! **Invariant:** a rule names one source; one that was read is written back as it was.

use std::collections::BTreeMap;
use std::fmt;

/// A VPC security group (EC2 `DescribeSecurityGroups`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// VPC that it is of.
    pub vpc: Option<String>,
    /// Who may come in, one rule for each source.
    pub ingress: Vec<IngressRule>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One source that may come in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IngressRule {
    /// `tcp`, `udp`, `icmp`, a number, or `-1` for all.
    pub protocol: String,
    /// First port; absent with all protocols.
    pub from_port: Option<i32>,
    /// Last port.
    pub to_port: Option<i32>,
    /// Who may come in.
    pub source: RuleSource,
    /// What somebody wrote beside it.
    pub description: Option<String>,
}

impl IngressRule {
    /// Whether it lets somebody reach `port` over TCP.
    pub fn reaches(&self, port: u16) -> bool {
        let port = i32::from(port);
        let ports = match (self.from_port, self.to_port) {
            (Some(-1), _) | (None, _) => true,
            (Some(from), to) => (from..=to.unwrap_or(from)).contains(&port),
        };
        match self.protocol.as_str() {
            "-1" => true,
            "tcp" | "6" => ports,
            _ => false,
        }
    }

    /// Whether it lets the same source in as `other`, whatever is written beside it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.protocol == other.protocol
            && (self.from_port, self.to_port) == (other.from_port, other.to_port)
            && self.source == other.source
    }
}

impl fmt::Display for IngressRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.protocol == "-1" { "all" } else { &self.protocol };
        write!(f, "{protocol}")?;
        match (self.from_port, self.to_port) {
            (Some(from), Some(to)) if from == to => write!(f, " {from}")?,
            (Some(from), Some(to)) => write!(f, " {from}-{to}")?,
            (Some(from), None) => write!(f, " {from}")?,
            (None, _) => {}
        }
        write!(f, " from {}", self.source)
    }
}

/// Who may come in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleSource {
    /// Addresses, as `10.0.0.0/16`.
    Ipv4(String),
    /// Addresses, as `2001:db8::/32`.
    Ipv6(String),
    /// Members of another security group, as `sg-…`, with its account when that is another one.
    Group {
        /// `sg-…`.
        id: String,
        /// Account, when it is not this one.
        account: Option<String>,
    },
    /// A prefix list, as `pl-…`.
    PrefixList(String),
}

impl RuleSource {
    /// From its written form: `10.0.0.0/16`, `2001:db8::/32`, `sg-1`, `123456789012/sg-1`, `pl-1`.
    pub fn parse(text: &str) -> Option<Self> {
        let owned = || text.to_owned();
        let twelve =
            |account: &str| account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        let plain = |id: &str, prefix: &str| {
            id.strip_prefix(prefix).is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric())
            })
        };
        if plain(text, "sg-") {
            return Some(Self::Group { id: owned(), account: None });
        }
        if plain(text, "pl-") {
            return Some(Self::PrefixList(owned()));
        }
        let (first, second) = text.split_once('/')?;
        if twelve(first) && plain(second, "sg-") {
            return Some(Self::Group { id: second.to_owned(), account: Some(first.to_owned()) });
        }
        let bits: u8 = second.parse().ok()?;
        if first.parse::<std::net::Ipv4Addr>().is_ok() {
            return (bits <= 32).then(|| Self::Ipv4(owned()));
        }
        first.parse::<std::net::Ipv6Addr>().ok()?;
        (bits <= 128).then(|| Self::Ipv6(owned()))
    }
}

impl fmt::Display for RuleSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(range) | Self::Ipv6(range) => f.write_str(range),
            Self::Group { id, account: None } | Self::PrefixList(id) => f.write_str(id),
            Self::Group { id, account: Some(account) } => write!(f, "{account}/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_they_are_written() {
        for text in
            ["10.0.0.0/16", "0.0.0.0/0", "2001:db8::/32", "sg-0a1", "123456789012/sg-1", "pl-9"]
        {
            assert_eq!(RuleSource::parse(text).expect(text).to_string(), text);
        }
        for bad in ["", "sg-", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "x/sg-1", "sg-1/8"]
        {
            assert_eq!(RuleSource::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_rule_reaches_the_ports_that_it_names() {
        let rule = |protocol: &str, from: Option<i32>, to: Option<i32>| IngressRule {
            protocol: protocol.to_owned(),
            from_port: from,
            to_port: to,
            source: RuleSource::Ipv4("10.0.0.0/8".to_owned()),
            description: None,
        };
        for (rule, reaches, words) in [
            (rule("tcp", Some(5432), Some(5432)), true, "tcp 5432 from 10.0.0.0/8"),
            (rule("6", Some(0), Some(65_535)), true, "6 0-65535 from 10.0.0.0/8"),
            (rule("-1", None, None), true, "all from 10.0.0.0/8"),
            (rule("tcp", Some(22), Some(22)), false, "tcp 22 from 10.0.0.0/8"),
            (rule("udp", Some(5432), Some(5432)), false, "udp 5432 from 10.0.0.0/8"),
            (rule("icmp", Some(-1), Some(-1)), false, "icmp -1 from 10.0.0.0/8"),
        ] {
            assert_eq!((rule.reaches(5432), rule.to_string()), (reaches, words.to_owned()));
        }
    }
}
