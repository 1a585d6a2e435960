//! Previews one step in both forms, and lays what it would do over what the next one reads.
//!
//! **Invariant:** a step whose condition is false, or that is blocked, leaves no trace for later steps.

use super::build::{PlanError, Planner, expires};
use super::call::texts_depend_on;
use super::estimate::estimate;
use super::gate;
use super::model::{Answer, OtherForm, StepPreview, WontReason};
use super::scope::{StepResult, expression_texts};
use crate::action::spec::ActionSpec;
use crate::action::{ActionError, Memory, Preview, ReadContext, StepScope};
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::cloud::CloudError;
use crate::runbook::{Step, evaluate_inputs};
use std::collections::BTreeMap;

impl Planner<'_> {
    pub(super) async fn preview(
        &mut self,
        step: &Step,
        spec: &ActionSpec,
        key: &StepKey,
        region: &str,
        needs: &[StepKey],
        condition: Option<bool>,
    ) -> Result<StepPreview, PlanError> {
        if condition == Some(false) {
            let when = self.conditions(step);
            let why = format!("its condition is false: {when}");
            let answer = Answer::Wont { why, because: WontReason::Condition };
            return Ok(self.record(key, spec, answer, Preview::default(), "skipped"));
        }
        let inputs = evaluate_inputs(&step.with, spec, &self.scope)
            .map_err(|error| PlanError::Step { step: step.id.clone(), why: error.to_string() })?;
        if let Some(why) = self.forbidden(spec, region, &inputs) {
            let preview = Preview { outputs: spec.unknown_outputs(&why), ..Preview::default() };
            let answer = Answer::Wont { why, because: WontReason::Failure };
            return Ok(self.record(key, spec, answer, preview, "failed"));
        }
        let cloud = self.tools.cloud.in_account(step.account.as_deref())?;
        let action = self.tools.catalogue.get(&step.uses).expect("its spec was found");
        let scope = StepScope {
            run: &self.request.run,
            step: key,
            region,
            estate: self.request.estate,
            environment: cloud.environment(),
            inputs: &inputs,
            now: self.request.now,
            began: None,
            asked: false,
            intent: None,
            progress: None,
            disaster_at: self.request.disaster_at,
            owner: &self.request.owner,
            expires: expires(self.request.now),
            hands_over: self.request.mode.hands_over(),
            agreed: gate::asks_before(&self.steps, key),
            planned: None,
            standing: None,
            form: self.request.form,
        };
        let view = cloud.view(self.overlay.clone());
        let effects = &cloud.effects_here(self.tools.effects);
        let memory = &Memory::default();
        let context = ReadContext { scope, view: &view, effects, memory };
        let preview = match previewed(action.preview(&context).await, spec) {
            Ok(preview) => preview,
            Err(error) => self.silence(step, spec, region, &error).ok_or(error)?,
        };
        let mut preview = gate::within(preview, spec, step.timeout);
        let mut other_form = None;
        if action.differs_by_form() {
            let form = scope.form.other();
            let context = ReadContext { scope: StepScope { form, ..scope }, ..context };
            other_form = other(previewed(action.preview(&context).await, spec)?, &preview, form);
        }
        let answer = self.answer(&preview, (step, key, needs), condition);
        if let Answer::Will | Answer::CannotKnow { .. } = answer {
            for effect in &preview.effects {
                self.overlay.apply(effect);
            }
        }
        if !matches!(answer, Answer::Wont { .. }) && context.scope.unknown().is_none() {
            self.figures.insert(key.clone(), action.stakes(&context).await);
        }
        self.facts.extend(preview.facts.clone());
        if !step.children.is_empty() {
            preview.outputs = self
                .outputs_of(&step.id)
                .map_err(|why| PlanError::Step { step: step.id.clone(), why })?;
        }
        let recorded = self.record(key, spec, answer, preview, "succeeded");
        Ok(StepPreview { other_form, ..recorded })
    }

    /// Whether what the need stands for is there for a step with these expressions: `None` where it was
    /// left out because the run has the other form, then what it waits for in its turn decides.
    fn blocks(&self, need: &StepKey, (key, texts): (&StepKey, &str)) -> bool {
        match self.answers.get(need) {
            Some(Answer::Wont { because: WontReason::Condition, .. })
                if self.by_form.contains(need)
                    && !texts_depend_on(&self.calls, key, texts, need) =>
            {
                self.needs[need].iter().any(|further| self.blocks(further, (key, texts)))
            }
            Some(Answer::Wont { .. }) => true,
            Some(Answer::Will | Answer::CannotKnow { .. }) | None => false,
        }
    }

    fn answer(
        &self,
        preview: &Preview,
        (step, key, needs): (&Step, &StepKey, &[StepKey]),
        condition: Option<bool>,
    ) -> Answer {
        let (always, texts) = (step.always, expression_texts(step));
        let left_out = |need: &StepKey| {
            let because = match self.answers.get(need) {
                Some(Answer::Wont { because, .. }) => Some(*because),
                Some(Answer::Will | Answer::CannotKnow { .. }) | None => None,
            };
            matches!(because, Some(WontReason::Condition | WontReason::Upstream))
        };
        // A call ends well without the steps that conditions leave out, and those that need them. What
        // fails within it is one of its steps too, and what it waits for is its own need.
        let inner = |need: &StepKey| need.is_within(key.as_str()) && left_out(need);
        let blocked = needs.iter().find(|need| !inner(need) && self.blocks(need, (key, &texts)));
        if let (Some(need), false) = (blocked, always) {
            let why = format!("it needs {need}, which will not succeed");
            return Answer::Wont { why, because: WontReason::Upstream };
        }
        if let Some(why) = &preview.wont {
            let because = if always { WontReason::Condition } else { WontReason::Failure };
            return Answer::Wont { why: why.clone(), because };
        }
        match (&preview.cannot_know, condition) {
            (Some(why), _) => Answer::CannotKnow { why: why.clone() },
            (None, None) => {
                Answer::CannotKnow { why: "its condition depends on what the run finds".to_owned() }
            }
            (None, Some(_)) => Answer::Will,
        }
    }

    fn record(
        &mut self,
        key: &StepKey,
        spec: &ActionSpec,
        answer: Answer,
        preview: Preview,
        status: &str,
    ) -> StepPreview {
        let simulated = self.request.environment.is_simulated();
        let usual = || self.tools.catalogue.get(spec.name)?.cited_duration();
        let cited = preview.cited_duration.or_else(usual);
        let estimate = estimate(self.tools.durations, key, spec, cited, simulated);
        self.answers.insert(key.clone(), answer.clone());
        let outputs: BTreeMap<_, _> =
            preview.outputs.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
        let result = StepResult { status: status.to_owned(), outputs: preview.outputs.clone() };
        self.results.insert(key.clone(), result);
        StepPreview {
            answer,
            summary: if preview.summary.is_empty() {
                spec.summary.to_owned()
            } else {
                preview.summary
            },
            details: preview.details,
            warnings: preview.warnings,
            predictions: preview.predictions,
            outputs,
            estimate,
            other_form: None,
        }
    }
}

/// What an action foresees: that it cannot be read is an end of planning, that it would be refused is not.
fn previewed(
    previewed: Result<Preview, ActionError>,
    spec: &ActionSpec,
) -> Result<Preview, CloudError> {
    match previewed {
        Ok(preview) => Ok(preview),
        Err(ActionError::Cloud(error)) => Err(error),
        Err(error) => Ok(Preview {
            summary: spec.summary.to_owned(),
            wont: Some(error.to_string()),
            outputs: spec.unknown_outputs(&error.to_string()),
            ..Preview::default()
        }),
    }
}

/// What the other form has of its own; `None` where it is the same.
fn other(other: Preview, this: &Preview, form: Form) -> Option<OtherForm> {
    let same = (&other.summary, &other.wont, &other.details, &other.warnings)
        == (&this.summary, &this.wont, &this.details, &this.warnings);
    let Preview { summary, wont, details, warnings, .. } = other;
    (!same).then_some(OtherForm { form, summary, wont, details, warnings })
}
