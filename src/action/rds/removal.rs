//! What deleting an instance and deleting a snapshot have in common: what there was to delete, and how
//! an act ends that had nothing to delete.
//!
//! **Invariant:** nobody claims to have deleted what was not there, and an act that sent nothing is not an
//! accepted one.

use crate::action::context::StepScope;
use crate::action::outcome::{ActionError, Verdict};
use crate::base::value::Value;
use crate::cloud::{CloudError, ErrorClass, PermitError};

/// What an absent thing says of this step: whether the step deleted it, and the verdict.
pub(super) fn ended(scope: &StepScope<'_>, name: &str) -> (bool, Verdict) {
    if scope.asked {
        return (true, Verdict::Pass);
    }
    let foreseen = scope.planned.and_then(|planned| planned.get("deleted"));
    let verdict = match foreseen {
        Some(Value::Bool(false)) => Verdict::Pass,
        Some(Value::Bool(true)) => Verdict::Warn(vec![format!(
            "there was nothing to delete: the plan counted on `{name}`, which was never made or was \
             removed by somebody else"
        )]),
        Some(_) | None => {
            Verdict::Warn(vec![format!("there was nothing to delete: is the name `{name}` right?")])
        }
    };
    (false, verdict)
}

/// Why `operation` was not asked for: there was no permit.
pub(super) fn not_permitted(operation: &str, error: PermitError) -> ActionError {
    match error {
        PermitError::Cloud(error) => error.into(),
        // A look had just found it: looking again tells.
        PermitError::Absent { what, region, id } => CloudError {
            class: ErrorClass::Temporary,
            operation: operation.to_owned(),
            message: format!("not sent: {what} `{id}` was there and is not there now"),
            region,
            code: None,
            request_id: None,
        }
        .into(),
        PermitError::Protected { .. }
        | PermitError::Untagged { .. }
        | PermitError::Foreign { .. }
        | PermitError::NotManual { .. }
        | PermitError::NoMarker { .. }
        | PermitError::Unidentified { .. } => {
            ActionError::refused(error.to_string(), "drctl deletes only what its own run created")
        }
    }
}

/// The error of a delete; that there is nothing under the name, AWS's code `gone`, is no end by itself:
/// looking again tells.
pub(super) fn not_deleted(error: CloudError, gone: &str) -> ActionError {
    let class = if error.is(gone) { ErrorClass::Temporary } else { error.class };
    CloudError { class, ..error }.into()
}

/// The identifier of the snapshot that `name`, an identifier or an ARN, names within the region and the
/// account of this step; else why not, and what to do.
pub(super) fn snapshot_id<'a>(
    scope: &StepScope<'_>,
    name: &'a str,
) -> Result<&'a str, (String, String)> {
    if !name.starts_with("arn:") {
        return Ok(name);
    }
    let parts: Vec<&str> = name.splitn(7, ':').collect();
    let [_, _, "rds", region, account, "snapshot", id] = parts[..] else {
        let why = format!("`{name}` is not the ARN of a database snapshot");
        return Err((why, "give the identifier or the ARN of a snapshot".to_owned()));
    };
    if region != scope.region {
        let why = format!("`{name}` is in {region}, and this step works in {}", scope.region);
        return Err((why, format!("set `region: {region}` at the step, if that is meant")));
    }
    if account != scope.environment.account {
        let why = format!(
            "`{name}` belongs to account {account}, and this run works in account {}",
            scope.environment.account
        );
        return Err((why, "drctl deletes only what its own run created".to_owned()));
    }
    Ok(id)
}
