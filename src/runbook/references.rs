//! What the names in a step's expressions mean, and the checks of its inputs, conditions and lists.
//!
//! **Invariant:** every expression of a step is checked exactly once.

use crate::action::spec::{ActionSpec, Need};
use crate::base::diagnostic::{Problems, Span};
use crate::base::duration;
use crate::base::value::{Type, Value};
use crate::runbook::call::{self, CALL};
use crate::runbook::check::{Shapes, check, suggestion};
use crate::runbook::codes;
use crate::runbook::graph::Graph;
use crate::runbook::kinds::{bare, fits, joined, present, printable, text_fits};
use crate::runbook::model::Runbook;
use crate::runbook::place::{focus, report};
use crate::runbook::shapes::StepShapes;
use crate::runbook::steps::Draft;
use crate::runbook::template::{Part, Placed, Template, TemplateKind};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

/// Everything about a file that names can mean.
pub(crate) struct World<'a> {
    pub(crate) drafts: &'a [Draft],
    pub(crate) positions: &'a BTreeMap<String, usize>,
    pub(crate) graph: &'a Graph,
    pub(crate) params: Type,
    /// Which steps have, or have upstream, a need that is wrong.
    pub(crate) lost: Vec<bool>,
    /// What each step's action declares; `None` for an unknown action.
    pub(crate) specs: Vec<Option<&'a ActionSpec>>,
    /// Runbooks that steps call.
    pub(crate) called: &'a BTreeMap<usize, Runbook>,
    /// How many more times an unknown step or parameter is compared with all that exist.
    pub(crate) suggestions: Cell<u32>,
}

impl World<'_> {
    /// What was probably meant by `word`, as long as suggestions are left.
    pub(crate) fn suggest<'s>(
        &self,
        word: &str,
        names: impl Iterator<Item = &'s String> + Clone,
    ) -> Option<String> {
        let left = self.suggestions.get();
        self.suggestions.set(left.saturating_sub(1));
        (left > 0).then(|| suggestion(word, names.map(String::as_str)))
    }
}

/// Checks all expressions and inputs of the step at `index`.
pub(crate) fn check_step(world: &World<'_>, index: usize, problems: &mut Problems) {
    let draft = &world.drafts[index];
    let plan = StepShapes::before_planning(world, index);
    let each = draft
        .step
        .for_each
        .as_ref()
        .map(|list| Inputs { shapes: &plan, problems }.for_each(&list.items));
    let shapes = StepShapes::of_step(world, index, each);
    let mut inputs = Inputs { shapes: &shapes, problems };
    if let Some(placed) = &draft.when {
        let kind = inputs.expression(placed);
        if !matches!(bare(&kind), Type::Bool | Type::Any) {
            let message = format!("`when` must be true or false, found {kind}");
            inputs.problems.error(codes::TYPE, focus(placed), message);
        }
    }
    if let Some(region) = &draft.step.region {
        inputs.template(region, &Type::String);
    }
    let spec = world.specs[index];
    for (name, template) in &draft.step.with {
        // Those of a call are checked against the runbook that it calls.
        if draft.step.uses == CALL && name == "parameters" {
            continue;
        }
        let field = spec.and_then(|spec| spec.input(name));
        inputs.template(template, field.map_or(&Type::Any, |field| &field.kind));
        if let (Some(spec), None) = (spec, field) {
            let span = draft.input_spans.get(name).copied().unwrap_or(draft.uses_span);
            let names = spec.inputs.iter().map(|field| field.name);
            let message = format!("`{}` has no input `{name}`", spec.name);
            let help = suggestion(name, names);
            inputs.problems.error(codes::UNKNOWN_INPUT, span, message).help(help);
        }
    }
    if let Some(called) = world.called.get(&index) {
        call::check(draft, called, &shapes, problems);
    }
    for field in spec.iter().flat_map(|spec| &spec.inputs) {
        if field.need == Need::Required && !draft.step.with.contains_key(field.name) {
            let message = format!("`{}` needs the input `{}`", draft.step.uses, field.name);
            let help = format!("it is {}: {}", field.kind, field.summary);
            problems.error(codes::MISSING_INPUT, draft.uses_span, message).help(help);
        }
    }
}

/// Checks values against the types that are wanted.
pub(crate) struct Inputs<'a> {
    pub(crate) shapes: &'a dyn Shapes,
    pub(crate) problems: &'a mut Problems,
}

impl Inputs<'_> {
    fn expression(&mut self, placed: &Placed) -> Type {
        let mut complaints = Vec::new();
        let kind = check(placed.expression.tree(), self.shapes, &mut complaints);
        report(placed, complaints, self.problems);
        kind
    }

    /// Checks a value of which nothing is wanted, and says what it is.
    pub(crate) fn kind_of(&mut self, template: &Template) -> Type {
        match &template.kind {
            TemplateKind::Sole(placed, _) => self.expression(placed),
            TemplateKind::Text(_) => Type::String,
            TemplateKind::Mixed(parts, _) => {
                self.mixed(parts);
                Type::String
            }
            TemplateKind::Fixed(Value::Int(_)) => Type::Int,
            TemplateKind::Fixed(Value::Float(_)) => Type::Float,
            TemplateKind::Fixed(Value::Bool(_)) => Type::Bool,
            TemplateKind::Fixed(_) => Type::Any,
            TemplateKind::List(_) | TemplateKind::Map(_) => {
                self.template(template, &Type::Any);
                Type::Any
            }
        }
    }

    fn wrong(&mut self, span: Span, message: String) {
        self.problems.error(codes::INPUT_TYPE, span, message);
    }

    /// Checks a value against the type that is wanted.
    pub(crate) fn template(&mut self, template: &Template, wanted: &Type) {
        match (&template.kind, present(wanted)) {
            (TemplateKind::Fixed(value), _) => self.literal(value.clone(), template.span, wanted),
            (TemplateKind::Text(text), _) => self.literal(Value::text(text), template.span, wanted),
            (TemplateKind::Sole(placed, _), _) => {
                let kind = self.expression(placed);
                if !fits(&kind, wanted) {
                    self.wrong(focus(placed), format!("expected {wanted}, found {kind}"));
                }
            }
            (TemplateKind::Mixed(parts, _), _) => {
                self.mixed(parts);
                if !text_fits(wanted) {
                    self.wrong(template.span, format!("expected {wanted}, found text"));
                }
            }
            (TemplateKind::List(items), Type::List(inner)) => {
                items.iter().for_each(|item| self.template(item, inner));
            }
            (TemplateKind::Map(map), Type::Map(inner)) => {
                map.values().for_each(|item| self.template(item, inner));
            }
            (TemplateKind::Map(map), Type::Record(fields)) => {
                self.record(template.span, map, fields);
            }
            (TemplateKind::List(items), kind) => {
                items.iter().for_each(|item| self.template(item, &Type::Any));
                if *kind != Type::Any {
                    self.wrong(template.span, format!("expected {wanted}, found a list"));
                }
            }
            (TemplateKind::Map(map), kind) => {
                map.values().for_each(|item| self.template(item, &Type::Any));
                if *kind != Type::Any {
                    self.wrong(template.span, format!("expected {wanted}, found a map"));
                }
            }
        }
    }

    fn literal(&mut self, value: Value, span: Span, wanted: &Type) {
        let hint = value.hint(wanted);
        match value.coerce(wanted) {
            Err(why) => {
                let problem = self.problems.error(codes::INPUT_TYPE, span, why);
                if let Some(hint) = hint {
                    problem.help(hint);
                }
            }
            Ok(Value::Duration(given)) => {
                if let Some(why) = duration::too_long(given) {
                    self.problems.error(codes::RANGE, span, why);
                }
            }
            Ok(_) => {}
        }
    }

    /// Checks that every expression of a mixed text can stand in text.
    fn mixed(&mut self, parts: &[Part]) {
        for part in parts {
            let Part::Expression(placed) = part else { continue };
            let kind = self.expression(placed);
            if !printable(&kind) {
                let message = format!("{kind} cannot stand inside text");
                self.problems
                    .error(codes::INTERPOLATION, focus(placed), message)
                    .help("give it alone, as the whole value");
            }
        }
    }

    fn record(
        &mut self,
        span: Span,
        map: &BTreeMap<String, Template>,
        fields: &BTreeMap<String, Type>,
    ) {
        for (name, item) in map {
            self.template(item, fields.get(name).unwrap_or(&Type::Any));
            if !fields.contains_key(name) {
                let help = suggestion(name, fields.keys().map(String::as_str));
                let message = format!("unknown field `{name}`");
                self.problems.error(codes::INPUT_TYPE, item.span, message).help(help);
            }
        }
        for (name, kind) in fields {
            if !map.contains_key(name) && !matches!(kind, Type::Optional(_) | Type::Any) {
                self.wrong(span, format!("the field `{name}` is missing"));
            }
        }
    }

    /// Checks the list of an expanded step; gives the type of its items.
    fn for_each(&mut self, items: &Template) -> Type {
        let kind = match &items.kind {
            TemplateKind::List(list) => self.item_list(list),
            TemplateKind::Sole(placed, _) => {
                let kind = self.expression(placed);
                if let Type::List(inner) = present(&kind) {
                    return self.item_kind((**inner).clone(), items.span);
                }
                if *present(&kind) != Type::Any {
                    let message = format!("`for_each` needs a list, found {kind}");
                    self.problems.error(codes::FOR_EACH, focus(placed), message);
                }
                Type::Any
            }
            TemplateKind::Fixed(_)
            | TemplateKind::Text(_)
            | TemplateKind::Mixed(..)
            | TemplateKind::Map(_) => {
                self.problems
                    .error(codes::FOR_EACH, items.span, "`for_each` needs a list")
                    .help("write `[a, b]` or `${{ params.<a list> }}`");
                Type::Any
            }
        };
        self.item_kind(kind, items.span)
    }

    /// Checks that items of this type can be keys.
    fn item_kind(&mut self, kind: Type, span: Span) -> Type {
        if !matches!(bare(&kind), Type::String | Type::Int | Type::Any) {
            let message = format!("items of `for_each` are text or whole numbers, not {kind}");
            self.problems.error(codes::FOR_EACH, span, message);
        }
        kind
    }

    fn item_list(&mut self, list: &[Template]) -> Type {
        let mut keys = BTreeSet::new();
        let mut kinds = Vec::new();
        for item in list {
            let (kind, key) = match &item.kind {
                TemplateKind::Text(text) => (Type::String, Some(text.clone())),
                TemplateKind::Fixed(Value::Int(number)) => (Type::Int, Some(number.to_string())),
                TemplateKind::Sole(placed, _) => (self.expression(placed), None),
                TemplateKind::Mixed(parts, _) => {
                    self.mixed(parts);
                    (Type::String, None)
                }
                TemplateKind::Fixed(_) | TemplateKind::List(_) | TemplateKind::Map(_) => {
                    let message = "items of `for_each` are text or whole numbers";
                    self.problems.error(codes::FOR_EACH, item.span, message);
                    (Type::Any, None)
                }
            };
            if let Some(key) = key.filter(|key| !keys.insert(key.clone())) {
                let message = format!("`{key}` stands twice in `for_each`");
                self.problems.error(codes::FOR_EACH, item.span, message);
            }
            kinds.push(kind);
        }
        let mut kinds = kinds.into_iter();
        let first = kinds.next().unwrap_or(Type::Any);
        kinds.try_fold(first, |kind, next| joined(&kind, &next)).unwrap_or(Type::Any)
    }
}
