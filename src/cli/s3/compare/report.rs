//! What a comparison found, for people and for programs.
//!
//! **Invariant:** tells how much was compared, how equality was decided, what was not looked at, and every
//! call that was made.

use super::lines::{Lines, document, plain};
use super::{Format, classes, recovery_point};
use crate::base::clock::format_instant;
use crate::base::duration::human;
use crate::cli::args::OutputForm;
use crate::cli::exit::Exit;
use crate::cli::out;
use crate::cloud::compare::{Class, Totals};
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a comparison found.
pub(super) struct Compared {
    pub(super) shown: (String, String),
    /// The regions, or the instants of inventories.
    pub(super) labels: (String, String),
    pub(super) now: DateTime<Utc>,
    pub(super) took: Duration,
    pub(super) sample: Option<u64>,
    pub(super) notes: Vec<String>,
    pub(super) throttled: u64,
    pub(super) max_recovery_point: Option<Duration>,
    pub(super) calls: BTreeMap<String, u32>,
    pub(super) walls: Vec<String>,
    pub(super) server: String,
    pub(super) totals: Totals,
}

impl Compared {
    /// What the command ends with.
    pub(super) fn exit(&self) -> Exit {
        let point = recovery_point(&self.totals, self.now).unwrap_or_default();
        match self.max_recovery_point {
            Some(max) if point > max => Exit::ObjectiveMissed,
            _ if self.totals.unexpected() > 0 => Exit::StepFailed,
            _ => Exit::Ok,
        }
    }

    /// Writes the report: beside a list of differences, to standard error.
    pub(super) fn show(&self, format: Format, lines: &Lines, output: OutputForm) {
        match (output, format) {
            (OutputForm::Json, Format::Text) => {
                out::result(&format!("{:#}", self.document(lines)));
            }
            (OutputForm::Text, Format::Text) => out::prose(&self.text(lines)),
            (_, Format::Jsonl | Format::Csv | Format::Combined) => {
                out::progress(self.text(lines).trim_end());
            }
        }
    }

    fn text(&self, lines: &Lines) -> String {
        let totals = &self.totals;
        let mut text = String::new();
        let mut line = |label: &str, what: String| text.push_str(&format!("{label:<23} {what}\n"));
        line("source", format!("{} ({}): {} keys", self.shown.0, self.labels.0, totals.source));
        let there = totals.destination;
        line("destination", format!("{} ({}): {there} keys", self.shown.1, self.labels.1));
        let equal = totals.equal + totals.settled;
        line("equal", format!("{equal} by size and ETag"));
        if totals.equal_by_checksum > 0 {
            line("", format!("{} by a checksum of the content", totals.equal_by_checksum));
        }
        if totals.equal_by_version > 0 {
            let count = totals.equal_by_version;
            line("", format!("{count} by S3's word: the replica of the same version"));
        }
        if totals.settled > 0 {
            line(
                "",
                format!("{} of these differed at first and not at a second look", totals.settled),
            );
        }
        for (class, count) in classes(totals) {
            line(class.word(), format!("{count}: {}", class.meaning()));
        }
        if totals.too_old > 0 {
            line("not compared", format!("{} written before --since", totals.too_old));
        }
        if totals.too_new > 0 {
            let count = totals.too_new;
            line("not compared", format!("{count} written after the older inventory was"));
        }
        if totals.not_looked_at > 0 {
            line("", format!("{} differences are told from the lists alone", totals.not_looked_at));
        }
        line("recovery point", self.point());
        if self.sample.is_some() {
            line("note", "a sample: what was not compared may differ".to_owned());
        }
        for note in &self.notes {
            line("note", note.clone());
        }
        line("took", self.pace());
        line("calls", self.certificate());
        for difference in &lines.shown {
            let (symbol, key) = (difference.symbol(), plain(&difference.key));
            text.push_str(&format!(
                "  {symbol} {key}  {}: {}\n",
                difference.class.word(),
                difference.how
            ));
        }
        let left = lines.all.saturating_sub(lines.shown.len() as u64);
        if left > 0 && !lines.shown.is_empty() {
            text.push_str(&format!("  and {left} more: --show {}, or --format jsonl\n", lines.all));
        }
        text
    }

    fn point(&self) -> String {
        let promised = self.max_recovery_point.map(|max| format!(", promised {}", human(max)));
        let promised = promised.unwrap_or_default();
        let unproven = self.totals.of(Class::Unproven);
        match (recovery_point(&self.totals, self.now), &self.totals.oldest) {
            (Some(point), Some((_, key))) => format!(
                "{}{promised}: {} is the oldest that is not there",
                human(point),
                plain(key)
            ),
            _ if unproven > 0 => format!("nothing is behind but {unproven} unproven{promised}"),
            _ if self.sample.is_some() => format!("nothing in the sample is behind{promised}"),
            _ => format!("nothing is behind{promised}"),
        }
    }

    fn pace(&self) -> String {
        let keys = self.totals.source + self.totals.destination;
        let rate = keys as f64 / self.took.as_secs_f64().max(0.001);
        let slow = match self.throttled {
            0 => String::new(),
            times => format!("; asked {times} times to slow down"),
        };
        format!("{:.2} s, {rate:.0} keys/s{slow}", self.took.as_secs_f64())
    }

    fn certificate(&self) -> String {
        let each: Vec<String> =
            self.calls.iter().map(|(name, count)| format!("{count} {name}")).collect();
        if self.calls.is_empty() {
            return "none: files of this machine".to_owned();
        }
        let by = format!("answered by {}", self.server);
        format!("{}; {by}; reads only, and nothing here can write", each.join(", "))
    }

    fn document(&self, lines: &Lines) -> Json {
        let totals = &self.totals;
        let point = recovery_point(totals, self.now);
        let classes: BTreeMap<&str, u64> =
            Class::ALL.into_iter().map(|class| (class.word(), totals.of(class))).collect();
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let shown: Vec<Json> = lines.shown.iter().map(document).collect();
        json!({
            "schema_version": 1,
            "source": { "place": self.shown.0, "where": self.labels.0, "keys": totals.source },
            "destination": {
                "place": self.shown.1, "where": self.labels.1, "keys": totals.destination,
            },
            "compared": totals.compared(),
            "equal": {
                "by_etag": totals.equal, "by_checksum": totals.equal_by_checksum,
                "by_version": totals.equal_by_version, "at_second_look": totals.settled,
            },
            "classes": classes,
            "differences": shown,
            "differences_left_out": lines.all.saturating_sub(lines.shown.len() as u64),
            "not_looked_at": totals.not_looked_at,
            "not_compared": { "before_since": totals.too_old, "after_inventory": totals.too_new },
            "sample": self.sample,
            "recovery_point_ms": point.map(ms),
            "max_recovery_point_ms": self.max_recovery_point.map(ms),
            "oldest": totals.oldest.as_ref().map(|(at, key)| json!({
                "key": key, "modified": DateTime::from_timestamp_millis(*at).map(format_instant),
            })),
            "at": format_instant(self.now),
            "took_ms": ms(self.took),
            "throttled": self.throttled,
            "calls": self.calls,
            "walls": self.walls,
            "server": self.server,
            "notes": self.notes,
            "exit_code": self.exit() as u8,
        })
    }
}
