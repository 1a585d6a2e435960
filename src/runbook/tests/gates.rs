//! Inputs of gates, as the checker judges them.

use crate::action::standard;
use crate::runbook::load_runbook;

/// Codes, places and messages of a step's problems; warnings are left out.
fn problems(step: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: drctl/v1\nkind: Runbook\nname: t\nparameters:\n  how_long: {{ type: duration, default: 2h }}\nsteps:\n  - {{ id: a, {step} }}\n"
    );
    let Err(problems) = load_runbook("t.yaml", &text, &standard()) else { return Vec::new() };
    let errors = problems.sorted().into_iter().filter(|it| it.code < "DR050" || it.code > "DR079");
    errors
        .map(|it| format!("{} {}:{} {}", it.code, it.span.line, it.span.column, it.message))
        .collect()
}

#[test]
fn a_wait_has_one_goal() {
    for (with, expected) in [
        ("{}", vec!["DR021 7:20 `gate.wait_until` needs `time` or `for`"]),
        (
            "{ after: '2026-01-15T10:00:00Z' }",
            vec!["DR021 7:20 `gate.wait_until` needs `time` or `for`"],
        ),
        (
            "{ time: '2026-01-15T10:00:00Z', for: 1h, after: '2026-01-15T10:00:00Z' }",
            vec![
                "DR020 7:88 `gate.wait_until` takes no `for` beside `time`",
                "DR020 7:97 `gate.wait_until` takes no `after` beside `time`",
            ],
        ),
        ("{ for: 3h }", vec!["DR023 7:58 it waits for 3h00m, and its time-out is 2h00m"]),
        ("{ for: 2h }", vec![]),
        ("{ for: soon }", vec!["DR022"]),
        ("{ until: true }", vec!["DR021 7:20 `gate.wait_until` needs `time` or `for`", "DR020"]),
        ("{ for: '${{ params.how_long }}' }", vec![]),
        // Of a wait after something else nobody knows how much is left.
        ("{ for: 3h, after: '2026-01-15T10:00:00Z' }", vec![]),
    ] {
        let found = problems(&format!("uses: gate.wait_until, timeout: 2h, with: {with}"));
        assert_eq!(found.len(), expected.len(), "{with}: {found:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.starts_with(expected), "{with}: {found} is not {expected}");
        }
    }
}

#[test]
fn no_duration_of_a_step_is_longer_than_a_leap_year() {
    let why = "it may be 366 days long at most, and is 100000000d00h";
    let gate = "uses: gate.approve, with: { message: 'go?' }";
    assert_eq!(problems(&format!("{gate}, timeout: 366d")), Vec::<String>::new());
    assert_eq!(
        problems(&format!("{gate}, timeout: 2400000000h")),
        [format!("DR023 7:69 `timeout`: {why}")]
    );
    assert_eq!(
        problems(&format!("{gate}, timeout: 1h, retry: {{ attempts: 2, backoff: 367d }}")),
        ["DR023 7:104 `backoff`: it may be 366 days long at most, and is 367d00h"]
    );
    let found = problems("uses: gate.wait_until, with: { for: 2400000000h }");
    assert_eq!(found, [format!("DR023 7:50 {why}")]);
}

#[test]
fn a_gate_names_its_consequence() {
    let with = |input: &str| {
        problems(&format!("uses: gate.approve, timeout: 2h, with: {{ message: 'go?', {input} }}"))
    };
    assert_eq!(with("on_timeout: fail"), Vec::<String>::new());
    assert_eq!(with("on_timeout: reject"), Vec::<String>::new());
    assert_eq!(with("approvers: [ann, bob]"), Vec::<String>::new());
    let wrong = with("on_timeout: explode");
    assert_eq!(wrong, ["DR022 7:71 `on_timeout` is `fail` or `reject`, found `explode`"]);
    assert!(with("approvers: ann")[0].starts_with("DR022"), "a list is a list");
    assert!(problems("uses: gate.approve")[0].contains("needs the input `message`"));
}

#[test]
fn a_wait_for_a_while_needs_no_time_out_and_one_for_an_instant_does() {
    let warnings = |with: &str| {
        let text = format!(
            "apiVersion: drctl/v1\nkind: Runbook\nname: t\nsteps:\n  - {{ id: a, uses: gate.wait_until, with: {with} }}\n  - {{ id: b, uses: rds.check_source, needs: [a], with: {{ instance: x }} }}\n"
        );
        let (_, warnings) = load_runbook("t.yaml", &text, &standard()).expect("valid");
        warnings.sorted().into_iter().map(|it| it.code).collect::<Vec<_>>()
    };
    assert_eq!(warnings("{ for: 30m }"), Vec::<&str>::new());
    assert_eq!(warnings("{ time: '2026-01-15T10:00:00Z' }"), ["DR053"]);
}

#[test]
fn a_gate_is_before_steps_that_wait_for_it() {
    for (with, expected) in [
        ("before: [b]", vec![]),
        ("before: [b, c]", vec!["DR080 step `c` does not wait for the gate `a`"]),
        ("before: [d]", vec!["DR080 there is no step `d`"]),
        ("before: [a]", vec!["DR080 step `a` does not wait for the gate `a`"]),
        ("before: ['${{ params.how_long }}']", vec!["DR080 no expressions", "DR022"]),
        ("before: b", vec!["DR022", "DR080 `before` is a list of step ids"]),
        ("attests: fencing", vec![]),
        ("attests: peace", vec!["DR022 an approval attests `fencing` or nothing"]),
    ] {
        let found = problems(&format!(
            "uses: gate.approve, timeout: 1h, with: {{ message: go, {with} }} }}\n  - {{ id: b, uses: \
             gate.wait_until, needs: [a], with: {{ for: 1m }} }}\n  - {{ id: c, uses: \
             gate.wait_until, with: {{ for: 1m }}"
        ));
        let fits = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, part)| {
                part.split_once(' ')
                    .is_none_or(|(code, text)| found.starts_with(code) && found.contains(text))
            });
        assert!(fits, "{with}: {found:#?}");
    }
}
