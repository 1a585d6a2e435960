//! Gates: a run waits for a person or an instant, and everybody can see whom it waits for.

use crate::env::{Output, TestEnv, finished};
use serde_json::Value as Json;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

const RUNBOOK: &str = include_str!("gated.yaml");

const DRILL: &str = "
apiVersion: drctl/v1
kind: Drill
name: gated
runbook: gated
estate: techcorp
objectives: { recovery_time: 4h }
";

fn project() -> TestEnv {
    let env = TestEnv::new();
    env.write("runbooks/gated.yaml", RUNBOOK);
    env.write("drills/gated.yaml", DRILL);
    env
}

/// A project whose drill waits for a decision.
fn waiting() -> TestEnv {
    let env = project();
    env.line("drill gated").expect(13);
    env
}

/// Events of the last run of a kind.
fn events(env: &TestEnv, kind: &str) -> Vec<Json> {
    let lines = env.line("journal export").expect(0).stdout;
    let events = lines.lines().map(|line| {
        let record: Json = serde_json::from_str(line).expect("a record");
        record["event"].clone()
    });
    events.filter(|event| event["type"] == kind).collect()
}

#[test]
fn resume_means_what_waits_also_when_something_newer_has_ended() {
    let env = waiting();
    env.line("drill restore-db").expect(0);
    env.line("status").expect(0).shows(&["unfinished, waits: ", "succeeded"]);
    // It is the waiting run that is taken up; the other has taken longer than its gate waits.
    env.line("resume --answer approve").expect(10).says(&["decide: nobody answered in time"]);
    env.line("resume").expect(2).says(&["has ended"]);
}

#[test]
fn a_dry_run_says_who_is_asked_and_what_hangs_on_it() {
    let env = project();
    env.line("drill gated --dry-run").expect(0).shows(&[
        "CANNOT-KNOW  decide [wait] gate.approve",
        "ask: Use drctl-techcorp-orders-",
        "because a person decides",
        "asked: tester, bob and nobody else",
        "waits for it: verify (cannot be undone)",
        "runs whatever is decided: delete",
        "without an answer in time it fails",
        "it may be answered for 30m00s",
        "wait for 10m00s",
        "plus waiting for people: decide",
    ]);
    env.assert_untouched();
}

#[test]
fn without_a_terminal_a_gate_waits_and_an_answer_opens_it() {
    let env = project();
    let out = env.line("drill gated").expect(13);
    let run = env.runs()[0].clone();
    let approve = format!("drctl resume {run} --answer approve");
    out.says(&[
        "decide asks: Use drctl-techcorp-orders-",
        "verify (cannot be undone)",
        "in any case  delete",
        "approvers    tester, bob",
        "then the step fails",
        &approve,
        &format!("drctl resume {run} --answer reject"),
    ]);
    env.line("status last").expect(0).shows(&["decide asks: Use", "asked", &approve]);
    let asked = env.line("status last --output json").expect(0).json()["questions"][0].clone();
    assert_eq!((&asked["step"], &asked["approvers"][1]), (&"decide".into(), &"bob".into()));
    env.line("status --line").expect(13).shows(&[
        "WAITS FOR tester or bob since 2026-01-15T",
        ", until 2026-01-15T",
        &format!("; drctl status {run}"),
    ]);
    let line = env.line("status --line --output json").expect(13).json();
    assert!(!line["line"].as_str().expect("a text").contains(['|', '>', '&']), "{line}");
    let commands = line["run"]["commands"].as_array().expect("a list").clone();
    assert_eq!(commands, [approve.clone(), format!("drctl resume {run} --answer reject")]);
    // Taking it up without an answer asks nothing twice and loses no time.
    env.line("resume").expect(13);
    assert_eq!(events(&env, "question_asked").len(), 1);
    let comment = "agreed on the call, password=hunter2";
    env.run(&["resume", "last", "--answer", "approve", "--comment", comment]).expect(0).says(&[
        "decide: tester answered approve by resume --answer: agreed on the call, password=(secret)",
        "run succeeded",
    ]);
    env.assert_clean();
    let outputs = events(&env, "step_succeeded")[2]["outputs"].clone();
    assert_eq!(outputs["approved_by"], "tester");
    assert_eq!(outputs["comment"], "agreed on the call, password=(secret)");
    env.line("report").expect(0).shows(&[
        "## Who approved what",
        "approve by resume --answer, after 0ms (agreed on the call, password=(secret))",
        "| wait ",
    ]);
    let answered = env.line("report --format json").expect(0).json()["approvals"][1].clone();
    assert_eq!((&answered["who"], &answered["answer"]), (&"tester".into(), &"approve".into()));
    assert!(!env.line("report --format html").expect(0).stdout.contains("hunter2"));
    env.line("journal verify").expect(0);
    env.line("resume --answer approve").expect(2).says(&["has ended"]);
}

#[test]
fn a_rejection_ends_the_run_and_cleans_up() {
    let env = waiting();
    let reject = ["resume", "last", "--answer", "reject", "--comment", "wrong restore time"];
    env.run(&reject).expect(12).says(&["FAILED: rejected by tester", "run aborted"]).shows(&[
        "ABORTED: rejected at: decide",
        "the run was ended here: rejected by tester by resume --answer: wrong restore time",
    ]);
    env.assert_clean();
    assert_eq!(env.count("RestoreDBInstanceToPointInTime"), 1);
    let report = env.line("report --format json").expect(0).json();
    assert_eq!(report["verdict"]["rejected_steps"][0], "decide");
    assert_eq!(report["verdict"]["failed_steps"], serde_json::json!([]));
    assert_eq!(report["prediction"]["wrong"], serde_json::json!([]), "a plan predicts no person");
}

#[test]
fn yes_opens_a_gate_where_nothing_is_protected_and_says_that_it_did() {
    let env = project();
    env.line("drill gated --yes").expect(0).says(&["decide: tester answered approve by --yes"]);
    assert_eq!(events(&env, "question_answered")[0]["way"], "yes");
    env.line("report").expect(0).shows(&["approve by --yes"]);
    env.assert_clean();
    let env = waiting();
    env.line("resume --yes").expect(0).says(&["answered approve by --yes"]);
    env.assert_clean();
}

#[test]
fn wrong_answers_change_nothing() {
    let env = waiting();
    let before = env.line("journal export").expect(0).stdout;
    for (line, parts) in [
        ("resume --answer maybe", &["`maybe` is no answer to decide", "approve, reject"][..]),
        ("resume --answer Approve", &["`Approve` is no answer to decide"]),
        ("resume --answer retry", &["it takes: approve, reject"]),
        ("resume --answer approve --step verify", &["step `verify` of run", "these ask: decide"]),
        ("resume --comment yes", &["--answer"]),
        ("resume --answer approve --yes", &["cannot be used with"]),
    ] {
        env.line(line).expect(2).says(parts);
    }
    assert_eq!(env.line("journal export").expect(0).stdout, before);
    env.line("resume --answer approve").expect(0);
    let env = TestEnv::new();
    env.line("drill restore-db --fault expired-credentials=DeleteDBInstance").expect(18);
    env.line("resume --answer approve").expect(2).says(&["waits for no answer"]);
}

/// Lets two hours pass in the simulated world: another drill runs in it.
fn time_passes(env: &TestEnv) {
    env.line("drill restore-db").expect(0);
}

/// Takes the older of two runs up.
fn resume_first(env: &TestEnv, answer: &str) -> Output {
    let run = env.runs()[0].clone();
    env.run(&["resume", &run, "--answer", answer])
}

#[test]
fn the_time_of_a_gate_counts_over_a_resume() {
    let env = waiting();
    time_passes(&env);
    resume_first(&env, "approve")
        .expect(10)
        .says(&[
            "decide: nobody answered in time",
            "FAILED: nobody decided within 30m00s: asked 2026-01-15T",
            "the answer `approve` for decide came too late",
        ])
        .shows(&["gate timed out: nobody decided within 30m00s", "the question was: Use drctl-"]);
    let run = env.runs()[0].clone();
    let report = env.run(&["report", &run, "--format", "json"]).expect(0).json();
    let decision = &report["approvals"].as_array().expect("a list")[1];
    assert_eq!((&decision["who"], &decision["answer"]), (&Json::Null, &"no answer in time".into()));
    assert_eq!(env.left_behind(), Vec::<String>::new());
    let env = project();
    env.line("drill gated -p on_timeout=reject").expect(13).says(&["it counts as rejected"]);
    time_passes(&env);
    resume_first(&env, "approve").expect(12).says(&["nobody answered in time", "run aborted"]);
    assert_eq!(env.left_behind(), Vec::<String>::new());
}

#[test]
fn of_two_gates_the_step_is_named() {
    let env = TestEnv::new();
    let gate = |id: &str| {
        format!(
            "  - id: {id}\n    uses: gate.approve\n    timeout: 1h\n    with: {{ message: '{id}?' }}\n"
        )
    };
    let text = format!(
        "apiVersion: drctl/v1\nkind: Runbook\nname: two\nsteps:\n{}{}  - id: pause\n    uses: gate.wait_until\n    with: {{ for: 5m }}\n",
        gate("left"),
        gate("right")
    );
    env.write("runbooks/two.yaml", &text);
    // What needs nobody goes on while two people are waited for.
    env.line("run two --env sim")
        .expect(13)
        .says(&["pause: done in 5m00s", "--step left --answer"]);
    env.line("resume --answer approve").expect(2).says(&["several steps: left, right", "--step"]);
    env.line("resume --answer approve --step right").expect(13).says(&["right: tester answered"]);
    env.line("resume --answer approve").expect(0).says(&["left: tester answered"]);
}

#[test]
fn a_wait_beyond_its_time_out_is_foreseen_and_does_not_begin() {
    for with in ["{ for: '${{ params.long }}' }", "{ time: '2026-01-16T10:00:00Z' }"] {
        let env = TestEnv::new();
        let text = format!(
            "apiVersion: drctl/v1\nkind: Runbook\nname: wait\nparameters:\n  long: {{ type: duration, default: 25h }}\nsteps:\n  - {{ id: a, uses: gate.wait_until, timeout: 1h, with: {with} }}\n"
        );
        env.write("runbooks/wait.yaml", &text);
        env.line("run wait --env sim --dry-run").expect(10).shows(&[
            "WONT",
            "it waits for 1d0",
            "and its time-out is 1h00m",
        ]);
        env.line("run wait --env sim").expect(10).says(&[
            "it is waiting until 2026-01-16T10:00:00",
            "and its time-out ends 2026-01-15T10:00:00",
        ]);
        // It fails at once: nobody waits in vain for what is known to come too late.
        let failed = env.line("status last --output json").expect(0).json()["steps"][0].clone();
        assert_eq!(failed["started_at"], failed["finished_at"]);
    }
}

#[test]
fn a_wait_ends_at_its_instant() {
    let env = TestEnv::new();
    env.write(
        "runbooks/wait.yaml",
        "apiVersion: drctl/v1\nkind: Runbook\nname: wait\nsteps:\n  - { id: a, uses: gate.wait_until, timeout: 3h, with: { time: '2026-01-15T11:00:00Z' } }\n  - { id: b, uses: gate.wait_until, needs: [a], with: { for: 20m, after: '${{ steps.a.outputs.until }}' } }\n",
    );
    env.line("run wait --env sim").expect(0).says(&["waiting until 2026-01-15T11:20:00Z"]);
    let ends: Vec<Json> =
        events(&env, "step_succeeded").iter().map(|it| it["outputs"]["until"].clone()).collect();
    assert_eq!(ends, ["2026-01-15T11:00:00Z", "2026-01-15T11:20:00Z"]);
    env.line("report").expect(0).shows(&["| wait  | 2h19m | 100%  |"]);
}

/// Runs a line of words at a pseudo-terminal, where somebody types a line each time that a text has been
/// shown; `None` where there is no `script`.
#[expect(clippy::print_stdout, reason = "what was not tested has to be seen")]
pub(crate) fn at_a_terminal(env: &TestEnv, line: &str, typed: &[(&str, &str)]) -> Option<Output> {
    let command = env.command(&[]);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut script = std::process::Command::new("script");
    script.args(["-qefc", &format!("{program} {line}"), "/dev/null"]);
    script.current_dir(env.project()).env_clear().envs(
        command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))),
    );
    script.env("TERM", "xterm").env("SHELL", "/bin/sh");
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match script.spawn() {
        Ok(child) => child,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "no `script`: {error}");
            println!("skipped: there is no `script` (util-linux): {error}");
            return None;
        }
    };
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = child.stdout.take().expect("piped");
    let (mut shown, mut seen) = (Vec::new(), 0);
    for (text, line) in typed {
        while let Err(missing) = position(&shown[seen..], text) {
            let mut some = [0; 4096];
            let read = stdout.read(&mut some).expect("it is read");
            let all = String::from_utf8_lossy(&shown);
            assert!(read > 0, "{missing} was not shown: {all}");
            shown.extend(&some[..read]);
        }
        seen += position(&shown[seen..], text).expect("it is there");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("it reads");
    }
    // The end of the input ends `script`, so it is kept open until the program has ended.
    stdout.read_to_end(&mut shown).expect("it is read");
    let output = child.wait_with_output().expect("it ends");
    drop(stdin);
    Some(finished(std::process::Output { stdout: shown, ..output }))
}

/// Where `text` ends in what was shown, else the text.
fn position<'a>(shown: &[u8], text: &'a str) -> Result<usize, &'a str> {
    let found = shown.windows(text.len().max(1)).position(|part| part == text.as_bytes());
    if text.is_empty() { Ok(0) } else { found.map(|at| at + text.len()).ok_or(text) }
}

#[test]
fn at_a_terminal_a_person_is_asked_until_the_answer_is_one() {
    let env = project();
    // What is typed before the question is there does not count.
    let prompt = "type `approve` or `reject`, then why if you like: ";
    let typed = [("", "reject"), (prompt, "what?"), (prompt, "approve agreed on the call")];
    let Some(out) = at_a_terminal(&env, "drill gated", &typed) else { return };
    out.expect(0).shows(&[
        "decide asks: Use drctl-techcorp-orders-",
        "approvers    tester, bob",
        "sim: type `approve` or `reject`",
    ]);
    let answered = &events(&env, "question_answered")[0];
    assert_eq!(
        (&answered["way"], &answered["comment"]),
        (&"terminal".into(), &"agreed on the call".into())
    );
    env.assert_clean();
    let asked = events(&env, "question_asked");
    assert_eq!(asked.len(), 1);
    // Virtual time stands still while a person thinks.
    env.line("report")
        .expect(0)
        .shows(&["approve at the terminal, after 0ms (agreed on the call)"]);
}

#[test]
fn yes_does_not_open_a_gate_of_a_protected_environment() {
    let env = project();
    let estate = include_str!("../../localstack/estates/techcorp.yaml");
    let guarded = estate.replacen("  sim:\n", "  sim:\n    protected: true\n", 1);
    assert_ne!(estate, guarded);
    env.write("estates/techcorp.yaml", &guarded);
    env.line("drill gated --yes").expect(12).says(&["`sim` is protected"]);
    env.line("drill gated --dry-run").expect(0).shows(&["`--yes` does not answer it: `sim` is"]);
    let prompt = "sim: type `approve decide` or `reject decide`, then why";
    let typed = [("to go on: ", "sim"), (prompt, "approve"), (prompt, "reject decide not today")];
    let Some(out) = at_a_terminal(&env, "drill gated --yes", &typed) else { return };
    out.expect(12).shows(&[
        "sim (account 123456789012, PROTECTED",
        "rejected by tester at the terminal: not today",
    ]);
    env.assert_clean();
}
