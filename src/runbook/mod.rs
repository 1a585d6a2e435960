//! The runbook language: YAML to typed documents, with parameters, expressions and the graph of steps.
//! It knows actions by what they declare, through [`Actions`].
//!
//! **Invariant:** nothing here runs anything or looks anything up; all problems of a file are reported
//! in one pass, each with its place.

mod assumed;
mod bind;
mod call;
mod check;
pub mod codes;
mod difference;
pub mod doc;
mod document;
pub mod drawing;
mod drill;
mod evaluate;
pub mod explain;
mod expression;
mod gates;
mod graph;
mod inputs;
mod kinds;
mod library;
mod lint;
mod literals;
mod load;
pub mod loss;
mod measured;
mod model;
mod notify;
mod operands;
mod operate;
mod order;
mod outputs;
mod parameters;
mod parse;
mod place;
mod references;
mod referred;
pub mod schema;
mod scope;
mod scopes;
mod shape;
mod shapes;
mod steps;
mod syntax;
mod template;
mod token;

pub use assumed::is_region;
pub use bind::{Given, bind_parameters, known_parameters};
pub use call::{CALL, Call, Output};
pub use difference::{Difference, difference};
pub use document::check_file_name;
pub use drill::{check_drill, check_drill_faults, load_drill};
pub use expression::{EvaluationError, Expression, FaultKind};
pub use graph::steps_needed_by;
pub use inputs::{ExpandError, InputError, evaluate_inputs, expand};
pub use library::{Library, NoLibrary, Text};
pub use load::{load_runbook, load_runbook_in};
pub use model::{
    Actions, Docs, Drill, ForEach, Measure, OnFailure, Parameter, ParameterKind, Phase, Retry,
    Runbook, Step,
};
pub use notify::{NOTIFY_EVENTS, Notify};
pub use order::lint_order;
pub use referred::{Unusable, check_drill_environment, check_drill_values, unusable_reference};
pub use scope::{ROOTS, RunFacts, STATUSES, Scope};
pub use syntax::ExpressionError;
pub use template::Template;

#[cfg(test)]
mod tests;
