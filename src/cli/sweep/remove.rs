//! Removes what was judged removable, one thing at a time.
//!
//! **Invariant:** right before each deletion the resource is read and judged anew, and the deletion has
//! a permit of its own; nothing is kept here, so that a sweep that was killed is simply run again.

use super::find::patiently;
use super::judge::{Grounds, Judgement, Kind, Resource, judge};
use crate::action::{
    Action, ActionError, Catalogue, Memory, Observation, ReadContext, StepScope, WriteContext,
};
use crate::base::clock::{Clock, between};
use crate::base::duration::human;
use crate::base::form::Form;
use crate::base::value::{Value, Values};
use crate::cloud::tags::Marks;
use crate::cloud::{CloudError, Effects, ErrorClass, EstateView, Writer};
use crate::estate::{Environment, Estate};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// What a sweep may ask of AWS beside reads. `rds:ModifyDBInstance` is not in it: what somebody protects
/// from deletion, also at the last instant, stays.
pub(super) const DECLARED: [&str; 2] = ["rds:DeleteDBInstance", "rds:DeleteDBSnapshot"];

/// Least time between two deletions.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// How often one deletion is asked for that AWS refuses for the moment.
const TRIES: u32 = 10;

/// What a sweep works with.
#[derive(Clone, Copy)]
pub(super) struct Sweeper<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) view: &'a EstateView,
    pub(super) writer: &'a Writer,
    pub(super) effects: &'a Effects,
    pub(super) clock: &'a Clock,
    pub(super) estate: &'a Estate,
    pub(super) environment: &'a Environment,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Removal {
    /// It was removed, and is not there any more.
    Removed(Duration),
    /// Somebody else had removed it.
    Vanished,
    /// It changed meanwhile so that it stays.
    Stays(String),
    /// It could not be removed.
    Left(String),
    /// Our own guard or a permit refused.
    Refused(String),
    /// Credentials ended, or nobody answers.
    CutOff(String),
}

/// The action that removes things of a kind, and its input.
fn verb(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Instance => ("rds.delete_instance", "instance"),
        Kind::Snapshot => ("rds.delete_snapshot", "snapshot"),
    }
}

impl Sweeper<'_> {
    /// Removes `resource`, which `marks` say is a drill's, and waits until it is gone.
    pub(super) async fn remove(
        &self,
        resource: &Resource,
        marks: &Marks,
        grounds: &Grounds,
    ) -> Removal {
        let (name, input) = verb(resource.kind);
        let action = self.catalogue.get(name).expect("the catalogue deletes what it creates");
        let inputs = Values::from([(input.to_owned(), Value::text(&resource.id))]);
        let memory = Memory::default();
        let deadline = action.spec().default_timeout;
        let mut progress = Progress::begun(self.clock.now());
        loop {
            let now = self.clock.now();
            let scope = self.scope(resource, marks, &inputs, now);
            let (view, effects) = (self.view, self.effects);
            let read = ReadContext { scope, view, effects, memory: &memory };
            let grounds = Grounds { now, ..grounds.clone() };
            let ended = self.turn(&**action, read, resource, &grounds, &mut progress).await;
            if let Some(end) = ended {
                return end;
            }
            if between(progress.began, self.clock.now()) >= deadline {
                let last = progress.last.as_deref().unwrap_or("it is still there");
                return Removal::Left(format!("not gone after {}: {last}", human(deadline)));
            }
            self.clock.sleep(action.spec().poll_every).await;
        }
    }

    fn scope<'a>(
        &'a self,
        resource: &'a Resource,
        marks: &'a Marks,
        inputs: &'a Values,
        now: DateTime<Utc>,
    ) -> StepScope<'a> {
        StepScope {
            run: &marks.run,
            step: &marks.step,
            region: &resource.region,
            estate: self.estate,
            environment: self.environment,
            inputs,
            now,
            began: None,
            asked: true,
            intent: None,
            progress: None,
            disaster_at: None,
            owner: &marks.owner,
            expires: marks.expires,
            hands_over: false,
            agreed: false,
            planned: None,
            standing: None,
            form: Form::default(),
        }
    }

    /// Looks once and acts where there is something to do; `None` means: look again later.
    async fn turn(
        &self,
        action: &dyn Action,
        read: ReadContext<'_>,
        resource: &Resource,
        grounds: &Grounds,
        progress: &mut Progress,
    ) -> Option<Removal> {
        match action.observe(&read).await {
            Ok(Observation::Done(_)) if progress.seen_going => {
                Some(Removal::Removed(between(progress.began, grounds.now)))
            }
            Ok(Observation::Done(_)) => Some(Removal::Vanished),
            Ok(Observation::InProgress { state, .. }) => {
                progress.seen_going = true;
                progress.last = Some(format!("it is `{state}`"));
                None
            }
            Ok(Observation::Absent | Observation::Partly { .. }) => {
                self.act(action, read, resource, grounds, progress).await
            }
            Ok(Observation::Broken { why, .. }) => Some(Removal::Left(why)),
            Ok(Observation::Gate { .. } | Observation::Waiting { .. }) => {
                Some(Removal::Left("a deletion waits for nobody: a bug in drctl".to_owned()))
            }
            Err(error) => progress.failed(&error),
        }
    }

    async fn act(
        &self,
        action: &dyn Action,
        read: ReadContext<'_>,
        resource: &Resource,
        grounds: &Grounds,
        progress: &mut Progress,
    ) -> Option<Removal> {
        match self.fresh(resource).await {
            Ok(None) => return None,
            Ok(Some(fresh)) => match judge(&fresh, grounds) {
                Judgement::Remove(_) => {}
                Judgement::UnderWay(_) => {
                    progress.seen_going = true;
                    return None;
                }
                Judgement::Stay(reason) => return Some(Removal::Stays(reason.text)),
            },
            Err(error) => return progress.failed(&error.into()),
        }
        if progress.tries == TRIES {
            let last = progress.last.clone().unwrap_or_default();
            return Some(Removal::Left(format!("asked {TRIES} times: {last}")));
        }
        progress.tries += 1;
        match action.act(&WriteContext { read, writer: self.writer }).await {
            Ok(_) => {
                progress.seen_going = true;
                None
            }
            Err(error) => {
                // Its answer may be lost and the deletion under way: looking tells.
                progress.seen_going |= error.class() == ErrorClass::InDoubt;
                progress.failed(&error)
            }
        }
    }

    /// The resource as AWS answers now.
    async fn fresh(&self, resource: &Resource) -> Result<Option<Resource>, CloudError> {
        let (view, region, id) = (self.view, &resource.region, &resource.id);
        Ok(match resource.kind {
            Kind::Instance => patiently(self.clock, || view.db_instance(region, id))
                .await?
                .and_then(|found| Resource::of_instance(region, found)),
            Kind::Snapshot => patiently(self.clock, || view.db_snapshot(region, id))
                .await?
                .and_then(|found| Resource::of_snapshot(region, found)),
        })
    }
}

/// How far one removal is.
#[derive(Debug)]
struct Progress {
    /// When it began.
    began: DateTime<Utc>,
    /// Whether the deletion was accepted, or was seen under way.
    seen_going: bool,
    /// How often it was asked for.
    tries: u32,
    /// What stood in the way last.
    last: Option<String>,
}

impl Progress {
    fn begun(began: DateTime<Utc>) -> Self {
        Self { began, seen_going: false, tries: 0, last: None }
    }

    /// What an error means: an end, or `None` to look again.
    fn failed(&mut self, error: &ActionError) -> Option<Removal> {
        let text = error.to_string();
        match error.class() {
            ErrorClass::Temporary | ErrorClass::InDoubt => {
                self.last = Some(text);
                None
            }
            ErrorClass::Credentials | ErrorClass::Unreachable => Some(Removal::CutOff(text)),
            ErrorClass::Refused => Some(Removal::Refused(text)),
            ErrorClass::Permanent => Some(Removal::Left(text)),
        }
    }
}
