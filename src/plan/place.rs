//! Where a step acts, and whether it may.
//!
//! **Invariant:** nothing is asked of a region that a step must not act in: it is left at the door.

use super::beside::bad;
use super::build::{PlanError, Planner};
use super::model::StepAccount;
use crate::action::Preview;
use crate::action::spec::{ActionKind, ActionSpec};
use crate::base::ids::{frame_of, frames};
use crate::base::value::{Value, Values};
use crate::cloud::{CloudError, ErrorClass};
use crate::estate::DataRegions;
use crate::runbook::{OnFailure, Step};
use std::collections::BTreeSet;

/// Actions that only remove: what is where it must not be may always go.
const REMOVES: &str = "rds.delete_";

impl Planner<'_> {
    /// The step's own region, else that of the calls that it stands in, else the environment's.
    pub(super) fn region(&mut self, step: &Step) -> Result<String, PlanError> {
        let own = || self.request.environment.region.clone();
        let runbook = self.request.runbook;
        let named = |frame: &&str| runbook.calls.get(*frame).is_some_and(|it| it.region.is_some());
        let (template, scope) = match (&step.region, frames(frame_of(&step.id)).find(named)) {
            (Some(template), _) => (template, self.scope.clone()),
            (None, Some(frame)) => {
                let template = runbook.calls[frame].region.as_ref().expect("just looked");
                (template, self.caller_of(frame).map_err(|why| bad(step, why))?)
            }
            (None, None) => return Ok(own()),
        };
        let bad = |why: String| bad(step, format!("region: {why}"));
        let value = template.evaluate(&scope).map_err(|error| bad(error.to_string()))?;
        match value {
            Value::Null => Ok(own()),
            Value::String(text) => Ok(text),
            other => Err(bad(format!("expected text, found {}", other.type_name()))),
        }
    }

    /// The account of a step; `None` is the environment's own.
    pub(super) fn account(&self, step: &Step) -> Result<Option<StepAccount>, PlanError> {
        let Some(name) = &step.account else { return Ok(None) };
        let environment = self.request.environment;
        match environment.accounts.get(name) {
            Some(found) => {
                Ok(Some(StepAccount { name: name.clone(), account: found.account.clone() }))
            }
            None => {
                let known: Vec<&str> = environment.accounts.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let why = format!(
                    "environment `{}` has no account `{name}`; in `accounts` there is: {known}",
                    environment.name
                );
                Err(PlanError::Step { step: step.id.clone(), why })
            }
        }
    }

    /// Proves every account that a step acts in, before anything is asked there.
    pub(super) async fn prove_accounts(&self) -> Result<(), PlanError> {
        let mut names = BTreeSet::new();
        for step in &self.request.runbook.steps {
            names.extend(self.account(step)?.map(|account| account.name));
        }
        Ok(self.tools.cloud.prove(names.iter().map(String::as_str)).await?)
    }

    /// Why the step must not act in `region` with these inputs.
    pub(super) fn forbidden(
        &self,
        spec: &ActionSpec,
        region: &str,
        inputs: &Values,
    ) -> Option<String> {
        let environment = self.request.environment;
        if !environment.allows_region(region) {
            return Some(format!(
                "`{region}` is not among the allowed regions of environment `{}`",
                environment.name
            ));
        }
        if spec.kind != ActionKind::Mutation || spec.name.starts_with(REMOVES) {
            return None;
        }
        let rules = DataRegions::of(self.request.estate, environment);
        let mut named = inputs.values().flat_map(Value::all_texts);
        named.find_map(|name| rules.refusal(name, region))
    }

    /// What is known of a step whose region says nothing, where that was to be expected: the runbook
    /// assumes the region lost, or goes on without the step. Anywhere else nobody plans blindly.
    pub(super) fn silence(
        &self,
        step: &Step,
        spec: &ActionSpec,
        region: &str,
        error: &CloudError,
    ) -> Option<Preview> {
        if !matches!(error.class, ErrorClass::Temporary | ErrorClass::Unreachable) {
            return None;
        }
        let lost = self.request.runbook.lost_region(&self.request.parameters).ok().flatten();
        let because = if lost.as_deref() == Some(region) {
            "the runbook assumes that region lost"
        } else if step.on_failure == OnFailure::Continue {
            "the run goes on without the step"
        } else {
            return None;
        };
        let why = format!("{region} does not answer, and {because}: {error}");
        let outputs = spec.unknown_outputs(&why);
        Some(Preview { cannot_know: Some(why), outputs, ..Preview::default() })
    }
}
