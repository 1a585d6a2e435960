//! What hangs on a gate: the steps that wait for it, and for whom a plan waits.
//!
//! **Invariant:** follows from the planned steps alone, so that a journal's plan says it again.

use super::fences::{happens, upstream};
use super::model::{Answer, GateKind, PlannedStep, Role, WontReason};
use crate::action::spec::{ActionKind, ActionSpec, WaitsFor};
use crate::action::{Figure, Preview};
use crate::base::duration::human;
use crate::base::groups::{Group, grouped, listed as listed_names};
use crate::base::ids::{StepKey, joined};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Most names of a list that people read before they decide; the others are counted.
const MOST_NAMES: usize = 12;

/// Most gates of a plan that say what hangs on them: people follow runbooks with a handful, and each
/// looks at all steps after it.
const MOST_GATES: usize = 50;

/// What follows the decision about a gate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Follows<'a> {
    /// Steps that run only if it is approved, in the plan's order.
    pub waiting: Vec<&'a PlannedStep>,
    /// Steps that wait for the decision and then run whatever it was.
    pub regardless: Vec<&'a PlannedStep>,
}

impl Follows<'_> {
    /// `promote (cannot be undone), verify`, as seen from the call `frame`; empty when nothing waits.
    pub fn waiting_text(&self, frame: &str) -> String {
        listed(&self.waiting, frame)
    }

    /// `delete`; empty when there is none.
    pub fn regardless_text(&self, frame: &str) -> String {
        listed(&self.regardless, frame)
    }
}

/// What cannot be undone is named one by one and first of all, everything else by groups.
fn listed(steps: &[&PlannedStep], frame: &str) -> String {
    let (last, others): (Vec<&PlannedStep>, Vec<&PlannedStep>) =
        steps.iter().partition(|step| step.irreversible);
    let mut names: Vec<String> = last
        .iter()
        .take(MOST_NAMES)
        .map(|step| format!("{} (cannot be undone)", step.key))
        .collect();
    let unnamed = last.len().saturating_sub(MOST_NAMES);
    let groups = grouped(others.iter().map(|step| &step.key), frame);
    names.extend(groups.iter().take(MOST_NAMES).map(Group::text));
    let more: usize = groups.iter().skip(MOST_NAMES).map(|group| group.steps).sum();
    match (more + unnamed, unnamed) {
        (0, _) => {}
        (more, 0) => names.push(format!("and {more} more")),
        (more, acts) => names.push(format!("and {more} more, {acts} of which cannot be undone")),
    }
    names.join(", ")
}

/// What waits for the gate `key`, directly or through other steps.
pub fn follows<'a>(steps: &'a [PlannedStep], key: &StepKey) -> Follows<'a> {
    let mut reached = BTreeSet::from([key]);
    let mut follows = Follows::default();
    for step in steps {
        let left_out =
            matches!(step.preview.answer, Answer::Wont { because: WontReason::Condition, .. });
        if left_out || !step.needs.iter().any(|need| reached.contains(need)) {
            continue;
        }
        if step.always {
            follows.regardless.push(step);
        } else {
            reached.insert(&step.key);
            follows.waiting.push(step);
        }
    }
    follows
}

/// What a step waits for, if it is a gate.
pub(super) fn kind(spec: &ActionSpec) -> Option<GateKind> {
    match spec.kind {
        ActionKind::Check | ActionKind::Mutation | ActionKind::Command | ActionKind::Notice => None,
        ActionKind::Gate(WaitsFor::Person) => Some(GateKind::Person),
        ActionKind::Gate(WaitsFor::Time) => Some(GateKind::Time),
    }
}

/// The preview of a gate, refused when it waits for longer than its time-out.
pub(super) fn within(preview: Preview, spec: &ActionSpec, timeout: Option<Duration>) -> Preview {
    let timeout = timeout.unwrap_or(spec.default_timeout);
    let wait = preview.cited_duration.map(|(least, _, _)| least);
    let too_long = wait.filter(|wait| kind(spec) == Some(GateKind::Time) && *wait > timeout);
    let Some(wait) = too_long else { return preview };
    let wont = format!("it waits for {}, and its time-out is {}", human(wait), human(timeout));
    Preview { wont: Some(wont), ..preview }
}

/// Whether `gate` names the step `key` in its `before`; who names a call means all its steps, but no call
/// among them.
fn is_before(gate: &PlannedStep, key: &StepKey, is_call: bool) -> bool {
    let ids = gate.with.get("before").and_then(serde_json::Value::as_array);
    let mut ids = ids.into_iter().flatten().filter_map(|id| id.as_str());
    ids.any(|id| {
        let id = joined(gate.key.frame(), id);
        key.id() == id || (!is_call && key.is_within(&id))
    })
}

/// Whether a person will be asked before the step `key`, as far as `steps` are planned.
pub(super) fn asks_before(steps: &[PlannedStep], key: &StepKey) -> bool {
    let asks = |step: &PlannedStep| {
        step.gate == Some(GateKind::Person) && !matches!(step.preview.answer, Answer::Wont { .. })
    };
    steps.iter().any(|gate| asks(gate) && is_before(gate, key, false))
}

/// Writes into each gate which steps it is before: those named, and of what is expanded every item.
pub(super) fn mark_before(steps: &mut [PlannedStep]) {
    let named = |gate: &PlannedStep| -> Vec<StepKey> {
        let meant = |step: &&PlannedStep| is_before(gate, &step.key, !step.children.is_empty());
        steps.iter().filter(meant).map(|step| step.key.clone()).collect()
    };
    let all: Vec<(usize, Vec<StepKey>)> = (0..steps.len())
        .filter(|place| steps[*place].gate == Some(GateKind::Person))
        .map(|place| (place, named(&steps[place])))
        .collect();
    for (place, before) in all {
        steps[place].before = before;
    }
}

/// Says of each gate that a person opens what hangs on it, how long it waits, and of one before what cannot
/// be taken back what is at stake, as it was read now.
pub(super) fn describe(steps: &mut [PlannedStep], figures: &BTreeMap<StepKey, Vec<Figure>>) {
    let person = |place: &usize| steps[*place].gate == Some(GateKind::Person);
    let gates: Vec<usize> = (0..steps.len()).filter(person).take(MOST_GATES).collect();
    for place in gates {
        let found = follows(steps, &steps[place].key);
        let mut details = Vec::new();
        for (what, names) in [
            ("waits for it", found.waiting_text(steps[place].key.frame())),
            ("runs whatever is decided", found.regardless_text(steps[place].key.frame())),
        ] {
            if !names.is_empty() {
                details.push(format!("{what}: {names}"));
            }
        }
        let timeout = human(Duration::from_millis(steps[place].timeout_ms));
        details.push(format!("it may be answered for {timeout} after it is asked"));
        let (stakes, warning) = stakes(steps, &steps[place], figures);
        details.extend(stakes);
        steps[place].preview.details.extend(details);
        steps[place].preview.warnings.extend(warning);
    }
}

/// What is at stake at a gate as far as planning knows it, and what is wrong with that.
fn stakes(
    steps: &[PlannedStep],
    gate: &PlannedStep,
    figures: &BTreeMap<StepKey, Vec<Figure>>,
) -> (Vec<String>, Option<String>) {
    let mut lines = Vec::new();
    for key in &gate.before {
        for figure in figures.get(key).into_iter().flatten() {
            let name = figure.name.replace('_', " ");
            lines.push(format!("at stake now: {key}: {name}: {}", figure.text));
        }
    }
    let promoted =
        |step: &&PlannedStep| step.role == Role::Promotion && gate.before.contains(&step.key);
    let promoted: Vec<StepKey> =
        steps.iter().filter(promoted).map(|step| step.key.clone()).collect();
    if promoted.is_empty() {
        return (lines, None);
    }
    let fences = upstream(steps, &promoted, happens);
    if fences.is_empty() {
        let warning = "TWO WRITERS POSSIBLE: no step before it fences the old writer; that will have to be \
                       acknowledged (`--acknowledge two-writers`)";
        return (lines, Some(warning.to_owned()));
    }
    let names = listed_names(fences.iter().map(|fence| &fence.key), MOST_NAMES);
    lines.push(format!("fenced by then, if all goes well: {names}"));
    (lines, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model::Phase;
    use crate::report::testing::step;

    fn chain() -> Vec<PlannedStep> {
        let mut steps = vec![
            step("gate", "gate.approve", Phase::Wait),
            step("promote", "x", Phase::Provision),
            step("verify", "x", Phase::Verify),
            step("aside", "x", Phase::Verify),
            step("never", "x", Phase::Verify),
            step("clean", "x", Phase::Cleanup),
        ];
        for (place, need) in [(1, "gate"), (2, "promote"), (4, "promote"), (5, "verify")] {
            steps[place].needs = vec![StepKey::new(need)];
        }
        steps[0].gate = Some(GateKind::Person);
        steps[1].irreversible = true;
        let (why, because) = ("its condition is false".to_owned(), WontReason::Condition);
        steps[4].preview.answer = Answer::Wont { why, because };
        steps
    }

    #[test]
    fn what_waits_for_a_gate_is_told_from_what_runs_anyway() {
        let steps = chain();
        let found = follows(&steps, &StepKey::new("gate"));
        assert_eq!(found.waiting_text(""), "promote (cannot be undone), verify");
        assert_eq!(found.regardless_text(""), "clean");
        let nothing = follows(&steps, &StepKey::new("aside"));
        assert_eq!((nothing.waiting_text(""), nothing.regardless_text("")), Default::default());
    }

    #[test]
    fn long_lists_are_counted_and_lose_no_final_act() {
        let mut steps = chain();
        for number in 0..30 {
            let mut more = step(&format!("more{number}"), "x", Phase::Provision);
            more.needs = vec![StepKey::new("promote")];
            more.irreversible = number == 29;
            steps.push(more);
        }
        let text = follows(&steps, &StepKey::new("gate")).waiting_text("");
        assert_eq!(
            text,
            "promote (cannot be undone), more29 (cannot be undone), verify, more0, more1, more2, more3, \
             more4, more5, more6, more7, more8, more9, more10, and 18 more"
        );
        for step in &mut steps {
            step.irreversible = true;
        }
        let text = follows(&steps, &StepKey::new("gate")).waiting_text("");
        assert!(text.ends_with(", and 20 more, 20 of which cannot be undone"), "{text}");
    }

    #[test]
    fn a_plan_says_what_hangs_on_its_gates() {
        let mut steps = chain();
        describe(&mut steps, &BTreeMap::new());
        assert_eq!(
            steps[0].preview.details,
            [
                "waits for it: promote (cannot be undone), verify",
                "runs whatever is decided: clean",
                "it may be answered for 1.0s after it is asked",
            ]
        );
        assert!(steps[1..].iter().all(|step| step.preview.details.is_empty()));
    }
}
