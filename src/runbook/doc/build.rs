//! Makes the procedure: evaluates what can be known and names the rest.
//!
//! **Invariant:** secrets and what only a run finds out are variables, whatever was given.

use crate::action::spec::{ActionSpec, Field, Reversibility};
use crate::base::duration::format;
use crate::base::ids::{frame_of, joined};
use crate::base::value::{Type, Value, Values};
use crate::estate::{Environment, Estate, Objectives};
use crate::runbook::bind::{Given, bind};
use crate::runbook::doc::hand::{Asked, Word, render, words_of};
use crate::runbook::doc::names::Names;
use crate::runbook::doc::{HandStep, Procedure, declaration, promised};
use crate::runbook::inputs::expand;
use crate::runbook::model::{Actions, OnFailure, Runbook, Step};
use crate::runbook::scope::Scope;
use crate::runbook::scopes::Scopes;
use crate::runbook::template::{Template, TemplateKind};
use std::collections::BTreeMap;

/// What the reason of an unknown value begins with, before the name of an input or an output.
const INPUT: &str = "input ";
const OUTPUT: &str = "output ";

/// Most items of a repeated step that are written out.
const MOST_ITEMS: usize = 20;

/// What a document is made for.
#[derive(Debug)]
pub struct DocRequest<'a> {
    /// The runbook.
    pub runbook: &'a Runbook,
    /// Values of parameters, as far as they are known.
    pub given: BTreeMap<String, Given>,
    /// Where, if that was said.
    pub place: Option<(&'a Estate, &'a Environment)>,
    /// What was promised.
    pub objectives: Objectives,
}

/// The procedure.
///
/// # Errors
/// Values that do not fit the runbook, one sentence fragment each.
pub fn procedure(
    request: &DocRequest<'_>,
    actions: &dyn Actions,
) -> Result<Procedure, Vec<String>> {
    let runbook = request.runbook;
    let params = parameters(runbook, &request.given)?;
    let mut scope = Scope::of(params.clone());
    if let Some((estate, environment)) = request.place {
        scope = scope.with_estate(estate, environment);
    }
    let mut writer = Writer {
        request,
        actions,
        scopes: Scopes::of(runbook, scope),
        names: Names::default(),
        inputs: BTreeMap::new(),
    };
    let mut problems = Vec::new();
    let mut steps = Vec::new();
    for step in &runbook.steps {
        match writer.step(step) {
            Ok(step) => steps.push(step),
            Err(why) => problems.push(format!("step `{}`: {why}", step.id)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let shown = |name: &str| match params.get(name) {
        None | Some(Value::Unknown(_) | Value::Null) => None,
        Some(value) => Some(value.to_string()),
    };
    let place = request.place.map(|(estate, environment)| {
        let (account, region) = (&environment.account, &environment.region);
        format!("{} / {} (account {account}, {region})", estate.name, environment.name)
    });
    Ok(Procedure {
        name: runbook.name.clone(),
        title: runbook.title.clone(),
        purpose: runbook.description.clone(),
        docs: runbook.docs.clone(),
        place,
        promised: promised(request.objectives),
        parameters: runbook
            .parameters
            .iter()
            .map(|it| (it.name.clone(), declaration(it), shown(&it.name), it.description.clone()))
            .collect(),
        variables: writer.names.into_variables(),
        steps,
    })
}

/// The parameters' values; a required one that is not given is unknown.
fn parameters(runbook: &Runbook, given: &BTreeMap<String, Given>) -> Result<Values, Vec<String>> {
    let mut problems = Vec::new();
    for name in given.keys().filter(|name| runbook.parameter(name).is_none()) {
        let names = runbook.parameters.iter().map(|it| it.name.as_str());
        let help = crate::runbook::check::suggestion(name, names);
        problems.push(format!("there is no parameter `{name}`; {help}"));
    }
    let mut values = Values::new();
    for parameter in &runbook.parameters {
        let found = given.get(&parameter.name);
        let value = match found {
            None if parameter.required => {
                Ok(Value::Unknown(format!("parameter `{}` is not given", parameter.name)))
            }
            _ => bind(parameter, found),
        };
        match value {
            Ok(value) => drop(values.insert(parameter.name.clone(), value)),
            Err(why) => problems.push(format!("parameter `{}`: {why}", parameter.name)),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

struct Writer<'a> {
    request: &'a DocRequest<'a>,
    actions: &'a dyn Actions,
    scopes: Scopes<'a>,
    names: Names,
    /// What inputs are, by step and name, where it is known.
    inputs: BTreeMap<String, String>,
}

impl Writer<'_> {
    fn step(&mut self, step: &Step) -> Result<HandStep, String> {
        let spec =
            self.actions.spec(&step.uses).ok_or_else(|| format!("no action `{}`", step.uses))?;
        let own = self.scopes.at(step);
        let items = expand_known(step, &own)?;
        let mut commands = Vec::new();
        let mut undo = None;
        for (key, each) in items {
            let scope = each.map_or_else(|| own.clone(), |it| own.clone().with_each(it));
            let inputs = self.inputs(step, spec, &scope)?;
            let region = self.region(step, &scope)?;
            let known = inputs.iter().filter(|(_, value)| !hidden(value) && **value != Value::Null);
            self.inputs
                .extend(known.map(|(name, it)| (format!("{}.{name}", step.id), it.to_string())));
            if let Some(key) = key {
                commands.push(format!("# {}: {key}", step.id).replace('\n', " "));
            }
            commands.extend(self.commands(step, spec, spec, &inputs, &region));
            if let Reversibility::UndoneBy { action, inputs: made } = spec.reversibility
                && let Some(back) = self.actions.spec(action)
            {
                let unknown = |it: &Field| Value::Unknown(format!("{OUTPUT}{}", it.name));
                let outputs = spec.outputs.iter().map(|it| (it.name.to_owned(), unknown(it)));
                let back_inputs = made(&inputs, &outputs.collect());
                let lines = self.commands(step, spec, back, &back_inputs, &region);
                undo.get_or_insert((action.to_owned(), Vec::new())).1.extend(lines);
            }
        }
        self.scopes.passed(step, spec);
        Ok(HandStep {
            id: step.id.clone(),
            title: step.title.clone(),
            action: format!("{}: {}", step.uses, spec.summary),
            notes: self.notes(step, spec),
            commands,
            undo,
        })
    }

    /// Inputs by name; one that is not known says which one it is.
    fn inputs(&self, step: &Step, spec: &ActionSpec, scope: &Scope) -> Result<Values, String> {
        let mut values = Values::new();
        for field in &spec.inputs {
            let value = match step.with.get(field.name) {
                None => Value::Null,
                Some(template) => {
                    let value = template.evaluate(scope).map_err(|error| error.to_string())?;
                    if hidden(&value) {
                        Value::Unknown(format!("{INPUT}{}", field.name))
                    } else {
                        let why = |why| format!("input `{}`: {why}", field.name);
                        value.coerce(&field.kind).map_err(why)?
                    }
                }
            };
            values.insert(field.name.to_owned(), value);
        }
        Ok(values)
    }

    fn region(&self, step: &Step, scope: &Scope) -> Result<Value, String> {
        let unknown = || Value::Unknown(format!("{INPUT}region"));
        let Some(template) = &step.region else {
            let known = self.request.place.map(|(_, it)| Value::text(&it.region));
            return Ok(known.unwrap_or_else(unknown));
        };
        let value = template.evaluate(scope).map_err(|error| format!("region: {error}"))?;
        Ok(if hidden(&value) { unknown() } else { value })
    }

    /// The variable for an unknown input of a step, its region included.
    fn unknown_input(&mut self, step: &Step, spec: &ActionSpec, name: &str) -> String {
        if name == "region" {
            return match &step.region {
                Some(template) => {
                    let summary = "the region that the step acts in";
                    self.variable(step, &Field::required("region", Type::String, summary), template)
                }
                None => {
                    let why = || "the region of the environment".to_owned();
                    self.names.of("env.region", ["region", "env_region"], false, why)
                }
            };
        }
        match (spec.input(name), step.with.get(name)) {
            (Some(field), Some(template)) => self.variable(step, field, template),
            (field, _) => {
                let summary = field.map_or("", |field| field.summary);
                let why = || format!("`{name}`, which step `{}` does not give: {summary}", step.id);
                let (source, long) =
                    (format!("{}.with.{name}", step.id), format!("{}_{name}", step.id));
                self.names.of(&source, [name, &long], false, why)
            }
        }
    }

    /// The variable for an input whose value is not known.
    fn variable(&mut self, step: &Step, field: &Field, template: &Template) -> String {
        let list = matches!(&field.kind, Type::List(_))
            || matches!(&field.kind, Type::Optional(inner) if matches!(**inner, Type::List(_)));
        let written = match template.to_json() {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        let long = format!("{}_{}", step.id, field.name);
        let TemplateKind::Sole(placed, _) = &template.kind else {
            let why = || format!("`{}` of step `{}`: `{written}`", field.name, step.id);
            return self.names.of(&written, [field.name, &long], list, why);
        };
        let text = placed.expression.text().trim().to_owned();
        let frame = frame_of(&step.id);
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            ["params", name]
                if frame.is_empty() && self.request.runbook.parameter(name).is_some() =>
            {
                let described = self.request.runbook.parameter(name).map(|it| &it.description);
                let described = described.map_or("", String::as_str);
                let why = || format!("parameter `{name}`. {described}").trim_end().to_owned();
                self.names.of(&text, [name, &format!("param_{name}")], list, why)
            }
            ["steps", id, "outputs", output] => {
                let id = &joined(frame, id);
                let spec = self.request.runbook.step(id).and_then(|it| self.actions.spec(&it.uses));
                let summary = spec.and_then(|spec| spec.output(output)).map_or("", |it| it.summary);
                self.output(id, output, summary, list)
            }
            _ => {
                let why = || format!("`{}` of step `{}`: `{text}`", field.name, step.id);
                self.names.of(&joined(frame, &text), [field.name, &long], list, why)
            }
        }
    }

    /// The variable of an output of a step.
    fn output(&mut self, id: &str, output: &str, summary: &str, list: bool) -> String {
        let source = format!("steps.{id}.outputs.{output}");
        let name = format!("{id}_{output}");
        let asked = self.inputs.get(&format!("{id}.{output}"));
        let asked =
            asked.map(|it| format!(" (its input of that name: `{it}`)")).unwrap_or_default();
        let why = || format!("`{output}` of step `{id}`: {summary}{asked}");
        self.names.of(&source, [&name, &format!("{name}_output")], list, why)
    }

    /// The lines of `of`, the step's own action or the one that undoes it.
    fn commands(
        &mut self,
        step: &Step,
        own: &ActionSpec,
        of: &ActionSpec,
        inputs: &Values,
        region: &Value,
    ) -> Vec<String> {
        let mut word = |name: &str, asked: Asked| {
            let value = if name == "region" { Some(region) } else { inputs.get(name) };
            match value {
                Some(Value::Unknown(_)) if asked == Asked::WhetherGiven => {
                    Word::Variable(String::new())
                }
                Some(Value::Unknown(why)) => {
                    let variable = match (why.strip_prefix(INPUT), why.strip_prefix(OUTPUT)) {
                        (Some(input), _) => self.unknown_input(step, own, input),
                        (None, Some(output)) => {
                            let summary = own.output(output).map_or("", |it| it.summary);
                            self.output(&step.id, output, summary, false)
                        }
                        (None, None) => self.unknown_input(step, of, name),
                    };
                    if self.names.is_list(&variable) {
                        Word::List(variable)
                    } else {
                        Word::Variable(variable)
                    }
                }
                Some(Value::Null) | None => match (of.output(name), of.input(name), asked) {
                    (Some(output), None, Asked::ToWrite) => {
                        Word::Variable(self.output(&step.id, name, output.summary, false))
                    }
                    (Some(_), None, Asked::WhetherGiven) => Word::Variable(String::new()),
                    (_, Some(_), Asked::WhetherGiven) => Word::Absent,
                    (_, Some(_), Asked::ToWrite) => {
                        Word::Variable(self.unknown_input(step, of, name))
                    }
                    (None, None, _) => Word::NoName,
                },
                Some(value) => words_of(value).map_or(Word::Absent, Word::Values),
            }
        };
        render(of.by_hand, &mut word)
    }

    fn notes(&mut self, step: &Step, spec: &ActionSpec) -> Vec<String> {
        let own = self.scopes.at(step);
        let mut notes = Vec::new();
        let needs = step.needs.join(", ");
        match (step.needs.is_empty(), step.always) {
            (true, _) => {}
            (false, false) => notes.push(format!("After {needs} succeeded.")),
            (false, true) => {
                notes
                    .push(format!("After {needs} ended, whatever became of them: always do this."));
            }
        }
        if let Some(when) = &step.when {
            notes.push(match when.evaluate(&own) {
                Ok(Value::Bool(true)) => format!("Only when `{}`, which holds here.", when.text()),
                Ok(Value::Bool(false)) => {
                    format!("Only when `{}`, which does not hold here: leave it out.", when.text())
                }
                _ => format!("Only when this holds: `{}`.", when.text()),
            });
        }
        if let Some(list) = &step.for_each {
            notes.push(format!("Once for each item of `{}`.", list.items.to_json()));
        }
        if step.irreversible || matches!(spec.reversibility, Reversibility::Irreversible) {
            notes.push("IRREVERSIBLE: look twice before you do it.".to_owned());
        }
        let limit = format(step.timeout.unwrap_or(spec.default_timeout));
        let then = match step.on_failure {
            OnFailure::Stop => "stop, and do only the steps that are always done",
            OnFailure::Continue => "go on with the steps that do not need it",
            OnFailure::Undo => "undo what was done, newest first",
            OnFailure::Ask => "ask who decides",
        };
        notes.push(format!("When it has not succeeded after {limit}: {then}."));
        notes
    }
}

/// Whether a value is unknown, or secret, or has something like that inside.
fn hidden(value: &Value) -> bool {
    match value {
        Value::Unknown(_) | Value::Secret(_) => true,
        Value::List(items) => items.iter().any(hidden),
        Value::Map(map) => map.values().any(hidden),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Time(_)
        | Value::Duration(_) => false,
    }
}

type Items = Vec<(Option<String>, Option<Value>)>;

/// The items of a repeated step when they are known and few; else one that is unknown.
fn expand_known(step: &Step, scope: &Scope) -> Result<Items, String> {
    let Some(list) = &step.for_each else { return Ok(vec![(None, None)]) };
    let unknown = || vec![(None, Some(Value::Unknown("the item".to_owned())))];
    match list.items.evaluate(scope) {
        Ok(value) if value.unknown_reason().is_some() => return Ok(unknown()),
        _ => {}
    }
    match expand(step, scope).map_err(|error| error.to_string())? {
        Some(items) if items.len() <= MOST_ITEMS => {
            Ok(items.into_iter().map(|(key, it)| (Some(key), Some(it))).collect())
        }
        _ => Ok(unknown()),
    }
}
