//! The lease of a journal in a bucket: one object, changed by conditional writes only.
//!
//! **Invariant:** each change names the version that it was made from, so that of two changes one wins;
//! what a lost answer left behind is told by its bytes.

use crate::base::clock::to_delta;
use crate::journal::chain::{self, Claim};
use crate::journal::error::JournalError;
use crate::journal::objects::{Object, ObjectError, Objects, Tag};
use crate::journal::store::{Fence, Head, Lease, Takeover};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::TRIES;

/// The lease as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeaseFile {
    /// `None` when it was given back.
    pub(super) holder: Option<String>,
    /// Names the state directory of the holder: process numbers repeat from machine to machine.
    pub(super) station: String,
    pub(super) fence: u64,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) renewed_at: DateTime<Utc>,
    /// The journal's head when this was written: events up to it cannot go missing unnoticed.
    pub(super) head: Head,
}

impl LeaseFile {
    pub(super) fn lease(&self) -> Option<Lease> {
        Some(Lease {
            holder: self.holder.clone()?,
            fence: Fence::new(self.fence),
            expires_at: self.expires_at,
            renewed_at: self.renewed_at,
        })
    }
}

/// A lease object and where it is.
#[derive(Debug, Clone)]
pub(super) struct LeaseAt<'a> {
    pub(super) objects: &'a dyn Objects,
    pub(super) key: String,
    /// The journal, for messages.
    pub(super) place: &'a str,
}

impl LeaseAt<'_> {
    /// The stored lease and its version.
    pub(super) fn read(&self) -> Result<Option<(LeaseFile, Tag)>, JournalError> {
        let found = self.objects.get(&self.key).map_err(|error| self.failed(error))?;
        found.map(|object| self.decode(object)).transpose()
    }

    fn decode(&self, object: Object) -> Result<(LeaseFile, Tag), JournalError> {
        let file =
            serde_json::from_slice(&object.bytes).map_err(|error| JournalError::Corrupt {
                place: self.place.to_owned(),
                seq: None,
                why: format!("its lease cannot be read: {error}"),
            })?;
        Ok((file, object.tag))
    }

    fn failed(&self, error: ObjectError) -> JournalError {
        JournalError::of_objects(self.place, error)
    }

    /// Takes the lease for `station`, with a number above `floor`.
    pub(super) fn acquire(
        &self,
        claim: Claim<'_>,
        (station, floor): (&str, u64),
        head: &Head,
    ) -> Result<Lease, JournalError> {
        let mut last = ObjectError::Taken;
        for _ in 0..TRIES {
            let stored = self.read()?;
            let current = stored.as_ref().and_then(|(file, _)| file.lease());
            let fence = stored.as_ref().map_or(0, |(file, _)| file.fence).max(floor);
            if let (Some((file, _)), Some(lease)) = (&stored, &current)
                && file.station != station
                && lease.expires_at > claim.now
                && claim.takeover != Takeover::Force
            {
                return Err(JournalError::Held {
                    place: self.place.to_owned(),
                    holder: lease.holder.clone(),
                    until: lease.expires_at,
                });
            }
            let lease = chain::grant(self.place, current.as_ref(), fence, claim)?;
            let file = LeaseFile {
                holder: Some(lease.holder.clone()),
                station: station.to_owned(),
                fence: lease.fence.number(),
                expires_at: lease.expires_at,
                renewed_at: lease.renewed_at,
                head: newer(stored.as_ref().map(|(file, _)| &file.head), head),
            };
            match self.write(&file, stored.as_ref().map(|(_, tag)| tag))? {
                Ok(()) => return Ok(lease),
                // Somebody was faster, or it is not known what happened: look again.
                Err(error) => last = error,
            }
        }
        Err(self.failed(last))
    }

    /// Changes the lease that is held under `fence`.
    pub(super) fn change(
        &self,
        fence: Fence,
        change: impl Fn(&mut LeaseFile),
    ) -> Result<LeaseFile, JournalError> {
        let mut last = ObjectError::Taken;
        for _ in 0..TRIES {
            let stored = self.read()?;
            let lease = stored.as_ref().and_then(|(file, _)| file.lease());
            chain::check_fence(self.place, lease.as_ref(), fence)?;
            let Some((mut file, tag)) = stored else { continue };
            change(&mut file);
            match self.write(&file, Some(&tag))? {
                Ok(()) => return Ok(file),
                Err(error) => last = error,
            }
        }
        Err(self.failed(last))
    }

    /// Writes over the version `over`; the inner error is one after which to look again.
    fn write(
        &self,
        file: &LeaseFile,
        over: Option<&Tag>,
    ) -> Result<Result<(), ObjectError>, JournalError> {
        let bytes = serde_json::to_vec(file).expect("a lease is plain data");
        let written = match over {
            Some(tag) => self.objects.put_if_match(&self.key, &bytes, tag),
            None => self.objects.put_if_absent(&self.key, &bytes),
        };
        match written {
            Err(error @ (ObjectError::Taken | ObjectError::Unclear(_))) => {
                // The SDK's or our own lost answer: it may be this very write that is there.
                let found = self.objects.get(&self.key).map_err(|error| self.failed(error))?;
                let is_ours = found.is_some_and(|object| object.bytes == bytes);
                Ok(if is_ours { Ok(()) } else { Err(error) })
            }
            Err(error @ ObjectError::Failed(..)) => Err(self.failed(error)),
            Ok(_) => Ok(Ok(())),
        }
    }

    /// Extends it.
    pub(super) fn renew(
        &self,
        fence: Fence,
        (now, ttl): (DateTime<Utc>, Duration),
        head: &Head,
    ) -> Result<LeaseFile, JournalError> {
        self.change(fence, |file| {
            file.expires_at = now + to_delta(ttl);
            file.renewed_at = now;
            file.head = newer(Some(&file.head), head);
        })
    }
}

/// The head with more events.
pub(super) fn newer(stored: Option<&Head>, known: &Head) -> Head {
    stored.filter(|stored| stored.count > known.count).unwrap_or(known).clone()
}
