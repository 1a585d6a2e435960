//! Decides how a key stands, from its history.
//!
//! **Invariant:** what is on top and newer than the plan stays, unless it is what this run put there; a key
//! is deleted only when it is certain that it did not exist, or a person said so.

use super::change::{Change, Kind, Standing};
use super::history::History;
use super::reason::Reason;
use super::terms::{Direction, Terms};
use crate::cloud::CloudError;
use crate::cloud::model::{NULL_VERSION, Over, VersionEntry, VersionFacts};

/// Whether two versions hold the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// Proven, with headers, metadata and tags.
    Same,
    /// As far as can be seen; nothing that S3 tells proves it.
    Alike,
    /// They differ.
    Other,
}

/// Looks that a history alone does not answer.
pub(crate) trait Look {
    /// Whether two versions of a key hold the same.
    async fn likeness(
        &self,
        one: &VersionEntry,
        other: &VersionEntry,
    ) -> Result<Likeness, CloudError>;

    /// Why a version cannot be copied.
    async fn out_of_reach(&self, wanted: &VersionEntry) -> Result<Option<Reason>, CloudError>;
}

/// How a key stands.
pub(crate) async fn standing(
    history: &History,
    terms: &Terms,
    look: &impl Look,
) -> Result<Standing, CloudError> {
    let top = &history.top;
    let wanted = history.wanted.as_ref();
    if wanted.is_some_and(|wanted| is_entry(wanted, top)) {
        return Ok(Standing::AsWanted { by: None });
    }
    if let Some(at) = history.overwritten {
        return Ok(Standing::Lost(Reason::Overwritten(at)));
    }
    let found = match terms.direction {
        Direction::To { .. } => forward(history, terms, look).await?,
        Direction::Undo { .. } => backward(history, terms, look).await?,
    };
    let Standing::ToDo(change) = &found else { return Ok(found) };
    let Change::Copy { wanted, .. } = change else { return Ok(found) };
    Ok(look.out_of_reach(wanted).await?.map_or(found, Standing::Lost))
}

fn is_entry(one: &VersionEntry, other: &VersionEntry) -> bool {
    one.version_id == other.version_id && one.modified == other.modified
}

/// The version that was seen at the instant, if one was.
fn seen(entry: Option<&VersionEntry>) -> Option<(&VersionEntry, &VersionFacts)> {
    entry.and_then(|entry| Some((entry, entry.object.as_ref()?)))
}

fn copy(wanted: &VersionEntry, over: Over) -> Standing {
    Standing::ToDo(Change::Copy { wanted: wanted.clone(), over })
}

fn delete(top: &VersionFacts) -> Standing {
    Standing::ToDo(Change::Delete { etag: top.etag.clone() })
}

async fn forward(
    history: &History,
    terms: &Terms,
    look: &impl Look,
) -> Result<Standing, CloudError> {
    let top = &history.top;
    let since = terms.is_since(top);
    Ok(match (seen(history.wanted.as_ref()), &top.object) {
        (None, None) => match uncertain(history, terms) {
            Some(why) => Standing::Lost(why),
            None => Standing::AsWanted { by: since.then_some((Kind::Deleted, 0)) },
        },
        (None, Some(_)) if since => Standing::Conflict,
        (None, Some(facts)) => match uncertain(history, terms) {
            Some(why) => Standing::Lost(why),
            None => delete(facts),
        },
        (Some(_), None) if since => Standing::Conflict,
        (Some((wanted, _)), None) => match removable(history, wanted, terms) {
            Some(markers) => {
                Standing::ToDo(Change::RemoveMarkers { wanted: wanted.clone(), markers })
            }
            None => copy(wanted, Over::Nothing),
        },
        (Some((wanted, facts)), Some(now)) => {
            // What differs in its tag is compared further only where it may be this run's own copy.
            let comparable = facts.size == now.size && (since || facts.etag == now.etag);
            let like = if comparable { look.likeness(wanted, top).await? } else { Likeness::Other };
            match like {
                Likeness::Same => done(history, since),
                Likeness::Alike if since => done(history, since),
                Likeness::Other if since => Standing::Conflict,
                Likeness::Alike | Likeness::Other => copy(wanted, Over::Version(now.etag.clone())),
            }
        }
    })
}

/// A key that holds what it held; by this run, when that came after the plan.
fn done(history: &History, since: bool) -> Standing {
    let kind = if history.over_marker { Kind::Undeleted } else { Kind::Restored };
    let bytes = history.top.object.as_ref().map_or(0, |facts| facts.size);
    Standing::AsWanted { by: since.then_some((kind, bytes)) }
}

fn uncertain(history: &History, terms: &Terms) -> Option<Reason> {
    if history.wanted.is_some() {
        return None;
    }
    terms.may_have_existed(history.key(), history.oldest)
}

/// The delete markers whose removal shows `wanted` again.
fn removable(history: &History, wanted: &VersionEntry, terms: &Terms) -> Option<Vec<String>> {
    let markers = history.markers.as_ref()?;
    let next = history.newest_data.as_deref() == Some(wanted.version_id.as_str());
    let named = markers.iter().all(|marker| marker != NULL_VERSION);
    (terms.remove_markers && next && named).then(|| markers.clone())
}

async fn backward(
    history: &History,
    terms: &Terms,
    look: &impl Look,
) -> Result<Standing, CloudError> {
    let top = &history.top;
    if !terms.is_since(top) {
        return Ok(Standing::AsWanted { by: None });
    }
    let (before, left) = (seen(history.wanted.as_ref()), seen(history.was.as_ref()));
    let Some(now) = &top.object else {
        return Ok(match (before, left) {
            (None, _) => Standing::AsWanted { by: Some((Kind::Deleted, 0)) },
            (Some((before, _)), None) => copy(before, Over::Nothing),
            (Some(_), Some(_)) => Standing::Conflict,
        });
    };
    if let Some((before, _)) = before {
        match look.likeness(before, top).await? {
            Likeness::Same => return Ok(done(history, true)),
            Likeness::Alike if terms.may_be_ours(top) => return Ok(done(history, true)),
            Likeness::Alike | Likeness::Other => {}
        }
    }
    let Some((left, _)) = left else { return Ok(Standing::Conflict) };
    Ok(match (look.likeness(left, top).await?, before) {
        (Likeness::Other, _) => Standing::Conflict,
        (_, Some((before, _))) => copy(before, Over::Version(now.etag.clone())),
        (_, None) => delete(now),
    })
}
