//! Simulated CloudWatch Logs: groups and exports to S3.
//!
//! **Invariant:** an export copies what was there when it began.

mod exports;
mod groups;

pub(in crate::sim) use exports::advance;

use crate::estate::{Environment, Estate};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::state::World;
use exports::Export;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What it keeps in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct State {
    /// Names of log groups by region.
    groups: BTreeMap<String, BTreeSet<String>>,
    /// Oldest first.
    exports: Vec<Export>,
}

/// Operations that change something.
pub(in crate::sim) const MUTATING: [&str; 2] = ["CreateExportTask", "CancelExportTask"];

/// Entries of a page, when the call does not say.
const PAGE: usize = 50;

/// Answers one call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "CancelExportTask" => exports::cancel(turn),
        "CreateExportTask" => exports::create(turn),
        "DescribeExportTasks" => exports::describe(turn),
        "DescribeLogGroups" => groups::describe(turn),
        _ => turn.unknown_action(),
    }
    .map(Body::Json)
}

/// Gives a world the estate's log groups.
pub(in crate::sim) fn begin(world: &mut World, estate: &Estate, environment: &Environment) {
    for key in estate.log_groups.keys() {
        let Some(found) = estate.log_group_in(key, environment) else { continue };
        let region = found.region.unwrap_or_else(|| environment.region.clone());
        world.services.logs.groups.entry(region).or_default().insert(found.name);
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidParameterException", message)
}

/// The page of `all` that the call asks for; a token is a position.
fn page(turn: &Turn<'_>, field: &str, all: Vec<Value>) -> Result<Value, ApiError> {
    let limit = match &turn.input["limit"] {
        Value::Null => PAGE,
        given => given
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| (1..=PAGE).contains(number))
            .ok_or_else(|| invalid("limit must be between 1 and 50"))?,
    };
    let from = match &turn.input["nextToken"] {
        Value::Null => 0,
        token => token
            .as_str()
            .and_then(|token| token.parse::<usize>().ok())
            .filter(|from| *from < all.len())
            .ok_or_else(|| invalid("The specified nextToken is invalid."))?,
    };
    let more = all.len() > from + limit;
    let shown: Vec<Value> = all.into_iter().skip(from).take(limit).collect();
    let mut answer = json!({ field: shown });
    if more {
        answer["nextToken"] = json!((from + limit).to_string());
    }
    Ok(answer)
}
