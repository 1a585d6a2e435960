//! Changes of Route 53: records in one batch that finds what it was made for, health checks under their
//! version.
//!
//! **Invariant:** a batch only ever removes sets with exactly the content that somebody looked at, so that
//! what moved meanwhile refuses all of it; no zone's own SOA or NS records are touched.

use super::{Writer, refused};
use crate::cloud::classify::{Call, Intent, sdk_error};
use crate::cloud::clients::ClientUse;
use crate::cloud::error::{CloudError, ErrorClass};
use crate::cloud::records::{CONTROL_PLANE, RecordChange, RecordEdit, RecordSet, plain_id};
use crate::cloud::view::change;
use aws_sdk_route53::error::BuildError;
use aws_sdk_route53::operation::RequestId as _;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet,
    ResourceRecordSetFailover, ResourceRecordSetRegion, RrType,
};

const CHANGE: &str = "route53:ChangeResourceRecordSets";
const UPDATE: &str = "route53:UpdateHealthCheck";

/// A change of records that Route 53 accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedChange {
    /// The change.
    pub change: RecordChange,
    /// AWS's request id.
    pub request_id: Option<String>,
}

/// A change of a health check that Route 53 made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedCheck {
    /// The version that it has now.
    pub version: Option<i64>,
    /// AWS's request id.
    pub request_id: Option<String>,
}

fn record_set(from: &RecordSet) -> Result<ResourceRecordSet, BuildError> {
    let alias = from.alias().map(|alias| {
        let target = AliasTarget::builder().hosted_zone_id(alias.zone).dns_name(alias.name);
        target.evaluate_target_health(alias.evaluate_health).build()
    });
    let values = from.values.iter().filter(|_| alias.is_none());
    let values = values.map(|value| ResourceRecord::builder().value(value).build());
    let values = values.collect::<Result<Vec<_>, _>>()?;
    ResourceRecordSet::builder()
        .name(&from.name)
        .r#type(RrType::from(from.kind.as_str()))
        .set_set_identifier(from.set_identifier.clone())
        .set_weight(from.weight)
        .set_region(from.region.as_deref().map(ResourceRecordSetRegion::from))
        .set_failover(from.failover.as_deref().map(ResourceRecordSetFailover::from))
        .set_multi_value_answer(from.multi_value)
        .set_ttl(from.ttl)
        .set_resource_records((!values.is_empty()).then_some(values))
        .set_alias_target(alias.transpose()?)
        .set_health_check_id(from.health_check.clone())
        .build()
}

fn batch(comment: &str, edits: &[RecordEdit]) -> Result<ChangeBatch, BuildError> {
    let changes = edits.iter().map(|edit| {
        let (action, set) = match edit {
            RecordEdit::Delete(set) => (ChangeAction::Delete, set),
            RecordEdit::Create(set) => (ChangeAction::Create, set),
        };
        Change::builder().action(action).resource_record_set(record_set(set)?).build()
    });
    let changes = changes.collect::<Result<Vec<_>, _>>()?;
    ChangeBatch::builder().comment(comment).set_changes(Some(changes)).build()
}

impl Writer {
    /// Changes records of a zone in one batch, whole or not at all (Route 53
    /// `ChangeResourceRecordSets`); `comment` is what the change says of itself.
    ///
    /// # Errors
    /// Refused by our rules, refused by AWS, or in doubt. `InvalidChangeBatch` means that the zone is not
    /// what the batch was made for; `PriorRequestNotComplete` passes.
    pub async fn change_records(
        &self,
        zone: &str,
        comment: &str,
        edits: &[RecordEdit],
    ) -> Result<AcceptedChange, CloudError> {
        for edit in edits {
            let (RecordEdit::Delete(set) | RecordEdit::Create(set)) = edit;
            if let Some(what) = set.unsupported {
                let why = format!("`{}` has {what}, which drctl cannot write back whole", set.name);
                return Err(refused(CHANGE, CONTROL_PLANE, why));
            }
            if ["SOA", "NS"].contains(&set.kind.as_str()) {
                let why = format!("drctl changes no {} record: they delegate the zone", set.kind);
                return Err(refused(CHANGE, CONTROL_PLANE, why));
            }
        }
        let batch = batch(comment, edits)
            .map_err(|error| refused(CHANGE, CONTROL_PLANE, error.to_string()))?;
        let client = self.shared.clients.route53(CONTROL_PLANE, ClientUse::Writes);
        let request = client.change_resource_record_sets().hosted_zone_id(plain_id(zone));
        let answer = request.change_batch(batch).send().await;
        let call = Call { operation: CHANGE, region: CONTROL_PLANE, intent: Intent::Write };
        let answer = answer.map_err(|error| sdk_error(call, &error))?;
        let request_id = answer.request_id().map(str::to_owned);
        let Some(info) = answer.change_info() else {
            return Err(CloudError {
                class: ErrorClass::InDoubt,
                operation: CHANGE.to_owned(),
                region: CONTROL_PLANE.to_owned(),
                code: None,
                message: "the answer has no ChangeInfo".to_owned(),
                request_id,
            });
        };
        Ok(AcceptedChange { change: change(info), request_id })
    }

    /// Inverts a health check, or ends that, if it still has `version` (Route 53 `UpdateHealthCheck`).
    ///
    /// # Errors
    /// Refused by AWS, or in doubt. `HealthCheckVersionMismatch` means that somebody changed it meanwhile.
    pub async fn invert_health_check(
        &self,
        id: &str,
        version: i64,
        inverted: bool,
    ) -> Result<UpdatedCheck, CloudError> {
        let client = self.shared.clients.route53(CONTROL_PLANE, ClientUse::Writes);
        let request = client.update_health_check().health_check_id(id);
        let request = request.health_check_version(version).inverted(inverted);
        let call = Call { operation: UPDATE, region: CONTROL_PLANE, intent: Intent::Write };
        let answer = request.send().await.map_err(|error| sdk_error(call, &error))?;
        let version = answer.health_check().map(|check| check.health_check_version());
        Ok(UpdatedCheck { version, request_id: answer.request_id().map(str::to_owned) })
    }
}
