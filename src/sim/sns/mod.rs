//! Simple Notification Service: topics, and what was published to them.
//!
//! **Invariant:** nothing is delivered to anybody; what a topic accepted is kept for people and tests
//! to read.

mod publish;
mod topics;

pub(in crate::sim) use publish::deliver;
pub(in crate::sim) use topics::begin;

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;

/// The actions that change something.
pub(in crate::sim) const MUTATING: [&str; 4] =
    ["CreateTopic", "DeleteTopic", "Publish", "SetTopicAttributes"];

/// Answers one SNS call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "CreateTopic" => topics::create(turn),
        "DeleteTopic" => topics::delete(turn),
        "GetTopicAttributes" => topics::attributes(turn),
        "ListTopics" => topics::list(turn),
        "Publish" => publish::publish(turn),
        "SetTopicAttributes" => topics::set_attribute(turn),
        _ => turn.unknown_action(),
    }
}

fn invalid(what: impl std::fmt::Display) -> ApiError {
    ApiError::sender("InvalidParameter", format!("Invalid parameter: {what}"))
}

/// Checks that `arn` is one of a topic that this account has in this region.
fn check_arn(turn: &Turn<'_>, name: &str, arn: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", "aws", "sns", region, account, topic] = parts.as_slice() else {
        let count = parts.len();
        let reason = if count < 6 {
            format!("{name} Reason: An ARN must have at least 6 elements, not {count}")
        } else {
            name.to_owned()
        };
        return Err(invalid(reason));
    };
    if *region != turn.region || topic.is_empty() {
        return Err(invalid(name));
    }
    if *account != turn.world.account {
        let message = format!(
            "User: {} is not authorized to perform: SNS:{} on resource: {arn}",
            crate::sim::sts::caller_arn(turn),
            turn.action
        );
        return Err(ApiError::sender("AuthorizationError", message).with_status(403));
    }
    Ok(())
}

fn not_found() -> ApiError {
    ApiError::not_found("NotFound", "Topic does not exist")
}
