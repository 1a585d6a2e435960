//! Every code has an explanation whose examples are true.

use crate::action::standard;
use crate::base::diagnostic::{Problems, Severity};
use crate::base::yaml::decode;
use crate::estate;
use crate::runbook::codes::{CODES, WARNINGS};
use crate::runbook::explain::{Document, Explanation, explanation};
use crate::runbook::loss::{Ground, JournalHome, survey};
use crate::runbook::{
    Runbook, check_drill, check_drill_environment, check_file_name, known_parameters, lint_order,
    load_drill, load_runbook,
};
use std::collections::{BTreeMap, BTreeSet};

const SHIPPED: &str = include_str!("../../../runbooks/restore-db.yaml");
const ESTATE: &str = include_str!("../../../localstack/estates/techcorp.yaml");

/// The problems of an example, as `drctl runbook validate` finds them.
fn problems_of(it: &Explanation, example: &str) -> Problems {
    let file = "example.yaml";
    let text = it.document.complete(example);
    let outcome = match it.document {
        Document::File | Document::Runbook => decode(file, text.clone().into_bytes())
            .and_then(|text| load_runbook(file, &text, &standard()))
            .map(|(runbook, mut warnings)| {
                warnings.append(check_file_name(file, &text));
                if LINT.contains(&it.code) {
                    warnings.append(linted(&runbook, &home()));
                }
                warnings
            }),
        Document::Drill => load_drill(file, &text).map(|drill| {
            let (runbook, _) = load_runbook("r.yaml", SHIPPED, &standard()).expect("shipped");
            let estate = estate::load("e.yaml", ESTATE).expect("shipped");
            assert_eq!(drill.estate, estate.name, "examples are about the shipped estate");
            let mut problems = check_drill(&drill, &runbook);
            problems.append(check_drill_environment(&drill, &estate));
            problems
        }),
        Document::Estate => estate::load(file, &text).map(|estate| {
            let mut problems = Problems::of(file);
            if LINT.contains(&it.code) {
                let (runbook, _) = load_runbook("r.yaml", LOSES, &standard()).expect("valid");
                estate.environments.values().for_each(|it| problems.append(linted(&runbook, it)));
            }
            problems
        }),
    };
    outcome.unwrap_or_else(|problems| problems)
}

/// Codes that only `drctl runbook lint` finds.
const LINT: std::ops::RangeInclusive<&str> = "DR060"..="DR079";

/// A runbook that needs nothing and assumes a region lost.
const LOSES: &str = "apiVersion: drctl/v1\nkind: Runbook\nname: r\ntitle: R\nassumes_lost: us-east-1\n\
                     steps:\n  - { id: go, uses: gate.approve, with: { message: go? }, timeout: 1h }\n";

/// The shipped estate, whose European data may be in one region only.
fn techcorp() -> estate::Estate {
    let mut estate = estate::load("e.yaml", ESTATE).expect("shipped");
    let europe = estate.databases.get_mut("europe").expect("there");
    europe.allowed_regions = vec!["eu-west-1".to_owned()];
    estate
}

/// The environment that the examples are judged in.
fn home() -> estate::Environment {
    let mut home = techcorp().environments["sim"].clone();
    home.region = "us-west-2".to_owned();
    home.allowed_regions = vec!["us-east-1".to_owned(), "eu-west-1".to_owned()];
    home
}

/// What `drctl runbook lint` finds in the example.
fn linted(runbook: &Runbook, environment: &estate::Environment) -> Problems {
    let (estate, actions) = (techcorp(), standard());
    let parameters = known_parameters(runbook, &BTreeMap::new()).expect("no parameter");
    let lost = runbook.lost_region(&parameters).expect("a region");
    let region = Some("us-east-1".to_owned());
    let journal = JournalHome { place: "s3://journals".to_owned(), region };
    // Only its own example is about the journal, which would be found in all others.
    let journal = runbook.text.contains("orders_journal").then_some(&journal);
    let ground = Ground {
        runbook,
        actions: &actions,
        estate: &estate,
        environment,
        parameters: &parameters,
        journal,
    };
    let mut problems = survey(ground, lost.as_deref()).problems;
    problems.append(lint_order(runbook, &actions));
    problems
}

#[test]
fn wrong_examples_have_exactly_their_problem_and_mended_ones_have_none() {
    for (code, _) in CODES {
        let it = explanation(code).unwrap_or_else(|| panic!("{code} has no explanation"));
        let wrong = problems_of(&it, it.wrong);
        let found: BTreeSet<&str> = wrong.sorted().iter().map(|problem| problem.code).collect();
        assert_eq!(found, BTreeSet::from([code]), "the wrong example of {code}:\n{wrong}");
        let severities = wrong.sorted();
        assert!(severities.iter().all(|it| it.severity == explanation(code).expect("is").severity));
        let mended = problems_of(&it, it.mended);
        assert!(mended.is_empty(), "the mended example of {code}:\n{mended}");
    }
}

#[test]
fn explanations_say_something() {
    for (code, _) in CODES {
        let it = explanation(code).expect("is there");
        for text in [it.title, it.meaning, it.why] {
            assert!(text.ends_with(['.', ')']) && text.len() > 20, "{code}: {text}");
        }
        let warning = WARNINGS.contains(&code);
        assert_eq!(it.severity == Severity::Warning, warning, "{code}");
    }
    assert_eq!(explanation("DR000"), None);
}

/// The codes that stand in the source, outside of tests, are those of the table.
#[test]
fn every_code_of_the_source_is_explained() {
    let mut found = BTreeSet::new();
    let mut open = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).expect("the source can be read") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("").to_owned();
            if path.is_dir() && name != "tests" {
                open.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).expect("text");
                let code = text.split("#[cfg(test)]").next().unwrap_or("").to_owned();
                found.extend(quoted_codes(&code));
            }
        }
    }
    let listed: BTreeSet<String> = CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(found, listed);
}

fn quoted_codes(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("\"DR").filter_map(|(at, _)| {
        let code = text.get(at + 1..at + 6)?;
        let digits = code[2..].bytes().all(|byte| byte.is_ascii_digit());
        (digits && text.get(at + 6..=at + 6) == Some("\"")).then(|| code.to_owned())
    })
}
