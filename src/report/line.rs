//! A run in one line, for people who have no time: where it stands, how much time is left, who is
//! waited for.
//!
//! **Invariant:** always one line; a simulated run says so; time left is counted against what was
//! promised and nothing else.

use crate::base::clock::format_instant;
use crate::report::audit::Approval;
use crate::report::charts::svg::plain_text;
use crate::report::measure::{RECOVERY_TIME, human_ms};
use crate::report::model::{Report, VerdictState, WaterfallEnd};
use crate::report::waterfall::millis;
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Where a run stands, for programs; [`StatusLine::text`] is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusLine {
    /// Where it stands.
    pub state: LineState,
    /// Its id.
    pub run: String,
    /// Drill or title.
    pub name: String,
    /// Where.
    pub environment: String,
    /// Whether the simulator answered.
    pub simulated: bool,
    /// Whether a stand-in for AWS answered.
    pub emulated: bool,
    /// `succeeded`, …; `None` until it ended.
    pub outcome: Option<String>,
    /// The steps under way.
    pub steps: Vec<String>,
    /// What was seen last of the first of them.
    pub last_seen: Option<String>,
    /// Steps that have ended.
    pub steps_done: usize,
    /// All steps.
    pub steps_total: usize,
    /// The recovery time that was promised.
    pub promised_ms: Option<u64>,
    /// Since the disaster, its declaration or the start; until recovery once it is reached.
    pub elapsed_ms: u64,
    /// What is left of the promise; negative when it is broken.
    pub left_ms: Option<i64>,
    /// Whether the service counts as recovered.
    pub recovered: bool,
    /// What the run waits for.
    pub waiting_for: Option<String>,
    /// Who paused it, since when and why, while it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_by: Option<String>,
    /// Who is waited for: names for people to read; empty when the runbook names nobody.
    pub approvers: Vec<String>,
    /// Since when a person is waited for.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Until when they can answer.
    pub answer_until: Option<DateTime<Utc>>,
    /// The command to go on with: it takes the run up, or shows the questions that are open. It never
    /// answers one, so pasting it decides nothing.
    pub command: Option<String>,
    /// The commands that answer the open questions, one for each answer of each.
    pub commands: Vec<String>,
    /// The line.
    pub text: String,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// A process works on it.
    Running,
    /// A person has to decide, or it was interrupted.
    Waiting,
    /// No end is recorded and no process works on it.
    Abandoned,
    /// It ended.
    Finished,
}

/// Whether a process works on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// One does.
    Present,
    /// None does.
    Gone,
}

/// Most characters of what a run waits for, of a name or of a state in words.
const SHORT: usize = 80;

/// The line of a run at `now`.
pub fn status_line(report: &Report, now: DateTime<Utc>, worker: Worker) -> StatusLine {
    let run = &report.run;
    let state = match (report.verdict.state, worker) {
        (VerdictState::Finished, _) => LineState::Finished,
        (VerdictState::Interrupted, _) => LineState::Waiting,
        (VerdictState::Unfinished, _) if report.verdict.waiting_for.is_some() => LineState::Waiting,
        (VerdictState::Unfinished, Worker::Present) if report.verdict.paused_by.is_some() => {
            LineState::Waiting
        }
        (VerdictState::Unfinished, Worker::Present) => LineState::Running,
        (VerdictState::Unfinished, Worker::Gone) => LineState::Abandoned,
    };
    let recovered = report.waterfall.to_what == WaterfallEnd::Recovered;
    let elapsed_ms = if recovered || state == LineState::Finished {
        report.waterfall.total_ms
    } else {
        millis(report.waterfall.from, now.max(run.last_at))
    };
    let promise = report.objectives.iter().find(|one| one.name == RECOVERY_TIME);
    let promised_ms = promise.and_then(|one| one.promised_ms);
    let under_way = |outcome: &str| matches!(outcome, "running" | "undoing");
    let steps: Vec<String> = report
        .steps
        .iter()
        .filter(|step| under_way(&step.outcome))
        .map(|step| step.step.clone())
        .collect();
    let seen = report.timeline.iter().rev().find(|row| {
        row.step.is_some() && row.step.as_ref() == steps.first() && row.text.starts_with("seen: ")
    });
    let open: Vec<&Approval> =
        report.approvals.iter().filter(|one| one.asked_at.is_some() && one.at.is_none()).collect();
    let (first, open) = (open.first().copied(), open.as_slice());
    let pending = |outcome: &str| outcome == "pending" || under_way(outcome);
    let mut line = StatusLine {
        state,
        run: run.run.clone(),
        name: run.drill.clone().unwrap_or_else(|| run.title.clone()),
        environment: run.environment.clone(),
        simulated: run.simulated,
        emulated: run.emulated,
        outcome: report.verdict.outcome.clone(),
        last_seen: seen.map(|row| row.text.trim_start_matches("seen: ").to_owned()),
        steps_done: report.steps.iter().filter(|step| !pending(&step.outcome)).count(),
        steps_total: report.steps.len(),
        steps,
        promised_ms,
        elapsed_ms,
        left_ms: promised_ms.map(|promised| left(promised, elapsed_ms)),
        recovered,
        waiting_for: report.verdict.waiting_for.clone(),
        paused_by: report.verdict.paused_by.clone(),
        approvers: first.map_or_else(Vec::new, |one| one.approvers.clone()),
        waiting_since: first.and_then(|one| one.asked_at),
        answer_until: first.and_then(|one| one.deadline),
        command: (state == LineState::Waiting || state == LineState::Abandoned)
            .then(|| command(report, open, worker)),
        commands: answers(report, open),
        text: String::new(),
    };
    line.text = text(&line, report);
    line
}

fn left(promised: u64, elapsed: u64) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    signed(promised) - signed(elapsed)
}

fn text(line: &StatusLine, report: &Report) -> String {
    let kind = match (line.simulated, line.emulated) {
        (true, _) => "SIMULATED ",
        (false, true) => "EMULATED ",
        (false, false) => "",
    };
    let who = format!("{kind}{} in {}", short(&line.name), short(&line.environment));
    let clock = match report.waterfall.to_what {
        WaterfallEnd::NothingToRecover => {
            format!("{}, nothing to recover", human_ms(line.elapsed_ms))
        }
        WaterfallEnd::Recovered | WaterfallEnd::LastEvent => clock_text(line),
    };
    match line.state {
        LineState::Finished => {
            let at = format_instant(report.run.last_at);
            format!("{who}: {}; {clock}; ended {at}", short(&report.verdict.headline))
        }
        LineState::Running => {
            format!("{who}: {}; {clock}; waits for nobody", position(line))
        }
        LineState::Waiting => {
            let what = match line.waiting_for.as_deref() {
                Some("signal") | None if line.paused_by.is_some() => {
                    format!("PAUSED by {}", short(line.paused_by.as_deref().unwrap_or_default()))
                }
                Some("signal") | None => "stopped by hand, waits to be resumed".to_owned(),
                Some("credentials") => "waits for credentials".to_owned(),
                Some(question) => format!("WAITS FOR {}: {}", whom(line), short(question)),
            };
            format!("{who}: {what}; {}; {clock}{}", position(line), then(line))
        }
        LineState::Abandoned => format!(
            "{who}: NOBODY WORKS ON IT, its process is gone; {}; {clock}{}",
            position(line),
            then(line)
        ),
    }
}

/// The command to go on with.
fn command(report: &Report, open: &[&Approval], worker: Worker) -> String {
    let verb = match (open.is_empty(), worker, &report.verdict.paused_by) {
        (true, Worker::Present, Some(_)) => "continue",
        (true, Worker::Present | Worker::Gone, _) => "resume",
        (false, Worker::Present | Worker::Gone, _) => "status",
    };
    format!("drctl {verb} {}", report.run.run)
}

/// The commands that answer what is open.
fn answers(report: &Report, open: &[&Approval]) -> Vec<String> {
    let several = open.len() > 1;
    let of = |one: &&Approval| {
        let step = one.step.as_deref().filter(|_| several);
        let command = |choice: &String| answer_command(&report.run.run, step, choice);
        one.choices.iter().map(command).collect::<Vec<_>>()
    };
    open.iter().flat_map(of).collect()
}

/// The command that gives one answer; `step` where several questions are open. A shell runs it as it
/// stands: nothing in it is more than a word.
pub fn answer_command(run: &str, step: Option<&str>, answer: &str) -> String {
    let which = step.map_or_else(String::new, |step| format!(" --step {}", shell_word(step)));
    format!("drctl resume {run}{which} --answer {}", shell_word(answer))
}

/// `text` as one word of a shell: as it is when nothing in it means something there.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,@+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn then(line: &StatusLine) -> String {
    line.command.as_ref().map_or_else(String::new, |command| format!("; {command}"))
}

/// `bob, carol since 2026-…, until 2026-…`
fn whom(line: &StatusLine) -> String {
    let mut text = match line.approvers.as_slice() {
        [] => "A PERSON".to_owned(),
        names => short(&names.join(" or ")),
    };
    for (word, at) in [(" since", line.waiting_since), (", until", line.answer_until)] {
        text.push_str(&at.map_or_else(String::new, |at| format!("{word} {}", format_instant(at))));
    }
    text
}

fn position(line: &StatusLine) -> String {
    let (done, total) = (line.steps_done, line.steps_total);
    let seen =
        line.last_seen.as_ref().map_or_else(String::new, |seen| format!(" ({})", short(seen)));
    match line.steps.as_slice() {
        [] => format!("{done} of {total} steps done"),
        [one] => format!("step {} of {total}, {}{seen}", done + 1, short(one)),
        [first, others @ ..] => {
            let more = others.len();
            format!("{done} of {total} steps done, {}{seen} and {more} more", short(first))
        }
    }
}

/// The recovery time against what was promised: `not recovered after 12m of 4h00m, 3h48m left`.
pub fn clock_text(line: &StatusLine) -> String {
    let elapsed = human_ms(line.elapsed_ms);
    let what = if line.recovered { "recovered in" } else { "not recovered after" };
    match line.promised_ms.zip(line.left_ms) {
        None => format!("{what} {elapsed}, nothing promised"),
        Some((promised, left)) => {
            let promised = human_ms(promised);
            let rest = human_ms(left.unsigned_abs());
            let tail = match (left < 0, line.recovered) {
                (true, _) => format!("{rest} TOO LATE"),
                (false, true) => format!("{rest} to spare"),
                (false, false) => format!("{rest} left"),
            };
            format!("{what} {elapsed} of {promised}, {tail}")
        }
    }
}

fn short(text: &str) -> String {
    let plain = plain_text(text);
    if plain.chars().count() <= SHORT {
        return plain;
    }
    plain.chars().take(SHORT - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn words_survive_a_shell() {
        for (text, word) in [
            ("database=orders", "database=orders"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
