//! The field `notify` of runbooks and drills: whom a run tells how it goes.
//!
//! **Invariant:** a topic is always named; an event that nobody knows is a problem of the file.

use crate::base::diagnostic::{Problems, nearest};
use crate::base::yaml::Fields;
use crate::runbook::shape::NOTIFY;

/// What a topic can be told about.
pub const NOTIFY_EVENTS: &[&str] = &["started", "waiting", "failed", "finished"];

/// Whom a run tells how it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Name or ARN of an SNS topic.
    pub topic: String,
    /// Region of a topic that is given by name; else the environment's.
    pub region: Option<String>,
    /// Of [`NOTIFY_EVENTS`]; empty is all.
    pub on: Vec<String>,
}

/// Reads the field.
pub(super) fn read(fields: &mut Fields<'_>, p: &mut Problems) -> Option<Notify> {
    let node = fields.node("notify")?;
    let mut f = Fields::of(node, "notify", p).shaped(&NOTIFY);
    let topic = f.required_text("topic", p).unwrap_or_default();
    let region = f.text("region", p);
    let on = f.texts("on", p);
    for event in on.iter().filter(|event| !NOTIFY_EVENTS.contains(&event.as_str())) {
        let help = match nearest(event, NOTIFY_EVENTS.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", NOTIFY_EVENTS.join(", ")),
        };
        let message = format!("`on` cannot have `{event}`");
        p.error("DR004", f.span(), message).help(help);
    }
    f.finish(p);
    Some(Notify { topic, region, on })
}
