//! Runbooks, drills and estates in the tree are valid, and fit each other.
//!
//! **Invariant:** nothing is shipped that `drctl runbook validate` would refuse.

use crate::tree::{File, files, read};
use drctl::action::standard;
use drctl::runbook::{
    Drill, Runbook, Text, bind_parameters, load_drill, load_runbook, load_runbook_in,
};
use std::collections::BTreeMap;

fn yaml(directory: &str) -> Vec<File> {
    let found: Vec<File> =
        files(".yaml").into_iter().filter(|file| file.path.starts_with(directory)).collect();
    assert!(!found.is_empty(), "{directory} is empty");
    found
}

fn runbook(file: &str, text: &str) -> Runbook {
    let text_of = |file: &File| Text { file: file.path.clone(), text: file.text.clone() };
    let name = |file: &File| {
        let name = file.path.trim_start_matches("runbooks/").trim_end_matches(".yaml");
        name.to_owned()
    };
    let library: BTreeMap<String, Text> =
        yaml("runbooks/").iter().map(|file| (name(file), text_of(file))).collect();
    let (runbook, warnings) = load_runbook_in(file, text, &standard(), &library)
        .unwrap_or_else(|problems| panic!("{file}:\n{problems}"));
    assert!(warnings.sorted().is_empty(), "{file} has warnings:\n{warnings}");
    runbook
}

fn drill(file: &File) -> Drill {
    load_drill(&file.path, &file.text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn shipped_runbooks_are_valid_and_named_after_their_files() {
    for file in yaml("runbooks/") {
        let runbook = runbook(&file.path, &file.text);
        assert_eq!(format!("runbooks/{}.yaml", runbook.name), file.path);
    }
}

#[test]
fn shipped_estates_are_valid_and_named_after_their_files() {
    for file in yaml("localstack/estates/") {
        let estate = drctl::estate::load(&file.path, &file.text)
            .unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(format!("localstack/estates/{}.yaml", estate.name), file.path);
    }
}

#[test]
fn shipped_drills_fit_their_runbook_and_estate() {
    for file in yaml("drills/") {
        let drill = drill(&file);
        assert_eq!(format!("drills/{}.yaml", drill.name), file.path);
        let path = format!("runbooks/{}.yaml", drill.runbook);
        let runbook = runbook(&path, &read(&path));
        let bound = bind_parameters(&runbook, &drill.parameters);
        assert!(bound.is_ok(), "{}: {bound:?}", file.path);
        let path = format!("localstack/estates/{}.yaml", drill.estate);
        let estate = drctl::estate::load(&path, &read(&path)).expect("checked by another test");
        let environment = estate.environments.get(&drill.environment);
        assert!(environment.is_some(), "{}: no environment {}", file.path, drill.environment);
    }
}

#[test]
fn shipped_drills_run_on_the_simulator() {
    for file in yaml("drills/") {
        let drill = drill(&file);
        let path = format!("localstack/estates/{}.yaml", drill.estate);
        let estate = drctl::estate::load(&path, &read(&path)).expect("checked by another test");
        assert!(estate.environments[&drill.environment].is_simulated(), "{}", file.path);
    }
}

#[test]
fn finds_a_broken_runbook() {
    let good = read("runbooks/restore-db.yaml");
    let planted = good.replace("needs: [check_source]", "needs: [check_sauce]");
    assert_ne!(good, planted);
    assert!(load_runbook("planted.yaml", &planted, &standard()).is_err());
}

/// What is wrong with the first line of one of our YAML files: it tells editors where its schema is.
fn schema_line(file: &File) -> Option<String> {
    let kind = file.text.lines().find_map(|line| line.strip_prefix("kind: "))?;
    if !file.text.lines().any(|line| line == "apiVersion: drctl/v1") {
        return None;
    }
    // What `init` writes stands in a project of its own, with the schemas beside it.
    let path = file.path.strip_prefix("src/cli/init/project/").unwrap_or(&file.path);
    let up = "../".repeat(path.matches('/').count());
    let schema = format!("{up}schemas/{}.schema.json", kind.trim().to_lowercase());
    let wanted = format!("# yaml-language-server: $schema={schema}");
    let found = file.text.lines().next().unwrap_or_default();
    (found != wanted).then(|| format!("{}: its first line must be `{wanted}`", file.path))
}

#[test]
fn every_yaml_file_of_ours_names_its_schema_in_the_first_line() {
    let files = files(".yaml");
    let violations: Vec<String> = files.iter().filter_map(schema_line).collect();
    crate::expect_none("schemas", violations);
    for kind in ["runbook", "drill", "estate", "config"] {
        assert!(read(&format!("schemas/{kind}.schema.json")).contains("draft-07"), "{kind}");
    }
}

#[test]
fn finds_a_file_without_its_schema() {
    let text = "apiVersion: drctl/v1\nkind: Drill\n";
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let found = schema_line(&file("drills/x.yaml", text)).unwrap_or_default();
    assert!(found.contains("$schema=../schemas/drill.schema.json"), "{found}");
    let line = "# yaml-language-server: $schema=../../schemas/drill.schema.json\n";
    assert!(schema_line(&file("drills/x.yaml", &format!("{line}{text}"))).is_some());
    assert_eq!(schema_line(&file("a/b/x.yaml", &format!("{line}{text}"))), None);
    assert_eq!(schema_line(&file("compose.yaml", "services: {}\n")), None);
}
