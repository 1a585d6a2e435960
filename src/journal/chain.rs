//! The digest chain and the lease rules, shared by all stores.
//!
//! **Invariant:** digests are over the bytes as stored; nothing is serialised a second time.

use crate::base::clock::to_delta;
use crate::base::digest::Digest;
use crate::journal::error::JournalError;
use crate::journal::event::{EVENT_VERSION, Record};
use crate::journal::store::{Damage, Fence, Head, Lease, Salvaged, StoredRecord, Takeover};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::time::Duration;

/// The head of an empty journal.
pub fn genesis() -> Head {
    Head { count: 0, digest: Digest::of(b"drctl/v1 journal") }
}

/// The digest that follows `previous`. A digest's text has a fixed length, so that no two pairs of
/// parts run together to the same bytes.
pub fn next_digest(previous: &Digest, bytes: &[u8]) -> Digest {
    Digest::of_parts(&[previous.as_str().as_bytes(), bytes])
}

/// The stored form of `batch` after `head`.
///
/// # Errors
/// `Fenced` or `OutOfSequence`: see [`crate::journal::store::Store::append`].
pub fn extend(
    place: &str,
    head: &Head,
    lease: Option<&Lease>,
    batch: &[Record],
) -> Result<Vec<StoredRecord>, JournalError> {
    let mut head = head.clone();
    let mut stored = Vec::with_capacity(batch.len());
    for record in batch {
        check_fence(place, lease, Fence::new(record.fence))?;
        let expected = head.count + 1;
        if record.seq != expected {
            let place = place.to_owned();
            return Err(JournalError::OutOfSequence { place, expected, found: record.seq });
        }
        let bytes = serde_json::to_vec(record).expect("a record has string keys only");
        head = Head { count: expected, digest: next_digest(&head.digest, &bytes) };
        stored.push(StoredRecord {
            seq: record.seq,
            kind: record.event.kind().to_owned(),
            version: record.version,
            bytes,
            digest: head.digest.clone(),
            record: Some(record.clone()),
        });
    }
    Ok(stored)
}

/// A row of a store, not yet trusted.
#[derive(Debug, Clone)]
pub struct Row {
    /// Position as stored.
    pub seq: u64,
    /// Type as stored beside the bytes.
    pub kind: String,
    /// Version as stored beside the bytes.
    pub version: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Digest as stored.
    pub digest: Digest,
}

#[derive(Deserialize)]
struct Envelope {
    seq: u64,
    version: u32,
    event: EnvelopeEvent,
}

#[derive(Deserialize)]
struct EnvelopeEvent {
    #[serde(rename = "type")]
    kind: String,
}

/// Checks `row` against the chain so far and decodes it.
///
/// # Errors
/// What is wrong with it, fit to follow "damaged at event 7: ".
pub fn accept(previous: &Head, row: Row) -> Result<StoredRecord, String> {
    let expected = previous.count + 1;
    if row.seq != expected {
        return Err(format!("event {expected} is missing, event {} comes instead", row.seq));
    }
    if next_digest(&previous.digest, &row.bytes) != row.digest {
        return Err("its bytes or its place do not match its digest".to_owned());
    }
    let envelope: Envelope = serde_json::from_slice(&row.bytes)
        .map_err(|error| format!("its bytes are not an event: {error}"))?;
    if envelope.seq != row.seq {
        return Err(format!("its bytes say that it is event {}", envelope.seq));
    }
    if envelope.event.kind != row.kind || envelope.version != row.version {
        return Err(format!(
            "its bytes say `{}` version {}, the columns beside them `{}` version {}",
            envelope.event.kind, envelope.version, row.kind, row.version
        ));
    }
    // A known type that does not decode was written by a build with another idea of it: unknown too.
    let record = (1..=EVENT_VERSION)
        .contains(&envelope.version)
        .then(|| serde_json::from_slice(&row.bytes).ok())
        .flatten();
    let Row { seq, kind, version, bytes, digest } = row;
    Ok(StoredRecord { seq, kind, version, bytes, digest, record })
}

/// Reads a chain as far as it is sound. A row that the store could not read comes as its reason; without
/// a head nothing says how many events there should be.
pub fn accept_sound(
    rows: impl Iterator<Item = Result<Row, String>>,
    head: Option<&Head>,
) -> Salvaged {
    let mut at = genesis();
    let mut records: Vec<StoredRecord> = Vec::new();
    for row in rows {
        let accepted = row.and_then(|row| {
            let kind = row.kind.clone();
            accept(&at, row).map_err(|why| format!("{why} (it stands there as `{kind}`)"))
        });
        match accepted {
            Ok(record) => {
                at = Head { count: record.seq, digest: record.digest.clone() };
                records.push(record);
            }
            Err(why) => {
                let damage = Some(Damage { seq: Some(at.count + 1), why });
                return Salvaged { records, damage };
            }
        }
    }
    let damage = match head {
        Some(head) if at.count < head.count => {
            let why = format!("{} events were written and the rest is missing", head.count);
            Some((at.count + 1, why))
        }
        Some(head) if at.count > head.count => {
            records.truncate(usize::try_from(head.count).unwrap_or(usize::MAX));
            Some((head.count + 1, format!("only {} were written", head.count)))
        }
        Some(head) if at.digest != head.digest => {
            records.pop();
            Some((at.count, "the head's digest is another one".to_owned()))
        }
        Some(_) | None => None,
    };
    let damage = damage.map(|(seq, why)| Damage { seq: Some(seq), why });
    Salvaged { records, damage }
}

/// The records that a resume needs.
///
/// # Errors
/// `UnknownEvent` with the first one that this build does not know.
pub fn known(stored: &[StoredRecord]) -> Result<Vec<Record>, JournalError> {
    stored
        .iter()
        .map(|one| {
            one.record.clone().ok_or_else(|| JournalError::UnknownEvent {
                seq: one.seq,
                kind: one.kind.clone(),
                version: one.version,
            })
        })
        .collect()
}

/// Checks that `fence` is the valid lease's.
///
/// # Errors
/// `Fenced`.
pub fn check_fence(place: &str, lease: Option<&Lease>, fence: Fence) -> Result<(), JournalError> {
    let current = lease.map(|lease| lease.fence);
    if current == Some(fence) {
        return Ok(());
    }
    Err(JournalError::Fenced {
        place: place.to_owned(),
        ours: fence.number(),
        current: current.map_or_else(|| "none".to_owned(), |fence| fence.to_string()),
    })
}

/// Checks that `fence` is the valid lease's, and that it has not ended at `now`.
///
/// # Errors
/// `Fenced`, `Expired`.
pub fn check_lease(
    place: &str,
    lease: Option<&Lease>,
    fence: Fence,
    now: DateTime<Utc>,
) -> Result<(), JournalError> {
    check_fence(place, lease, fence)?;
    match lease.map(|lease| lease.expires_at) {
        Some(since) if since <= now => {
            Err(JournalError::Expired { place: place.to_owned(), ours: fence.number(), since })
        }
        _ => Ok(()),
    }
}

/// A wish for a lease.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Who wants it.
    pub holder: &'a str,
    /// The time.
    pub now: DateTime<Utc>,
    /// How long.
    pub ttl: Duration,
    /// At what price.
    pub takeover: Takeover,
}

/// The number of the lease that an event was written under, 0 where there is none: every new lease has a
/// higher one, also where the lease itself was lost.
pub fn fence_of(record: Option<&StoredRecord>) -> u64 {
    record.map_or(0, |one| fence_in(&one.bytes))
}

/// The same for an event's bytes.
pub fn fence_in(bytes: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Written {
        #[serde(default)]
        fence: u64,
    }
    serde_json::from_slice(bytes).map_or(0, |written: Written| written.fence)
}

/// The lease that `claim` gets. `last_fence` is the highest number given so far.
///
/// # Errors
/// `Held`; `Corrupt` when no number is higher than the last one.
pub fn grant(
    place: &str,
    current: Option<&Lease>,
    last_fence: u64,
    claim: Claim<'_>,
) -> Result<Lease, JournalError> {
    if let Some(lease) = current {
        let theirs = lease.holder != claim.holder && lease.expires_at > claim.now;
        if theirs && claim.takeover == Takeover::IfExpired {
            return Err(JournalError::Held {
                place: place.to_owned(),
                holder: lease.holder.clone(),
                until: lease.expires_at,
            });
        }
    }
    let next = last_fence.checked_add(1).ok_or_else(|| JournalError::Corrupt {
        place: place.to_owned(),
        seq: None,
        why: format!("its lease has number {last_fence}, which drctl never gave"),
    })?;
    Ok(Lease {
        holder: claim.holder.to_owned(),
        fence: Fence::new(next),
        expires_at: claim.now + to_delta(claim.ttl),
        renewed_at: claim.now,
    })
}
