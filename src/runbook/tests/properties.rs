//! Properties: nothing panics, printing and parsing agree, the checker and the evaluator agree, and
//! long files take time in proportion.

use super::actions;
use super::expressions::{TestShapes, scope};
use crate::runbook::check::check;
use crate::runbook::parse::parse;
use crate::runbook::{Expression, FaultKind, Template, load_runbook};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use std::cell::Cell;
use std::fmt::Write as _;

/// Pieces that make text look like an expression.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "params", "steps", ".", "a", "outputs", "[", "]", "(", ")", "'", "\"", "1", "2.5", "+",
        "-", "!", "&&", "||", "==", "<", "in", "?", ":", ",", " ", "size(", "has(", "\\", "é",
        "${{", "}}", "null", "true",
    ]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// Expressions as text, mostly well-typed ones among many that are not.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "0",
        "7",
        "2.5",
        "0.0",
        "'a'",
        "'hello'",
        "true",
        "false",
        "null",
        "[1, 2]",
        "['a']",
        "params.flag",
        "params.count",
        "params.ratio",
        "params.word",
        "params.at",
        "params.age",
        "params.words",
        "params.pw",
        "params.any",
        "params.maybe",
        "params.later",
        "steps.a.outputs.n",
        "steps.a.outputs.t",
        "steps.a.status",
        "estate.databases",
        "estate.databases.orders",
        "env.region",
        "run.keep",
        "run.disaster_at",
        "run.started_at",
        "duration('1h')",
        "timestamp('2026-01-01T00:00:00Z')",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        let operators = prop::sample::select(vec![
            "||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%",
        ]);
        let functions =
            prop::sample::select(vec!["size", "int", "double", "string", "duration", "timestamp"]);
        prop_oneof![
            4 => (inner.clone(), operators, inner.clone()).prop_map(|(a, o, b)| format!("({a}) {o} ({b})")),
            1 => inner.clone().prop_map(|a| format!("!({a})")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => inner.clone().prop_map(|a| format!("[{a}, {a}]")),
            1 => (functions, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}).contains({b})")),
            1 => inner.prop_map(|a| format!("has(({a}).orders)")),
        ]
    })
}

/// Conditions over numbers and instants that are well-typed by construction.
fn typed() -> impl Strategy<Value = String> {
    let number = prop::sample::select(vec![
        "1",
        "0",
        "-3",
        "params.count",
        "steps.a.outputs.n",
        "size(params.words)",
        "int('4')",
        "size(steps.a.outputs.t)",
        "estate.databases.orders.port",
        "[4, 5][1]",
    ])
    .prop_map(str::to_owned)
    .prop_recursive(3, 12, 2, |inner| {
        let operators = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        (inner.clone(), operators, inner).prop_map(|(a, o, b)| format!("({a} {o} {b})"))
    });
    let time = prop::sample::select(vec![
        "params.at",
        "timestamp('2026-01-01T00:00:00Z')",
        "(params.at - duration('2h'))",
        "(params.at + params.age)",
        "run.started_at",
    ]);
    let compare = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
    let condition = prop_oneof![
        (number.clone(), compare.clone(), number).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        (time.clone(), compare, time).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
        Just("params.later".to_owned()),
        Just("steps.a.status == 'failed'".to_owned()),
        Just("params.word in params.words".to_owned()),
    ];
    condition.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && !({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) || ({b})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("({a}) ? ({b}) : ({c})")),
        ]
    })
}

/// Whether a type is known through and through, so that no null and no surprise can come of it.
pub(super) fn uncertain(text: &str) -> bool {
    ["params.any", "params.maybe", "null", "run.disaster_at"].iter().any(|it| text.contains(it))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parser_never_panics(text in any::<String>(), likely in pieces()) {
        for text in [text, likely] {
            match parse(&text) {
                Ok(_) => {}
                Err(error) => prop_assert!(text.get(error.span.clone()).is_some(), "{text:?} {error:?}"),
            }
            let _ = Template::parse_json(&json!(format!("${{{{{text}")));
            let _ = Template::parse_json(&json!(text));
        }
    }

    #[test]
    fn printing_and_parsing_agree(text in expressions()) {
        let tree = parse(&text).expect("generated expressions parse");
        let printed = tree.to_string();
        let again = parse(&printed).unwrap_or_else(|error| panic!("{printed}: {error}"));
        prop_assert_eq!(&again, &tree, "{} printed as {}", text, printed);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn parsed_text_prints_stably(text in pieces()) {
        if let Ok(tree) = parse(&text) {
            let printed = tree.to_string();
            prop_assert_eq!(parse(&printed), Ok(tree), "{} printed as {}", text, printed);
        }
    }

    #[test]
    fn documents_never_panic(text in "(apiVersion|kind|steps|id|uses|when|with|needs|for_each|[a-z:\\-\\[\\]{} $'\"!#\n]){0,60}") {
        let _ = load_runbook("x.yaml", &text, &actions());
        let body = format!("apiVersion: drctl/v1\nkind: Runbook\nname: x\nsteps:\n  - id: a\n    uses: test.echo\n    when: {text}\n");
        let _ = load_runbook("x.yaml", &body, &actions());
    }
}

/// What the checker accepts does not fail on types when it is evaluated, and has the type that the
/// checker said. Enough of the generated expressions must be well-typed for this to mean something.
#[test]
fn checker_and_evaluator_agree() {
    let well_typed = Cell::new(0);
    let config = Config { cases: 6_000, failure_persistence: None, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let generated = prop_oneof![expressions(), typed()];
    let result = TestRunner::new_with_rng(config, random).run(&generated, |text| {
        let expression = Expression::parse(&text).expect("generated expressions parse");
        let mut complaints = Vec::new();
        let kind = check(expression.tree(), &TestShapes, &mut complaints);
        for complaint in &complaints {
            prop_assert!(text.get(complaint.span.clone()).is_some());
        }
        let result = expression.evaluate(&scope());
        if !complaints.is_empty() || uncertain(&text) {
            return Ok(());
        }
        well_typed.set(well_typed.get() + usize::from(expression.tree().depth > 1));
        match result {
            Err(error) => prop_assert!(error.kind == FaultKind::Value, "{text}: {error}"),
            Ok(value) => {
                prop_assert!(value.clone().coerce(&kind).is_ok(), "{text}: {kind} is {value:?}");
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(well_typed.get() > 2_500, "only {} well-typed expressions", well_typed.get());
}

#[test]
fn long_files_load_in_proportion() {
    let steps = 20_000;
    let mut text = "apiVersion: drctl/v1\nkind: Runbook\nname: long\nsteps:\n".to_owned();
    text.push_str("  - { id: s0, uses: test.echo }\n");
    for step in 1..steps {
        let needed = step - 1;
        // Every step refers to the first one, which is upstream only through all the others.
        let expression = if step % 100 == 0 { "steps.s0.outputs.text" } else { "env.name" };
        writeln!(
            text,
            "  - {{ id: s{step}, uses: test.echo, needs: [s{needed}], with: {{ text: '${{{{ {expression} }}}}' }} }}"
        )
        .expect("writing to text");
    }
    let (runbook, warnings) = load_runbook("long.yaml", &text, &actions())
        .unwrap_or_else(|p| panic!("{:.400}", p.to_string()));
    assert_eq!(runbook.steps.len(), steps);
    assert_eq!(warnings.sorted().len(), 1, "only the last step is needed by nobody");
    let more = text + "  - { id: one_more, uses: test.echo, always: true }\n";
    let problems = load_runbook("long.yaml", &more, &actions()).expect_err("too long");
    assert_eq!(problems.sorted()[0].code, "DR023");
}
