//! `runbook validate` and `explain`: snippets, warnings, editors' JSON, files that mean harm.

use crate::env::TestEnv;
use serde_json::json;
use std::fmt::Write as _;
use std::process::Command;

pub(crate) const HEAD: &str = "apiVersion: drctl/v1\nkind: Runbook\nname: mine\n";
pub(crate) const GOOD: &str =
    "steps:\n  - id: check\n    uses: rds.check_source\n    with: { instance: shop-orders }\n";

/// The exit code and all output of `runbook validate` of a file with these bytes.
pub(crate) fn validate(bytes: &[u8]) -> (i32, String) {
    let env = TestEnv::new();
    let path = env.write("runbooks/mine.yaml", "");
    std::fs::write(path, bytes).expect("a file");
    let output = env.line("runbook validate mine");
    (output.code, format!("{}{}", output.stdout, output.stderr))
}

/// Checks that a file is refused with `code`, that the output has each of `parts`, and that it is short.
#[track_caller]
pub(crate) fn refused(bytes: &[u8], code: &str, parts: &[&str]) {
    let (exit, output) = validate(bytes);
    assert_eq!(exit, 2, "{output}");
    assert!(output.contains(&format!("error[{code}]")), "no {code} in {output}");
    for part in parts {
        assert!(output.contains(part), "no `{part}` in {output}");
    }
    assert!(output.len() < 30_000, "{} bytes of output", output.len());
}

#[test]
fn problems_are_drawn_and_pipes_have_no_colour() {
    let env = TestEnv::new();
    let text = format!("{HEAD}{}", GOOD.replace("rds.check_source", "rds.chek_source"));
    env.write("runbooks/mine.yaml", &text);
    let shown = env.line("runbook validate mine").expect(2).stdout;
    let expected = "error[DR012]: there is no action `rds.chek_source`
 --> runbooks/mine.yaml:6:11
  |
6 |     uses: rds.chek_source
  |           ^^^^^^^^^^^^^^^
  |
  = help: did you mean `rds.check_source`?

runbooks/mine.yaml: not valid, 1 error
";
    assert_eq!(shown, expected);
    let said = env.line("run mine --env sim").expect(2).stderr;
    assert!(said.starts_with(expected.split("\n\n").next().expect("a part")), "{said}");
    assert!(said.contains("error: runbooks/mine.yaml has 1 error\n"), "{said}");
    assert!(said.contains("`drctl explain DR012` says more"), "{said}");
    // Colours come when they are asked for, and not when both are said.
    let coloured = |command: &mut Command| {
        let output = command.output().expect("the program starts");
        output.stdout.contains(&0x1b)
    };
    assert!(coloured(env.command(&["runbook", "validate", "mine"]).env("CLICOLOR_FORCE", "1")));
    let plain = &mut env.command(&["runbook", "validate", "mine"]);
    assert!(!coloured(plain.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")));
}

#[test]
fn warnings_are_shown_and_can_be_denied() {
    let env = TestEnv::new();
    env.write(
        "runbooks/mine.yaml",
        &format!("{HEAD}parameters: {{ a: {{ type: int, default: 1 }} }}\n{GOOD}"),
    );
    let parts = ["warning[DR050]", "mine.yaml:4:15", "runbooks/mine.yaml: valid, 1 warning"];
    env.line("runbook validate mine").expect(0).shows(&parts);
    env.line("runbook validate mine --deny-warnings").expect(2).shows(&parts);
    env.write("runbooks/mine.yaml", &format!("{HEAD}{GOOD}"));
    env.line("runbook validate mine --deny-warnings").expect(0);
    env.line("runbook validate --deny-warnings").expect(0);
}

/// One line, and the drill goes on.
#[test]
fn a_drill_of_a_runbook_with_warnings_says_so_in_one_line() {
    let env = TestEnv::new();
    let shipped = include_str!("../../runbooks/restore-db.yaml");
    let more = "parameters:\n  unused: { type: int, default: 1 }\n";
    env.write("runbooks/restore-db.yaml", &shipped.replace("parameters:\n", more));
    let said = env.line("drill restore-db --dry-run").expect(0).stderr;
    let line = "runbooks/restore-db.yaml has 1 warning: see `drctl runbook validate runbooks/restore-db.yaml`\n";
    assert_eq!(said.matches("warning").count(), 1, "{said}");
    assert!(said.contains(line), "{said}");
}

#[test]
fn a_drill_is_checked_against_its_runbook() {
    let env = TestEnv::new();
    let text = "apiVersion: drctl/v1\nkind: Drill\nname: mine\nrunbook: restore-db\nestate: techcorp\nparameters:\n  database: [orders]\n  tabels: [a]\n";
    env.write("drills/mine.yaml", text);
    let parts = ["error[DR041]", "drills/mine.yaml:7:13", "drills/mine.yaml:8:3", "`tables`?"];
    env.line("runbook validate drills/mine.yaml").expect(2).shows(&parts);
    env.line("drill mine").expect(2).says(&parts);
    assert!(!env.state().exists());
}

#[test]
fn every_kind_of_file_is_checked_as_what_it_is() {
    let env = TestEnv::new();
    for (file, text, part) in [
        (
            "a.yaml",
            "apiVersion: drctl/v1\r\nkind: Estate # ours\r\nname: a\r\nx: 1\r\n",
            "an estate",
        ),
        ("b.yaml", "apiVersion: drctl/v1\nkind: 'Drill'\nname: b\nx: 1\n", "a drill"),
        ("c.yaml", "apiVersion: drctl/v1\nkind: Config\nx: 1\n", "a configuration"),
        ("d.yaml", "x: 1\n", "a runbook"),
    ] {
        env.write(file, text);
        env.line(&format!("runbook validate {file}"))
            .expect(2)
            .shows(&[&format!("{part} has no field `x`")]);
    }
    env.line("runbook validate d.yaml a.yaml").expect(2).shows(&["d.yaml: not", "a.yaml: not"]);
}

#[test]
fn editors_get_ranges_and_replacements() {
    let env = TestEnv::new();
    let text = format!("{HEAD}title: \"größer\"\nverificaton: x\n{GOOD}");
    env.write("mine.yaml", &text);
    let found = env.line("runbook validate mine.yaml --output json").expect(2).json();
    let at = text.find("verificaton").expect("is there");
    assert_eq!(
        found,
        json!({ "schema_version": 2, "files": [{
            "file": "mine.yaml", "valid": false, "errors": 1, "warnings": 0, "omitted": 0,
            "problems": [{
                "file": "mine.yaml", "severity": "error", "code": "DR005",
                "message": "a runbook has no field `verificaton`",
                "help": "did you mean `verification`?", "suggestion": "verification",
                "range": {
                    "start": { "line": 5, "column": 1, "byte": at },
                    "end": { "line": 5, "column": 12, "byte": at + 11 },
                },
            }],
        }] })
    );
    // What the suggestion says, mends it.
    env.write("mine.yaml", &text.replace("verificaton", "verification"));
    let found = env.line("runbook validate mine.yaml --output json").expect(0).json();
    assert_eq!(found["files"][0]["problems"], json!([]));
    std::fs::write(env.project().join("mine.yaml"), b"\xff\xfea\0").expect("write");
    let found = env.line("runbook validate mine.yaml --output json").expect(2).json();
    let problem = &found["files"][0]["problems"][0];
    assert_eq!((&problem["code"], &problem["range"]), (&json!("DR009"), &json!(null)));
}

#[test]
fn codes_are_explained() {
    let env = TestEnv::new();
    let all = env.line("explain").expect(0).stdout;
    assert!(all.lines().count() > 30 && all.contains("DR050  warning"), "{all}");
    for code in all.lines().filter(|line| line.starts_with("DR")).map(|line| &line[..5]) {
        let parts = [code, "Why it matters: ", "Wrong:", "Mended:"];
        env.line(&format!("explain {code}")).expect(0).shows(&parts);
    }
    env.line("explain dr012").expect(0).shows(&["error[DR012]: ", "rds.chek_source"]);
    env.line("explain DR01").expect(2).says(&["no code `DR01`", "did you mean `DR001`?"]);
    env.line("explain nonsense").expect(2).says(&["`drctl explain` lists all"]);
    let one = env.line("explain DR050 --output json").expect(0).json();
    assert_eq!(
        (&one["schema_version"], &one["codes"][0]["severity"]),
        (&json!(1), &json!("warning"))
    );
}

#[test]
fn actions_are_explained_with_types() {
    let env = TestEnv::new();
    let all = env.line("explain").expect(0).stdout;
    let actions: Vec<&str> = all.lines().skip_while(|line| !line.is_empty()).skip(1).collect();
    assert!(actions.len() >= 16, "{all}");
    for action in actions.iter().filter_map(|line| line.split_whitespace().next()) {
        env.line(&format!("explain {action}")).expect(0).shows(&[action, "Inputs", "By hand"]);
    }
    env.line("explain rds.check_source").expect(0).shows(&[
        "  instance: text: ",
        "restore_time: `latest` or an instant (optional)",
        "rds:DescribeDBInstances",
    ]);
    let one = env.line("explain gate.approve --output json").expect(0).json();
    assert_eq!((&one["schema_version"], &one["kind"]), (&json!(1), &json!("gate")));
    env.line("explain gate.aprove").expect(2).says(&["no action", "did you mean `gate.approve`?"]);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    refused(b"title: caf\xe9\n", "DR009", &["(byte 10)", "mine.yaml:1:11", "save it as UTF-8"]);
    refused(b"title: a\0b\n", "DR009", &["NUL", "mine.yaml:1:9"]);
    let wide =
        |order: fn(u16) -> [u8; 2]| "\u{feff}name: x\n".encode_utf16().flat_map(order).collect();
    let (little, big): (Vec<u8>, Vec<u8>) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    refused(&little, "DR009", &["UTF-16, little-endian"]);
    refused(&little[2..], "DR009", &["UTF-16, little-endian"]);
    refused(&big, "DR009", &["UTF-16, big-endian"]);
    let marked = format!("\u{feff}{HEAD}{GOOD}").replace('\n', "\r\n");
    assert_eq!(validate(marked.as_bytes()), (0, "runbooks/mine.yaml: valid\n".to_owned()));
}

#[test]
fn broken_text_is_refused_with_its_place() {
    refused(b"name: \"x\nsteps: []\n", "DR001", &["mine.yaml:"]);
    refused(b"name: 'x\n", "DR001", &["mine.yaml:"]);
    refused(b"steps:\n\t- id: x\n", "DR001", &["mine.yaml:2:1", "spaces"]);
    refused(b"a: 1\nb: 2\na: 3\n", "DR001", &["mine.yaml:3:1", "duplicate"]);
    refused(b"a: 1\n---\nb: 2\n", "DR001", &["document"]);
    refused("---\na: 1\n".repeat(10_000).as_bytes(), "DR001", &["document"]);
    refused(b"", "DR002", &["mine.yaml"]);
    refused(b"\n\n# only a comment\n", "DR002", &["mine.yaml"]);
    refused(b"a: [1\n", "DR001", &["mine.yaml:1:"]);
    refused(b"a: *nowhere\n", "DR001", &["mine.yaml:1:4"]);
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let alias = format!("*a{}", level - 1);
        writeln!(bomb, "a{level}: &a{level} [{}]", vec![alias; 10].join(",")).expect("memory");
    }
    refused(bomb.as_bytes(), "DR001", &[]);
    let flat = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(10_000), "*a,".repeat(900));
    refused(flat.as_bytes(), "DR001", &[]);
    refused("[".repeat(1_000_000).as_bytes(), "DR001", &[]);
    refused("{a: ".repeat(100_000).as_bytes(), "DR001", &[]);
    refused("- ".repeat(100_000).as_bytes(), "DR001", &[]);
    let steep: String = (0..3_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    refused(steep.as_bytes(), "DR001", &[]);
    refused(format!("a: [{}]\n", "x,".repeat(1_000_000)).as_bytes(), "DR001", &[]);
    refused(format!("{HEAD}{}", "&a ".repeat(100_000)).as_bytes(), "DR001", &[]);
}

#[test]
fn huge_and_many_is_bounded() {
    let long = "x".repeat(5_000_000);
    refused(format!("{HEAD}{GOOD}colour: {long}\n").as_bytes(), "DR005", &["mine.yaml:8:1"]);
    refused(format!("{HEAD}name2: {long}\n{long}: 1\n").as_bytes(), "DR009", &["10000058 bytes"]);
    refused(format!("{HEAD}{long}: 1\n").as_bytes(), "DR001", &[]);
    let mut many = format!("{HEAD}{GOOD}");
    for number in 0..20_000 {
        writeln!(many, "field{number}: 1").expect("memory");
    }
    refused(many.as_bytes(), "DR005", &["… and 19950 more problems", "not valid, 20000 errors"]);
    refused(&vec![b'#'; 9_000_000], "DR009", &["9000000 bytes", "limit is 8388608"]);
}

/// Work grows with the file and no faster: each of these took minutes when it did.
#[test]
fn much_of_one_thing_takes_time_in_proportion() {
    let text = "${{ env.name }}".repeat(200_000);
    let many = format!("{HEAD}{}", GOOD.replace("shop-orders", &format!("'{text}'")));
    assert_eq!(validate(many.as_bytes()), (0, "runbooks/mine.yaml: valid\n".to_owned()));
    let escaped = format!("{HEAD}{}", many[HEAD.len()..].replace("name", "n\\u0061me"));
    let escaped = escaped.replace('\'', "\"");
    assert_eq!(validate(escaped.as_bytes()), (0, "runbooks/mine.yaml: valid\n".to_owned()));
    let mut fields = format!("{HEAD}{GOOD}");
    for number in 0..100_000 {
        writeln!(fields, "k{number}: 1").expect("memory");
    }
    refused(fields.as_bytes(), "DR005", &["not valid, 100000 errors"]);
}

/// One anchor for two hundred steps is no bomb.
#[test]
fn an_anchor_may_be_used_often() {
    let mut text = format!("{HEAD}steps:\n");
    for step in 0..200 {
        let retry = if step == 0 { "&often { attempts: 3 }" } else { "*often" };
        let rest = "uses: rds.check_source, with: { instance: shop-orders }";
        writeln!(text, "  - {{ id: s{step}, retry: {retry}, {rest} }}").expect("memory");
    }
    assert_eq!(validate(text.as_bytes()), (0, "runbooks/mine.yaml: valid\n".to_owned()));
}

#[test]
fn limits_are_named_in_words() {
    let deep = format!("a: {}1{}\n", "[".repeat(70), "]".repeat(70));
    refused(deep.as_bytes(), "DR001", &["more than 64 levels deep", "mine.yaml:1:", "right file?"]);
    let many = format!("a: [{}]\n", "x,".repeat(600_000));
    refused(many.as_bytes(), "DR001", &["more than 500000 keys and values"]);
    let aliases = format!("a: &a x\nb: [{}]\n", "*a,".repeat(1_100));
    refused(aliases.as_bytes(), "DR001", &["more than 1000 anchors or aliases"]);
    let flat = format!("a: &a [{}]\nb: [{}]\n", "x,".repeat(10_000), "*a,".repeat(900));
    refused(flat.as_bytes(), "DR001", &["aliases of the file stand for too much"]);
}

/// Columns count characters, and carets stand below what they mark, however wide it is.
#[test]
fn carets_are_right_below_wide_and_combined_characters() {
    for (value, column, before) in [
        ("\u{1f980}\u{1f980} ${{ params.m }}", 38, 23 + 4 + 12),
        ("e\u{301}u\u{308} ${{ params.m }}", 40, 23 + 2 + 12),
        ("\u{5024}\u{6bb5} ${{ params.m }}", 38, 23 + 4 + 12),
    ] {
        let text = format!("{HEAD}{}", GOOD.replace("shop-orders", &format!("\"{value}\"")));
        let (_, output) = validate(text.as_bytes());
        let lines: Vec<&str> = output.lines().collect();
        assert!(lines[1].ends_with(&format!("mine.yaml:7:{column}")), "{output}");
        let caret = lines[4].chars().position(|c| c == '^').expect("a caret");
        assert_eq!(caret, 4 + before, "{output}");
    }
}

/// What would never end or fill the memory when it is read is not even opened.
#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let env = TestEnv::new();
    let path = |name: &str| env.project().join(name).display().to_string();
    std::fs::create_dir(path("dir.yaml")).expect("a directory");
    let made = Command::new("mkfifo").arg(path("pipe.yaml")).status().expect("mkfifo runs");
    assert!(made.success());
    std::os::unix::fs::symlink(path("b.yaml"), path("a.yaml")).expect("a link");
    std::os::unix::fs::symlink(path("a.yaml"), path("b.yaml")).expect("a link");
    std::os::unix::fs::symlink("/dev/zero", path("zero.yaml")).expect("a link");
    let holes = std::fs::File::create(path("big.yaml")).expect("a file");
    holes.set_len(100 << 20).expect("a hole");
    for (file, part) in [
        ("dir.yaml", "a directory"),
        ("pipe.yaml", "a pipe"),
        ("zero.yaml", "a device"),
        ("big.yaml", "104857600 bytes; the limit is 8388608"),
    ] {
        let parts = ["error[DR009]", part, file];
        env.line(&format!("runbook validate {file}")).expect(2).shows(&parts);
        env.line(&format!("run ./{file} --env sim")).expect(2).says(&parts);
        env.line(&format!("drill ./{file}")).expect(2).says(&parts);
    }
    env.line("runbook validate a.yaml").expect(2).says(&["cannot read a.yaml"]);
    env.line("runbook validate dir.yaml big.yaml")
        .expect(2)
        .shows(&["dir.yaml: not", "big.yaml: not"]);
    assert!(!env.state().exists());
}
