//! How a disaster was noticed: by an alarm, or when a person says.
//!
//! **Invariant:** an alarm that could not be read gives no instant: what was said is said to be said.

use super::model::Plan;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What made somebody start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// When it was noticed; `None` when an alarm was named that does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// The alarm, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<AlarmRecord>,
    /// What has to be known to read the instant: whether somebody said it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A CloudWatch alarm when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmRecord {
    /// `AlarmName`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its region.
    pub region: String,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`; `None` when CloudWatch could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `StateReason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Detection {
    /// What expressions can know of it: when, and the alarm's name.
    pub fn told(&self) -> (Option<DateTime<Utc>>, Option<String>) {
        (self.at, self.alarm.as_ref().map(|alarm| alarm.name.clone()))
    }
}

impl Plan {
    /// When it was noticed, if that is known.
    pub fn detected_at(&self) -> Option<DateTime<Utc>> {
        self.detection.as_ref().and_then(|detection| detection.at)
    }

    /// The instant before the run that recovery time counts from: the disaster, else what came first of its
    /// being noticed and declared. `None`: the start of the run.
    pub fn counted_from(&self) -> Option<DateTime<Utc>> {
        let noticed = [self.detected_at(), self.declared_at].into_iter().flatten().min();
        self.disaster_at.or(noticed)
    }
}
