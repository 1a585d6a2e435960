//! The items of an expanded step as one entry of a plan: what they share once, and what differs.
//!
//! **Invariant:** every line of every item is shown, whole or as what differs in it; nothing is left out.

use crate::plan::answer_word;
use crate::plan::model::PlannedStep;

/// What stands in a shared line where the items differ.
const DIFFERS: &str = "…";

/// The steps as entries: items of one step that follow each other and get the same answer are one.
pub(super) fn entries(steps: &[PlannedStep]) -> Vec<&[PlannedStep]> {
    let alike = |one: &PlannedStep, next: &PlannedStep| {
        one.each.is_some()
            && next.each.is_some()
            && one.key.id() == next.key.id()
            && one.account == next.account
            && answer_word(&one.preview.answer) == answer_word(&next.preview.answer)
    };
    steps.chunk_by(alike).collect()
}

/// The item in a key: `web` of `scale_up[web]`; empty where there is none.
fn item(step: &PlannedStep) -> &str {
    let key = step.key.as_str();
    key.strip_prefix(step.key.id())
        .and_then(|rest| rest.strip_prefix('['))
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or_default()
}

/// The lines of several items as those of one entry; `bodies` has the lines of each, in their order.
pub(super) fn merged(steps: &[PlannedStep], bodies: &[Vec<String>]) -> Vec<String> {
    let items: Vec<&str> = steps.iter().map(item).collect();
    let neutral: Vec<Vec<String>> = items
        .iter()
        .zip(bodies)
        .map(|(item, body)| {
            let own = format!("[{item}]");
            body.iter().map(|line| line.replace(&own, "[each]")).collect()
        })
        .collect();
    word_by_word(&items, &neutral).unwrap_or_else(|| line_by_line(&items, &neutral))
}

/// One text for all, and in brackets behind each item the words in which it differs; `None` where the
/// texts are not built alike.
fn word_by_word(items: &[&str], bodies: &[Vec<String>]) -> Option<Vec<String>> {
    let words: Vec<Vec<Vec<&str>>> = bodies
        .iter()
        .map(|body| body.iter().map(|line| line.split(' ').collect()).collect())
        .collect();
    let (first, others) = words.split_first()?;
    let form = |body: &[Vec<&str>]| body.iter().map(Vec::len).collect::<Vec<_>>();
    if others.iter().any(|body| form(body) != form(first)) {
        return None;
    }
    let mut own: Vec<Vec<String>> = vec![Vec::new(); items.len()];
    let mut lines = Vec::new();
    for (number, line) in first.iter().enumerate() {
        let mut shared = Vec::new();
        for (place, word) in line.iter().enumerate() {
            if others.iter().all(|body| body[number][place] == *word) {
                shared.push(*word);
                continue;
            }
            shared.push(DIFFERS);
            for ((item, own), body) in items.iter().zip(&mut own).zip(&words) {
                let word = bare(body[number][place]);
                if !names(word, item) && !own.iter().any(|known| known == word) {
                    own.push(word.to_owned());
                }
            }
        }
        lines.push(shared.join(" "));
    }
    let each: Vec<String> = items
        .iter()
        .zip(own)
        .map(|(item, own)| {
            if own.is_empty() { (*item).to_owned() } else { format!("{item} ({})", own.join(", ")) }
        })
        .collect();
    lines.push(format!("     for {}", each.join(", ")));
    Some(lines)
}

/// A word without what sets it off.
fn bare(word: &str) -> &str {
    word.trim_matches(|c| matches!(c, '`' | ',' | ';' | ':'))
}

/// Whether a word only says which item it is: `techcorp/ml-inference` of `ml_inference`.
fn names(word: &str, item: &str) -> bool {
    let same = |text: &str| text.replace('-', "_") == item.replace('-', "_");
    same(word.rsplit('/').next().unwrap_or(word))
}

/// The lines that all have, then of each item those that not all have.
fn line_by_line(items: &[&str], bodies: &[Vec<String>]) -> Vec<String> {
    let shared = |line: &&String| bodies.iter().all(|body| body.contains(line));
    let mut lines: Vec<String> = bodies.iter().take(1).flatten().filter(shared).cloned().collect();
    for (item, body) in items.iter().zip(bodies) {
        lines.push(format!("     for {item}"));
        lines.extend(body.iter().filter(|line| !shared(line)).map(|line| format!("  {line}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::model::Phase;
    use crate::report::testing::step;
    use serde_json::json;

    fn items(of: &[&str]) -> Vec<PlannedStep> {
        let one = |item: &&str| PlannedStep {
            each: Some(json!(item)),
            ..step(&format!("scale[{item}]"), "ecs.scale", Phase::Provision)
        };
        of.iter().map(one).collect()
    }

    fn bodies(of: &[&[&str]]) -> Vec<Vec<String>> {
        of.iter().map(|body| body.iter().map(ToString::to_string).collect()).collect()
    }

    #[test]
    fn what_differs_in_a_word_stands_behind_the_item() {
        let steps = items(&["web", "ml_inference"]);
        let bodies = bodies(&[
            &["     scale `west/web` to 20 tasks", "     after fence[web], gate"],
            &["     scale `west/ml-inference` to 50 tasks", "     after fence[ml_inference], gate"],
        ]);
        assert_eq!(
            merged(&steps, &bodies),
            [
                "     scale … to … tasks",
                "     after fence[each], gate",
                "     for web (20), ml_inference (50)",
            ]
        );
    }

    #[test]
    fn texts_that_are_not_built_alike_are_all_shown() {
        let steps = items(&["a", "b"]);
        let bodies = bodies(&[&["     one", "     same"], &["     two words", "     same"]]);
        let shown = merged(&steps, &bodies);
        assert_eq!(
            shown,
            ["     same", "     for a", "       one", "     for b", "       two words"]
        );
    }

    #[test]
    fn only_neighbours_with_one_answer_are_one_entry() {
        let mut steps = items(&["a", "b", "c"]);
        steps[2].preview.answer =
            crate::plan::model::Answer::CannotKnow { why: "nobody looked".to_owned() };
        steps.push(step("last", "x", Phase::Verify));
        let sizes: Vec<usize> = entries(&steps).iter().map(|entry| entry.len()).collect();
        assert_eq!(sizes, [2, 1, 1]);
    }
}
