//! `runbook validate`: common slips, each told how it is mended, and once.
//!
//! **Invariant:** every slip here was made by somebody who used the program for the first time.

use crate::env::TestEnv;
use crate::validate::{GOOD, HEAD, refused, validate};

/// What a drill refers to is there: each wrong name has its place and the one that was meant.
#[test]
fn a_drill_refers_to_what_exists() {
    let env = TestEnv::new();
    let head = "apiVersion: drctl/v1\nkind: Drill\nname: mine\n";
    let good = "runbook: restore-db\nestate: techcorp\nenvironment: sim\nparameters: { database: orders }\n";
    for (right, wrong, parts) in [
        (
            "restore-db",
            "restore-bd",
            ["error[DR042]", ":4:10", "no runbook called", "`restore-db`?"],
        ),
        ("techcorp", "tehcorp", ["error[DR042]", ":5:9", "no estate called", "`techcorp`?"]),
        (": sim", ": smi", ["error[DR042]", ":6:14", "has no environment `smi`", "`sim`?"]),
        (": orders", ": ordrs", ["error[DR041]", ":7:25", "has no `ordrs`", "`orders`?"]),
    ] {
        env.write("drills/mine.yaml", &format!("{head}{}", good.replace(right, wrong)));
        env.line("runbook validate drills/mine.yaml").expect(2).shows(&parts);
    }
    env.write("drills/mine.yaml", &format!("{head}{good}"));
    env.line("runbook validate drills/mine.yaml --deny-warnings").expect(0);
    // A database that is named on the command line is no matter of the file.
    env.write("drills/mine.yaml", &format!("{head}runbook: restore-db\nestate: techcorp\n"));
    env.line("runbook validate drills/mine.yaml").expect(0);
    env.write("runbooks/restore-db.yaml", &format!("{HEAD}steps: []\n"));
    let parts = ["error[DR042]", ":4:10", "`drctl runbook validate runbooks/restore-db.yaml`"];
    env.line("runbook validate drills/mine.yaml").expect(2).shows(&parts);
}

#[test]
fn a_document_is_called_as_its_file() {
    let env = TestEnv::new();
    env.write("runbooks/other.yaml", &format!("{HEAD}{GOOD}"));
    let parts = ["error[DR043]", "runbooks/other.yaml:3:7", "`name: other`", "`mine.yaml`"];
    env.line("runbook validate other").expect(2).shows(&parts);
    env.write("runbooks/mien.yaml", &format!("{HEAD}{GOOD}"));
    env.line("runbook validate runbooks/mien.yaml").expect(2).shows(&["did you mean `mien`?"]);
    // Only where commands find files by their names.
    env.write("elsewhere.yaml", &format!("{HEAD}{GOOD}"));
    env.line("runbook validate elsewhere.yaml").expect(0);
    env.write("drills/d.yaml", &format!("{HEAD}{GOOD}"));
    env.line("runbook validate drills/d.yaml").expect(0);
}

/// What strangers write, and what they are told to write.
#[test]
fn slips_are_told_how_to_write_it() {
    let step = |rest: &str| format!("{HEAD}{GOOD}{rest}");
    for (rest, code, parts) in [
        ("    when: run.keep ? true : false\n", "DR001", ["mine.yaml:8:", "in quotes"]),
        ("    timeout: 3\n", "DR004", ["mine.yaml:8:14", "write a unit, such as `3m` or `3h`"]),
        ("    always: yes\n", "DR004", ["mine.yaml:8:13", "write `true`"]),
        ("    title: 15.4\n", "DR004", ["mine.yaml:8:12", "put it in quotes"]),
        ("    needs: other\n", "DR004", ["mine.yaml:8:12", "write `[other]`"]),
        ("    depends_on: [x]\n", "DR005", ["mine.yaml:8:5", "did you mean `needs`?"]),
        ("    region: ${ params.x }\n", "DR030", ["mine.yaml:8:13", "`${{ params.x }}`?"]),
        (
            "  - id: next\n    needs: [check]\n    uses: rds.check_source\n    with: { instance: \"${{ check.instance }}\" }\n",
            "DR031",
            ["mine.yaml:11:28", "did you mean `steps.check.outputs`?"],
        ),
    ] {
        refused(step(rest).as_bytes(), code, &parts);
    }
    let sql = |with: &str| {
        format!(
            "{HEAD}steps:\n  - id: check\n    uses: sql.check\n    with:\n      instance: shop-orders\n      {with}\n"
        )
    };
    for (with, parts) in [
        ("pack: reachable", ["mine.yaml:9:13", "write `[reachable]`"]),
        ("rows: [{ table: t, atleast: 1 }]", ["mine.yaml:9:35", "did you mean `at_least`?"]),
        ("rows: [{ table: t, at_least: one }]", ["mine.yaml:9:36", "expected a number"]),
        ("rows: [{ table: t, at_least: '${{ env.name }}' }]", ["mine.yaml:9:41", "found text"]),
        ("queries: [{ name: n, at_least: 1 }]", ["mine.yaml:9:17", "`sql` is missing"]),
    ] {
        refused(sql(with).as_bytes(), "DR022", &parts);
    }
    let good = "rows: [{ table: [a, b], at_least: '${{ size(env.name) }}', within_percent: 5 }]";
    let good = sql(&format!("compare_to: shop\n      {good}"));
    assert_eq!(validate(good.as_bytes()), (0, "runbooks/mine.yaml: valid\n".to_owned()));
}

/// One slip is one problem.
#[test]
fn a_wrong_need_says_nothing_of_what_follows_from_it() {
    let steps = "steps:\n  - { id: check, uses: rds.check_source, with: { instance: shop } }\n  - id: next\n    needs: NEEDS\n    uses: rds.check_source\n    with: { instance: '${{ steps.check.outputs.instance }}' }\n  - id: last\n    needs: [next]\n    uses: rds.check_source\n    with: { instance: '${{ steps.check.outputs.instance }}' }\n";
    for (needs, code) in [("[chek]", "DR013"), ("check", "DR004"), ("[5]", "DR004")] {
        let text = format!("{HEAD}{}", steps.replace("NEEDS", needs));
        refused(text.as_bytes(), code, &["not valid, 1 error\n"]);
    }
    let text = format!("{HEAD}{}", steps.replace("NEEDS", "[]"));
    refused(text.as_bytes(), "DR032", &["not valid, 2 errors\n"]);
}
