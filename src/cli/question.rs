//! A question as people see it: what is decided, where, what follows, until when, and how to answer.
//!
//! **Invariant:** everything shown is in the journal; names, messages and comments are one line each.

use crate::base::clock::format_instant;
use crate::base::ids::StepKey;
use crate::journal::fold::{Question, RunState};
use crate::plan::follows;
use crate::plan::model::{Plan, RunMode};
use crate::report::line::{answer_command, shell_word};

/// The question with everything that a decision needs, several lines.
pub(super) fn question_text(plan: &Plan, step: &StepKey, question: &Question) -> String {
    let mut lines = vec![format!("{step} asks: {}", question.question)];
    let mut line = |what: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("  {what:<12} {text}"));
        }
    };
    let what = match &plan.mode {
        RunMode::Drill { name, .. } => format!("drill {name}"),
        RunMode::Run => "run".to_owned(),
    };
    line("run", format!("{}, {what}: {}", plan.run, plan.title));
    let place = &plan.environment;
    let protected = if place.protected { ", PROTECTED" } else { "" };
    let simulated = if place.simulated { ", SIMULATED" } else { "" };
    let (estate, region) = (&plan.estate_name, &place.region);
    let where_it_is = format!("(account {}{protected}{simulated})", place.account);
    line("where", format!("{} {where_it_is}, estate {estate}, {region}", place.name));
    let stakes = !question.figures.is_empty();
    if stakes || !question.form.is_graceful() {
        line("form", question.form.to_string());
    }
    for known in &question.consequences {
        line(&known.choice, known.text.clone());
    }
    let Some(gate) = &question.gate else { return lines.join("\n") };
    let found = follows(&plan.steps, step);
    let waiting = found.waiting_text(step.frame());
    line("then", if waiting.is_empty() { "no step waits for it".to_owned() } else { waiting });
    line("in any case", found.regardless_text(step.frame()));
    line("approvers", gate.approvers.join(", "));
    if gate.approvals > 1 {
        line("approvals", format!("{} different people have to approve", gate.approvals));
    }
    // What decides comes last: it is what is still on the screen of whoever is asked.
    for figure in question.figures.iter().rev() {
        line("at stake", figure.to_string());
    }
    if let Some(at) = question.figures_at {
        line("read", format_instant(at));
    }
    let until = format_instant(gate.deadline);
    line("until", format!("{until}; then {}", gate.on_timeout.phrase()));
    lines.join("\n")
}

/// The commands that answer a question from another terminal while a process drives the run, one a choice.
pub(super) fn elsewhere_list(plan: &Plan, step: &StepKey, question: &Question) -> Vec<String> {
    let (run, step) = (&plan.run, shell_word(step.as_str()));
    let one = |choice: &String| match question.gate {
        Some(_) => format!("drctl {choice} {run} {step}"),
        None => format!("drctl answer {run} {step} {}", shell_word(choice)),
    };
    question.choices.iter().map(one).collect()
}

/// The same in one line.
pub(super) fn elsewhere(plan: &Plan, step: &StepKey, question: &Question) -> String {
    match question.gate {
        Some(_) => elsewhere_list(plan, step, question).join(", or "),
        None => format!("drctl answer {} {step} {}", plan.run, question.choices.join("|")),
    }
}

/// The commands that answer an open question, one a choice.
pub(super) fn answer_commands(plan: &Plan, state: &RunState, step: &StepKey) -> Vec<String> {
    let several = state.questions().count() > 1;
    let which = several.then_some(step.as_str());
    let choices = state.steps[step].question.iter().flat_map(|question| &question.choices);
    choices.map(|choice| answer_command(plan.run.as_str(), which, choice)).collect()
}

/// All open questions with the commands that answer them, whether a process drives the run (`driven`) or
/// the answer takes it up; empty when there is none.
pub(super) fn open_questions(plan: &Plan, state: &RunState, driven: bool) -> String {
    let mut text = String::new();
    for (step, question) in state.questions() {
        text.push_str(&format!("{}\n", question_text(plan, step, question)));
        let asked = format_instant(question.asked_at);
        text.push_str(&format!("  {:<12} {asked}\n", "asked"));
        let commands = match driven {
            true => elsewhere_list(plan, step, question),
            false => answer_commands(plan, state, step),
        };
        for (place, command) in commands.iter().enumerate() {
            let what = if place == 0 { "answer" } else { "" };
            text.push_str(&format!("  {what:<12} {command}\n"));
        }
    }
    text
}
