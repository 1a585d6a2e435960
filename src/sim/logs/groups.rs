//! `DescribeLogGroups`.
//!
//! **Invariant:** what a group holds is a function of its name, the seed and time.

use super::{invalid, page};
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::genesis::birth;
use crate::sim::state::World;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// Bytes that a group holds at `at`: some KiB a second since the estate's beginning.
pub(super) fn stored(world: &World, region: &str, name: &str, at: DateTime<Utc>) -> i64 {
    let rate = world.seed().derive(&format!("logs/{region}/{name}/rate")) % 4096 + 512;
    let seconds = (at - birth()).num_seconds().max(0);
    seconds.saturating_mul(i64::try_from(rate).unwrap_or(0))
}

/// `DescribeLogGroups`.
pub(super) fn describe(turn: &Turn<'_>) -> Result<Value, ApiError> {
    let text = |field: &str| match &turn.input[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str())),
        _ => Err(invalid(format!("{field} must be text"))),
    };
    let (prefix, pattern) = (text("logGroupNamePrefix")?, text("logGroupNamePattern")?);
    if prefix.is_some() && pattern.is_some() {
        return Err(invalid(
            "LogGroup name prefix and LogGroup name pattern are mutually exclusive.",
        ));
    }
    let names = turn.world.services.logs.groups.get(&turn.region);
    let names = names.into_iter().flatten().filter(|name| {
        prefix.is_none_or(|prefix| name.starts_with(prefix))
            && pattern.is_none_or(|pattern| name.contains(pattern))
    });
    let all: Vec<Value> = names
        .map(|name| {
            let arn =
                format!("arn:aws:logs:{}:{}:log-group:{name}", turn.region, turn.world.account);
            json!({
                "logGroupName": name,
                "arn": format!("{arn}:*"),
                "logGroupArn": arn,
                "creationTime": birth().timestamp_millis(),
                "retentionInDays": 90,
                "metricFilterCount": 0,
                "storedBytes": stored(turn.world, &turn.region, name, turn.now),
                "logGroupClass": "STANDARD",
            })
        })
        .collect();
    page(turn, "logGroups", all)
}
