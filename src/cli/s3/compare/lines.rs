//! Differences one by one, in the form that was asked for.
//!
//! **Invariant:** a key that could break a line is written so that it does not; JSON and CSV keep it exactly.

use super::Format;
use crate::base::clock::format_instant;
use crate::cli::out;
use crate::cloud::compare::{Difference, Seen};
use chrono::DateTime;
use serde_json::{Value as Json, json};
use std::io;

/// Bytes that are written at a time.
const BLOCK: usize = 64 * 1024;

/// Most differences in a document of JSON: it is held in memory.
const MOST: usize = 10_000;

/// Takes differences in order.
pub(super) struct Lines {
    format: Format,
    json: bool,
    most: usize,
    block: String,
    /// The first of them, for the report.
    pub(super) shown: Vec<Difference>,
    /// How many there were.
    pub(super) all: u64,
}

impl Lines {
    pub(super) fn new(format: Format, show: usize, json: bool) -> Self {
        let block = match format {
            Format::Csv => format!("{}\n", HEAD.join(",")),
            Format::Text | Format::Jsonl | Format::Combined => String::new(),
        };
        let most = if json { MOST } else { show };
        Self { format, json, most, block, shown: Vec::new(), all: 0 }
    }

    /// Takes the next one.
    pub(super) fn take(&mut self, difference: &Difference) -> io::Result<()> {
        self.all += 1;
        if self.shown.len() < self.most && (self.json || self.format == Format::Text) {
            self.shown.push(difference.clone());
        }
        match self.format {
            Format::Text => return Ok(()),
            Format::Jsonl => self.block.push_str(&document(difference).to_string()),
            Format::Csv => self.block.push_str(&csv(difference)),
            Format::Combined => {
                self.block.push_str(&format!("{} {}", difference.symbol(), plain(&difference.key)));
            }
        }
        self.block.push('\n');
        if self.block.len() >= BLOCK {
            self.end();
        }
        Ok(())
    }

    /// Writes what is left.
    pub(super) fn end(&mut self) {
        out::bytes(self.block.as_bytes());
        self.block.clear();
    }
}

/// A difference as JSON.
pub(super) fn document(difference: &Difference) -> Json {
    let side = |seen: &Option<Seen>| {
        seen.as_ref().map(|seen| {
            json!({
                "size": seen.size, "modified": modified(seen), "etag": seen.etag,
                "version": seen.version,
            })
        })
    };
    json!({
        "key": difference.key,
        "class": difference.class.word(),
        "how": difference.how,
        "status": difference.status,
        "source": side(&difference.source),
        "destination": side(&difference.destination),
    })
}

const HEAD: [&str; 11] = [
    "key",
    "class",
    "symbol",
    "status",
    "source_size",
    "source_modified",
    "source_etag",
    "destination_size",
    "destination_modified",
    "destination_etag",
    "how",
];

fn csv(difference: &Difference) -> String {
    let side = |seen: &Option<Seen>| match seen {
        Some(seen) => [seen.size.to_string(), modified(seen), seen.etag.clone()],
        None => Default::default(),
    };
    let mut fields = vec![
        difference.key.clone(),
        difference.class.word().to_owned(),
        difference.symbol().to_string(),
        difference.status.clone().unwrap_or_default(),
    ];
    fields.extend(side(&difference.source));
    fields.extend(side(&difference.destination));
    fields.push(difference.how.to_string());
    let quoted = fields.iter().map(|field| {
        if field.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

fn modified(seen: &Seen) -> String {
    DateTime::from_timestamp_millis(seen.modified_ms).map(format_instant).unwrap_or_default()
}

/// A key on one line: control characters, line separators and backslashes are escaped.
pub(super) fn plain(key: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\\');
    if !key.contains(odd) {
        return key.to_owned();
    }
    let escaped =
        key.chars().map(|c| if odd(c) { c.escape_default().to_string() } else { c.to_string() });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::compare::Class;

    #[test]
    fn a_key_that_breaks_lines_breaks_no_form() {
        let seen = Seen { size: 1, modified_ms: 0, etag: "e".to_owned(), version: None };
        let difference = Difference {
            key: "a\n\"b\",ü\\".to_owned(),
            class: Class::Missing,
            how: "x".into(),
            source: Some(seen),
            destination: None,
            status: Some("FAILED".to_owned()),
        };
        assert_eq!(plain(&difference.key), "a\\n\"b\",ü\\\\");
        assert_eq!(
            csv(&difference),
            "\"a\n\"\"b\"\",ü\\\",missing,+,FAILED,1,1970-01-01T00:00:00Z,e,,,,x"
        );
        let read: Json = serde_json::from_str(&document(&difference).to_string()).expect("JSON");
        assert_eq!(read["key"], "a\n\"b\",ü\\");
        assert_eq!(read["destination"], Json::Null);
    }
}
