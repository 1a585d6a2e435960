//! CloudWatch's alarms, as they are.
//!
//! **Invariant:** an absent field means that AWS did not say, never a default.

use chrono::{DateTime, Utc};

/// A metric or composite alarm (CloudWatch `DescribeAlarms`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmFacts {
    /// `AlarmName`.
    pub name: String,
    /// `AlarmArn`.
    pub arn: String,
    /// `StateValue`.
    pub state: AlarmState,
    /// `StateReason`.
    pub reason: Option<String>,
    /// Since when it is in its state.
    pub since: Option<DateTime<Utc>>,
}

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// `OK`.
    Ok,
    /// `ALARM`.
    Alarm,
    /// `INSUFFICIENT_DATA`, or nothing that is known.
    InsufficientData,
}

impl AlarmState {
    /// In CloudWatch's words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}
