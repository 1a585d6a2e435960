//! What a runbook gives to one that calls it: the field `outputs`.
//!
//! **Invariant:** made of its own steps and parameters, each checked to have a type.

use crate::base::diagnostic::Problems;
use crate::base::yaml::Fields;
use crate::runbook::call::Output;
use crate::runbook::document::{Naming, check_name};
use crate::runbook::place::Reader;
use crate::runbook::references::{Inputs, World};
use crate::runbook::shapes::StepShapes;
use crate::runbook::template::Template;

/// Reads the field `outputs` of the runbook in `text`.
pub(crate) fn read(f: &mut Fields<'_>, text: &str, p: &mut Problems) -> Vec<(String, Template)> {
    let mut outputs = Vec::new();
    for (key, node) in f.entries("outputs", p) {
        check_name(&key.name, Naming::Id, key.span, p);
        outputs.push((key.name.clone(), Reader { text, problems: p }.template(node)));
    }
    outputs
}

/// Checks each, and finds its type.
pub(crate) fn check(
    outputs: Vec<(String, Template)>,
    world: &World<'_>,
    p: &mut Problems,
) -> Vec<Output> {
    let shapes = StepShapes::at_the_end(world);
    let typed = |(name, value): (String, Template)| {
        let kind = Inputs { shapes: &shapes, problems: &mut *p }.kind_of(&value);
        Output { name, value, kind }
    };
    outputs.into_iter().map(typed).collect()
}
