//! Shows a plan: what would happen, step by step, and the certificate of calls.
//!
//! **Invariant:** every claim is a field of the plan; nothing is looked up here.

use crate::base::clock::format_instant;
use crate::base::digest::Digest;
use crate::base::duration::human;
use crate::base::form::Form;
use crate::plan::model::{
    Answer, Certificate, EnvironmentRecord, Estimate, Plan, PlannedStep, RecoveryPointPrediction,
    RunMode,
};
use crate::plan::{answer_word, predicted_failures};
use std::fmt::Write as _;
use std::time::Duration;

/// The plan for people.
pub(super) fn plan_text(plan: &Plan, digest: &Digest) -> String {
    let mut text = String::new();
    let mode = match &plan.mode {
        RunMode::Drill { name, .. } => format!("drill {name}"),
        RunMode::Run => "run".to_owned(),
    };
    let environment = &plan.environment;
    line(&mut text, environment.banner().unwrap_or_default());
    line(&mut text, &format!("DRY RUN of {mode}: {}", plan.title));
    line(&mut text, &format!("run          {}", plan.run));
    line(
        &mut text,
        &format!(
            "where        {} / {} (account {}, {}), answered by {}",
            plan.estate_name,
            environment.name,
            environment.account,
            environment.region,
            environment.server
        ),
    );
    if plan.form != Form::Graceful || plan.steps.iter().any(|it| it.preview.other_form.is_some()) {
        let other = plan.form.other();
        line(
            &mut text,
            &format!(
                "form         {}; `drctl switch RUN --to {other}` while it is open",
                plan.form
            ),
        );
    }
    if !environment.faults.is_empty() {
        line(&mut text, &format!("faults       {}", environment.faults.join(", ")));
    }
    line(
        &mut text,
        &format!(
            "made         {}, runnable until {}",
            format_instant(plan.created_at),
            format_instant(plan.expires_at)
        ),
    );
    line(&mut text, &format!("plan         {} (runbook {})", digest.short(), plan.runbook.file));
    line(&mut text, "");
    for (number, step) in plan.steps.iter().enumerate() {
        step_text(&mut text, number + 1, step, environment);
    }
    if let Some(notify) = &plan.notify {
        line(&mut text, &format!("tells        {}: {}", notify.topic, notify.on.join(", ")));
    }
    summary_text(&mut text, plan);
    certificate_text(&mut text, &plan.certificate);
    text
}

/// Adds a line; an empty one not at the beginning.
pub(super) fn line(text: &mut String, line: &str) {
    let end = if line.is_empty() && text.is_empty() { "" } else { "\n" };
    // Writing to a string cannot fail.
    let _ = write!(text, "{line}{end}");
}

fn step_text(
    text: &mut String,
    number: usize,
    step: &PlannedStep,
    environment: &EnvironmentRecord,
) {
    let preview = &step.preview;
    let word = answer_word(&preview.answer);
    line(
        text,
        &format!("{number}. {:<12} {} [{}] {}", word, step.key, step.phase.name(), step.uses),
    );
    line(text, &format!("     {}", preview.summary));
    if let Some(account) = &step.account {
        line(text, &format!("     in account {}", account.shown()));
    }
    match &preview.answer {
        Answer::Will => {}
        Answer::Wont { why, .. } | Answer::CannotKnow { why } => {
            line(text, &format!("     because {why}"))
        }
    }
    for detail in &preview.details {
        line(text, &format!("     - {detail}"));
    }
    for warning in &preview.warnings {
        line(text, &format!("     ! {warning}"));
    }
    if let Some(other) = &preview.other_form {
        line(text, &format!("     if {}: {}", other.form, other.summary));
        if let Some(why) = &other.wont {
            line(text, &format!("       WONT because {why}"));
        }
        for detail in &other.details {
            line(text, &format!("       - {detail}"));
        }
        for warning in &other.warnings {
            line(text, &format!("       ! {warning}"));
        }
    }
    line(text, &format!("     takes {}", estimate_text(&preview.estimate, environment.simulated)));
    if !step.needs.is_empty() {
        let needs = step.needs.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", ");
        let when = step.when.as_ref().map(|when| format!(", when {when}")).unwrap_or_default();
        let always = if step.always { ", whatever became of them" } else { "" };
        line(text, &format!("     after {needs}{always}{when}"));
    }
}

/// A duration with its source; what comes from simulated runs says so.
pub(super) fn estimate_text(estimate: &Estimate, simulated: bool) -> String {
    let span = |millis: u64| human(Duration::from_millis(millis));
    match estimate {
        Estimate::History { median_ms, longest_ms, runs } => {
            let kind = if simulated { "simulated" } else { "real" };
            let noun = if *runs == 1 { "run" } else { "runs" };
            let (median, longest) = (span(*median_ms), span(*longest_ms));
            format!("{median} (longest {longest}; {runs} earlier {kind} {noun})")
        }
        Estimate::Cited { low_ms, high_ms, source } => {
            format!("{} to {} (cited: {source})", span(*low_ms), span(*high_ms))
        }
        Estimate::Unknown { why } => format!("CANNOT-KNOW ({why})"),
    }
}

fn summary_text(text: &mut String, plan: &Plan) {
    let prediction = &plan.prediction;
    let path =
        prediction.critical_path.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(" -> ");
    line(text, "");
    line(text, &format!("critical path   {path}"));
    line(
        text,
        &format!(
            "recovery time   {}",
            estimate_text(&prediction.recovery_time, plan.environment.simulated)
        ),
    );
    if let Some(gone) = before_the_run(plan) {
        let gone = human(Duration::from_millis(gone));
        line(text, &format!("                plus {gone} that had passed when this plan was made"));
    }
    if !prediction.waits_for_people.is_empty() {
        let gates = prediction.waits_for_people.iter().map(|key| key.as_str());
        let gates = gates.collect::<Vec<_>>().join(", ");
        line(text, &format!("                plus waiting for people: {gates}"));
    }
    let point = &prediction.recovery_point;
    line(text, &format!("recovery point  {}", claimed(point)));
    for one in &point.each {
        line(text, &format!("                {}: {}", one.step, claimed(&one.point)));
    }
    for objective in objective_lines(plan) {
        line(text, &objective);
    }
    for failure in predicted_failures(plan) {
        line(text, &format!("WOULD FAIL      {failure}"));
    }
}

fn claimed(point: &RecoveryPointPrediction) -> String {
    match (point.restore_time, point.loss_ms) {
        (Some(at), Some(loss)) => format!(
            "data as of {}, {} before {}; proven only by a heartbeat in the run",
            format_instant(at),
            human(Duration::from_millis(loss)),
            point.target.replace('_', " ")
        ),
        _ => "CANNOT-KNOW (no restore time is known)".to_owned(),
    }
}

/// What was called, what was refused, which walls stood.
pub(super) fn certificate_text(text: &mut String, certificate: &Certificate) {
    let total: u32 = certificate.calls.values().sum();
    line(text, "");
    line(
        text,
        &format!("certificate     {total} calls, all reads; {} refused", certificate.refused.len()),
    );
    for (call, count) in &certificate.calls {
        line(text, &format!("     {count} x {call}"));
    }
    for refused in &certificate.refused {
        line(text, &format!("     refused: {refused}"));
    }
    for wall in &certificate.walls {
        line(text, &format!("     wall: {wall}"));
    }
}

/// The plan for programs.
pub(super) fn plan_json(plan: &Plan, digest: &Digest) -> String {
    let document = serde_json::json!({
        "schema_version": 1,
        "digest": digest.as_str(),
        "predicted_failures": predicted_failures(plan),
        "plan": plan,
    });
    serde_json::to_string_pretty(&document).expect("plain data")
}

/// Objectives judged as far as a plan can.
/// What recovery time had used up before planning: since the disaster, else since its declaration.
fn before_the_run(plan: &Plan) -> Option<u64> {
    let from = plan.counted_from()?;
    u64::try_from((plan.created_at - from).num_milliseconds()).ok().filter(|gone| *gone > 0)
}

fn objective_lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let gone = before_the_run(plan).unwrap_or(0);
    let span = |millis: u64| human(Duration::from_millis(millis));
    if let Some(promised) = plan.objectives.recovery_time_ms {
        let verdict = match &plan.prediction.recovery_time {
            _ if gone > promised => "WILL BE MISSED: more than that has passed already",
            Estimate::Unknown { .. } => "CANNOT-KNOW",
            Estimate::History { longest_ms: high, .. } | Estimate::Cited { high_ms: high, .. }
                if gone.saturating_add(*high) > promised =>
            {
                "AT RISK"
            }
            Estimate::History { .. } => "expected to be met",
            // Nobody measured it here: the first drill replaces the citation.
            Estimate::Cited { .. } => "expected to be met, by cited figures only",
        };
        lines.push(format!("objective       recovery time {}: {verdict}", span(promised)));
    }
    if let Some(promised) = plan.objectives.recovery_point_ms {
        let verdict = match plan.prediction.recovery_point.loss_ms {
            None => "CANNOT-KNOW",
            Some(loss) if loss <= promised => "expected to be met",
            Some(_) => "WILL BE MISSED",
        };
        lines.push(format!("objective       recovery point {}: {verdict}", span(promised)));
    }
    lines
}
