//! Reads the steps of a runbook, one by one, without looking at the others.
//!
//! **Invariant:** a field that cannot be executed in this version is an error, never ignored.

use crate::base::diagnostic::Span;
use crate::base::duration;
use crate::base::yaml::{Fields, Kind, Node};
use crate::runbook::codes;
use crate::runbook::document::{Naming, check_name, items, name, word};
use crate::runbook::expression::Expression;
use crate::runbook::model::{ForEach, OnFailure, Phase, Retry, Step};
use crate::runbook::place::Reader;
use crate::runbook::shape::{RETRY, STEP};
use crate::runbook::template::{Placed, Template};
use std::collections::BTreeMap;
use std::time::Duration;

/// A step with the places that its checks need.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) step: Step,
    pub(crate) id_span: Span,
    pub(crate) uses_span: Span,
    pub(crate) needs: Vec<(String, Span)>,
    /// Whether something in `needs` could not be read.
    pub(crate) needs_unread: bool,
    pub(crate) input_spans: BTreeMap<String, Span>,
    pub(crate) when: Option<Placed>,
    /// Whether the file names a phase.
    pub(crate) phase: Option<Phase>,
}

/// Fields that belong to the language and are not executable yet, with what to do instead.
const NOT_EXECUTABLE: [(&str, &str); 2] = [
    ("gate", "put a step that uses `gate.approve` before it, and let it need that one"),
    ("undo", "write the way back as an `always` step with a `when`"),
];

/// First delay of a retry that names none.
const DEFAULT_BACKOFF: Duration = Duration::from_secs(2);
/// Most tries of one step: with the longest delay of a minute this is more than an hour and a half.
pub(crate) const MAX_ATTEMPTS: u32 = 100;

/// Reads one step.
pub(crate) fn read(node: &Node, reader: &mut Reader<'_>) -> Draft {
    let what = format!("step{}", id_of(node));
    let mut f = Fields::of(node, &what, reader.problems).shaped(&STEP);
    let (id, id_span) =
        name(&mut f, "id", Naming::Id, reader.problems).unwrap_or((String::new(), node.span));
    let title = f.text("title", reader.problems).unwrap_or_else(|| id.clone());
    let uses_span = f.node("uses").map_or(node.span, |node| node.span);
    let uses = f.required_text("uses", reader.problems).unwrap_or_default();
    let (with, input_spans) = inputs(&mut f, reader);
    let (needs, needs_unread) = needs(&mut f, reader);
    let when = f.node("when").and_then(|node| when(node, reader));
    let region = f.node("region").map(|node| reader.template(node));
    let account = f.text("account", reader.problems);
    if let (Some(account), Some(node)) = (&account, f.node("account")) {
        check_name(account, Naming::Id, node.span, reader.problems);
    }
    let for_each = f.node("for_each").map(|node| ForEach { items: reader.template(node) });
    let phase = word(&mut f, "phase", &Phase::NAMES, reader.problems);
    let timeout = timeout(&mut f, reader);
    let retry = f.node("retry").map(|node| retry(node, reader));
    let on_failure = word(&mut f, "on_failure", &OnFailure::NAMES, reader.problems);
    let mut flag = |name| f.boolean(name, reader.problems).unwrap_or(false);
    let (always, idempotent, irreversible) =
        (flag("always"), flag("idempotent"), flag("irreversible"));
    for (field, help) in NOT_EXECUTABLE {
        if let Some(node) = f.node(field) {
            let message =
                format!("`{field}` belongs to the language; this version cannot execute it");
            reader.problems.error(codes::NOT_EXECUTABLE, node.span, message).help(help);
        }
    }
    f.finish(reader.problems);
    let step = Step {
        id,
        title,
        uses,
        with,
        needs: needs.iter().map(|(id, _)| id.clone()).collect(),
        children: Vec::new(),
        when: when.as_ref().map(|placed| placed.expression.clone()),
        region,
        account,
        for_each,
        phase: phase.unwrap_or(Phase::Provision),
        timeout,
        retry,
        on_failure: on_failure.unwrap_or_default(),
        always,
        idempotent,
        irreversible,
        span: node.span,
    };
    Draft { step, id_span, uses_span, needs, needs_unread, input_spans, when, phase }
}

/// The id for messages, before anything is checked.
fn id_of(node: &Node) -> String {
    let Kind::Map(entries) = &node.kind else { return String::new() };
    match entries.iter().find(|(key, _)| key.name == "id") {
        Some((_, Node { kind: Kind::Text(id), .. })) => format!(" `{id}`"),
        _ => String::new(),
    }
}

type Inputs = (BTreeMap<String, Template>, BTreeMap<String, Span>);

fn inputs(f: &mut Fields<'_>, reader: &mut Reader<'_>) -> Inputs {
    let mut inputs = Inputs::default();
    for (key, node) in f.entries("with", reader.problems) {
        inputs.0.insert(key.name.clone(), reader.template(node));
        inputs.1.insert(key.name.clone(), key.span);
    }
    inputs
}

/// The step ids, and whether something else stands among them or in their place.
fn needs(f: &mut Fields<'_>, reader: &mut Reader<'_>) -> (Vec<(String, Span)>, bool) {
    let mut needs = Vec::new();
    let list = items(f, "needs", reader.problems);
    let no_list = f.node("needs").is_some_and(|node| !matches!(node.kind, Kind::List(_)));
    for node in list {
        if let Kind::Text(id) = &node.kind {
            needs.push((id.clone(), node.span));
        } else {
            let message = format!("a step id is needed here, found {}", node.kind_name());
            reader.problems.error("DR004", node.span, message);
        }
    }
    let unread = no_list || needs.len() < list.len();
    (needs, unread)
}

fn when(node: &Node, reader: &mut Reader<'_>) -> Option<Placed> {
    let fixed = |text: &str| {
        let expression = Expression::parse(text).expect("a literal is an expression");
        Some(Placed { expression, span: node.span })
    };
    match &node.kind {
        Kind::Text(text) if text.trim_start().starts_with("${{") => {
            reader
                .problems
                .error(codes::SYNTAX, node.span, "`when` is an expression already")
                .help("write it without `${{ }}`");
            None
        }
        Kind::Text(text) => Some(reader.bare(node, text)),
        Kind::Bool(true) => fixed("true"),
        Kind::Bool(false) => fixed("false"),
        Kind::Null | Kind::Int(_) | Kind::Float(_) | Kind::List(_) | Kind::Map(_) => {
            let message = format!("`when` must be an expression, found {}", node.kind_name());
            reader.problems.error("DR004", node.span, message).help(
                "quote an expression that begins with `!` or `[`, as in `when: \"!run.keep\"`: \
                 YAML reads these characters itself",
            );
            None
        }
    }
}

fn timeout(f: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<Duration> {
    let span = f.node("timeout")?.span;
    let timeout = f.duration("timeout", reader.problems)?;
    if timeout.is_zero() {
        reader.problems.error(codes::RANGE, span, "a time-out must be longer than nothing");
    }
    if let Some(why) = duration::too_long(timeout) {
        reader.problems.error(codes::RANGE, span, format!("`timeout`: {why}"));
    }
    Some(timeout.min(duration::LONGEST))
}

fn retry(node: &Node, reader: &mut Reader<'_>) -> Retry {
    let mut f = Fields::of(node, "retry", reader.problems).shaped(&RETRY);
    let span = f.node("attempts").map_or(node.span, |node| node.span);
    f.required("attempts", reader.problems);
    let given = f.int("attempts", reader.problems).unwrap_or(1);
    let attempts = u32::try_from(given).unwrap_or(0);
    if attempts == 0 || attempts > MAX_ATTEMPTS {
        let message = format!("`attempts` must be 1 to {MAX_ATTEMPTS}, found {given}");
        reader.problems.error(codes::RANGE, span, message);
    }
    let span = f.node("backoff").map_or(node.span, |node| node.span);
    let backoff = f.duration("backoff", reader.problems).unwrap_or(DEFAULT_BACKOFF);
    if let Some(why) = duration::too_long(backoff) {
        reader.problems.error(codes::RANGE, span, format!("`backoff`: {why}"));
    }
    f.finish(reader.problems);
    Retry { attempts, backoff }
}
