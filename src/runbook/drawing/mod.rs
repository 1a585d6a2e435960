//! The graph of a runbook's steps, ready to be drawn: as text, DOT, Mermaid and SVG.
//!
//! **Invariant:** every form draws this one model; nothing is said by colour alone.

mod dot;
mod lanes;
mod layers;
mod mermaid;
mod place;
mod svg;

pub use dot::dot;
pub use lanes::{MAX_STEPS_AS_TEXT, text};
pub use mermaid::mermaid;
pub use svg::{MAX_STEPS_AS_SVG, svg, svg_inside};

use crate::action::spec::{ActionKind, ActionSpec, Reversibility};
use crate::runbook::model::{Actions, Runbook, Step};
use std::collections::{BTreeMap, BTreeSet};

/// What a step's shape says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// Only reads.
    Check,
    /// Creates, changes or deletes.
    Change,
    /// Waits for a person or a condition.
    Gate,
}

impl NodeKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Change => "change",
            Self::Gate => "gate",
        }
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its action.
    pub uses: String,
    /// What it is.
    pub kind: NodeKind,
    /// Words that a reader must not miss: `irreversible`, `always`, `conditional`, `for each`.
    pub marks: Vec<&'static str>,
    /// Whether it lies on the critical path.
    pub critical: bool,
    /// How long it takes, in words; empty when nothing is said.
    pub figure: String,
}

/// That one step waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The step that is waited for, by position.
    pub from: usize,
    /// The step that waits, by position.
    pub to: usize,
    /// Whether `to` runs whatever became of `from`: drawn dashed.
    pub dashed: bool,
    /// Whether both lie on the critical path, one right after the other.
    pub critical: bool,
}

/// A graph of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Name of the runbook.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Steps in an order in which they can run.
    pub nodes: Vec<Node>,
    /// One edge a need.
    pub edges: Vec<Edge>,
    /// Where figures and the critical path come from, sentences for below the drawing.
    pub notes: Vec<String>,
}

impl Drawing {
    /// The steps of `runbook`, without figures.
    pub fn of(runbook: &Runbook, actions: &dyn Actions) -> Self {
        let steps = &runbook.steps;
        let positions: BTreeMap<&str, usize> =
            steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
        let nodes = steps.iter().map(|step| node(step, actions.spec(&step.uses))).collect();
        let mut edges = Vec::new();
        for (to, step) in steps.iter().enumerate() {
            let needs = step.needs.iter().filter_map(|id| positions.get(id.as_str()).copied());
            let needs: BTreeSet<usize> = needs.collect();
            let edge = |from| Edge { from, to, dashed: step.always, critical: false };
            edges.extend(needs.into_iter().map(edge));
        }
        let (name, title) = (runbook.name.clone(), runbook.title.clone());
        Self { name, title, nodes, edges, notes: Vec::new() }
    }

    /// Marks the critical path, and says how long steps take.
    pub fn mark(&mut self, path: &[String], figures: &BTreeMap<String, String>) {
        for node in &mut self.nodes {
            node.critical = path.contains(&node.id);
            node.figure = figures.get(&node.id).cloned().unwrap_or_default();
        }
        for edge in &mut self.edges {
            let ends = [&self.nodes[edge.from].id, &self.nodes[edge.to].id];
            edge.critical = path.windows(2).any(|two| two.iter().eq(ends));
        }
    }

    /// The edges without those that others imply: who waits for the last of a chain waits for all of
    /// it. What is left has the same order and fewer crossings.
    pub(super) fn plain_edges(&self) -> Vec<Edge> {
        let mut needs = vec![BTreeSet::new(); self.nodes.len()];
        for edge in &self.edges {
            needs[edge.to].insert(edge.from);
        }
        // Needs come before the steps that need them, so one pass finds all ancestors.
        let mut above: Vec<BTreeSet<usize>> = Vec::with_capacity(self.nodes.len());
        for direct in &needs {
            let further = direct.iter().flat_map(|need| above[*need].iter()).copied();
            above.push(direct.iter().copied().chain(further).collect());
        }
        let implied = |edge: &Edge| needs[edge.to].iter().any(|it| above[*it].contains(&edge.from));
        self.edges.iter().filter(|edge| !implied(edge)).copied().collect()
    }
}

fn node(step: &Step, spec: Option<&ActionSpec>) -> Node {
    let (id, title, uses) = (step.id.clone(), step.title.clone(), step.uses.clone());
    let (kind, marks) = (kind_of(step, spec), marks(step, spec));
    Node { id, title, uses, kind, marks, critical: false, figure: String::new() }
}

/// What the step's shape says.
pub fn kind_of(step: &Step, spec: Option<&ActionSpec>) -> NodeKind {
    if step.uses.starts_with("gate.") {
        return NodeKind::Gate;
    }
    match spec.map(|spec| spec.kind) {
        Some(ActionKind::Gate(_)) => NodeKind::Gate,
        Some(ActionKind::Check) => NodeKind::Check,
        Some(ActionKind::Mutation | ActionKind::Command | ActionKind::Notice) | None => {
            NodeKind::Change
        }
    }
}

/// Words that a reader of the step must not miss.
pub fn marks(step: &Step, spec: Option<&ActionSpec>) -> Vec<&'static str> {
    let for_good =
        matches!(spec.map(|spec| &spec.reversibility), Some(Reversibility::Irreversible));
    [
        ("irreversible", step.irreversible || for_good),
        ("always", step.always),
        ("conditional", step.when.is_some()),
        ("for each", step.for_each.is_some()),
    ]
    .into_iter()
    .filter_map(|(word, holds)| holds.then_some(word))
    .collect()
}
