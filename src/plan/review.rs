//! Reads plans: what would fail, what has moved since.
//!
//! **Invariant:** looks at plans and at nothing else.

use super::model::{Answer, Plan, PlannedStep, WontReason};

/// A plan's answer in one word, as dry runs show it.
pub fn answer_word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Will => "WILL",
        Answer::Wont { .. } => "WONT",
        Answer::CannotKnow { .. } => "CANNOT-KNOW",
    }
}

/// Why the plan would fail, one sentence a root cause; empty when nothing says so.
pub fn predicted_failures(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .filter_map(|step| match &step.preview.answer {
            Answer::Wont { why, because: WontReason::Failure } => {
                Some(format!("{}: {why}", step.key))
            }
            Answer::Will | Answer::Wont { .. } | Answer::CannotKnow { .. } => None,
        })
        .collect()
}

/// Whether something in the plan depends on the form of the run.
pub fn has_forms(plan: &Plan) -> bool {
    let named = |step: &PlannedStep| {
        let when = step.when.as_deref().unwrap_or_default();
        [step.with.to_string().as_str(), when].iter().any(|text| text.contains("form"))
    };
    plan.steps.iter().any(|step| step.preview.other_form.is_some() || named(step))
}

/// Facts of `old` that have moved in `new`, each a sentence.
pub fn moved_facts(old: &Plan, new: &Plan) -> Vec<String> {
    let gone = "(gone)".to_owned();
    let mut moved: Vec<String> = old
        .facts
        .iter()
        .filter(|(name, value)| new.facts.get(*name) != Some(value))
        .map(|(name, value)| {
            format!("{name}: was {value}, is {}", new.facts.get(name).unwrap_or(&gone))
        })
        .collect();
    if old.environment.server != new.environment.server {
        moved
            .push(format!("server: was {}, is {}", old.environment.server, new.environment.server));
    }
    moved
}
