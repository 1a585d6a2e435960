//! The typed documents: runbooks and drills.
//!
//! **Invariant:** a document of these types was checked: names are unique, `needs` has no cycle,
//! `steps` is in an order in which they can run, expressions fit the types they meet.

use crate::action::Catalogue;
use crate::action::spec::ActionSpec;
use crate::base::diagnostic::Span;
use crate::base::few::Few;
use crate::base::form::Form;
use crate::base::value::{Type, Value};
use crate::estate::Objectives;
use crate::runbook::bind::Given;
use crate::runbook::call::{Call, Output};
use crate::runbook::expression::Expression;
use crate::runbook::library::Text;
use crate::runbook::notify::Notify;
use crate::runbook::template::Template;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What actions declare, as the checker asks for it.
pub trait Actions {
    /// What the action called `name` declares.
    fn spec(&self, name: &str) -> Option<&ActionSpec>;
    /// All names, for suggestions.
    fn names(&self) -> Vec<&'static str>;
}

impl Actions for Catalogue {
    fn spec(&self, name: &str) -> Option<&ActionSpec> {
        Self::spec(self, name)
    }

    fn names(&self) -> Vec<&'static str> {
        Self::names(self).collect()
    }
}

/// A runbook, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Its name; drills and the command line use it.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Texts for people.
    pub docs: Docs,
    /// Parameters in file order.
    pub parameters: Vec<Parameter>,
    /// What it promises, if it promises anything of its own.
    pub objectives: Objectives,
    /// The form of its runs, where neither drill nor command line says otherwise; `None` is graceful.
    pub form: Option<Form>,
    /// The region that it assumes lost.
    pub assumes_lost: Option<Template>,
    /// Whom its runs tell how they go.
    pub notify: Option<Notify>,
    /// Which steps measurements are taken from.
    pub measure: Measure,
    /// Steps in topological order, file order among equals.
    pub steps: Vec<Step>,
    /// What it gives to a runbook that calls it, in file order.
    pub outputs: Vec<Output>,
    /// Its calls, by the id of the step; calls within them have ids as their steps have.
    pub calls: BTreeMap<String, Call>,
    /// The files of all runbooks that it calls, by name.
    pub called: BTreeMap<String, Text>,
    /// The file's name.
    pub file: String,
    /// The file's text.
    pub text: String,
}

impl Runbook {
    /// The step called `id`.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The parameter called `name`.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}

/// Texts for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Docs {
    /// What must be true before.
    pub prerequisites: Option<String>,
    /// How to see that it worked.
    pub verification: Option<String>,
    /// How to go back.
    pub rollback: Option<String>,
    /// Whom to call.
    pub escalation: Option<String>,
}

/// A parameter of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ParameterKind,
    /// Its value when none is given.
    pub default: Option<Value>,
    /// Whether a value must be given: it has no default and does not say `required: false`.
    pub required: bool,
    /// The only values it may have; empty means any.
    pub choices: Vec<Value>,
    /// One sentence for people.
    pub description: String,
    /// Where it is declared.
    pub span: Span,
}

impl Parameter {
    /// The type of `params.<name>`.
    pub fn value_type(&self) -> Type {
        let kind = self.kind.value_type();
        let nullable = !self.required && self.default.is_none();
        if nullable { kind.or_null() } else { kind }
    }
}

/// The type of a parameter as files name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// `true` or `false`.
    Bool,
    /// A length of time.
    Duration,
    /// An instant.
    Instant,
    /// `latest` or an instant.
    InstantOrLatest,
    /// A list of anything.
    List,
    /// Text that never prints.
    Secret,
}

impl ParameterKind {
    /// All kinds with their names in files.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("string", Self::String),
        ("int", Self::Int),
        ("float", Self::Float),
        ("bool", Self::Bool),
        ("duration", Self::Duration),
        ("instant", Self::Instant),
        ("instant_or_latest", Self::InstantOrLatest),
        ("list", Self::List),
        ("secret", Self::Secret),
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The type of its values.
    pub fn value_type(self) -> Type {
        match self {
            Self::String => Type::String,
            Self::Int => Type::Int,
            Self::Float => Type::Float,
            Self::Bool => Type::Bool,
            Self::Duration => Type::Duration,
            Self::Instant => Type::Time,
            Self::InstantOrLatest => Type::LatestOrTime,
            Self::List => Type::List(Box::new(Type::Any)),
            Self::Secret => Type::Secret,
        }
    }
}

/// Which steps measurements are taken from, by id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measure {
    /// The service counts as recovered when the last of these steps succeeded.
    pub recovered: Few<String>,
    /// Their outputs `newest_at` (instant or null) prove the recovery point; the worst counts.
    pub recovery_point: Few<String>,
    /// Their inputs or outputs `restore_time` are the instants that were restored to.
    pub restored: Few<String>,
}

/// A step of a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its id, stable for ever; of a step of a called runbook that of the call stands before it:
    /// `failover/promote`.
    pub id: String,
    /// Title for people; the id when there is none.
    pub title: String,
    /// The action.
    pub uses: String,
    /// Inputs.
    pub with: BTreeMap<String, Template>,
    /// Steps that must have succeeded (for an `always` step: have ended).
    pub needs: Vec<String>,
    /// For a call: the steps of the called runbook.
    pub children: Vec<String>,
    /// Condition.
    pub when: Option<Expression>,
    /// Region it acts in.
    pub region: Option<Template>,
    /// The account of the environment that it acts in; `None` is its own.
    pub account: Option<String>,
    /// List that it is expanded over.
    pub for_each: Option<ForEach>,
    /// Where its time goes. Without `phase`: `wait` for a gate, `cleanup` for an `always` step,
    /// `verify` for a check, `provision` for everything else.
    pub phase: Phase,
    /// Time-out; `None` is the action's own.
    pub timeout: Option<Duration>,
    /// How often it is tried.
    pub retry: Option<Retry>,
    /// What happens when it fails.
    pub on_failure: OnFailure,
    /// Runs whatever happened before.
    pub always: bool,
    /// May be repeated when in doubt and nothing can be observed.
    pub idempotent: bool,
    /// Cannot be taken back.
    pub irreversible: bool,
    /// Where it begins.
    pub span: Span,
}

/// The list of an expanded step.
#[derive(Debug, Clone, PartialEq)]
pub struct ForEach {
    /// A list, or an expression over `params` and `estate` that gives one.
    pub items: Template,
}

/// How often a failing step is tried, and how far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Most tries, from 1.
    pub attempts: u32,
    /// First delay.
    pub backoff: Duration,
}

/// Where a step's time goes in the waterfall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// From the disaster until somebody declared it.
    Detect,
    /// Deciding, including the checks before anything is changed.
    Decide,
    /// Waiting for people, or for an instant.
    Wait,
    /// Creating what is needed.
    Provision,
    /// Replaying logs, catching up.
    Replay,
    /// Proving that it works and what was lost.
    Verify,
    /// Loading data until it is fast.
    Warm,
    /// Moving names and clients.
    Dns,
    /// Removing what the drill created; after recovery, not counted.
    Cleanup,
}

impl Phase {
    /// All phases in waterfall order with their names in files.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("detect", Self::Detect),
        ("decide", Self::Decide),
        ("wait", Self::Wait),
        ("provision", Self::Provision),
        ("replay", Self::Replay),
        ("verify", Self::Verify),
        ("warm", Self::Warm),
        ("dns", Self::Dns),
        ("cleanup", Self::Cleanup),
    ];

    /// The name in files and reports.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, phase)| *phase == self).map_or("", |(name, _)| name)
    }
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Start nothing new but `always` steps.
    #[default]
    Stop,
    /// Go on with what does not need it.
    Continue,
    /// Undo what was done, newest first.
    Undo,
    /// Ask a person.
    Ask,
}

impl OnFailure {
    /// All of them with their names in files.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("stop", Self::Stop),
        ("continue", Self::Continue),
        ("undo", Self::Undo),
        ("ask", Self::Ask),
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }
}

/// A drill, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Drill {
    /// Its name.
    pub name: String,
    /// What happens in it, one line: the title of its row in `drctl drill all`.
    pub scenario: Option<String>,
    /// What it is for.
    pub description: String,
    /// Name of the runbook.
    pub runbook: String,
    /// Name of the estate.
    pub estate: String,
    /// Name of the environment; `sim` when the file names none.
    pub environment: String,
    /// Values of the runbook's parameters.
    pub parameters: BTreeMap<String, Given>,
    /// What is promised here.
    pub objectives: Objectives,
    /// The form of its runs; `None` is the runbook's.
    pub form: Option<Form>,
    /// Whom it tells how it goes.
    pub notify: Option<Notify>,
    /// The alarm of the estate that it begins with: raised in the simulator, read elsewhere.
    pub alarm: Option<String>,
    /// Cron text with five fields.
    pub schedule: Option<String>,
    /// Faults of the simulator that the drill is meant to meet: `throttled`, `slow=3`, …
    pub faults: Vec<String>,
    /// The file's name.
    pub file: String,
    /// The file's text.
    pub text: String,
}
