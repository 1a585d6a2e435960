//! Files with mistakes: all of them reported, each with its place; exit code 2; nothing left behind.

use crate::env::TestEnv;

const HEAD: &str = "apiVersion: drctl/v1\nkind: Runbook\nname: mine\ntitle: Mine\n";

const MANY: &str = r#"steps:
  - id: one
    uses: rds.chek_source
    with: { instance: x, restore_time: latest }
  - id: two
    uses: rds.check_source
    needs: [three]
    with: { instance: x, restore_time: latest, colour: red }
  - id: three
    uses: rds.check_source
    needs: [two, nobody]
    timout: 3m
    with: { instance: "${{ params.nothing }}", restore_time: latest }
"#;

#[test]
fn validate_reports_all_problems_at_once_with_their_places() {
    let env = TestEnv::new();
    env.write("runbooks/mine.yaml", &format!("{HEAD}{MANY}"));
    let places = [
        "runbooks/mine.yaml:7:11",
        "error[DR012]",
        "no action `rds.chek_source`",
        "did you mean `rds.check_source`?",
        "runbooks/mine.yaml:9:9",
        "circle",
        "runbooks/mine.yaml:12:48",
        "no input `colour`",
        "runbooks/mine.yaml:15:18",
        "no step `nobody`",
        "runbooks/mine.yaml:16:5",
        "did you mean `timeout`?",
        "runbooks/mine.yaml:17:35",
        "`params` has no `nothing`",
    ];
    env.line("runbook validate mine").expect(2).shows(&places);
    env.line("runbook validate runbooks/mine.yaml").expect(2).shows(&places);
    // The same file is refused, with the same words, where it would run.
    env.line("run mine --env sim").expect(2).says(&places).says(&["has 6 errors"]);
    assert!(!env.state().exists());
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let env = TestEnv::new();
    for (text, parts) in [
        ("steps: [\n", ["runbooks/mine.yaml:", "error"]),
        ("\tsteps: 1\n", ["runbooks/mine.yaml:1:", "error"]),
        ("", ["runbooks/mine.yaml", "error"]),
        ("a: 1\na: 2\n", ["runbooks/mine.yaml:2:", "a"]),
        ("apiVersion: drctl/v2\nkind: Runbook\n", ["apiVersion", "drctl/v1"]),
        ("apiVersion: drctl/v1\nkind: Drill\n", ["kind", "Runbook"]),
    ] {
        env.write("runbooks/mine.yaml", text);
        env.line("run mine --env sim").expect(2).says(&parts);
    }
    std::fs::write(env.project().join("runbooks/mine.yaml"), b"title: \xff\xfe").expect("write");
    env.line("run mine --env sim").expect(2).says(&["is not UTF-8 text (byte 7)"]);
    env.line("run runbooks/none.yaml --env sim")
        .expect(2)
        .says(&["cannot read runbooks/none.yaml"]);
    env.line("runbook validate none.yaml").expect(2).says(&["cannot read none.yaml"]);
    assert!(!env.state().exists());
}

#[test]
fn mistakes_in_a_drill_and_in_an_estate_are_found_before_anything_runs() {
    let env = TestEnv::new();
    let drill = |text: &str| format!("apiVersion: drctl/v1\nkind: Drill\nname: mine\n{text}");
    for (text, parts) in [
        ("estate: techcorp\nenvironment: sim\n", ["drills/mine.yaml", "`runbook`"]),
        (
            "runbook: restore-xx\nestate: techcorp\nenvironment: sim\n",
            ["no runbook called `restore-xx`", "restore-db"],
        ),
        (
            "runbook: restore-db\nestate: tekcorp\nenvironment: sim\n",
            ["no estate called `tekcorp`", "techcorp"],
        ),
        (
            "runbook: restore-db\nestate: techcorp\nenvironment: sin\n",
            ["no environment `sin`", "did you mean `sim`?"],
        ),
        (
            "runbook: restore-db\nestate: techcorp\nenvironment: sim\n",
            ["parameter `database`", "required"],
        ),
        (
            "runbook: restore-db\nestate: techcorp\nenvironment: sim\nparameters: { database: 7 }\n",
            ["drills/mine.yaml:7:25", "expected text"],
        ),
        (
            "runbook: restore-db\nestate: techcorp\nenvironment: sim\nobjectives: { recovery_time: soon }\n",
            ["drills/mine.yaml:7:", "soon"],
        ),
    ] {
        env.write("drills/mine.yaml", &drill(text));
        env.line("drill mine").expect(2).says(&parts);
    }
    env.write("estates/shop.yaml", "apiVersion: drctl/v1\nkind: Estate\nname: shop\ncolour: red\n");
    env.line("run restore-db --estate shop --env sim -p database=a")
        .expect(2)
        .says(&["estates/shop.yaml:4:1", "no field `colour`"]);
    assert!(!env.state().exists());
}

#[test]
fn inputs_of_the_wrong_type_are_found() {
    let env = TestEnv::new();
    let steps = "steps:\n  - id: one\n    uses: rds.check_source\n    with: { instance: [x] }\n  - id: two\n    uses: rds.check_source\n    with: { restore_time: latest }\n";
    env.write("runbooks/mine.yaml", &format!("{HEAD}{steps}"));
    env.line("run mine --env sim").expect(2).says(&[
        "runbooks/mine.yaml:8:23",
        "expected text, found a list",
        "runbooks/mine.yaml:10:",
        "`instance`",
    ]);
}

#[test]
fn what_is_neither_latest_nor_an_instant_is_found_before_anything_runs() {
    let env = TestEnv::new();
    let file = |parameters: &str, restore_time: &str| {
        let steps = format!(
            "{parameters}steps:\n  - id: one\n    uses: rds.check_source\n    with: {{ instance: x, \
             restore_time: {restore_time} }}\n"
        );
        env.write("runbooks/mine.yaml", &format!("{HEAD}{steps}"));
        env.line("runbook validate mine")
    };
    for (value, said) in [
        ("7", "expected `latest` or an instant, found a whole number"),
        ("newest", "expected `latest` or an instant such as"),
        ("'${{ run.keep }}'", "found a boolean"),
    ] {
        let out = file("", value).expect(2);
        let text = out.stdout + &out.stderr;
        assert!(text.contains("runbooks/mine.yaml:8:") && text.contains(said), "{value}: {text}");
    }
    let parameter = "parameters: { at: { type: instant_or_latest, default: latest } }\n";
    for (parameters, value) in [
        ("", "latest"),
        ("", "2026-01-15T06:30:00Z"),
        (parameter, "'${{ params.at }}'"),
        (parameter, "\"${{ params.at == 'latest' ? 'latest' : params.at }}\""),
    ] {
        file(parameters, value).expect(0);
    }
    // What may be the word is no instant: a restore wants one that is explicit.
    let steps = format!(
        "{parameter}steps:\n  - id: one\n    uses: rds.restore_to_point_in_time\n    with: {{ source: x, \
         restore_time: '${{{{ params.at }}}}' }}\n"
    );
    env.write("runbooks/mine.yaml", &format!("{HEAD}{steps}"));
    let out = env.line("runbook validate mine").expect(2);
    let text = out.stdout + &out.stderr;
    assert!(text.contains("expected an instant, found `latest` or an instant"), "{text}");
}

#[test]
fn a_file_of_the_project_wins_over_the_shipped_one() {
    let env = TestEnv::new();
    env.write("runbooks/restore-db.yaml", &format!("{HEAD}steps: []\n"));
    env.line("drill restore-db").expect(2).says(&["runbooks/restore-db.yaml"]);
    env.line("runbook validate").expect(2).shows(&[
        "(shipped) drills/restore-db.yaml:",
        "error[DR042]: runbook `restore-db` has errors of its own",
        "`drctl runbook validate runbooks/restore-db.yaml` shows them",
        "(shipped) drills/verify-snapshot.yaml: valid",
    ]);
}
