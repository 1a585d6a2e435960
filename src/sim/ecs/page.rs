//! Pages of ECS's lists.
//!
//! **Invariant:** a token is a position in the sorted list, and one that is none is refused.

use super::invalid;
use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use serde_json::{Value, json};

/// The page of `all` that the call asks for, under `field`; `usual` entries when it does not say.
pub(super) fn page(
    turn: &Turn<'_>,
    field: &str,
    all: Vec<String>,
    usual: usize,
) -> Result<Value, ApiError> {
    let limit = match &turn.input["maxResults"] {
        Value::Null => usual,
        given => given
            .as_u64()
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| (1..=100).contains(number))
            .ok_or_else(|| invalid("maxResults must be between 1 and 100."))?,
    };
    let from = match &turn.input["nextToken"] {
        Value::Null => 0,
        Value::String(token) => token
            .parse::<usize>()
            .ok()
            .filter(|from| *from < all.len())
            .ok_or_else(|| invalid("Invalid token."))?,
        _ => return Err(invalid("Invalid token.")),
    };
    let more = all.len() > from + limit;
    let shown: Vec<String> = all.into_iter().skip(from).take(limit).collect();
    let mut answer = json!({ field: shown });
    if more {
        answer["nextToken"] = json!((from + limit).to_string());
    }
    Ok(answer)
}
