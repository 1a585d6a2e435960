//! SNS topics: made, described, listed, deleted.
//!
//! **Invariant:** creating a topic that is there with the same attributes answers its ARN and changes
//! nothing, as AWS does.

use super::{check_arn, invalid, not_found};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::decode::Params;
use crate::sim::dispatch::{Turn, no_result};
use crate::sim::services::Topic;
use crate::sim::state::World;
use crate::sim::xml::Xml;
use std::collections::BTreeMap;

/// Topics on a page.
const PAGE: usize = 100;

/// Attributes that an owner may set.
const SETTABLE: [&str; 10] = [
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DeliveryPolicy",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "Policy",
    "SignatureVersion",
    "TracingConfig",
];

fn arn(world: &World, region: &str, name: &str) -> String {
    format!("arn:aws:sns:{region}:{}:{name}", world.account)
}

/// Gives a world the topics that its environment begins with; one that is there is kept.
pub(in crate::sim) fn begin(world: &mut World, region: &str, names: &[String]) {
    for name in names {
        let attributes = attributes_of(name);
        let topic = Topic { attributes, ..Topic::default() };
        world.services.topics.entry(arn(world, region, name)).or_insert(topic);
    }
}

/// What a topic's name alone says about it.
fn attributes_of(name: &str) -> BTreeMap<String, String> {
    let fifo = name.ends_with(".fifo");
    let flags = ["FifoTopic", "ContentBasedDeduplication"];
    flags.iter().filter(|_| fifo).map(|flag| ((*flag).to_owned(), "true".to_owned())).collect()
}

pub(super) fn is_fifo(arn: &str) -> bool {
    arn.ends_with(".fifo")
}

/// `CreateTopic`.
pub(super) fn create(turn: &mut Turn<'_>) -> Outcome {
    let name = turn.params.text("Name").unwrap_or_default().to_owned();
    let stem = name.strip_suffix(".fifo").unwrap_or(&name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if stem.is_empty() || name.len() > 256 || !stem.bytes().all(plain) {
        return Err(invalid("Topic Name"));
    }
    let mut attributes = BTreeMap::new();
    for (key, value) in turn.params.entries("Attributes.entry", "key", "value") {
        check_attribute(&key, &value)?;
        attributes.insert(key, value);
    }
    let fifo = attributes.get("FifoTopic").is_some_and(|value| value == "true");
    if fifo != is_fifo(&name) {
        let reason = "Fifo Topic names must end with .fifo and must be made up of only uppercase \
                      and lowercase ASCII letters, numbers, underscores, and hyphens, and must be \
                      between 1 and 256 characters long.";
        return Err(invalid(if fifo { reason } else { "Topic Name" }));
    }
    let arn = arn(turn.world, &turn.region, &name);
    match turn.world.services.topics.get(&arn) {
        Some(known)
            if attributes.iter().any(|(key, value)| known.attributes.get(key) != Some(value)) =>
        {
            return Err(invalid(
                "Attributes Reason: Topic already exists with different attributes",
            ));
        }
        Some(_) => {}
        None => {
            let topic = Topic { attributes, ..Topic::default() };
            turn.world.services.topics.insert(arn.clone(), topic);
            turn.changed(&name, "topic created");
        }
    }
    let mut xml = Xml::default();
    xml.leaf("TopicArn", &arn);
    Ok(Body::Result(Some(xml)))
}

fn check_attribute(name: &str, value: &str) -> Result<(), ApiError> {
    let flag = ["FifoTopic", "ContentBasedDeduplication"].contains(&name);
    if !SETTABLE.contains(&name) {
        return Err(invalid("AttributeName"));
    }
    if flag && value != "true" && value != "false" {
        return Err(invalid(format!("Attributes Reason: {name}: {value} is no boolean")));
    }
    Ok(())
}

/// The ARN that the call names, of a topic that is there.
pub(super) fn named(turn: &Turn<'_>, field: &str) -> Result<String, ApiError> {
    let arn = turn.params.text(field).unwrap_or_default().to_owned();
    check_arn(turn, field, &arn)?;
    if !turn.world.services.topics.contains_key(&arn) {
        return Err(not_found());
    }
    Ok(arn)
}

/// `DeleteTopic`: a topic that is not there is deleted.
pub(super) fn delete(turn: &mut Turn<'_>) -> Outcome {
    let arn = turn.params.text("TopicArn").unwrap_or_default().to_owned();
    check_arn(turn, "TopicArn", &arn)?;
    if turn.world.services.topics.remove(&arn).is_some() {
        turn.changed(name_of(&arn), "topic deleted");
    }
    no_result()
}

pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

/// `SetTopicAttributes`.
pub(super) fn set_attribute(turn: &mut Turn<'_>) -> Outcome {
    let arn = named(turn, "TopicArn")?;
    let name = turn.params.text("AttributeName").unwrap_or_default().to_owned();
    let value = turn.params.text("AttributeValue").unwrap_or_default().to_owned();
    if name == "FifoTopic" {
        return Err(invalid("AttributeName"));
    }
    check_attribute(&name, &value)?;
    turn.world.services.topics.entry(arn.clone()).and_modify(|topic| {
        topic.attributes.insert(name.clone(), value);
    });
    turn.changed(name_of(&arn), format!("attribute {name} set"));
    no_result()
}

/// `GetTopicAttributes`.
pub(super) fn attributes(turn: &mut Turn<'_>) -> Outcome {
    let arn = named(turn, "TopicArn")?;
    let account = turn.world.account.clone();
    let policy = serde_json::json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:Publish"],
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": account } },
        }],
    });
    let mut shown: BTreeMap<String, String> = [
        ("DisplayName", String::new()),
        ("Owner", account),
        ("Policy", policy.to_string()),
        ("SubscriptionsConfirmed", "0".to_owned()),
        ("SubscriptionsDeleted", "0".to_owned()),
        ("SubscriptionsPending", "0".to_owned()),
        ("TopicArn", arn.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(topic) = turn.world.services.topics.get(&arn) {
        shown.extend(topic.attributes.clone());
    }
    let mut xml = Xml::default();
    xml.element("Attributes", |xml| {
        for (name, value) in &shown {
            xml.element("entry", |xml| {
                xml.leaf("key", name);
                xml.leaf("value", value);
            });
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `ListTopics`: a token is the last ARN of the page before.
pub(super) fn list(turn: &mut Turn<'_>) -> Outcome {
    let after = token(&turn.params);
    let here = arn(turn.world, &turn.region, "");
    let mut rest = turn
        .world
        .services
        .topics
        .keys()
        .filter(|arn| arn.starts_with(&here))
        .skip_while(|arn| after.as_ref().is_some_and(|token| *arn <= token));
    let shown: Vec<&String> = rest.by_ref().take(PAGE).collect();
    let more = rest.next().is_some();
    let mut xml = Xml::default();
    xml.element("Topics", |xml| {
        for arn in &shown {
            xml.element("member", |xml| xml.leaf("TopicArn", arn));
        }
    });
    xml.optional("NextToken", shown.last().filter(|_| more));
    Ok(Body::Result(Some(xml)))
}

fn token(params: &Params) -> Option<String> {
    params.text("NextToken").map(str::to_owned)
}
