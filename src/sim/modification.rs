//! How a modification of an instance runs its course.
//!
//! **Invariant:** the same course whether it begins at once or in the maintenance window; only what
//! `ModifyDBInstance` leaves pending is taken over at its end, so that what was changed at once in
//! the meantime stays.

use crate::base::clock::to_delta;
use crate::sim::clockwork::Clockwork;
use crate::sim::state::{Change, Due, Instance, OldPassword, Pending, Phase, Settings, Status};
use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, Utc, Weekday};

/// Starts the work on `pending` at `from`; everything that was to happen after `now` is forgotten.
/// Returns when it is done.
pub(in crate::sim) fn begin(
    instance: &mut Instance,
    mut pending: Pending,
    (now, from): (DateTime<Utc>, DateTime<Utc>),
    clockwork: Clockwork,
    entity: &str,
) -> DateTime<Utc> {
    // What an earlier modification has not done yet is part of this one.
    instance.due.retain(|due| !matches!(due.change, Change::Renamed { .. } | Change::Rebooted));
    let (old, new) = (&instance.settings, &pending.settings);
    let resets = new.password != old.password;
    let grows = new.storage_gib > old.storage_gib;
    let starts_backups = old.retention_days == 0 && new.retention_days > 0;
    let only_renamed = pending.rename.is_some()
        && pending.engine_version.is_none()
        && *new == Settings { password: new.password.clone(), ..old.clone() };
    let mut at = from;
    let mut phases = Vec::new();
    let mut enter = |at: &mut DateTime<Utc>, status, length| {
        phases.push(Phase::new(*at, status));
        *at += to_delta(length);
    };
    if resets {
        enter(&mut at, Status::ResettingMasterCredentials, clockwork.modifying(entity));
    } else if pending.engine_version.is_some() {
        enter(&mut at, Status::Upgrading, clockwork.upgrading(entity));
    } else if !only_renamed {
        enter(&mut at, Status::Modifying, clockwork.modifying(entity));
    }
    if let Some(to) = pending.rename.clone() {
        enter(&mut at, Status::Renaming, clockwork.renaming(entity));
        instance.due.push(Due { at, change: Change::Renamed { to } });
        enter(&mut at, Status::Rebooting, clockwork.rebooting(entity));
        instance.due.push(Due { at, change: Change::Rebooted });
    }
    let done = at;
    if starts_backups {
        enter(&mut at, Status::BackingUp, clockwork.backing_up(entity));
        instance.first_backup = Some(at);
    }
    if grows {
        let length = clockwork.storage_optimization(entity, pending.settings.storage_gib);
        enter(&mut at, Status::StorageOptimization, length);
    }
    phases.push(Phase::new(at, Status::Available));
    instance.reschedule(now, phases);
    pending.at = Some(done);
    pending.window = None;
    instance.pending = Some(pending);
    done
}

/// Lets the instance configure things, one after the other, after all that is going on with it.
pub(in crate::sim) fn configure(
    instance: &mut Instance,
    (now, from): (DateTime<Utc>, DateTime<Utc>),
    what: &[Status],
    clockwork: Clockwork,
    entity: &str,
) {
    let last = instance.phases.pop_if(|last| last.from > now);
    let mut at = last.map_or(from, |last| last.from.max(from));
    for status in what {
        instance.phases.push(Phase::new(at, *status));
        at += to_delta(clockwork.configuring(&format!("{entity}/{}", status.name())));
    }
    instance.phases.push(Phase::new(at, Status::Available));
}

/// Takes over what was pending.
pub(in crate::sim) fn finish(instance: &mut Instance, pending: Pending) {
    if let Some(until) = pending.at
        && pending.settings.password != instance.settings.password
    {
        let password = instance.settings.password.clone();
        instance.old_passwords.push(OldPassword { until, password });
    }
    carry(&mut instance.settings, &pending.settings);
    if let Some(version) = pending.engine_version {
        instance.engine_version = version;
    }
}

/// Copies the settings that a modification works on.
pub(in crate::sim) fn carry(to: &mut Settings, from: &Settings) {
    to.class.clone_from(&from.class);
    to.storage_gib = from.storage_gib;
    to.storage_type.clone_from(&from.storage_type);
    to.iops = from.iops;
    to.multi_az = from.multi_az;
    to.retention_days = from.retention_days;
    to.port = from.port;
    to.password.clone_from(&from.password);
}

/// When the maintenance window `sun:05:00-sun:05:30` begins next after `now`.
pub(in crate::sim) fn next_window(window: &str, now: DateTime<Utc>) -> DateTime<Utc> {
    let (day, time) = parse_window(window).unwrap_or((Weekday::Sun, NaiveTime::MIN));
    let monday =
        now.date_naive() - TimeDelta::days(i64::from(now.weekday().num_days_from_monday()));
    let date = monday + TimeDelta::days(i64::from(day.num_days_from_monday()));
    let this_week = date.and_time(time).and_utc();
    if this_week > now { this_week } else { this_week + TimeDelta::days(7) }
}

/// Day and time at which a window such as `sun:05:00-sun:05:30` begins.
pub(in crate::sim) fn parse_window(window: &str) -> Option<(Weekday, NaiveTime)> {
    let (begin, end) = window.split_once('-')?;
    let read = |text: &str| {
        let (day, time) = text.split_once(':')?;
        let day: Weekday = day.parse().ok().filter(|_| day.len() == 3)?;
        Some((day, NaiveTime::parse_from_str(time, "%H:%M").ok()?))
    };
    read(end)?;
    read(begin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;

    #[test]
    fn windows_come_once_a_week() {
        // A Thursday, 09:00.
        let now = simulated_epoch();
        assert_eq!(now.weekday(), Weekday::Thu);
        for (window, hours) in
            [("sun:05:00-sun:05:30", 68), ("thu:10:00-thu:11:00", 1), ("thu:09:00-thu:09:30", 168)]
        {
            assert_eq!(next_window(window, now) - now, TimeDelta::hours(hours), "{window}");
        }
        for bad in ["", "sun:05:00", "sun:05:00-", "someday:05:00-sun:06:00", "sun:25:00-sun:26:00"]
        {
            assert_eq!(parse_window(bad), None, "{bad}");
        }
    }
}
