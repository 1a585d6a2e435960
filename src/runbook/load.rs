//! Reads runbooks, reporting all problems at once.
//!
//! **Invariant:** reading goes on after every problem; a runbook is given only when there was none.

use crate::action::spec::{ActionKind, ActionSpec};
use crate::base::diagnostic::Problems;
use crate::base::form::Form;
use crate::base::value::Type;
use crate::base::yaml::{self, Fields};
use crate::estate::{header, objectives};
use crate::runbook::assumed;
use crate::runbook::call::{self, Output};
use crate::runbook::check::suggestion;
use crate::runbook::codes;
use crate::runbook::document::{Naming, items, name, word};
use crate::runbook::gates;
use crate::runbook::graph::{Graph, positions};
use crate::runbook::library::{Library, NoLibrary};
use crate::runbook::lint::{Declared, lint};
use crate::runbook::literals;
use crate::runbook::measured;
use crate::runbook::model::{Actions, Docs, Measure, Phase, Runbook};
use crate::runbook::notify;
use crate::runbook::outputs;
use crate::runbook::parameters;
use crate::runbook::place::Reader;
use crate::runbook::references::{World, check_step};
use crate::runbook::shape::RUNBOOK;
use crate::runbook::steps::{self, Draft};
use crate::runbook::template::Template;
use std::cell::Cell;
use std::collections::BTreeMap;

/// Most steps of a runbook: the check of references keeps a bit for every pair of steps.
const MAX_STEPS: usize = 20_000;
/// Most unknown steps of one file that are compared with all others.
const MAX_SUGGESTIONS: u32 = 100;

/// Reads the runbook in `text`, which came from the file called `file`. With it come its warnings.
///
/// # Errors
/// All problems of the file, warnings included, each with its place.
pub fn load_runbook(
    file: &str,
    text: &str,
    actions: &dyn Actions,
) -> Result<(Runbook, Problems), Problems> {
    load_runbook_in(file, text, actions, &NoLibrary)
}

/// The same for a runbook that may call those of `library`.
///
/// # Errors
/// All problems of the file, warnings included, each with its place.
pub fn load_runbook_in(
    file: &str,
    text: &str,
    actions: &dyn Actions,
    library: &dyn Library,
) -> Result<(Runbook, Problems), Problems> {
    load_in(file, text, &Loading { actions, library, path: Vec::new() })
}

/// What a runbook is read with, and by which calls one came to it.
#[derive(Clone)]
pub(crate) struct Loading<'a> {
    pub(crate) actions: &'a dyn Actions,
    pub(crate) library: &'a dyn Library,
    /// Names of the runbooks that call, outermost first.
    pub(crate) path: Vec<String>,
}

pub(crate) fn load_in(
    file: &str,
    text: &str,
    loading: &Loading<'_>,
) -> Result<(Runbook, Problems), Problems> {
    let node = yaml::parse(file, text)?;
    let mut problems = Problems::in_text(file, text);
    let p = &mut problems;
    let mut f = Fields::of(&node, "a runbook", p).shaped(&RUNBOOK);
    header(&mut f, "Runbook", p);
    let (name, _) = name(&mut f, "name", Naming::Document, p).unwrap_or_default();
    let title = f.text("title", p).unwrap_or_else(|| name.clone());
    let description = f.text("description", p).unwrap_or_default();
    let docs = docs(&mut f, p);
    let parameters = parameters::read(&mut f, p);
    let promised = f.node("objectives");
    let objectives = objectives(promised, p);
    let notify = notify::read(&mut f, p);
    let form = word(&mut f, "form", &Form::NAMES, p);
    let assumes_lost = assumed::read(&mut f, text, p);
    let measured = measured::read(&mut f, p);
    let drafts = read_steps(&mut f, text, p);
    let outputs = outputs::read(&mut f, text, p);
    f.finish(p);
    let path = if loading.path.is_empty() { vec![name.clone()] } else { loading.path.clone() };
    let loading = Loading { path, ..loading.clone() };
    let called = call::read(&drafts, &loading, p);
    let assumed = assumes_lost.as_ref();
    let declared = Declared { parameters: &parameters, measured: &measured, promised, assumed };
    let Checked { order, drafts, outputs } =
        check(drafts, declared, (&loading, &called, outputs), p);
    if problems.has_errors() {
        return Err(problems);
    }
    let measured = |name: &str| {
        let steps = measured.get(name).into_iter().flatten();
        steps.map(|(id, _)| id.clone()).collect()
    };
    let measure = Measure {
        recovered: measured("recovered"),
        recovery_point: measured("recovery_point"),
        restored: measured("restored"),
    };
    let (file, text) = (file.to_owned(), text.to_owned());
    let mut runbook = Runbook {
        notify,
        name,
        title,
        description,
        docs,
        parameters,
        objectives,
        form,
        assumes_lost,
        measure,
        steps: Vec::new(),
        outputs,
        calls: BTreeMap::new(),
        called: BTreeMap::new(),
        file,
        text,
    };
    take_in(&mut runbook, &order, drafts, called);
    if runbook.steps.len() > MAX_STEPS {
        let message = format!(
            "{} steps with those that it calls; the limit is {MAX_STEPS}",
            runbook.steps.len()
        );
        problems.error(codes::RANGE, node.span, message).help("split the runbook");
        return Err(problems);
    }
    Ok((runbook, problems))
}

/// The texts for people.
fn docs(f: &mut Fields<'_>, p: &mut Problems) -> Docs {
    Docs {
        prerequisites: f.text("prerequisites", p),
        verification: f.text("verification", p),
        rollback: f.text("rollback", p),
        escalation: f.text("escalation", p),
    }
}

/// The steps in their order, those of called runbooks before the call that ends with them.
fn take_in(
    runbook: &mut Runbook,
    order: &[usize],
    drafts: Vec<Draft>,
    mut called: BTreeMap<usize, Runbook>,
) {
    let mut steps: Vec<_> = drafts.into_iter().map(|draft| Some(draft.step)).collect();
    for index in order {
        let Some(step) = steps[*index].take() else { continue };
        match called.remove(index) {
            Some(inner) => call::take_in(step, inner, runbook),
            None => runbook.steps.push(step),
        }
    }
}

fn read_steps(f: &mut Fields<'_>, text: &str, p: &mut Problems) -> Vec<Draft> {
    let span = f.node("steps").map_or(f.span(), |node| node.span);
    f.required("steps", p);
    let had_problem = p.has_errors();
    let list = items(f, "steps", p);
    if list.is_empty() && !had_problem && !p.has_errors() {
        p.error("DR003", span, "a runbook needs at least one step");
    }
    if list.len() > MAX_STEPS {
        let message = format!("{} steps; the limit is {MAX_STEPS}", list.len());
        p.error(codes::RANGE, span, message).help("split the runbook");
    }
    let mut reader = Reader { text, problems: p };
    list.iter().take(MAX_STEPS).map(|node| steps::read(node, &mut reader)).collect()
}

/// What was checked: the order, the steps with their phases, what the runbook gives with its types.
struct Checked {
    order: Vec<usize>,
    drafts: Vec<Draft>,
    outputs: Vec<Output>,
}

/// Checks what needs more than one step.
fn check<'a>(
    mut drafts: Vec<Draft>,
    declared: Declared<'_>,
    (loading, called, outputs): (&Loading<'a>, &BTreeMap<usize, Runbook>, Vec<(String, Template)>),
    p: &mut Problems,
) -> Checked {
    let actions = loading.actions;
    let specs: Vec<Option<&'a ActionSpec>> =
        drafts.iter().map(|draft| action_of(draft, actions, p)).collect();
    for (draft, spec) in drafts.iter_mut().zip(&specs) {
        let kind = spec.map_or(ActionKind::Mutation, |spec| spec.kind);
        draft.step.phase = draft.phase.unwrap_or(match (draft.step.always, kind) {
            (_, ActionKind::Gate(_)) => Phase::Wait,
            (true, _) => Phase::Cleanup,
            (false, ActionKind::Check) => Phase::Verify,
            (false, ActionKind::Mutation | ActionKind::Command) => Phase::Provision,
            (false, ActionKind::Notice) => Phase::Decide,
        });
    }
    let positions = positions(&drafts, p);
    let graph = Graph::of(&drafts, &positions, p);
    let params = Type::Record(
        declared.parameters.iter().map(|it| (it.name.clone(), it.value_type())).collect(),
    );
    let world = World {
        lost: lost(&drafts, &positions, &graph),
        drafts: &drafts,
        positions: &positions,
        graph: &graph,
        params,
        specs,
        called,
        suggestions: Cell::new(MAX_SUGGESTIONS),
    };
    for (index, draft) in drafts.iter().enumerate() {
        check_step(&world, index, p);
        if let Some(spec) = world.specs[index] {
            literals::check(draft, spec, p);
        }
        gates::check(draft, p);
        gates::check_before(&world, index, p);
    }
    assumed::check(declared.assumed, &world.params, p);
    measured::check(declared.measured, &world, p);
    lint(&declared, &world, p);
    let outputs = outputs::check(outputs, &world, p);
    Checked { order: graph.order, drafts, outputs }
}

/// Which steps have, or have upstream, a need that is wrong and reported already.
fn lost(drafts: &[Draft], positions: &BTreeMap<String, usize>, graph: &Graph) -> Vec<bool> {
    let mut lost = vec![false; drafts.len()];
    for index in &graph.order {
        let draft = &drafts[*index];
        let mut needs = draft.needs.iter().map(|(id, _)| positions.get(id));
        lost[*index] = draft.needs_unread || needs.any(|at| at.is_none_or(|at| lost[*at]));
    }
    lost
}

fn action_of<'a>(
    draft: &Draft,
    actions: &'a dyn Actions,
    p: &mut Problems,
) -> Option<&'a ActionSpec> {
    let uses = &draft.step.uses;
    let spec = actions.spec(uses);
    if spec.is_none() && !uses.is_empty() {
        let names = actions.names();
        p.error(codes::UNKNOWN_ACTION, draft.uses_span, format!("there is no action `{uses}`"))
            .help(suggestion(uses, names.iter().copied()));
    }
    spec
}
