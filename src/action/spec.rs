//! What an action declares about itself: inputs, outputs, the calls it may make.
//!
//! **Invariant:** the declaration is complete. The checker of runbooks, the planner, the guard of a live
//! run and the documentation all read it and nothing else.

use crate::base::value::{Type, Value, Values};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Reads, changes or waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Read-only: pass, fail, unknown or error.
    Check,
    /// Creates, changes or deletes something.
    Mutation,
    /// Does something that leaves no trace to look at: its answer is all that is ever known of it, and
    /// without an answer a person has to say what happened.
    Command,
    /// Tells somebody something, best effort: like a command, and whatever becomes of it is no more than
    /// a warning.
    Notice,
    /// Waits, and changes nothing.
    Gate(WaitsFor),
}

/// What a gate waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// A person's decision.
    Person,
    /// An instant.
    Time,
}

/// Whether what a mutation does can be taken back.
#[derive(Debug, Clone, Copy)]
pub enum Reversibility {
    /// Nothing to take back.
    ReadOnly,
    /// The action named undoes it, with inputs made from this action's outputs.
    UndoneBy {
        /// The action that undoes.
        action: &'static str,
        /// Its inputs, from the inputs and outputs of the action to undo.
        inputs: fn(inputs: &Values, outputs: &Values) -> Values,
    },
    /// Cannot be taken back.
    Irreversible,
}

/// What a step of it is in moving a service from one place to another. Gates and the order of steps are
/// judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// None of these.
    #[default]
    None,
    /// Keeps the old writer from writing; its output `proof` says what was seen.
    Fence,
    /// Makes another database the writer.
    Promotion,
    /// Sends clients somewhere else.
    TrafficSwitch,
}

impl Role {
    /// Whether it is none; for plans that leave it out.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// An input or an output.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, snake_case.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// For inputs: whether it must be given. An optional input that is absent is `Null`.
    pub need: Need,
    /// One sentence for documentation and completion.
    pub summary: &'static str,
}

/// Whether an input must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may be left out.
    Optional,
}

impl Field {
    /// An input that must be given, or an output that is always there.
    pub fn required(name: &'static str, kind: Type, summary: &'static str) -> Self {
        Self { name, kind, need: Need::Required, summary }
    }

    /// An input that may be left out, or an output that may be null.
    pub fn optional(name: &'static str, kind: Type, summary: &'static str) -> Self {
        Self { name, kind: kind.or_null(), need: Need::Optional, summary }
    }
}

/// Everything an action declares.
#[derive(Debug, Clone)]
pub struct ActionSpec {
    /// `rds.restore_to_point_in_time`.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Reads, changes or waits.
    pub kind: ActionKind,
    /// Inputs (`with:`).
    pub inputs: Vec<Field>,
    /// Outputs (`steps.<id>.outputs.…`).
    pub outputs: Vec<Field>,
    /// AWS operations it may call, as `rds:DescribeDBInstances`: the allow-list of a live run.
    pub calls: &'static [&'static str],
    /// Effects beside AWS that it may have, such as [`crate::cloud::SQL_READ`]: what the effects
    /// gate lets through in a live run.
    pub effects: &'static [&'static str],
    /// Whether it can be taken back.
    pub reversibility: Reversibility,
    /// What it is in moving a service.
    pub role: Role,
    /// What a person types in its place on the day that drctl itself is down; one command a line.
    /// `{name}` is the input or output of that name (a list becomes several words), `{region}` the
    /// step's region; a part in `[…]` is left out when an input in it is not given. A line that
    /// begins with `#` is an instruction in words.
    pub by_hand: &'static str,
    /// Time-out of a step that sets none.
    pub default_timeout: Duration,
    /// Time between two observations.
    pub poll_every: Duration,
}

impl ActionSpec {
    /// Whether a step of it waits for a person.
    pub fn waits_for_person(&self) -> bool {
        self.kind == ActionKind::Gate(WaitsFor::Person)
    }

    /// The input called `name`.
    pub fn input(&self, name: &str) -> Option<&Field> {
        self.inputs.iter().find(|field| field.name == name)
    }

    /// The output called `name`.
    pub fn output(&self, name: &str) -> Option<&Field> {
        self.outputs.iter().find(|field| field.name == name)
    }

    /// Every output unknown for one reason: what a preview answers when it cannot know.
    pub fn unknown_outputs(&self, why: &str) -> Values {
        let unknown = |field: &Field| (field.name.to_owned(), Value::Unknown(why.to_owned()));
        self.outputs.iter().map(unknown).collect()
    }
}
