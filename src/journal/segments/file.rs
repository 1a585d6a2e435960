//! One segment as an object: a header, then events byte for byte, one a line.
//!
//! **Invariant:** what is read back is what was written, or the reason why it is not.

use crate::base::digest::Digest;
use crate::journal::chain::Row;
use crate::journal::store::{Head, StoredRecord};
use serde::{Deserialize, Serialize};

/// Version of the form.
const FORM: u32 = 1;

/// No journal has as many events: a higher number was not written by drctl.
const LAST: u64 = u64::MAX / 2;

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// `FORM`.
    pub(super) drctl_segment: u32,
    /// Position of its first event, or of the next one when it has none.
    pub(super) first: u64,
    /// Number of the lease that it was written under.
    pub(super) fence: u64,
    /// Who held that lease.
    pub(super) holder: String,
    /// The chain's digest before it.
    pub(super) previous: Digest,
    /// The chain's digest after each of its events.
    pub(super) digests: Vec<Digest>,
}

/// A segment that was read.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) header: Header,
    pub(super) rows: Vec<Row>,
}

impl Header {
    pub(super) fn new(head: &Head, fence: u64, holder: &str, records: &[StoredRecord]) -> Self {
        Self {
            drctl_segment: FORM,
            first: head.count + 1,
            fence,
            holder: holder.to_owned(),
            previous: head.digest.clone(),
            digests: records.iter().map(|record| record.digest.clone()).collect(),
        }
    }
}

/// The name of the segment in place `number` (from 1) whose first event is `first`. Whoever knows all
/// segments before it knows both, so that two writers meet at one name.
pub(super) fn name(number: u64, first: u64) -> String {
    format!("{number:010}-{first:010}.jsonl")
}

/// Place and first event in a segment's name.
pub(super) fn read_name(text: &str) -> Option<(u64, u64)> {
    let (number, first) = text.strip_suffix(".jsonl")?.split_once('-')?;
    let (number, first) = (number.parse().ok()?, first.parse().ok()?);
    // Both count from 1.
    (number > 0 && first > 0 && name(number, first) == text).then_some((number, first))
}

/// The object's bytes.
pub(super) fn write(header: &Header, records: &[StoredRecord]) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(header).expect("a header is plain data");
    bytes.push(b'\n');
    for record in records {
        bytes.extend_from_slice(&record.bytes);
        bytes.push(b'\n');
    }
    bytes
}

/// The kind and version that an event's bytes say.
#[derive(Deserialize)]
struct Envelope {
    version: u32,
    event: Kind,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

/// Reads an object's bytes. The chain is not checked here.
///
/// # Errors
/// What is wrong: the first event it is about (`None` for the header), and why.
pub(super) fn read(bytes: &[u8]) -> Result<Segment, (Option<u64>, String)> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let header: Header = serde_json::from_slice(first)
        .map_err(|error| (None, format!("it does not begin as a segment does: {error}")))?;
    if header.drctl_segment != FORM {
        let why = format!("it has form {}, this drctl knows {FORM}", header.drctl_segment);
        return Err((None, why));
    }
    if header.first == 0 || header.first > LAST {
        return Err((None, format!("it begins with event {}, which cannot be", header.first)));
    }
    let mut rows = Vec::with_capacity(header.digests.len());
    for (seq, digest) in (header.first..).zip(&header.digests) {
        let cut = || (Some(seq), "the segment that holds it is cut off before it".to_owned());
        let line = lines.next().ok_or_else(cut)?;
        let envelope: Envelope = serde_json::from_slice(line)
            .map_err(|error| (Some(seq), format!("its bytes are not an event: {error}")))?;
        rows.push(Row {
            seq,
            kind: envelope.event.kind,
            version: envelope.version,
            bytes: line.to_vec(),
            digest: digest.clone(),
        });
    }
    let after = header.first + rows.len() as u64;
    match (lines.next(), lines.next()) {
        (Some(b""), None) => Ok(Segment { header, rows }),
        (None, _) => Err((Some(after.saturating_sub(1)), "its last line has no end".to_owned())),
        (Some(_), _) => Err((Some(after), "more follows than the segment announces".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::chain;
    use crate::journal::testing::JournalBuilder;

    #[test]
    fn names_sort_as_they_follow() {
        assert_eq!(name(12, 345), "0000000012-0000000345.jsonl");
        assert_eq!(read_name(&name(12, 345)), Some((12, 345)));
        for bad in ["", "12-345.jsonl", "0000000012-0000000345", "x-0000000345.jsonl", "lease.json"]
        {
            assert_eq!(read_name(bad), None, "{bad}");
        }
        for (number, first) in [(0, 1), (1, 0), (0, 0)] {
            assert_eq!(read_name(&name(number, first)), None, "places count from 1");
        }
        assert!(name(9, 1) < name(10, 1));
    }

    #[test]
    fn every_cut_and_every_flip_of_the_frame_is_found() {
        let records = JournalBuilder::started(&["a"]).stored();
        let header = Header::new(&chain::genesis(), 1, "a", &records);
        let bytes = write(&header, &records);
        let segment = read(&bytes).unwrap();
        assert_eq!(segment.header, header);
        let head = Head { count: 2, digest: records[1].digest.clone() };
        let read_back = chain::accept_sound(segment.rows.into_iter().map(Ok), Some(&head));
        assert_eq!(read_back.whole("x").unwrap(), records);
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let longer = [bytes.as_slice(), b"{}\n"].concat();
        assert_eq!(read(&longer).unwrap_err().0, Some(3));
        let newer = String::from_utf8(bytes).unwrap().replace("_segment\":1", "_segment\":2");
        assert!(read(newer.as_bytes()).unwrap_err().1.contains("form 2"));
    }
}
