//! Builds a plan: resolves the runbook, previews each step through the overlay of the steps before it.
//!
//! **Invariant:** only reads; everything that a run needs later is in the plan.

use super::assemble::{assemble, millis};
use super::beside::bad;
use super::call::{PlannedCall, calls};
use super::detection::Detection;
use super::estimate::Durations;
use super::fences;
use super::gate;
use super::model::{Answer, Estimate, Plan, PlannedStep, Retry, RunMode};
use super::nature;
use super::notify::NotifyRecord;
use super::scope::{StepResult, expression_texts, mentioned};
use crate::action::{Catalogue, Figure};
use crate::base::form::Form;
use crate::base::ids::{RunId, StepKey};
use crate::base::value::{Value, Values};
use crate::cloud::{Cloud, CloudError, Effects, Overlay};
use crate::estate::{Environment, Estate, Objectives};
use crate::runbook::{RunFacts, Runbook, Scope, Step, expand};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// What a drill creates may be swept after this long, whatever happened to the drill.
const RESOURCE_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// What to plan.
#[derive(Debug, Clone)]
pub struct PlanRequest<'a> {
    /// The run's id, minted by the caller.
    pub run: RunId,
    /// The runbook.
    pub runbook: &'a Runbook,
    /// The estate.
    pub estate: &'a Estate,
    /// The environment.
    pub environment: &'a Environment,
    /// Parameters, bound and checked.
    pub parameters: Values,
    /// Drill or run.
    pub mode: RunMode,
    /// The form in which it begins.
    pub form: Form,
    /// Objectives: the drill's, else the runbook's, else the estate's.
    pub objectives: Objectives,
    /// When the disaster happened, if it was said.
    pub disaster_at: Option<DateTime<Utc>>,
    /// When somebody declared it, if it was said.
    pub declared_at: Option<DateTime<Utc>>,
    /// Whom it tells how it goes.
    pub notify: Option<NotifyRecord>,
    /// How it was noticed.
    pub detection: Option<Detection>,
    /// Faults that are switched on in the simulator.
    pub faults: Vec<String>,
    /// Who plans.
    pub owner: String,
    /// The present instant.
    pub now: DateTime<Utc>,
}

/// What planning reads with.
#[derive(Debug, Clone, Copy)]
pub struct PlanTools<'a> {
    /// The catalogue.
    pub catalogue: &'a Catalogue,
    /// The guarded cloud; its policy is the dry run's.
    pub cloud: &'a Cloud,
    /// The effects gate of the dry run.
    pub effects: &'a Effects,
    /// Durations of earlier runs, simulated or real like this one.
    pub durations: &'a Durations,
}

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// AWS could not be read.
    #[error("cannot plan: {0}")]
    Cloud(#[from] CloudError),
    /// A value of a step cannot be made.
    #[error("step {step}: {why}")]
    Step {
        /// The step.
        step: String,
        /// Why.
        why: String,
    },
}

/// Facts about a run that expressions may use.
pub fn run_facts(
    run: &RunId,
    (mode, form): (&RunMode, Form),
    disaster_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
) -> RunFacts {
    let name = match mode {
        RunMode::Drill { .. } => "drill",
        RunMode::Run => "run",
    };
    RunFacts {
        id: run.to_string(),
        short_id: run.short().to_owned(),
        mode: name,
        keep: mode.keeps(),
        form,
        disaster_at,
        detected_at: None,
        alarm: None,
        started_at,
        status: None,
        failed_steps: None,
    }
}

/// When what a run creates may be swept.
pub fn expires(created_at: DateTime<Utc>) -> DateTime<Utc> {
    created_at + RESOURCE_LIFETIME
}

/// Makes the plan.
///
/// # Errors
/// AWS could not be read, or a value of a step cannot be made. What would go wrong in the run is no
/// error: it is what the plan says.
pub async fn build(request: PlanRequest<'_>, tools: PlanTools<'_>) -> Result<Plan, PlanError> {
    let facts = run_facts(&request.run, (&request.mode, request.form), request.disaster_at, None);
    let facts = facts.noticed(request.detection.as_ref().map(Detection::told));
    let scope = Scope::of(request.parameters.clone())
        .with_estate(request.estate, request.environment)
        .with_run(&facts);
    let mut planner = Planner {
        request: &request,
        tools,
        base: scope.clone(),
        scope,
        calls: calls(request.runbook),
        bases: BTreeMap::new(),
        results: BTreeMap::new(),
        overlay: Overlay::default(),
        facts: BTreeMap::new(),
        answers: BTreeMap::new(),
        figures: BTreeMap::new(),
        by_form: BTreeSet::new(),
        needs: BTreeMap::new(),
        expansions: BTreeMap::new(),
        steps: Vec::new(),
    };
    planner.prove_accounts().await?;
    for step in &request.runbook.steps {
        planner.plan_step(step).await?;
    }
    let Planner { mut steps, facts, figures, .. } = planner;
    gate::mark_before(&mut steps);
    gate::describe(&mut steps, &figures);
    fences::describe(&mut steps, request.form);
    Ok(assemble(&request, tools, (steps, &figures), facts))
}

pub(super) struct Planner<'a> {
    pub(super) request: &'a PlanRequest<'a>,
    pub(super) tools: PlanTools<'a>,
    /// Parameters, estate, environment and run.
    pub(super) base: Scope,
    /// The same with the steps before the one that is being planned.
    pub(super) scope: Scope,
    pub(super) calls: BTreeMap<String, PlannedCall>,
    /// Parameters, estate, environment and run as the steps of each call know them.
    pub(super) bases: BTreeMap<String, Scope>,
    pub(super) results: BTreeMap<StepKey, StepResult>,
    pub(super) overlay: Overlay,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) answers: BTreeMap<StepKey, Answer>,
    /// What is at stake at each step, as it was read.
    pub(super) figures: BTreeMap<StepKey, Vec<Figure>>,
    /// Steps whose condition depends on the form.
    pub(super) by_form: BTreeSet<StepKey>,
    /// What each step waits for.
    pub(super) needs: BTreeMap<StepKey, Vec<StepKey>>,
    /// Keys of each step id: one, or one an item.
    pub(super) expansions: BTreeMap<String, Vec<StepKey>>,
    pub(super) steps: Vec<PlannedStep>,
}

impl Planner<'_> {
    async fn plan_step(&mut self, step: &Step) -> Result<(), PlanError> {
        let texts = expression_texts(step);
        let mentioned = mentioned(&texts);
        let key = StepKey::new(&step.id);
        let base = self.base_of(key.frame()).map_err(|why| bad(step, why))?;
        self.scope = self.scope_of(&base, &mentioned, &key, None);
        for (key, each) in self.expand(step)? {
            self.expansions.entry(step.id.clone()).or_default().push(key.clone());
            self.scope = self.scope_of(&base, &mentioned, &key, each.clone());
            let planned = self.plan_one(step, key, each).await?;
            self.steps.push(planned);
        }
        Ok(())
    }

    fn expand(&self, step: &Step) -> Result<Vec<(StepKey, Option<Value>)>, PlanError> {
        let items = expand(step, &self.scope)
            .map_err(|error| PlanError::Step { step: step.id.clone(), why: error.to_string() })?;
        Ok(match items {
            None => vec![(StepKey::new(&step.id), None)],
            Some(items) => items
                .into_iter()
                .map(|(key, item)| (StepKey::item(&step.id, &key), Some(item)))
                .collect(),
        })
    }

    async fn plan_one(
        &mut self,
        step: &Step,
        key: StepKey,
        each: Option<Value>,
    ) -> Result<PlannedStep, PlanError> {
        let catalogue = self.tools.catalogue;
        let bad = |why: String| PlanError::Step { step: step.id.clone(), why };
        let spec = catalogue
            .spec(&step.uses)
            .ok_or_else(|| bad(format!("unknown action `{}`", step.uses)))?;
        let region = self.region(step)?;
        let account = self.account(step)?;
        let children = step.children.iter().flat_map(|id| self.keys_of(id, &key)).collect();
        let needs: Vec<StepKey> = step.needs.iter().flat_map(|id| self.keys_of(id, &key)).collect();
        let condition = self.condition(step)?;
        if self.is_by_form(step) {
            self.by_form.insert(key.clone());
        }
        self.needs.insert(key.clone(), needs.clone());
        let preview = self.preview(step, spec, &key, &region, &needs, condition).await?;
        let default_retry = Retry { attempts: 6, backoff_ms: 5_000 };
        let retry = step.retry.as_ref().map_or(default_retry, |retry| Retry {
            attempts: retry.attempts,
            backoff_ms: millis(retry.backoff),
        });
        Ok(PlannedStep {
            title: if step.title.is_empty() { spec.summary.to_owned() } else { step.title.clone() },
            uses: step.uses.clone(),
            with: with_json(step),
            each: each.map(|value| value.to_json()),
            needs,
            children,
            when: step.when.as_ref().map(|when| when.text().to_owned()),
            region,
            account,
            phase: step.phase,
            timeout_ms: millis(step.timeout.unwrap_or(spec.default_timeout)),
            poll_ms: millis(spec.poll_every),
            retry,
            on_failure: step.on_failure,
            always: step.always,
            idempotent: step.idempotent,
            irreversible: step.irreversible,
            check: nature::changes_nothing(spec),
            trace: nature::trace(spec),
            gate: gate::kind(spec),
            undo: nature::undo(spec),
            calls: spec.calls.iter().map(|call| (*call).to_owned()).collect(),
            role: spec.role,
            // Known when every step is planned.
            before: Vec::new(),
            attests: fixed_text(step, "attests").is_some() && gate::kind(spec).is_some(),
            by_form: self.is_by_form(step),
            undo_takes: nature::undo(spec).map(|undo| undo_takes(catalogue, &undo)),
            key,
            preview,
        })
    }

    /// The keys that `needs: [id]` means for the step `key`: the same item of a step that is expanded
    /// alike, else all of them.
    fn keys_of(&self, id: &str, key: &StepKey) -> Vec<StepKey> {
        let all = self.expansions.get(id).cloned().unwrap_or_default();
        let suffix = key.as_str().strip_prefix(key.id()).unwrap_or_default();
        let same = StepKey::new(&format!("{id}{suffix}"));
        if !suffix.is_empty() && all.contains(&same) { vec![same] } else { all }
    }
}

/// The text of an input, unless it is an expression or no text.
fn fixed_text(step: &Step, input: &str) -> Option<String> {
    step.with.get(input)?.to_json().as_str().map(str::to_owned)
}

/// How long an undo takes: that of earlier runs is not kept, what AWS or its users state is.
fn undo_takes(catalogue: &Catalogue, undo: &str) -> Estimate {
    match catalogue.get(undo).and_then(|action| action.cited_duration()) {
        Some((low, high, source)) => Estimate::Cited {
            low_ms: millis(low),
            high_ms: millis(high),
            source: source.to_owned(),
        },
        None => Estimate::Unknown { why: "no cited range".to_owned() },
    }
}

fn with_json(step: &Step) -> serde_json::Value {
    step.with.iter().map(|(name, template)| (name.clone(), template.to_json())).collect()
}
