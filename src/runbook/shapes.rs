//! What the names in expressions mean, as one step of a file sees them.
//!
//! **Invariant:** a step sees what is upstream of it, and of a called runbook what that says it gives.

use crate::base::value::Type;
use crate::runbook::call::CALL;
use crate::runbook::check::{Refusal, Shapes, suggestion};
use crate::runbook::codes;
use crate::runbook::references::World;
use crate::runbook::scope::{ROOTS, STATUSES, record_type, root_type};

/// Which part of a step an expression stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// `with`, `when`, `region`: evaluated when the step runs.
    Run,
    /// `for_each`: evaluated when the plan is made.
    Plan,
}

/// The names as one step sees them.
pub(crate) struct StepShapes<'a> {
    world: &'a World<'a>,
    /// The step; `None` when all of them have ended.
    index: Option<usize>,
    each: Option<Type>,
    moment: Moment,
}

impl<'a> StepShapes<'a> {
    /// The names as the step at `index` sees them when it runs, with `each` of this type.
    pub(crate) fn of_step(world: &'a World<'a>, index: usize, each: Option<Type>) -> Self {
        Self { world, index: Some(index), each, moment: Moment::Run }
    }

    /// The names as its `for_each` sees them.
    pub(crate) fn before_planning(world: &'a World<'a>, index: usize) -> Self {
        Self { world, index: Some(index), each: None, moment: Moment::Plan }
    }

    /// The names as whoever comes after all steps sees them.
    pub(crate) fn at_the_end(world: &'a World<'a>) -> Self {
        Self { world, index: None, each: None, moment: Moment::Run }
    }
}

impl Shapes for StepShapes<'_> {
    fn root(&self, name: &str) -> Result<Type, Refusal> {
        if self.moment == Moment::Plan && matches!(name, "env" | "run" | "each") {
            return Err(plan_time(name));
        }
        match name {
            "params" => Ok(self.world.params.clone()),
            "each" => self.each.clone().ok_or_else(|| {
                let message = "`each` exists only in a step with `for_each`".to_owned();
                (codes::NOT_HERE, message, None)
            }),
            _ => root_type(name).ok_or_else(|| {
                if self.world.positions.contains_key(name) {
                    let help = format!("did you mean `steps.{name}.outputs`?");
                    let message = format!("`{name}` is a step, and no name by itself");
                    return (codes::UNKNOWN_NAME, message, Some(help));
                }
                let help = suggestion(name, ROOTS.iter().copied());
                (codes::UNKNOWN_NAME, format!("unknown name `{name}`"), Some(help))
            }),
        }
    }

    fn parameter(&self, name: &str) -> Option<Result<Type, Refusal>> {
        let Type::Record(parameters) = &self.world.params else { return None };
        Some(parameters.get(name).cloned().ok_or_else(|| {
            let help = self.world.suggest(name, parameters.keys());
            (codes::UNKNOWN_NAME, format!("`params` has no `{name}`"), help)
        }))
    }

    fn step(&self, id: &str) -> Result<Type, Refusal> {
        if self.moment == Moment::Plan {
            return Err(plan_time("steps"));
        }
        let Some(position) = self.world.positions.get(id).copied() else {
            let help = self.world.suggest(id, self.world.positions.keys());
            return Err((codes::UNKNOWN_NAME, format!("there is no step `{id}`"), help));
        };
        let target = &self.world.drafts[position].step;
        let Some(index) = self.index else {
            if target.for_each.is_some() {
                let message = format!("step `{id}` is expanded by `for_each` and has many outputs");
                return Err((codes::EXPANDED, message, None));
            }
            return Ok(self.shape(position));
        };
        let own = &self.world.drafts[index].step;
        if id == own.id {
            let message = format!("step `{id}` cannot refer to itself");
            return Err((codes::NOT_UPSTREAM, message, None));
        }
        let graph = self.world.graph;
        // Of a step that lost a need nobody knows what is upstream of it.
        let known = graph.is_acyclic() && !self.world.lost[index];
        if known && !graph.is_upstream(position, index) {
            let message = format!("step `{id}` is not upstream of step `{}`", own.id);
            let help = if graph.is_upstream(index, position) {
                format!("step `{id}` runs after this one")
            } else {
                format!("add `{id}` to its `needs`")
            };
            return Err((codes::NOT_UPSTREAM, message, Some(help)));
        }
        if target.for_each.is_some() && target.for_each != own.for_each {
            let message = format!("step `{id}` is expanded by `for_each` and has many outputs");
            let help = "refer to it only from a step with the very same `for_each`, item by item";
            return Err((codes::EXPANDED, message, Some(help.to_owned())));
        }
        Ok(self.shape(position))
    }
}

impl StepShapes<'_> {
    /// What `steps.<id>` is.
    fn shape(&self, position: usize) -> Type {
        let outputs = match (self.world.called.get(&position), self.world.specs[position]) {
            (Some(called), _) => Type::Record(
                called.outputs.iter().map(|it| (it.name.clone(), it.kind.clone())).collect(),
            ),
            // What cannot be called is reported where it is called.
            (None, Some(spec)) if spec.name == CALL => Type::Any,
            (None, Some(spec)) => Type::Record(
                spec.outputs
                    .iter()
                    .map(|field| (field.name.to_owned(), field.kind.clone()))
                    .collect(),
            ),
            (None, None) => Type::Any,
        };
        record_type([("status", Type::OneOf(STATUSES)), ("outputs", outputs)])
    }
}

fn plan_time(name: &str) -> Refusal {
    let message = format!("`{name}` is not known when `for_each` is expanded");
    let help = "`for_each` can use `params` and `estate`: it is expanded when the plan is made";
    (codes::NOT_HERE, message, Some(help.to_owned()))
}
