//! The JSON Schemas with validators that we did not write: `yaml-language-server`, asked as an editor
//! asks it, and ajv.
//!
//! **Invariant:** what a schema refuses, drctl refuses; the codes that no schema can see are listed
//! here, and the list is exact.

use crate::support::{Ended, drctl, repository, run, skip};
use drctl::runbook::codes::CODES;
use drctl::runbook::explain::{Document, explanation};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Errors that a schema cannot see in their examples: they need the whole file, another file, the text
/// of expressions, or more than the text of one value. (DR009 is about files that are not text, DR043
/// about files that commands find by their names: the examples' are not.)
const UNSEEN: [&str; 18] = [
    "DR011", "DR013", "DR014", "DR017", "DR030", "DR031", "DR032", "DR033", "DR034", "DR035",
    "DR036", "DR037", "DR038", "DR041", "DR042", "DR080", "DR081", "DR082",
];

fn installed() -> bool {
    run(Command::new("tests/peers/yaml/install").current_dir(repository())).code == 0
}

/// What both validators say about files: messages of the server, messages of ajv.
fn judge(files: &[PathBuf]) -> BTreeMap<PathBuf, [Vec<String>; 2]> {
    let script = repository().join(".state/yaml/validate.mjs");
    let ended: Ended = run(Command::new("node").arg(script).args(files));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let json: Json = serde_json::from_str(&ended.stdout).expect("JSON");
    let texts = |json: &Json| -> Vec<String> {
        let list = json.as_array().expect("a list of messages").iter();
        list.map(|it| it.as_str().expect("a message").to_owned()).collect()
    };
    let all = json.as_object().expect("an object").iter();
    all.filter(|(name, _)| *name != "hover")
        .map(|(file, it)| (PathBuf::from(file), [texts(&it["server"]), texts(&it["ajv"])]))
        .collect()
}

fn yaml_files(directory: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(directory).expect("a directory").map(|it| it.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    files.sort();
    files
}

#[test]
fn shipped_files_are_accepted_and_broken_ones_refused() {
    if !installed() {
        return skip("the YAML validators could not be installed: npm");
    }
    let directories = ["runbooks", "drills", "localstack/estates"];
    let shipped: Vec<PathBuf> =
        directories.iter().flat_map(|it| yaml_files(&repository().join(it))).collect();
    for (file, messages) in judge(&shipped) {
        assert!(messages.iter().all(Vec::is_empty), "{}: {messages:?}", file.display());
    }
    let place = tempfile::tempdir().expect("a directory");
    let corpus = corpus(place.path());
    let files: Vec<PathBuf> = corpus.keys().cloned().collect();
    let ours = verdicts(place.path(), &files);
    let (mut seen, mut unseen) = (BTreeSet::new(), BTreeSet::new());
    for (file, [server, ajv]) in judge(&files) {
        let (code, errors) = (corpus[&file], ours[&file].clone());
        let shown = format!("{}: server {server:?}, ajv {ajv:?}, drctl {errors:?}", file.display());
        assert_eq!(server.is_empty(), ajv.is_empty(), "the validators differ: {shown}");
        assert!(server.is_empty() || !errors.is_empty(), "refused, and drctl accepts it: {shown}");
        if !errors.is_empty() {
            let set = if server.is_empty() { &mut unseen } else { &mut seen };
            set.insert(code);
        }
    }
    println!("schemas see {} codes: {seen:?}; not {unseen:?}", seen.len());
    assert_eq!(unseen, BTreeSet::from(UNSEEN), "the list of what schemas cannot see is not true");
}

/// Writes every example of `drctl explain`, wrong and mended, beside the schemas; gives their codes.
fn corpus(place: &Path) -> BTreeMap<PathBuf, &'static str> {
    let (schemas, examples) = (place.join("schemas"), place.join("examples"));
    fs::create_dir_all(&schemas).and_then(|()| fs::create_dir_all(&examples)).expect("directories");
    for kind in ["runbook", "drill", "estate", "config"] {
        let name = format!("{kind}.schema.json");
        fs::copy(repository().join("schemas").join(&name), schemas.join(&name)).expect("a copy");
    }
    let mut corpus = BTreeMap::new();
    for (code, _) in CODES {
        let it = explanation(code).expect("every code is explained");
        let kind = match it.document {
            Document::File | Document::Runbook => "runbook",
            Document::Drill => "drill",
            Document::Estate => "estate",
        };
        for (which, text) in [("wrong", it.wrong), ("mended", it.mended)] {
            let line = format!("# yaml-language-server: $schema=../schemas/{kind}.schema.json\n");
            let path = examples.join(format!("{code}-{which}.yaml"));
            fs::write(&path, line + &it.document.complete(text)).expect("a file");
            corpus.insert(path, code);
        }
    }
    corpus
}

/// The codes of the errors that `drctl runbook validate` finds in each file.
fn verdicts(place: &Path, files: &[PathBuf]) -> BTreeMap<PathBuf, Vec<String>> {
    let ended = run(drctl(&place.join("state"))
        .args(["runbook", "validate", "--output", "json"])
        .args(files)
        .current_dir(place));
    let json: Json = serde_json::from_str(&ended.stdout).expect("JSON");
    let listed = json["files"].as_array().expect("a list");
    assert_eq!(listed.len(), files.len());
    let errors = |file: &Json| -> Vec<String> {
        let problems = file["problems"].as_array().expect("a list").iter();
        let errors = problems.filter(|it| it["severity"] == "error");
        errors.map(|it| it["code"].as_str().expect("a code").to_owned()).collect()
    };
    files.iter().cloned().zip(listed.iter().map(errors)).collect()
}
