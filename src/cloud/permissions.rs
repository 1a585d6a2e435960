//! Asks IAM what an identity may do.
//!
//! **Invariant:** asks and never tries; an answer that IAM does not give is an error, not a "no".

use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::model::CallerIdentity;
use crate::cloud::session::Shared;
use aws_sdk_iam::types::PolicyEvaluationDecisionType::Allowed;
use std::collections::BTreeMap;

const OPERATION: &str = "iam:SimulatePrincipalPolicy";

/// Pages of one answer; IAM gives a hundred results or more on each.
const MAX_PAGES: usize = 50;

/// Which of `operations` IAM would allow (IAM `SimulatePrincipalPolicy`, for all resources).
pub(crate) async fn simulate(
    shared: &Shared,
    identity: &CallerIdentity,
    operations: &[String],
) -> Result<BTreeMap<String, bool>, CloudError> {
    let region = &shared.environment.region;
    let principal = principal(&identity.arn).ok_or_else(|| CloudError {
        class: ErrorClass::Permanent,
        operation: OPERATION.to_owned(),
        region: region.clone(),
        code: None,
        message: format!("IAM simulates users and roles, and {} is neither", identity.arn),
        request_id: None,
    })?;
    let call = Call { operation: OPERATION, region, intent: Intent::Read };
    let client = shared.clients.iam(region, ClientUse::Reads);
    let mut found = BTreeMap::new();
    let mut marker = None;
    for _ in 0..MAX_PAGES {
        let request = client
            .simulate_principal_policy()
            .policy_source_arn(&principal)
            .set_action_names(Some(operations.to_vec()))
            .set_marker(marker.take());
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        for result in answer.evaluation_results() {
            let allowed = *result.eval_decision() == Allowed;
            found.insert(result.eval_action_name().to_owned(), allowed);
        }
        marker = answer.marker().filter(|_| answer.is_truncated()).map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    Ok(found)
}

/// The user or role behind a caller's ARN: a session of a role is simulated as its role. The path of
/// a role is not part of its sessions' ARNs, so one with a path is not found by IAM.
fn principal(arn: &str) -> Option<String> {
    let mut parts = arn.splitn(6, ':');
    let (_, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    match (service, resource.split_once('/')) {
        ("iam", Some(("user" | "role", _))) => Some(arn.to_owned()),
        ("sts", Some(("assumed-role", session))) => {
            let role = session.split('/').next()?;
            Some(format!("arn:{partition}:iam::{account}:role/{role}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::principal;

    #[test]
    fn a_session_is_simulated_as_its_role() {
        for (arn, expected) in [
            (
                "arn:aws:sts::123456789012:assumed-role/drctl/drctl-dry-run",
                Some("arn:aws:iam::123456789012:role/drctl"),
            ),
            (
                "arn:aws:iam::123456789012:user/ops/mia",
                Some("arn:aws:iam::123456789012:user/ops/mia"),
            ),
            ("arn:aws-cn:sts::1:assumed-role/a/b", Some("arn:aws-cn:iam::1:role/a")),
            ("arn:aws:iam::123456789012:root", None),
            ("arn:aws:sts::123456789012:federated-user/x", None),
            ("nonsense", None),
        ] {
            assert_eq!(principal(arn).as_deref(), expected, "{arn}");
        }
    }
}
