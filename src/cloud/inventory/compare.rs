//! Two inventories compared.
//!
//! **Invariant:** an inventory is as old as it is: what it tells is told with its instant, and nothing is
//! called missing because one inventory is older than the other.

use super::files::{Fetch, Opened};
use super::manifest::{FileFormat, Manifest};
use super::partition::{Partitions, partitions, sorted};
use super::row::Row;
use super::{InventoryError, csv};
use crate::cloud::compare::{Difference, Sorter, Totals, judge_rows};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// What is compared.
#[derive(Debug, Clone)]
pub struct InventoryOptions {
    /// Only keys that begin so.
    pub prefix: String,
    /// Only objects written since then.
    pub since: Option<DateTime<Utc>>,
    /// How long replication may be due.
    pub pending_after: Duration,
}

/// What two inventories have in common.
#[derive(Debug)]
pub struct InventoryCompared {
    /// What was counted.
    pub totals: Totals,
    /// Differences in the order of their keys.
    pub sorter: Sorter,
    /// Rows that were read, older versions and delete markers among them.
    pub rows: u64,
    /// Bucket and instant of both.
    pub told: [(String, i64); 2],
}

/// Compares two inventories, both read at a time on threads of their own.
///
/// # Errors
/// A manifest or a file cannot be read, or the temporary directory has no room.
pub fn compare_inventories(
    source: &Opened,
    destination: &Opened,
    fetch: &dyn Fetch,
    options: &InventoryOptions,
) -> Result<InventoryCompared, InventoryError> {
    let bytes = |opened: &Opened| opened.manifest.files.iter().map(|file| file.size).sum::<u64>();
    let count = partitions(bytes(source).max(bytes(destination)));
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| split(destination, fetch, count, &options.prefix));
        let one = split(source, fetch, count, &options.prefix);
        (one, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let ((one, rows), (other, other_rows)) = (one?, other?);
    let (mut totals, mut sorter) = (Totals::default(), Sorter::default());
    let instant = |opened: &Opened| (opened.manifest.bucket.clone(), opened.manifest.created_ms);
    let told = [instant(source), instant(destination)];
    // What was written after the older inventory cannot be in it.
    let known = told.iter().map(|(_, at)| *at).filter(|at| *at > 0).min();
    let ground = RowGround { known, options };
    let pairs = one.into_iter().zip(other);
    for (one, other) in pairs {
        meet(one, other, &ground, &mut totals, &mut sorter)?;
    }
    Ok(InventoryCompared { totals, sorter, rows: rows + other_rows, told })
}

/// What decides about rows beside the rows.
pub(crate) struct RowGround<'a> {
    /// The instant of the older inventory.
    known: Option<i64>,
    options: &'a InventoryOptions,
}

fn meet(
    one: std::fs::File,
    other: std::fs::File,
    ground: &RowGround<'_>,
    totals: &mut Totals,
    sorter: &mut Sorter,
) -> Result<(), InventoryError> {
    let read = |file| sorted(file).map_err(InventoryError::Temporary);
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| read(other));
        (read(one), other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (mut one, mut other) = (one?.into_iter().peekable(), other?.into_iter().peekable());
    loop {
        let order = match (one.peek(), other.peek()) {
            (Some(left), Some(right)) => left.key.cmp(&right.key),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return Ok(()),
        };
        let left = if order.is_le() { one.next() } else { None };
        let right = if order.is_ge() { other.next() } else { None };
        totals.source += u64::from(left.is_some());
        totals.destination += u64::from(right.is_some());
        if let Some(difference) = judge(left.as_ref(), right.as_ref(), ground, totals) {
            totals.count(&difference);
            sorter.push(difference).map_err(InventoryError::Temporary)?;
        }
    }
}

fn judge(
    left: Option<&Row>,
    right: Option<&Row>,
    ground: &RowGround<'_>,
    totals: &mut Totals,
) -> Option<Difference> {
    let written = left.or(right).map_or(0, |row| row.modified_ms);
    let since = ground.options.since.map(|since| since.timestamp_millis());
    let too_new = ground.known.is_some_and(|known| {
        [left, right].into_iter().flatten().any(|row| row.modified_ms > known)
    });
    if since.is_some_and(|since| written < since) {
        totals.too_old += 1;
        return None;
    }
    if let (Some(left), Some(right)) = (left, right)
        && left.size == right.size
        && left.tag == right.tag
        && left.tag.is_told()
    {
        totals.equal += 1;
        return None;
    }
    if too_new {
        totals.too_new += 1;
        return None;
    }
    let now = ground.known.unwrap_or_default();
    judge_rows(left, right, now, ground.options.pending_after, totals)
}

fn split(
    opened: &Opened,
    fetch: &dyn Fetch,
    count: usize,
    prefix: &str,
) -> Result<(Vec<std::fs::File>, u64), InventoryError> {
    let mut partitions = Partitions::new(count).map_err(InventoryError::Temporary)?;
    let mut rows = 0;
    for file in &opened.manifest.files {
        let (place, bytes) = fetch.open(opened, file)?;
        let mut give = |row: Row| {
            if row.key.starts_with(prefix) { partitions.push(&row) } else { Ok(()) }
        };
        rows += rows_of(&opened.manifest, &place, bytes, &mut give)?;
    }
    let files = partitions.read().map_err(InventoryError::Temporary)?;
    Ok((files, rows))
}

/// Gives each current object of one file.
fn rows_of(
    manifest: &Manifest,
    place: &str,
    file: std::fs::File,
    give: &mut dyn FnMut(Row) -> Result<(), InventoryError>,
) -> Result<u64, InventoryError> {
    match manifest.format {
        FileFormat::Csv => {
            let columns = csv::Columns::of(&manifest.columns).ok_or_else(|| {
                let why = "its rows have no key or no size".to_owned();
                InventoryError::Manifest { place: place.to_owned(), why }
            })?;
            csv::rows(place, file, &columns, give)
        }
        #[cfg(feature = "parquet")]
        FileFormat::Parquet => super::parquet::rows(place, file, give),
        #[cfg(feature = "orc")]
        FileFormat::Orc => super::orc::rows(place, file, give),
        #[cfg(not(all(feature = "parquet", feature = "orc")))]
        other => Err(InventoryError::Form { place: place.to_owned(), form: format!("{other:?}") }),
    }
}
