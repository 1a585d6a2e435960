//! Every code of a problem in a file, with its place and its help. The file header has three lines.

use super::actions;
use crate::base::diagnostic::{Problems, Severity};
use crate::base::value::Value;
use crate::runbook::codes::CODES;
use crate::runbook::{Given, Runbook, bind_parameters, load_drill, load_runbook};
use std::collections::{BTreeMap, BTreeSet};

const HEADER: &str = "apiVersion: drctl/v1\nkind: Runbook\nname: test\n";
const ONE: &str = "steps: [{ id: a, uses: test.echo, always: true }]\n";

fn lines(problems: &Problems) -> Vec<String> {
    problems
        .sorted()
        .iter()
        .map(|problem| {
            let place = format!("{}:{}", problem.span.line, problem.span.column);
            let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{place} {} {}{help}", problem.code, problem.message)
        })
        .collect()
}

fn load(body: &str) -> Result<(Runbook, Problems), Problems> {
    load_runbook("test.yaml", &format!("{HEADER}{body}"), &actions())
}

/// Checks that the problems of `body` are exactly those expected, in file order.
fn check(body: &str, expected: &[&str]) {
    let (problems, loaded) = match load(body) {
        Ok((_, warnings)) => (warnings, true),
        Err(problems) => (problems, false),
    };
    assert_eq!(lines(&problems), expected, "in\n{HEADER}{body}");
    assert_eq!(loaded, !problems.has_errors());
}

fn good(body: &str) -> Runbook {
    load(body).unwrap_or_else(|problems| panic!("{problems}")).0
}

#[test]
fn structure() {
    check(
        "stepz: []\nverification: 5\n",
        &[
            "1:1 DR003 a runbook needs the field `steps`",
            "4:1 DR005 a runbook has no field `stepz` (did you mean `steps`?)",
            "5:15 DR004 field `verification`: expected text, found a whole number (put it in quotes: YAML reads it as something else than text)",
        ],
    );
    check("steps: []\n", &["4:8 DR003 a runbook needs at least one step"]);
    check("steps: { a: b }\n", &["4:8 DR004 field `steps`: expected a list, found a map"]);
    check(
        "steps: [5, { id: a, uses: test.echo, always: true }]\n",
        &[
            "4:9 DR002 step must be a map, found a whole number",
            "4:9 DR003 step needs the field `id`",
            "4:9 DR003 step needs the field `uses`",
        ],
    );
    let other = "apiVersion: drctl/v1\nkind: Runbok\nname: A b\nsteps: []\n";
    let problems = load_runbook("x.yaml", other, &actions()).expect_err("invalid");
    assert_eq!(
        lines(&problems),
        [
            "2:7 DR006 `kind` must be `Runbook`",
            "3:7 DR010 `A b` cannot be a name (names match [a-z][a-z0-9_-]{0,62})",
        ]
    );
    let broken = load_runbook("x.yaml", "a: [", &actions()).expect_err("invalid");
    assert_eq!(broken.sorted()[0].code, "DR001");
}

#[test]
fn step_fields() {
    check(
        "steps:\n  - id: Check-1\n    uses: test.echo\n    timeot: 5m\n    timeout: 0s\n    phase: verfy\n    always: true\n",
        &[
            "5:9 DR010 `Check-1` cannot be a name (names match [a-z][a-z0-9_]{0,30})",
            "7:5 DR005 step `Check-1` has no field `timeot` (did you mean `timeout`?)",
            "8:14 DR023 a time-out must be longer than nothing",
            "9:12 DR004 field `phase` cannot be `verfy` (did you mean `verify`?)",
        ],
    );
    check(
        "steps:\n  - id: a\n    uses: rds.check_sorce\n    with: { anything: 1 }\n    retry: { attempts: 0 }\n    on_failure: panic\n",
        &[
            "6:11 DR012 there is no action `rds.check_sorce` (did you mean `rds.check_source`?)",
            "8:24 DR023 `attempts` must be 1 to 100, found 0",
            "9:17 DR004 field `on_failure` cannot be `panic` (it can be: stop, continue, undo, ask)",
        ],
    );
    check(
        "steps:\n  - id: a\n    uses: test.echo\n    always: true\n    gate: {}\n    undo: none\n",
        &[
            "8:11 DR015 `gate` belongs to the language; this version cannot execute it (put a step that uses `gate.approve` before it, and let it need that one)",
            "9:11 DR015 `undo` belongs to the language; this version cannot execute it (write the way back as an `always` step with a `when`)",
        ],
    );
}

#[test]
fn graph() {
    check(
        "steps:\n  - { id: a, uses: test.echo, needs: [b, b, a, c] }\n  - { id: b, uses: test.echo }\n  - { id: b, uses: test.echo, always: true }\n",
        &[
            "5:11 DR051 nothing checks what step `a` does: no step needs it (add a check that needs it)",
            "5:42 DR013 `b` is needed twice",
            "5:45 DR013 step `a` needs itself",
            "5:48 DR013 there is no step `c` (did you mean `a`?)",
            "7:11 DR011 step `b` exists already, in line 6",
        ],
    );
    check(
        "steps:\n  - { id: a, uses: test.echo, needs: [c] }\n  - { id: b, uses: test.echo, needs: [a] }\n  - { id: c, uses: test.echo, needs: [b] }\n  - { id: d, uses: test.echo, needs: [c], always: true }\n  - { id: e, uses: test.echo, needs: [f] }\n  - { id: f, uses: test.echo, needs: [e] }\n",
        &[
            "5:11 DR014 steps need each other in a circle: `a` needs `c` needs `b` needs `a` (remove one of these needs)",
            "9:11 DR014 steps need each other in a circle: `e` needs `f` needs `e` (remove one of these needs)",
        ],
    );
    let runbook = good(
        "steps:\n  - { id: z, uses: test.echo, needs: [a], always: true }\n  - { id: b, uses: test.echo, always: true }\n  - { id: a, uses: test.echo }\n",
    );
    let order: Vec<&str> = runbook.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(order, ["b", "a", "z"]);
}

#[test]
fn parameters() {
    check(
        &format!(
            "{ONE}parameters:\n  A: {{ type: int }}\n  b: {{ type: integer }}\n  c: {{ type: int, default: x }}\n  d: {{ type: string, default: z, choices: [x, y], required: true }}\n  e: {{ type: secret, default: hunter2 }}\n  f: {{}}\n"
        ),
        &[
            "6:3 DR010 `A` cannot be a name (names match [a-z][a-z0-9_]{0,30})",
            "6:3 DR050 parameter `A` is never used",
            "7:3 DR050 parameter `b` is never used",
            "7:14 DR004 field `type` cannot be `integer` (it can be: string, int, float, bool, duration, instant, instant_or_latest, list, secret)",
            "8:3 DR050 parameter `c` is never used",
            "8:28 DR016 the default: expected a whole number, found text",
            "9:3 DR050 parameter `d` is never used",
            "9:31 DR016 the default is not one of the choices",
            "9:61 DR016 parameter `d` is required and has a default (remove one of the two)",
            "10:3 DR050 parameter `e` is never used",
            "10:31 DR016 a secret cannot have a default in a file (give it when running, with `-p name=value`)",
            "11:3 DR050 parameter `f` is never used",
            "11:6 DR003 parameter `f` needs the field `type`",
        ],
    );
}

#[test]
fn measures() {
    check(
        &format!("{ONE}measure: {{ recovered: b, recovery_point: a, restored: a, other: a }}\n"),
        &[
            "5:23 DR017 there is no step `b` (did you mean `a`?)",
            "5:42 DR017 step `a` uses `test.echo`, which has no output `newest_at` or `recovery_point` (name a step that uses `sql.heartbeat` or `s3.compare`)",
            "5:55 DR017 step `a` uses `test.echo`, which has no input or output `restore_time` (name a step that restores)",
            "5:58 DR005 measure has no field `other` (it can have: recovered, recovery_point, restored)",
        ],
    );
}

#[test]
fn lists_of_measured_steps() {
    check(
        &format!(
            "{ONE}measure:\n  recovered: [a, c, a]\n  recovery_point: []\n  restored: [5, {{ id: a }}]\n"
        ),
        &[
            "6:18 DR017 there is no step `c` (did you mean `a`?)",
            "6:21 DR017 `recovered` names step `a` twice (name it once)",
            "7:19 DR004 field `recovery_point`: the list names no step (name a step, or leave the field out)",
            "8:14 DR004 field `restored`: expected a step id or a list of them, found a whole number",
            "8:17 DR004 field `restored`: expected a step id or a list of them, found a map",
        ],
    );
    let text = "steps:\n  - { id: a, uses: test.echo, for_each: [x, y] }\n  - { id: b, uses: test.echo }\nmeasure: { recovered: [b, a] }\n";
    let (runbook, _) = load(text).expect("an expanded step can be measured");
    assert_eq!(runbook.measure.recovered.to_vec(), ["b", "a"]);
}

#[test]
fn inputs() {
    check(
        "steps:\n  - id: a\n    uses: sql.check\n    with:\n      instanc: x\n      pack: [reachable, amchek]\n      rows: [{ table: t, at_least: 5 }, 7]\n  - id: b\n    uses: test.echo\n    always: true\n    with:\n      text: 5\n      number: ${{ 'five' }}\n      at: ${{ duration('1h') }}\n      for: 5 minutes\n      password: ${{ estate.name }}\n      any: { a: [1, { b: \"${{ size(env.name) }}\" }] }\n      record: { nam: x, size: big }\n",
        &[
            "6:11 DR021 `sql.check` needs the input `instance` (it is text: of a test)",
            "8:7 DR020 `sql.check` has no input `instanc` (did you mean `instance`?)",
            "9:25 DR022 expected one of reachable, primary, extensions, indexes, amcheck, write_probe, found `amchek`",
            "10:41 DR022 expected a map of anything, found a whole number",
            "15:13 DR022 expected text, found a whole number (put it in quotes: YAML reads it as something else than text)",
            "16:19 DR022 expected a whole number or null, found text",
            "17:15 DR022 expected an instant or null, found a duration",
            "18:12 DR022 invalid duration `5 minutes`: `5` needs a unit: d, h, m, s or ms",
            "21:15 DR022 the field `name` is missing",
            "21:22 DR022 unknown field `nam` (did you mean `name`?)",
            "21:31 DR022 expected a whole number, found text",
        ],
    );
}

#[test]
fn references() {
    check(
        "parameters: { region: { type: string }, pw: { type: secret } }\nsteps:\n  - { id: a, uses: test.echo }\n  - { id: later, uses: test.echo, always: true, needs: [b] }\n  - id: b\n    uses: test.echo\n    always: true\n    when: steps.a.status == 'done' && params.region\n    with:\n      text: \"${{ steps.a.outputs.text }} ${{ steps.c.status }} ${{ params.pw }}\"\n      password: ${{ params.password }}\n      any: [\"${{ steps.b.status }}\", \"${{ steps.later.status }}\", \"x ${{ each }}\", '${{ param.x }}']\n",
        &[
            "6:11 DR051 nothing checks what step `a` does: no step needs it (add a check that needs it)",
            "11:17 DR032 step `a` is not upstream of step `b` (add `a` to its `needs`)",
            "11:39 DR034 `&&` needs a boolean, found text",
            "13:24 DR032 step `a` is not upstream of step `b` (add `a` to its `needs`)",
            "13:52 DR031 there is no step `c` (did you mean `a`?)",
            "13:68 DR035 a secret cannot stand inside text (give it alone, as the whole value)",
            "14:28 DR031 `params` has no `password` (there is: pw, region)",
            "15:24 DR032 step `b` cannot refer to itself",
            "15:49 DR032 step `later` is not upstream of step `b` (step `later` runs after this one)",
            "15:74 DR036 `each` exists only in a step with `for_each`",
            "15:89 DR031 unknown name `param` (did you mean `params`?)",
        ],
    );
}

#[test]
fn conditions() {
    check(
        "steps:\n  - { id: a, uses: test.echo, always: true, when: \"${{ true }}\" }\n  - id: b\n    uses: test.echo\n    always: true\n    when: !run.keep\n  - { id: c, uses: test.echo, always: true, when: run.mode == 'dril' }\n  - { id: d, uses: test.echo, always: true, when: 'size(env.name) +' }\n  - { id: e, uses: test.echo, always: true, when: size(env.nme) }\n  - { id: f, uses: test.echo, always: true, when: true }\n",
        &[
            "5:51 DR030 `when` is an expression already (write it without `${{ }}`)",
            "9:20 DR004 `when` must be an expression, found nothing (quote an expression that begins with `!` or `[`, as in `when: \"!run.keep\"`: YAML reads these characters itself)",
            "10:63 DR034 it is never `dril` (did you mean `drill`?)",
            "11:68 DR030 expected a value, found the end",
            "12:51 DR034 `when` must be true or false, found a whole number",
            "12:60 DR031 `env` has no `nme` (did you mean `name`?)",
        ],
    );
}

#[test]
fn expansion() {
    check(
        "parameters: { items: { type: list, default: [1] }, word: { type: string } }\nsteps:\n  - { id: a, uses: test.echo, for_each: [x, y, x, 1.5] }\n  - { id: b, uses: test.echo, for_each: '${{ params.items }}', with: { text: '${{ each }}' } }\n  - { id: c, uses: test.echo, for_each: '${{ params.items }}', needs: [b], always: true, with: { text: '${{ steps.b.outputs.text }}' } }\n  - { id: d, uses: test.echo, needs: [a, b], always: true, with: { text: '${{ steps.b.outputs.text }}' } }\n  - { id: e, uses: test.echo, always: true, for_each: '${{ [run.id] + steps.a.outputs.list }}' }\n  - { id: f, uses: test.echo, always: true, for_each: '${{ params.word }}' }\n  - { id: g, uses: test.echo, always: true, for_each: x }\n",
        &[
            "6:48 DR018 `x` stands twice in `for_each`",
            "6:51 DR018 items of `for_each` are text or whole numbers",
            "9:85 DR033 step `b` is expanded by `for_each` and has many outputs (refer to it only from a step with the very same `for_each`, item by item)",
            "10:61 DR036 `run` is not known when `for_each` is expanded (`for_each` can use `params` and `estate`: it is expanded when the plan is made)",
            "10:77 DR036 `steps` is not known when `for_each` is expanded (`for_each` can use `params` and `estate`: it is expanded when the plan is made)",
            "11:60 DR018 `for_each` needs a list, found text",
            "12:55 DR018 `for_each` needs a list (write `[a, b]` or `${{ params.<a list> }}`)",
        ],
    );
}

#[test]
fn places_inside_block_text() {
    check(
        "steps:\n  - id: a\n    uses: test.echo\n    always: true\n    with:\n      text: |\n        first\n        second ${{ env.nme }}\n      any: >-\n        folded ${{ env.name\n        + 1 }}\n",
        &[
            "11:24 DR031 `env` has no `nme` (did you mean `name`?)",
            "13:9 DR034 `+` cannot be applied to text and a whole number",
        ],
    );
}

#[test]
fn drills() {
    let text = "apiVersion: drctl/v1\nkind: Drill\nname: nightly\nrunbok: r\nestate: e\nparameters: { Bad: 1 }\nobjectives: { recovery_time: 4 }\nschedule: 0 25 * * *\n";
    let problems = load_drill("d.yaml", text).expect_err("invalid");
    assert_eq!(
        lines(&problems),
        [
            "1:1 DR003 a drill needs the field `runbook`",
            "4:1 DR005 a drill has no field `runbok` (did you mean `runbook`?)",
            "6:15 DR010 `Bad` cannot be a name (names match [a-z][a-z0-9_]{0,30})",
            "7:30 DR004 field `recovery_time`: expected a duration, found a whole number (write a unit, such as `4m` or `4h`)",
            "8:11 DR040 `0 25 * * *` is no schedule: `25` is no hour (0 to 23) (write five fields, as in `0 6 1 * *`: at 06:00 on the first of every month)",
        ]
    );
    for (schedule, valid) in [
        ("*/15 0-6 1,15 * 1-5", true),
        ("0 6 * *", false),
        ("5-1 6 * * *", false),
        ("*/0 6 * * *", false),
        ("a 6 * * *", false),
        ("0 6 0 * *", false),
    ] {
        let text = format!(
            "apiVersion: drctl/v1\nkind: Drill\nname: n\nrunbook: r\nestate: e\nschedule: '{schedule}'\n"
        );
        let loaded = load_drill("d.yaml", &text);
        assert_eq!(loaded.is_ok(), valid, "{schedule}");
        assert!(loaded.map_or(true, |drill| drill.environment == "sim"));
    }
}

#[test]
fn binding_reports_everything() {
    let runbook = good(&format!(
        "{ONE}parameters:\n  database: {{ type: string }}\n  count: {{ type: int, choices: [1, 2], default: 1 }}\n  at: {{ type: instant_or_latest, default: latest }}\n  keep: {{ type: bool, required: false }}\n  list: {{ type: list, required: false }}\n  pw: {{ type: secret, required: false }}\n  ratio: {{ type: float, default: 1 }}\n"
    ));
    let text = |pairs: &[(&str, &str)]| -> BTreeMap<String, Given> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), Given::Text((*v).to_owned()))).collect()
    };
    let values = bind_parameters(
        &runbook,
        &text(&[
            ("database", "5"),
            ("count", "2"),
            ("at", "2026-03-01T10:15:00Z"),
            ("list", "a, b"),
            ("pw", "hunter2"),
        ]),
    )
    .expect("fits");
    assert_eq!(values["database"], Value::text("5"));
    assert_eq!(values["count"], Value::Int(2));
    assert!(matches!(values["at"], Value::Time(_)));
    assert_eq!(values["keep"], Value::Null);
    assert_eq!(values["list"], Value::List(vec![Value::text("a"), Value::text("b")]));
    assert_eq!(values["ratio"], Value::Float(1.0));
    assert!(!format!("{values:?}").contains("hunter2"));
    let problems = bind_parameters(
        &runbook,
        &text(&[("databse", "x"), ("count", "3"), ("at", "now"), ("keep", "yes"), ("list", "[1")]),
    )
    .expect_err("does not fit");
    assert_eq!(
        problems,
        [
            "runbook `test` has no parameter `databse`; did you mean `database`?",
            "parameter `database`: it is required; give it with `-p database=…`",
            "parameter `count`: `3` is not one of: 1, 2",
            "parameter `at`: expected `latest` or an instant such as `2026-03-01T10:15:00Z`, found `now`",
            "parameter `keep`: expected a boolean, found `yes`",
            "parameter `list`: expected a list of anything, found `[1`",
        ]
    );
    let typed = BTreeMap::from([
        ("database".to_owned(), Given::Typed(Value::text("orders"))),
        ("count".to_owned(), Given::Typed(Value::text("2"))),
    ]);
    let problems = bind_parameters(&runbook, &typed).expect_err("a file has types");
    assert_eq!(problems, ["parameter `count`: expected a whole number, found text"]);
}

/// The table of codes is complete: every code that this file expects is in it, in order, once.
#[test]
fn codes_are_listed_once_and_all_are_tested() {
    let listed: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
    let sorted: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(sorted.iter().copied().collect::<Vec<_>>(), listed);
    let source = include_str!("documents.rs");
    for (code, sentence) in CODES {
        assert!(sentence.ends_with('.'), "{code}");
        // Estates, unreadable files, drills beside their runbooks and the newer warnings have tests of
        // their own.
        let elsewhere = [
            "DR007", "DR008", "DR009", "DR037", "DR038", "DR041", "DR042", "DR043", "DR052",
            "DR053", "DR054", "DR055", "DR056", "DR057", "DR058", "DR059", "DR060", "DR061",
            "DR062", "DR063", "DR064", "DR065", "DR066", "DR070", "DR071", "DR072", "DR073",
            "DR074", "DR075", "DR076", "DR077", "DR078", "DR079", "DR080", "DR081", "DR082",
        ];
        if !elsewhere.contains(&code) {
            assert!(source.matches(code).count() > 0, "no test expects {code}");
        }
    }
    let warnings = load("parameters: { x: { type: int } }\nsteps: [{ id: a, uses: test.echo }]\n");
    let (_, warnings) = warnings.expect("only warnings");
    assert!(warnings.sorted().iter().all(|problem| problem.severity == Severity::Warning));
    assert_eq!(warnings.sorted().len(), 2);
}
