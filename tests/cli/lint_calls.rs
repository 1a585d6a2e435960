//! `drctl runbook lint` of runbooks that call others.
//!
//! **Invariant:** a called runbook's steps are judged where they run: with the parameters of the call, among
//! the steps of the one that calls.

use crate::env::TestEnv;
use serde_json::Value as Json;

const HEAD: &str = "apiVersion: drctl/v1\nkind: Runbook\n";
const FENCE: &str =
    "  - id: fence\n    uses: fence.ecs\n    with: { cluster: techcorp, service: api }\n";
const LINT: &str = "runbook lint parent --estate techcorp --env sim_west --output json";

/// A runbook that promotes, behind `gate`.
fn child(env: &TestEnv, gate: &str, needs: &str) {
    env.write(
        "runbooks/child.yaml",
        &format!(
            "{HEAD}name: child\ntitle: Child\nsteps:\n{gate}  - id: promote\n    uses: \
             rds.promote_replica\n    needs: [{needs}]\n    region: us-west-2\n    irreversible: true\n    \
             with: {{ instance: techcorp-orders-replica-west }}\n"
        ),
    );
}

const OWN_GATE: &str = "  - id: go\n    uses: gate.approve\n    timeout: 30m\n    with: { message: Promote?, \
                        before: [promote] }\n";

fn parent(env: &TestEnv, steps: &str) {
    env.write(
        "runbooks/parent.yaml",
        &format!("{HEAD}name: parent\ntitle: Parent\nsteps:\n{steps}"),
    );
}

fn call(needs: &str) -> String {
    format!(
        "  - id: move\n    uses: runbook.call\n    needs: [{needs}]\n    with: {{ runbook: child }}\n"
    )
}

fn found(env: &TestEnv, more: &str) -> Vec<String> {
    let json = env.line(&format!("{LINT}{more}")).json();
    let all = json["findings"].as_array().expect("a list");
    let shown = |it: &Json, field: &str| it[field].as_str().unwrap_or_default().to_owned();
    let line = |it: &Json| it["range"]["start"]["line"].to_string();
    // That nothing checks what the last step does is no matter of order or place.
    all.iter()
        .filter(|it| it["code"] != "DR051")
        .map(|it| {
            format!(
                "{} {}:{} {}",
                shown(it, "code"),
                shown(it, "file"),
                line(it),
                shown(it, "message")
            )
        })
        .collect()
}

#[test]
fn the_order_is_judged_through_the_call() {
    let env = TestEnv::new();
    child(&env, OWN_GATE, "go");
    parent(&env, &format!("{FENCE}{}", call("fence")));
    assert_eq!(
        found(&env, ""),
        Vec::<String>::new(),
        "a fence in the parent, a promotion in the child"
    );
    // Nothing keeps the call behind the fence.
    parent(&env, &format!("{FENCE}{}", call("")));
    let unfenced = found(&env, "");
    assert_eq!(unfenced.len(), 1, "{unfenced:?}");
    let place = "DR061 runbooks/parent.yaml:9 two writers possible: nothing upstream of `move/promote` of \
                 runbooks/child.yaml:";
    assert!(unfenced[0].starts_with(place), "{unfenced:?}");
    // Clients are sent away before the child promotes.
    let switch = |needs: &str| {
        format!(
            "  - id: hand_over\n    uses: secrets.switch_endpoint\n    needs: [{needs}]\n    region: \
             us-west-2\n    with: {{ secret: techcorp/orders, host: db.techcorp.example }}\n"
        )
    };
    parent(&env, &format!("{FENCE}{}{}", call("fence"), switch("fence")));
    let early = found(&env, "");
    assert_eq!(early.len(), 1, "{early:?}");
    assert!(early[0].starts_with("DR060 "), "{early:?}");
    assert!(early[0].contains("step `hand_over` can run before `move/promote`"), "{early:?}");
    parent(&env, &format!("{FENCE}{}{}", call("fence"), switch("move")));
    assert_eq!(found(&env, ""), Vec::<String>::new());
}

#[test]
fn a_gate_before_the_call_shows_what_the_child_promotes() {
    let env = TestEnv::new();
    child(&env, "", "");
    parent(&env, &format!("{FENCE}{}", call("fence")));
    let bare = found(&env, "");
    assert!(bare.len() == 1 && bare[0].starts_with("DR062 "), "{bare:?}");
    let gate = "  - id: go\n    uses: gate.approve\n    needs: [fence]\n    timeout: 30m\n    with: { message: \
                Promote?, before: [move] }\n";
    parent(&env, &format!("{FENCE}{gate}{}", call("go")));
    assert_eq!(found(&env, ""), Vec::<String>::new());
}

#[test]
fn needs_of_a_called_runbook_are_found_with_the_parameters_of_the_call() {
    let env = TestEnv::new();
    env.write(
        "runbooks/child.yaml",
        &format!(
            "{HEAD}name: child\ntitle: Child\nparameters:\n  place: {{ type: string }}\nsteps:\n  - id: \
             look\n    uses: rds.check_source\n    region: ${{{{ params.place }}}}\n    with: {{ instance: \
             techcorp-orders-replica-west }}\n  - id: again\n    uses: rds.check_source\n    needs: \
             [look]\n    with: {{ instance: techcorp-orders-replica-west }}\n"
        ),
    );
    let lost = " --assume-lost us-east-1";
    let calls = |place: &str, more: &str| {
        parent(
            &env,
            &format!(
                "  - id: child\n    uses: runbook.call\n{more}    with: {{ runbook: child, parameters: {{ \
                 place: {place} }} }}\n"
            ),
        );
        found(&env, lost)
    };
    assert_eq!(calls("us-west-2", ""), Vec::<String>::new());
    let needs = calls("us-east-1", "");
    assert_eq!(needs.len(), 1, "{needs:?}");
    let place =
        "DR070 runbooks/parent.yaml:6 step `child/look` of runbooks/child.yaml:10 needs us-east-1";
    assert!(needs[0].starts_with(place), "{needs:?}");
    // The region of the call is that of steps that name none.
    let needs = calls("us-west-2", "    region: us-east-1\n");
    assert!(needs.len() == 1 && needs[0].contains("step `child/again`"), "{needs:?}");
    // A call that is left out is no way; one that may fail is none that the run needs.
    assert_eq!(calls("us-east-1", "    when: run.form == 'graceful'\n"), Vec::<String>::new());
    let spared = calls("us-east-1", "    on_failure: continue\n");
    assert!(spared.len() == 1 && spared[0].starts_with("DR079 "), "{spared:?}");
    // Within a call whose failure stops the run, `continue` of a step saves nothing: the call fails.
    let text = std::fs::read_to_string(env.project().join("runbooks/child.yaml")).expect("written");
    let may_fail = text.replace("    region: $", "    on_failure: continue\n    region: $");
    let may_fail = may_fail.replace("    needs: [look]\n", "");
    env.write("runbooks/child.yaml", &may_fail);
    let needs = calls("us-east-1", "");
    assert!(needs.len() == 1 && needs[0].starts_with("DR070 "), "{needs:?}");
}

#[test]
fn a_called_runbook_keeps_data_where_it_may_be() {
    let env = TestEnv::new();
    env.write(
        "runbooks/child.yaml",
        &format!(
            "{HEAD}name: child\ntitle: Child\nparameters:\n  source: {{ type: string }}\nsteps:\n  - id: \
             copy\n    uses: rds.create_replica\n    region: us-west-2\n    with: {{ source: \"${{{{ \
             params.source }}}}\" }}\n"
        ),
    );
    let arn = "arn:aws:rds:eu-west-1:123456789012:db:techcorp-europe";
    parent(
        &env,
        &format!(
            "  - id: child\n    uses: runbook.call\n    with: {{ runbook: child, parameters: {{ source: \
             \"{arn}\" }} }}\n"
        ),
    );
    let leaves = found(&env, "");
    assert_eq!(leaves.len(), 1, "{leaves:?}");
    assert!(leaves[0].starts_with("DR065 runbooks/parent.yaml:6 step `child/copy`"), "{leaves:?}");
    assert!(leaves[0].contains("data of database `europe` must not be in us-west-2"), "{leaves:?}");
}
