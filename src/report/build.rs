//! Makes a report from a journal.
//!
//! **Invariant:** the journal alone is read; the same journal gives the same report, byte for byte.

use crate::base::clock::format_instant;
use crate::base::groups::listed;
use crate::base::ids::StepKey;
use crate::journal::event::{Event, Record};
use crate::journal::fold::{FoldError, RunState, StepStatus};
use crate::journal::store::{Salvaged, StoredRecord};
use crate::plan::model::{Phase, Plan, RunMode};
use crate::report::audit::{certificate, parameters, sources};
use crate::report::control::because;
use crate::report::copies::copies;
use crate::report::damage::DamageRow;
use crate::report::findings::{Sources, findings};
use crate::report::measure::{hydration, objectives};
use crate::report::model::{
    Finding, Objective, ObjectiveStatus, PredictionRow, REPORT_VERSION, Report, RunFacts, Severity,
    Verdict, VerdictState,
};
use crate::report::parts::parts;
use crate::report::people::approvals;
use crate::report::point::recovery_point;
use crate::report::steps::{
    evidence, hand_overs, left_behind, pairs, skipped_for_want, step_rows, was_rejected,
};
use crate::report::timeline::{outcome_name, timeline};
use crate::report::waterfall::waterfall;

/// Why a journal gives no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There is no event that a run began.
    #[error("the journal does not say that a run began, so there is nothing to report")]
    NotStarted,
    /// Its facts contradict each other.
    #[error("the journal cannot be understood: {0}")]
    Fold(#[from] FoldError),
    /// The plan within is of another shape.
    #[error("the plan in the journal cannot be read: {0}; use the drctl that wrote it")]
    Plan(#[source] serde_json::Error),
}

/// Makes the report of a journal, also of an unfinished one.
///
/// # Errors
/// When no run began, when facts contradict each other, when the plan cannot be read.
pub fn build(stored: &[StoredRecord]) -> Result<Report, ReportError> {
    let records = known(stored);
    if !matches!(records.first().map(|record| &record.event), Some(Event::RunStarted { .. })) {
        return Err(ReportError::NotStarted);
    }
    let state = RunState::fold(&records)?;
    let plan: Plan = serde_json::from_value(state.plan.clone()).map_err(ReportError::Plan)?;
    let waterfall = waterfall(&plan, &state, &records);
    let point = recovery_point(&plan, &state, &records);
    let objectives = objectives(&plan, &state, &waterfall, &point);
    let left_behind = left_behind(&plan, &state);
    let mut hand_overs = hand_overs(&plan, &state).into_iter();
    let findings = findings(&Sources {
        plan: &plan,
        state: &state,
        stored,
        records: &records,
        objectives: &objectives,
        point: &point,
        left_behind: &left_behind,
    });
    Ok(Report {
        schema_version: REPORT_VERSION,
        damage: None,
        verdict: verdict(&plan, &state, &objectives),
        run: run_facts(&plan, &state, stored),
        hydration: hydration(&plan, &state),
        findings,
        steps: step_rows(&plan, &state),
        evidence: evidence(&plan, &state, stored),
        parts: parts(&plan, &state),
        approvals: approvals(&records),
        certificate: certificate(&plan),
        parameters: parameters(&plan),
        sources: sources(&plan),
        prediction: state.score.as_ref().map(|score| PredictionRow {
            held: score.held,
            total: score.total,
            wrong: score.wrong.clone(),
        }),
        hand_over: hand_overs.next(),
        more_hand_overs: hand_overs.collect(),
        left_behind,
        timeline: timeline(stored),
        objectives,
        waterfall,
        recovery_point: point,
        copies: copies(&plan, &state),
    })
}

/// Makes the report of a journal as far as it is sound; a damaged one is marked as such wherever the
/// report is shown.
///
/// # Errors
/// See [`build`]; with nothing sound there is nothing to report.
pub fn build_salvaged(salvaged: &Salvaged) -> Result<Report, ReportError> {
    let mut report = build(&salvaged.records)?;
    let Some(damage) = &salvaged.damage else { return Ok(report) };
    let row = DamageRow {
        sound_events: salvaged.records.len() as u64,
        first_bad: damage.seq,
        why: damage.why.clone(),
    };
    let banner = row.banner();
    let finding = Finding {
        severity: Severity::Problem,
        text: banner.trim_end_matches('.').to_owned(),
        step: None,
    };
    report.findings.insert(0, finding);
    report.verdict.headline = format!("DAMAGED JOURNAL: {}", report.verdict.headline);
    let other = report.run.banner.take().map_or_else(String::new, |other| format!(" {other}"));
    report.run.banner = Some(format!("{banner}{other}"));
    report.damage = Some(row);
    Ok(report)
}

/// The events that this build knows, numbered without gaps for the fold. What is left out is a
/// finding of the report.
fn known(stored: &[StoredRecord]) -> Vec<Record> {
    let known = stored.iter().filter_map(|one| one.record.clone());
    known.zip(1..).map(|(record, seq)| Record { seq, ..record }).collect()
}

fn run_facts(plan: &Plan, state: &RunState, stored: &[StoredRecord]) -> RunFacts {
    let started_at = state.started_at.unwrap_or_default();
    let place = &plan.environment;
    RunFacts {
        run: plan.run.as_str().to_owned(),
        title: plan.title.clone(),
        drill: match &plan.mode {
            RunMode::Drill { name, .. } => Some(name.clone()),
            RunMode::Run => None,
        },
        environment: place.name.clone(),
        account: place.account.clone(),
        region: place.region.clone(),
        server: place.server.clone(),
        faults: place.faults.clone(),
        simulated: place.simulated,
        emulated: place.emulated,
        banner: place.banner().map(str::to_owned),
        form: form(state),
        operators: state.operators.clone(),
        attempts: state.attempts,
        tool: state.tool.clone(),
        plan_digest: state.plan_digest.clone(),
        started_at,
        last_at: state.last_at.unwrap_or(started_at),
        journal_count: stored.len() as u64,
        journal_digest: stored.last().map_or_else(String::new, |last| last.digest.to_string()),
    }
}

/// The form of the run, where it was not the usual one all the time.
fn form(state: &RunState) -> String {
    match &state.switched {
        None if state.form.is_graceful() => String::new(),
        None => state.form.to_string(),
        Some(last) => {
            let (by, at) = (&last.by, format_instant(last.at));
            format!("{}, switched from {} by {by} at {at}", state.form, last.from)
        }
    }
}

fn verdict(plan: &Plan, state: &RunState, objectives: &[Objective]) -> Verdict {
    let (mut failed_steps, mut failed_cleanup, mut skipped_steps) =
        (Vec::new(), Vec::new(), Vec::new());
    let (mut rejected_steps, mut failed_undos) = (Vec::new(), Vec::new());
    for (step, found) in pairs(plan, state) {
        let key = step.key.as_str().to_owned();
        let cleanup = step.phase == Phase::Cleanup;
        let failed = found.status == StepStatus::Failed && !was_rejected(found);
        if found.status == StepStatus::UndoFailed || (cleanup && failed) {
            failed_cleanup.push(key.clone());
        }
        if found.status == StepStatus::UndoFailed {
            failed_undos.push(key.clone());
        }
        if was_rejected(found) {
            rejected_steps.push(key.clone());
        } else if !cleanup && found.error.is_some() {
            failed_steps.push(key.clone());
        }
        if skipped_for_want(found) {
            skipped_steps.push(key);
        }
    }
    let missed = objectives.iter().filter(|one| one.status == ObjectiveStatus::Missed);
    let question = state.questions().next().map(|(_, question)| question.question.clone());
    let mut verdict = Verdict {
        headline: String::new(),
        state: match (state.finished, &state.interrupted) {
            (Some(_), _) => VerdictState::Finished,
            (None, Some(_)) => VerdictState::Interrupted,
            (None, None) => VerdictState::Unfinished,
        },
        outcome: state.finished.map(|outcome| outcome_name(outcome).to_owned()),
        failed_steps,
        rejected_steps,
        failed_cleanup,
        failed_undos,
        paused_by: state.paused.as_ref().filter(|_| state.finished.is_none()).map(|pause| {
            let why = because(pause.reason.as_deref());
            format!("{} since {}{why}", pause.by, format_instant(pause.since))
        }),
        aborted_by: state
            .aborting
            .as_ref()
            .map(|abort| format!("{}{}", abort.by, because(abort.reason.as_deref()))),
        skipped_steps,
        missed_objectives: missed.map(|one| one.name.clone()).collect(),
        waiting_for: question.clone().or_else(|| state.interrupted.clone()),
    };
    verdict.headline = match question {
        Some(question) if verdict.state == VerdictState::Interrupted => {
            format!("WAITING for a decision: {question}; nothing is asserted yet")
        }
        Some(_) | None => headline(&verdict, objectives),
    };
    verdict
}

/// Most skipped steps that a headline names; items of one step are one.
const MOST_SKIPPED: usize = 8;

/// The worst first; promises that were not proven are said in the same breath as a success.
fn headline(verdict: &Verdict, objectives: &[Objective]) -> String {
    let outcome = match (verdict.state, &verdict.outcome) {
        (VerdictState::Finished, Some(outcome)) => outcome.to_uppercase(),
        (VerdictState::Interrupted, _) => {
            let reason = verdict.waiting_for.as_deref().unwrap_or("no reason recorded");
            return format!("INTERRUPTED ({reason}): nothing is asserted; resume the run");
        }
        (VerdictState::Finished | VerdictState::Unfinished, _) => {
            return "UNFINISHED: no end is recorded, so nothing is asserted".to_owned();
        }
    };
    let mut parts: Vec<String> =
        verdict.aborted_by.iter().map(|who| format!("aborted by {who}")).collect();
    let cleanup: Vec<String> = verdict
        .failed_cleanup
        .iter()
        .filter(|step| !verdict.failed_undos.contains(step))
        .cloned()
        .collect();
    let mut list = |what: &str, names: &[String]| {
        if !names.is_empty() {
            parts.push(format!("{what}: {}", names.join(", ")));
        }
    };
    let at = if verdict.aborted_by.is_some() { "ended at" } else { "rejected at" };
    list(at, &verdict.rejected_steps);
    list("step failed", &verdict.failed_steps);
    list("clean-up failed", &cleanup);
    list("undo failed", &verdict.failed_undos);
    list("objective missed", &verdict.missed_objectives);
    let unknown = objectives.iter().filter(|one| one.status == ObjectiveStatus::Unknown);
    list("objective not proven", &unknown.map(|one| one.name.clone()).collect::<Vec<_>>());
    let skipped: Vec<StepKey> = verdict.skipped_steps.iter().map(|it| StepKey::new(it)).collect();
    if !skipped.is_empty() {
        list("skipped", &[listed(&skipped, MOST_SKIPPED)]);
    }
    if parts.is_empty() {
        let met = objectives.iter().any(|one| one.status == ObjectiveStatus::Met);
        parts.push(if met { "objectives met" } else { "nothing was promised" }.to_owned());
    }
    format!("{outcome}: {}", parts.join("; "))
}
