//! CloudWatch: metrics that were put, those that RDS, ECS and Route 53 would publish, and alarms.
//!
//! **Invariant:** a call means the same in all three protocols; only here and in the answer's form do
//! they differ.

mod alarms;
mod ecs;
mod get;
mod input;
mod list;
mod put;
mod rds;
mod route53;
mod s3;
mod series;
mod statistics;

use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::protocol::Protocol;

pub(in crate::sim) use alarms::{Alarms, advance, begin, raise};

/// The actions that change something.
pub(in crate::sim) const MUTATING: [&str; 4] =
    ["DeleteAlarms", "PutMetricAlarm", "PutMetricData", "SetAlarmState"];

/// Answers one CloudWatch call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    if turn.protocol == Protocol::Query {
        let too_deep = || ApiError::sender("MalformedInput", "parameters nest too deep");
        turn.input = turn.params.nested().ok_or_else(too_deep)?;
    }
    match turn.action.as_str() {
        "PutMetricData" => put::put(turn),
        "GetMetricData" => get::data(turn),
        "GetMetricStatistics" => statistics::get(turn),
        "ListMetrics" => list::list(turn),
        "DeleteAlarms" => alarms::delete(turn),
        "DescribeAlarmHistory" => alarms::history(turn),
        "DescribeAlarms" => alarms::describe(turn),
        "DescribeAlarmsForMetric" => alarms::describe_for_metric(turn),
        "PutMetricAlarm" => alarms::put(turn),
        "SetAlarmState" => alarms::set_state(turn),
        _ => turn.unknown_action(),
    }
}

/// The name that the CBOR and JSON protocols give to an error of the query protocol.
pub(in crate::sim) fn shape_of(code: &str) -> &str {
    match code {
        "AccessDenied" => "AccessDeniedException",
        "ExpiredToken" => "ExpiredTokenException",
        "InternalFailure" => "InternalServiceFault",
        "InvalidAction" => "UnknownOperationException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "InvalidParameterValue" => "InvalidParameterValueException",
        "LimitExceeded" => "LimitExceededFault",
        "MalformedInput" => "SerializationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "Throttling" => "ThrottlingException",
        other => other,
    }
}
