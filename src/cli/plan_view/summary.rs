//! A plan in a few lines: what may be lost, what cannot be undone, who has to answer, how long it takes.
//!
//! **Invariant:** says no more than the plan; what is unknown is named, never counted as nothing.

use super::{estimate_text, line};
use crate::base::duration::human;
use crate::base::form::Form;
use crate::base::groups::listed;
use crate::base::ids::StepKey;
use crate::plan::model::{
    Answer, Estimate, GateKind, KnownTime, LossPrediction, Phase, Plan, PlannedStep,
};
use std::time::Duration;

/// Most steps that a line names; the others are counted.
const MOST_NAMES: usize = 12;

/// Less real time than this to answer a gate is worth a warning.
const LEAST_TO_ANSWER: Duration = Duration::from_secs(120);

fn span(millis: u64) -> String {
    human(Duration::from_millis(millis))
}

fn runs(step: &PlannedStep) -> bool {
    !matches!(step.preview.answer, Answer::Wont { .. })
}

/// Gates at which somebody has to answer.
fn gates(plan: &Plan) -> Vec<&PlannedStep> {
    let asks = |step: &&PlannedStep| step.gate == Some(GateKind::Person) && runs(step);
    plan.steps.iter().filter(asks).collect()
}

/// Writes what people want to know first, where there is anything to decide or to lose.
pub(super) fn first(text: &mut String, plan: &Plan) {
    // What a drill made for itself and deletes again is nobody's loss.
    let for_good = |step: &&PlannedStep| {
        step.irreversible && runs(step) && step.phase != Phase::Cleanup && !step.always
    };
    let for_good: Vec<&StepKey> = plan.steps.iter().filter(for_good).map(|it| &it.key).collect();
    let gates = gates(plan);
    if for_good.is_empty() && gates.is_empty() {
        return;
    }
    for loss in &plan.prediction.losses {
        for form in [plan.form, plan.form.other()] {
            line(text, &format!("may be lost  {form}: {}", lost(loss, form)));
        }
    }
    if !for_good.is_empty() {
        line(text, &format!("no way back  {} cannot be undone", listed(for_good, MOST_NAMES)));
    }
    if !gates.is_empty() {
        let names = listed(gates.iter().map(|gate| &gate.key), MOST_NAMES);
        line(text, &format!("to answer    {names}"));
    }
    let promised = plan.objectives.recovery_time_ms.map(span);
    let promised = promised.map(|time| format!("; {time} promised")).unwrap_or_default();
    line(text, &format!("time         {} until recovered{promised}", short_time(plan)));
}

fn short_time(plan: &Plan) -> String {
    let time = match (&plan.prediction.known_time, &plan.prediction.recovery_time) {
        (Some(known), _) => {
            format!("{}, plus {} steps of unknown length", range(known), known.unknown.len())
        }
        (None, Estimate::History { median_ms: low, longest_ms: high, .. })
        | (None, Estimate::Cited { low_ms: low, high_ms: high, .. }) => {
            format!("{} to {}", span(*low), span(*high))
        }
        (None, Estimate::Unknown { .. }) => "CANNOT-KNOW".to_owned(),
    };
    let waits = !plan.prediction.waits_for_people.is_empty();
    let people = if waits { ", plus what people take to answer" } else { "" };
    format!("{time}{people}")
}

fn range(known: &KnownTime) -> String {
    format!("{} to {}", span(known.low_ms), span(known.high_ms))
}

/// The time to recovered, with what is known of it where not all is.
pub(super) fn recovery_time(plan: &Plan) -> String {
    match &plan.prediction.known_time {
        Some(known) => format!(
            "{}, plus what nobody has measured: {}",
            range(known),
            listed(&known.unknown, MOST_NAMES)
        ),
        None => estimate_text(&plan.prediction.recovery_time, plan.environment.simulated),
    }
}

/// How the promise stands where only a part of the time is known, `gone` having passed already.
pub(super) fn judged(known: &KnownTime, promised: u64, gone: u64) -> String {
    let least = gone.saturating_add(known.low_ms);
    let most = gone.saturating_add(known.high_ms);
    match (promised.checked_sub(least), promised.checked_sub(most)) {
        (None, _) => "WILL BE MISSED: what is known takes longer already".to_owned(),
        (Some(_), Some(left)) => format!(
            "CANNOT-KNOW; kept if what nobody has measured, and people, take less than {}",
            span(left)
        ),
        (Some(left), None) => {
            format!("AT RISK: at best {} are left for all that is not known", span(left))
        }
    }
}

/// What a promotion loses in one form of the run.
pub(super) fn lost(loss: &LossPrediction, form: Form) -> String {
    let LossPrediction { step, lag_ms, text } = loss;
    match (form, lag_ms) {
        (Form::Graceful, _) => {
            format!("nothing once no writer is left: {step} waits for the replica ({text})")
        }
        (Form::Ungraceful, Some(lag)) => {
            format!("{} as of now: {step} gives up what the replica lacks ({text})", span(*lag))
        }
        (Form::Ungraceful, None) => {
            format!("UNKNOWN: {step} gives up what the replica lacks ({text})")
        }
    }
}

/// What the lag of the replicas says about the promise, in the form of the plan.
pub(super) fn loss_judged(plan: &Plan, promised: u64) -> Option<&'static str> {
    let losses = &plan.prediction.losses;
    let worst = losses.iter().max_by_key(|loss| (loss.lag_ms.is_none(), loss.lag_ms))?;
    Some(match (plan.form, worst.lag_ms) {
        (Form::Graceful, _) => "expected to be met: nothing is given up in this form",
        (Form::Ungraceful, None) => "CANNOT-KNOW: the lag is unknown",
        (Form::Ungraceful, Some(lag)) if lag <= promised => {
            "expected to be met, by the lag as it is now"
        }
        (Form::Ungraceful, Some(_)) => "WILL BE MISSED, by the lag as it is now",
    })
}

/// That a simulated time this fast leaves nobody time to answer; `None` where it does.
pub(in crate::cli) fn pace_note(plan: &Plan, pace: Option<f64>) -> Option<String> {
    let pace = pace.filter(|pace| *pace > 1.0)?;
    let real = |gate: &&PlannedStep| Duration::from_millis(gate.timeout_ms).div_f64(pace);
    let hasty = |gate: &&PlannedStep| real(gate) < LEAST_TO_ANSWER;
    let gates: Vec<&PlannedStep> = gates(plan).into_iter().filter(hasty).collect();
    let least = gates.iter().map(real).min()?;
    let names = listed(gates.iter().map(|gate| &gate.key), MOST_NAMES);
    let longest = gates.iter().map(|gate| gate.timeout_ms).min()?;
    let slower =
        (Duration::from_millis(longest).as_secs_f64() / LEAST_TO_ANSWER.as_secs_f64()).floor();
    Some(format!(
        "note: at --pace {pace} people have {} of real time to answer {names}: --pace {} leaves two minutes",
        human(least),
        slower.max(1.0)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{plan, step};

    fn gated(minutes: u64) -> Plan {
        let gate = PlannedStep {
            gate: Some(GateKind::Person),
            timeout_ms: minutes * 60_000,
            ..step("decide", "gate.approve", Phase::Decide)
        };
        Plan { steps: vec![gate], ..plan() }
    }

    #[test]
    fn a_pace_that_leaves_no_time_to_answer_is_told() {
        let note = pace_note(&gated(30), Some(60.0)).expect("half a minute");
        assert!(note.contains("30s of real time to answer decide: --pace 15 "), "{note}");
        assert_eq!(pace_note(&gated(30), Some(15.0)), None);
        assert_eq!(pace_note(&gated(30), None), None);
        assert_eq!(pace_note(&plan(), Some(10_000.0)), None, "nobody is asked");
    }

    #[test]
    fn a_time_that_is_known_in_part_is_judged_by_that() {
        let known = KnownTime { low_ms: 60_000, high_ms: 600_000, unknown: Vec::new() };
        assert!(judged(&known, 3_600_000, 0).contains("take less than 50m00s"));
        assert!(judged(&known, 300_000, 0).starts_with("AT RISK: at best 4m00s"));
        assert!(judged(&known, 300_000, 250_000).starts_with("WILL BE MISSED"));
    }

    #[test]
    fn an_unknown_lag_is_no_loss_of_nothing() {
        let text = "lag is unknown".to_owned();
        let loss = LossPrediction { step: StepKey::new("promote"), lag_ms: None, text };
        assert!(lost(&loss, Form::Ungraceful).starts_with("UNKNOWN"));
        assert!(lost(&loss, Form::Graceful).starts_with("nothing once no writer is left"));
        let mut plan = Plan { form: Form::Ungraceful, ..plan() };
        assert_eq!(loss_judged(&plan, 1_000), None);
        plan.prediction.losses = vec![loss.clone()];
        assert!(loss_judged(&plan, 1_000).unwrap().starts_with("CANNOT-KNOW"));
        plan.prediction.losses.push(LossPrediction { lag_ms: Some(2_000), ..loss });
        assert!(loss_judged(&plan, 1_000).unwrap().starts_with("CANNOT-KNOW"));
        plan.prediction.losses.remove(0);
        assert!(loss_judged(&plan, 1_000).unwrap().starts_with("WILL BE MISSED"));
        assert!(loss_judged(&plan, 2_000).unwrap().starts_with("expected to be met"));
    }
}
