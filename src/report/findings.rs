//! Findings: what deserves attention, worst first.
//!
//! **Invariant:** a step that was skipped because another failed is no finding of its own: root causes
//! only.

use crate::journal::event::Event;
use crate::journal::fold::{RunState, StepStatus};
use crate::journal::store::StoredRecord;
use crate::plan::model::{GateKind, Phase, Plan};
use crate::report::audit::LeftBehind;
use crate::report::control::control_sentence;
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
