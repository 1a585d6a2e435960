//! Findings: what deserves attention, worst first.
//!
//! **Invariant:** a step that was skipped because another failed is no finding of its own: root causes
//! only.

use crate::journal::event::{Event, Record};
use crate::journal::fold::{RunState, StepStatus};
use crate::journal::store::StoredRecord;
use crate::plan::model::{GateKind, Phase, Plan};
use crate::report::audit::LeftBehind;
use crate::report::control::control_sentence;
use crate::report::cutoff::{accepted_by, cutoff};
use crate::report::measure::human_ms;
use crate::report::model::{Finding, Objective, ObjectiveStatus, RecoveryPoint, Severity};
use crate::report::steps::{pairs, was_rejected};

/// What findings are made of.
pub struct Sources<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The fold.
    pub state: &'a RunState,
    /// The journal.
    pub stored: &'a [StoredRecord],
    /// Those of its records that this build knows.
    pub records: &'a [Record],
    /// Promises and measurements.
    pub objectives: &'a [Objective],
    /// What was lost.
    pub point: &'a RecoveryPoint,
    /// What is still there.
    pub left_behind: &'a [LeftBehind],
}

/// All findings, worst first.
pub fn findings(sources: &Sources<'_>) -> Vec<Finding> {
    let mut findings = of_steps(sources);
    findings.extend(of_journal(sources));
    for changed in sources.stored.iter().filter_map(|one| one.record.as_ref()) {
        if let Event::PlanChanged { .. } | Event::PlanKept { .. } = &changed.event {
            let text = control_sentence(&changed.event).unwrap_or_default();
            findings.push(finding(Severity::Warning, text));
        }
    }
    for objective in sources.objectives {
        let name = objective.name.replace('_', " ");
        match objective.status {
            ObjectiveStatus::Missed => findings.push(finding(
                Severity::Warning,
                format!("objective missed: {name}, {}", objective.why),
            )),
            ObjectiveStatus::Unknown if sources.state.finished.is_some() => {
                findings.push(finding(
                    Severity::Warning,
                    format!("objective not proven: {name}, {}", objective.why),
                ));
            }
            ObjectiveStatus::Unknown | ObjectiveStatus::Met | ObjectiveStatus::NotPromised => {}
        }
    }
    let measure = &sources.plan.measure;
    let nothing_restored = measure.restored.is_empty() && measure.recovery_point.is_empty();
    if sources.point.proven_ms.is_none() && sources.state.finished.is_some() && !nothing_restored {
        let claimed = sources.point.claimed_ms.map(human_ms);
        let claimed = claimed.map_or_else(String::new, |text| format!("; claimed: {text}"));
        let text = format!("recovery point not proven: {}{claimed}", sources.point.note);
        findings.push(finding(Severity::Warning, text));
    }
    findings.extend(given_up(sources));
    for left in sources.left_behind {
        let kept = left.why.starts_with("kept");
        findings.push(Finding {
            severity: if kept { Severity::Note } else { Severity::Problem },
            text: format!("{} is still there: {}", left.what, left.why),
            step: Some(left.step.clone()),
        });
    }
    let wrong = sources.state.score.iter().flat_map(|score| &score.wrong);
    findings.extend(
        wrong.map(|text| {
            finding(Severity::Note, format!("the dry run predicted otherwise: {text}"))
        }),
    );
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn finding(severity: Severity, text: String) -> Finding {
    Finding { severity, text, step: None }
}

/// That a promotion gave writes up, how much, and who accepted it; nothing where nothing was lost.
fn given_up(sources: &Sources<'_>) -> Option<Finding> {
    let (plan, state, records) = (sources.plan, sources.state, sources.records);
    let worst = sources.point.each.iter().map(|one| (Some(&one.step), &one.point));
    let worst = worst.max_by_key(|(_, point)| (point.proven_ms.is_none(), point.proven_ms));
    let (of, point) = worst.unwrap_or((None, sources.point));
    let probe =
        plan.measure.recovery_point.iter().find(|key| of.is_none_or(|of| key.as_str() == of));
    let cut = cutoff(plan, state, probe).filter(|cut| cut.what == point.target)?;
    state.finished?;
    let from = format!("writers could write until {}, {}", at(cut.at), point.from_what());
    let claimed = point.claimed_ms.map(human_ms);
    let text = match (point.proven_ms, point.newest_at) {
        (Some(0), _) => return None,
        (Some(lost), Some(newest)) => format!(
            "{} of writes were given up: {from}, and the newest that {} has is of {}",
            human_ms(lost),
            cut.promotion,
            at(newest)
        ),
        _ => match claimed {
            Some(claimed) => format!("{claimed} of writes were given up, as AWS said: {from}"),
            None => format!("how many writes were given up is not known: {from}"),
        },
    };
    let accepted = accepted_by(plan, state, records, &cut.promotion);
    let accepted = match accepted.is_empty() {
        true => "nobody was asked".to_owned(),
        false => format!("accepted by {}", accepted.join("; and by ")),
    };
    // In the graceful form nothing was lacking: it is the time between two heartbeats.
    let severity = if point.claimed_ms == Some(0) { Severity::Note } else { Severity::Warning };
    let step = Some(cut.promotion.as_str().to_owned());
    Some(Finding { severity, text: format!("{text}; {accepted}"), step })
}

fn at(instant: chrono::DateTime<chrono::Utc>) -> String {
    crate::base::clock::format_instant(instant)
}

fn of_steps(sources: &Sources<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (step, found) in pairs(sources.plan, sources.state) {
        let mut add = |severity, text: String| {
            findings.push(Finding { severity, text, step: Some(step.key.as_str().to_owned()) });
        };
        let message = found.error.as_ref().map_or("no reason recorded", |error| &*error.message);
        let gate = step.gate == Some(GateKind::Person);
        if was_rejected(found) {
            add(Severity::Warning, format!("the run was ended here: {message}"));
        } else if gate && found.expired && found.error.is_some() {
            let asked = found.inputs.get("message").and_then(|it| it.as_str()).unwrap_or("?");
            add(Severity::Problem, format!("gate timed out: {message}; the question was: {asked}"));
        } else if found.status == StepStatus::Failed && step.phase == Phase::Cleanup {
            add(Severity::Problem, format!("clean-up failed: {message}"));
        } else if found.error.is_some() {
            add(Severity::Problem, format!("failed: {message}"));
        }
        if let Some(error) = &found.undo_error {
            add(Severity::Problem, format!("undo failed: {}", error.message));
        }
        for warning in &found.warnings {
            add(Severity::Warning, warning.clone());
        }
        if found.doubts > 0 {
            add(Severity::Note, format!("was in doubt {} time(s) and looked again", found.doubts));
        }
    }
    findings
}

/// What is wrong with the journal itself.
fn of_journal(sources: &Sources<'_>) -> Vec<Finding> {
    let unknown: Vec<String> = sources
        .stored
        .iter()
        .filter(|one| one.record.is_none())
        .map(|one| format!("{} (`{}`, version {})", one.seq, one.kind, one.version))
        .collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let text = format!(
        "this drctl does not understand event {}: figures may be incomplete; use a newer drctl",
        unknown.join(", ")
    );
    vec![finding(Severity::Problem, text)]
}
