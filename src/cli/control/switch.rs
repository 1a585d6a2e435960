//! `drctl switch`: shows what the other form gives up, asks, and posts it.
//!
//! **Invariant:** nobody accepts a loss for a run without having seen the figures that the run has shown last.

use crate::base::clock::format_instant;
use crate::base::form::Form;
use crate::base::groups::listed;
use crate::base::ids::StepKey;
use crate::cli::args::OutputForm;
use crate::cli::confirm::confirm_ending;
use crate::cli::control::args::SwitchArgs;
use crate::cli::control::judge::judge;
use crate::cli::control::post::post;
use crate::cli::control::subject::Subject;
use crate::cli::control::who;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::journal::Command;
use crate::journal::fold::{RunState, StepStatus};
use crate::plan::model::{Plan, PlannedStep, Role};
use chrono::SubsecRound as _;

/// Most steps that are named; items of one step are one.
const MOST_NAMES: usize = 12;

/// Shows, asks where a loss is accepted, posts.
///
/// # Errors
/// See [`super::run`]; not agreed to (exit code 12).
pub(super) async fn run(
    tools: &Tools,
    subject: Subject,
    wish: Command,
    args: &SwitchArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let by = who(tools, &subject, &args.target).await?;
    judge(&subject, &wish, &by)?;
    if args.to == Form::Ungraceful {
        out::progress(&out::fitted(&text(&subject.plan, &subject.state)));
        let what = format!("the loss in run {} of {}", subject.run, subject.plan.title);
        confirm_ending(&subject.environment, &what, args.yes)?;
    }
    post(tools, subject, wish, by, output).await
}

/// What the ungraceful form means for the run as it stands, several lines.
fn text(plan: &Plan, state: &RunState) -> String {
    let mut lines = vec![
        format!(
            "switching run {} of {} in {} to ungraceful:",
            plan.run, plan.title, plan.environment.name
        ),
        "  gives up      nothing is waited for that may never come; what a replica lacks is LOST"
            .to_owned(),
    ];
    let open = |step: &PlannedStep| !state.steps[&step.key].status.is_over();
    let named = |those: &dyn Fn(&&PlannedStep) -> bool| -> Vec<&StepKey> {
        plan.steps.iter().filter(those).map(|step| &step.key).collect()
    };
    let promotions = named(&|step| step.role == Role::Promotion && open(step));
    let waiting = |key: &StepKey| {
        let found = &state.steps[key];
        let told = found.last_state.as_ref().filter(|_| found.status == StepStatus::Running)?;
        Some(format!("  now           {key}: {told}"))
    };
    let now: Vec<String> = promotions.iter().copied().filter_map(waiting).collect();
    let shown = figures(state);
    if now.is_empty() && shown.is_empty() {
        lines.push(
            "  figures       none are shown now: how much is lost is not known yet; the gate before what \
             cannot be taken back shows it"
                .to_owned(),
        );
    }
    lines.extend(now.into_iter().chain(shown));
    if !promotions.is_empty() {
        lines.push(format!("  promotes      {}", listed(promotions, MOST_NAMES)));
    }
    let pending = |step: &PlannedStep| state.steps[&step.key].status == StepStatus::Pending;
    let anew = named(&|step| step.by_form && pending(step));
    if !anew.is_empty() {
        let names = listed(anew, MOST_NAMES);
        lines.push(format!("  decided anew  {names}: each is for one form, and has not begun"));
    }
    lines.join("\n")
}

/// The figures that gates show now.
fn figures(state: &RunState) -> Vec<String> {
    let mut lines = Vec::new();
    for (gate, question) in state.questions() {
        if question.figures.is_empty() {
            continue;
        }
        let at = question.figures_at.unwrap_or(question.asked_at);
        let at = format_instant(at.trunc_subsecs(0));
        lines.push(format!("  figures       shown by {gate} at {at}:"));
        lines.extend(question.figures.iter().map(|figure| format!("    {figure}")));
    }
    lines
}
