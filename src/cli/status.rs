//! `drctl status`.
//!
//! **Invariant:** read-only; an unreadable journal is shown with its problem.

use crate::base::clock::{Clock, format_instant};
use crate::base::ids::{RunId, StepKey};
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::main::{Time, block_on};
use crate::cli::out;
use crate::cli::past::{belongs, find_run, stored};
use crate::cli::progress::{outcome_word, skip_text};
use crate::cli::question::{answer_commands, elsewhere_list, open_questions};
use crate::cli::standing::{standing, standing_json, standing_text};
use crate::cli::takeup::{Driver, driven};
use crate::cli::watch::watch;
use crate::journal::chain::known;
use crate::journal::fold::{Question, RunState, StepState, StepStatus};
use crate::journal::{RunSummary, list_runs};
use crate::plan::model::{Plan, PlannedStep};
use crate::report::line::Worker;
use crate::report::{LineState, Report, StatusLine, build, status_line};
use chrono::{DateTime, Utc};
use clap::Args;
use comfy_table::Table;
use serde_json::json;

/// `drctl status`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  drctl status            the newest runs
  drctl status last       each step of the last run
  drctl status --watch    the newest run that has not ended, as it goes; ends with its exit code
  drctl status --line     one line: step, time left against the objective, who is waited for
  watch -n 5 drctl status --line --output json

Exit codes of --line: 0 nothing runs, or the run goes on, or it has ended; 11 the run goes on and its
recovery time is longer than promised; 13 it waits for a person, or nobody works on it any more;
16 its journal cannot be read. A simulated run's time is the simulator's.")]
pub(super) struct StatusArgs {
    /// One run; without it the newest ones, and with --line the newest that has not ended.
    pub run: Option<String>,
    /// One line without colour, for people who have no time.
    #[arg(long)]
    pub line: bool,
    /// Follow the run until it ends, from any terminal; without a terminal, a line for each event.
    #[arg(long, conflicts_with = "line")]
    pub watch: bool,
}

/// `drctl status`.
///
/// # Errors
/// There is no such run, or its journal cannot be read.
pub(super) fn status(
    tools: &Tools,
    args: &StatusArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    if args.watch {
        return block_on(Time::Passing, watch(tools, args.run.as_deref(), output));
    }
    match (&args.run, args.line) {
        (_, true) => line(tools, args.run.as_deref(), output),
        (Some(run), false) => one(tools, run, output),
        (None, false) => all(tools, output),
    }
}

/// `drctl status --line`: of one run, else of the newest that has not ended, else of the newest.
fn line(tools: &Tools, wanted: Option<&str>, output: OutputForm) -> Result<Exit, CommandError> {
    let mut runs = list_runs(tools.state.root());
    runs.sort_by(|a, b| b.recency().cmp(&a.recency()));
    let damaged = runs.iter().filter(|run| run.problem.is_some()).count();
    let open: Vec<&RunSummary> =
        runs.iter().filter(|run| run.problem.is_none() && run.outcome.is_none()).collect();
    let newest = runs.iter().find(|run| run.problem.is_none());
    let id = match wanted {
        Some(text) => Some(find_run(&tools.state, text)?),
        None => open.first().copied().or(newest).and_then(|run| RunId::parse(&run.run)),
    };
    let found = id.map(|run| line_of(tools, &run)).transpose()?;
    let mut text = match &found {
        None => "nothing runs; no run was ever made here".to_owned(),
        Some(line) if line.state == LineState::Finished && wanted.is_none() => {
            format!("nothing runs; last: {}", line.text)
        }
        Some(line) => line.text.clone(),
    };
    if wanted.is_none() && open.len() > 1 {
        text.push_str(&format!("; {} more have not ended", open.len() - 1));
    }
    if damaged > 0 {
        text.push_str(&format!("; {damaged} damaged: drctl status"));
    }
    match output {
        OutputForm::Text => out::result(&text),
        OutputForm::Json => {
            let document = json!({
                "schema_version": 1, "line": text, "run": found,
                "unfinished": open.len(), "damaged": damaged,
            });
            out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        }
    }
    let exit = found.map_or(Exit::Ok, |line| exit_of(&line));
    // Nobody knows what a damaged run left: that is no "nothing runs".
    Ok(if damaged > 0 && wanted.is_none() && exit == Exit::Ok { Exit::Journal } else { exit })
}

fn line_of(tools: &Tools, run: &RunId) -> Result<StatusLine, CommandError> {
    let broken = |error: crate::report::ReportError| {
        CommandError::new(Exit::Journal, format!("run {run}: {error}"))
    };
    let report = build(&stored(&tools.state, run)?).map_err(broken)?;
    let store = tools.journals.look(&tools.state, run)?;
    Ok(line_now(&report, driven(&tools.state, run, &*store)?.is_some()))
}

/// The line of a run as it stands now.
pub(super) fn line_now(report: &Report, driven: bool) -> StatusLine {
    let worker = if driven { Worker::Present } else { Worker::Gone };
    status_line(report, now_of(report), worker)
}

/// Now, to the run.
pub(super) fn now_of(report: &Report) -> DateTime<Utc> {
    // A simulated run has a time of its own, which has nothing to do with ours.
    if report.run.simulated { report.run.last_at } else { Clock::real().now() }
}

fn exit_of(line: &StatusLine) -> Exit {
    match line.state {
        LineState::Finished => Exit::Ok,
        LineState::Waiting | LineState::Abandoned => Exit::Waiting,
        LineState::Running if line.left_ms.is_some_and(|left| left < 0) => Exit::ObjectiveMissed,
        LineState::Running => Exit::Ok,
    }
}

fn one(tools: &Tools, text: &str, output: OutputForm) -> Result<Exit, CommandError> {
    let run = find_run(&tools.state, text)?;
    let store = tools.journals.look(&tools.state, &run)?;
    let stored = store.load()?;
    belongs(&run, &stored)?;
    let records = known(&stored)?;
    let driver = driven(&tools.state, &run, &*store)?;
    let broken = |error: String| CommandError::new(Exit::Journal, format!("run {run}: {error}"));
    let state = RunState::fold(&records).map_err(|error| broken(error.to_string()))?;
    let plan: Plan =
        serde_json::from_value(state.plan.clone()).map_err(|error| broken(error.to_string()))?;
    if output == OutputForm::Json {
        out::result(&status_json(&plan, &state, driver.as_ref()));
        return Ok(Exit::Ok);
    }
    let mut table = plain_table(&["step", "status", "since", "last seen"]);
    for (step, more) in rows(&plan, &state) {
        let found = &state.steps[&step.key];
        if more > 0 {
            let what = format!("{} ({})", step.key.id(), more + 1);
            table.add_row([what, found.status.name().to_owned(), String::new(), String::new()]);
            continue;
        }
        let since = found.finished_at.or(found.started_at).map(format_instant).unwrap_or_default();
        table.add_row([named(step), found.status.name().to_owned(), since, last_seen(found)]);
    }
    let stands = state.finished.map_or_else(
        || match &state.interrupted {
            Some(_) if state.questions().next().is_some() => "waits for an answer".to_owned(),
            Some(reason) => format!("stopped ({reason}); `drctl resume {run}`"),
            None if driver.is_some() && state.questions().next().is_some() => {
                "under way, waits for an answer".to_owned()
            }
            None if driver.is_some() => "under way".to_owned(),
            None => format!("its process died; `drctl resume {run}`"),
        },
        |outcome| outcome_word(outcome).to_owned(),
    );
    out::result(&format!(
        "run {run}: {}\n{} in {}: {stands}\n{table}\n{}{}",
        plan.title,
        plan.estate_name,
        plan.environment.name,
        standing_text(&standing(&plan, &state, driver.as_ref())),
        open_questions(&plan, &state, driver.is_some())
    ));
    Ok(Exit::Ok)
}

/// A step's key, with the account that it acts in where that is another.
/// The steps that have a line each, and how many others that line stands for: items of one step that have
/// not begun are told together.
fn rows<'a>(plan: &'a Plan, state: &RunState) -> Vec<(&'a PlannedStep, usize)> {
    let waits = |step: &PlannedStep| state.steps[&step.key].status == StepStatus::Pending;
    let mut rows: Vec<(&PlannedStep, usize)> = Vec::new();
    for step in &plan.steps {
        match rows.last_mut() {
            Some((first, more))
                if first.key.id() == step.key.id() && waits(first) && waits(step) =>
            {
                *more += 1;
            }
            Some(_) | None => rows.push((step, 0)),
        }
    }
    rows
}

fn named(step: &PlannedStep) -> String {
    match &step.account {
        Some(account) => format!("{} in {}", step.key, account.shown()),
        None => step.key.to_string(),
    }
}

fn last_seen(step: &StepState) -> String {
    if let Some(error) = &step.error {
        return error.message.clone();
    }
    if let Some(reason) = &step.skip {
        return skip_text(reason);
    }
    step.last_state.clone().unwrap_or_default()
}

fn status_json(plan: &Plan, state: &RunState, driver: Option<&Driver>) -> String {
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            let found = &state.steps[&step.key];
            json!({
                "step": step.key, "status": found.status.name(), "started_at": found.started_at,
                "finished_at": found.finished_at, "last_seen": last_seen(found),
                "account": step.account,
            })
        })
        .collect();
    let question = |(step, question): (&StepKey, &Question)| {
        let gate = question.gate.as_ref();
        json!({
            "step": step, "question": question.question, "choices": question.choices,
            "asked_at": question.asked_at, "approvers": gate.map(|gate| &gate.approvers),
            "deadline": gate.map(|gate| gate.deadline), "on_timeout": gate.map(|gate| gate.on_timeout),
            "approvals_needed": gate.map(|gate| gate.approvals),
            "consequences": question.consequences, "figures": question.figures,
            "figures_at": question.figures_at,
            "commands": match driver {
                Some(_) => elsewhere_list(plan, step, question),
                None => answer_commands(plan, state, step),
            },
        })
    };
    let questions: Vec<_> = state.questions().map(question).collect();
    let standing = standing_json(state, driver);
    let document = json!({
        "schema_version": 1, "run": plan.run, "title": plan.title, "environment": plan.environment.name,
        "simulated": plan.environment.simulated, "outcome": state.finished, "interrupted": state.interrupted,
        "steps": steps, "questions": questions, "paused": standing["paused"],
        "form": standing["form"], "switched": standing["switched"],
        "aborting": standing["aborting"], "approvals": standing["approvals"],
        "driver": standing["driver"],
    });
    serde_json::to_string_pretty(&document).expect("plain data")
}

fn all(tools: &Tools, output: OutputForm) -> Result<Exit, CommandError> {
    let mut runs = list_runs(tools.state.root());
    runs.sort_by(|a, b| b.recency().cmp(&a.recency()));
    if output == OutputForm::Json {
        let list: Vec<_> = runs.iter().map(summary_json).collect();
        let document = json!({ "schema_version": 1, "runs": list });
        out::result(&serde_json::to_string_pretty(&document).expect("plain data"));
        return Ok(Exit::Ok);
    }
    if runs.is_empty() {
        out::result(&format!("no runs in {}", tools.state.root().display()));
        return Ok(Exit::Ok);
    }
    let mut table = plain_table(&["run", "what", "where", "started", "steps", "stands"]);
    for run in runs.iter().take(20) {
        table.add_row(summary_row(run));
    }
    out::result(&table.to_string());
    Ok(Exit::Ok)
}

fn summary_row(run: &RunSummary) -> [String; 6] {
    let stands = match (&run.problem, run.outcome) {
        (Some(problem), _) => format!("UNREADABLE: {problem}"),
        (None, Some(outcome)) => outcome_word(outcome).to_owned(),
        (None, None) => match &run.waiting {
            Some(what) => format!("unfinished, waits: {}", shortened(what)),
            None => "unfinished".to_owned(),
        },
    };
    let simulated = if run.simulated { " (SIMULATED)" } else { "" };
    [
        run.run.clone(),
        run.drill.clone().unwrap_or_else(|| run.title.clone()),
        format!("{}{simulated}", run.environment),
        run.started_at.map(format_instant).unwrap_or_default(),
        format!("{}/{}", run.steps_done, run.steps_total),
        stands,
    ]
}

/// As much of a question as a table has room for.
fn shortened(text: &str) -> String {
    const ROOM: usize = 40;
    if text.chars().count() <= ROOM {
        return text.to_owned();
    }
    text.chars().take(ROOM - 1).chain(['…']).collect()
}

fn summary_json(run: &RunSummary) -> serde_json::Value {
    json!({
        "run": run.run, "title": run.title, "drill": run.drill, "environment": run.environment,
        "simulated": run.simulated, "started_at": run.started_at, "finished_at": run.finished_at,
        "outcome": run.outcome, "steps_done": run.steps_done, "steps_total": run.steps_total,
        "problem": run.problem,
    })
}

pub(super) fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    table
}
