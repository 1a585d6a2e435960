//! Evaluates a step's condition and inputs from what the journal knows.
//!
//! **Invariant:** a pure function of plan and run state, so that a resumed process prepares the same step
//! in the same way.

use super::known::Known;
use super::running::Running;
use super::standing::standing;
use super::translate::inputs_json;
use crate::action::spec::Reversibility;
use crate::action::{Action, Memory, PastIntent, Standing, StepScope};
use crate::base::form::Form;
use crate::base::ids::StepKey;
use crate::base::value::Values;
use crate::engine::{Begun, Part};
use crate::journal::event::{ErrorKind, ErrorRecord};
use crate::journal::fold::{AnswerWay, IntentStatus, RETRY, RunState, StepState, StepStatus};
use crate::plan::model::{Plan, PlannedStep, Trace};
use crate::plan::{coerce_inputs, expires, typed_outputs};
use crate::runbook::{Scope, Template, evaluate_inputs};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Places of a plan's steps by id: one, or one an item.
pub(super) type StepsById = BTreeMap<String, Vec<usize>>;

/// The places of the steps of `plan`.
pub(super) fn by_id(plan: &Plan) -> StepsById {
    let mut places = StepsById::new();
    for (place, step) in plan.steps.iter().enumerate() {
        places.entry(step.key.id().to_owned()).or_default().push(place);
    }
    places
}

/// A step that is ready to be observed and acted on.
pub(super) struct Prepared {
    pub(super) action: Arc<dyn Action>,
    pub(super) inputs: Values,
    pub(super) planned: Values,
    pub(super) step: StepKey,
    pub(super) region: String,
    /// Name of the account that it acts in.
    pub(super) account: Option<String>,
    pub(super) memory: Memory,
    /// How far it had come when it was prepared, when it is done in parts.
    pub(super) progress: Option<Json>,
    /// How the run stands, for actions that tell somebody.
    pub(super) standing: Option<Standing>,
}

/// What the journal says of the step when it is called.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Past {
    began: Option<DateTime<Utc>>,
    asked: bool,
    intent: Option<PastIntent>,
    agreed: bool,
    form: Form,
}

impl Past {
    /// Of the step `key` so far.
    pub(super) fn of(plan: &Plan, state: &RunState, key: &StepKey) -> Self {
        let (step, form) = (&state.steps[key], state.form);
        let retried = step.answered_at.filter(|_| step.answer.as_deref() == Some(RETRY));
        let past = |at: DateTime<Utc>, accepted: bool| {
            Some(PastIntent { at, accepted, retried: retried.filter(|retried| *retried >= at) })
        };
        let intent = step.intent.as_ref().and_then(|intent| match intent.status {
            IntentStatus::Accepted => past(intent.at, true),
            IntentStatus::Open | IntentStatus::InDoubt => past(intent.at, false),
            // The refusal says nothing of an earlier one that was in doubt.
            IntentStatus::Refused if intent.made_before => {
                past(step.started_at.unwrap_or(intent.at), false)
            }
            IntentStatus::Refused => None,
        });
        let agreed = agreed(plan, state, key);
        Self { began: step.started_at, asked: step.may_have_made, intent, agreed, form }
    }
}

/// Whether a person approved a gate before `step`; `--yes` is nobody.
fn agreed(plan: &Plan, state: &RunState, step: &StepKey) -> bool {
    let gates = plan.steps.iter().filter(|gate| gate.before.contains(step));
    let mut gates = gates.map(|gate| &state.steps[&gate.key]);
    gates.any(|gate| {
        let by_person = gate.answer_way.is_none_or(|way| way != AnswerWay::Yes);
        gate.status.is_success() && gate.answered_by.is_some() && by_person
    })
}

impl Prepared {
    /// The scope of one call at `now`.
    pub(super) fn scope<'a>(
        &'a self,
        running: &'a Running<'a>,
        plan: &'a Plan,
        now: DateTime<Utc>,
        past: Past,
    ) -> StepScope<'a> {
        StepScope {
            run: &plan.run,
            step: &self.step,
            region: &self.region,
            estate: running.estate,
            environment: running.environment,
            inputs: &self.inputs,
            now,
            began: past.began,
            asked: past.asked,
            intent: past.intent,
            progress: self.progress.as_ref(),
            disaster_at: plan.disaster_at,
            owner: &running.operator.operator,
            expires: expires(plan.created_at),
            hands_over: plan.mode.hands_over(),
            agreed: past.agreed,
            planned: Some(&self.planned),
            standing: self.standing.as_ref(),
            form: past.form,
        }
    }
}

/// Prepares a step or its undo.
pub(super) fn prepare(
    running: &Running<'_>,
    (plan, by_id): (&Plan, &StepsById),
    state: &RunState,
    step: &PlannedStep,
    part: Part,
) -> (Begun, Option<Prepared>) {
    let known = Known { running, plan, by_id, state };
    let prepared = match part {
        Part::Forward => forward(&known, step),
        Part::Undo => known
            .scope(step)
            .and_then(|scope| inputs(running, step, &scope))
            .map(|inputs| undo(&known, step, &inputs)),
    };
    prepared.unwrap_or_else(|why| (Begun::Failed(input_error(step, &why)), None))
}

fn forward(known: &Known<'_>, step: &PlannedStep) -> Result<(Begun, Option<Prepared>), String> {
    let Known { running, plan, state, .. } = *known;
    if let Some(when) = known.left_out(step)? {
        return Ok((Begun::Skip { when }, None));
    }
    let cleans_up = step.always && !step.check && step.trace == Trace::Seen;
    if cleans_up && let Some(because) = nothing_is_there(plan, state, step) {
        return Ok((Begun::Nothing { because: because.to_owned() }, None));
    }
    let inputs = inputs(running, step, &known.scope(step)?)?;
    Ok(ready(known, step, &step.uses, inputs))
}

fn undo(known: &Known<'_>, step: &PlannedStep, inputs: &Values) -> (Begun, Option<Prepared>) {
    let running = known.running;
    let spec = running.catalogue.spec(&step.uses).expect("a planned action exists");
    let Reversibility::UndoneBy { action, inputs: undo_inputs } = spec.reversibility else {
        return (Begun::Nothing { because: "it has no undo".to_owned() }, None);
    };
    let outputs = known.outputs(step);
    let undo_spec =
        running.catalogue.spec(action).expect("an undo names an action of the catalogue");
    match coerce_inputs(undo_spec, undo_inputs(inputs, &outputs)) {
        Ok(inputs) => ready(known, step, action, inputs),
        Err(why) => (Begun::Failed(input_error(step, &why)), None),
    }
}

fn ready(
    known: &Known<'_>,
    step: &PlannedStep,
    action: &str,
    inputs: Values,
) -> (Begun, Option<Prepared>) {
    let Known { running, plan, state, .. } = *known;
    let action = Arc::clone(running.catalogue.get(action).expect("a planned action exists"));
    // A call gives what the steps of the called runbook gave; all of them have ended.
    let planned = match step.children.is_empty() {
        true => typed_outputs(action.spec(), &planned_json(step)),
        false => known.outputs_of_call(step),
    };
    // Looks at every step of the plan: only for those who tell it.
    let tells = step.trace == Trace::BestEffort;
    let standing = tells.then(|| standing(plan, state, step));
    let account = step.account.as_ref().map(|account| account.name.clone());
    let (step, region, memory) = (step.key.clone(), step.region.clone(), Memory::default());
    let progress = state.steps[&step].progress.clone();
    let prepared =
        Prepared { action, inputs, planned, step, region, account, memory, progress, standing };
    let intent =
        prepared.action.intent(&prepared.scope(running, plan, plan.created_at, Past::default()));
    (Begun::Run { inputs: inputs_json(&prepared.inputs), intent }, Some(prepared))
}

/// Why none of the mutations that this step needs has left anything to clean up.
fn nothing_is_there(plan: &Plan, state: &RunState, step: &PlannedStep) -> Option<&'static str> {
    let makes = |found: &PlannedStep| !found.check && found.trace != Trace::BestEffort;
    let mutation = |key: &StepKey| plan.steps.iter().any(|it| it.key == *key && makes(it));
    let makers = step.needs.iter().filter(|key| mutation(key));
    let makers: Vec<&StepState> = makers.map(|key| &state.steps[key]).collect();
    if makers.is_empty() || makers.iter().any(|found| found.may_have_made) {
        return None;
    }
    let undone = makers.iter().any(|found| found.status == StepStatus::Undone);
    Some(if undone {
        "what the steps before it made was taken back"
    } else {
        "no step before it asked for anything to be made"
    })
}

fn inputs(running: &Running<'_>, step: &PlannedStep, scope: &Scope) -> Result<Values, String> {
    let spec = running
        .catalogue
        .spec(&step.uses)
        .ok_or_else(|| format!("unknown action `{}`", step.uses))?;
    let mut with = BTreeMap::new();
    for (name, json) in step.with.as_object().into_iter().flatten() {
        let template =
            Template::parse_json(json).map_err(|error| format!("{name}: {}", error.message))?;
        with.insert(name.clone(), template);
    }
    let inputs = evaluate_inputs(&with, spec, scope).map_err(|error| error.to_string())?;
    match inputs.iter().find_map(|(name, value)| Some((name, value.unknown_reason()?))) {
        Some((name, why)) => Err(format!("input `{name}` is not known: {why}")),
        None => Ok(inputs),
    }
}

pub(super) fn planned_json(step: &PlannedStep) -> Json {
    step.preview.outputs.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn input_error(step: &PlannedStep, why: &str) -> ErrorRecord {
    ErrorRecord {
        kind: ErrorKind::Input,
        message: format!("step {}: {why}", step.key),
        code: None,
        help: Some(
            "a value that the step needs is not there: look at the steps before it".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;
