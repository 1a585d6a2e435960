//! Performs one effect: a look or an act.
//!
//! **Invariant:** whatever an action does here ends as one input of the machine.

use super::prepare::{Past, Prepared};
use super::running::Running;
use super::translate::{act_failure, look_error, seen, seen_done};
use crate::action::{ReadContext, StepScope, WriteContext};
use crate::cloud::Overlay;
use crate::engine::Input;
use crate::plan::model::Plan;
use std::sync::Arc;
use std::time::Duration;

/// Waits, then looks.
pub(super) async fn observe(
    running: &Running<'_>,
    plan: &Plan,
    prepared: Arc<Prepared>,
    past: Past,
    delay: Duration,
) -> Input {
    let late = running.late.filter(|(step, _)| *step == prepared.step.id());
    let delay = delay + late.map_or(Duration::ZERO, |(_, by)| by);
    if !delay.is_zero() {
        running.clock.sleep(delay).await;
    }
    let cloud = match running.cloud.in_account(prepared.account.as_deref()) {
        Ok(cloud) => cloud,
        Err(error) => {
            let seen = Err(look_error(&error.into()));
            return Input::Observed { step: prepared.step.clone(), seen };
        }
    };
    let view = cloud.view(Overlay::default());
    let scope = prepared.scope(running, plan, running.clock.now(), past);
    let scope = StepScope { environment: cloud.environment(), ..scope };
    let (effects, memory) = (&cloud.effects_here(running.effects), &prepared.memory);
    let context = ReadContext { scope, view: &view, effects, memory };
    let seen = match prepared.action.observe(&context).await {
        Ok(observation) => Ok(seen(observation)),
        Err(error) => Err(look_error(&error)),
    };
    Input::Observed { step: prepared.step.clone(), seen }
}

/// Acts.
pub(super) async fn act(
    running: &Running<'_>,
    plan: &Plan,
    prepared: Arc<Prepared>,
    past: Past,
) -> Input {
    let cloud = match running.cloud.in_account(prepared.account.as_deref()) {
        Ok(cloud) => cloud,
        Err(error) => {
            let result = Err(act_failure(&error.into()));
            return Input::Acted { step: prepared.step.clone(), result, done: None };
        }
    };
    let view = cloud.view(Overlay::default());
    let scope = prepared.scope(running, plan, running.clock.now(), past);
    let scope = StepScope { environment: cloud.environment(), ..scope };
    let (effects, memory) = (&cloud.effects_here(running.effects), &prepared.memory);
    let read = ReadContext { scope, view: &view, effects, memory };
    let other = prepared.account.as_ref().and_then(|_| cloud.writer());
    let context = WriteContext { read, writer: other.as_ref().unwrap_or(running.writer) };
    let mut done = None;
    let result = match prepared.action.act(&context).await {
        Ok(acted) => {
            done = acted.done.map(|done| Box::new(seen_done(done)));
            Ok(acted.request_id)
        }
        Err(error) => Err(act_failure(&error)),
    };
    Input::Acted { step: prepared.step.clone(), result, done }
}
