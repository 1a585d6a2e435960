//! What the declared inputs of gates cannot say: which of them go together, and which words they take.
//!
//! **Invariant:** only what stands in the file is judged; what an expression will give is left to the
//! dry run.

use crate::action::MOST_APPROVALS;
use crate::base::diagnostic::{Problems, Span};
use crate::base::duration;
use crate::runbook::codes;
use crate::runbook::references::World;
use crate::runbook::steps::Draft;
use crate::runbook::template::{Template, TemplateKind};

/// Checks the inputs of a step that uses a gate.
pub(crate) fn check(draft: &Draft, p: &mut Problems) {
    match draft.step.uses.as_str() {
        "gate.approve" => approve(draft, p),
        "gate.wait_until" => wait_until(draft, p),
        _ => {}
    }
}

/// The text of an input, unless it is an expression or no text.
fn literal(draft: &Draft, input: &str) -> Option<String> {
    let template: &Template = draft.step.with.get(input)?;
    let fixed = template.expressions().is_empty();
    fixed.then(|| template.to_json().as_str().map(str::to_owned)).flatten()
}

fn place(draft: &Draft, input: &str) -> Span {
    draft.input_spans.get(input).copied().unwrap_or(draft.uses_span)
}

fn approve(draft: &Draft, p: &mut Problems) {
    if let Some(word) = literal(draft, "on_timeout").filter(|it| it != "fail" && it != "reject") {
        let message = format!("`on_timeout` is `fail` or `reject`, found `{word}`");
        p.error(codes::INPUT_TYPE, place(draft, "on_timeout"), message)
            .help("`fail` fails the step, `reject` ends the run as if somebody had said no");
    }
    let range = 1..=i64::from(MOST_APPROVALS);
    if let Some(number) = literal_int(draft, "approvals").filter(|it| !range.contains(it)) {
        let message = format!("`approvals` is between 1 and {MOST_APPROVALS}, found {number}");
        p.error(codes::RANGE, place(draft, "approvals"), message)
            .help("1 is one person, 2 the two-person rule");
    }
}

/// Checks which steps a gate is before: they stand in the file, one by one, and wait for it.
pub(crate) fn check_before(world: &World<'_>, index: usize, p: &mut Problems) {
    let draft = &world.drafts[index];
    if draft.step.uses != "gate.approve" {
        return;
    }
    if let Some(word) = literal(draft, "attests").filter(|it| it != "fencing") {
        let message = format!("an approval attests `fencing` or nothing, found `{word}`");
        p.error(codes::INPUT_TYPE, place(draft, "attests"), message)
            .help("it says that the old writer cannot write any more; leave it out otherwise");
    }
    let Some(template) = draft.step.with.get("before") else { return };
    let TemplateKind::List(items) = &template.kind else {
        let message = "`before` is a list of step ids that stand in the file";
        p.error(codes::BEFORE, template.span, message).help("write `before: [promote]`");
        return;
    };
    for item in items {
        let TemplateKind::Text(id) = &item.kind else {
            let message = "`before` takes step ids, no expressions";
            p.error(codes::BEFORE, item.span, message).help("write the id of the step itself");
            continue;
        };
        let Some(behind) = world.positions.get(id).copied() else {
            let help = world.suggest(id, world.positions.keys()).unwrap_or_default();
            p.error(codes::BEFORE, item.span, format!("there is no step `{id}`")).help(help);
            continue;
        };
        let known = world.graph.is_acyclic() && !world.lost[behind];
        if known && !world.graph.is_upstream(index, behind) {
            let gate = &draft.step.id;
            let message = format!("step `{id}` does not wait for the gate `{gate}`");
            p.error(codes::BEFORE, item.span, message)
                .help(format!("add `{gate}` to the `needs` of `{id}`"));
        }
    }
}

/// The whole number of an input, unless it is an expression or no number.
fn literal_int(draft: &Draft, input: &str) -> Option<i64> {
    draft.step.with.get(input)?.to_json().as_i64()
}

fn wait_until(draft: &Draft, p: &mut Problems) {
    let given = |input: &str| draft.step.with.contains_key(input);
    if !given("time") && !given("for") {
        p.error(codes::MISSING_INPUT, draft.uses_span, "`gate.wait_until` needs `time` or `for`")
            .help("`time` is an instant, `for` a duration such as `30m`");
    }
    if given("time") {
        for other in ["for", "after"].into_iter().filter(|input| given(input)) {
            let message = format!("`gate.wait_until` takes no `{other}` beside `time`");
            p.error(codes::UNKNOWN_INPUT, place(draft, other), message)
                .help("give `time`, or `for` with or without `after`");
        }
    }
    let wait = literal(draft, "for").and_then(|text| duration::parse(&text).ok());
    if let Some((wait, timeout)) = wait.zip(draft.step.timeout)
        && wait > timeout
        && !given("after")
    {
        let (wait, timeout) = (duration::human(wait), duration::human(timeout));
        let message = format!("it waits for {wait}, and its time-out is {timeout}");
        p.error(codes::RANGE, place(draft, "for"), message)
            .help("leave the time-out out, or make it longer than the wait");
    }
}
