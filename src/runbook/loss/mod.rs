//! Lint of places: where each step acts and where data goes, and whether the way leads around a region
//! that is lost.
//!
//! **Invariant:** a file is read and nobody is asked; what cannot be known without asking is said, and
//! never taken for good.

mod dependence;
mod surroundings;
mod walk;

pub use surroundings::JournalHome;
pub use walk::Way;

use crate::base::diagnostic::Problems;
use crate::base::ids::frame_of;
use crate::base::value::Values;
use crate::estate::{Environment, Estate};
use crate::runbook::codes;
use crate::runbook::model::{Actions, OnFailure, Runbook, Step};
use dependence::{Dependence, dependences};
use std::collections::BTreeMap;
use walk::{Walked, walk};

/// What places are judged with.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The runbook.
    pub runbook: &'a Runbook,
    /// The catalogue of actions.
    pub actions: &'a dyn Actions,
    /// The estate.
    pub estate: &'a Estate,
    /// Its environment.
    pub environment: &'a Environment,
    /// Values of the parameters; unknown where none is given.
    pub parameters: &'a Values,
    /// Where journals are kept beside this machine.
    pub journal: Option<&'a JournalHome>,
}

/// Codes that name something and find nothing wrong with the way.
pub const MENTIONS: [&str; 2] = [codes::LOST_TOPIC, codes::SPARED];

/// What was found.
#[derive(Debug)]
pub struct Survey {
    /// Problems, each at its step.
    pub problems: Problems,
    /// The steps, expanded, in the order of the runbook.
    pub ways: Vec<Way>,
    /// What no file says and a person has to know, one sentence each.
    pub unseen: Vec<String>,
}

/// Judges regions: those that are allowed, and, with `lost`, whether the way needs that one.
pub fn survey(ground: Ground<'_>, lost: Option<&str>) -> Survey {
    let mut problems = Problems::in_text(&ground.runbook.file, &ground.runbook.text);
    let walked = walk(ground);
    for one in walked.iter().filter(|one| one.way.runs) {
        // What cannot be known keeps the proof from being one, and is told there.
        if one.region.is_ok() || lost.is_none() {
            dependence::allowed(ground, one, &mut problems);
        }
    }
    let mut unseen = Vec::new();
    if let Some(lost) = lost {
        let needs = needs(ground, &walked, lost);
        report(ground, &walked, &needs, lost, &mut problems);
        surroundings::judge(ground, lost, &mut problems);
        unseen = surroundings::unseen(ground, &walked, lost);
    }
    Survey { problems, ways: walked.into_iter().map(|one| one.way).collect(), unseen }
}

/// What each step of the way needs of the lost region, by position.
fn needs(
    ground: Ground<'_>,
    walked: &[Walked<'_>],
    lost: &str,
) -> BTreeMap<usize, Vec<Dependence>> {
    let on_the_way = walked.iter().enumerate().filter(|(_, one)| one.way.runs);
    let found = on_the_way.map(|(at, one)| (at, dependences(ground, one, lost)));
    found.filter(|(_, found)| !found.is_empty()).collect()
}

/// Reports each need where it stands: one that the run goes on without is only named.
fn report(
    ground: Ground<'_>,
    walked: &[Walked<'_>],
    needs: &BTreeMap<usize, Vec<Dependence>>,
    lost: &str,
    p: &mut Problems,
) {
    for (at, found) in needs {
        let one = &walked[*at];
        let key = &one.way.key;
        let spared = one.best_effort || goes_on_without(ground, walked, one.step);
        for Dependence { code, span, why, instead } in found {
            let (span, written) = ground.runbook.seen_at(one.step, *span);
            let message = format!("step `{key}`{written} needs {lost}: {why}");
            if spared {
                let message = format!("{message}; the run goes on without it");
                let code = if one.best_effort { codes::LOST_TOPIC } else { codes::SPARED };
                p.warning(code, span, message).help(instead.clone());
            } else {
                p.error(code, span, message).help(instead.clone());
            }
        }
    }
}

/// Whether the run reaches its end although the step fails: its failure stops nothing, and nothing waits
/// for it but clean-up and what the run goes on without too. A call fails with any of its steps.
fn goes_on_without(ground: Ground<'_>, walked: &[Walked<'_>], step: &Step) -> bool {
    let frame = frame_of(&step.id);
    match step.on_failure {
        OnFailure::Ask => false,
        OnFailure::Stop | OnFailure::Undo | OnFailure::Continue if !frame.is_empty() => {
            let call = ground.runbook.step(frame);
            call.is_some_and(|call| goes_on_without(ground, walked, call))
        }
        OnFailure::Stop | OnFailure::Undo => false,
        OnFailure::Continue => {
            let waits = |other: &Walked<'_>| {
                other.way.runs
                    && !other.step.always
                    && other.step.needs.contains(&step.id)
                    && !goes_on_without(ground, walked, other.step)
            };
            !walked.iter().any(waits)
        }
    }
}
