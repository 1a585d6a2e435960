//! Expressions: values, errors, unknowns, and what the checker says about them.

use super::shipped::{ESTATE, run_facts};
use crate::base::clock::parse_instant;
use crate::base::value::{Type, Value, Values};
use crate::estate;
use crate::runbook::check::{Complaint, Refusal, Shapes, check};
use crate::runbook::scope::{STATUSES, record_type, root_type};
use crate::runbook::{Expression, FaultKind, Scope, Template};
use serde_json::json;
use std::time::Duration;

/// Declared names of these tests.
pub(super) struct TestShapes;

impl Shapes for TestShapes {
    fn root(&self, name: &str) -> Result<Type, Refusal> {
        match name {
            "params" => Ok(record_type([
                ("flag", Type::Bool),
                ("count", Type::Int),
                ("ratio", Type::Float),
                ("word", Type::String),
                ("at", Type::Time),
                ("age", Type::Duration),
                ("words", Type::texts()),
                ("pw", Type::Secret),
                ("any", Type::Any),
                ("maybe", Type::Int.or_null()),
                ("later", Type::Bool),
            ])),
            _ => root_type(name).ok_or(("DR031", format!("unknown name `{name}`"), None)),
        }
    }
    fn step(&self, id: &str) -> Result<Type, Refusal> {
        match id {
            "a" => {
                let outputs = record_type([("n", Type::Int), ("t", Type::String)]);
                Ok(record_type([("status", Type::OneOf(STATUSES)), ("outputs", outputs)]))
            }
            _ => Err(("DR031", format!("there is no step `{id}`"), None)),
        }
    }
}

/// Values of the declared names.
pub(super) fn scope() -> Scope {
    let at = parse_instant("2026-03-01T10:00:00Z").expect("an instant");
    let params = Values::from(
        [
            ("flag", Value::Bool(true)),
            ("count", Value::Int(3)),
            ("ratio", Value::Float(0.5)),
            ("word", Value::text("hello")),
            ("at", Value::Time(at)),
            ("age", Value::Duration(Duration::from_secs(90))),
            ("words", Value::from(vec!["a".to_owned(), "b".to_owned()])),
            ("pw", Value::Secret("hunter2".to_owned().into())),
            ("any", Value::text("latest")),
            ("maybe", Value::Null),
            ("later", Value::Unknown("not yet".to_owned())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let estate = estate::load("e.yaml", ESTATE).expect("valid");
    let mut scope = Scope::of(params)
        .with_estate(&estate, &estate.environments["other"])
        .with_run(&run_facts());
    let outputs = Values::from([("n".to_owned(), Value::Int(7))]);
    scope.set_step("a", Value::text("succeeded"), outputs);
    scope
}

fn evaluate(text: &str) -> Result<Value, (FaultKind, String)> {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.evaluate(&scope()).map_err(|error| (error.kind, error.message))
}

pub(super) fn complaints(text: &str) -> (Type, Vec<Complaint>) {
    let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut complaints = Vec::new();
    let kind = check(expression.tree(), &TestShapes, &mut complaints);
    (kind, complaints)
}

#[test]
fn values() {
    for (text, shown) in [
        ("1 + 2 * 3 - 4 / 2 % 3", "5"),
        ("(1 + 2) * -3", "-9"),
        ("-7 / 2", "-3"),
        ("1.5 + 2.0", "3.5"),
        ("'a' + \"b\\n\" + '\\''", "ab\n'"),
        ("1 < 2.5 && !(2 >= 3) || false", "true"),
        ("1 == 1.0", "true"),
        ("params.any == 'latest'", "true"),
        ("params.at == params.at ? 'same' : 'other'", "same"),
        ("params.maybe == null", "true"),
        ("'b' in params.words && !('c' in params.words)", "true"),
        ("'orders' in estate.databases", "true"),
        ("[1, 2] + [3]", "[1,2,3]"),
        ("[1, 2][1]", "2"),
        ("params['words'][0]", "a"),
        ("estate.databases[params.word + ''].instance == ''", "!Value"),
        ("estate.databases.orders.region", "eu-west-1"),
        ("estate.databases['orders'].encrypted", "false"),
        ("env.protected && !env.simulated", "true"),
        ("run.mode", "drill"),
        ("steps.a.outputs.n * 2", "14"),
        ("steps.a.status == 'succeeded'", "true"),
        ("size(params.word) + size(params.words) + size('é')", "8"),
        ("params.word.startsWith('he') && endsWith(params.word, 'lo')", "true"),
        ("contains(params.word, 'ell') && params.word.contains('')", "true"),
        ("keys(estate.databases)[0] + string(size(keys(estate.services)))", "orders0"),
        ("has(estate.databases.orders) && !has(estate.databases.other)", "true"),
        ("has(params.maybe)", "false"),
        ("duration('1h15m') - duration('15m')", "1h"),
        ("params.at + duration('1m')", "2026-03-01T10:01:00Z"),
        ("duration('1m') + params.at - params.at", "1m"),
        ("timestamp('2026-03-01T11:00:00+01:00') == params.at", "true"),
        ("params.at < timestamp('2027-01-01T00:00:00Z')", "true"),
        ("int('42') + int(1.9)", "43"),
        ("double(3) / double('2')", "1.5"),
        ("string(5) + string(true) + string(params.age)", "5true1m30s"),
        ("false ? 1 / 0 : 2", "2"),
        ("false && 1 / 0 == 1", "false"),
        ("1 / 0 == 1 && false", "false"),
        ("1 / 0 == 1 || true", "true"),
        ("1 / 0 == 1 || false", "!Value"),
        ("1 / 0 == 1 || 2 / 0 == 1", "!Value"),
        ("1 / 0 == 1 || params.later", "(unknown: not yet)"),
        ("int(' 4')", "!Value"),
        ("double('4 ')", "!Value"),
        ("1 / 0", "!Value"),
        ("1 % 0", "!Value"),
        ("9223372036854775807 + 1", "!Value"),
        ("1.0 / 0.0", "!Value"),
        ("params.words[2]", "!Value"),
        ("params.words[-1]", "!Value"),
        ("int('x')", "!Value"),
        ("duration('5')", "!Value"),
        ("params.at - timestamp('2027-01-01T00:00:00Z')", "!Value"),
        ("params.maybe + 1", "!Null"),
        ("params.any + 1", "!Type"),
        ("params.pw == 'hunter2'", "!Type"),
        ("string(params.pw)", "!Type"),
        ("params.nothing", "!Value"),
        ("each", "!Type"),
    ] {
        let found = match evaluate(text) {
            Ok(value) => value.to_string(),
            Err((kind, _)) => format!("!{kind:?}"),
        };
        assert_eq!(found, shown, "{text}");
    }
}

#[test]
fn unknown_values_spread_and_stop_where_they_do_not_matter() {
    for (text, shown) in [
        ("params.later", "(unknown: not yet)"),
        ("!params.later", "(unknown: not yet)"),
        ("false && params.later", "false"),
        ("params.later && false", "false"),
        ("params.later && true", "(unknown: not yet)"),
        ("true || params.later", "true"),
        ("params.later || true", "true"),
        ("params.later || 1 / 0 == 1", "(unknown: not yet)"),
        ("params.later ? 1 : 2", "(unknown: not yet)"),
        ("params.later == true", "(unknown: not yet)"),
        ("[params.later] == [true]", "(unknown: not yet)"),
        ("size([params.later])", "1"),
        ("'a' in ['a', steps.b.outputs.x]", "true"),
        ("'c' in ['a', steps.b.outputs.x]", "(unknown: step `b` has not run)"),
        ("steps.a.outputs.t + 'x'", "(unknown: step `a` has no output `t`)"),
        ("estate.databases[steps.b.outputs.x].instance", "(unknown: step `b` has not run)"),
        ("run.started_at", "(unknown: the run's start is known when the run starts)"),
        ("has(steps.b.outputs.x)", "(unknown: step `b` has not run)"),
    ] {
        let value = evaluate(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(value.to_string(), shown, "{text}");
    }
}

#[test]
fn checker_accepts_with_a_type() {
    for (text, kind) in [
        ("params.count + 1", "a whole number"),
        ("params.at - params.at", "a duration"),
        ("params.at - duration('1h')", "an instant"),
        ("params.maybe + 1", "a whole number"),
        ("params.flag ? params.count : null", "a whole number or null"),
        ("params.any.what[0] == 5", "a boolean"),
        ("params.pw", "a secret"),
        ("params.pw == null", "a boolean"),
        ("[params.pw]", "a list of a secret"),
        ("[1, 'a']", "a list of anything"),
        ("[steps.a.status, 'x']", "a list of text"),
        ("estate.databases[params.word].security_groups", "a list of text"),
        ("run.disaster_at", "an instant or null"),
        ("has(run.disaster_at) ? run.disaster_at : params.at", "an instant or null"),
    ] {
        let (found, complaints) = complaints(text);
        assert_eq!((found.to_string().as_str(), complaints.as_slice()), (kind, &[][..]), "{text}");
    }
}

#[test]
fn checker_refuses_with_a_place() {
    for (text, code, marked, part) in [
        ("1 + 'a'", "DR034", "'a'", "whole number and text"),
        ("1 + 2.0", "DR034", "2.0", "number"),
        ("!params.count", "DR034", "params.count", "needs a boolean"),
        ("-params.word", "DR034", "params.word", "needs a number"),
        ("params.cuont > 1", "DR031", "cuont", "no `cuont`"),
        ("params.word.x", "DR034", "x", "has no `x`"),
        ("params.words['a']", "DR034", "'a'", "has no `a`"),
        ("params.words[params.word]", "DR034", "params.word", "cannot be indexed"),
        ("params.at < '2026'", "DR034", "'2026'", "instant and text"),
        ("params.flag < true", "DR034", "true", "boolean"),
        ("params.word == 5", "DR034", "5", "text and a whole number"),
        ("params.pw == 'x'", "DR034", "params.pw", "secret"),
        ("'x' in [params.pw]", "DR034", "[params.pw]", "secret"),
        ("5 in params.words", "DR034", "5", "list of text"),
        ("string(params.pw)", "DR034", "params.pw", "found a secret"),
        ("string(params.words)", "DR034", "params.words", "found a list"),
        ("size(5)", "DR034", "5", "needs text, a list or a map"),
        ("startsWith(params.word, 5)", "DR034", "5", "needs text"),
        ("duration('5')", "DR034", "'5'", "needs a unit"),
        ("timestamp('soon')", "DR034", "'soon'", "written"),
        ("params.flag ? 1 : 'a'", "DR034", "'a'", "two sides"),
        ("params.count ? 1 : 2", "DR034", "params.count", "condition"),
        ("steps.a.status == 'done'", "DR034", "'done'", "never `done`"),
        ("5 == params.word", "DR034", "5", "a whole number and text"),
        ("params.flag + 1", "DR034", "params.flag", "a boolean and a whole number"),
        ("params.count * params.flag", "DR034", "params.flag", "and a boolean"),
        ("params.count == params.word", "DR034", "params.word", "and text"),
        ("params.count / 0", "DR037", "0", "by zero"),
        ("params.ratio / -0.0", "DR037", "-0.0", "by zero"),
        ("params.count % (0)", "DR037", "(0)", "by zero"),
        ("steps.b.status", "DR031", "b", "no step `b`"),
        ("steps", "DR034", "steps", "no value"),
        ("steps[params.word]", "DR034", "steps", "no value"),
        ("nothing", "DR031", "nothing", "unknown name"),
    ] {
        let (_, complaints) = complaints(text);
        assert_eq!(complaints.len(), 1, "{text}: {complaints:?}");
        let found = &complaints[0];
        assert_eq!((found.code, &text[found.span.clone()]), (code, marked), "{text}");
        assert!(found.message.contains(part), "{text}: {}", found.message);
    }
}

#[test]
fn syntax_errors_have_places_and_help() {
    for (text, marked, part) in [
        ("", "", "empty"),
        ("1 +", "", "found the end"),
        ("(1", "", "expected `)`, found the end"),
        ("1 2", "2", "expected an operator"),
        ("a = b", "=", "unexpected `=`"),
        ("a & b", "&", "unexpected `&`"),
        ("'abc", "'abc", "not closed"),
        ("'a\\q'", "\\q", "unknown escape"),
        ("30m", "30m", "neither a number nor a name"),
        ("99999999999999999999", "99999999999999999999", "too large"),
        ("1e999", "1e999", "too large"),
        ("siz(a)", "siz", "unknown function `siz`"),
        ("size()", "size()", "takes 1 values, found 0"),
        ("has(1)", "has(1)", "takes a member"),
        ("a.", "", "expected a name"),
        ("a.5", "5", "expected a name"),
        ("[1, ]", "]", "found `]`"),
        ("in", "in", "found `in`"),
        ("a ? b", "", "expected `:`"),
        ("é", "é", "unexpected `é`"),
    ] {
        let error = Expression::parse(text).expect_err(text);
        assert_eq!(&text[error.span.clone()], marked, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
    assert_eq!(
        Expression::parse("siz(a)").expect_err("unknown").help.as_deref(),
        Some("did you mean `size`?")
    );
}

#[test]
fn depth_and_length_have_limits() {
    for text in [
        format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        "!".repeat(3_000) + "true",
        "-".repeat(3_000) + "1",
        "[".repeat(3_000),
        vec!["1"; 500].join(" + "),
        format!("a{}", ".a".repeat(1_000)),
        "true ? true : ".repeat(200) + "true",
        format!("'{}'", "x".repeat(5_000)),
    ] {
        let error = Expression::parse(&text).expect_err("too much");
        let said = error.message.contains("levels") || error.message.contains("limit");
        assert!(said, "{}", error.message);
    }
    assert!(Expression::parse(&vec!["true"; 90].join(" && ")).is_ok());
}

#[test]
fn templates_keep_types_and_interpolate() {
    let evaluate = |text: &str| {
        let template = Template::parse_json(&json!(text)).expect("valid");
        template.evaluate(&scope()).map_err(|error| error.kind)
    };
    for (text, value) in [
        ("plain $ { } }}", Ok(Value::text("plain $ { } }}"))),
        ("${{ params.count }}", Ok(Value::Int(3))),
        (" ${{ params.count }}\n", Ok(Value::Int(3))),
        ("n=${{ params.count }}!", Ok(Value::text("n=3!"))),
        ("${{ params.count }}${{ params.age }}", Ok(Value::text("31m30s"))),
        ("a ${{ '}}' + \"'\" }} b", Ok(Value::text("a }}' b"))),
        ("x ${{ params.later }}", Ok(Value::Unknown("not yet".to_owned()))),
        ("x ${{ params.maybe }}", Err(FaultKind::Null)),
        ("x ${{ params.pw }}", Err(FaultKind::Type)),
        ("x ${{ params.words }}", Err(FaultKind::Type)),
        ("x ${{ estate.databases }}", Err(FaultKind::Type)),
    ] {
        assert_eq!(evaluate(text), value, "{text}");
    }
    for text in ["${{ 1", "x ${{ '}} }}", "${{ }}", "${{ 1 + }}"] {
        assert!(Template::parse_json(&json!(text)).is_err(), "{text}");
    }
    let nested = json!({ "a": [1, "${{ params.count }}", { "b": null, "c": 1.5 }], "d": true });
    let template = Template::parse_json(&nested).expect("valid");
    assert_eq!(template.to_json(), nested);
    assert_eq!(
        template.evaluate(&scope()).expect("a value").to_json(),
        json!({ "a": [1, 3, { "b": null, "c": 1.5 }], "d": true })
    );
}
