//! Words that must not be in the tree, and calls that only one place may make.
//!
//! **Invariant:** this file spells what it forbids in two halves, so that it does not find itself.

use crate::expect_none;
use crate::source::{code_without_tests, is_test_file};
use crate::tree::files;

/// In Rust files, tests included: work that is not finished and rules that are switched off.
const IN_RUST: [(&str, &str); 6] = [
    (concat!("to", "do!("), "unfinished"),
    (concat!("unimpl", "emented!("), "unfinished"),
    (concat!("db", "g!("), "left from debugging"),
    (concat!("#[ig", "nore"), "a test that never runs proves nothing"),
    (concat!("#[al", "low"), "use `#[expect(lint, reason = …)]`"),
    (concat!("#![al", "low"), "use `#[expect(lint, reason = …)]`"),
];

/// The one reason to leave a test out: it is a child process of another test.
const CHILD: &str = "= \"run by another test\"]";

/// In every file: paths of somebody's machine, and where somebody's packages came from.
const ANYWHERE: [(&str, &str); 8] = [
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("/ho", "me/"), "a path of one machine"),
    (concat!("/Us", "ers/"), "a path of one machine"),
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("index.cra", "tes.io"), "a registry's host"),
    (concat!("static.cra", "tes.io"), "a registry's host"),
    (concat!("files.python", "hosted.org"), "a registry's host"),
    (concat!("registry.np", "mjs.org"), "a registry's host"),
];

/// Beginnings of tokens and keys that real secrets have. AWS documents the two example keys itself.
const SECRETS: [&str; 3] =
    [concat!("-----BEGIN ", "PRIVATE"), concat!("gh", "p_"), concat!("xo", "xb-")];

fn check(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut report = |word: &str, why: &str| {
            found.push(format!("{path}:{}: `{word}`: {why}", number + 1));
        };
        if path.ends_with(".rs") {
            let found = IN_RUST.iter().filter(|(word, _)| line.contains(word));
            found.filter(|_| !line.ends_with(CHILD)).for_each(|(word, why)| report(word, why));
        }
        ANYWHERE.iter().filter(|(word, _)| line.contains(word)).for_each(|(w, y)| report(w, y));
        let secret = SECRETS.iter().filter(|word| line.contains(**word));
        secret.for_each(|word| report(word, "looks like a secret"));
    }
    found
}

/// SDK clients are made below the guard: in `cloud` and nowhere else.
fn makes_a_client(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("src/cloud/") || !path.starts_with("src/") || is_test_file(path) {
        return Vec::new();
    }
    let code = code_without_tests(text).replace("HttpClient::new(", "");
    let lines = code.lines().enumerate().filter(|(_, line)| {
        line.contains("Client::new(")
            || line.contains("Client::from_conf")
            || line.contains("aws_sdk_")
    });
    lines.map(|(n, line)| format!("{path}:{}: SDK outside cloud: {}", n + 1, line.trim())).collect()
}

/// Modules that compute and nothing else: no file, no socket, no waiting, no environment.
const PURE: [&str; 5] =
    ["src/engine/", "src/report/", "src/runbook/", "src/estate/", "src/journal/fold"];

fn does_io(path: &str, text: &str) -> Vec<String> {
    if is_test_file(path) || !PURE.iter().any(|module| path.starts_with(module)) {
        return Vec::new();
    }
    let words =
        ["std::fs", "std::net", "std::env", "std::process", "tokio", "async fn", ".await", "Clock"];
    // A fault of the simulator is a name, not a clock.
    let text = &text.replace("ClockSkew", "");
    let code = code_without_tests(text);
    let lines = code.lines().enumerate().flat_map(|(number, line)| {
        words.iter().filter(move |word| line.contains(**word)).map(move |word| (number, *word))
    });
    lines
        .map(|(number, word)| format!("{path}:{}: `{word}` in a pure module", number + 1))
        .collect()
}

#[test]
fn no_forbidden_word_is_in_the_tree() {
    let all = files("");
    let ours = all.iter().filter(|file| file.path != "Cargo.lock");
    expect_none("words", ours.flat_map(|file| check(&file.path, &file.text)).collect());
}

#[test]
fn sdk_clients_are_made_in_cloud_only() {
    let sources = files(".rs");
    let violations = sources.iter().flat_map(|file| makes_a_client(&file.path, &file.text));
    expect_none("SDK clients", violations.collect());
}

#[test]
fn pure_modules_do_no_io() {
    let sources = files(".rs");
    let violations = sources.iter().flat_map(|file| does_io(&file.path, &file.text));
    expect_none("pure modules", violations.collect());
}

#[test]
fn finds_each_forbidden_word() {
    for (word, _) in IN_RUST {
        assert_eq!(check("src/x.rs", &format!("fine\n    {word})")).len(), 1, "{word}");
        assert!(check("README.md", word).is_empty(), "{word}");
    }
    for (word, _) in ANYWHERE {
        assert_eq!(check("README.md", word).len(), 1, "{word}");
    }
    for word in SECRETS {
        assert_eq!(check("a.yaml", word).len(), 1, "{word}");
    }
}

#[test]
fn finds_a_client_made_elsewhere_and_io_in_a_pure_module() {
    let made = "let rds = Client::new(&config);\n";
    assert_eq!(makes_a_client("src/action/rds/x.rs", made).len(), 1);
    assert!(makes_a_client("src/cloud/clients.rs", made).is_empty());
    assert!(makes_a_client("src/sim/seam.rs", "SharedHttpClient::new(x)").is_empty());
    assert_eq!(does_io("src/engine/decide.rs", "pub async fn f() { std::fs::read(p); }").len(), 2);
    assert!(does_io("src/runner/drive.rs", "std::fs::read(p)").is_empty());
}
