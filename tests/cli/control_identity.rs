//! People are who STS says, outside the simulator; and a process that does not end by itself.

use crate::env::{Output, TestEnv, finished};
use crate::interrupted::Watched;
use crate::serve::Served;
use crate::two::events;
use std::process::Command;

/// A gate for Ann and Bob, who both have to approve.
const RUNBOOK: &str = "
apiVersion: drctl/v1
kind: Runbook
name: agreed
title: Go on when two people agree
steps:
  - id: decide
    uses: gate.approve
    timeout: 1h
    with: { message: Go on?, approvers: [ann, bob], approvals: 2 }
";

const SLOW: &str = "
apiVersion: drctl/v1
kind: Runbook
name: slow
title: A program that takes its time
steps:
  - id: slow
    uses: shell.run
    with: { command: [sleep, '30'] }
";

/// An environment that is answered over TCP: nothing in drctl knows that a simulator does.
fn served() -> (TestEnv, Served) {
    let env = TestEnv::new();
    let served = Served::start(&env, &["--ephemeral", "--speed", "1000"]);
    let estate = include_str!("../../localstack/estates/techcorp.yaml");
    let here = estate.replace("127.0.0.1:5600", &served.address);
    assert_ne!(estate, here);
    let here = here.replace("    sql: { sslrootcert: .state/localstack/ca.pem }\n", "");
    env.write("estates/techcorp.yaml", &here);
    env.write("runbooks/agreed.yaml", RUNBOOK);
    env.write("runbooks/slow.yaml", SLOW);
    (env, served)
}

/// A command with the access key of somebody: the simulator knows by it who calls.
fn with_key(env: &TestEnv, name: &str, line: &str) -> Command {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut command = env.command(&words);
    command
        .env("AWS_ACCESS_KEY_ID", format!("AKIAUSER{}", name.to_ascii_uppercase()))
        .env("AWS_SECRET_ACCESS_KEY", "not-a-real-secret-0123456789")
        .env("DRCTL_OPERATOR", "somebody");
    command
}

fn by_key(env: &TestEnv, name: &str, line: &str) -> Output {
    finished(with_key(env, name, line).output().expect("the program starts"))
}

#[test]
fn a_gate_opens_for_those_whom_sts_names_and_for_no_declared_name() {
    let (env, _served) = served();
    let mut run =
        Watched::spawn(with_key(&env, "eve", "run agreed --env localstack --wait"), false);
    run.until("answer       drctl approve");
    // Everybody declares the same name here; it counts for nothing.
    by_key(&env, "ann", "approve last --as ann")
        .expect(2)
        .says(&["--as ann: `localstack` is not simulated", "your own credentials"]);
    by_key(&env, "eve", "approve last")
        .expect(12)
        .says(&["decide is to be decided by ann, bob", "arn:aws:iam::123456789012:user/eve"]);
    by_key(&env, "ann", "approve last").expect(0).shows(&["user/ann"]);
    by_key(&env, "ann", "approve last").expect(2).says(&["approved decide already"]);
    let out = by_key(&env, "bob", "approve last").expect(0);
    assert!(!out.stdout.contains("not-a-real-secret"), "{}", out.stdout);
    run.end().expect(0);
    let given = events(&env, "question_answered");
    assert_eq!(given[0]["identity"], "arn:aws:iam::123456789012:user/bob");
    let export = env.line("journal export").expect(0).stdout;
    assert!(!export.contains("not-a-real-secret") && !export.contains("AKIAUSER"), "{export}");
}

#[test]
fn somebody_of_another_account_or_without_credentials_is_refused() {
    let (env, served) = served();
    let mut run =
        Watched::spawn(with_key(&env, "ann", "run agreed --env localstack --wait"), false);
    run.until("answer       drctl approve");
    let before = env.line("journal export").expect(0).stdout;
    drop(served);
    by_key(&env, "ann", "approve last").expect(18).says(&["error: "]);
    assert_eq!(env.line("journal export").expect(0).stdout, before);
    run.signal("TERM");
    run.end().expect(13);
}

#[test]
fn a_second_signal_stops_at_once_and_the_run_can_be_resumed() {
    for signals in [["INT", "INT"], ["TERM", "INT"]] {
        let (env, _served) = served();
        let mut run = Watched::spawn(with_key(&env, "ann", "run slow --env localstack"), false);
        run.until("slow: shell.run sleep 30");
        // The first signal waits for the program that is at it.
        run.signal(signals[0]);
        run.until("stopping in good order");
        run.signal(signals[1]);
        let out = run.end().expect(13).says(&["stopped at once", "drctl resume "]);
        assert!(!out.stderr.contains("panicked"), "{}", out.stderr);
        env.line("journal verify").expect(0);
        assert!(events(&env, "run_interrupted").is_empty());
        env.line("status last").expect(0).shows(&["driven by   nobody"]);
        // Nobody can look at what a program did: the next process asks instead of repeating it.
        by_key(&env, "ann", "resume last").expect(13).says(&["attempt 2", "slow asks"]);
    }
}
