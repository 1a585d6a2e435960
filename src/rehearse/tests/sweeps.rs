//! Sweeps: every step of every shipped drill fails, times out, has to be repeated, and is left in doubt.
//!
//! **Invariant:** steps are enumerated from the plan. The step that fails is the one that was made to, and
//! whatever happens to a step that does not clean up, the world is clean.

use super::shipped;
use crate::action::spec::ActionSpec;
use crate::action::{
    Acted, Action, ActionError, Catalogue, Observation, Preview, ReadContext, StepScope,
    WriteContext,
};
use crate::base::ids::StepKey;
use crate::cloud::{CloudError, ErrorClass};
use crate::journal::event::{ErrorKind, RunOutcome};
use crate::journal::fold::StepStatus;
use crate::plan::model::PlannedStep;
use crate::rehearse::{Keep, Mode, Played, Scenario, Stage, left_behind, play};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const DRILLS: [&str; 3] = ["restore-db", "verify-snapshot", "backup-before-change"];

/// What is done to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// It never will be done.
    Fails,
    /// It goes on for ever.
    Hangs,
    /// The first look fails for a moment.
    Stumbles,
    /// Its mutation takes effect, and nobody hears of it.
    Unheard,
}

/// An action that is harmed when one step uses it.
struct Harmed {
    inner: Arc<dyn Action>,
    step: StepKey,
    harm: Harm,
    times: AtomicU32,
}

impl Harmed {
    fn hits(&self, scope: &StepScope<'_>) -> bool {
        *scope.step == self.step
    }
}

fn error(class: ErrorClass, message: &str) -> ActionError {
    CloudError {
        class,
        operation: "rds:Harmed".to_owned(),
        region: "us-east-1".to_owned(),
        code: None,
        message: message.to_owned(),
        request_id: None,
    }
    .into()
}

#[async_trait]
impl Action for Harmed {
    fn spec(&self) -> &ActionSpec {
        self.inner.spec()
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        self.inner.preview(context).await
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        if !self.hits(&context.scope) {
            return self.inner.observe(context).await;
        }
        match self.harm {
            Harm::Fails => {
                let (why, help) = ("harmed".to_owned(), "do not".to_owned());
                Ok(Observation::Broken { why, help })
            }
            Harm::Hangs => {
                Ok(Observation::InProgress { state: "hanging".to_owned(), milestone: None })
            }
            Harm::Stumbles if self.times.fetch_add(1, Ordering::Relaxed) == 0 => {
                Err(error(ErrorClass::Temporary, "stumbled"))
            }
            Harm::Stumbles | Harm::Unheard => self.inner.observe(context).await,
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let acted = self.inner.act(context).await?;
        if self.hits(&context.read.scope) && self.harm == Harm::Unheard {
            return Err(error(ErrorClass::InDoubt, "no answer"));
        }
        Ok(acted)
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        self.inner.intent(scope)
    }
}

/// The drill with one step harmed: how it went.
fn harmed(stage: &mut Stage, step: &PlannedStep, harm: Harm) -> Played {
    let (step, uses) = (step.key.clone(), step.uses.clone());
    let standard = crate::action::standard();
    let actions = standard.names().filter_map(|name| standard.get(name)).cloned();
    let actions = actions.map(|action| {
        if action.spec().name != uses {
            return action;
        }
        let (step, times) = (step.clone(), AtomicU32::new(0));
        Arc::new(Harmed { inner: action, step, harm, times }) as Arc<dyn Action>
    });
    stage.catalogue = Catalogue::of(actions.collect::<Vec<_>>());
    play(stage, &Scenario::clean(Mode::Drill), Keep::Nothing)
}

/// Does `harm` to each step of each shipped drill for which `fit` says so, and has the end judged.
fn sweep(
    harm: Harm,
    fit: fn(&PlannedStep) -> bool,
    judge: fn(&Stage, &PlannedStep, &Played, &str),
) {
    let mut swept = 0;
    for drill in DRILLS {
        let mut stage = shipped(drill, Mode::Drill);
        let steps: Vec<PlannedStep> =
            stage.plan.steps.iter().filter(|step| fit(step)).cloned().collect();
        for step in steps {
            let played = harmed(&mut stage, &step, harm);
            judge(&stage, &step, &played, &format!("{drill}, {}: {harm:?}", step.key));
            swept += 1;
        }
    }
    println!("sweep {harm:?}: {swept} steps");
    assert!(swept >= 6, "only {swept} steps");
}

/// The first step that failed, in the plan's order of time.
fn first_failed(played: &Played) -> Option<StepKey> {
    let failed = played.state.steps.iter().filter(|(_, step)| step.error.is_some());
    failed.min_by_key(|(_, step)| step.finished_at).map(|(key, _)| key.clone())
}

fn failed_there(stage: &Stage, step: &PlannedStep, played: &Played, kind: ErrorKind, place: &str) {
    assert_eq!(played.state.finished, Some(RunOutcome::Failed), "{place}");
    assert_eq!(first_failed(played).as_ref(), Some(&step.key), "{place}");
    let error = played.state.steps[&step.key].error.as_ref().expect("it failed");
    assert_eq!(error.kind, kind, "{place}: {}", error.message);
    // What cannot be cleaned up is left, and the failed step says so.
    let cleans_up = step.always;
    assert!(cleans_up || left_behind(stage, played).is_empty(), "{place}");
}

#[test]
fn each_step_fails_and_is_the_one_that_failed() {
    sweep(
        Harm::Fails,
        |_| true,
        |stage, step, played, place| {
            failed_there(stage, step, played, ErrorKind::Broken, place);
        },
    );
}

#[test]
fn each_step_times_out_and_is_the_one_that_timed_out() {
    sweep(
        Harm::Hangs,
        |_| true,
        |stage, step, played, place| {
            failed_there(stage, step, played, ErrorKind::TimedOut, place);
        },
    );
}

#[test]
fn each_step_stumbles_and_is_looked_at_again() {
    sweep(
        Harm::Stumbles,
        |step| !step.check || step.retry.attempts > 1,
        |stage, step, played, place| {
            assert_eq!(played.state.finished, Some(RunOutcome::Succeeded), "{place}");
            assert_eq!(played.state.steps[&step.key].retries, 1, "{place}");
            assert!(left_behind(stage, played).is_empty(), "{place}");
        },
    );
}

#[test]
fn each_mutation_is_left_in_doubt_and_made_once() {
    sweep(
        Harm::Unheard,
        |step| !step.check,
        |stage, step, played, place| {
            assert_eq!(played.state.finished, Some(RunOutcome::Succeeded), "{place}");
            let found = &played.state.steps[&step.key];
            assert_eq!((found.status, found.doubts), (StepStatus::Succeeded, 1), "{place}");
            assert_eq!(found.last_try(), 1, "{place}");
            let log = played.world.mutations();
            assert_eq!(log.len(), 2, "{place}: {log:?}");
            assert!(left_behind(stage, played).is_empty(), "{place}");
        },
    );
}
