//! Which instance or snapshot a call means: identifiers and ARNs.
//!
//! **Invariant:** identifiers are compared in lower case; an ARN of another region or account names
//! nothing here.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::world::{instance_key, instance_not_found};

/// The parts of an ARN of RDS that matter: region and identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::rds) struct Arn {
    pub(in crate::sim::rds) region: String,
    pub(in crate::sim::rds) id: String,
}

/// Reads `arn:aws:rds:<region>:<our account>:<kind>:<id>`; `None` when it is something else.
pub(in crate::sim::rds) fn arn(turn: &Turn<'_>, kind: &str, text: &str) -> Option<Arn> {
    let parts: Vec<&str> = text.splitn(7, ':').collect();
    let ["arn", "aws", "rds", region, account, found, id] = parts.as_slice() else { return None };
    let ours = *account == turn.world.account && *found == kind;
    ours.then(|| Arn { region: (*region).to_owned(), id: id.to_lowercase() })
}

/// The identifier of the instance that the parameter names, by identifier or ARN.
pub(in crate::sim::rds) fn instance(turn: &Turn<'_>, parameter: &str) -> Result<String, ApiError> {
    local(turn, turn.params.required(parameter)?)
}

/// The same for a parameter that may be missing.
pub(in crate::sim::rds) fn optional_instance(
    turn: &Turn<'_>,
    parameter: &str,
) -> Result<Option<String>, ApiError> {
    turn.params.text(parameter).map(|named| local(turn, named)).transpose()
}

fn local(turn: &Turn<'_>, named: &str) -> Result<String, ApiError> {
    if !named.starts_with("arn:") {
        return Ok(named.to_lowercase());
    }
    match arn(turn, "db", named) {
        Some(found) if found.region == turn.region => Ok(found.id),
        Some(_) | None => Err(instance_not_found(&instance_key(named))),
    }
}
