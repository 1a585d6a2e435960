//! Messages of SNS and of CloudWatch's alarms: finds what one asks for.
//!
//! **Invariant:** a message is somebody else's text. Of it only links of drctl and the ARN of an alarm are
//! read, and neither is more than a wish: what the alarm says is read from CloudWatch, and a person decides.

use crate::cli::error::CommandError;
use crate::cli::link::{Link, SCHEME};
use crate::cli::project::read_bounded;
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

/// Largest message, bytes: SNS's largest with what surrounds it.
const LARGEST: u64 = 1024 * 1024;

/// How many messages may lie in one another: an alarm in an envelope in a queue's record.
const DEEPEST: usize = 4;

/// What a message asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// The one link in it.
    pub link: Option<Link>,
    /// ARN of the alarm that it is about.
    pub alarm: Option<String>,
}

/// Reads the message in `path`; `-` is standard input.
///
/// # Errors
/// It cannot be read, or contradicts itself.
pub(super) fn read(path: &Path) -> Result<Message, CommandError> {
    let bytes =
        if path == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| {
                CommandError::usage(format!("cannot read the message: {error}"))
            })?;
            bytes
        } else {
            read_bounded(path, LARGEST)?
        };
    if bytes.len() as u64 > LARGEST {
        return Err(CommandError::usage(format!("the message is larger than {LARGEST} bytes")));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| CommandError::usage("the message is no text (UTF-8)"))?;
    Message::find(&text)
}

impl Message {
    /// What `text` asks for.
    ///
    /// # Errors
    /// It has several links or alarms that differ, a link that is none, or neither.
    pub(super) fn find(text: &str) -> Result<Self, CommandError> {
        let (mut links, mut alarms) = (BTreeSet::new(), BTreeSet::new());
        search(text, DEEPEST, &mut links, &mut alarms);
        let one = |found: BTreeSet<String>, what: &str| match found.len() {
            0 | 1 => Ok(found.into_iter().next()),
            count => {
                let message = format!("the message has {count} different {what}");
                Err(CommandError::usage(message)
                    .help("choose one, and give it to `drctl run` by itself"))
            }
        };
        let alarm = one(alarms, "alarms")?;
        let link = one(links, "links")?.map(|text| Link::parse(&text)).transpose()?;
        if let (Some(alarm), Some(theirs)) =
            (&alarm, link.as_ref().and_then(|link| link.alarm.as_ref()))
            && theirs.starts_with("arn:")
            && alarm != theirs
        {
            let message = "the message is about one alarm, and its link names another";
            return Err(CommandError::usage(message));
        }
        if alarm.is_none() && link.is_none() {
            return Err(CommandError::usage(
                "the message has neither a link of drctl nor an alarm",
            )
            .help("`drctl link RUNBOOK --env NAME` makes a link that its sender can put into it"));
        }
        Ok(Self { link, alarm })
    }
}

/// Looks for links and alarms in `text`, and in the texts inside it when it is JSON.
fn search(text: &str, deeper: usize, links: &mut BTreeSet<String>, alarms: &mut BTreeSet<String>) {
    match serde_json::from_str::<Json>(text) {
        Ok(document @ (Json::Object(_) | Json::Array(_))) if deeper > 0 => {
            inside(&document, deeper - 1, links, alarms);
        }
        Ok(_) | Err(_) => links.extend(links_in(text)),
    }
}

fn inside(
    document: &Json,
    deeper: usize,
    links: &mut BTreeSet<String>,
    alarms: &mut BTreeSet<String>,
) {
    match document {
        Json::String(text) => search(text, deeper, links, alarms),
        Json::Array(items) => items.iter().for_each(|item| inside(item, deeper, links, alarms)),
        Json::Object(fields) => {
            let arn = fields.get("AlarmArn").and_then(Json::as_str);
            // Only what CloudWatch itself says: an alarm has a name and a new state beside its ARN.
            let whole = ["AlarmName", "NewStateValue"].iter().all(|key| fields.contains_key(*key));
            alarms.extend(arn.filter(|_| whole).map(str::to_owned));
            fields.values().for_each(|field| inside(field, deeper, links, alarms));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// The links in a text: each as far as it goes, so that what is wrong with one shows.
fn links_in(text: &str) -> Vec<String> {
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|' | '\\');
    let found = text.match_indices(SCHEME).map(|(at, _)| {
        let rest = &text[at..];
        let link = &rest[..rest.find(ends).unwrap_or(rest.len())];
        // A sentence ends, and a bracket closes, after the link and not in it.
        link.trim_end_matches(['.', ',', ';', ':', '!', ')', ']', '}']).to_owned()
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::Message;
    use serde_json::json;

    const LINK: &str = "drctl://run/restore-db?env=production&p.database=orders";
    const ARN: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:api-down";

    fn alarm(description: &str) -> String {
        json!({ "AlarmName": "api-down", "AlarmArn": ARN, "NewStateValue": "ALARM",
                "AlarmDescription": description })
        .to_string()
    }

    #[test]
    fn an_alarm_in_an_envelope_names_its_runbook() {
        let envelope = |message: &str| {
            json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t",
                    "Message": message })
            .to_string()
        };
        for text in [
            format!("Do this: {LINK}.\nThanks"),
            format!("<{LINK}>"),
            alarm(&format!("The API is down ({LINK})")),
            envelope(&alarm(LINK)),
            json!({ "Records": [{ "body": envelope(&alarm(LINK)) }] }).to_string(),
        ] {
            let found = Message::find(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            let link = found.link.expect("a link");
            assert_eq!((link.runbook.as_str(), link.env.as_str()), ("restore-db", "production"));
            let is_alarm = text.contains("AlarmArn");
            assert_eq!(found.alarm.as_deref(), is_alarm.then_some(ARN), "{text}");
        }
    }

    #[test]
    fn a_message_that_contradicts_itself_or_asks_nothing_is_refused() {
        let two = format!("{LINK} or {LINK}2");
        let other = alarm(&format!("{LINK}&alarm={}", ARN.replace("api", "web")));
        let deep = (0..10_000).fold(String::new(), |text, _| format!("[{text}")) + LINK;
        let nested = (0..8).fold(LINK.to_owned(), |text, _| json!([text]).to_string());
        for (text, why) in [
            ("hello", "neither a link"),
            ("", "neither a link"),
            (two.as_str(), "2 different links"),
            (other.as_str(), "names another"),
            ("drctl://run/x?env=a&yes=true", "it says `yes`"),
            ("{\"AlarmArn\": \"arn:x\"}", "neither a link"),
        ] {
            let error = Message::find(text).expect_err(text).to_string();
            assert!(error.contains(why), "{why} in {error}");
        }
        // Deeper than anything that is sent: read as text, or not at all, and never a fall.
        let _ = Message::find(&deep);
        let _ = Message::find(&nested);
    }

    #[test]
    fn the_same_link_twice_is_one() {
        assert!(Message::find(&format!("{LINK}\n{LINK}")).expect("one").link.is_some());
    }
}
