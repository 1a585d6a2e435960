//! From what actions answer to what the journal keeps.
//!
//! **Invariant:** secrets are hidden and foreign text is redacted here, once, for everything stored.

use crate::action::{ActionError, Done, Observation, Verdict};
use crate::base::redact::{redact, redact_query};
use crate::base::value::Values;
use crate::cloud::{EffectError, ErrorClass};
use crate::engine::{ActFailure, Seen, SeenDone, SeenGate};
use crate::journal::event::{ErrorKind, ErrorRecord, Evidence};
use crate::journal::fold::Consequence;
use serde_json::Value as Json;

/// Values as the journal keeps them.
pub(super) fn values_json(values: &Values) -> Json {
    values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
}

/// Inputs as the journal keeps them: also what a runbook wrote into them in plain sight is redacted.
pub(super) fn inputs_json(inputs: &Values) -> Json {
    fn redacted(json: Json) -> Json {
        match json {
            Json::String(text) => Json::String(redact(&redact_query(&text))),
            Json::Array(items) => items.into_iter().map(redacted).collect(),
            Json::Object(map) => map.into_iter().map(|(key, it)| (key, redacted(it))).collect(),
            other @ (Json::Null | Json::Bool(_) | Json::Number(_)) => other,
        }
    }
    redacted(values_json(inputs))
}

/// An action's error as the journal keeps it.
pub(super) fn error_record(error: &ActionError) -> ErrorRecord {
    let (code, help) = match error {
        ActionError::Cloud(error) => (error.code.clone(), error.help().map(str::to_owned)),
        ActionError::Effect(EffectError::Sql(sql)) => (sql.sqlstate().map(str::to_owned), None),
        ActionError::Effect(_) | ActionError::Input { .. } => (None, None),
        ActionError::Refused { help, .. } => (None, Some(help.clone())),
    };
    ErrorRecord { kind: kind(error), message: redact(&error.to_string()), code, help }
}

fn kind(error: &ActionError) -> ErrorKind {
    match (error, error.class()) {
        (ActionError::Input { .. }, _) => ErrorKind::Input,
        (_, ErrorClass::Refused) => ErrorKind::Guard,
        (_, ErrorClass::Credentials) => ErrorKind::Credentials,
        (_, ErrorClass::Unreachable) => ErrorKind::Unreachable,
        (_, ErrorClass::Temporary) => ErrorKind::Temporary,
        (_, ErrorClass::InDoubt) => ErrorKind::InDoubt,
        (ActionError::Effect(_), ErrorClass::Permanent) => ErrorKind::CheckError,
        (ActionError::Cloud(_) | ActionError::Refused { .. }, ErrorClass::Permanent) => {
            ErrorKind::Refused
        }
    }
}

/// A failed look. A read that may or may not have happened changed nothing, so it is only temporary.
pub(super) fn look_error(error: &ActionError) -> ErrorRecord {
    let mut record = error_record(error);
    if record.kind == ErrorKind::InDoubt {
        record.kind = ErrorKind::Temporary;
    }
    record
}

/// A failed act.
pub(super) fn act_failure(error: &ActionError) -> ActFailure {
    let record = error_record(error);
    match record.kind {
        ErrorKind::InDoubt => ActFailure::InDoubt(record),
        ErrorKind::CheckFailed
        | ErrorKind::CheckError
        | ErrorKind::Refused
        | ErrorKind::Broken
        | ErrorKind::TimedOut
        | ErrorKind::Temporary
        | ErrorKind::Credentials
        | ErrorKind::Unreachable
        | ErrorKind::Guard
        | ErrorKind::Input
        | ErrorKind::Rejected
        | ErrorKind::Internal => ActFailure::Refused(record),
    }
}

/// An observation as the engine takes it.
pub(super) fn seen(observation: Observation) -> Seen {
    match observation {
        Observation::Absent => Seen::Absent,
        Observation::InProgress { state, milestone } => {
            Seen::InProgress { state: redact(&state), milestone: milestone.map(str::to_owned) }
        }
        Observation::Partly { state, progress } => Seen::Partly { state: redact(&state), progress },
        Observation::Gate { message, approvers, approvals, rejects_on_timeout } => {
            Seen::Gate(SeenGate {
                message: redact(&message),
                approvers: approvers.iter().map(|name| redact(name)).collect(),
                approvals,
                on_timeout: if rejects_on_timeout {
                    Consequence::Reject
                } else {
                    Consequence::Fail
                },
            })
        }
        Observation::Waiting { until } => Seen::Waiting { until },
        Observation::Done(done) => Seen::Done(Box::new(seen_done(done))),
        Observation::Broken { why, help } => Seen::Broken(ErrorRecord {
            kind: ErrorKind::Broken,
            message: redact(&why),
            code: None,
            help: Some(help),
        }),
    }
}

pub(super) fn seen_done(done: Done) -> SeenDone {
    let (warnings, failed) = match done.verdict {
        Verdict::Pass => (Vec::new(), None),
        Verdict::Warn(warnings) => (warnings, None),
        Verdict::Unknown { why } => (vec![why], None),
        Verdict::Fail { why, help } => {
            let error = ErrorRecord {
                kind: ErrorKind::CheckFailed,
                message: redact(&why),
                code: None,
                help: Some(help),
            };
            (Vec::new(), Some(error))
        }
    };
    let evidence = |(name, value, source): (String, String, String)| Evidence {
        name,
        value: redact(&value),
        source,
    };
    SeenDone {
        outputs: values_json(&done.outputs),
        milestone: done.milestone.map(str::to_owned),
        observed: done.observed,
        evidence: done.evidence.into_iter().map(evidence).collect(),
        warnings: warnings.iter().map(|warning| redact(warning)).collect(),
        failed,
    }
}
