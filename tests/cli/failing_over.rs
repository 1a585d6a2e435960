//! The form of a run, the gate before what cannot be taken back, and runbooks that call others, as their
//! users meet them.

use crate::env::TestEnv;
use crate::interrupted::Watched;
use crate::two::{by, events, said_by};

const FAILOVER: &str = "apiVersion: drctl/v1
kind: Runbook
name: failover
title: Make the replica in the west the writer
parameters:
  replica: { type: string, default: orders_replica_west }
measure: { recovered: promote }
outputs:
  host: ${{ steps.promote.outputs.endpoint }}
steps:
  - id: look
    uses: rds.check_source
    with: { instance: \"${{ estate.databases.orders.instance }}\" }
  - id: attest
    uses: gate.approve
    needs: [look]
    when: run.form == 'ungraceful'
    timeout: 2h
    with: { message: Is the old writer off?, attests: fencing }
  - id: go
    uses: gate.approve
    needs: [attest]
    timeout: 2h
    with: { message: Promote?, before: [promote] }
  - id: promote
    uses: rds.promote_replica
    needs: [go]
    region: us-west-2
    irreversible: true
    with: { instance: \"${{ estate.databases[params.replica].instance }}\" }
  - id: seen
    uses: rds.check_retention
    needs: [promote]
    region: us-west-2
    with: { instance: \"${{ steps.promote.outputs.instance }}\", days: 1 }
";

const CALLER: &str = "apiVersion: drctl/v1
kind: Runbook
name: caller
title: Everything moves west
measure: { recovered: data/promote }
steps:
  - id: data
    uses: runbook.call
    with:
      runbook: failover
      parameters: { replica: orders_replica_west }
  - id: rest
    uses: gate.wait_until
    needs: [data]
    timeout: 1h
    with: { for: 1m }
  - id: told
    uses: shell.run
    needs: [rest]
    idempotent: true
    with: { command: [echo, \"${{ steps.data.outputs.host }}\"] }
";

fn project() -> TestEnv {
    let env = TestEnv::new();
    env.write("runbooks/failover.yaml", FAILOVER);
    env.write("runbooks/caller.yaml", CALLER);
    env
}

#[test]
fn two_writers_are_shown_acknowledged_and_stand_in_the_report() {
    let env = project();
    env.line("run failover --env sim --dry-run").expect(0).shows(&[
        "TWO WRITERS POSSIBLE: no step before it fences the old writer",
        "at stake now: promote: replica lag:",
        "if ungraceful:",
    ]);
    let mut run = Watched::start(&env, "run failover --env sim --yes --wait");
    run.until("drctl approve");
    env.line("status last").expect(0).shows(&[
        "promote: replica lag:",
        "fencing: TWO WRITERS POSSIBLE",
        "abort: `drctl abort` takes that back and leaves nothing",
    ]);
    let open = env.line("status last --output json").expect(0).json();
    let figures = open["questions"][0]["figures"].as_array().expect("figures").clone();
    assert!(figures.iter().any(|it| it["name"] == "fencing" && it["known"] == false));
    by(&env, "ann", "approve last go")
        .expect(12)
        .says(&["two writers are possible", "--acknowledge two-writers"]);
    by(&env, "ann", "skip last go --reason hurry").expect(12).says(&["cannot be skipped"]);
    by(&env, "ann", "approve last go --acknowledge peace").expect(2);
    by(&env, "ann", "approve last go --acknowledge two-writers")
        .expect(0)
        .shows(&["ann approved from another terminal, acknowledging two-writers"]);
    run.end().expect(0);
    let given = events(&env, "approval_given");
    assert_eq!((given.len(), &given[0]["acknowledged"]), (1, &"two-writers".into()));
    let lag = given[0]["figures"].as_array().expect("figures").iter();
    let lag = lag.filter(|it| it["name"] == "replica_lag" && it["step"] == "promote");
    assert_eq!(lag.count(), 1);
    env.line("report").expect(0).shows(&[
        "approved, acknowledging two-writers",
        "At stake when ann approved go",
        "promote: replica lag:",
    ]);
    env.line("journal verify").expect(0);
}

#[test]
fn an_attestation_is_proof_and_the_form_is_shown_everywhere() {
    let env = project();
    let dry = env.line("run failover --env sim --form ungraceful --dry-run").expect(0);
    dry.shows(&["form         ungraceful", "fenced by then, if all goes well: attest"]);
    env.line("run failover --env sim --form hasty").expect(2).says(&["graceful, ungraceful"]);
    let mut run = Watched::start(&env, "run failover --env sim --form ungraceful --wait");
    run.until("drctl approve");
    env.line("status last").expect(0).shows(&["form        ungraceful, from the beginning"]);
    by(&env, "bob", "approve last attest").expect(0);
    run.until("Promote?");
    by(&env, "ann", "approve last go").expect(0);
    run.end().expect(0);
    let given = events(&env, "approval_given");
    let fencing = given.iter().flat_map(|it| it["figures"].as_array().cloned().unwrap_or_default());
    let fencing: Vec<_> = fencing.filter(|it| it["name"] == "fencing").collect();
    assert_eq!(fencing[0]["text"], "attest: attested by bob");
    env.line("report").expect(0).shows(&["form: ungraceful"]);
    let json = env.line("report --output json").expect(0).json();
    assert_eq!(json["run"]["form"], "ungraceful");
}

#[test]
fn the_form_is_switched_from_another_terminal() {
    let env = project();
    let mut run = Watched::start(&env, "run failover --env sim --wait");
    run.until("drctl approve");
    let words = ["switch", "last", "--to", "ungraceful", "--reason", "the region is gone"];
    let unasked = said_by(&env, "ann", &words).expect(12);
    unasked.says(&[
        "is LOST",
        "promote: replica lag:",
        "has what was written until",
        "nobody is at the terminal to agree to the loss",
        "use --yes",
    ]);
    let words = [&words[..], &["--yes"]].concat();
    said_by(&env, "ann", &words)
        .expect(0)
        .shows(&["taken: switch by ann", "ann switched the run from graceful to ungraceful"]);
    said_by(&env, "bob", &words).expect(2).says(&["is ungraceful already"]);
    env.line("switch last --to ungraceful").expect(2).says(&["--reason"]);
    env.line("status last")
        .expect(0)
        .shows(&["form        ungraceful; ann switched from graceful at", "the region is gone"]);
    by(&env, "ann", "switch last --to graceful --reason calm").expect(0);
    let json = env.line("status last --output json").expect(0).json();
    assert_eq!(
        (&json["form"], &json["switched"]["from"]),
        (&"graceful".into(), &"ungraceful".into())
    );
    run.signal("TERM");
    run.end().expect(13);
    assert_eq!(events(&env, "form_switched").len(), 2);
    env.line("journal verify").expect(0);
}

#[test]
fn a_called_runbook_is_planned_run_resumed_and_reported_as_steps_of_the_run() {
    let env = project();
    env.line("runbook validate runbooks/caller.yaml").expect(0);
    env.line("runbook list").expect(0).shows(&["caller", "failover"]);
    env.line("runbook graph caller").expect(0).shows(&["data/promote"]);
    env.line("runbook doc caller").expect(0).shows(&["data/promote"]);
    env.line("explain runbook.call").expect(0).shows(&["parameters"]);
    let dry = env.line("run caller --env sim --dry-run").expect(0);
    dry.shows(&["data/promote", "data/go", "runbook.call"]);
    let mut run = Watched::start(&env, "run caller --env sim --wait");
    run.until("drctl approve");
    run.kill();
    let run = env.runs()[0].clone();
    env.line("resume --answer approve --step data/go")
        .expect(13)
        .says(&["two writers are possible"]);
    env.line("resume --answer approve --step data/go --acknowledge two-writers").expect(0);
    let report = env.line("report").expect(0);
    report.shows(&["data/promote", "data/go", "called runbook"]);
    let json = env.line("report --output json").expect(0).json();
    let told = json["steps"].as_array().expect("steps").iter();
    let told = told.filter(|step| step["step"] == "told").count();
    assert_eq!(told, 1);
    assert_eq!(env.count("PromoteReadReplica"), 1, "{run}");
}

#[test]
fn calls_that_cannot_be_are_told_with_their_place() {
    let env = project();
    for (from, to, parts) in [
        ("runbook: failover", "runbook: failower", &["DR081", "failower"][..]),
        ("runbook: failover", "runbook: caller", &["DR082", "`caller` calls `caller`"]),
        ("{ replica: ", "{ replika: ", &["DR081", "no parameter `replika`"]),
        ("{ replica: orders_replica_west }", "{ replica: [1] }", &["DR022"]),
        ("outputs.host", "outputs.hots", &["DR031", "hots"]),
        ("    uses: runbook.call\n", "    uses: runbook.call\n    timeout: 5m\n", &["DR015"]),
        ("recovered: data/promote", "recovered: data/promoted", &["DR017"]),
    ] {
        let text = CALLER.replacen(from, to, 1);
        assert_ne!(text, CALLER, "{from}");
        env.write("runbooks/caller.yaml", &text);
        env.line("runbook validate runbooks/caller.yaml").expect(2).shows(parts);
    }
    env.write("runbooks/caller.yaml", CALLER);
    env.write(
        "runbooks/failover.yaml",
        &FAILOVER.replace("uses: rds.promote_replica", "uses: rds.x"),
    );
    let out = env.line("runbook validate runbooks/caller.yaml").expect(2);
    out.shows(&["DR081", "runbook `failover` has errors of its own", "there is no action `rds.x`"]);
}

#[test]
fn an_edited_runbook_that_is_called_is_an_edit_of_the_run() {
    let env = project();
    let mut run = Watched::start(&env, "run caller --env sim --wait");
    run.until("drctl approve");
    run.kill();
    let longer =
        FAILOVER.replace("    irreversible: true\n", "    irreversible: true\n    timeout: 3h\n");
    env.write("runbooks/failover.yaml", &longer);
    let difference = "~ step data/promote: timeout (none) -> 3h";
    env.line("resume").expect(17).says(&[difference, "--accept-changes"]);
    env.line("resume --accept-changes --yes").expect(13).says(&[difference]);
    let words = "resume --answer approve --step data/go --acknowledge two-writers";
    env.line(words).expect(0);
    assert_eq!(events(&env, "plan_changed").len(), 1);
}
