//! What an action may use while it works on one step.
//!
//! **Invariant:** a read context gives no access to anything that writes.

use crate::action::cloudwatch::Looks;
use crate::action::outcome::ActionError;
use crate::action::s3::{Bulk, Watch};
use crate::action::standing::Standing;
use crate::base::form::Form;
use crate::base::ids::{RunId, StepKey};
use crate::base::value::{Value, Values};
use crate::cloud::tags::Marks;
use crate::cloud::{Effects, EstateView, Writer};
use crate::estate::{Environment, Estate};
use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A mutation that a step asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastIntent {
    /// When that was recorded, before it left.
    pub at: DateTime<Utc>,
    /// Whether AWS accepted it; else nobody knows whether it took effect.
    pub accepted: bool,
    /// When a person told the step to try again after it, if one did.
    pub retried: Option<DateTime<Utc>>,
}

/// The step that an action works on.
#[derive(Debug, Clone, Copy)]
pub struct StepScope<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The step.
    pub step: &'a StepKey,
    /// Region it acts in.
    pub region: &'a str,
    /// The estate.
    pub estate: &'a Estate,
    /// The environment.
    pub environment: &'a Environment,
    /// Inputs, coerced to the declared types; optional ones that are absent are `Null`.
    pub inputs: &'a Values,
    /// The present instant.
    pub now: DateTime<Utc>,
    /// When the step began, as its journal says; `None` while planning.
    pub began: Option<DateTime<Utc>>,
    /// Whether the journal says that this step asked for its mutation, and was not refused; `false` while
    /// planning.
    pub asked: bool,
    /// The last mutation that the step asked for and that may have had its effect; `None` while planning.
    pub intent: Option<PastIntent>,
    /// How far the step had come when this process took it up, when it is done in parts.
    pub progress: Option<&'a Json>,
    /// The instant that data loss is counted from, when it was said (`--disaster-at`).
    pub disaster_at: Option<DateTime<Utc>>,
    /// Who runs this: the tag `drctl:owner`.
    pub owner: &'a str,
    /// When what is created may be swept: the tag `drctl:expires`.
    pub expires: DateTime<Utc>,
    /// Whether what is created is made to be used (`drctl run`), so that no sweep removes it: the tag
    /// `drctl:keep`.
    pub hands_over: bool,
    /// Outputs that the plan predicted for this step: what was fixed at planning, such as the
    /// instant that `latest` meant, stays fixed. `None` while planning.
    pub planned: Option<&'a Values>,
    /// How the run stands; `None` while planning.
    pub standing: Option<&'a Standing>,
    /// Whether a person has approved a gate before this step, with what is at stake in sight; while
    /// planning, whether one will be asked to.
    pub agreed: bool,
    /// The form of the run now: a person may have switched it while the step waited.
    pub form: Form,
}

impl StepScope<'_> {
    /// The four tags that everything created carries, and `drctl:keep` where a run hands it over.
    pub fn tags(&self) -> BTreeMap<String, String> {
        if self.hands_over { self.marks().kept() } else { self.marks().tags() }
    }

    /// The tags of what is made to be used in any case, a drill's too.
    pub fn kept_tags(&self) -> BTreeMap<String, String> {
        self.marks().kept()
    }

    fn marks(&self) -> Marks {
        let (run, step) = (self.run.clone(), self.step.clone());
        Marks { run, step, owner: self.owner.to_owned(), expires: self.expires }
    }

    /// The input called `name`; absent reads as null.
    pub fn input(&self, name: &str) -> &Value {
        self.inputs.get(name).unwrap_or(&Value::Null)
    }

    /// A text input.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.input(name).as_str()
    }

    /// A list-of-text input; absent reads as `None`.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        let Value::List(items) = self.input(name) else { return None };
        Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
    }

    /// Why an input is not known yet, while planning.
    pub fn unknown(&self) -> Option<&str> {
        self.inputs.values().find_map(Value::unknown_reason)
    }

    /// A whole-number input within `range`, or `default` when it is absent.
    ///
    /// # Errors
    /// It is out of range.
    pub fn int_within(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
        default: u32,
    ) -> Result<u32, ActionError> {
        let Some(given) = self.int(name) else { return Ok(default) };
        let found = u32::try_from(given).ok().filter(|number| range.contains(number));
        found.ok_or_else(|| {
            let why = format!("it must be {} to {}, found {given}", range.start(), range.end());
            ActionError::Input { name: name.to_owned(), why }
        })
    }

    /// A boolean input.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        if let Value::Bool(value) = self.input(name) { Some(*value) } else { None }
    }

    /// A whole-number input.
    pub fn int(&self, name: &str) -> Option<i64> {
        if let Value::Int(value) = self.input(name) { Some(*value) } else { None }
    }

    /// A number input.
    pub fn float(&self, name: &str) -> Option<f64> {
        if let Value::Float(value) = self.input(name) { Some(*value) } else { None }
    }

    /// An instant input.
    pub fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        if let Value::Time(value) = self.input(name) { Some(*value) } else { None }
    }

    /// An instant among the outputs that the plan predicted.
    pub fn planned_time(&self, name: &str) -> Option<DateTime<Utc>> {
        match self.planned?.get(name)? {
            Value::Time(value) => Some(*value),
            Value::String(text) => crate::base::clock::parse_instant(text),
            _ => None,
        }
    }

    /// A duration input.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        if let Value::Duration(value) = self.input(name) { Some(*value) } else { None }
    }
}

/// For `preview` and `observe`.
#[derive(Debug, Clone, Copy)]
pub struct ReadContext<'a> {
    /// The step.
    pub scope: StepScope<'a>,
    /// Typed reads of AWS, through the overlay of predicted effects.
    pub view: &'a EstateView,
    /// The gate for everything that is not AWS, and for reading secrets.
    pub effects: &'a Effects,
    /// What earlier looks of this step left.
    pub memory: &'a Memory,
}

/// What the looks of one step tell each other within one process. A process that takes a run up begins
/// anew: it has seen nothing yet.
#[derive(Debug, Default)]
pub struct Memory {
    streak: AtomicU32,
    looks: Mutex<Looks>,
    bulk: Mutex<Bulk>,
    canary: Mutex<Watch>,
    /// Since when looks have gone well, milliseconds since 1970; 0 while they do not.
    since: AtomicI64,
    /// What [`Self::note`] kept, and one more; 0 for nothing.
    noted: AtomicI64,
}

impl Memory {
    /// One more look that went well; returns how many did so in a row.
    pub fn went_well(&self) -> u32 {
        self.streak.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// What the looks of a watch window left.
    pub(super) fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the looks and acts of a roll-back left.
    pub(super) fn bulk(&self) -> MutexGuard<'_, Bulk> {
        self.bulk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the looks and acts of a canary left.
    pub(super) fn canary(&self) -> MutexGuard<'_, Watch> {
        self.canary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A look that did not go well: the row begins anew.
    pub fn broke(&self) {
        self.streak.store(0, Ordering::Relaxed);
        self.since.store(0, Ordering::Relaxed);
    }

    /// A look at `now` that went well: for how long they have done so without a break.
    pub fn well_for(&self, now: DateTime<Utc>) -> Duration {
        let now = now.timestamp_millis();
        let first = self.since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let since = first.map_or_else(|since| since, |_| now);
        Duration::from_millis(now.saturating_sub(since).max(0).unsigned_abs())
    }

    /// Keeps a number that the step found before it changed anything.
    pub fn note(&self, number: u32) {
        self.noted.store(i64::from(number) + 1, Ordering::Relaxed);
    }

    /// What was kept; `None` in a process that has not seen it.
    pub fn noted(&self) -> Option<u32> {
        u32::try_from(self.noted.load(Ordering::Relaxed) - 1).ok()
    }
}

/// For `act`.
#[derive(Debug, Clone, Copy)]
pub struct WriteContext<'a> {
    /// The step, typed reads and the gate.
    pub read: ReadContext<'a>,
    /// Typed writes.
    pub writer: &'a Writer,
}
