//! What a simulated environment answers beside AWS: HTTP servers and names, declared in the estate.
//!
//! **Invariant:** what is not declared does not exist: no server answers, no name resolves.

use super::shape::{HTTP_REPLY, NAME_REPLY};
use crate::base::diagnostic::{Problems, Span};
use crate::base::value::{Type, Value};
use crate::base::yaml::{Fields, Node};
use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::BTreeMap;
use std::time::Duration;

/// Time to live of a name that declares none, seconds: what Route 53 uses for aliases.
const DEFAULT_TTL: u32 = 60;

/// Everything beside AWS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// Answers to HTTP requests by address.
    pub http: BTreeMap<String, HttpReply>,
    /// Names by name, in lower case without the last dot.
    pub names: BTreeMap<String, NameReply>,
}

/// What an HTTP server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: String,
    /// How long the answer takes.
    pub latency: Duration,
}

/// What DNS answers about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameReply {
    /// Values by type of record, in capitals: `A`, `CNAME`, …
    pub records: BTreeMap<&'static str, Vec<String>>,
    /// Time to live of all of them, seconds.
    pub ttl: u32,
}

/// Types of records by their field.
const RECORDS: [(&str, &str); 8] = [
    ("a", "A"),
    ("aaaa", "AAAA"),
    ("cname", "CNAME"),
    ("mx", "MX"),
    ("ns", "NS"),
    ("ptr", "PTR"),
    ("srv", "SRV"),
    ("txt", "TXT"),
];

/// Reads the fields `http` and `dns` of a simulated environment.
pub(super) fn read(f: &mut Fields<'_>, p: &mut Problems) -> Beside {
    let mut beside = Beside::default();
    for (key, node) in f.entries("http", p) {
        if !key.name.starts_with("http://") && !key.name.starts_with("https://") {
            let message = format!("address `{}` must begin with http:// or https://", key.name);
            p.error("DR008", key.span, message);
        }
        beside.http.insert(key.name.clone(), http(node, p));
    }
    for (key, node) in f.entries("dns", p) {
        let name = key.name.to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
        beside.names.insert(name, names(node, p));
    }
    beside
}

fn http(node: &Node, p: &mut Problems) -> HttpReply {
    let mut f = Fields::of(node, "an HTTP answer", p).shaped(&HTTP_REPLY);
    let reply = HttpReply {
        status: number(&mut f, "status", 200, 100..=599, p),
        body: f.text("body", p).unwrap_or_default(),
        latency: f.duration("latency", p).unwrap_or_default(),
    };
    f.finish(p);
    reply
}

fn names(node: &Node, p: &mut Problems) -> NameReply {
    let mut f = Fields::of(node, "a name's records", p).shaped(&NAME_REPLY);
    let mut records = BTreeMap::new();
    for (field, kind) in RECORDS {
        let Some(found) = f.node(field) else { continue };
        let values = texts(field, found, p);
        for value in &values {
            address(kind, value, found.span, p);
        }
        records.insert(kind, values);
    }
    let ttl = number(&mut f, "ttl", DEFAULT_TTL, 0..=2_147_483_647, p);
    f.finish(p);
    NameReply { records, ttl }
}

/// One text, which may stand alone, or a list.
fn texts(field: &str, node: &Node, p: &mut Problems) -> Vec<String> {
    let value = node.to_value();
    if let Value::String(text) = value {
        return vec![text];
    }
    match value.coerce(&Type::texts()) {
        Ok(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        Ok(_) => Vec::new(),
        Err(why) => {
            p.error("DR004", node.span, format!("field `{field}`: {why}"));
            Vec::new()
        }
    }
}

fn address(kind: &str, value: &str, span: Span, p: &mut Problems) {
    let fits = match kind {
        "A" => value.parse::<Ipv4Addr>().is_ok(),
        "AAAA" => value.parse::<Ipv6Addr>().is_ok(),
        _ => !value.is_empty(),
    };
    if !fits {
        p.error("DR004", span, format!("`{value}` is no value of a record of type {kind}"));
    }
}

fn number<N: TryFrom<i64> + PartialOrd + std::fmt::Display>(
    f: &mut Fields<'_>,
    name: &'static str,
    default: N,
    range: std::ops::RangeInclusive<N>,
    p: &mut Problems,
) -> N {
    let Some(node) = f.node(name) else { return default };
    let span = node.span;
    let Some(given) = f.int(name, p) else { return default };
    match N::try_from(given) {
        Ok(number) if range.contains(&number) => number,
        Ok(_) | Err(_) => {
            let (low, high) = (range.start(), range.end());
            p.error("DR023", span, format!("`{name}` must be {low} to {high}, found {given}"));
            default
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::estate::{EnvironmentKind, load};
    use std::time::Duration;

    fn file(rest: &str) -> String {
        format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: x\nenvironments:\n  sim:\n    type: simulated\n    \
             account: \"123456789012\"\n    region: us-east-1\n{rest}"
        )
    }

    #[test]
    fn answers_are_read() {
        let text = file(
            "    http:\n      \"https://a.b/health\": { status: 503, body: no, latency: 30ms }\n      \
             \"http://a.b/\": {}\n    dns:\n      App.Example.: { a: [192.0.2.1, 192.0.2.2], ttl: 5 }\n      \
             www.example: { cname: app.example }\n",
        );
        let estate = load("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let EnvironmentKind::Simulated(found) = &estate.environments["sim"].kind else { panic!() };
        let health = &found.beside.http["https://a.b/health"];
        assert_eq!((health.status, health.body.as_str()), (503, "no"));
        assert_eq!(health.latency, Duration::from_millis(30));
        assert_eq!(found.beside.http["http://a.b/"].status, 200);
        let app = &found.beside.names["app.example"];
        assert_eq!((app.records["A"].len(), app.ttl), (2, 5));
        assert_eq!(found.beside.names["www.example"].records["CNAME"], ["app.example"]);
        assert_eq!(found.beside.names["www.example"].ttl, 60);
    }

    #[test]
    fn every_problem_has_its_place() {
        let text = file(
            "    http:\n      a.b/health: { status: 1000, bodi: x }\n    dns:\n      a.b: { a: [here], \
             aaaa: 192.0.2.1, ttl: -1 }\n      c.d: [1]\n",
        );
        let shown = load("x.yaml", &text).expect_err("invalid").to_string();
        for part in [
            "x.yaml:10:7: error[DR008]",
            "`status` must be 100 to 599, found 1000",
            "did you mean `body`",
            "`here` is no value of a record of type A",
            "`192.0.2.1` is no value of a record of type AAAA",
            "`ttl` must be 0 to 2147483647, found -1",
            "a name's records must be a map",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}
