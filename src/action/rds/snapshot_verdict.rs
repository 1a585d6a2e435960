//! Judges the snapshot that was chosen.
//!
//! **Invariant:** everything that is wrong is named; what planning chose is what the run judges.

use super::snapshot_choice::{Choice, Wanted, choose, is_called, restorable};
use super::snapshot_key::{KeyState, key_state};
use crate::action::context::{ReadContext, StepScope};
use crate::action::outcome::ActionError;
use crate::base::clock::{between, format_instant};
use crate::base::duration::human;
use crate::cloud::model::{DbInstance, DbSnapshot};
use chrono::{DateTime, TimeDelta, Utc};

/// An automated snapshot that ends sooner than this may end while it is being restored from.
const ENDS_SOON: TimeDelta = TimeDelta::hours(24);

/// What was found, before it is judged.
pub(super) struct Found {
    pub(super) choice: Choice,
    /// Whether it was asked for rather than the newest.
    pub(super) chosen: bool,
    /// The instance, when it is in this region and still there.
    pub(super) instance: Option<DbInstance>,
    pub(super) key: KeyState,
    /// Data of the newest snapshot there is.
    pub(super) newest_at: Option<DateTime<Utc>>,
}

/// What is wrong, and what to do about it.
pub(super) type Problem = (String, &'static str);

impl Found {
    /// The snapshot that was chosen.
    pub(super) fn snapshot(&self) -> &DbSnapshot {
        &self.choice.snapshot
    }

    /// When AWS deletes an automated snapshot.
    pub(super) fn retained_until(&self) -> Option<DateTime<Utc>> {
        let snapshot = self.snapshot();
        let days = match &self.instance {
            Some(instance) => Some(instance.backup_retention_days),
            None => snapshot.retention_days,
        };
        let days = days.filter(|days| *days > 0 && snapshot.kind == "automated")?;
        Some(snapshot.created_at? + TimeDelta::days(days.into()))
    }
}

/// Chooses the snapshot and reads what it is judged by; why there is none to judge otherwise.
pub(super) async fn look(context: &ReadContext<'_>) -> Result<Result<Found, Problem>, ActionError> {
    let scope = &context.scope;
    let name = scope.text("instance").unwrap_or_default();
    let wanted = Wanted::of(scope)?;
    let mut all = context.view.db_snapshots(scope.region, name).await?;
    // What planning chose stays chosen, although a newer one may have come since.
    let planned = scope.planned.and_then(|planned| planned.get("snapshot")?.as_str());
    let looked_for = planned.map_or_else(|| wanted.clone(), |id| Wanted::Named(id.to_owned()));
    if let Wanted::Named(id) = &looked_for
        && !all.iter().any(|snapshot| is_called(snapshot, id))
        && let Some(found) = context.view.db_snapshot(scope.region, id).await?
    {
        // A listing leaves out what other accounts share.
        if !found.instance.eq_ignore_ascii_case(name) {
            let why = format!("snapshot `{id}` is of `{}`, not of `{name}`", found.instance);
            return Ok(Err((why, "choose a snapshot of this database")));
        }
        all.push(found);
    }
    let mut choice = match choose(scope, &looked_for, &all) {
        Ok(choice) => choice,
        Err(why) => {
            let why = format!("{why} of `{name}` in {}", scope.region);
            return Ok(Err(match planned {
                Some(_) => (why, "it was there when the run was planned: plan again"),
                None => {
                    (why, "look at the instance's backups (DescribeDBSnapshots); widen `window`")
                }
            }));
        }
    };
    if planned.is_some() {
        choice.how = match wanted {
            Wanted::Newest => "the newest when the run was planned".to_owned(),
            Wanted::Random(_) => "drawn at random by the run's id when it was planned".to_owned(),
            Wanted::Named(_) => choice.how,
        };
    }
    let key = key_state(context, &choice.snapshot).await?;
    let instance = context.view.db_instance(scope.region, name).await?;
    let newest_at = restorable(&all).last().map(|(at, _)| *at);
    Ok(Ok(Found { choice, chosen: wanted.is_chosen(), instance, key, newest_at }))
}

/// Everything that is wrong with the snapshot.
pub(super) fn problems(scope: &StepScope<'_>, found: &Found) -> Vec<Problem> {
    let snapshot = found.snapshot();
    let id = &snapshot.id;
    let mut list: Vec<Problem> = Vec::new();
    if !snapshot.is_available() {
        let why = format!("snapshot `{id}` is `{}`", snapshot.status);
        list.push((why, "wait for it, or choose another"));
    }
    if !snapshot.encrypted {
        let why = format!("snapshot `{id}` is not encrypted");
        list.push((why, "encrypt the instance; copy the snapshot with a KMS key"));
    }
    if let KeyState::Unusable { why, .. } = &found.key {
        list.push((why.clone(), "enable the key; without it the data is lost"));
    }
    if let Some(until) = found.retained_until().filter(|until| *until <= scope.now) {
        let why = format!("the retention of `{id}` ended {}", format_instant(until));
        list.push((why, "AWS may delete it at any moment: choose a younger one"));
    }
    if let Some(max_age) = scope.duration("max_age") {
        let named = scope.text("snapshot").is_some();
        let judged = if named { snapshot.data_at() } else { found.newest_at };
        let which = if named { format!("`{id}`") } else { "the newest snapshot".to_owned() };
        let age = judged.map(|at| between(at, scope.now));
        match age {
            Some(age) if age > max_age => list.push((
                format!("{which} is {} old (allowed {})", human(age), human(max_age)),
                "find out why no younger one was made: backup window, retention, events",
            )),
            Some(_) => {}
            None => list.push((
                format!("AWS does not say of what instant {which} is"),
                "look at it (DescribeDBSnapshots)",
            )),
        }
    }
    list
}

/// What deserves attention although the snapshot will do.
pub(super) fn warnings(scope: &StepScope<'_>, found: &Found) -> Vec<String> {
    let snapshot = found.snapshot();
    let mut list = Vec::new();
    if let KeyState::NotReadable(why) = &found.key {
        list.push(why.clone());
    }
    if let Some(until) = found.retained_until()
        && until > scope.now
        && until - scope.now < ENDS_SOON
    {
        list.push(format!("the retention of `{}` ends {}", snapshot.id, format_instant(until)));
    }
    if let Some(instance) = &found.instance
        && instance.resource_id != snapshot.resource_id
        && !snapshot.resource_id.is_empty()
    {
        list.push(format!(
            "`{}` is of an earlier instance of that name ({}, now {})",
            snapshot.id, snapshot.resource_id, instance.resource_id
        ));
    }
    list
}
