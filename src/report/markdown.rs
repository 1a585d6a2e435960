//! A report as Markdown, verdict first.
//!
//! **Invariant:** the second line of a simulated run's report says that it is simulated.

use crate::base::clock::format_instant;
use crate::report::audit::part_name;
use crate::report::folded::{TIMELINE_LINES, TimelineLine, fold_timeline};
use crate::report::measure::human_ms;
use crate::report::model::{HandOver, PointRow, Report, WaterfallEnd};
use crate::report::table::table;
use chrono::{DateTime, Utc};

/// What a missing value reads as.
const NONE: &str = "-";

/// The report as Markdown.
pub fn render_markdown(report: &Report) -> String {
    let mut text = format!("# {}\n", report.verdict.headline);
    if let Some(banner) = &report.run.banner {
        text.push_str(&format!("**{banner}**\n"));
    }
    for (title, body) in [
        ("Verdicts", verdicts(report)),
        ("Run", run(report)),
        ("Objectives", objectives(report)),
        ("Recovery time", recovery_time(report)),
        ("Recovery point", recovery_point(report)),
        ("Findings", findings(report)),
        ("Steps", steps(report)),
        ("Skipped", skipped(report)),
        ("Who approved what", people(report)),
        ("Hand-over", hand_over(report)),
        ("Left behind", left_behind(report)),
        ("Prediction", prediction(report)),
        ("Certificate of the dry run", certificate(report)),
        ("Evidence", evidence(report)),
        ("Origin", origin(report)),
        ("Timeline", timeline(report)),
    ] {
        if !body.is_empty() {
            text.push_str(&format!("\n## {title}\n\n{body}"));
        }
    }
    text
}

/// Milliseconds for people, or the sign for none.
pub fn ms(value: Option<u64>) -> String {
    value.map_or_else(|| NONE.to_owned(), human_ms)
}

fn at(value: Option<DateTime<Utc>>) -> String {
    value.map_or_else(|| NONE.to_owned(), format_instant)
}

fn list(pairs: &[(&str, String)]) -> String {
    let lines = pairs.iter().filter(|(_, value)| !value.is_empty());
    lines.map(|(name, value)| format!("- {name}: {}\n", value.replace('\n', " "))).collect()
}

fn run(report: &Report) -> String {
    let run = &report.run;
    list(&[
        ("run", run.run.clone()),
        ("title", run.title.clone()),
        ("drill", run.drill.clone().unwrap_or_default()),
        (
            "environment",
            format!("{} (account {}, region {})", run.environment, run.account, run.region),
        ),
        ("answered by", run.server.clone()),
        ("faults", run.faults.join(", ")),
        ("form", run.form.clone()),
        ("operator", run.operators.join(", ")),
        ("started", format_instant(run.started_at)),
        ("last event", format_instant(run.last_at)),
        ("attempts", run.attempts.to_string()),
        ("tool", run.tool.clone()),
        ("plan", run.plan_digest.clone()),
        ("journal", format!("{} events, {}", run.journal_count, run.journal_digest)),
        ("waiting for", report.verdict.waiting_for.clone().unwrap_or_default()),
    ])
}

fn objectives(report: &Report) -> String {
    use crate::report::model::ObjectiveStatus as S;
    let rows: Vec<Vec<String>> = report
        .objectives
        .iter()
        .map(|one| {
            let status = match one.status {
                S::Met => "met",
                S::Missed => "MISSED",
                S::Unknown => "unknown",
                S::NotPromised => "not promised",
            };
            let (promised, measured) = (ms(one.promised_ms), ms(one.measured_ms));
            let name = one.name.replace('_', " ");
            vec![name, promised, measured, status.to_owned(), one.why.clone()]
        })
        .collect();
    table(&["objective", "promised", "measured", "status", "why"], &rows)
}

fn recovery_time(report: &Report) -> String {
    let waterfall = &report.waterfall;
    let until = match waterfall.to_what {
        WaterfallEnd::Recovered => "recovered",
        WaterfallEnd::LastEvent => "the last step or event that counts; NOT recovered",
        WaterfallEnd::NothingToRecover => "the last event; this runbook recovers nothing",
    };
    let mut text = format!(
        "From {} ({}) to {} ({until}): {}.\n\n",
        format_instant(waterfall.from),
        waterfall.from_what,
        format_instant(waterfall.to),
        human_ms(waterfall.total_ms)
    );
    let mut rows: Vec<Vec<String>> = Vec::new();
    for phase in &waterfall.phases {
        let share = phase.ms.saturating_mul(100) / waterfall.total_ms.max(1);
        rows.push(vec![phase.phase.clone(), human_ms(phase.ms), format!("{share}%")]);
    }
    text.push_str(&table(&["phase", "time", "share"], &rows));
    text.push('\n');
    let mut lines = vec![("clean-up, not counted", human_ms(waterfall.cleanup_ms))];
    if let Some(hydration) = &report.hydration {
        lines.push(("available after", ms(hydration.available_ms)));
        lines.push(("storage loaded after", ms(hydration.hydrated_ms)));
        lines.push(("storage", hydration.note.clone()));
    }
    lines.extend(waterfall.notes.iter().map(|note| ("note", note.clone())));
    lines.extend(report.copies.iter().map(|copies| ("copies between buckets", copies.words())));
    text + &list(&lines)
}

fn recovery_point(report: &Report) -> String {
    let point = &report.recovery_point;
    let unknown = || "unknown".to_owned();
    let whole = list(&[
        ("counted from", format!("{} ({})", format_instant(point.target_at), point.from_what())),
        ("restored to", at(point.restore_time)),
        ("claimed loss", point.claimed_ms.map_or_else(unknown, human_ms)),
        ("newest data read back", at(point.newest_at)),
        ("proven loss", point.proven_ms.map_or_else(unknown, human_ms)),
        ("note", point.note.clone()),
    ]);
    if point.each.is_empty() {
        return whole;
    }
    let loss = |ms: Option<u64>| ms.map_or_else(unknown, human_ms);
    let row = |one: &PointRow| {
        let (of, point) = (one.step.clone(), &one.point);
        let from = format!("{} ({})", format_instant(point.target_at), point.from_what());
        let (newest, proven) = (at(point.newest_at), loss(point.proven_ms));
        vec![of, from, loss(point.claimed_ms), newest, proven, point.note.clone()]
    };
    let rows: Vec<Vec<String>> = point.each.iter().map(row).collect();
    let heads = ["step", "counted from", "claimed loss", "newest read", "proven loss", "note"];
    format!("{whole}\n{}", table(&heads, &rows))
}

fn findings(report: &Report) -> String {
    let lines = report.findings.iter().map(|one| {
        let step = one.step.as_ref().map_or_else(String::new, |step| format!("{step}: "));
        format!("- {}: {step}{}\n", one.severity.name(), one.text.replace('\n', " "))
    });
    let text: String = lines.collect();
    if text.is_empty() { "None.\n".to_owned() } else { text }
}

fn steps(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .steps
        .iter()
        .map(|step| {
            let mut notes = Vec::new();
            notes.extend(step.account.as_ref().map(|account| format!("in account {account}")));
            if step.adopted {
                notes.push("adopted".to_owned());
            }
            if step.retries > 0 {
                notes.push(format!("{} retries", step.retries));
            }
            if step.in_doubt > 0 {
                notes.push(format!("in doubt {}x", step.in_doubt));
            }
            notes.extend(step.why.clone());
            notes.extend(step.help.clone());
            let duration = ms(step.duration_ms);
            let (key, phase) = (step.step.clone(), step.phase.clone());
            vec![key, step.uses.clone(), phase, step.outcome.clone(), duration, notes.join("; ")]
        })
        .collect();
    table(&["step", "action", "phase", "outcome", "time", "notes"], &rows)
}

fn skipped(report: &Report) -> String {
    let skipped = report.steps.iter().filter(|step| step.outcome == "skipped");
    skipped
        .map(|step| format!("- {}: {}\n", step.step, step.why.as_deref().unwrap_or(NONE)))
        .collect()
}

fn hand_over(report: &Report) -> String {
    let none = || NONE.to_owned();
    let lines = |kept: &HandOver| {
        list(&[
            ("instance", kept.instance.clone().unwrap_or_else(none)),
            ("host", kept.endpoint_host.clone().unwrap_or_else(none)),
            ("port", kept.endpoint_port.map_or_else(none, |port| port.to_string())),
            ("expires", kept.expires_at.clone().unwrap_or_else(|| "no expiry recorded".to_owned())),
        ])
    };
    let all = report.hand_over.iter().chain(&report.more_hand_overs).map(lines);
    all.collect::<Vec<_>>().join("\n")
}

fn left_behind(report: &Report) -> String {
    let rows = report.left_behind.iter();
    rows.map(|left| {
        let place = left.endpoint.iter().map(|at| format!(" at {at}")).collect::<String>();
        format!("- {}{place} (made by {}): {}\n", left.what, left.step, left.why)
    })
    .collect()
}

fn prediction(report: &Report) -> String {
    let Some(score) = &report.prediction else { return String::new() };
    let wrong: String = score.wrong.iter().map(|text| format!("- wrong: {text}\n")).collect();
    format!("- {} of {} predictions held\n{wrong}", score.held, score.total)
}

fn evidence(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .evidence
        .iter()
        .map(|one| {
            let event = if one.seq == 0 { String::new() } else { one.seq.to_string() };
            let (step, name) = (one.step.clone(), one.name.clone());
            vec![step, name, one.value.clone(), one.source.clone(), event]
        })
        .collect();
    table(&["step", "fact", "value", "read from", "event"], &rows)
}

fn verdicts(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .parts
        .iter()
        .map(|part| {
            let name = part_name(&part.name).to_lowercase();
            vec![name, part.status.name().to_owned(), part.why.clone()]
        })
        .collect();
    table(&["part", "verdict", "why"], &rows)
}

fn people(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .approvals
        .iter()
        .map(|one| {
            let step = one.step.as_ref().map_or_else(String::new, |step| format!("{step}: "));
            let who = one.who_text().to_owned();
            let mut answer = one.decision_text();
            if let Some(comment) = &one.comment {
                answer.push_str(&format!(" ({comment})"));
            }
            vec![at(one.at), who, format!("{step}{}", one.what), answer]
        })
        .collect();
    table(&["at", "who", "what", "decision"], &rows) + &at_stake(report)
}

/// What was at stake when somebody approved what cannot be taken back.
fn at_stake(report: &Report) -> String {
    let shown = report.approvals.iter().filter(|one| !one.figures.is_empty());
    let text = shown.map(|one| {
        let step = one.step.as_deref().unwrap_or_default();
        let lines = one.figures.iter().map(|line| format!("- {}\n", line.replace('\n', " ")));
        let (who, when) = (one.who_text(), at(one.at));
        format!("\nAt stake when {who} approved {step}, {when}:\n\n{}", lines.collect::<String>())
    });
    text.collect()
}

fn certificate(report: &Report) -> String {
    let Some(certificate) = &report.certificate else { return String::new() };
    let calls = certificate.calls.iter().map(|(call, count)| format!("- {count} x {call}\n"));
    let refused = certificate.refused.iter().map(|one| format!("- refused: {one}\n"));
    let walls = certificate.walls.iter().map(|one| format!("- wall: {one}\n"));
    calls.chain(refused).chain(walls).collect()
}

fn origin(report: &Report) -> String {
    let parameters = report.parameters.iter();
    let parameters = parameters
        .map(|(name, value)| format!("- parameter `{name}`: {}\n", value.replace('\n', " ")));
    let sources = report.sources.iter();
    let sources = sources.map(|one| format!("- {}: {}, {}\n", one.what, one.file, one.digest));
    let run = &report.run;
    let check =
        format!("- to check: `drctl journal verify {} --expect {}`\n", run.run, run.journal_digest);
    parameters.chain(sources).collect::<String>() + &check
}

fn timeline(report: &Report) -> String {
    let folded = fold_timeline(&report.timeline, TIMELINE_LINES);
    let row = |line: &TimelineLine<'_>| {
        let first = line.first;
        let (mut seq, mut text) = (first.seq.to_string(), first.text.clone());
        if line.count > 1 {
            seq.push_str(&format!("-{}", line.last.0));
            text.push_str(&format!(" ({} times, last {})", line.count, at(line.last.1)));
        }
        vec![seq, at(first.at), first.step.clone().unwrap_or_default(), text]
    };
    let mut rows: Vec<Vec<String>> = folded.head.iter().map(row).collect();
    if folded.left_out > 0 {
        let all = format!("{} events are left out: `drctl journal export`", folded.left_out);
        rows.push(vec!["…".to_owned(), String::new(), String::new(), all]);
    }
    rows.extend(folded.tail.iter().map(row));
    table(&["#", "at", "step", "event"], &rows)
}
