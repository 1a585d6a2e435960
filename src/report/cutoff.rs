//! What a promotion gives up: the last instant at which a client could have written to the old writer, and
//! who accepted that what came after the replica's data is lost.
//!
//! **Invariant:** a fence counts from when it was seen to hold; where one that should hold did not, only the
//! promotion itself ends what can be lost.

use crate::base::duration;
use crate::base::ids::StepKey;
use crate::journal::event::{Event, Record, SkipReason};
use crate::journal::fold::{RunState, StepState, StepStatus};
use crate::plan::model::{Plan, PlannedStep, Role};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;

const FENCE: &str = "fence";
/// What a cutoff is that rests on somebody's word.
pub const ATTESTATION: &str = "attestation";
const PROMOTION: &str = "promotion";

/// Name of a replica's lag among the figures of an approval.
const REPLICA_LAG: &str = "replica_lag";

/// From when on nothing more could be written to the old writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutoff {
    /// The instant.
    pub at: DateTime<Utc>,
    /// What ended it: `fence`, `attestation`, `promotion`, `disaster_at`.
    pub what: &'static str,
    /// Its step; none for the disaster.
    pub step: Option<StepKey>,
    /// The promotion that it is about.
    pub promotion: StepKey,
}

/// Everything that `of` waits for, directly or through others, without itself.
pub(super) fn upstream<'a>(plan: &'a Plan, of: &'a StepKey) -> BTreeSet<&'a StepKey> {
    let mut reached: BTreeSet<&StepKey> = BTreeSet::new();
    let mut open: Vec<&StepKey> = vec![of];
    while let Some(next) = open.pop() {
        let needs = plan.steps.iter().find(|step| step.key == *next).map(|step| &step.needs);
        open.extend(needs.into_iter().flatten().filter(|need| reached.insert(need)));
    }
    reached
}

/// The latest cutoff of the promotions that happened: of those that `probe` stands on, without a probe of
/// all. `None` when none happened.
pub fn cutoff(plan: &Plan, state: &RunState, probe: Option<&StepKey>) -> Option<Cutoff> {
    let above = probe.map(|key| upstream(plan, key));
    let concerned = |step: &&PlannedStep| {
        let stands_on = above.as_ref().is_none_or(|above| above.contains(&step.key));
        step.role == Role::Promotion && stands_on
    };
    let each = plan.steps.iter().filter(concerned).filter_map(|step| {
        let found = state.steps.get(&step.key)?;
        Some(of_promotion(plan, state, &step.key, promoted_at(found)?))
    });
    each.max_by_key(|one| one.at)
}

/// When a promotion took effect or, while that is not known, was asked for; `None` when it was not.
fn promoted_at(found: &StepState) -> Option<DateTime<Utc>> {
    let by_hand = matches!(found.skip, Some(SkipReason::Operator { .. }));
    if !(found.status.is_success() || by_hand) {
        return found.first_intent_at;
    }
    super::point::instant_of(&found.outputs, "promoted_at").or(found.finished_at)
}

/// A fence, or somebody's word for one, and when it held.
type Held<'a> = (DateTime<Utc>, &'static str, &'a PlannedStep);

fn of_promotion(
    plan: &Plan,
    state: &RunState,
    promotion: &StepKey,
    promoted_at: DateTime<Utc>,
) -> Cutoff {
    let above = upstream(plan, promotion);
    let mut held: Vec<Held<'_>> = Vec::new();
    let (mut open, mut attested, mut lost) = (false, false, region_lost(plan));
    for step in plan.steps.iter().filter(|step| above.contains(&step.key)) {
        let Some(found) = state.steps.get(&step.key) else { continue };
        let ended = found.finished_at.filter(|_| found.status.is_success());
        match (step.attests, step.role == Role::Fence, ended) {
            (true, _, Some(at)) => {
                (attested, lost) = (true, lost || !found.form.is_graceful());
                held.push((at, ATTESTATION, step));
            }
            (false, true, Some(at)) => held.push((at, FENCE, step)),
            (false, true, None) => open |= !left_out(step, found),
            (true, _, None) | (false, false, _) => {}
        }
    }
    let of = |at, what, step| Cutoff { at, what, step, promotion: promotion.clone() };
    // Whatever was fenced after the disaster was still there to be written to.
    if let Some(disaster) = plan.disaster_at.filter(|_| lost) {
        let fences = held.iter().filter(|one| one.1 == FENCE && one.0 > disaster);
        return match fences.max_by_key(|one| one.0) {
            Some((at, what, step)) => of(*at, *what, Some(step.key.clone())),
            None => of(disaster, "disaster_at", None),
        };
    }
    let proven = attested || !open;
    match held.into_iter().max_by_key(|one| one.0).filter(|_| proven) {
        Some((at, what, step)) => of(at, what, Some(step.key.clone())),
        None => of(promoted_at, PROMOTION, Some(promotion.clone())),
    }
}

/// Whether the simulator was told to lose a region.
fn region_lost(plan: &Plan) -> bool {
    plan.environment.faults.iter().any(|fault| fault.starts_with("region-lost"))
}

/// Whether a fence was left out because the run has the other form, or because nothing asks for it.
fn left_out(step: &PlannedStep, found: &StepState) -> bool {
    step.by_form && matches!(found.skip, Some(SkipReason::Condition { .. }))
}

/// What AWS said about how old the promoted data is, as the newest instant that it has: the lag at the
/// promotion, else the one that was shown to whoever approved it. `None` when it was unknown.
pub fn claimed_until(
    state: &RunState,
    records: &[Record],
    promotion: &StepKey,
) -> Option<DateTime<Utc>> {
    let before = |at: DateTime<Utc>, lag: u64| {
        at.checked_sub_signed(TimeDelta::milliseconds(i64::try_from(lag).ok()?))
    };
    let found = state.steps.get(promotion)?;
    let lag = found.outputs.get("lag_at_promotion").and_then(|value| value.as_str());
    let lag = lag.and_then(|text| duration::parse(text).ok());
    let lag = lag.and_then(|lag| u64::try_from(lag.as_millis()).ok());
    if let Some((lag, at)) = lag.zip(found.first_intent_at) {
        return before(at, lag);
    }
    let shown = records.iter().rev().find_map(|record| {
        let Event::ApprovalGiven { figures, .. } = &record.event else { return None };
        let lag = figures
            .iter()
            .find(|figure| figure.name == REPLICA_LAG && figure.step.as_ref() == Some(promotion))?;
        Some((record.at, lag.time_ms.filter(|_| lag.known)))
    });
    shown.and_then(|(at, lag)| before(at, lag?))
}

/// Who let the promotion happen, each with what they saw: approvals of the gates before it, and whoever
/// switched the form.
pub fn accepted_by(
    plan: &Plan,
    state: &RunState,
    records: &[Record],
    promotion: &StepKey,
) -> Vec<String> {
    let at = crate::base::clock::format_instant;
    let asked = state.steps.get(promotion).and_then(|found| found.first_intent_at);
    let guards = |key: &StepKey| {
        plan.steps.iter().any(|step| step.key == *key && step.before.contains(promotion))
    };
    let said = records.iter().filter_map(|record| match &record.event {
        Event::ApprovalGiven { step, by, figures, .. } if guards(step) => {
            let own = |it: &&crate::journal::figure::FigureRecord| {
                it.name == REPLICA_LAG && it.step.as_ref() == Some(promotion)
            };
            let saw = figures.iter().find(own).map(|it| format!(": {}", it.text));
            Some(format!("{} at {}{}", by.operator, at(record.at), saw.unwrap_or_default()))
        }
        Event::FormSwitched { to, by, .. } if asked.is_none_or(|asked| record.at <= asked) => {
            Some(format!("{} at {}, who switched the run to {to}", by.operator, at(record.at)))
        }
        _ => None,
    });
    let mut said: Vec<String> = said.collect();
    let skipped = state.steps.get(promotion).filter(|it| it.status == StepStatus::Skipped);
    if let Some(SkipReason::Operator { operator, .. }) = skipped.and_then(|it| it.skip.as_ref()) {
        said.push(format!("{operator}, who skipped {promotion}"));
    }
    said
}
