//! Commands and notes of a journal in a bucket: one object each.
//!
//! **Invariant:** an object is created and never changed; what cannot be read as a command is left out
//! with a warning, so that nobody stops a run by posting nonsense.

use crate::base::ids::RunId;
use crate::journal::command::Posted;
use crate::journal::objects::{Object, ObjectError, Objects};
use crate::journal::segments::TRIES;
use crate::journal::store::Note;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most bytes of a command: what people write in one is cut at a few thousand characters.
const LONGEST: usize = 64 * 1024;

/// Commands that were read, by key. A command never changes, so that each is fetched once.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    read: Mutex<BTreeMap<String, Option<Posted>>>,
}

impl Inbox {
    /// All commands in `directory`, oldest first: their names sort by time.
    pub(super) fn read(
        &self,
        objects: &dyn Objects,
        directory: &str,
    ) -> Result<Vec<Posted>, ObjectError> {
        let keys = objects.list_after(directory, "")?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = Vec::new();
        for key in keys.into_iter().filter(|key| !read.contains_key(key)).collect::<Vec<_>>() {
            if id(directory, &key).is_some() {
                new.push(key);
            } else {
                tracing::warn!(key, "not a command's name; it is left out");
                read.insert(key, None);
            }
        }
        for (key, object) in new.iter().zip(fetched(objects, &new)) {
            let Some(object) = object else { continue };
            let posted = posted(id(directory, key), &object.bytes);
            if let Err(why) = &posted {
                tracing::warn!(key, why, "not a command; it is left out");
            }
            read.insert(key.clone(), posted.ok());
        }
        Ok(read.values().flatten().cloned().collect())
    }
}

/// The command's id in its key; nothing else in the directory is looked at.
fn id<'a>(directory: &str, key: &'a str) -> Option<&'a str> {
    let id = key.strip_prefix(directory)?.strip_suffix(".json")?;
    RunId::parse(id).filter(|parsed| parsed.as_str() == id).map(|_| id)
}

/// The objects under `keys`. One that cannot be read is left out and tried again at the next look:
/// anybody who may post could stop the run with it otherwise.
fn fetched(objects: &dyn Objects, keys: &[String]) -> Vec<Option<Object>> {
    if let Ok(all) = objects.get_all(keys) {
        return all;
    }
    let one = |key: &String| match objects.get(key) {
        Ok(object) => object,
        Err(error) => {
            tracing::warn!(key, ?error, "a command cannot be read and is left out");
            None
        }
    };
    keys.iter().map(one).collect()
}

/// Reads the command that is under `id`, made fit for journals.
fn posted(id: Option<&str>, bytes: &[u8]) -> Result<Posted, String> {
    if bytes.len() > LONGEST {
        return Err(format!("it has {} bytes, a command has at most {LONGEST}", bytes.len()));
    }
    let posted = Posted::from_json(bytes)?;
    if Some(posted.id.as_str()) == id {
        Ok(posted)
    } else {
        Err(format!("it says that it is command {}", posted.id))
    }
}

/// Puts an object under a key of its own; one that is there already stays.
pub(super) fn put_once(objects: &dyn Objects, key: &str, bytes: &[u8]) -> Result<(), ObjectError> {
    let mut last = ObjectError::Taken;
    for _ in 0..TRIES {
        match objects.put_if_absent(key, bytes) {
            Ok(_) | Err(ObjectError::Taken) => return Ok(()),
            Err(error @ ObjectError::Failed(..)) => return Err(error),
            Err(unclear @ ObjectError::Unclear(_)) => last = unclear,
        }
    }
    Err(last)
}

/// A note as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteFile {
    seq: u64,
    key: String,
    value: String,
}

/// Adds a note after all others.
pub(super) fn add_note(
    objects: &dyn Objects,
    directory: &str,
    note: &Note,
) -> Result<(), ObjectError> {
    let Note { seq, key, value } = note.clone();
    let bytes = serde_json::to_vec(&NoteFile { seq, key, value }).expect("a note is plain data");
    let mut number = objects.list_after(directory, "")?.len() + 1;
    let mut unclear = 0;
    loop {
        let key = format!("{directory}{number:010}.json");
        match objects.put_if_absent(&key, &bytes) {
            Ok(_) => return Ok(()),
            Err(ObjectError::Taken) => {
                // An earlier try of ours, whose answer was lost, or somebody else's note.
                let found = objects.get(&key)?;
                if unclear > 0 && found.is_some_and(|object| object.bytes == bytes) {
                    return Ok(());
                }
                number += 1;
            }
            Err(error @ ObjectError::Unclear(_)) => {
                unclear += 1;
                if unclear >= TRIES {
                    return Err(error);
                }
            }
            Err(error @ ObjectError::Failed(..)) => return Err(error),
        }
    }
}

/// All notes, oldest first.
pub(super) fn notes(objects: &dyn Objects, directory: &str) -> Result<Vec<Note>, ObjectError> {
    let keys = objects.list_after(directory, "")?;
    let mut notes = Vec::new();
    for (key, object) in keys.iter().zip(objects.get_all(&keys)?) {
        let Some(object) = object else { continue };
        match serde_json::from_slice::<NoteFile>(&object.bytes) {
            Ok(NoteFile { seq, key, value }) => notes.push(Note { seq, key, value }),
            Err(error) => tracing::warn!(key, %error, "not a note"),
        }
    }
    Ok(notes)
}
