//! Questions to a world: what exists, what a read shows, which backups there are.
//!
//! **Invariant:** answers are functions of the stored state and the instant asked for; a change is
//! whole resources put in place of others.

use crate::base::clock::to_delta;
use crate::base::seed::Seed;
use crate::sim::answer::ApiError;
use crate::sim::clockwork::Clockwork;
use crate::sim::faults::{Fault, FaultKind};
use crate::sim::state::{Instance, Region, Slot, Snapshot, Status, World};
use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// After a rename the new endpoint name takes effect: "in about 10 minutes".
pub(in crate::sim) const RENAMED_RESOLVES_AFTER_MINUTES: i64 = 10;

/// What point-in-time restore can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) struct Window {
    pub(in crate::sim) earliest: DateTime<Utc>,
    pub(in crate::sim) latest: DateTime<Utc>,
}

impl World {
    /// Root of the world's randomness.
    pub(in crate::sim) fn seed(&self) -> Seed {
        Seed::new(self.seed)
    }

    /// Durations, as long as the faults make them.
    pub(in crate::sim) fn clockwork(&self) -> Clockwork {
        let slow = self.fault(FaultKind::Slow).map(|fault| fault.factor().unwrap_or(5.0));
        Clockwork::new(self.seed(), slow.unwrap_or(1.0))
    }

    /// The fault, when it is switched on.
    pub(in crate::sim) fn fault(&self, kind: FaultKind) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.kind == kind)
    }

    /// A region; one that the estate does not use is empty.
    pub(in crate::sim) fn region(&self, name: &str) -> &Region {
        static EMPTY: std::sync::LazyLock<Region> = std::sync::LazyLock::new(Region::default);
        self.regions.get(name).unwrap_or(&EMPTY)
    }

    /// `arn:aws:rds:<region>:<account>:<kind>:<id>`.
    pub(in crate::sim) fn arn(&self, region: &str, kind: &str, id: &str) -> String {
        format!("arn:aws:rds:{region}:{}:{kind}:{id}", self.account)
    }

    /// `DBInstanceAutomatedBackupsArn` in `region` of the instance with this resource id.
    pub(in crate::sim) fn auto_backup_arn(&self, region: &str, resource_id: &str) -> String {
        let suffix = resource_id.trim_start_matches("db-").to_lowercase();
        self.arn(region, "auto-backup", &format!("ab-{suffix}"))
    }

    /// Endpoint address of an instance.
    pub(in crate::sim) fn address(&self, region: &str, id: &str) -> String {
        let name = format!("rds/{region}/{}/endpoint", self.account);
        let mut random = self.seed().stream(&name);
        let suffix: String = (0..11).map(|_| random.alphanumeric()).collect::<String>();
        format!("{id}.c{}.{region}.rds.amazonaws.com", suffix.to_lowercase())
    }

    /// The default security group of a VPC.
    pub(in crate::sim) fn default_security_group(&self, vpc: &str) -> String {
        format!("sg-0{:015x}", self.seed().derive(&format!("ec2/{vpc}/default-sg")) >> 4)
    }

    /// Whether `source-gone` hides this instance.
    pub(in crate::sim) fn hides(&self, instance: &Instance) -> bool {
        instance.original
            && instance.replica_of.is_none()
            && self.fault(FaultKind::SourceGone).is_some()
    }

    /// Instances that a read at `now` shows, by identifier.
    pub(in crate::sim) fn seen_instances(
        &self,
        region: &str,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = &Instance> {
        self.region(region)
            .instances
            .values()
            .filter_map(move |slot| slot.seen(now))
            .filter(move |instance| instance.exists(now) && !self.hides(instance))
    }

    /// The instance as it truly is, for calls that act on it.
    pub(in crate::sim) fn instance(
        &self,
        region: &str,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<&Instance, ApiError> {
        let key = instance_key(id);
        self.region(region)
            .instances
            .get(&key)
            .and_then(|slot| slot.current.as_ref())
            .filter(|instance| instance.exists(now) && !self.hides(instance))
            .ok_or_else(|| instance_not_found(&key))
    }

    /// Whether a new instance cannot have this identifier: it is taken, or will be by a rename.
    pub(in crate::sim) fn is_taken(&self, region: &str, id: &str, now: DateTime<Utc>) -> bool {
        let mut all = self.region(region).instances.values().filter_map(|s| s.current.as_ref());
        all.any(|instance| {
            let renamed = instance.pending.as_ref().and_then(|pending| pending.rename.as_deref());
            instance.exists(now)
                && ((instance.id == id && !self.hides(instance)) || renamed == Some(id))
        })
    }

    /// Puts an instance in its place; reads show what was there until `stale`.
    pub(in crate::sim) fn put(
        &mut self,
        region: &str,
        instance: Instance,
        (now, stale): (DateTime<Utc>, DateTime<Utc>),
    ) {
        let region = self.regions.entry(region.to_owned()).or_default();
        let slot = region.instances.entry(instance.id.clone()).or_insert_with(Slot::empty);
        slot.replace(Some(instance), now, stale);
    }

    /// The restore window; `None` before the first backup or with backups turned off.
    pub(in crate::sim) fn window(&self, instance: &Instance, now: DateTime<Utc>) -> Option<Window> {
        let first = instance.first_backup.filter(|first| *first <= now)?;
        if instance.settings.retention_days == 0 {
            return None;
        }
        let days = i64::from(instance.settings.retention_days);
        let earliest = first.max(now - TimeDelta::days(days));
        // An instance that does not run ships no logs.
        let stopped = matches!(instance.status(now), Status::Stopping | Status::Stopped);
        let now = instance.status_since(now).filter(|_| stopped).unwrap_or(now);
        // Logs are shipped every five minutes, each instance at its own offset.
        let offset = self.seed().derive(&format!("rds/{}/log", instance.resource_id)) % 300_000;
        let since = (now.timestamp_millis() - offset as i64).rem_euclid(300_000);
        let mut latest = now - TimeDelta::milliseconds(since);
        if let Some(moved) = self.fault(FaultKind::WindowMoved).filter(|fault| fault.struck > 0) {
            latest -= moved.span().map_or(TimeDelta::hours(2), to_delta);
        }
        Some(Window { earliest, latest: latest.max(earliest) })
    }

    /// Automated snapshots there are at `now`, oldest first: the first backup and one a day.
    pub(in crate::sim) fn automated_snapshots(
        &self,
        instance: &Instance,
        now: DateTime<Utc>,
    ) -> Vec<Snapshot> {
        let Some(first) = instance.first_backup else { return Vec::new() };
        let days = i64::from(instance.settings.retention_days);
        if days == 0 {
            return Vec::new();
        }
        let taken = self.clockwork().backing_up("automated");
        let oldest = first.max(now - TimeDelta::days(days));
        let mut starts = Vec::new();
        let own_first = first - to_delta(taken);
        if !instance.original && own_first <= now && first >= now - TimeDelta::days(days) {
            starts.push(own_first);
        }
        let begin = window_start(&instance.settings.backup_window);
        for back in (0..=days).rev() {
            let day = (now - TimeDelta::days(back)).date_naive();
            let name = format!("rds/{}/{}/backup", instance.resource_id, day.num_days_from_ce());
            let delay = (self.seed().derive(&name) % 900_000) as i64;
            let start = day.and_time(begin).and_utc() + TimeDelta::milliseconds(delay);
            if start > oldest && start <= now {
                starts.push(start);
            }
        }
        starts
            .into_iter()
            .map(|started| Snapshot {
                id: format!("rds:{}-{}", instance.id, started.format("%Y-%m-%d-%H-%M")),
                automated: true,
                instance: instance.clone(),
                started,
                ready: started + to_delta(taken),
                tags: match instance.settings.copy_tags_to_snapshot {
                    true => instance.tags.clone(),
                    false => BTreeMap::new(),
                },
                copy: None,
            })
            .collect()
    }
}

/// The identifier in an identifier or ARN, lower case.
pub(in crate::sim) fn instance_key(id_or_arn: &str) -> String {
    let id = if id_or_arn.starts_with("arn:") {
        id_or_arn.splitn(7, ':').nth(6).unwrap_or(id_or_arn)
    } else {
        id_or_arn
    };
    id.to_lowercase()
}

/// `DBInstanceNotFound`.
pub(in crate::sim) fn instance_not_found(id: &str) -> ApiError {
    ApiError::not_found("DBInstanceNotFound", format!("DBInstance {id} not found."))
}

/// When the backup window `03:00-03:30` begins.
fn window_start(window: &str) -> NaiveTime {
    window
        .split('-')
        .next()
        .and_then(|start| NaiveTime::parse_from_str(start, "%H:%M").ok())
        .unwrap_or(NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::instance_key;

    #[test]
    fn identifiers_and_arns() {
        assert_eq!(instance_key("Orders"), "orders");
        assert_eq!(instance_key("arn:aws:rds:us-east-1:123456789012:db:orders"), "orders");
        assert_eq!(
            instance_key("arn:aws:rds:us-east-1:123456789012:snapshot:rds:o-2026"),
            "rds:o-2026"
        );
    }
}
