//! The graph of steps: order, cycles, who is upstream of whom.
//!
//! **Invariant:** the order depends on `needs` and on the order in the file, and on nothing else.

use crate::base::diagnostic::Problems;
use crate::runbook::check::suggestion;
use crate::runbook::codes;
use crate::runbook::model::Runbook;
use crate::runbook::steps::Draft;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// Suggestions looked for in one file: each compares a name with all others.
const MAX_SUGGESTIONS: usize = 100;

/// The steps' `needs` by position.
#[derive(Debug)]
pub(crate) struct Graph {
    needs: Vec<Vec<usize>>,
    /// Positions in topological order; those on or behind a cycle are missing.
    pub(crate) order: Vec<usize>,
    ancestors: OnceCell<Vec<Vec<u64>>>,
}

/// Positions by id, the first of each; reports duplicates.
pub(crate) fn positions(drafts: &[Draft], problems: &mut Problems) -> BTreeMap<String, usize> {
    let mut positions = BTreeMap::new();
    for (index, draft) in drafts.iter().enumerate() {
        let id = &draft.step.id;
        if id.is_empty() {
            continue;
        }
        if let Some(first) = positions.get(id) {
            let first: &Draft = &drafts[*first];
            let message = format!("step `{id}` exists already, in line {}", first.id_span.line);
            problems.error(codes::DUPLICATE_STEP, draft.id_span, message);
        } else {
            positions.insert(id.clone(), index);
        }
    }
    positions
}

impl Graph {
    /// The graph of `drafts`; reports unknown and doubled needs and cycles.
    pub(crate) fn of(
        drafts: &[Draft],
        positions: &BTreeMap<String, usize>,
        problems: &mut Problems,
    ) -> Self {
        let mut suggestions = 0;
        let mut needs = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let mut found = BTreeSet::new();
            for (id, span) in &draft.needs {
                let Some(position) = positions.get(id) else {
                    let message = format!("there is no step `{id}`");
                    let problem = problems.error(codes::NEEDS, *span, message);
                    suggestions += 1;
                    if suggestions <= MAX_SUGGESTIONS {
                        problem.help(suggestion(id, positions.keys().map(String::as_str)));
                    }
                    continue;
                };
                if *id == draft.step.id {
                    problems.error(codes::NEEDS, *span, format!("step `{id}` needs itself"));
                } else if !found.insert(*position) {
                    problems.error(codes::NEEDS, *span, format!("`{id}` is needed twice"));
                }
            }
            needs.push(found.into_iter().collect());
        }
        let graph = Self { order: order(&needs), needs, ancestors: OnceCell::new() };
        graph.report_cycles(drafts, problems);
        graph
    }

    /// Whether every step has a place in the order.
    pub(crate) fn is_acyclic(&self) -> bool {
        self.order.len() == self.needs.len()
    }

    /// Whether `above` is upstream of `below`. Without meaning in a graph with cycles.
    pub(crate) fn is_upstream(&self, above: usize, below: usize) -> bool {
        self.needs[below].contains(&above)
            || self.ancestors()[below][above / 64] & (1 << (above % 64)) != 0
    }

    /// One bit set a step: all steps upstream of it. Made once, when a reference goes further than
    /// its step's own `needs`: 50 MB for the longest file that is read.
    fn ancestors(&self) -> &Vec<Vec<u64>> {
        self.ancestors.get_or_init(|| {
            let words = self.needs.len().div_ceil(64);
            let mut sets = vec![Vec::new(); self.needs.len()];
            for index in &self.order {
                let mut set = vec![0u64; words];
                for need in &self.needs[*index] {
                    for (word, above) in set.iter_mut().zip(&sets[*need]) {
                        *word |= above;
                    }
                    set[need / 64] |= 1 << (need % 64);
                }
                sets[*index] = set;
            }
            sets
        })
    }

    /// Which steps some other step needs.
    pub(crate) fn needed(&self) -> BTreeSet<usize> {
        self.needs.iter().flatten().copied().collect()
    }

    /// These steps and all steps upstream of them.
    pub(crate) fn with_upstream(&self, steps: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open: Vec<usize> = steps.into_iter().collect();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(&self.needs[next]);
            }
        }
        found
    }

    fn report_cycles(&self, drafts: &[Draft], problems: &mut Problems) {
        let mut ordered = vec![false; drafts.len()];
        for index in &self.order {
            ordered[*index] = true;
        }
        // Every step left over needs one that is left over too: following these ends in a cycle.
        let mut walked = vec![usize::MAX; drafts.len()];
        for start in 0..drafts.len() {
            let mut path = Vec::new();
            let mut at = start;
            while !ordered[at] && walked[at] == usize::MAX {
                walked[at] = start;
                path.push(at);
                let Some(next) = self.needs[at].iter().find(|need| !ordered[**need]) else { break };
                at = *next;
            }
            if walked[at] != start || path.is_empty() {
                continue;
            }
            let Some(first) = path.iter().position(|step| *step == at) else { continue };
            report_cycle(drafts, &path[first..], problems);
        }
    }
}

fn report_cycle(drafts: &[Draft], cycle: &[usize], problems: &mut Problems) {
    let lowest = (0..cycle.len()).min_by_key(|at| cycle[*at]).unwrap_or(0);
    let turned = (0..=cycle.len()).map(|at| cycle[(lowest + at) % cycle.len()]);
    let path: Vec<String> = turned.map(|step| format!("`{}`", drafts[step].step.id)).collect();
    let shown = if path.len() > 12 {
        format!("{} … {}", path[..6].join(" needs "), path[path.len() - 3..].join(" needs "))
    } else {
        path.join(" needs ")
    };
    let span = drafts[cycle[lowest]].id_span;
    problems
        .error(codes::CYCLE, span, format!("steps need each other in a circle: {shown}"))
        .help("remove one of these needs");
}

/// Kahn's algorithm; among steps that could come next, the first of the file comes first.
fn order(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut dependents = vec![Vec::new(); needs.len()];
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    for (index, list) in needs.iter().enumerate() {
        for need in list {
            dependents[*need].push(index);
        }
    }
    let mut ready: BTreeSet<usize> = (0..needs.len()).filter(|at| missing[*at] == 0).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for dependent in &dependents[next] {
            missing[*dependent] -= 1;
            if missing[*dependent] == 0 {
                ready.insert(*dependent);
            }
        }
    }
    order
}

/// Ids of all steps upstream of the step called `id`, without itself.
pub fn steps_needed_by(runbook: &Runbook, id: &str) -> BTreeSet<String> {
    let by_id: BTreeMap<&str, &[String]> =
        runbook.steps.iter().map(|step| (step.id.as_str(), step.needs.as_slice())).collect();
    let mut found = BTreeSet::new();
    let mut open = vec![id];
    while let Some(next) = open.pop() {
        for need in by_id.get(next).copied().unwrap_or_default() {
            if found.insert(need.clone()) {
                open.push(need);
            }
        }
    }
    found
}
