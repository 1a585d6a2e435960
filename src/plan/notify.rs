//! Whom a run tells how it goes.
//!
//! **Invariant:** a topic is an ARN of SNS; what it is told about is known by name.

use serde::{Deserialize, Serialize};

/// An SNS topic and what it is told about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyRecord {
    /// Its ARN.
    pub topic: String,
    /// Its region.
    pub region: String,
    /// Of [`Self::EVENTS`].
    pub on: Vec<String>,
}

impl NotifyRecord {
    /// What a topic can be told about.
    pub const EVENTS: &'static [&'static str] = crate::runbook::NOTIFY_EVENTS;

    /// The topic that `text` names: an ARN, or a name in the account and region.
    ///
    /// # Errors
    /// It is neither, as a sentence fragment.
    pub fn of(text: &str, (region, account): (&str, &str), on: &[String]) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let is_name = |name: &str| {
            let stem = name.strip_suffix(".fifo").unwrap_or(name);
            !stem.is_empty() && name.len() <= 256 && stem.chars().all(plain)
        };
        let parts: Vec<&str> = text.split(':').collect();
        let (topic, region) = match parts.as_slice() {
            ["arn", partition, "sns", its, owner, name]
                if is_name(name)
                    && !its.is_empty()
                    && !partition.is_empty()
                    && owner.len() == 12 =>
            {
                (text.to_owned(), (*its).to_owned())
            }
            [name] if is_name(name) => {
                (format!("arn:aws:sns:{region}:{account}:{name}"), region.to_owned())
            }
            _ => {
                return Err(format!(
                    "`{text}` is no topic: write its name, or arn:aws:sns:REGION:ACCOUNT:NAME"
                ));
            }
        };
        let all = Self::EVENTS.iter().map(|event| (*event).to_owned());
        let on = if on.is_empty() { all.collect() } else { on.to_vec() };
        Ok(Self { topic, region, on })
    }
}

#[cfg(test)]
mod tests {
    use super::NotifyRecord;

    #[test]
    fn a_topic_is_a_name_or_an_arn() {
        let of = |text: &str| NotifyRecord::of(text, ("us-east-1", "123456789012"), &[]);
        let named = of("ops.fifo").expect("a name");
        assert_eq!(named.topic, "arn:aws:sns:us-east-1:123456789012:ops.fifo");
        assert_eq!(named.on, NotifyRecord::EVENTS);
        let there = of("arn:aws:sns:us-west-2:123456789012:ops").expect("an ARN");
        assert_eq!(there.region, "us-west-2");
        for bad in [
            "",
            ".fifo",
            "a b",
            "arn:aws:sqs:us-west-2:123456789012:ops",
            "a:b",
            "arn:aws:sns::1:x",
        ] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
