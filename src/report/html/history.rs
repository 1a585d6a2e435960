//! History as a page: a chart and a table for each drill.
//!
//! **Invariant:** each kind has a section of its own, and what is no figure of AWS says so above it.

use crate::base::clock::format_instant;
use crate::base::html::page;
use crate::base::html::{code, heading, instant, shown};
use crate::report::charts::trend::{Point, trend_chart};
use crate::report::history::{DamagedRow, HistoryRow};
use crate::report::markdown::ms;
use crate::report::measure::human_ms;
use crate::report::trend::{Kind, Trend, grouped};
use maud::{Markup, html};

/// The rows as one self-contained HTML file.
pub fn render_history_html(rows: &[HistoryRow], damaged: &[DamagedRow]) -> String {
    let trends = grouped(rows);
    let body = html! {
        h1 { "Drills and runs: recovery times" }
        p { (rows.len()) " runs, read from their journals; all times are UTC." }
        @if rows.is_empty() && damaged.is_empty() { p.strong { "No runs yet." } }
        @for kind in Kind::ALL {
            @let of_kind: Vec<_> =
                trends.iter().enumerate().filter(|(_, (trend, _))| trend.kind == kind).collect();
            @if !of_kind.is_empty() {
                h2 { (kind.title()) }
                @if let Some(banner) = banner(kind) { p.banner { (banner) } }
                @for (number, (trend, rows)) in of_kind { (drill(number, trend, rows)) }
            }
        }
        @if !damaged.is_empty() {
            h2 { "Damaged journals" }
            p { "These runs are not counted above." }
            ul.plain { @for row in damaged { li { (code(&row.run)) ": " (shown(&row.problem)) } } }
        }
    };
    page("Drills and runs: recovery times", &body)
}

fn banner(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Real => None,
        Kind::Emulated => Some("A stand-in for AWS answered: its times say nothing about AWS."),
        Kind::Simulated => {
            Some("drctl's simulator answered: no figure here says anything about AWS.")
        }
    }
}

fn drill(number: usize, trend: &Trend, rows: &[&HistoryRow]) -> Markup {
    let points: Vec<Point> = rows.iter().map(|row| point(row)).collect();
    html! {
        section {
            h3 { (heading(&trend.name)) " in " (heading(&trend.environment)) }
            dl {
                dt { "Runs" }
                dd { (trend.runs.len()) ", " (trend.succeeded) " succeeded (" (trend.success_percent) "%)" }
                dt { "Last recovery time" }
                dd.strong {
                    (trend.last_ms.map_or_else(|| "not recovered".to_owned(), human_ms))
                }
                @if let Some(previous) = trend.previous_ms {
                    dt { "Against the run before" } dd { (against(trend.last_ms, previous)) }
                }
                @if let Some(median) = trend.median_ms {
                    dt { "Against the median" } dd { (against(trend.last_ms, median)) }
                }
                dt { "Promised" }
                dd {
                    (ms(trend.promised_ms))
                    @if trend.promised_runs > 0 {
                        "; kept in " (trend.kept_runs) " of " (trend.promised_runs) " runs"
                    }
                }
            }
            p.small {
                "Recovery time of each run, oldest first. Hatched: longer than promised; ✕: not recovered."
            }
            (trend_chart(&format!("trend-{number}"), "Recovery times, oldest first", &points))
            (table(rows))
        }
    }
}

fn point(row: &HistoryRow) -> Point {
    let at = row.started_at.map(format_instant).unwrap_or_default();
    Point {
        name: format!("{at} {}", row.run),
        ms: row.recovery_time_ms,
        promised_ms: row.promised_time_ms,
    }
}

fn against(last: Option<u64>, other: u64) -> String {
    let other_text = human_ms(other);
    match last {
        Some(last) if last > other => {
            format!("{} slower than {other_text}", human_ms(last - other))
        }
        Some(last) if last < other => {
            format!("{} faster than {other_text}", human_ms(other - last))
        }
        Some(_) => format!("the same, {other_text}"),
        None => other_text,
    }
}

fn table(rows: &[&HistoryRow]) -> Markup {
    html! {
        table.stack {
            thead { tr {
                th { "Started" } th { "Run" } th { "Outcome" } th.figure { "Time" } th.figure { "Point" }
                th { "Missed" }
            } }
            tbody {
                @for row in rows.iter().rev() {
                    tr {
                        td.figure { (instant(row.started_at)) }
                        td { (code(&row.run)) }
                        td.mark { (if row.succeeded() { "✓ " } else { "✗ " }) (row.word()) }
                        td.figure data-label="time" { (ms(row.recovery_time_ms)) }
                        td.figure data-label="point" { (ms(row.recovery_point_ms)) }
                        td { (row.missed_objectives.join(", ").replace('_', " ")) }
                    }
                }
            }
        }
    }
}
