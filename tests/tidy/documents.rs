//! Documents: links, named files and tests, exit codes, glossary.
//!
//! **Invariant:** a document may be short, and may not be wrong about a name.

use crate::expect_none;
use crate::tree::{File, files, read, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The document without its fenced blocks; lines keep their numbers.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut out = String::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        out.push_str(if fenced || fence { "" } else { line });
        out.push('\n');
    }
    out
}

/// The anchor of a heading, as the usual renderers make it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    prose(text).lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

/// Targets of `[text](target)`.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

fn broken_links(file: &File, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let directory = file.path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut found = Vec::new();
    for target in links(&file.text) {
        if target.contains("://") || target.starts_with("mailto:") {
            continue;
        }
        let (path, fragment) = target.split_once('#').unwrap_or((&target, ""));
        let text = match path {
            "" => Some(file.text.clone()),
            _ => read(format!("{directory}/{path}").trim_start_matches('/')),
        };
        match text {
            None => found.push(format!("{}: no file for link `{target}`", file.path)),
            Some(text) if !fragment.is_empty() && !anchors(&text).contains(fragment) => {
                found.push(format!("{}: no heading for link `{target}`", file.path));
            }
            Some(_) => {}
        }
    }
    found
}

/// Words in backquotes, outside of fenced blocks.
fn quoted(text: &str) -> Vec<String> {
    prose(text)
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

fn looks_like_a_path(word: &str) -> bool {
    let inside = ["src/", "tests/", "benches/", "drills/", "runbooks/", "localstack/"];
    let plain = word.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    plain && inside.iter().any(|start| word.starts_with(start))
}

/// The rows of the section called `heading`, without the table's head.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section =
        text.lines().skip_while(|line| !(line.starts_with('#') && line.contains(heading)));
    let lines = section.skip(1).take_while(|line| !line.starts_with('#'));
    let table = lines.filter(|line| line.starts_with('|')).skip(2);
    table
        .map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let on_disk = |path: &str| {
        let full = root().join(path);
        full.exists().then(|| std::fs::read_to_string(full).unwrap_or_default())
    };
    let documents = files(".md");
    expect_none("links", documents.iter().flat_map(|file| broken_links(file, &on_disk)).collect());
}

#[test]
fn paths_named_in_documents_exist() {
    let mut missing = Vec::new();
    for file in files(".md") {
        // The document of a project that `init` writes speaks of that project's files.
        let place = root().join(&file.path).parent().map(Path::to_owned).unwrap_or_default();
        for word in quoted(&file.text).into_iter().filter(|word| looks_like_a_path(word)) {
            if !root().join(&word).exists() && !place.join(&word).exists() {
                missing.push(format!("{}: `{word}` is not there", file.path));
            }
        }
    }
    expect_none("paths in documents", missing);
}

#[test]
fn invariants_name_tests_that_exist() {
    let sources: String = files(".rs").into_iter().map(|file| file.text).collect();
    let rows = rows(&read("ARCHITECTURE.md"), "Invariants");
    assert!(rows.len() >= 9, "only {} invariants", rows.len());
    let mut missing = Vec::new();
    for row in &rows {
        let tests = quoted(row.last().expect("a row has cells"));
        let named: Vec<&String> = tests.iter().filter(|name| !name.contains(['/', '.'])).collect();
        if named.is_empty() {
            missing.push(format!("{}: names no test", row[0]));
        }
        for name in named {
            if !sources.contains(&format!("fn {name}(")) {
                missing.push(format!("{}: there is no test `{name}`", row[0]));
            }
        }
    }
    expect_none("invariants", missing);
}

#[test]
fn the_readme_has_the_exit_codes_of_the_source() {
    let source = read("src/cli/exit.rs");
    let number = |name: &str| {
        let line = source.lines().find_map(|line| line.trim().strip_prefix(&format!("{name} = ")));
        line.map(|rest| rest.trim_end_matches(',').to_owned()).expect("every code has a number")
    };
    let in_source: Vec<(String, String)> = source
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("(Exit::")?.strip_suffix("\"),")?.split_once(", \"")
        })
        .map(|(name, meaning)| (number(name), meaning.to_owned()))
        .collect();
    assert!(in_source.len() >= 12, "{in_source:?}");
    let in_readme: Vec<(String, String)> = rows(&read("README.md"), "Exit codes")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    assert_eq!(in_readme, in_source);
}

#[test]
fn glossary_words_have_one_meaning() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows(&read("ARCHITECTURE.md"), "Glossary") {
        row[0]
            .split(',')
            .for_each(|word| *seen.entry(word.trim().to_lowercase()).or_default() += 1);
    }
    assert!(seen.len() >= 30, "only {} words", seen.len());
    let twice = seen.into_iter().filter(|(_, count)| *count > 1).map(|(word, _)| word);
    expect_none("words explained twice", twice.collect());
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let readme = read("README.md");
    let command = readme.lines().find(|line| line.starts_with("cargo test")).expect("in README.md");
    assert!(read(".ci/run").contains(command.trim()), "`{command}` is not in .ci/run");
}

#[test]
fn finds_a_broken_link() {
    let nothing =
        |path: &str| (path == "docs/there.md").then(|| "# A Heading, with `code`\n".to_owned());
    let text = "[a](there.md) [b](there.md#a-heading-with-code) [c](gone.md) [d](there.md#gone) \
                [e](#here) [f](https://example.com/)\n```\n[g](gone.md)\n```\n## Here\n";
    let file = File { path: "docs/x.md".to_owned(), text: text.to_owned() };
    assert_eq!(broken_links(&file, &nothing).len(), 2);
}

/// Commands and outputs of the blocks that begin with `$ … drill`; `…` stands for what was left out.
fn transcripts(text: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let blocks = text.split("```\n$ ").skip(1);
    let parsed = blocks.filter_map(|block| {
        let (command, output) = block.split("\n```").next()?.split_once('\n')?;
        let arguments = &command[command.find("drill")?..];
        Some((
            arguments.split(' ').map(str::to_owned).collect(),
            output.lines().map(str::to_owned).collect(),
        ))
    });
    parsed.collect()
}

/// The lines that are not, in this order, in what the program printed.
fn untrue(shown: &[String], printed: &str) -> Vec<String> {
    let mut rest = printed.lines().map(str::trim_end);
    let told = shown.iter().filter(|line| line.trim() != "…");
    told.filter(|line| {
        let same = |real: &str| match line.split_once('…') {
            Some((start, end)) => real.starts_with(start) && real.ends_with(end),
            None => real == line.trim_end(),
        };
        // A line that is not found leaves the place where the next one is looked for.
        let mut ahead = rest.clone();
        let found = ahead.any(same);
        if found {
            rest = ahead;
        }
        !found
    })
    .cloned()
    .collect()
}

#[test]
fn transcripts_of_the_readme_are_real() {
    let transcripts = transcripts(&read("README.md"));
    assert_eq!(transcripts.len(), 2, "a drill and a dry run");
    for (arguments, shown) in transcripts {
        let state = tempfile::tempdir().expect("a directory");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_drctl"));
        command.args(&arguments).current_dir(root()).env_clear();
        // Both streams into one file, as on a terminal, so that their order is kept.
        let path = state.path().join("printed");
        let file = std::fs::File::create(&path).expect("a new file");
        let both = command.stdout(file.try_clone().expect("a second handle")).stderr(file);
        both.env("DRCTL_STATE_DIR", state.path()).status().expect("it starts");
        let printed = std::fs::read_to_string(&path).expect("text");
        expect_none("README.md", untrue(&shown, &printed));
    }
}

#[test]
fn finds_a_transcript_that_is_not_real() {
    let shown = ["a", "…", "c 1", "e: …/x"].map(str::to_owned);
    assert!(untrue(&shown, "a\nb\nc 1\nd\ne: long/x\n").is_empty());
    assert_eq!(untrue(&shown, "a\nb\nc 2\nd\ne: long/x\n"), ["c 1"]);
}
