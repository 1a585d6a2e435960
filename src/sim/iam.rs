//! IAM: what a principal may do, as `SimulatePrincipalPolicy` tells it.
//!
//! **Invariant:** asking changes nothing; what a read-only role is said not to do, its sessions are
//! refused.

use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::decode::Service;
use crate::sim::dispatch::{Turn, mutates};
use crate::sim::faults::FaultKind;
use crate::sim::sts;
use crate::sim::xml::Xml;
use std::collections::BTreeSet;

/// Results on a page.
const PAGE: u32 = 100;

/// Most actions of one call, times resources.
const EVALUATIONS: usize = 10_000;

/// Role that may do everything the simulated services have.
const OPERATOR: &str = "drctl";

/// Role that may read, and no more.
const READ_ONLY: &str = "drctl-read-only";

/// Role that may change and delete only what carries drctl's tag.
const TAGGED: &str = "drctl-tagged";

/// What a tagged role's conditions ask for.
const TAG_KEY: &str = "aws:ResourceTag/drctl:run";

/// Actions that a tagged role's conditions are about.
const CONDITIONAL: [&str; 3] =
    ["rds:DeleteDBInstance", "rds:DeleteDBSnapshot", "rds:ModifyDBInstance"];

/// Whom a policy is simulated for.
enum Principal {
    /// The account's user: an administrator.
    User,
    /// A role.
    Role(String),
}

/// What IAM says of one action.
enum Decision {
    Allowed,
    ExplicitDeny,
    ImplicitDeny,
    /// Denied, and a condition key had no value.
    Missing,
}

/// Answers one IAM call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "SimulatePrincipalPolicy" => simulate(turn),
        _ => turn.unknown_action(),
    }
}

/// Whether sessions of a role can only read.
pub(in crate::sim) fn is_read_only(role: &str) -> bool {
    role.rsplit('/').next() == Some(READ_ONLY)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidInput", message)
}

fn principal(turn: &Turn<'_>) -> Result<Principal, ApiError> {
    let arn = turn.params.required("PolicySourceArn")?;
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", "aws", "iam", "", account, resource] = parts.as_slice() else {
        return Err(invalid(format!("Invalid Entity Arn: {arn} is an invalid identifier")));
    };
    let missing = |kind: &str, name: &str| {
        let message = format!("The {kind} with name {name} cannot be found.");
        Err(ApiError::not_found("NoSuchEntity", message))
    };
    let own = *account == turn.world.account;
    match resource.split_once('/') {
        Some(("user", "drctl-simulated")) if own => Ok(Principal::User),
        Some(("user", name)) => missing("user", name),
        Some(("group", name)) => missing("group", name),
        Some(("role", name)) => {
            let built_in = [OPERATOR, READ_ONLY, TAGGED].contains(&name);
            if own && (built_in || turn.world.services.roles.contains(name)) {
                Ok(Principal::Role(name.to_owned()))
            } else {
                missing("role", name)
            }
        }
        Some(_) | None => {
            Err(invalid(format!("Invalid Entity Arn: {arn} is no user, group or role")))
        }
    }
}

fn simulate(turn: &mut Turn<'_>) -> Outcome {
    let principal = principal(turn)?;
    let actions = turn.params.list("ActionNames.member").unwrap_or_default();
    if actions.is_empty() {
        let message = "1 validation error detected: Value at 'actionNames' failed to satisfy \
                       constraint: Member must not be null";
        return Err(ApiError::sender("ValidationError", message));
    }
    for action in &actions {
        let (service, name) = action.split_once(':').unwrap_or_default();
        let plain = |text: &str| {
            let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'*';
            !text.is_empty() && text.bytes().all(part)
        };
        if !plain(service) || !plain(name) {
            return Err(invalid(format!("Invalid Action: {action} is no action name")));
        }
    }
    let resources = turn.params.list("ResourceArns.member").unwrap_or_default();
    let resources = if resources.is_empty() { vec!["*".to_owned()] } else { resources };
    if actions.len() * resources.len() > EVALUATIONS {
        return Err(invalid(format!("at most {EVALUATIONS} pairs of action and resource")));
    }
    let denied = inputs(turn)?;
    let most = turn.params.number("MaxItems")?.unwrap_or(PAGE).clamp(1, 1000) as usize;
    let from = match turn.params.text("Marker") {
        None => 0,
        Some(marker) => marker.parse().map_err(|_| invalid("Invalid Marker"))?,
    };
    let pairs: Vec<(&String, &String)> = resources
        .iter()
        .flat_map(|resource| actions.iter().map(move |action| (action, resource)))
        .collect();
    let mut xml = Xml::default();
    xml.element("EvaluationResults", |xml| {
        for (action, resource) in pairs.iter().skip(from).take(most) {
            let decision = decide(turn, &principal, action, &denied);
            xml.element("member", |xml| write(xml, action, resource, &decision));
        }
    });
    let more = from.saturating_add(most) < pairs.len();
    xml.leaf("IsTruncated", more);
    xml.optional("Marker", more.then_some(from + most));
    Ok(Body::Result(Some(xml)))
}

/// Action patterns that the call's own policies deny.
fn inputs(turn: &Turn<'_>) -> Result<BTreeSet<String>, ApiError> {
    let mut denied = BTreeSet::new();
    for policy in turn.params.list("PolicyInputList.member").unwrap_or_default() {
        let patterns = sts::denied(&policy).ok_or_else(|| invalid("Invalid policy document"))?;
        denied.extend(patterns);
    }
    Ok(denied)
}

fn decide(
    turn: &Turn<'_>,
    principal: &Principal,
    action: &str,
    denied: &BTreeSet<String>,
) -> Decision {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    let fault = turn.world.fault(FaultKind::AccessDenied).filter(|fault| fault.struck == 0);
    let struck = fault.and_then(|fault| fault.value.as_deref()) == Some(name);
    if struck || denied.iter().any(|pattern| sts::matches(pattern, action)) {
        return Decision::ExplicitDeny;
    }
    let Principal::Role(role) = principal else { return Decision::Allowed };
    let service = Service::ALL.into_iter().find(|service| {
        action.split_once(':').is_some_and(|(prefix, _)| prefix == service.iam_prefix())
    });
    let Some(service) = service else { return Decision::ImplicitDeny };
    if is_read_only(role) && (mutates(service, name) || name == "GetSecretValue") {
        return Decision::ImplicitDeny;
    }
    if role == TAGGED && CONDITIONAL.contains(&action) {
        return tagged(turn);
    }
    Decision::Allowed
}

/// What the condition of a tagged role makes of the call's context.
fn tagged(turn: &Turn<'_>) -> Decision {
    for index in 1.. {
        let entry = format!("ContextEntries.member.{index}");
        let Some(key) = turn.params.text(&format!("{entry}.ContextKeyName")) else { break };
        if key.eq_ignore_ascii_case(TAG_KEY) {
            let values = turn.params.list(&format!("{entry}.ContextKeyValues.member"));
            let given = values.unwrap_or_default().iter().any(|value| !value.is_empty());
            return if given { Decision::Allowed } else { Decision::ImplicitDeny };
        }
    }
    Decision::Missing
}

fn write(xml: &mut Xml, action: &str, resource: &str, decision: &Decision) {
    xml.leaf("EvalActionName", action);
    xml.leaf("EvalResourceName", resource);
    let word = match decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny => "explicitDeny",
        Decision::ImplicitDeny | Decision::Missing => "implicitDeny",
    };
    xml.leaf("EvalDecision", word);
    xml.element("MatchedStatements", |_| {});
    let missing = matches!(decision, Decision::Missing).then_some(TAG_KEY);
    xml.leaves("MissingContextValues", "member", missing);
}
