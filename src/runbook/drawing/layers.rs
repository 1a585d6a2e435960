//! Which row every step stands in, and in which order, so that few lines cross.
//!
//! **Invariant:** a step stands below everything that it waits for; the same graph gives the same
//! rows.

use crate::runbook::drawing::Edge;

/// How often the order is improved from the top and from the bottom.
const SWEEPS: usize = 12;

/// What stands in a row: a step, or a line on its way to a lower row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// The step; `None` for a line.
    pub(super) node: Option<usize>,
    /// Items of the row above that lead here.
    pub(super) above: Vec<usize>,
    /// Items of the row below that this leads to.
    pub(super) below: Vec<usize>,
}

/// Rows from the top, each with its items from left to right; and the items that each edge passes.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    pub(super) items: Vec<Item>,
    pub(super) rows: Vec<Vec<usize>>,
    pub(super) paths: Vec<Vec<usize>>,
}

/// The rows of `count` steps, whose edges lead from a lower to a higher number.
pub(super) fn layers(count: usize, edges: &[Edge]) -> Layers {
    let mut row_of = vec![0; count];
    for to in 0..count {
        let above = edges.iter().filter(|edge| edge.to == to).map(|edge| row_of[edge.from] + 1);
        row_of[to] = above.max().unwrap_or(0);
    }
    let item = |node| Item { node, above: Vec::new(), below: Vec::new() };
    let mut items: Vec<Item> = (0..count).map(|node| item(Some(node))).collect();
    let mut rows = vec![Vec::new(); row_of.iter().max().map_or(0, |last| last + 1)];
    for (node, row) in row_of.iter().enumerate() {
        rows[*row].push(node);
    }
    let mut paths = Vec::with_capacity(edges.len());
    for edge in edges {
        let mut path = vec![edge.from];
        for row in &mut rows[row_of[edge.from] + 1..row_of[edge.to]] {
            items.push(item(None));
            row.push(items.len() - 1);
            path.push(items.len() - 1);
        }
        path.push(edge.to);
        for two in path.windows(2) {
            items[two[0]].below.push(two[1]);
            items[two[1]].above.push(two[0]);
        }
        paths.push(path);
    }
    let mut layers = Layers { items, rows, paths };
    layers.improve();
    layers
}

impl Layers {
    /// Orders each row by where its neighbours stand, and keeps the best order that was seen.
    fn improve(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let numbers: Vec<usize> = match down {
                true => (1..self.rows.len()).collect(),
                false => (0..self.rows.len().saturating_sub(1)).rev().collect(),
            };
            for row in numbers {
                self.order(row, down);
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
    }

    fn order(&mut self, row: usize, down: bool) {
        let fixed = &self.rows[if down { row - 1 } else { row + 1 }];
        let places = places(self.items.len(), fixed);
        let mut keyed: Vec<(usize, usize, usize)> = self.rows[row]
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let it = &self.items[*item];
                let near = if down { &it.above } else { &it.below };
                let sum: usize = near.iter().map(|other| places[*other]).sum();
                // In thousandths of a place; what has no neighbour there stays about where it is.
                let mean = (sum * 1_000).checked_div(near.len()).unwrap_or(at * 1_000);
                (mean, at, *item)
            })
            .collect();
        keyed.sort_unstable();
        self.rows[row] = keyed.into_iter().map(|(_, _, item)| item).collect();
    }

    /// How many pairs of lines cross.
    pub(super) fn crossings(&self) -> usize {
        self.rows.windows(2).map(|two| self.crossings_between(&two[0], &two[1])).sum()
    }

    fn crossings_between(&self, upper: &[usize], lower: &[usize]) -> usize {
        let places = places(self.items.len(), lower);
        let mut ends: Vec<usize> = Vec::new();
        for item in upper {
            let mut own: Vec<usize> =
                self.items[*item].below.iter().map(|other| places[*other]).collect();
            own.sort_unstable();
            ends.extend(own);
        }
        let inversions =
            |(at, end): (usize, &usize)| ends[..at].iter().filter(|it| *it > end).count();
        ends.iter().enumerate().map(inversions).sum()
    }
}

/// The place of each item of a row, by item.
fn places(count: usize, row: &[usize]) -> Vec<usize> {
    let mut places = vec![0; count];
    for (at, item) in row.iter().enumerate() {
        places[*item] = at;
    }
    places
}
