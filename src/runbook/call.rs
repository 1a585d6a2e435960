//! Runbooks that call others: `runbook.call`, read, checked, and taken into the one that calls.
//!
//! **Invariant:** a called runbook is checked by itself, as if it ran alone; what the caller adds is what its
//! parameters are and where it stands. Its steps keep their ids behind that of the call.

use crate::base::diagnostic::{Problems, Span};
use crate::base::ids::{frame_of, frames, joined};
use crate::base::value::Type;
use crate::runbook::check::suggestion;
use crate::runbook::codes;
use crate::runbook::expression::Expression;
use crate::runbook::library::Text;
use crate::runbook::load::{Loading, load_in};
use crate::runbook::model::{OnFailure, Parameter, Runbook, Step};
use crate::runbook::references::Inputs;
use crate::runbook::shapes::StepShapes;
use crate::runbook::steps::Draft;
use crate::runbook::template::{Template, TemplateKind};
use std::collections::BTreeMap;

/// The action.
pub const CALL: &str = "runbook.call";

/// How deep calls stand in calls: what is deeper nobody follows at three in the morning.
const DEEPEST: usize = 3;

/// A value that a runbook gives to whoever calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// What it is, over the runbook's own steps.
    pub value: Template,
    /// Its type.
    pub kind: Type,
}

/// A call within a runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The called runbook.
    pub runbook: String,
    /// Its parameters, and what the call gives for each: `None` is its default.
    pub parameters: Vec<(Parameter, Option<Template>)>,
    /// What it gives.
    pub outputs: Vec<Output>,
    /// The call's condition.
    pub when: Option<Expression>,
    /// The region in which its steps act that name none.
    pub region: Option<Template>,
}

impl Runbook {
    /// Where something that a step has at `span` is shown in this file, and what has to be said beside:
    /// what a called runbook has stands at its call, with the line of the file that it is written in.
    pub(crate) fn seen_at(&self, step: &Step, span: Span) -> (Span, String) {
        let frame = frame_of(&step.id);
        let Some(call) = frames(frame).last().and_then(|outermost| self.step(outermost)) else {
            return (span, String::new());
        };
        let called = self.calls.get(frame).and_then(|call| self.called.get(&call.runbook));
        let written = called.map(|text| format!(" of {}:{}", text.file, span.line));
        (call.span, written.unwrap_or_default())
    }
}

/// Reads the runbooks that `drafts` call, by position; reports what cannot be called.
pub(crate) fn read(
    drafts: &[Draft],
    loading: &Loading<'_>,
    p: &mut Problems,
) -> BTreeMap<usize, Runbook> {
    let mut found = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate().filter(|(_, it)| it.step.uses == CALL) {
        misplaced(draft, p);
        let Some(template) = draft.step.with.get("runbook") else { continue };
        let TemplateKind::Text(name) = &template.kind else {
            p.error(
                codes::CALL,
                template.span,
                "`runbook` is the name of a runbook, no expression",
            )
            .help("which steps there are has to be known before anything begins");
            continue;
        };
        if let Some(at) = loading.path.iter().position(|it| it == name) {
            let circle =
                [&loading.path[at..], std::slice::from_ref(name)].concat().join("` calls `");
            p.error(codes::CALL_CIRCLE, template.span, format!("a circle of calls: `{circle}`"))
                .help("take one of these calls out");
            continue;
        }
        if loading.path.len() > DEEPEST {
            let path = loading.path.join("` calls `");
            let message = format!("calls stand at most {DEEPEST} deep: `{path}` calls `{name}`");
            p.error(codes::CALL_CIRCLE, template.span, message)
                .help("put the steps of one of them into the runbook that calls it");
            continue;
        }
        match called(name, loading) {
            Ok(runbook) => {
                found.insert(index, runbook);
            }
            Err((message, help)) => {
                p.error(codes::CALL, template.span, message).help(help);
            }
        }
    }
    found
}

fn called(name: &str, loading: &Loading<'_>) -> Result<Runbook, (String, String)> {
    let Text { file, text } = loading
        .library
        .runbook(name)
        .map_err(|why| (why, "write the name of a runbook of this project".to_owned()))?;
    let inner = Loading { path: [&loading.path[..], &[name.to_owned()]].concat(), ..*loading };
    let (mut runbook, _) = load_in(&file, &text, &inner).map_err(|problems| {
        let first = problems.sorted().first().map(|it| it.message.clone()).unwrap_or_default();
        let message = format!("runbook `{name}` has errors of its own: {first}");
        (message, format!("`drctl runbook validate {file}` shows all of them"))
    })?;
    runbook.called.insert(name.to_owned(), Text { file, text });
    Ok(runbook)
}

/// Reports fields that belong to the steps of the called runbook.
fn misplaced(draft: &Draft, p: &mut Problems) {
    let step = &draft.step;
    for (field, given) in [
        ("for_each", step.for_each.is_some()),
        ("always", step.always),
        ("retry", step.retry.is_some()),
        ("timeout", step.timeout.is_some()),
        ("idempotent", step.idempotent),
        ("irreversible", step.irreversible),
    ] {
        if given {
            let message = format!("a call has no `{field}`");
            p.error(codes::NOT_EXECUTABLE, draft.id_span, message)
                .help(format!("the steps of the called runbook have their own `{field}`"));
        }
    }
}

/// Checks what a call gives to the runbook that it calls.
pub(crate) fn check(draft: &Draft, called: &Runbook, shapes: &StepShapes<'_>, p: &mut Problems) {
    let none = BTreeMap::new();
    let (given, span) = match draft.step.with.get("parameters") {
        None => (&none, draft.uses_span),
        Some(template) => match &template.kind {
            TemplateKind::Map(map) => (map, template.span),
            _ => {
                p.error(
                    codes::CALL,
                    template.span,
                    "`parameters` is a map with a value a parameter",
                )
                .help("write `parameters: { name: value }`; the values may be expressions");
                return;
            }
        },
    };
    let name = &called.name;
    for (key, value) in given {
        let Some(parameter) = called.parameter(key) else {
            let names = called.parameters.iter().map(|it| it.name.as_str());
            let message = format!("runbook `{name}` has no parameter `{key}`");
            p.error(codes::CALL, value.span, message).help(suggestion(key, names));
            continue;
        };
        // A default stands in for what is null.
        let kind = match parameter.required {
            true => parameter.kind.value_type(),
            false => parameter.kind.value_type().or_null(),
        };
        Inputs { shapes, problems: &mut *p }.template(value, &kind);
    }
    for parameter in called.parameters.iter().filter(|it| it.required) {
        if !given.contains_key(&parameter.name) {
            let message = format!("runbook `{name}` needs the parameter `{}`", parameter.name);
            let help = format!("it is {}: {}", parameter.kind.name(), parameter.description);
            p.error(codes::CALL, span, message).help(help.trim_end_matches([':', ' ']).to_owned());
        }
    }
}

/// Takes the steps of `called` into `into`, behind the call `step`, which ends with all of them.
pub(crate) fn take_in(step: Step, called: Runbook, into: &mut Runbook) {
    let id = step.id.clone();
    let inner = |local: &String| joined(&id, local);
    let given = step.with.get("parameters").map(|template| &template.kind);
    let given = |name: &str| match given {
        Some(TemplateKind::Map(map)) => map.get(name).cloned(),
        _ => None,
    };
    let parameters = called
        .parameters
        .into_iter()
        .map(|it| (given(&it.name), it))
        .map(|(v, it)| (it, v))
        .collect();
    let call = Call {
        runbook: called.name,
        parameters,
        outputs: called.outputs,
        when: step.when.clone(),
        region: step.region.clone(),
    };
    into.calls.insert(id.clone(), call);
    into.calls.extend(called.calls.into_iter().map(|(frame, call)| (inner(&frame), call)));
    into.called.extend(called.called);
    let mut children = Vec::new();
    for mut child in called.steps {
        let own = !child.id.contains('/');
        child.id = inner(&child.id);
        child.needs = match child.needs.is_empty() {
            true => step.needs.clone(),
            false => child.needs.iter().map(inner).collect(),
        };
        child.children = child.children.iter().map(inner).collect();
        // What the child says of its failures it says as a run of its own: then the call has failed. A
        // person is asked where it happened, as nothing of the call could be tried again.
        if child.on_failure == OnFailure::Stop && step.on_failure == OnFailure::Ask && own {
            child.on_failure = OnFailure::Ask;
        }
        if own {
            children.push(child.id.clone());
        }
        into.steps.push(child);
    }
    let on_failure = match step.on_failure {
        OnFailure::Ask => OnFailure::Stop,
        other => other,
    };
    let needs = step.needs.iter().chain(&children).cloned().collect();
    into.steps.push(Step { needs, children, on_failure, ..step });
}
