//! A state directory as this format was on 27 November 2026, with what people did to runs: one run whose plan
//! was changed while it was open and that was aborted, and one that was paused, continued, resumed with the
//! plan that it had, and waits at its second gate.
//!
//! **Invariant:** the files in `state_of_control` are never made anew; what reads them today must go on
//! reading them.

use crate::env::TestEnv;
use crate::old_state::copy;
use std::path::Path;

const ABORTED: &str = "01kf0g2cmnm13ax1q510pae9yz";
const OPEN: &str = "01kf0e44m0zcmved8pcbds3f7h";

fn old() -> TestEnv {
    let env = TestEnv::new();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/state_of_control"), &env.state());
    env
}

#[test]
fn its_journals_are_whole_and_tell_what_people_did() {
    let env = old();
    for (run, told) in [
        (ABORTED, ["went on with edited files", "Remove it again at last?", "aborted"]),
        (OPEN, ["the plan as it was, not with edited files", "lunch", "run continued by tester"]),
    ] {
        env.run(&["journal", "verify", run]).expect(0).shows(&["chain whole"]);
        env.run(&["report", run]).expect(0).shows(&told);
        env.run(&["journal", "show", run]).expect(0).shows(&["run_started", "attempt_started"]);
    }
    let changed = env.run(&["journal", "export", ABORTED]).expect(0).stdout;
    assert!(changed.contains("\"type\":\"plan_changed\""), "{changed}");
    env.line("status").expect(0).shows(&[ABORTED, OPEN, "unfinished, waits"]);
}

#[test]
fn its_open_run_is_ended_by_this_version() {
    let env = old();
    let deleted = env.count("DeleteDBInstance");
    env.run(&["resume", OPEN, "--answer", "approve"]).expect(0).says(&["run succeeded"]);
    assert_eq!(env.count("DeleteDBInstance"), deleted + 1, "{:?}", env.mutations());
    assert_eq!(env.left_behind(), Vec::<String>::new());
}
