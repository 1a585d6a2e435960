//! What happens as time passes: pending changes take effect, replicas detach, names change.
//!
//! **Invariant:** a world that is asked seldom and one that is asked often are the same at the same
//! instant.

use crate::sim::cloudwatch;
use crate::sim::logs;
use crate::sim::modification;
use crate::sim::notes::About;
use crate::sim::route53;
use crate::sim::s3;
use crate::sim::state::{Change, Instance, Link, Pending, Region, Slot, Status, World};
use crate::sim::world::RENAMED_RESOLVES_AFTER_MINUTES;
use chrono::{DateTime, TimeDelta, Utc};

/// An instance that got another identifier.
struct Rename {
    region: String,
    from: String,
    to: String,
}

/// Applies the changes that are due and forgets what is long gone.
pub(in crate::sim) fn advance(world: &mut World, now: DateTime<Utc>) {
    open_windows(world, now);
    logs::advance(world, now);
    s3::advance(world, now);
    let mut renames = Vec::new();
    for (name, region) in &mut world.regions {
        for instance in region.instances.values_mut().filter_map(|slot| slot.current.as_mut()) {
            let due = |pending: &Pending| pending.at.is_some_and(|at| at <= now);
            if let Some(pending) = instance.pending.take_if(|pending| due(pending)) {
                modification::finish(instance, pending);
            }
            while let Some(at) = instance.due.iter().position(|due| due.at <= now) {
                let due = instance.due.remove(at);
                if let Some(to) = apply(instance, due.change, due.at) {
                    let from = std::mem::replace(&mut instance.id, to.clone());
                    renames.push(Rename { region: name.clone(), from, to });
                }
            }
        }
        forget(region, now);
    }
    for rename in &renames {
        rename_everywhere(world, rename);
    }
    route53::advance(world, now);
    cloudwatch::advance(world, now);
}

/// Carries out one change; the new identifier of an instance that gets one.
fn apply(instance: &mut Instance, change: Change, at: DateTime<Utc>) -> Option<String> {
    match change {
        Change::Rebooted => "in-sync".clone_into(&mut instance.settings.parameter_status),
        Change::Detached { point } => {
            instance.data.point.get_or_insert(point);
            instance.link = Link::Detached;
        }
        Change::Promoted { retention_days, backup_window } => {
            instance.replica_of = None;
            instance.promoted = true;
            // What the estate calls the source is another instance.
            instance.original = false;
            instance.link = Link::Following;
            instance.settings.retention_days = retention_days;
            if let Some(window) = backup_window {
                instance.settings.backup_window = window;
            }
        }
        Change::Renamed { to } => {
            instance.resolves_from = Some(at + TimeDelta::minutes(RENAMED_RESOLVES_AFTER_MINUTES));
            return Some(to);
        }
    }
    None
}

/// Gives an instance's slot and its replicas the new identifier.
fn rename_everywhere(world: &mut World, rename: &Rename) {
    let (old_arn, new_arn) = (
        world.arn(&rename.region, "db", &rename.from),
        world.arn(&rename.region, "db", &rename.to),
    );
    for (name, region) in &mut world.regions {
        for replica in region.instances.values_mut().filter_map(|slot| slot.current.as_mut()) {
            let Some(source) = &mut replica.replica_of else { continue };
            if *source == old_arn {
                source.clone_from(&new_arn);
            } else if *name == rename.region && *source == rename.from {
                source.clone_from(&rename.to);
            }
        }
        if *name == rename.region
            && let Some(slot) = region.instances.remove(&rename.from)
        {
            region.instances.insert(rename.to.clone(), Slot { before: None, ..slot });
        }
    }
}

/// Begins the changes that waited for a maintenance window which has come.
fn open_windows(world: &mut World, now: DateTime<Utc>) {
    let clockwork = world.clockwork();
    let mut done = Vec::new();
    for (name, region) in &mut world.regions {
        for instance in region.instances.values_mut().filter_map(|slot| slot.current.as_mut()) {
            while let Some(start) = waiting_for(instance).filter(|start| *start <= now) {
                let busy = instance.status(start) != Status::Available
                    || instance.phases.iter().any(|phase| phase.from > start);
                let Some(pending) = instance.pending.take() else { break };
                if busy {
                    // It is not the time for it; the next window may be.
                    let window = Some(start + TimeDelta::days(7));
                    instance.pending = Some(Pending { window, ..pending });
                    continue;
                }
                let seconds = start.timestamp();
                let entity = format!("rds/{name}/{}/window/{seconds}", instance.resource_id);
                let end =
                    modification::begin(instance, pending, (start, start), clockwork, &entity);
                done.push((name.clone(), instance.id.clone(), end));
            }
        }
    }
    for (region, id, end) in done {
        let message = "Finished applying modification to DB instance";
        world.note(&region, About::Instance(&id), end, "configuration change", message);
    }
}

fn waiting_for(instance: &Instance) -> Option<DateTime<Utc>> {
    instance.pending.as_ref().filter(|pending| pending.at.is_none())?.window
}

fn forget(region: &mut Region, now: DateTime<Utc>) {
    region.instances.retain(|_, slot| !is_over(slot, now, |instance| !instance.exists(now)));
    region.snapshots.retain(|_, slot| !is_over(slot, now, |_| false));
}

fn is_over<T: Clone>(slot: &Slot<T>, now: DateTime<Utc>, gone: impl Fn(&T) -> bool) -> bool {
    now >= slot.stale_until && slot.current.as_ref().is_none_or(gone)
}
