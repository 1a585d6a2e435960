//! What people did to a run, as sentences: for the timeline and for progress.
//!
//! **Invariant:** each sentence but of what a question shows, and that it was closed, says who; a refusal says why.

use crate::journal::event::Event;
use crate::journal::figure::{FENCING, FigureRecord};
use crate::journal::{Command, Person};

/// The sentence for an event by which people control a run; `None` for all other events.
pub fn control_sentence(event: &Event) -> Option<String> {
    let sentence =
        if let Event::ApprovalGiven { by, way, comment, acknowledged, figures, .. } = event {
            let known = acknowledged.iter().map(|it| format!(", acknowledging {it}"));
            let figures =
                if figures.is_empty() { String::new() } else { format!("; {}", listed(figures)) };
            let (way, why) = (way.phrase(), because(comment.as_deref()));
            format!("{by} approved {way}{}{why}{figures}", known.collect::<String>())
        } else if let Event::FiguresShown { figures, .. } = event {
            format!("at stake: {}", listed(figures))
        } else if let Event::ApprovalWithdrawn { by, .. } = event {
            format!("{by} withdrew the approval")
        } else if let Event::AnswerRefused { answer, by, why, .. } = event {
            format!("`{answer}` by {by} does not count: {why}")
        } else if let Event::QuestionClosed { .. } = event {
            "needs no answer any more".to_owned()
        } else if let Event::CommandTaken { by, command, .. } = event {
            format!("{} by {by}", command_text(command))
        } else if let Event::CommandRefused { by, command, why, .. } = event {
            format!("{} by {by} was refused: {why}", command_text(command))
        } else if let Event::RunPaused { by, reason } = event {
            format!("run paused by {by}{}", because(reason.as_deref()))
        } else if let Event::RunContinued { by } = event {
            format!("run continued by {by}")
        } else if let Event::FormSwitched { from, to, by, reason } = event {
            format!("{by} switched the run from {from} to {to}{}", because(reason.as_deref()))
        } else if let Event::AbortRequested { by, reason, undo } = event {
            let how = if *undo { "what was done is undone" } else { "what was done stays" };
            format!("run aborted by {by}{}; {how}", because(reason.as_deref()))
        } else if let Event::PlanChanged { by, difference, .. } = event {
            format!("{by} went on with edited files: {}", difference.join(", "))
        } else if let Event::PlanKept { by, difference } = event {
            format!(
                "{by} went on with the plan as it was, not with edited files: {}",
                difference.join(", ")
            )
        } else {
            return None;
        };
    Some(sentence)
}

/// Figures in one line.
/// What decides, in one line: what is lost and whether it is fenced. All of them are in the report's own
/// part.
fn listed(figures: &[FigureRecord]) -> String {
    let decides = |it: &&FigureRecord| it.step.is_some() || it.name == FENCING;
    figures.iter().filter(decides).map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// `: why`, where somebody said why.
pub fn because(why: Option<&str>) -> String {
    why.map(|it| format!(": {it}")).unwrap_or_default()
}

/// A command as it would be typed: `approve promote`.
fn command_text(command: &Command) -> String {
    match command.step() {
        Some(step) => format!("`{} {step}`", command.verb()),
        None => format!("`{}`", command.verb()),
    }
}

/// What a person did to the run that is no answer to a question, with who did it.
pub(super) fn deed(event: &Event) -> Option<(&Person, String)> {
    let with = |what: &str, why: Option<&str>| format!("{what}{}", because(why));
    if let Event::ApprovalGiven { by, comment, acknowledged, .. } = event {
        let what = match acknowledged {
            Some(danger) => format!("approved, acknowledging {danger}"),
            None => "approved".to_owned(),
        };
        Some((by, with(&what, comment.as_deref())))
    } else if let Event::ApprovalWithdrawn { by, .. } = event {
        Some((by, "withdrew the approval".to_owned()))
    } else if let Event::RunPaused { by, reason } = event {
        Some((by, with("paused the run", reason.as_deref())))
    } else if let Event::RunContinued { by } = event {
        Some((by, "continued the run".to_owned()))
    } else if let Event::FormSwitched { from, to, by, reason } = event {
        Some((by, with(&format!("switched the run from {from} to {to}"), reason.as_deref())))
    } else if let Event::AbortRequested { by, reason, undo } = event {
        let undo = if *undo { " with undo" } else { "" };
        Some((by, with(&format!("aborted the run{undo}"), reason.as_deref())))
    } else if let Event::PlanChanged { by, .. } = event {
        Some((by, "went on with edited files".to_owned()))
    } else if let Event::PlanKept { by, .. } = event {
        Some((by, "went on with the plan as it was, not with edited files".to_owned()))
    } else if let Event::CommandTaken { by, command: Command::Skip { reason, .. }, .. } = event {
        Some((by, with("skipped the step", Some(reason.as_str()))))
    } else if let Event::CommandTaken { by, command: Command::Retry { .. }, .. } = event {
        Some((by, "had the step tried again at once".to_owned()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::testing::{every_command, every_event};

    #[test]
    fn every_event_of_control_has_a_sentence_with_who() {
        let told: Vec<String> = every_event("a").iter().filter_map(control_sentence).collect();
        assert_eq!(told.len(), 13, "{told:?}");
        let nobodys =
            |text: &&String| *text == "needs no answer any more" || text.starts_with("at stake: ");
        for sentence in told.iter().filter(|text| !nobodys(text)) {
            assert!(sentence.contains("bob (arn:aws:"), "{sentence}");
        }
        for command in every_command("a") {
            assert!(command_text(&command).contains(command.verb()));
        }
    }
}
