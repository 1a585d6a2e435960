//! `Publish`: accepts a message, or says why not.
//!
//! **Invariant:** a standard topic accepts every repetition, because SNS does; a FIFO topic answers
//! one within five minutes with the first one's id and accepts it no second time.

use super::{invalid, topics};
use crate::base::digest::Digest;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use crate::sim::services::{Published, Recent};
use crate::sim::state::World;
use crate::sim::xml::Xml;
use chrono::TimeDelta;
use serde_json::Value;
use std::collections::BTreeMap;

/// Largest message with its attributes, bytes.
const MESSAGE_LIMIT: usize = 256 * 1024;

/// Longest subject, characters.
const SUBJECT_LIMIT: usize = 100;

/// How long a FIFO topic remembers a deduplication id.
const DEDUPLICATION: TimeDelta = TimeDelta::minutes(5);

/// Messages that a world keeps; older ones are forgotten.
const KEPT_MESSAGES: usize = 500;

/// Bytes of messages that a world keeps.
const KEPT_BYTES: usize = 1024 * 1024;

/// `Publish`.
pub(super) fn publish(turn: &mut Turn<'_>) -> Outcome {
    let field = if turn.params.text("TargetArn").is_some() { "TargetArn" } else { "TopicArn" };
    if turn.params.text(field).is_none() && turn.params.text("PhoneNumber").is_some() {
        return Err(invalid("PhoneNumber Reason: the simulated account sends no text messages"));
    }
    let arn = topics::named(turn, field)?;
    let message = checked(turn, &arn)?;
    let (message_id, sequence) = match repeated(turn, &arn, &message) {
        Some(known) => (known.message_id, Some(known.sequence)),
        None => accept(turn, &arn, message),
    };
    let mut xml = Xml::default();
    xml.leaf("MessageId", message_id);
    xml.optional("SequenceNumber", sequence.map(|number| format!("{number:020}")));
    Ok(Body::Result(Some(xml)))
}

/// A message that may be accepted.
struct Message {
    subject: Option<String>,
    text: String,
    attributes: BTreeMap<String, String>,
    group: Option<String>,
    /// FIFO: what a repetition is known by.
    deduplication: Option<String>,
}

fn checked(turn: &Turn<'_>, arn: &str) -> Result<Message, ApiError> {
    let params = &turn.params;
    let text = params.text("Message").ok_or_else(|| invalid("Empty message"))?.to_owned();
    let attributes = attributes(turn)?;
    let size: usize = attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
    if text.len() + size > MESSAGE_LIMIT {
        return Err(invalid("Message too long"));
    }
    let subject = params.text("Subject").map(str::to_owned);
    let bad = |subject: &String| {
        subject.chars().count() > SUBJECT_LIMIT
            || subject.chars().any(|c| c.is_control() || !c.is_ascii())
            || subject.starts_with(' ')
    };
    if subject.as_ref().is_some_and(bad) {
        return Err(invalid("Subject"));
    }
    match params.text("MessageStructure") {
        None => {}
        Some("json") => check_structure(&text)?,
        Some(_) => return Err(invalid("MessageStructure")),
    }
    let group = params.text("MessageGroupId").map(str::to_owned);
    let id = params.text("MessageDeduplicationId").map(str::to_owned);
    let too_long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > 128);
    if too_long(&group) || too_long(&id) {
        return Err(invalid("MessageGroupId and MessageDeduplicationId take 128 characters"));
    }
    let deduplication = if topics::is_fifo(arn) {
        if group.is_none() {
            return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
        }
        Some(deduplication(turn, arn, id, &text)?)
    } else {
        if id.is_some() {
            return Err(invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId \
                 parameter that is not valid for this topic type",
            ));
        }
        None
    };
    Ok(Message { subject, text, attributes, group, deduplication })
}

fn check_structure(text: &str) -> Result<(), ApiError> {
    let parsed: Value = serde_json::from_str(text)
        .map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
    if !parsed["default"].is_string() {
        return Err(invalid("Message Structure - No default entry in JSON message body"));
    }
    Ok(())
}

fn attributes(turn: &Turn<'_>) -> Result<BTreeMap<String, String>, ApiError> {
    let mut attributes = BTreeMap::new();
    for index in 1.. {
        let prefix = format!("MessageAttributes.entry.{index}");
        let Some(name) = turn.params.text(&format!("{prefix}.Name")) else { break };
        let value = |part: &str| turn.params.text(&format!("{prefix}.Value.{part}"));
        let kind = value("DataType").unwrap_or_default();
        let found = match kind.split('.').next() {
            Some("String" | "Number") => value("StringValue"),
            Some("Binary") => value("BinaryValue"),
            Some(_) | None => None,
        };
        let found = found.ok_or_else(|| {
            ApiError::sender(
                "ParameterValueInvalid",
                format!(
                    "The message attribute '{name}' must contain a non-empty value of its type"
                ),
            )
        })?;
        attributes.insert(name.to_owned(), found.to_owned());
    }
    Ok(attributes)
}

fn deduplication(
    turn: &Turn<'_>,
    arn: &str,
    id: Option<String>,
    text: &str,
) -> Result<String, ApiError> {
    let by_content = turn
        .world
        .services
        .topics
        .get(arn)
        .and_then(|topic| topic.attributes.get("ContentBasedDeduplication"))
        .is_some_and(|value| value == "true");
    match id {
        Some(id) => Ok(id),
        None if by_content => Ok(Digest::of(text.as_bytes()).to_string()),
        None => Err(invalid(
            "The topic should either have ContentBasedDeduplication enabled or \
             MessageDeduplicationId provided explicitly",
        )),
    }
}

/// What the first of two equal messages was answered with.
fn repeated(turn: &Turn<'_>, arn: &str, message: &Message) -> Option<Recent> {
    let topic = turn.world.services.topics.get(arn)?;
    let known = topic.recent.get(message.deduplication.as_ref()?)?;
    (turn.now - known.at < DEDUPLICATION).then(|| known.clone())
}

fn accept(turn: &mut Turn<'_>, arn: &str, message: Message) -> (String, Option<u64>) {
    let name = format!("sns/{arn}/{}", turn.world.requests);
    let message_id = uuid(turn.world.seed(), &name);
    let now = turn.now;
    let topic = turn.world.services.topics.entry(arn.to_owned()).or_default();
    topic.accepted += 1;
    // SNS's sequence numbers are large and grow by more than one.
    let sequence = 10_000_000_000_000_000_000 + topic.accepted * 4096;
    topic.recent.retain(|_, known| now - known.at < DEDUPLICATION);
    let fifo = message.deduplication.is_some();
    if let Some(id) = message.deduplication {
        topic.recent.insert(id, Recent { at: now, message_id: message_id.clone(), sequence });
    }
    let effect = format!("message of {} bytes accepted", message.text.len());
    turn.changed(topics::name_of(arn), effect);
    let published = Published {
        at: now,
        topic: arn.to_owned(),
        message_id: message_id.clone(),
        subject: message.subject,
        message: message.text,
        attributes: message.attributes,
        group: message.group,
    };
    deliver(turn.world, published);
    (message_id, fifo.then_some(sequence))
}

/// Keeps a message that a topic accepted.
pub(in crate::sim) fn deliver(world: &mut World, message: Published) {
    world.services.published.push(message);
    forget(&mut world.services.published);
}

/// Drops the oldest messages beyond what a world keeps.
fn forget(published: &mut Vec<Published>) {
    let mut bytes = 0;
    let fits = |message: &&Published| {
        bytes += message.message.len();
        bytes <= KEPT_BYTES
    };
    let keep = published.iter().rev().take(KEPT_MESSAGES).take_while(fits).count().max(1);
    let surplus = published.len() - keep.min(published.len());
    published.drain(..surplus);
}
