//! Stored plans: run once, unchanged, before they expire, and only while their facts hold.

use crate::env::TestEnv;
use std::fs;

fn planned(env: &TestEnv) -> String {
    env.line("drill restore-db --dry-run --out plan.json").expect(0).says(&["plan stored in"]);
    fs::read_to_string(env.project().join("plan.json")).expect("a plan")
}

#[test]
fn a_plan_runs_once() {
    let env = TestEnv::new();
    planned(&env);
    env.line("run --plan plan.json").expect(0).says(&["plan", "holds:", "facts unchanged"]);
    let run = env.runs()[0].clone();
    env.line("run --plan plan.json").expect(17).says(&["was run already", &run, "drctl report"]);
    env.assert_clean();
    assert_eq!(env.runs().len(), 1);
}

/// What would never end or fill the memory is not even opened.
#[cfg(unix)]
#[test]
fn what_is_no_plan_is_refused_at_once() {
    let env = TestEnv::new();
    let path = |name: &str| env.project().join(name);
    fs::create_dir(path("dir.json")).expect("a directory");
    let made = std::process::Command::new("mkfifo").arg(path("pipe.json")).status();
    assert!(made.expect("mkfifo runs").success());
    std::os::unix::fs::symlink("/dev/zero", path("zero.json")).expect("a link");
    let holes = fs::File::create(path("big.json")).expect("a file");
    holes.set_len(1 << 30).expect("a hole");
    fs::write(path("latin.json"), b"{\"caf\xe9\": 1}").expect("a file");
    for (file, part) in [
        ("dir.json", "a directory, not a regular file"),
        ("pipe.json", "a pipe, a socket or a device"),
        ("zero.json", "a pipe, a socket or a device"),
        ("big.json", "it has 1073741824 bytes; the limit is"),
        ("latin.json", "no plan: invalid utf-8"),
        ("none.json", "No such file"),
    ] {
        env.line(&format!("run --plan {file}")).expect(2).says(&[file, part]);
    }
}

#[test]
fn an_edited_plan_is_refused() {
    let env = TestEnv::new();
    let text = planned(&env);
    let edits = [
        text.replace("\"db.r6g.2xlarge\"", "\"db.t3.micro\""),
        text.replacen("restore-db", "restore-xx", 1),
        text.replace("\"techcorp-private\"", "\"public\""),
        format!("{text}\n"),
    ];
    for edited in edits {
        assert_ne!(edited, text);
        env.write("edited.json", &edited);
        let out = env.line("run --plan edited.json");
        assert!([17, 2].contains(&out.code), "{}: {}", out.code, out.stderr);
        assert!(out.stderr.contains("edited.json"), "{}", out.stderr);
        env.assert_untouched();
    }
    // Edited and without the original to compare with: the embedded files still have their digests.
    fs::remove_dir_all(env.state().join("plans")).expect("plans are kept");
    env.write("edited.json", &text.replacen("Restores the orders", "Restores the other", 1));
    env.write(
        "edited.json",
        &text.replacen("security_groups: [sg-0a1b", "security_groups: [sg-ffff", 1),
    );
    env.line("run --plan edited.json").expect(17).says(&["was changed after it was made"]);
    env.assert_untouched();
}

#[test]
fn what_is_no_plan_is_named_with_its_place() {
    let env = TestEnv::new();
    env.line("run --plan none.json").expect(2).says(&["cannot read none.json"]);
    env.write("broken.json", "{\n  \"schema_version\": 1,\n  oops\n}\n");
    env.line("run --plan broken.json").expect(2).says(&["broken.json:3:3", "no plan"]);
    let text = planned(&env);
    env.write("other.json", &text.replacen("\"schema_version\": 1", "\"schema_version\": 99", 1));
    env.line("run --plan other.json").expect(2).says(&["plan version 99", "make the plan again"]);
    env.assert_untouched();
}

#[test]
fn a_plan_expires() {
    let env = TestEnv::new();
    planned(&env);
    // Each of these takes hours of the simulated clock: a restore that never ends, and its time-out.
    for _ in 0..8 {
        env.line("drill restore-db --fault stuck-creating").expect(10);
    }
    let before = env.mutations();
    env.line("run --plan plan.json").expect(17).says(&["expired at 2026-01-16T09:00:00Z"]);
    assert_eq!(env.mutations(), before);
    assert_eq!(env.runs().len(), 8);
}

#[test]
fn a_plan_is_refused_when_a_fact_has_moved() {
    let env = TestEnv::new();
    planned(&env);
    let path = env.world().join("world.json");
    let world = fs::read_to_string(&path).expect("a world");
    // Somebody moves the source to another class and shortens its backups.
    let mut moved: serde_json::Value = serde_json::from_str(&world).expect("a whole world");
    let source = &mut moved["regions"]["us-east-1"]["instances"]["techcorp-orders"]["current"];
    source["settings"]["class"] = "db.r6g.4xlarge".into();
    fs::write(&path, moved.to_string()).expect("write");
    env.line("run --plan plan.json").expect(17).says(&[
        "facts have moved",
        "db.r6g.2xlarge",
        "db.r6g.4xlarge",
        "make the plan again",
    ]);
    env.assert_untouched();
    fs::write(&path, world).expect("write");
    env.line("run --plan plan.json").expect(0);
}

#[test]
fn a_plan_is_refused_when_its_source_is_gone_or_its_instant_too_old() {
    for fault in ["source-gone", "wrong-restore=stale"] {
        let env = TestEnv::new();
        planned(&env);
        let out = env.run(&["run", "--plan", "plan.json", "--fault", fault]);
        if fault == "source-gone" {
            out.expect(17).says(&["techcorp-orders"]);
            env.assert_untouched();
        } else {
            out.expect(10);
            env.assert_clean();
        }
    }
}

#[test]
fn a_plan_does_not_mix_with_other_arguments() {
    let env = TestEnv::new();
    env.line("run restore-db --plan plan.json").expect(2).says(&["--plan"]);
    env.line("run --plan plan.json --env sim").expect(2).says(&["--env"]);
}
