//! Predicted effects laid over what AWS answers, so that later steps of a dry run see earlier ones.
//!
//! **Invariant:** an overlay is only ever read; it never reaches AWS, and deletions look past it.

use crate::cloud::model::{DbInstance, DbSnapshot, EcsService, SecurityGroup};
use crate::cloud::records::{HealthCheck, RecordSet, plain_id, plain_name};
use std::collections::BTreeMap;

/// What a database instance will be like.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedInstance {
    /// It will exist like this.
    Present(Box<DbInstance>),
    /// It will be gone.
    Absent,
}

/// What a snapshot will be like.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedSnapshot {
    /// It will exist like this.
    Present(Box<DbSnapshot>),
    /// It will be gone.
    Absent,
}

/// What a step will have done.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedEffect {
    /// A database instance will exist: the instance and its region.
    Created(Box<DbInstance>, String),
    /// A database instance will be gone.
    Deleted {
        /// Its region.
        region: String,
        /// Its identifier.
        id: String,
    },
    /// A snapshot will exist: the snapshot and its region.
    SnapshotCreated(Box<DbSnapshot>, String),
    /// A snapshot will be gone.
    SnapshotDeleted {
        /// Its region.
        region: String,
        /// Its identifier.
        id: String,
    },
    /// A record set of Route 53 will be like this, or gone.
    Records {
        /// Its zone.
        zone: String,
        /// Its name.
        name: String,
        /// Its type.
        kind: String,
        /// Its set identifier.
        set_identifier: Option<String>,
        /// What it will be; `None` is gone.
        set: Option<Box<RecordSet>>,
    },
    /// A health check of Route 53 will be like this.
    HealthCheckChanged(Box<HealthCheck>),
    /// A security group will have these rules: the group and its region.
    SecurityGroup(Box<SecurityGroup>, String),
    /// A service will be like this: the service and its region.
    ServiceChanged(Box<EcsService>, String),
}

/// What tells a record set from all others: zone, name, type, set identifier.
type RecordKey = (String, String, String, Option<String>);

/// Predictions by region and identifier.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overlay {
    instances: BTreeMap<(String, String), PredictedInstance>,
    snapshots: BTreeMap<(String, String), PredictedSnapshot>,
    records: BTreeMap<RecordKey, Option<RecordSet>>,
    health_checks: BTreeMap<String, HealthCheck>,
    security_groups: BTreeMap<(String, String), SecurityGroup>,
    /// By region, cluster and name.
    services: BTreeMap<(String, String, String), EcsService>,
}

impl Overlay {
    /// Nothing predicted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lays one more effect on top; the last one about an instance or a snapshot counts.
    pub fn apply(&mut self, effect: &PredictedEffect) {
        match effect {
            PredictedEffect::Created(instance, region) => {
                let predicted = PredictedInstance::Present(instance.clone());
                self.instances.insert(key(region, &instance.id), predicted);
            }
            PredictedEffect::Deleted { region, id } => {
                self.instances.insert(key(region, id), PredictedInstance::Absent);
            }
            PredictedEffect::SnapshotCreated(snapshot, region) => {
                let predicted = PredictedSnapshot::Present(snapshot.clone());
                self.snapshots.insert(key(region, &snapshot.id), predicted);
            }
            PredictedEffect::SnapshotDeleted { region, id } => {
                self.snapshots.insert(key(region, id), PredictedSnapshot::Absent);
            }
            PredictedEffect::Records { zone, name, kind, set_identifier, set } => {
                let zone = plain_id(zone).to_owned();
                let place = (zone, plain_name(name), kind.clone(), set_identifier.clone());
                self.records.insert(place, set.as_deref().cloned());
            }
            PredictedEffect::HealthCheckChanged(check) => {
                self.health_checks.insert(check.id.clone(), (**check).clone());
            }
            PredictedEffect::ServiceChanged(service, region) => {
                let place = (region.clone(), service.cluster.clone(), service.name.clone());
                self.services.insert(place, (**service).clone());
            }
            PredictedEffect::SecurityGroup(group, region) => {
                self.security_groups.insert(key(region, &group.id), (**group).clone());
            }
        }
    }

    /// What is predicted of a service; `None` when nothing is.
    pub fn service(&self, region: &str, cluster: &str, name: &str) -> Option<&EcsService> {
        let place = (region.to_owned(), cluster.to_owned(), name.to_owned());
        self.services.get(&place)
    }

    /// What is predicted of an instance; `None` when nothing is.
    pub fn get(&self, region: &str, id: &str) -> Option<&PredictedInstance> {
        self.instances.get(&key(region, id))
    }

    /// What is predicted of a snapshot; `None` when nothing is.
    pub fn snapshot(&self, region: &str, id: &str) -> Option<&PredictedSnapshot> {
        self.snapshots.get(&key(region, id))
    }

    /// Every record set predicted of one zone, name and type: its set identifier, and what it will be.
    pub fn records_of(
        &self,
        zone: &str,
        name: &str,
        kind: &str,
    ) -> impl Iterator<Item = (Option<&str>, Option<&RecordSet>)> {
        let (zone, name, kind) = (plain_id(zone).to_owned(), plain_name(name), kind.to_owned());
        self.records
            .iter()
            .filter(move |(place, _)| place.0 == zone && place.1 == name && place.2 == kind)
            .map(|(place, set)| (place.3.as_deref(), set.as_ref()))
    }

    /// Every record set predicted of a name and type, in whichever zone.
    pub fn records_named(&self, name: &str, kind: &str) -> Vec<Option<&RecordSet>> {
        let name = plain_name(name);
        let all = self.records.iter();
        all.filter(|(place, _)| place.1 == name && place.2 == kind)
            .map(|(_, set)| set.as_ref())
            .collect()
    }

    /// What is predicted of a health check; `None` when nothing is.
    pub fn health_check(&self, id: &str) -> Option<&HealthCheck> {
        self.health_checks.get(id)
    }

    /// What is predicted of a security group; `None` when nothing is.
    pub fn security_group(&self, region: &str, id: &str) -> Option<&SecurityGroup> {
        self.security_groups.get(&key(region, id))
    }

    /// Whether nothing is predicted.
    pub fn is_empty(&self) -> bool {
        let databases = self.instances.is_empty() && self.snapshots.is_empty();
        let dns = self.records.is_empty() && self.health_checks.is_empty();
        databases && dns && self.security_groups.is_empty() && self.services.is_empty()
    }

    /// Every instance predicted in a region, by identifier.
    pub fn in_region<'a>(
        &'a self,
        region: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a PredictedInstance)> + 'a {
        within(&self.instances, region)
    }

    /// Every snapshot predicted in a region, by identifier.
    pub fn snapshots_in<'a>(
        &'a self,
        region: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a PredictedSnapshot)> + 'a {
        within(&self.snapshots, region)
    }
}

fn within<'a, T>(
    map: &'a BTreeMap<(String, String), T>,
    region: &'a str,
) -> impl Iterator<Item = (&'a str, &'a T)> + 'a {
    map.iter()
        .filter(move |((found, _), _)| found == region)
        .map(|((_, id), predicted)| (id.as_str(), predicted))
}

/// RDS identifiers are the same in either case.
fn key(region: &str, id: &str) -> (String, String) {
    (region.to_owned(), id.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(id: &str) -> Box<DbInstance> {
        Box::new(DbInstance { id: id.to_owned(), ..DbInstance::default() })
    }

    #[test]
    fn the_last_effect_counts_and_regions_are_apart() {
        let mut overlay = Overlay::new();
        assert!(overlay.is_empty());
        overlay.apply(&PredictedEffect::Created(instance("drctl-a"), "us-east-1".to_owned()));
        assert_eq!(
            overlay.get("us-east-1", "DRCTL-A"),
            Some(&PredictedInstance::Present(instance("drctl-a")))
        );
        assert_eq!(overlay.get("us-west-2", "drctl-a"), None);
        overlay.apply(&PredictedEffect::Deleted {
            region: "us-east-1".to_owned(),
            id: "drctl-a".to_owned(),
        });
        assert_eq!(overlay.get("us-east-1", "drctl-a"), Some(&PredictedInstance::Absent));
        assert_eq!(overlay.in_region("us-east-1").count(), 1);
        assert_eq!(overlay.in_region("us-west-2").count(), 0);
    }

    #[test]
    fn snapshots_and_instances_of_one_name_are_apart() {
        let mut overlay = Overlay::new();
        let region = "us-east-1".to_owned();
        let snapshot = Box::new(DbSnapshot { id: "drctl-a".to_owned(), ..DbSnapshot::default() });
        overlay.apply(&PredictedEffect::SnapshotCreated(snapshot.clone(), region.clone()));
        assert!(!overlay.is_empty());
        assert_eq!(overlay.get(&region, "drctl-a"), None);
        let present = PredictedSnapshot::Present(snapshot);
        assert_eq!(overlay.snapshot(&region, "DRCTL-A"), Some(&present));
        let gone =
            PredictedEffect::SnapshotDeleted { region: region.clone(), id: "drctl-a".into() };
        overlay.apply(&gone);
        assert_eq!(overlay.snapshot(&region, "drctl-a"), Some(&PredictedSnapshot::Absent));
        assert_eq!(overlay.snapshots_in(&region).count(), 1);
        assert_eq!(overlay.snapshots_in("us-west-2").count(), 0);
    }
}
