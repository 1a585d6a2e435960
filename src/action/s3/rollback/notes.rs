//! What a person should know before a roll-back, beside its counts.
//!
//! **Invariant:** what nobody may read is told as such.

use super::ask::Asked;
use super::tally::Tally;
use super::terms::Terms;
use crate::base::clock::format_instant;
use crate::cloud::model::{BucketKeeping, ObjectLock, Setting};

/// What deserves attention before a roll-back.
pub(crate) fn notes(
    asked: &Asked,
    terms: &Terms,
    settings: &BucketKeeping,
    seen: &Tally,
) -> Vec<String> {
    let mut notes = Vec::new();
    if seen.close > 0 {
        notes.push(format!(
            "{} keys have several entries in the very second of {}: the newest of them counts",
            seen.close,
            format_instant(asked.to)
        ));
    }
    if let Some(days) = terms.history_ends(asked.scope.prefix()) {
        notes.push(format!(
            "versions expire {days} days after they were replaced: keys of then that were deleted and have \
             expired since are in no listing, and nobody knows of them"
        ));
    }
    if let Some(why) = &terms.unread {
        notes.push(format!("what expires cannot be read: {why}"));
    }
    if seen.changes() > 0 {
        notes.extend(settings_notes(settings));
    }
    notes
}

/// What the bucket does with every new version, and so with what is put on top.
fn settings_notes(settings: &BucketKeeping) -> Vec<String> {
    let mut notes = Vec::new();
    if let Setting::Known(replication) = &settings.replication {
        let rules: Vec<_> = replication.rules.iter().filter(|rule| rule.enabled).collect();
        let timed = rules.iter().filter_map(|rule| rule.time_control).max();
        let timed = timed.map(|minutes| format!(", within {minutes} min by Time Control"));
        if !rules.is_empty() {
            notes.push(format!(
                "{} replication rules copy what is restored, as they copy every new version{}",
                rules.len(),
                timed.unwrap_or_default()
            ));
        }
    }
    if let Setting::Known(ObjectLock { mode: Some(mode), .. }) = &settings.object_lock {
        notes.push(format!(
            "what had no lock of its own gets the bucket's default one ({mode}), as every new version"
        ));
    }
    match settings.ownership.known().map(String::as_str) {
        Some("BucketOwnerEnforced") => {}
        Some(_) | None => notes.push(
            "access control lists of versions do not go along: copies belong to whoever runs this"
                .to_owned(),
        ),
    }
    notes
}
