//! History on a terminal: a paragraph, a sparkline and a list for each drill.
//!
//! **Invariant:** no line is longer than 80 columns, but for a damaged journal's problem, which is
//! wrapped; no colour.

use crate::base::clock::format_instant;
use crate::report::charts::svg::plain_text;
use crate::report::history::{DamagedRow, HistoryRow};
use crate::report::markdown::ms;
use crate::report::measure::human_ms;
use crate::report::trend::{Kind, Trend, grouped};

/// Eighths of a block, for sparklines.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns of a line.
const COLUMNS: usize = 80;

/// Columns of a bar.
const BAR: usize = 7;

/// Most runs in a sparkline.
const SPARKS: usize = 46;

/// The rows as plain text, by kind and drill, newest first; damaged journals at the end.
pub fn render_history(rows: &[HistoryRow], damaged: &[DamagedRow]) -> String {
    let trends = grouped(rows);
    let mut text = String::new();
    for kind in Kind::ALL {
        let of_kind: Vec<_> = trends.iter().filter(|(trend, _)| trend.kind == kind).collect();
        if !of_kind.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}{}\n", kind.title()));
        }
        for (trend, rows) in of_kind {
            text.push_str(&paragraph(trend));
            text.push_str(&copies(rows));
            text.push_str(&list(rows));
        }
    }
    if !damaged.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}DAMAGED (not counted above)\n"));
    }
    for row in damaged {
        text.push_str(&format!("  {} is not readable:\n", row.run));
        text.push_str(&wrapped(&row.problem, "    "));
    }
    if text.is_empty() { "no runs yet\n".to_owned() } else { text }
}

fn paragraph(trend: &Trend) -> String {
    let runs = trend.runs.len();
    let noun = if runs == 1 { "run" } else { "runs" };
    let mut text = format!(
        "\n{} in {}: {runs} {noun}, {} succeeded ({}%)\n",
        short(&trend.name, 36),
        short(&trend.environment, 14),
        trend.succeeded,
        trend.success_percent
    );
    if runs > 1 {
        text.push_str(&format!("  recovery time  {} (oldest first)\n", sparkline(&trend.times_ms)));
    }
    let change = |other: Option<u64>| match (trend.last_ms, other) {
        (Some(last), Some(other)) if last > other => format!(" (+{})", human_ms(last - other)),
        (Some(last), Some(other)) if last < other => format!(" (-{})", human_ms(other - last)),
        (Some(_), Some(_)) => " (same)".to_owned(),
        (None, _) | (_, None) => String::new(),
    };
    let last = trend.last_ms.map_or_else(|| "not recovered".to_owned(), human_ms);
    text.push_str(&format!("  last           {last}"));
    if let Some(previous) = trend.previous_ms {
        text.push_str(&format!("; before {}{}", human_ms(previous), change(Some(previous))));
        let median = trend.median_ms;
        text.push_str(&format!("; median {}{}", ms(median), change(median)));
    }
    text.push('\n');
    let promised = trend.promised_ms.map_or_else(|| "nothing".to_owned(), human_ms);
    text.push_str(&format!("  promised       {promised}"));
    if trend.promised_runs > 0 {
        text.push_str(&format!("; kept in {} of {}", trend.kept_runs, trend.promised_runs));
    }
    text.push('\n');
    text
}

/// How 19 of 20 copies got on, run by run; nothing where none were measured.
fn copies(rows: &[&HistoryRow]) -> String {
    let times: Vec<Option<u64>> =
        rows.iter().map(|row| row.copies.as_ref().map(|copies| copies.p95_ms)).collect();
    if times.iter().flatten().count() < 2 {
        return String::new();
    }
    format!("  copies p95     {} (oldest first)\n", sparkline(&times))
}

fn list(rows: &[&HistoryRow]) -> String {
    let longest = rows.iter().filter_map(|row| row.recovery_time_ms).max().unwrap_or(0);
    let line = |cells: [&str; 6]| {
        let [at, run, outcome, time, point, bar] = cells;
        let line = format!("{at:<16} {run:<26} {outcome:<10} {time:>7} {point:>7}  {bar}");
        format!("{}\n", line.trim_end())
    };
    let mut text = line(["started (UTC)", "run", "outcome", "time", "point", ""]);
    for row in rows.iter().rev() {
        let at = row.started_at.map(format_instant).unwrap_or_default().replace('T', " ");
        let (time, point) = (ms(row.recovery_time_ms), ms(row.recovery_point_ms));
        let bar = bar(row.recovery_time_ms, longest);
        let at = at.get(..16).unwrap_or(&at);
        text.push_str(&line([at, &row.run, row.word(), &time, &point, &bar]));
        if !row.missed_objectives.is_empty() {
            let missed = row.missed_objectives.join(", ").replace('_', " ");
            text.push_str(&format!("{:<16} MISSED: {missed}\n", ""));
        }
        if let Some(copies) = &row.copies {
            text.push_str(&format!("{:<16} copies {}\n", "", copies.words()));
        }
    }
    text
}

/// A bar of whole and part blocks, at least a sliver for what took any time.
fn bar(time: Option<u64>, longest: u64) -> String {
    let Some(time) = time.filter(|time| *time > 0) else { return String::new() };
    let eighths = u128::from(time) * (BAR as u128 * 8) / u128::from(longest.max(1));
    let eighths = usize::try_from(eighths).unwrap_or(0).clamp(1, BAR * 8);
    // Left-hand blocks have parts as well, in the other order of the alphabet of blocks.
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8).copied().unwrap_or("");
    "█".repeat(eighths / 8) + part
}

/// One column a run, the newest last; `x` where it was not recovered.
fn sparkline(times: &[Option<u64>]) -> String {
    let shown = times.get(times.len().saturating_sub(SPARKS)..).unwrap_or(times);
    let longest = shown.iter().filter_map(|time| *time).max().unwrap_or(0).max(1);
    let column = |time: &Option<u64>| {
        time.map_or('x', |time| {
            let level = u128::from(time) * 7 / u128::from(longest);
            usize::try_from(level).ok().and_then(|level| LEVELS.get(level)).copied().unwrap_or('█')
        })
    };
    shown.iter().map(column).collect()
}

fn short(text: &str, most: usize) -> String {
    let plain = plain_text(text);
    if plain.chars().count() <= most {
        return plain;
    }
    plain.chars().take(most - 1).chain(['…']).collect()
}

/// Words on lines of at most [`COLUMNS`].
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in plain_text(text).split_whitespace() {
        let columns = indent.len() + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && columns > COLUMNS {
            lines.push_str(&format!("{indent}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &format!("{indent}{line}\n")
}
