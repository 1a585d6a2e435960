//! What a report says of the damaged journal that it was made from.
//!
//! **Invariant:** like the rest of the model this type is the file format: fields are added, never changed.

use serde::{Deserialize, Serialize};

/// What is wrong with a journal. Everything in the report comes from the events before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamageRow {
    /// Events that are sound, from the first.
    pub sound_events: u64,
    /// The first bad event; `None` when it is the file.
    pub first_bad: Option<u64>,
    /// What is wrong with it.
    pub why: String,
}

impl DamageRow {
    /// In one sentence, to stand above everything that was made of it.
    pub fn banner(&self) -> String {
        let place = self.first_bad.map_or_else(String::new, |seq| format!(" at event {seq}"));
        format!(
            "DAMAGED JOURNAL{place}: {}; this tells of the first {} events only and is no evidence.",
            self.why, self.sound_events
        )
    }
}
