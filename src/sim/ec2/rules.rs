//! Rules of simulated security groups, one source each.
//!
//! **Invariant:** two rules are the same when they let the same source in, whatever is written beside
//! them.

use crate::estate::Ingress;
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The four lists of sources: name in calls, its field there, list and field in answers.
pub(super) const SOURCES: [(&str, &str, &str, &str); 4] = [
    ("IpRanges", "CidrIp", "ipRanges", "cidrIp"),
    ("Ipv6Ranges", "CidrIpv6", "ipv6Ranges", "cidrIpv6"),
    ("PrefixListIds", "PrefixListId", "prefixListIds", "prefixListId"),
    ("Groups", "GroupId", "groups", "groupId"),
];

/// One source that may come in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::sim) struct Rule {
    pub(super) protocol: String,
    pub(super) from_port: Option<i32>,
    pub(super) to_port: Option<i32>,
    /// An address range, `sg-…` or `pl-…`.
    pub(super) source: String,
    /// Account of a group that is another one's.
    pub(super) account: Option<String>,
    pub(super) description: Option<String>,
}

impl Rule {
    /// The rules of an estate's file, one for each source.
    pub(super) fn of_estate(from: &Ingress) -> Vec<Self> {
        let port = |port: Option<u16>| port.map(i32::from);
        let one = |source: &String| Self {
            protocol: from.protocol.clone(),
            from_port: port(from.from_port),
            to_port: port(from.to_port.or(from.from_port)),
            source: source.clone(),
            account: None,
            description: from.description.clone(),
        };
        from.sources.iter().map(one).collect()
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        let ports = (self.from_port, self.to_port) == (other.from_port, other.to_port);
        self.protocol == other.protocol
            && ports
            && self.source == other.source
            && self.account == other.account
    }

    /// Whether it lets somebody reach a TCP port.
    pub(super) fn reaches(&self, port: i32) -> bool {
        let ports = match (self.from_port, self.to_port) {
            (Some(from), Some(to)) => (from..=to).contains(&port),
            (Some(_) | None, _) => true,
        };
        self.protocol == "-1" || (ports && ["tcp", "6"].contains(&self.protocol.as_str()))
    }

    /// Where in [`SOURCES`] its source belongs.
    pub(super) fn list(&self) -> usize {
        match () {
            () if self.source.starts_with("sg-") => 3,
            () if self.source.starts_with("pl-") => 2,
            () if self.source.contains(':') => 1,
            () => 0,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = |port: Option<i32>| port.map_or_else(|| "all".to_owned(), |it| it.to_string());
        let (from, to) = (port(self.from_port), port(self.to_port));
        let protocol = self.protocol.to_uppercase();
        write!(f, "{}, {protocol}, from port: {from}, to port: {to}", self.source)
    }
}

/// Rules in words.
pub(super) fn words(rules: &[Rule]) -> String {
    rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The rules that a call names under `IpPermissions`.
pub(super) fn of_params(turn: &Turn<'_>) -> Result<Vec<Rule>, ApiError> {
    let missing = |what: &str| {
        let message = format!("The request must contain the parameter {what}");
        ApiError::sender("MissingParameter", message)
    };
    let mut rules = Vec::new();
    for number in 1.. {
        let place = format!("IpPermissions.{number}");
        let inside = format!("{place}.");
        if !turn.params.names().any(|name| name.starts_with(&inside)) {
            break;
        }
        let protocol = turn.params.text(&format!("{place}.IpProtocol"));
        let protocol = protocol.ok_or_else(|| missing("ipProtocol"))?.to_lowercase();
        let port = |name: &str| port(turn, &format!("{place}.{name}"));
        let (from_port, to_port) = (port("FromPort")?, port("ToPort")?);
        if ["tcp", "udp", "6", "17"].contains(&protocol.as_str())
            && (from_port.is_none() || to_port.is_none())
        {
            return Err(missing("fromPort and toPort"));
        }
        let before = rules.len();
        for (list, field, _, _) in SOURCES {
            for item in 1.. {
                let of = |name: &str| turn.params.text(&format!("{place}.{list}.{item}.{name}"));
                let Some(source) = of(field) else { break };
                rules.push(Rule {
                    protocol: protocol.clone(),
                    from_port: from_port.filter(|_| protocol != "-1"),
                    to_port: to_port.filter(|_| protocol != "-1"),
                    source: source.to_owned(),
                    account: of("UserId")
                        .filter(|account| *account != turn.world.account)
                        .map(str::to_owned),
                    description: of("Description").map(str::to_owned),
                });
            }
        }
        if rules.len() == before {
            return Err(missing("source: an address range, a group or a prefix list"));
        }
    }
    if rules.is_empty() {
        return Err(missing("ipPermissions"));
    }
    Ok(rules)
}

fn port(turn: &Turn<'_>, name: &str) -> Result<Option<i32>, ApiError> {
    let Some(text) = turn.params.text(name) else { return Ok(None) };
    let port = text.parse().ok().filter(|port| (-1..=65_535).contains(port));
    port.map(Some).ok_or_else(|| {
        let message = format!("Invalid value '{text}' for portRange. Must be an integer.");
        ApiError::sender("InvalidParameterValue", message)
    })
}
