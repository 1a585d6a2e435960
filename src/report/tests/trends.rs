//! History and trends. **Invariant:** kinds never mix, damage is never hidden, 80 columns are enough.

use super::*;
use crate::report::history::DamagedRow;
use crate::report::trend::Kind;

/// A run of `name` that took `seconds`; `None` did not recover.
fn row(number: u64, name: &str, seconds: Option<u64>) -> HistoryRow {
    HistoryRow {
        run: format!("01kf0e44m0sfsemr6mndp1k{number:03}"),
        name: name.to_owned(),
        environment: "sim".to_owned(),
        simulated: true,
        emulated: false,
        started_at: Some(at(i64::try_from(number).unwrap() * 86_400)),
        outcome: Some(if seconds.is_some() { "succeeded" } else { "failed" }.to_owned()),
        recovery_time_ms: seconds.map(|seconds| seconds * 1_000),
        recovery_point_ms: seconds.map(|_| 30_000),
        missed_objectives: Vec::new(),
        waiting: None,
        promised_time_ms: Some(900_000),
        promised_point_ms: Some(60_000),
        copies: None,
    }
}

#[test]
fn kinds_are_kept_apart() {
    let mut plan = plan();
    let simulated = report(&whole(&plan));
    plan.environment.simulated = false;
    let real = report(&until_restored(&plan));
    plan.environment.emulated = true;
    let rows = history_rows(&[simulated, real, report(&whole(&plan))]);
    let kinds: Vec<(Kind, usize, u64)> =
        trends(&rows).iter().map(|one| (one.kind, one.runs.len(), one.succeeded)).collect();
    assert_eq!(kinds, [(Kind::Real, 1, 0), (Kind::Emulated, 1, 1), (Kind::Simulated, 1, 1)]);
    let text = render_history(&rows, &[]);
    let place = |title: &str| text.find(title).unwrap_or_else(|| panic!("{title}: {text}"));
    let (real, emulated) = (place("Real\n"), place("EMULATED (times say nothing about AWS)\n"));
    assert!(real < emulated && emulated < place("SIMULATED (says nothing about AWS)\n"));
    assert!(text[real..emulated].contains("unfinished"), "{text}");
    let page = render_history_html(&rows, &[]);
    assert_eq!(page.matches("class=\"banner\"").count(), 2);
    assert_eq!(render_history(&[], &[]), "no runs yet\n");
}

#[test]
fn a_trend_tells_change_median_and_promise() {
    let times = [Some(600), Some(660), None, Some(1_000), Some(630)];
    let mut rows: Vec<HistoryRow> =
        (1..).zip(times).map(|(number, time)| row(number, "restore-db", time)).collect();
    rows.reverse();
    let trend = &trends(&rows)[0];
    assert_eq!((trend.runs.len(), trend.succeeded, trend.success_percent), (5, 4, 80));
    assert_eq!((trend.last_ms, trend.previous_ms), (Some(630_000), Some(1_000_000)));
    assert_eq!((trend.median_ms, trend.promised_ms), (Some(645_000), Some(900_000)));
    assert_eq!((trend.kept_runs, trend.promised_runs), (3, 5));
    let text = render_history(&rows, &[]);
    insta::assert_snapshot!(text, @r"
SIMULATED (says nothing about AWS)

restore-db in sim: 5 runs, 4 succeeded (80%)
  recovery time  ▅▅x█▅ (oldest first)
  last           10m30s; before 16m40s (-6m10s); median 10m45s (-15s)
  promised       15m00s; kept in 3 of 5
started (UTC)    run                        outcome       time   point
2026-01-20 09:00 01kf0e44m0sfsemr6mndp1k005 succeeded   10m30s     30s  ████▍
2026-01-19 09:00 01kf0e44m0sfsemr6mndp1k004 succeeded   16m40s     30s  ███████
2026-01-18 09:00 01kf0e44m0sfsemr6mndp1k003 failed           -       -
2026-01-17 09:00 01kf0e44m0sfsemr6mndp1k002 succeeded   11m00s     30s  ████▌
2026-01-16 09:00 01kf0e44m0sfsemr6mndp1k001 succeeded   10m00s     30s  ████▏
");
}

#[test]
fn eighty_columns_are_enough_and_damage_is_listed() {
    let mut rows: Vec<HistoryRow> =
        (1..200).map(|n| row(n, "restore-db", Some(n * 9_999))).collect();
    rows.push(row(500, &"long \u{202e}title\n\u{1b}[31m ".repeat(99), Some(9_999_999)));
    rows[3].missed_objectives = vec!["recovery_time".to_owned(), "recovery_point".to_owned()];
    let damaged = [DamagedRow { run: "01kf".to_owned(), problem: "event 7 is broken ".repeat(30) }];
    let text = render_history(&rows, &damaged);
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
    assert!(text.contains("DAMAGED") && text.contains("01kf is not readable"), "{text}");
    assert!(text.contains("MISSED: recovery time, recovery point"), "{text}");
    let page = render_history_html(&rows, &damaged);
    assert!(page.contains("Damaged journals") && page.contains("event 7 is broken"));
    assert_eq!(page, render_history_html(&rows, &damaged));
}
