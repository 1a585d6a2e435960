//! Shows a plan: what would happen, step by step, and the certificate of calls.
//!
//! **Invariant:** every claim is a field of the plan; nothing is looked up here.

mod groups;
mod summary;

pub(super) use self::summary::pace_note;
use crate::base::clock::format_instant;
use crate::base::digest::Digest;
use crate::base::duration::human;
use crate::base::form::Form;
use crate::base::groups::{Group, grouped};
use crate::base::ids::StepKey;
use crate::plan::model::{
    Answer, Certificate, EnvironmentRecord, Estimate, Plan, PlannedStep, RecoveryPointPrediction,
    RunMode,
};
use crate::plan::{answer_word, predicted_failures};
use std::fmt::Write as _;
use std::time::Duration;

/// Most steps that are named one by one as those that another waits for.
const FEW_NEEDS: usize = 4;

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
    summary::first(&mut text, plan);
    line(&mut text, "");
    let mut number = 1;
    for entry in groups::entries(&plan.steps) {
        entry_text(&mut text, number, entry, environment);
        number += entry.len();
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

/// One step, or the items of one.
fn entry_text(
    text: &mut String,
    number: usize,
    entry: &[PlannedStep],
    environment: &EnvironmentRecord,
) {
    let Some(first) = entry.first() else { return };
    let word = answer_word(&first.preview.answer);
    let (numbers, name) = match entry.len() {
        1 => (number.to_string(), first.key.to_string()),
        several => (
            format!("{number}-{}", number + several - 1),
            format!("{} ({several})", first.key.id()),
        ),
    };
    let (phase, uses) = (first.phase.name(), &first.uses);
    line(text, &format!("{numbers}. {word:<12} {name} [{phase}] {uses}{}", mark(first)));
    let mut bodies: Vec<Vec<String>> =
        entry.iter().map(|step| step_lines(step, environment)).collect();
    let lines = match bodies.len() {
        1 => bodies.remove(0),
        _ => groups::merged(entry, &bodies),
    };
    lines.iter().for_each(|body| line(text, body));
}

/// What nobody may overlook in a list of steps.
fn mark(step: &PlannedStep) -> &'static str {
    match (&step.preview.answer, step.irreversible, step.before.is_empty()) {
        (Answer::Wont { .. }, ..) | (_, false, true) => "",
        (_, true, _) => "  << CANNOT BE UNDONE",
        (_, false, false) => "  << POINT OF NO RETURN",
    }
}

/// What a plan says of one step, below its name.
fn step_lines(step: &PlannedStep, environment: &EnvironmentRecord) -> Vec<String> {
    let preview = &step.preview;
    let mut lines = vec![format!("     {}", preview.summary)];
    if let Some(account) = &step.account {
        lines.push(format!("     in account {}", account.shown()));
    }
    match &preview.answer {
        Answer::Will => {}
        Answer::Wont { why, .. } | Answer::CannotKnow { why } => {
            lines.push(format!("     because {why}"));
        }
    }
    lines.extend(preview.details.iter().map(|detail| format!("     - {detail}")));
    lines.extend(preview.warnings.iter().map(|warning| format!("     ! {warning}")));
    if let Some(other) = &preview.other_form {
        lines.push(format!("     if {}: {}", other.form, other.summary));
        lines.extend(other.wont.iter().map(|why| format!("       WONT because {why}")));
        // What is the same in both forms stands above.
        let own = |line: &&String, of: &[String]| !of.contains(line);
        let details = other.details.iter().filter(|line| own(line, &preview.details));
        lines.extend(details.map(|detail| format!("       - {detail}")));
        let warnings = other.warnings.iter().filter(|line| own(line, &preview.warnings));
        lines.extend(warnings.map(|warning| format!("       ! {warning}")));
    }
    let takes = estimate_text(&preview.estimate, environment.simulated);
    lines.push(format!("     takes {takes}"));
    if !step.needs.is_empty() {
        let when = step.when.as_ref().map(|when| format!(", when {when}")).unwrap_or_default();
        let always = if step.always { ", whatever became of them" } else { "" };
        lines.push(format!("     after {}{always}{when}", needs_text(step)));
    }
    lines
}

/// What a step waits for; where that is much, items of one step are named together.
fn needs_text(step: &PlannedStep) -> String {
    if step.needs.len() <= FEW_NEEDS {
        return step.needs.iter().map(StepKey::as_str).collect::<Vec<_>>().join(", ");
    }
    let groups = grouped(&step.needs, step.key.frame());
    groups.iter().map(Group::text).collect::<Vec<_>>().join(", ")
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
    line(text, &format!("recovery time   {}", summary::recovery_time(plan)));
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
    match (point.loss_ms, prediction.losses.as_slice()) {
        (None, losses) if !losses.is_empty() => {
            for (place, (loss, form)) in losses
                .iter()
                .flat_map(|loss| [plan.form, plan.form.other()].map(|form| (loss, form)))
                .enumerate()
            {
                let label = if place == 0 { "recovery point" } else { "" };
                line(text, &format!("{label:<15} {form}: {}", summary::lost(loss, form)));
            }
        }
        _ => line(text, &format!("recovery point  {}", claimed(point))),
    }
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

/// What recovery time had used up before planning: since the disaster, else since its declaration.
fn before_the_run(plan: &Plan) -> Option<u64> {
    let from = plan.counted_from()?;
    u64::try_from((plan.created_at - from).num_milliseconds()).ok().filter(|gone| *gone > 0)
}

/// Objectives judged as far as a plan can.
fn objective_lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let gone = before_the_run(plan).unwrap_or(0);
    let span = |millis: u64| human(Duration::from_millis(millis));
    if let Some(promised) = plan.objectives.recovery_time_ms {
        let known = plan.prediction.known_time.as_ref();
        let verdict = match &plan.prediction.recovery_time {
            _ if gone > promised => "WILL BE MISSED: more than that has passed already".to_owned(),
            Estimate::Unknown { .. } => known.map_or_else(
                || "CANNOT-KNOW".to_owned(),
                |known| summary::judged(known, promised, gone),
            ),
            Estimate::History { longest_ms: high, .. } | Estimate::Cited { high_ms: high, .. }
                if gone.saturating_add(*high) > promised =>
            {
                "AT RISK".to_owned()
            }
            Estimate::History { .. } => "expected to be met".to_owned(),
            // Nobody measured it here: the first drill replaces the citation.
            Estimate::Cited { .. } => "expected to be met, by cited figures only".to_owned(),
        };
        lines.push(format!("objective       recovery time {}: {verdict}", span(promised)));
    }
    if let Some(promised) = plan.objectives.recovery_point_ms {
        let verdict = match plan.prediction.recovery_point.loss_ms {
            None => summary::loss_judged(plan, promised).unwrap_or("CANNOT-KNOW"),
            Some(loss) if loss <= promised => "expected to be met",
            Some(_) => "WILL BE MISSED",
        };
        lines.push(format!("objective       recovery point {}: {verdict}", span(promised)));
    }
    lines
}
