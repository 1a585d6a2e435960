//! Fuzzing of the parsers: files, and expressions. Every run of the tests tries some thousands of
//! inputs; more, or others, with
//!
//! ```text
//! DRCTL_FUZZ_RUNS=10000 DRCTL_FUZZ_SEED=7 cargo test --lib fuzz_ -- --nocapture
//! ```
//!
//! An input depends on the seed and its number only; one that breaks a property is printed.

mod mutate;

use super::expressions::{TestShapes, scope as test_scope};
use super::shipped::{ESTATE, run_facts};
use crate::action::spec::ActionSpec;
use crate::action::standard;
use crate::base::clock::parse_instant;
use crate::base::diagnostic::{Problems, Shown, draw};
use crate::base::value::{Type, Value, Values};
use crate::base::yaml::decode;
use crate::estate;
use crate::runbook::check::check;
use crate::runbook::parse::parse;
use crate::runbook::{
    Actions, EvaluationError, Expression, FaultKind, Runbook, Scope, Template, check_drill,
    load_drill, load_runbook,
};
use mutate::{Mutator, expressions, seeds};
use serde_json::json;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Tries inputs, each with one or with at most `most` changes; cheap ones have a `weight`. Counts what `attempt` says became of them.
fn fuzz(
    what: &str,
    (weight, most): (u64, u8),
    inputs: &[String],
    attempt: impl Fn(&mut Mutator, &str) -> &'static str,
) -> BTreeMap<&'static str, u64> {
    let runs = weight * setting("DRCTL_FUZZ_RUNS", 1_000);
    let seed = setting("DRCTL_FUZZ_SEED", 1);
    let mut counts = BTreeMap::new();
    for run in 0..runs {
        let number = seed.wrapping_mul(1_000_000_007).wrapping_add(run);
        let mut mutator = Mutator { random: fastrand::Rng::with_seed(number) };
        let pick = |mutator: &mut Mutator| mutator.random.usize(..inputs.len());
        let (one, other) = (pick(&mut mutator), pick(&mut mutator));
        // The first ones as they are: they must pass too.
        let most = if mutator.random.bool() { 1 } else { most };
        let text = match usize::try_from(run).ok().and_then(|run| inputs.get(run)) {
            Some(input) => input.clone(),
            None => mutator.change(&inputs[one], &inputs[other], most),
        };
        match catch_unwind(AssertUnwindSafe(|| attempt(&mut mutator, &text))) {
            Ok(outcome) => *counts.entry(outcome).or_default() += 1,
            Err(panic) => {
                println!("{what}, seed {seed}, run {run}: {text:?}");
                resume_unwind(panic);
            }
        }
    }
    println!("{what}: {runs} runs, {counts:?}");
    counts
}

/// Every place is inside the file, can be drawn, and the drawing is bounded.
fn examine(problems: &Problems) {
    let text = problems.text();
    let lines = text.split('\n').count() + 1;
    for problem in problems.sorted() {
        let span = problem.span;
        assert!(text.get(span.start..span.end).is_some(), "{span:?} of {problem:?}");
        assert!(usize::try_from(span.line).expect("small") <= lines, "{problem:?}");
        assert!(!problem.message.is_empty() && problem.message.len() < 100_000);
        if let Some(replacement) = problems.replacement(problem) {
            assert_ne!(replacement, text[span.start..span.end], "{problem:?}");
        }
        let (line, column) = problems.end_of(span);
        assert!((line, column) >= (span.line, span.column), "{problem:?}");
    }
    let drawn = draw(problems, Shown::default());
    let held: usize = problems.sorted().iter().map(|problem| problem.message.len()).sum();
    assert!(drawn.len() < 200_000 + 20 * held, "{} bytes", drawn.len());
    let control = |c: char| c.is_control() && c != '\n' && c != '\u{1b}';
    assert!(!drawn.contains(control), "{drawn:?}");
}

/// Some value of a type; what may be anything is unknown.
fn value_of(kind: &Type) -> Value {
    match kind {
        Type::Any => Value::Unknown("anything".to_owned()),
        Type::Bool => Value::Bool(true),
        Type::Int => Value::Int(3),
        Type::Float => Value::Float(0.5),
        Type::String => Value::text("hello"),
        Type::LatestOrTime => Value::text("latest"),
        Type::Time => Value::Time(parse_instant("2026-03-01T10:00:00Z").expect("an instant")),
        Type::Duration => Value::Duration(Duration::from_secs(90)),
        Type::Secret => Value::Secret("hunter2".to_owned().into()),
        Type::OneOf(words) => Value::text(words[0]),
        Type::List(inner) => Value::List(vec![value_of(inner)]),
        Type::Map(inner) => Value::Map(Values::from([("key".to_owned(), value_of(inner))])),
        Type::Record(fields) => {
            Value::Map(fields.iter().map(|(name, kind)| (name.clone(), value_of(kind))).collect())
        }
        Type::Optional(_) => Value::Null,
    }
}

/// What an accepted runbook computes never fails on types: all names have values of their types.
fn evaluate_all(runbook: &Runbook, spec: &dyn Fn(&str) -> Option<ActionSpec>) {
    let params = runbook.parameters.iter().map(|it| (it.name.clone(), value_of(&it.value_type())));
    let estate = estate::load("e.yaml", ESTATE).expect("valid");
    let mut scope = Scope::of(params.collect())
        .with_estate(&estate, &estate.environments["other"])
        .with_run(&run_facts());
    for step in &runbook.steps {
        let spec = spec(&step.uses).expect("an accepted step has an action");
        let outputs = spec.outputs.iter().map(|it| (it.name.to_owned(), value_of(&it.kind)));
        scope.set_step(&step.id, Value::text("succeeded"), outputs.collect());
    }
    let typed = |error: EvaluationError| assert_ne!(error.kind, FaultKind::Type, "{error}");
    for step in runbook.steps.iter().filter(|step| step.for_each.is_none()) {
        let _ = step.when.as_ref().map(|when| when.evaluate(&scope).map_err(typed));
        let templates = step.with.values().chain(&step.region);
        templates.for_each(|template| drop(template.evaluate(&scope).map_err(typed)));
    }
}

#[test]
fn fuzz_files() {
    let catalogue = standard();
    let shipped = load_runbook("r.yaml", &seeds()[0], &catalogue).expect("shipped").0;
    let spec = |name: &str| Actions::spec(&catalogue, name).cloned();
    let attempt = |mutator: &mut Mutator, text: &str| {
        let bytes = mutator.bytes(text);
        let text = match decode("x.yaml", bytes) {
            Ok(text) => text,
            Err(problems) => {
                examine(&problems);
                return "not text";
            }
        };
        let mut outcome = "refused";
        match load_runbook("x.yaml", &text, &catalogue) {
            Ok((runbook, warnings)) => {
                assert!(!warnings.has_errors());
                examine(&warnings);
                let again = load_runbook("x.yaml", &runbook.text, &catalogue).expect("as before");
                assert_eq!(again, (runbook.clone(), warnings));
                evaluate_all(&runbook, &spec);
                outcome = "a runbook";
            }
            Err(problems) => {
                assert!(problems.has_errors());
                examine(&problems);
            }
        }
        match load_drill("x.yaml", &text) {
            Ok(drill) => {
                assert_eq!(load_drill("x.yaml", &drill.text).expect("as before"), drill);
                examine(&check_drill(&drill, &shipped));
                outcome = "a drill";
            }
            Err(problems) => examine(&problems),
        }
        match estate::load("x.yaml", &text) {
            Ok(estate) => {
                assert_eq!(estate::load("x.yaml", &estate.text).expect("as before"), estate);
                outcome = "an estate";
            }
            Err(problems) => examine(&problems),
        }
        outcome
    };
    let counts = fuzz("files", (1, 6), &seeds(), attempt);
    for outcome in ["not text", "refused", "a runbook", "a drill", "an estate"] {
        assert!(counts.get(outcome).is_some_and(|count| *count > 5), "{outcome}: {counts:?}");
    }
}

#[test]
fn fuzz_expressions() {
    let scope = test_scope();
    let attempt = |_: &mut Mutator, text: &str| {
        let template = Template::parse_json(&json!(format!("a ${{{{ {text} }}}} {text}")));
        if let Ok(template) = template {
            drop(template.evaluate(&scope));
        }
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(error) => {
                assert!(text.get(error.span.clone()).is_some(), "{error:?}");
                return "no expression";
            }
        };
        let printed = expression.tree().to_string();
        assert_eq!(parse(&printed).as_ref(), Ok(expression.tree()), "printed as {printed}");
        let mut complaints = Vec::new();
        let kind = check(expression.tree(), &TestShapes, &mut complaints);
        for complaint in &complaints {
            assert!(
                text.get(complaint.span.clone()).is_some_and(|it| !it.is_empty()),
                "{complaint:?}"
            );
        }
        let result = expression.evaluate(&scope);
        if !complaints.is_empty() || super::properties::uncertain(text) {
            return "refused or uncertain";
        }
        match result {
            Err(error) => {
                assert_ne!(error.kind, FaultKind::Type, "{error}");
                assert!(text.get(error.span).is_some());
                "no value"
            }
            Ok(value) => {
                assert!(value.clone().coerce(&kind).is_ok(), "{kind} is {value:?}");
                "a value"
            }
        }
    };
    let counts = fuzz("expressions", (6, 2), &expressions(&seeds()), attempt);
    for outcome in ["no expression", "refused or uncertain", "no value", "a value"] {
        assert!(counts.get(outcome).is_some_and(|count| *count > 20), "{outcome}: {counts:?}");
    }
}
