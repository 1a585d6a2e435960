//! Which fences stand before a promotion: what a gate shows, and what the promotion itself says of them.
//!
//! **Invariant:** follows from the planned steps alone; a promotion that nothing fences always warns.

use super::model::{Answer, PlannedStep, Role, WontReason};
use crate::base::form::Form;
use crate::base::groups::listed;
use crate::base::ids::StepKey;
use std::collections::BTreeSet;

/// Most fences that are named; the others are counted.
const MOST_NAMES: usize = 12;

/// Says of each promotion, in both forms, what fences its source by then.
pub(super) fn describe(steps: &mut [PlannedStep], form: Form) {
    for place in 0..steps.len() {
        let step = &steps[place];
        let runs = !matches!(step.preview.answer, Answer::Wont { .. });
        if step.role != Role::Promotion || !runs {
            continue;
        }
        let of = [step.key.clone()];
        // What was said as an input stands among the details already.
        let said = step.with.get("fenced").is_some_and(|fenced| !fenced.is_null());
        let now = sentence(&upstream(steps, &of, happens), said);
        let then = sentence(&upstream(steps, &of, might_happen), said);
        let preview = &mut steps[place].preview;
        put(now, &mut preview.details, &mut preview.warnings);
        if let Some(other) = preview.other_form.as_mut().filter(|other| other.form != form) {
            put(then, &mut other.details, &mut other.warnings);
        }
    }
}

/// The steps before those in `of` that fence the old writer, and that happen.
pub(super) fn upstream<'a>(
    steps: &'a [PlannedStep],
    of: &[StepKey],
    happens: fn(&PlannedStep) -> bool,
) -> Vec<&'a PlannedStep> {
    let mut reached: BTreeSet<&StepKey> = of.iter().collect();
    let mut fences = Vec::new();
    for step in steps.iter().rev() {
        if !reached.contains(&step.key) {
            continue;
        }
        // What the form leaves out lets through what stands before it.
        if step.by_form || happens(step) {
            reached.extend(&step.needs);
        }
        if happens(step) && (step.role == Role::Fence || step.attests) {
            fences.push(step);
        }
    }
    fences.reverse();
    fences
}

/// Whether the step runs in the form of the plan.
pub(super) fn happens(step: &PlannedStep) -> bool {
    !matches!(step.preview.answer, Answer::Wont { .. })
}

/// Whether the step may run in the other form: one that depends on the form runs in one of them.
fn might_happen(step: &PlannedStep) -> bool {
    match &step.preview.answer {
        Answer::Wont { because: WontReason::Condition, .. } => step.by_form,
        Answer::Wont { .. } => false,
        Answer::Will | Answer::CannotKnow { .. } => !step.by_form,
    }
}

/// What fences, or that nothing does: a detail or a warning.
fn sentence(fences: &[&PlannedStep], said: bool) -> Option<Result<String, String>> {
    if fences.is_empty() {
        let warning = "no step before it fences the old writer, and nothing proves that it is fenced: two \
                       writers possible";
        return (!said).then(|| Err(warning.to_owned()));
    }
    let names = listed(fences.iter().map(|fence| &fence.key), MOST_NAMES);
    let attested = fences.iter().all(|fence| fence.attests);
    let how = if attested { " (a person's word, nothing that was read)" } else { "" };
    Some(Ok(format!("fenced by then, if all goes well: {names}{how}")))
}

fn put(
    said: Option<Result<String, String>>,
    details: &mut Vec<String>,
    warnings: &mut Vec<String>,
) {
    match said {
        Some(Ok(detail)) => details.push(detail),
        Some(Err(warning)) => warnings.push(warning),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model::{OtherForm, Phase};
    use crate::report::testing::step;

    fn moving() -> Vec<PlannedStep> {
        let mut steps = vec![
            step("fence[a]", "x", Phase::Provision),
            step("fence[b]", "x", Phase::Provision),
            step("attest", "gate.approve", Phase::Decide),
            step("promote", "x", Phase::Provision),
        ];
        steps[0].role = Role::Fence;
        steps[1].role = Role::Fence;
        steps[2].attests = true;
        steps[..3].iter_mut().for_each(|one| one.by_form = true);
        let why = "its condition is false".to_owned();
        steps[2].preview.answer = Answer::Wont { why, because: WontReason::Condition };
        steps[2].needs = vec![StepKey::new("fence[a]"), StepKey::new("fence[b]")];
        steps[3].needs = vec![StepKey::new("attest")];
        steps[3].role = Role::Promotion;
        let form = Form::Ungraceful;
        let (summary, wont) = (String::new(), None);
        let (details, warnings) = (Vec::new(), Vec::new());
        steps[3].preview.other_form = Some(OtherForm { form, summary, wont, details, warnings });
        steps
    }

    #[test]
    fn a_promotion_knows_the_fences_before_it_in_both_forms() {
        let mut steps = moving();
        describe(&mut steps, Form::Graceful);
        let promote = &steps[3].preview;
        assert_eq!(promote.details, ["fenced by then, if all goes well: fence (2)"]);
        assert_eq!(promote.warnings, Vec::<String>::new());
        let other = promote.other_form.as_ref().unwrap();
        let attested = "attest (a person's word, nothing that was read)";
        assert_eq!(other.details, [format!("fenced by then, if all goes well: {attested}")]);
    }

    #[test]
    fn one_that_nothing_fences_warns_in_each_form_that_has_none() {
        let mut steps = moving();
        steps[2].attests = false;
        describe(&mut steps, Form::Graceful);
        assert!(steps[3].preview.warnings.is_empty());
        let other = steps[3].preview.other_form.as_ref().unwrap();
        assert!(other.warnings[0].contains("two writers possible"), "{other:?}");
        let mut steps = moving();
        steps[3].needs.clear();
        describe(&mut steps, Form::Graceful);
        assert!(steps[3].preview.warnings[0].contains("two writers possible"));
        let mut steps = moving();
        steps[3].needs.clear();
        steps[3].with = serde_json::json!({ "fenced": "${{ steps.x.outputs.proof }}" });
        describe(&mut steps, Form::Graceful);
        assert!(steps[3].preview.warnings.is_empty(), "the action says that proof itself");
    }
}
