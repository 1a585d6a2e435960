//! Checks and notifications beside AWS, in the simulated environment.
//!
//! **Invariant:** nothing here opens a socket: the names and addresses do not exist.

use crate::env::TestEnv;

const ESTATE: &str = r#"apiVersion: drctl/v1
kind: Estate
name: shop
environments:
  sim:
    type: simulated
    account: "123456789012"
    region: us-east-1
    topics: [alerts]
    http:
      "https://app.shop.invalid/health":
        { status: 200, latency: 30ms, body: '{"status":"ok","checks":{"db":"up"}}' }
      "https://old.shop.invalid/health": { status: 503, body: "user ann@shop.invalid" }
    dns:
      app.shop.invalid: { cname: lb.shop.invalid, ttl: 30 }
      lb.shop.invalid: { a: [192.0.2.1, 192.0.2.2], ttl: 60 }
"#;

const CHECKS: &str = r#"
  - id: health
    uses: http.check
    phase: verify
    with:
      url: https://app.shop.invalid/health
      json: { checks.db: up }
      max_latency: 1s
      consecutive: 3
  - id: name
    uses: dns.check
    phase: verify
    with: { name: app.shop.invalid, points_to: lb.shop.invalid, max_ttl: 1m }
"#;

fn project(steps: &str) -> TestEnv {
    let env = TestEnv::new();
    env.write("estates/shop.yaml", ESTATE);
    let head = "apiVersion: drctl/v1\nkind: Runbook\nname: mine\ntitle: Mine\nsteps:";
    env.write("runbooks/mine.yaml", &format!("{head}{steps}"));
    env
}

const DRY: &str = "run mine --estate shop --env sim --dry-run";
const RUN: &str = "run mine --estate shop --env sim --yes";

#[test]
fn checks_pass_and_leave_evidence_but_no_body() {
    let env = project(CHECKS);
    env.line(RUN).expect(0).says(&["health: ", "3 in a row"]);
    let run = env.runs().remove(0);
    let out = env.line(&format!("report {run}")).expect(0);
    out.shows(&["http.status", "dns.system", "192.0.2.1, 192.0.2.2 through lb.shop.invalid"]);
}

#[test]
fn a_dry_run_asks_today_and_its_certificate_says_so() {
    let env = project(CHECKS);
    env.line(DRY).expect(0).shows(&[
        "CANNOT-KNOW  health",
        "GET https://app.shop.invalid/health, 3 times in a row",
        "today it would pass: status 200 after 30ms",
        "today system says: 192.0.2.1, 192.0.2.2 through lb.shop.invalid",
        "1 x http:Read GET https://app.shop.invalid/health",
        "1 x dns:Read A app.shop.invalid at system",
        "wall: effects gate: lets http:Read and dns:Read through",
        "all reads; 0 refused",
    ]);
    assert_eq!(env.runs(), Vec::<String>::new());
}

#[test]
fn a_dry_run_sends_no_headers_of_a_step() {
    let step = "\n  - id: look\n    uses: http.check\n    with: { url: \"https://app.shop.invalid/health\", headers: { Accept: text/html } }\n";
    let out = project(step)
        .line(DRY)
        .expect(0)
        .shows(&["CANNOT-KNOW  look", "not asked today: a dry run sends no headers of the step"]);
    assert!(!out.stdout.contains("x http:Read"), "{}", out.stdout);
    let step = "\n  - id: look\n    uses: http.check\n    with: { url: \"https://app.shop.invalid/health?sig=hunter2\" }\n";
    let out = project(step).line(DRY).expect(0).shows(&["a dry run sends no secret, and its"]);
    assert!(!out.stdout.contains("x http:Read"), "{}", out.stdout);
}

/// One step called `look`, run.
fn look(uses: &str, with: &str) -> crate::env::Output {
    let step = format!("\n  - id: look\n    uses: {uses}\n    phase: verify\n    with: {with}\n");
    project(&step).line(RUN)
}

#[test]
fn a_wrong_answer_fails_and_quotes_no_body() {
    let with = "{ url: \"https://old.shop.invalid/health\", contains: ready }";
    let out = look("http.check", with).expect(10).says(&["status 503, expected 200-299"]);
    assert!(!format!("{}{}", out.stdout, out.stderr).contains("ann@"), "{}", out.stderr);
    let with = "{ name: lb.shop.invalid, expect: [192.0.2.1] }";
    look("dns.check", with).expect(10).says(&["192.0.2.1, 192.0.2.2, expected 192.0.2.1"]);
    look("dns.check", "{ name: gone.shop.invalid }").expect(10).says(&["no such name (NXDOMAIN)"]);
    look("dns.check", "{ name: gone.shop.invalid, absent: true }").expect(0);
    look("dns.check", "{ name: lb.shop.invalid, type: TXT }").expect(10).says(&["no record of"]);
}

#[test]
fn what_does_not_answer_is_an_error_and_no_verdict() {
    let out = look("http.check", "{ url: \"https://gone.shop.invalid/?key=hunter2\" }").expect(10);
    let out = out.says(&["cannot reach https://gone.shop.invalid/?key=(secret)", "refused"]);
    assert!(!out.stderr.contains("hunter2"), "{}", out.stderr);
    // One that waits is given its time, and then its last state is told.
    let with = "{ url: \"https://gone.shop.invalid/\", wait: true }";
    look("http.check", with).expect(10).says(&["the step's 5m00s are over", "cannot reach"]);
    let with = "{ url: \"https://old.shop.invalid/health\", wait: true }";
    look("http.check", with).expect(10).says(&["are over", "status 503"]);
}

#[test]
fn inputs_that_cannot_work_are_named_before_anything_is_asked() {
    for (uses, with, why) in [
        ("http.check", "{ url: ftp://x/ }", "input `url`: an address begins with"),
        ("http.check", "{ url: \"https://ann:hunter2@x/\" }", "`headers_from`"),
        ("http.check", "{ url: \"https://x/\", status: 42 }", "input `status`: `42`"),
        ("http.check", "{ url: \"https://x/\", method: HEAD, contains: x }", "HEAD has no body"),
        ("http.check", "{ url: \"https://x/\", consecutive: 0 }", "1 to 1000, found 0"),
        ("http.check", "{ url: \"https://x/\", time_out: 0s }", "longer than nothing"),
        ("dns.check", "{ name: \"https://x/\" }", "is no name"),
        ("dns.check", "{ name: x, resolvers: [dns.example] }", "`dns.example` is no resolver"),
        ("dns.check", "{ name: x, resolvers: [] }", "1 to 20 resolvers"),
        ("dns.check", "{ name: x, quorum: 2 }", "1 to 1, found 2"),
        ("dns.check", "{ name: x, absent: true, contains: [a] }", "no values to expect"),
    ] {
        let out = look(uses, with).expect(10).says(&[why]);
        assert!(!out.stderr.contains("hunter2"), "{}", out.stderr);
    }
}

#[test]
fn wrong_types_and_methods_are_found_by_validate() {
    let step = "\n  - id: look\n    uses: http.check\n    with: { url: \"https://x/\", method: POST, headers: [a] }\n";
    let env = project(step);
    env.line("runbook validate mine").expect(2).shows(&["GET, HEAD", "a map of a secret"]);
}

const ALL: &str = r#"
  - id: health
    uses: http.check
    with: { url: "https://app.shop.invalid/health" }
  - id: name
    uses: dns.check
    with: { name: app.shop.invalid }
  - id: switch
    uses: shell.run
    needs: [health, name]
    irreversible: true
    with:
      command: [./switch.sh, "${{ steps.health.outputs.status == 200 ? 'fast' : 'slow' }}"]
      capture: true
      simulated: { stdout: "switched token=hunter2" }
  - id: tell
    uses: notify.webhook
    needs: [switch]
    always: true
    with:
      url_from: HOOK
      sign_with: HOOK_KEY
      message: "switch ${{ steps.switch.status }}, run ${{ run.status }}: ${{ steps.switch.outputs.stdout }}"
      link: https://wiki.shop.invalid/switch
  - id: mail
    uses: notify.sns
    needs: [switch]
    always: true
    with:
      topic: arn:aws:sns:us-east-1:123456789012:alerts
      subject: Switch
      message: "run ${{ run.status }}, failed: ${{ size(run.failed_steps) }}"
"#;

/// What would have been sent, one document a line.
fn sent(env: &TestEnv) -> Vec<serde_json::Value> {
    let path = env.state().join("worlds/shop-sim/sent.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn all_five_work_in_a_rehearsal_and_nothing_leaves_the_machine() {
    let env = project(ALL);
    env.line("runbook validate mine").expect(0);
    let out = env.line(RUN).expect(0).says(&["tell: done", "mail: done", "run succeeded"]);
    assert!(!out.stderr.contains("hunter2"), "{}", out.stderr);
    let sent = sent(&env);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["to"], "https://simulated.invalid/(secret)");
    let body: serde_json::Value =
        serde_json::from_str(sent[0]["body"].as_str().expect("a text")).expect("JSON");
    assert_eq!(body["message"], "switch succeeded, run ok: switched token=(secret)");
    assert_eq!(body["text"], "SIMULATED: switch succeeded, run ok: switched token=(secret)");
    assert_eq!((&body["simulated"], &body["status"]), (&true.into(), &"ok".into()));
    assert_eq!((&body["title"], &body["step"]), (&"Mine".into(), &"tell".into()));
    assert_eq!(body["link"], "https://wiki.shop.invalid/switch");
    let run = env.runs().remove(0);
    env.line(&format!("report {run}")).expect(0).shows(&[
        "webhook.status",
        "recorded and not sent",
        "worlds/shop-sim/sent.jsonl of the state directory",
        "sns.message_id",
        "shell.stdout_sha256",
        "not run: simulated",
    ]);
    // The runbook itself is embedded as it was written; nothing that happened holds the secret.
    let journal = env.line(&format!("journal export {run}")).expect(0);
    let events = journal.stdout.lines().filter(|line| !line.contains("run_started"));
    assert!(events.clone().count() > 10 && !events.clone().any(|line| line.contains("hunter2")));
}

#[test]
fn a_dry_run_refuses_none_because_none_is_tried() {
    let env = project(ALL);
    let out = env.line(DRY).expect(0).shows(&[
        "WILL         switch",
        "not started: the environment is simulated",
        "WILL         tell",
        "post how the run stands to the address in the variable `HOOK`",
        "WILL         mail",
        "publish how the run stands to arn:aws:sns:us-east-1:123456789012:alerts",
        "all reads; 0 refused",
    ]);
    assert!(!out.stdout.contains("http:Send") && !out.stdout.contains("process:Run"));
    assert!(sent(&env).is_empty());
}

#[test]
fn a_failure_is_told_and_a_notice_that_fails_is_a_warning() {
    let broken = ALL
        .replace("simulated: { stdout: \"switched token=hunter2\" }", "simulated: { exit_code: 3 }")
        .replace("123456789012:alerts", "123456789012:nobody");
    let env = project(&broken);
    let out = env.line(RUN).expect(10);
    out.says(&["`./switch.sh` ended with exit code 3", "mail: done", "not sent: ", "NotFound"]);
    let body = sent(&env)[0]["body"].as_str().expect("a text").to_owned();
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["status"], "failed");
    assert_eq!(body["failed"][0]["step"], "switch");
    assert!(
        body["message"].as_str().is_some_and(|text| text.starts_with("switch failed, run failed"))
    );
    // The same without a failing step: the notice alone does not fail the run.
    let env = project(&ALL.replace("123456789012:alerts", "123456789012:nobody"));
    env.line(RUN).expect(0).says(&["not sent: ", "NotFound"]);
    let run = env.runs().remove(0);
    env.line(&format!("report {run}")).expect(0).shows(&["not sent: "]);
}

#[test]
fn a_program_is_not_run_and_that_is_a_warning() {
    let out = look("shell.run", "{ command: [rm, -rf, /] }").expect(0);
    out.says(&["not run: simulated"]);
    for (with, why) in [
        ("{ command: [\"rm -rf / | tee x\"] }", "it looks like a line for a shell"),
        ("{ command: [] }", "it names no program"),
        ("{ command: [ls], env: [AWS_SECRET_ACCESS_KEY] }", "pass_credentials: true"),
        ("{ command: [ls], cwd: /etc }", "relative to the project"),
        ("{ command: [ls], time_out: 0s }", "longer than nothing"),
        ("{ command: [ls], simulated: { exit_code: 300 } }", "0 to 255"),
        ("{ command: [ls], variables: { AWS_PROFILE: x } }", "`AWS_PROFILE` cannot be set"),
    ] {
        look("shell.run", with).expect(10).says(&[why]);
    }
}

#[test]
fn notices_that_cannot_be_sent_say_why_before_anything_runs() {
    for (uses, with, why) in [
        ("notify.webhook", "{ message: x }", "the address is missing"),
        ("notify.webhook", "{ message: x, url_from: A, url_secret: b }", "only one of"),
        ("notify.webhook", "{ message: \" \", url_from: A }", "it is empty"),
        ("notify.sns", "{ message: x, topic: alerts }", "`alerts` is no topic"),
        (
            "notify.sns",
            "{ message: x, topic: \"arn:aws:sns:us-east-1:123456789012:a\", subject: \"a\\nb\" }",
            "1 to 100 ASCII",
        ),
        (
            "notify.sns",
            "{ message: x, topic: \"arn:aws:sns:us-east-1:123456789012:a\", attributes: { \"a b\": c } }",
            "a name has letters",
        ),
    ] {
        let step = format!("\n  - id: look\n    uses: {uses}\n    with: {with}\n");
        project(&step).line(DRY).expect(10).shows(&["WONT", why]);
    }
}

#[test]
fn secrets_that_are_written_in_the_file_are_found_by_validate() {
    for (uses, with, code, parts) in [
        (
            "notify.webhook",
            "{ url: \"https://hooks.example/hunter2\", message: x }",
            2,
            &["DR038", "`url` is a secret", "`url_from`", "`url_secret`"][..],
        ),
        (
            "http.check",
            "{ url: \"https://x/\", headers: { Authorization: Bearer hunter2 } }",
            2,
            &["DR038", "`Authorization` is a secret", "`headers_from`"][..],
        ),
        (
            "shell.run",
            "{ command: [ls], variables: { DB_PASSWORD: hunter2 } }",
            0,
            &["DR059", "`DB_PASSWORD` seems to be a secret", "name it in `env`"][..],
        ),
        (
            "http.check",
            "{ url: \"https://x/?code=hunter2\" }",
            0,
            &["DR059", "the address in `url` seems to hold a secret", "`headers_from`"][..],
        ),
    ] {
        let step =
            format!("\n  - id: look\n    uses: {uses}\n    irreversible: true\n    with: {with}\n");
        project(&step).line("runbook validate mine").expect(code).shows(parts);
    }
    // What only says where a secret is, and headers that are none, are no secrets.
    for (uses, with) in [
        ("shell.run", "{ command: [ls], variables: { TOKEN_FILE: /run/token, KEYMAP: us } }"),
        ("http.check", "{ url: \"https://x/?page=2\", headers: { Accept: text/html } }"),
        ("http.check", "{ url: \"https://x/\", headers_from: { Authorization: TOKEN } }"),
    ] {
        let step = format!(
            "\n  - id: look\n    uses: {uses}\n    irreversible: true\n    phase: cleanup\n    with: {with}\n"
        );
        let out = project(&step).line("runbook validate mine").expect(0);
        assert!(!format!("{}{}", out.stdout, out.stderr).contains("DR0"), "{}", out.stdout);
    }
}

#[test]
fn the_journal_keeps_no_secret_of_an_address() {
    let env = project(
        "\n  - id: look\n    uses: http.check\n    with: { url: \"https://app.shop.invalid/health?code=hunter2&page=3\" }\n",
    );
    env.line(RUN).expect(10);
    let run = env.runs().remove(0);
    let journal = env.line(&format!("journal export {run}")).expect(0).stdout;
    let started = journal.lines().find(|line| line.contains("step_started")).expect("it started");
    assert!(started.contains("code=(secret)&page=3"), "{started}");
    assert!(!started.contains("hunter2"), "{started}");
}
