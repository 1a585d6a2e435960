//! State that cannot be written, is damaged, or is in use.

use crate::env::{TestEnv, finished};
use crate::interrupted::Watched;
use std::fs;
use std::process::Command;

#[test]
fn state_that_cannot_be_written_is_named_before_anything_happens() {
    let env = TestEnv::new();
    let file = env.write("a-file", "not a directory");
    for place in [file.clone(), file.join("below")] {
        for line in [
            "drill restore-db",
            "drill restore-db --dry-run",
            "run restore-db --env sim -p database=orders",
        ] {
            let mut command = env.command(&line.split_whitespace().collect::<Vec<_>>());
            let out = finished(command.env("DRCTL_STATE_DIR", &place).output().expect("starts"));
            let out = out.expect(16).says(&["a-file", "set DRCTL_STATE_DIR"]);
            assert_eq!(out.stdout, "");
        }
    }
    assert_eq!(fs::read_to_string(file).expect("untouched"), "not a directory");
}

#[test]
fn without_any_place_for_state_that_is_said() {
    let env = TestEnv::new();
    let mut command = env.command(&["drill", "restore-db"]);
    let out = command.env_remove("DRCTL_STATE_DIR").env_remove("HOME").output().expect("starts");
    finished(out).expect(2).says(&["no place for state", "export DRCTL_STATE_DIR"]);
}

#[test]
fn a_damaged_world_is_named_and_left_as_it_is() {
    for (text, part) in [
        ("{ half a wor", "is damaged"),
        ("{}", "has version 0"),
        ("{\"version\": 1}", "is damaged"),
        ("", "is damaged"),
    ] {
        let env = TestEnv::new();
        env.line("drill restore-db --dry-run").expect(0);
        let path = env.world().join("world.json");
        fs::write(&path, text).expect("write");
        env.line("drill restore-db").expect(16).says(&["world.json", part, "drctl sim reset"]);
        assert_eq!(fs::read_to_string(&path).expect("still there"), text);
        assert_eq!(env.runs(), Vec::<String>::new());
        env.line("sim reset").expect(0);
        env.line("drill restore-db --dry-run").expect(0);
    }
}

#[test]
fn one_run_of_a_drill_at_a_time() {
    let env = TestEnv::new();
    let mut first = Watched::start(&env, "drill restore-db --pace 1");
    first.until("restore: started");
    let holder = format!("in use by process {}", first.id());
    env.line("drill restore-db").expect(16).says(&[
        "drill `restore-db` in `sim`",
        &holder,
        "help: ",
    ]);
    env.line("drill restore-db --dry-run").expect(16).says(&["this simulated world", &holder]);
    env.line("resume last").expect(16).says(&[&env.runs()[0], &holder]);
    env.line("sim reset").expect(16).says(&[&holder]);
    assert_eq!(env.runs().len(), 1);
    env.line("status").expect(0).shows(&["unfinished"]);
    first.kill();
    // The system gave the locks back; nothing has to be removed by hand.
    env.line("resume last").expect(0).says(&["run succeeded"]);
    env.assert_clean();
}

#[test]
fn a_full_disk_stops_the_run_with_its_own_code() {
    for kilobytes in [16, 64, 160, 240] {
        let env = TestEnv::new();
        let state = env.state();
        fs::create_dir(&state).expect("a directory");
        let size = format!("size={kilobytes}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(&state)
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("SKIPPED: a small tmpfs cannot be mounted here; a full disk was not tried");
            return;
        }
        let out = env.line("drill restore-db");
        let unmounted = Command::new("umount").arg(&state).status().expect("umount starts");
        assert!(unmounted.success());
        let out = out.expect(16);
        assert!(out.stderr.contains("error: "), "{}", out.stderr);
        let said = ["No space left", "disk is full", "no room", "full"];
        assert!(said.iter().any(|part| out.stderr.contains(part)), "{}", out.stderr);
    }
}
