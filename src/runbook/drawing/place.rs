//! Where the items of rows stand, so that lines are short and straight and nothing overlaps.
//!
//! **Invariant:** the order within a row is kept, and neighbours keep their distance.

use crate::runbook::drawing::layers::Layers;

/// How often places are improved.
const SWEEPS: usize = 16;
/// How much more a line wants to be straight than a step wants to stand in the middle.
const STRAIGHT: f64 = 6.0;

/// The middle of every item, from the left edge of a drawing, when items have the given widths and at
/// least `gap` between them; and how wide all of it is.
pub(super) fn places(layers: &Layers, widths: &[f64], gap: f64) -> (Vec<f64>, f64) {
    let mut middle = vec![0.0; layers.items.len()];
    for row in &layers.rows {
        let mut left = 0.0;
        for item in row {
            middle[*item] = left + widths[*item] / 2.0;
            left += widths[*item] + gap;
        }
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let mut rows: Vec<&Vec<usize>> = layers.rows.iter().collect();
        if !down {
            rows.reverse();
        }
        for row in rows {
            settle(layers, row, widths, gap, down, &mut middle);
        }
    }
    let left = edge(layers, widths, &middle, -1.0).fold(f64::INFINITY, f64::min);
    let right = edge(layers, widths, &middle, 1.0).fold(f64::NEG_INFINITY, f64::max);
    middle.iter_mut().for_each(|x| *x -= left);
    (middle, right - left)
}

fn edge(layers: &Layers, widths: &[f64], middle: &[f64], side: f64) -> impl Iterator<Item = f64> {
    (0..layers.items.len()).map(move |item| middle[item] + side * widths[item] / 2.0)
}

/// Moves the items of one row as near to their neighbours' middle as order and distance allow: the
/// least sum of weighted squares, by pooling those that would pass each other.
fn settle(
    layers: &Layers,
    row: &[usize],
    widths: &[f64],
    gap: f64,
    down: bool,
    middle: &mut [f64],
) {
    // A pool of items that stand shoulder to shoulder: wanted place of its first, weight, count.
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    let mut offsets = Vec::with_capacity(row.len());
    let mut offset = 0.0;
    for (at, item) in row.iter().enumerate() {
        if at > 0 {
            offset += (widths[row[at - 1]] + widths[*item]) / 2.0 + gap;
        }
        offsets.push(offset);
        let it = &layers.items[*item];
        let near = if down { &it.above } else { &it.below };
        let sum: f64 = near.iter().map(|other| middle[*other]).sum();
        #[expect(clippy::cast_precision_loss, reason = "a count of lines")]
        let count = near.len() as f64;
        let (wanted, weight) = match (near.is_empty(), it.node) {
            (true, _) => (middle[*item], 0.1),
            (false, None) => (sum / count, STRAIGHT),
            (false, Some(_)) => (sum / count, count),
        };
        let mut pool = (wanted - offset, weight, 1);
        while let Some(before) = pools.pop_if(|before| before.0 > pool.0) {
            let weight = before.1 + pool.1;
            let place = (before.0 * before.1 + pool.0 * pool.1) / weight;
            pool = (place, weight, before.2 + pool.2);
        }
        pools.push(pool);
    }
    let places = pools.iter().flat_map(|(place, _, count)| std::iter::repeat_n(*place, *count));
    for ((item, offset), place) in row.iter().zip(offsets).zip(places) {
        middle[*item] = place + offset;
    }
}
