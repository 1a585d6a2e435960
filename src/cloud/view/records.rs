//! Reads of Route 53: zones, record sets, changes, health checks.
//!
//! **Invariant:** all calls go to where Route 53's control plane is, whatever region a step acts in; a
//! field of a record set that is not known here is named, not dropped.

use super::{EstateView, MAX_PAGES, absent, read};
use crate::cloud::classify::sdk_error;
use crate::cloud::clients::ClientUse;
use crate::cloud::error::CloudError;
use crate::cloud::records::{
    CONTROL_PLANE, HealthCheck, HostedZone, RecordChange, RecordSet, plain_id, plain_name,
};
use crate::cloud::session::Shared;
use crate::cloud::time::from_sdk;
use crate::estate::AliasTarget;
use aws_sdk_route53::types::{
    ChangeInfo, ChangeStatus, HealthCheck as SdkHealthCheck, ResourceRecordSet, RrType,
};

/// Sets on a page, the most that Route 53 gives.
const PAGE: i32 = 300;

/// A record set of the SDK.
fn record_set(from: &ResourceRecordSet) -> RecordSet {
    let alias = from.alias_target().map(|target| {
        let target = AliasTarget {
            zone: target.hosted_zone_id().to_owned(),
            name: target.dns_name().to_owned(),
            evaluate_health: target.evaluate_target_health(),
        };
        target.text()
    });
    let mut values: Vec<String> =
        from.resource_records().iter().map(|record| record.value().to_owned()).collect();
    values.extend(alias);
    let unsupported = [
        ("GeoLocation", from.geo_location().is_some()),
        ("GeoProximityLocation", from.geo_proximity_location().is_some()),
        ("CidrRoutingConfig", from.cidr_routing_config().is_some()),
        ("TrafficPolicyInstanceId", from.traffic_policy_instance_id().is_some()),
    ];
    RecordSet {
        name: from.name().to_owned(),
        kind: from.r#type().as_str().to_owned(),
        set_identifier: from.set_identifier().map(str::to_owned),
        weight: from.weight(),
        region: from.region().map(|region| region.as_str().to_owned()),
        failover: from.failover().map(|role| role.as_str().to_owned()),
        multi_value: from.multi_value_answer(),
        ttl: from.ttl(),
        values,
        health_check: from.health_check_id().map(str::to_owned),
        unsupported: unsupported.iter().find(|(_, there)| *there).map(|(name, _)| *name),
    }
}

/// A change of the SDK.
pub(crate) fn change(from: &ChangeInfo) -> RecordChange {
    RecordChange {
        id: plain_id(from.id()).to_owned(),
        in_sync: *from.status() == ChangeStatus::Insync,
        submitted_at: from_sdk(from.submitted_at()),
        comment: from.comment().map(str::to_owned),
    }
}

fn health_check(from: &SdkHealthCheck) -> HealthCheck {
    let config = from.health_check_config();
    HealthCheck {
        id: from.id().to_owned(),
        version: from.health_check_version(),
        kind: config.map(|config| config.r#type().as_str().to_owned()).unwrap_or_default(),
        inverted: config.and_then(|config| config.inverted()).unwrap_or(false),
        disabled: config.and_then(|config| config.disabled()).unwrap_or(false),
    }
}

/// The sets of a name and type as AWS answers now, past any prediction.
pub(crate) async fn list_records(
    shared: &Shared,
    zone: &str,
    name: &str,
    kind: &str,
) -> Result<Vec<RecordSet>, CloudError> {
    let call = read("route53:ListResourceRecordSets", CONTROL_PLANE);
    let client = shared.clients.route53(CONTROL_PLANE, ClientUse::Reads);
    let wanted = plain_name(name);
    let mut found = Vec::new();
    let mut from = (name.to_owned(), RrType::from(kind), None);
    for _ in 0..MAX_PAGES {
        let request = client
            .list_resource_record_sets()
            .hosted_zone_id(plain_id(zone))
            .start_record_name(&from.0)
            .start_record_type(from.1.clone())
            .set_start_record_identifier(from.2.clone())
            .max_items(PAGE);
        let page = request.send().await.map_err(|error| sdk_error(call, &error))?;
        let sets = page.resource_record_sets();
        let mut others = false;
        for set in sets.iter().map(record_set) {
            if plain_name(&set.name) == wanted && set.kind == kind {
                found.push(set);
            } else {
                others = true;
            }
        }
        let next = page.next_record_name().zip(page.next_record_type());
        let Some((name, kind)) = next.filter(|_| page.is_truncated() && !others) else { break };
        let identifier = page.next_record_identifier().map(str::to_owned);
        from = (name.to_owned(), kind.clone(), identifier);
    }
    Ok(found)
}

impl EstateView {
    /// A hosted zone by id (Route 53 `GetHostedZone`).
    ///
    /// # Errors
    /// When AWS cannot say; a zone that does not exist is `None`.
    pub async fn hosted_zone(&self, id: &str) -> Result<Option<HostedZone>, CloudError> {
        let call = read("route53:GetHostedZone", CONTROL_PLANE);
        let client = self.shared.clients.route53(CONTROL_PLANE, ClientUse::Reads);
        let answer = client.get_hosted_zone().id(plain_id(id)).send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error));
        let answer = absent(answer, &["NoSuchHostedZone"])?;
        Ok(answer.and_then(|answer| {
            let zone = answer.hosted_zone()?;
            Some(HostedZone {
                id: plain_id(zone.id()).to_owned(),
                name: zone.name().to_owned(),
                private: zone.config().is_some_and(|config| config.private_zone()),
            })
        }))
    }

    /// The record sets of one name and type, as predicted or else as they are (Route 53
    /// `ListResourceRecordSets`, which shows a change at once).
    ///
    /// # Errors
    /// When AWS cannot say; `NoSuchHostedZone` when there is no such zone.
    pub async fn record_sets(
        &self,
        zone: &str,
        name: &str,
        kind: &str,
    ) -> Result<Vec<RecordSet>, CloudError> {
        let mut found = list_records(&self.shared, zone, name, kind).await?;
        for (identifier, predicted) in self.overlay.records_of(zone, name, kind) {
            found.retain(|set| set.set_identifier.as_deref() != identifier);
            found.extend(predicted.cloned());
        }
        found.sort_by(|a, b| a.set_identifier.cmp(&b.set_identifier));
        Ok(found)
    }

    /// A change by id (Route 53 `GetChange`).
    ///
    /// # Errors
    /// When AWS cannot say; a change that does not exist is `None`.
    pub async fn record_change(&self, id: &str) -> Result<Option<RecordChange>, CloudError> {
        let call = read("route53:GetChange", CONTROL_PLANE);
        let client = self.shared.clients.route53(CONTROL_PLANE, ClientUse::Reads);
        let answer = client.get_change().id(plain_id(id)).send().await;
        let answer = absent(answer.map_err(|error| sdk_error(call, &error)), &["NoSuchChange"])?;
        Ok(answer.and_then(|answer| answer.change_info().map(change)))
    }

    /// A health check by id, as predicted or else as it is (Route 53 `GetHealthCheck`).
    ///
    /// # Errors
    /// When AWS cannot say; a check that does not exist is `None`.
    pub async fn health_check(&self, id: &str) -> Result<Option<HealthCheck>, CloudError> {
        if let Some(predicted) = self.overlay.health_check(id) {
            return Ok(Some(predicted.clone()));
        }
        let call = read("route53:GetHealthCheck", CONTROL_PLANE);
        let client = self.shared.clients.route53(CONTROL_PLANE, ClientUse::Reads);
        let answer = client.get_health_check().health_check_id(id).send().await;
        let answer = answer.map_err(|error| sdk_error(call, &error));
        let answer = absent(answer, &["NoSuchHealthCheck"])?;
        Ok(answer.and_then(|answer| answer.health_check().map(health_check)))
    }
}
