//! Rows of two inventories, judged as objects are that were looked at.
//!
//! **Invariant:** an inventory tells of no delete markers and no rules: classes that need them do not occur.

use super::class::{Difference, Totals};
use super::judge::{Grounds, Rules, Verdict, by_looks};
use super::look::{Head, Look};
use crate::cloud::inventory::Row;
use std::time::Duration;

/// What two rows of one key mean; what proves them the same is counted.
pub(crate) fn judge_rows(
    one: Option<&Row>,
    other: Option<&Row>,
    now_ms: i64,
    pending_after: Duration,
    totals: &mut Totals,
) -> Option<Difference> {
    let look = |row: Option<&Row>| row.map_or(Look::Absent { marker: false }, looked);
    let key = one.or(other).map_or("", |row| row.key.as_str());
    let grounds = Grounds { rules: &Rules::Unknown, prefix: "", now_ms, pending_after };
    match by_looks(key, &look(one), &look(other), &grounds) {
        Verdict::Settled => totals.settled += 1,
        Verdict::SameContent => totals.equal_by_checksum += 1,
        Verdict::SameVersion => totals.equal_by_version += 1,
        Verdict::Differs(difference) => return Some(difference),
    }
    None
}

fn looked(row: &Row) -> Look {
    Look::Present(Box::new(Head {
        size: row.size,
        modified_ms: row.modified_ms,
        etag: if row.tag.is_told() { row.tag.to_string() } else { String::new() },
        tag: row.tag,
        version: None,
        status: row.status.word(),
        opaque: row.opaque,
        kms: row.opaque,
        archived: row.archived,
        checksums: Vec::new(),
    }))
}
