//! Mistakes on the command line: exit code 2, a reason, what to do, and nothing left behind.

use crate::env::TestEnv;

/// Lines that are wrong before anything is opened.
const MISTAKES: [(&str, &[&str]); 22] = [
    ("drill restore-dv", &["no drill called `restore-dv`", "did you mean `restore-db`?"]),
    ("drill nothing-like-it", &["no drill called", "there are: ", "restore-db"]),
    ("run restore-dp --env sim", &["no runbook called", "did you mean `restore-db`?"]),
    ("drill restore-db --env simm", &["no environment `simm`", "did you mean `sim`?"]),
    (
        "drill restore-db --env x",
        &["no environment `x`", "localstack, production, production_west, sim, sim_west"],
    ),
    (
        "run restore-db --env sim --estate techkorp -p database=orders",
        &["no estate called `techkorp`", "did you mean `techcorp`?"],
    ),
    ("run restore-db", &["--env"]),
    ("run restore-db --env sim", &["parameter `database`", "required"]),
    ("drill restore-db -p database", &["`-p database` is no NAME=VALUE", "-p database=orders"]),
    ("drill restore-db -p databas=orders", &["no parameter `databas`", "did you mean `database`?"]),
    ("drill restore-db -p min_rows=many", &["`min_rows`", "whole number", "`many`"]),
    ("drill restore-db -p max_data_age=soon", &["`max_data_age`", "`soon`"]),
    ("drill restore-db -p restore_time=yesterday", &["`restore_time`", "`yesterday`", "latest"]),
    ("drill restore-db --pace 0", &["--pace 0 is no speed"]),
    ("drill restore-db --pace -1", &["--pace -1 is no speed"]),
    ("drill restore-db --pace NaN", &["--pace NaN is no speed"]),
    ("drill restore-db --pace fast", &["--pace"]),
    ("drill restore-db --disaster-at tomorrow", &["`tomorrow` is no instant", "2026-03-01T10"]),
    ("drill restore-db --declared-at 12:00", &["--declared-at `12:00` is no instant"]),
    ("drill restore-db --out plan.json", &["--dry-run"]),
    ("drill restore-db --fault trottled", &["fault `trottled`", "no such fault", "throttled"]),
    ("frobnicate", &["frobnicate"]),
];

#[test]
fn mistakes_leave_nothing_behind() {
    for (line, parts) in MISTAKES {
        let env = TestEnv::new();
        let out = env.line(line).expect(2).says(parts);
        assert_eq!(out.stdout, "", "{line}");
        assert!(out.stderr.starts_with("error: "), "{line}: {}", out.stderr);
        env.assert_untouched();
        assert!(!env.state().exists(), "{line} made a state directory");
    }
}

#[test]
fn instants_are_compared_with_the_clock_of_the_environment() {
    for (line, parts) in [
        (
            "drill restore-db --disaster-at 2027-01-01T00:00:00Z",
            ["--disaster-at 2027-01-01T00:00:00Z lies in the future", "now is 2026-01-15T09:00:00"],
        ),
        (
            "drill restore-db --disaster-at 2026-01-15T08:00:00Z --declared-at 2026-01-15T07:00:00Z",
            ["--declared-at lies before --disaster-at", ""],
        ),
    ] {
        let env = TestEnv::new();
        env.line(line).expect(2).says(&parts);
        env.assert_untouched();
    }
}

#[test]
fn a_database_that_the_estate_does_not_have_is_named() {
    let env = TestEnv::new();
    let line = "drill restore-db -p database=oders";
    env.line(line).expect(2).says(&["step check_source", "no `oders`", "orders"]);
    env.assert_untouched();
}

#[test]
fn the_seed_of_a_world_does_not_change() {
    let env = TestEnv::new();
    env.line("drill restore-db --dry-run").expect(0);
    env.line("drill restore-db --seed 2").expect(2).says(&["seed `1`, not `2`", "sim reset"]);
    env.line("sim reset").expect(0);
    env.line("drill restore-db --seed 2").expect(0);
}

#[test]
fn an_instant_that_cannot_be_restored_fails_the_check_before_anything_is_created() {
    for (instant, part) in [
        ("2020-01-01T00:00:00Z", "lies outside the restorable window"),
        ("2027-01-01T00:00:00Z", "lies in the future"),
        ("2026-01-15T08:59:59Z", "lies outside the restorable window"),
    ] {
        let env = TestEnv::new();
        let line = format!("drill restore-db -p restore_time={instant}");
        env.line(&format!("{line} --dry-run")).expect(10).shows(&["WONT", part]);
        env.assert_untouched();
        env.line(&line).expect(10).says(&["check_source: FAILED", part]);
        assert_eq!(env.mutations(), Vec::<String>::new());
    }
}

#[test]
fn help_is_not_an_error() {
    let env = TestEnv::new();
    for line in
        ["--help", "drill --help", "run --help", "resume --help", "sim serve --help", "--version"]
    {
        let out = env.line(line).expect(0);
        assert!(out.stderr.is_empty() && !out.stdout.is_empty(), "{line}");
    }
    assert!(!env.state().exists());
}
