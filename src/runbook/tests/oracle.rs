//! The expression language against CEL as the crate `cel` evaluates it: thousands of generated
//! well-typed expressions, each written with all brackets and with as few as our printer needs, must
//! have the same value in both.
//!
//! Where drctl differs, and why (`differences_are_as_listed` holds every line of this to be true):
//!
//! 1. Numbers that are not finite are errors: no count and no size is infinite, and a check that
//!    compares with infinity would pass for ever.
//! 2. A duration is never negative: `a - b` of two instants is an error when `b` is later. A backup
//!    that is "-5m old" means a wrong clock, and must not pass as very young.
//! 3. `duration()` reads what files write, so `d` is a unit, units go from large to small, and
//!    fractions are refused; `string()` of a duration writes the same form and not seconds, and of
//!    an instant either no part of a second or three digits of it, as journals and reports do.
//! 4. `has(a.b)` is false for a null too, and takes `a['b']`: an optional output that a step did not
//!    give is null.
//! 5. `contains`, `startsWith`, `endsWith` can also be called as functions, and `size` as a method.
//! 6. The smallest whole number cannot be written: it is one more than the largest, with a minus.
//! 7. Types are checked before anything runs: what CEL calls false (`1 == 'a'`) is refused.
//! 8. Not in the language, and refused by the parser: maps, bytes, unsigned numbers, macros (`all`,
//!    `exists`, `map`, `filter`), `matches`, comments, raw and long text, `\u` escapes.
//! 9. `keys(m)` is drctl's alone: what CEL writes as `m.map(it, it)`, in the order of the alphabet.
//!
//! Unknown values and secrets exist in drctl only; other tests hold them.

mod generate;

use super::expressions::TestShapes;
use crate::base::clock::parse_instant;
use crate::base::value::{Value, Values};
use crate::runbook::check::check;
use crate::runbook::evaluate::evaluate;
use crate::runbook::syntax::{Ast, AstKind, Function, Operator};
use crate::runbook::{Expression, FaultKind, Scope};
use cel::Value as Cel;
pub(super) use generate::Generator;
use std::collections::BTreeMap;
use std::time::Duration;

/// The parameters, for CEL; [`scope`] has the same.
const PARAMETERS: &str = "{'flag': true, 'count': 3, 'ratio': 0.5, 'word': 'hello', \
     'words': ['a', 'b'], 'at': timestamp('2026-03-01T10:00:00Z'), 'age': duration('90s'), \
     'maybe': null}";

fn scope() -> Scope {
    let at = parse_instant("2026-03-01T10:00:00Z").expect("an instant");
    let params = [
        ("flag", Value::Bool(true)),
        ("count", Value::Int(3)),
        ("ratio", Value::Float(0.5)),
        ("word", Value::text("hello")),
        ("words", Value::from(vec!["a".to_owned(), "b".to_owned()])),
        ("at", Value::Time(at)),
        ("age", Value::Duration(Duration::from_secs(90))),
        ("maybe", Value::Null),
    ];
    Scope::of(Values::from(params.map(|(name, value)| (name.to_owned(), value))))
}

/// CEL with the parameters.
struct Oracle(cel::Context<'static, 'static>);

impl Oracle {
    fn new() -> Self {
        let mut context = cel::Context::default();
        let params = cel::Program::compile(PARAMETERS).expect("a map").execute(&context);
        context.add_variable_from_value("params", params.expect("a map"));
        Self(context)
    }

    /// What CEL says, as a value of ours; `Err` is its message.
    fn value(&self, text: &str) -> Result<Value, String> {
        let program = cel::Program::compile(text).map_err(|error| format!("syntax: {error}"))?;
        program
            .execute(&self.0)
            .map_err(|error| error.to_string())
            .and_then(|value| translated(&value))
    }
}

fn translated(value: &Cel) -> Result<Value, String> {
    Ok(match value {
        Cel::Null => Value::Null,
        Cel::Bool(value) => Value::Bool(*value),
        Cel::Int(value) => Value::Int(*value),
        Cel::Float(value) => Value::Float(*value),
        Cel::String(text) => Value::text(text.as_str()),
        Cel::Timestamp(at) => Value::Time(at.to_utc()),
        Cel::Duration(span) => Value::Duration(span.to_std().map_err(|_| "negative".to_owned())?),
        Cel::List(items) => Value::List(items.iter().map(translated).collect::<Result<_, _>>()?),
        other => return Err(format!("{other:?} has no counterpart")),
    })
}

/// What a tree is made of, for counting.
fn parts(tree: &Ast) -> Vec<&'static str> {
    let mut parts = Vec::new();
    tree.walk(&mut |node| match &node.kind {
        AstKind::Binary(operator, ..) => parts.push(operator.text()),
        AstKind::Call(function, _) => parts.push(function.name()),
        AstKind::Choose(..) => parts.push("?:"),
        AstKind::Not(_) => parts.push("!"),
        AstKind::Negate(_) => parts.push("negated"),
        AstKind::Index(..) => parts.push("[]"),
        AstKind::List(_) => parts.push("list"),
        AstKind::Null
        | AstKind::Bool(_)
        | AstKind::Int(_)
        | AstKind::Float(_)
        | AstKind::Text(_)
        | AstKind::Name(_)
        | AstKind::Select(..) => {}
    });
    parts
}

/// Whether a part of it that need not be looked at has no value.
fn stepped_over(tree: &Ast, scope: &Scope) -> bool {
    let mut found = false;
    tree.walk(&mut |node| {
        if let AstKind::Choose(..) | AstKind::Binary(Operator::And | Operator::Or, ..) = &node.kind
        {
            found |= node.children().iter().any(|child| evaluate(child, scope).is_err());
        }
    });
    found
}

/// Whether a part of it has no value for drctl alone: differences 1 and 2 of the head, and sums of
/// instants and durations beyond what either can hold.
fn is_ours_alone(tree: &Ast, scope: &Scope) -> bool {
    let alone = ["is not a finite number", "a duration is not", "is out of range", "is too long"];
    let mut found = false;
    tree.walk(&mut |node| {
        let fault = evaluate(node, scope).err();
        found |= fault.is_some_and(|it| alone.iter().any(|part| it.message.contains(part)));
    });
    found
}

#[test]
fn generated_expressions_have_the_value_that_cel_says() {
    let (oracle, scope) = (Oracle::new(), scope());
    let mut generator = Generator(fastrand::Rng::with_seed(20_261_127));
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut values, mut errors, mut ours_alone, mut stepped) = (0, 0, 0, 0);
    for case in 0..8_000 {
        let written = generator.next();
        let Ok(expression) = Expression::parse(&written) else {
            assert!(written.len() > 4_000, "{written}");
            continue;
        };
        let mut complaints = Vec::new();
        check(expression.tree(), &TestShapes, &mut complaints);
        let fine = |code| code == "DR034" || code == "DR037" || code == "DR031";
        assert!(complaints.iter().all(|it| fine(it.code)), "{written}: {complaints:?}");
        let short = expression.tree().to_string();
        let ours = expression.evaluate(&scope);
        for text in [&written, &short] {
            match (&ours, oracle.value(text)) {
                (Ok(ours), Ok(theirs)) => {
                    assert_eq!(*ours, theirs, "case {case}: {text}");
                    values += 1;
                }
                (Err(error), Err(_)) => {
                    assert_ne!(error.kind, FaultKind::Type, "case {case}: {text}: {error}");
                    errors += 1;
                }
                (Err(_), Ok(_)) if is_ours_alone(expression.tree(), &scope) => ours_alone += 1,
                (ours, theirs) => panic!("case {case}: {text}: {ours:?}, CEL: {theirs:?}"),
            }
        }
        if ours.is_ok() {
            stepped += u32::from(stepped_over(expression.tree(), &scope));
            for part in parts(expression.tree()) {
                *seen.entry(part).or_default() += 1;
            }
        }
    }
    let operators = Operator::ALL.iter().map(|(text, _, _)| *text);
    // `keys` has a test of its own: CEL has no function of that name.
    let functions = Function::ALL.iter().map(|(name, _, _)| *name).filter(|name| *name != "keys");
    for part in operators.chain(functions).chain(["?:", "!", "negated", "[]", "list"]) {
        let count = seen.get(part).copied().unwrap_or(0);
        assert!(count >= 40, "`{part}` stands in {count} only: {seen:?}");
    }
    let counts = (values, errors, ours_alone, stepped);
    assert!(values > 6_000 && errors > 500 && stepped > 50, "{counts:?}");
    assert!(ours_alone < values / 10, "too many are not compared: {counts:?}");
}

/// Without brackets and with several operators in a row: what binds how tightly is CEL's.
#[test]
fn operators_bind_as_in_cel() {
    let (oracle, scope) = (Oracle::new(), scope());
    let values = ["1", "2", "3", "5", "7"];
    let mut random = fastrand::Rng::with_seed(7);
    let mut compared = 0;
    for _ in 0..2_000 {
        let numbers = |random: &mut fastrand::Rng| {
            let mut text = random.choice(values).expect("one").to_owned();
            for _ in 0..random.u8(..4) {
                let operator = random.choice(["+", "-", "*", "/", "%", "- -"]).expect("one");
                text += &format!(" {operator} {}", random.choice(values).expect("one"));
            }
            text
        };
        let mut text = String::new();
        for part in 0..=random.u8(..4) {
            let join = if part == 0 { "" } else { random.choice([" && ", " || "]).expect("one") };
            let (left, right) = (numbers(&mut random), numbers(&mut random));
            let order = random.choice(["<", "<=", ">", ">=", "==", "!="]).expect("one");
            let not = if random.bool() { "!true == " } else { "" };
            text += &format!(
                "{join}{not}{left} {order} {right}{}",
                random.choice(["", " == true"]).expect("one")
            );
        }
        if random.bool() {
            text = format!(
                "{text} ? {} : {text} ? 1 : {}",
                numbers(&mut random),
                numbers(&mut random)
            );
        }
        let ours = Expression::parse(&text).map(|it| it.evaluate(&scope).map_err(|it| it.message));
        match (ours.expect("it is an expression"), oracle.value(&text)) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours, theirs, "{text}");
                compared += 1;
            }
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{text}: {ours:?}, CEL: {theirs:?}"),
        }
    }
    assert!(compared > 1_000, "only {compared}");
}

#[test]
fn differences_are_as_listed() {
    let (oracle, scope) = (Oracle::new(), scope());
    let shown =
        |result: Result<Value, String>| result.map_or("refused".to_owned(), |it| it.to_string());
    let ours = |text: &str| {
        let expression = Expression::parse(text).map_err(|error| error.to_string())?;
        let mut complaints = Vec::new();
        check(expression.tree(), &TestShapes, &mut complaints);
        let refused = complaints.first().map(|it| it.message.clone());
        refused.map_or_else(|| expression.evaluate(&scope).map_err(|it| it.to_string()), Err)
    };
    for (line, text, drctl, cel) in [
        (1, "1e300 * 1e300 > 1.0", "refused", "true"),
        (2, "params.at - timestamp('2027-01-01T00:00:00Z') < params.age", "refused", "true"),
        (3, "duration('1d') == duration('24h')", "true", "refused"),
        (3, "duration('1.5h') == duration('90m')", "refused", "true"),
        (3, "string(params.age)", "1m30s", "90s"),
        (
            3,
            "string(params.at + duration('250ms'))",
            "2026-03-01T10:00:00.250Z",
            "2026-03-01T10:00:00.25Z",
        ),
        (4, "has(params.maybe)", "false", "true"),
        (4, "has(params['word'])", "true", "refused"),
        (5, "contains(params.word, 'ell')", "true", "refused"),
        (6, "-9223372036854775808 < 0", "refused", "true"),
        (7, "params.count == 'a'", "refused", "false"),
        (8, "{'a': 1}.a", "refused", "1"),
        (8, "params.words.exists(it, it == 'a')", "refused", "true"),
        (8, "'\\u0041'", "refused", "A"),
    ] {
        let found = (shown(ours(text)), shown(oracle.value(text)));
        assert_eq!(found, (drctl.to_owned(), cel.to_owned()), "{line}: {text}");
    }
}

/// `keys(m)`, which CEL writes as `m.map(it, it)`; its maps have no order.
#[test]
fn keys_are_those_that_cel_walks_over() {
    let mut context = cel::Context::default();
    let maps = ["{}", "{'b': 1, 'a': 2}", "{'z': 'x', 'm': 'y', 'a b': 'z', '': 'w'}"];
    for map in maps {
        let value = cel::Program::compile(map).expect("a map").execute(&context).expect("a map");
        let Cel::Map(entries) = &value else { panic!("{value:?}") };
        let names = entries.map.keys().map(ToString::to_string);
        let ours = names.map(|name| (name, Value::Int(1))).collect::<Values>();
        context.add_variable_from_value("table", value);
        let scope = Scope::of(Values::from([("table".to_owned(), Value::Map(ours))]));
        for (text, theirs) in [
            ("size(keys(params.table))", "size(table.map(it, it))"),
            ("'a' in keys(params.table)", "'a' in table.map(it, it)"),
            ("'q' in keys(params.table)", "'q' in table.map(it, it)"),
        ] {
            let ours = Expression::parse(text).expect(text).evaluate(&scope).expect(text);
            let theirs = cel::Program::compile(theirs).expect("CEL").execute(&context);
            assert_eq!(
                ours,
                translated(&theirs.expect("a value")).expect("simple"),
                "{map} {text}"
            );
        }
        let walked = cel::Program::compile("table.map(it, it)").expect("CEL").execute(&context);
        let Ok(Value::List(mut walked)) = translated(&walked.expect("a list")) else { panic!() };
        walked.sort_by_key(ToString::to_string);
        let keys = Expression::parse("keys(params.table)").expect("it parses").evaluate(&scope);
        assert_eq!(keys, Ok(Value::List(walked)), "{map}");
    }
}
