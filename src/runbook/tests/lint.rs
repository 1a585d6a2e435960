//! Warnings: when they come, and when they do not.

use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role, WaitsFor};
use crate::base::value::{Type, Values};
use crate::runbook::{Actions, check_drill, load_drill, load_runbook};
use std::time::Duration;

/// One action of each sort that warnings tell apart.
struct Sorts(Vec<ActionSpec>);

impl Actions for Sorts {
    fn spec(&self, name: &str) -> Option<&ActionSpec> {
        self.0.iter().find(|spec| spec.name == name)
    }
    fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|spec| spec.name).collect()
    }
}

fn nothing(_: &Values, _: &Values) -> Values {
    Values::new()
}

fn sorts() -> Sorts {
    let undone = Reversibility::UndoneBy { action: "x.delete", inputs: nothing };
    let spec = |name, kind, reversibility| ActionSpec {
        name,
        summary: "of a test",
        kind,
        inputs: vec![Field::optional("of", Type::String, "of a test")],
        outputs: vec![Field::required("name", Type::String, "of a test")],
        calls: &[],
        effects: &[],
        reversibility,
        role: Role::None,
        by_hand: "# nothing",
        default_timeout: Duration::from_secs(60),
        poll_every: Duration::from_secs(1),
    };
    let heartbeat = spec("sql.heartbeat", ActionKind::Check, Reversibility::ReadOnly);
    let newest_at = Field::optional("newest_at", Type::Time, "of a test");
    Sorts(vec![
        ActionSpec { outputs: vec![newest_at], ..heartbeat },
        spec("rds.restore_it", ActionKind::Mutation, undone),
        spec("x.look", ActionKind::Check, Reversibility::ReadOnly),
        spec("x.create", ActionKind::Mutation, undone),
        spec("x.delete", ActionKind::Mutation, Reversibility::Irreversible),
        spec("notify.someone", ActionKind::Notice, Reversibility::Irreversible),
        spec("gate.approve", ActionKind::Gate(WaitsFor::Person), Reversibility::ReadOnly),
    ])
}

/// Codes and messages of all warnings; there is no error.
fn warnings(body: &str) -> Vec<String> {
    let text = format!("apiVersion: drctl/v1\nkind: Runbook\nname: test\n{body}");
    let (_, warnings) =
        load_runbook("t.yaml", &text, &sorts()).unwrap_or_else(|problems| panic!("{problems}"));
    let line = |it: &crate::base::diagnostic::Problem| {
        format!("{} {}:{} {}", it.code, it.span.line, it.span.column, it.message)
    };
    warnings.sorted().into_iter().map(line).collect()
}

fn none(body: &str) {
    assert_eq!(warnings(body), Vec::<String>::new(), "{body}");
}

#[test]
fn an_act_without_a_way_back_says_so() {
    let body = "steps:\n  - { id: a, uses: x.delete, always: true, with: { of: old } }\n";
    assert_eq!(warnings(body), ["DR052 5:20 what step `a` does cannot be undone"]);
    none("steps:\n  - { id: a, uses: x.delete, always: true, irreversible: true }\n");
    none("steps:\n  - { id: a, uses: notify.someone }\n");
    // Taking back what the run itself made loses nothing; naming another step's output does not.
    let made =
        "steps:\n  - { id: a, uses: x.create }\n  - { id: look, uses: x.look, needs: [a] }\n";
    let by = |step: &str| {
        format!(
            "{made}  - id: b\n    uses: x.delete\n    needs: [a, look]\n    always: true\n    with: {{ of: '${{{{ steps.{step}.outputs.name }}}}' }}\n"
        )
    };
    none(&by("a"));
    assert_eq!(warnings(&by("look")), ["DR052 8:11 what step `b` does cannot be undone"]);
}

#[test]
fn a_gate_says_how_long_it_waits() {
    let rest = "  - { id: b, uses: x.look, needs: [a] }\n";
    let body = format!("steps:\n  - {{ id: a, uses: gate.approve }}\n{rest}");
    assert_eq!(warnings(&body), ["DR053 5:20 gate `a` has no time-out"]);
    none(&format!("steps:\n  - {{ id: a, uses: gate.approve, timeout: 30m }}\n{rest}"));
}

#[test]
fn a_leaf_that_changes_something_is_looked_at_by_somebody() {
    let message = "DR051 5:11 nothing checks what step `a` does: no step needs it";
    assert_eq!(warnings("steps:\n  - { id: a, uses: x.create }\n"), [message]);
    none("steps:\n  - { id: a, uses: x.look }\n");
    none("steps:\n  - { id: a, uses: x.create, phase: cleanup }\n");
    none("steps:\n  - { id: a, uses: x.create, always: true }\n");
    none("steps:\n  - { id: a, uses: x.create }\nmeasure: { recovered: a }\n");
    none("steps:\n  - { id: a, uses: x.create }\n  - { id: b, uses: x.look, needs: [a] }\n");
}

#[test]
fn a_gate_is_waited_for() {
    let gate = "steps:\n  - { id: a, uses: gate.approve, timeout: 30m }\n";
    let aside = format!("{gate}  - {{ id: b, uses: x.look }}\n");
    assert_eq!(warnings(&aside), ["DR055 5:11 no step waits for gate `a`"]);
    none(&format!("{gate}  - {{ id: b, uses: x.look, needs: [a] }}\n"));
    none(&format!("{aside}measure: {{ recovered: a }}\n"));
}

#[test]
fn every_heartbeat_counts_where_one_does() {
    let steps = "steps:\n  - { id: a, uses: sql.heartbeat }\n  - { id: b, uses: sql.heartbeat }\n";
    none(steps);
    assert_eq!(
        warnings(&format!("{steps}measure: {{ recovery_point: b }}\n")),
        ["DR056 5:20 heartbeat `a` counts for nothing: `recovery_point` does not name it"]
    );
    none(&format!("{steps}measure: {{ recovery_point: [a, b] }}\n"));
}

#[test]
fn recovered_comes_after_every_restore() {
    let steps = "steps:\n  - { id: a, uses: rds.restore_it }\n  - { id: b, uses: rds.restore_it }\n  - { id: see_a, uses: x.look, needs: [a] }\n  - { id: middle, uses: x.look, needs: [b] }\n  - { id: see_b, uses: x.look, needs: [middle] }\n  - { id: both, uses: x.look, needs: [see_a, see_b] }\n";
    let of = |ids: &str| warnings(&format!("{steps}measure: {{ recovered: {ids} }}\n"));
    let early =
        |id: &str| format!("DR057 11:23 `recovered` does not come after restoring step `{id}`");
    assert_eq!(of("see_a"), [early("b")]);
    assert_eq!(of("middle"), [early("a")]);
    none(steps);
    none(&format!("{steps}measure: {{ recovered: both }}\n"));
    none(&format!("{steps}measure: {{ recovered: [see_a, see_b] }}\n"));
    none(&format!(
        "{steps}  - {{ id: c, uses: rds.restore_it, always: true }}\nmeasure: {{ recovered: both }}\n"
    ));
}

#[test]
fn what_a_rejection_does_not_stop_is_said() {
    let gate = "steps:\n  - { id: gate, uses: gate.approve, timeout: 30m }\n";
    let change = |step: &str| {
        format!(
            "{gate}  - {{ id: a, uses: x.create, {step} }}\n  - {{ id: b, uses: x.look, needs: [a] }}\n"
        )
    };
    let message = "DR058 6:11 a rejection at `gate` does not stop step `a`";
    assert_eq!(warnings(&change("needs: [gate], always: true")), [message]);
    none(&change("needs: [gate]"));
    assert_eq!(warnings(&change("always: true")), ["DR055 5:11 no step waits for gate `gate`"]);
    none(&change("needs: [gate], always: true, phase: cleanup"));
    none(&format!("{gate}  - {{ id: a, uses: x.look, needs: [gate], always: true }}\n"));
    let named = change("needs: [gate], always: true, phase: dns");
    assert_eq!(warnings(&named), [message]);
    // A gate further up is passed by as well.
    let far = format!(
        "{gate}  - {{ id: a, uses: x.create, needs: [gate] }}\n  - {{ id: look, uses: x.look, needs: [a] }}\n  - {{ id: b, uses: x.create, needs: [look], always: true }}\n"
    );
    assert_eq!(warnings(&far), ["DR058 8:11 a rejection at `gate` does not stop step `b`"]);
}

#[test]
fn objectives_are_measured() {
    let steps = "steps:\n  - { id: a, uses: x.look }\n";
    let both = "objectives: { recovery_time: 4h, recovery_point: 1h }\n";
    assert_eq!(
        warnings(&format!("{steps}{both}")),
        [
            "DR054 6:15 no step measures `recovery_time`: `measure` does not name `recovered`",
            "DR054 6:34 no step measures `recovery_point`: `measure` does not name `recovery_point`",
        ]
    );
    none(&format!("{steps}objectives: {{ recovery_time: 4h }}\nmeasure: {{ recovered: a }}\n"));
}

const DRILL: &str = "apiVersion: drctl/v1\nkind: Drill\nname: d\nrunbook: test\nestate: e\n";

fn drill(rest: &str, measure: &str) -> Vec<String> {
    let runbook = format!(
        "apiVersion: drctl/v1\nkind: Runbook\nname: test\n{measure}parameters:\n  word: {{ type: string, required: false, choices: [a, b] }}\n  count: {{ type: int }}\nsteps: [{{ id: a, uses: x.look, with: {{ of: '${{{{ params.word }}}} ${{{{ params.count }}}}' }} }}]\n"
    );
    let (runbook, _) =
        load_runbook("t.yaml", &runbook, &sorts()).unwrap_or_else(|problems| panic!("{problems}"));
    let drill = load_drill("d.yaml", &format!("{DRILL}{rest}")).expect("valid by itself");
    let problems = check_drill(&drill, &runbook);
    problems.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn a_drill_fits_its_runbook_and_problems_stand_in_the_drill() {
    let rest = "parameters:\n  word: c\n  count: many\n  cuont: 5\n  other: ~\n";
    assert_eq!(
        drill(rest, ""),
        [
            "d.yaml:7:9: error[DR041]: parameter `word`: `c` is not one of: a, b",
            "  help: runbook `test` declares it as string",
            "d.yaml:8:10: error[DR041]: parameter `count`: expected a whole number, found text",
            "  help: runbook `test` declares it as int",
            "d.yaml:9:3: error[DR041]: runbook `test` has no parameter `cuont`",
            "  help: did you mean `count`?",
            "d.yaml:10:3: error[DR041]: runbook `test` has no parameter `other`",
            "  help: there is: word, count",
        ]
    );
    assert_eq!(drill("parameters: { word: a, count: ~ }\n", ""), Vec::<String>::new());
    let found = drill("objectives: { recovery_time: 1h, recovery_point: 1h }\n", "");
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("d.yaml:6:15: warning[DR054]: no step measures `recovery_time`"));
    let found = drill("objectives: { recovery_time: 1h }\n", "measure: { recovered: a }\n");
    assert_eq!(found, Vec::<String>::new());
}
