//! The endpoint in a secret's text: a JSON object as RDS writes it, with `host`, `port`, `dbname`,
//! `username` and a password.
//!
//! **Invariant:** only what names the endpoint changes; the same change of a text that has it already
//! gives the same text.

use crate::base::secret::{ExposeSecret, Secret};
use serde_json::{Map, Value as Json};

/// Shortest old host that is looked for in other fields, such as URLs.
const SHORTEST: usize = 4;

/// Where applications shall go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) user: Option<String>,
}

/// Why a secret's text cannot be changed; says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    NoObject,
    NoHost,
}

impl Unreadable {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NoObject => "its text is no JSON object",
            Self::NoHost => "its JSON object has no text `host`",
        }
    }
}

fn object(text: &Secret) -> Result<Map<String, Json>, Unreadable> {
    // The parser's own message may quote the text: it is dropped.
    serde_json::from_str(text.expose_secret()).map_err(|_| Unreadable::NoObject)
}

/// The host in a secret's text.
pub(super) fn host(text: &Secret) -> Result<String, Unreadable> {
    let host = object(text)?.get("host").and_then(Json::as_str).map(str::to_owned);
    host.filter(|host| !host.is_empty()).ok_or(Unreadable::NoHost)
}

/// The text with another endpoint in it.
pub(super) fn switched(text: &Secret, to: &Endpoint) -> Result<Secret, Unreadable> {
    let mut fields = object(text)?;
    let was = host(text)?;
    if was.len() >= SHORTEST {
        for (name, value) in &mut fields {
            if let Json::String(text) = value
                && name != "password"
            {
                *text = text.replace(&was, &to.host);
            }
        }
    }
    fields.insert("host".to_owned(), Json::from(to.host.as_str()));
    if let Some(port) = to.port {
        // Some write the port as text, and their readers expect one.
        let text = fields.get("port").is_some_and(Json::is_string);
        let port = if text { Json::from(port.to_string()) } else { Json::from(port) };
        fields.insert("port".to_owned(), port);
    }
    for (name, value) in [("dbname", &to.database), ("username", &to.user)] {
        if let Some(value) = value {
            fields.insert(name.to_owned(), Json::from(value.as_str()));
        }
    }
    if fields.contains_key("dbInstanceIdentifier")
        && let Some(instance) = instance(&to.host)
    {
        fields.insert("dbInstanceIdentifier".to_owned(), Json::from(instance));
    }
    Ok(Json::Object(fields).to_string().into())
}

/// The identifier of the instance that listens on an RDS host name.
fn instance(host: &str) -> Option<&str> {
    let (first, rest) = host.split_once('.')?;
    rest.contains(".rds.amazonaws.com").then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "orders.cabc.us-east-1.rds.amazonaws.com";
    const NEW: &str = "orders-west.cdef.us-west-2.rds.amazonaws.com";

    fn to(host: &str, port: Option<u16>) -> Endpoint {
        Endpoint { host: host.to_owned(), port, database: None, user: None }
    }

    fn text(text: String) -> Secret {
        text.into()
    }

    #[test]
    fn only_the_endpoint_changes() {
        let before = text(format!(
            "{{\"username\":\"app\",\"password\":\"p\\\"w\",\"host\":\"{OLD}\",\"port\":5432,\
             \"url\":\"postgres://{OLD}:5432/orders\",\"dbInstanceIdentifier\":\"orders\",\"n\":[1]}}"
        ));
        assert_eq!(host(&before), Ok(OLD.to_owned()));
        let endpoint = Endpoint { database: Some("shop".to_owned()), ..to(NEW, Some(5433)) };
        let after = switched(&before, &endpoint).expect("an object");
        let fields: Json = serde_json::from_str(after.expose_secret()).expect("JSON");
        let wanted = serde_json::json!({
            "username": "app", "password": "p\"w", "host": NEW, "port": 5433,
            "url": format!("postgres://{NEW}:5432/orders"), "dbname": "shop",
            "dbInstanceIdentifier": "orders-west", "n": [1],
        });
        assert_eq!(fields, wanted);
        let again = switched(&after, &endpoint).expect("an object");
        assert_eq!(again.expose_secret(), after.expose_secret(), "the same change is no change");
    }

    #[test]
    fn a_port_stays_the_kind_of_value_it_was() {
        let before = text("{\"host\":\"h\",\"port\":\"5432\",\"password\":\"h1h\"}".to_owned());
        let after = switched(&before, &to("other", Some(6000))).expect("an object");
        let fields: Json = serde_json::from_str(after.expose_secret()).expect("JSON");
        let wanted = serde_json::json!({ "host": "other", "port": "6000", "password": "h1h" });
        assert_eq!(fields, wanted, "a short host is not looked for in passwords");
    }

    #[test]
    fn what_has_no_host_is_not_touched() {
        for (given, wanted) in [
            ("hunter2", Unreadable::NoObject),
            ("[1]", Unreadable::NoObject),
            ("{\"host\":", Unreadable::NoObject),
            ("{\"password\":\"x\"}", Unreadable::NoHost),
            ("{\"host\":\"\"}", Unreadable::NoHost),
            ("{\"host\":5}", Unreadable::NoHost),
        ] {
            let given = text(given.to_owned());
            assert_eq!(host(&given), Err(wanted));
            assert_eq!(switched(&given, &to("h", None)).err(), Some(wanted));
        }
    }
}
