//! What an instance's database holds at an instant: tables, rows, heartbeat.
//!
//! **Invariant:** a pure function of dataset, origin and instant; planted wrong data is decided
//! here and nowhere else.

use crate::base::clock::simulated_epoch;
use crate::estate::{Database, Dataset, Table};
use crate::sim::genesis::{birth, uuid};
use crate::sim::state::{Instance, World, Wrong};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Most rows that a table is given.
pub(in crate::sim::sql) const ROW_LIMIT: i64 = 20_000;

/// The content of one database.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sim::sql) struct Content {
    pub(in crate::sim::sql) dataset: Dataset,
    /// Stable identity of whoever writes the heartbeat.
    pub(in crate::sim::sql) writer: String,
    /// `<estate>/<database>`.
    pub(in crate::sim::sql) source: String,
    pub(in crate::sim::sql) wrong: Option<Wrong>,
}

/// A heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::sql) struct Beat {
    pub(in crate::sim::sql) sequence: i64,
    pub(in crate::sim::sql) at_ms: i64,
}

impl Content {
    /// What `instance` holds; only the application's database holds anything.
    pub(in crate::sim::sql) fn of(
        estate: &str,
        world: &World,
        databases: &BTreeMap<String, Database>,
        instance: &Instance,
        database: &str,
    ) -> Self {
        let wrong = instance.data.wrong;
        let own = instance.data.origin.as_str();
        let origin = match wrong {
            Some(Wrong::OtherDatabase) => another(databases, own),
            Some(Wrong::Stale | Wrong::EmptyTable | Wrong::MissingSchema) | None => own,
        };
        let mut dataset = databases
            .get(origin)
            .or_else(|| databases.get(own))
            .map(|database| database.dataset.clone())
            .unwrap_or_default();
        if database != instance.db_name {
            dataset = Dataset { extensions: vec!["plpgsql".to_owned()], ..Dataset::default() };
        }
        if wrong == Some(Wrong::MissingSchema) {
            if dataset.tables.is_empty() {
                dataset.heartbeat_every = None;
            }
            dataset.tables.clear();
        }
        Self {
            writer: uuid(world.seed(), &format!("heartbeat/{estate}/{origin}")),
            source: format!("{estate}/{origin}"),
            dataset,
            wrong,
        }
    }

    /// Rows that `table` has at `point`.
    pub(in crate::sim::sql) fn rows(&self, table: &Table, point: DateTime<Utc>) -> i64 {
        let first = self.dataset.tables.first().map(|first| first.name.as_str());
        if self.wrong == Some(Wrong::EmptyTable) && first == Some(table.name.as_str()) {
            return 0;
        }
        let rows = i64::from(table.rows);
        let Some(every) = every_ms(table) else { return rows };
        let grown = (point - growth_start()).num_milliseconds().div_euclid(every);
        if grown >= 0 {
            return rows + grown;
        }
        let early = (point - birth()).num_milliseconds().div_euclid(written(table).early_every);
        early.clamp(0, rows)
    }

    /// The newest heartbeat at or before `point`.
    pub(in crate::sim::sql) fn beat(&self, point: DateTime<Utc>) -> Option<Beat> {
        let every = i64::try_from(self.dataset.heartbeat_every?.as_millis()).ok()?.max(1);
        let sequence = (point - birth()).num_milliseconds().div_euclid(every);
        let at_ms = birth().timestamp_millis() + sequence * every;
        (sequence >= 0).then_some(Beat { sequence, at_ms })
    }
}

/// When the rows of a table were written, epoch milliseconds: the declared ones evenly since the world's
/// birth, so that an old snapshot has data too, those after them at the declared pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim::sql) struct Written {
    /// Rows that were written evenly: ids from 1 to this one.
    pub(in crate::sim::sql) early: i64,
    /// Row `id` of these was written at `early_first + id * early_every`.
    pub(in crate::sim::sql) early_first: i64,
    pub(in crate::sim::sql) early_every: i64,
    /// A later row was written at `late_first + (id - early) * late_every`.
    pub(in crate::sim::sql) late_first: i64,
    pub(in crate::sim::sql) late_every: i64,
}

/// When the rows of `table` were written.
pub(in crate::sim::sql) fn written(table: &Table) -> Written {
    let (first, start) = (birth().timestamp_millis(), growth_start().timestamp_millis());
    Written {
        early: i64::from(table.rows),
        early_first: first,
        early_every: ((start - first) / i64::from(table.rows.max(1))).max(1),
        late_first: start,
        late_every: every_ms(table).unwrap_or_default(),
    }
}

fn every_ms(table: &Table) -> Option<i64> {
    let every = i64::try_from(table.row_every?.as_millis()).ok()?;
    (every > 0).then_some(every)
}

/// A growing table has its declared number of rows a day before the world begins.
fn growth_start() -> DateTime<Utc> {
    simulated_epoch() - TimeDelta::days(1)
}

fn another<'a>(databases: &'a BTreeMap<String, Database>, own: &str) -> &'a str {
    databases
        .iter()
        .find(|(key, database)| key.as_str() != own && database.replica_of.is_none())
        .map_or("someone-else", |(key, _)| key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn content(wrong: Option<Wrong>) -> Content {
        let table = |name: &str, row_every| Table { name: name.to_owned(), rows: 100, row_every };
        Content {
            dataset: Dataset {
                extensions: Vec::new(),
                tables: vec![table("a", None), table("b", Some(Duration::from_secs(3600)))],
                heartbeat_every: Some(Duration::from_secs(10)),
            },
            writer: "w".to_owned(),
            source: "s/a".to_owned(),
            wrong,
        }
    }

    #[test]
    fn rows_follow_time() {
        let content = content(None);
        let [still, growing] = content.dataset.tables.as_slice() else { panic!("two") };
        let at = |hours| simulated_epoch() + TimeDelta::hours(hours);
        assert_eq!((content.rows(still, at(0)), content.rows(still, at(50))), (100, 100));
        assert_eq!((content.rows(growing, at(0)), content.rows(growing, at(2))), (124, 126));
        assert_eq!((content.rows(growing, at(-24)), content.rows(growing, at(-25))), (100, 99));
        assert_eq!((content.rows(growing, at(-48)), content.rows(growing, at(-30 * 24))), (98, 50));
        assert_eq!(content.rows(growing, at(-70 * 24)), 0, "the world was not born yet");
        let written = written(growing);
        let newest = written.late_first + (124 - written.early) * written.late_every;
        assert_eq!(newest, at(0).timestamp_millis(), "the newest row is the newest");
        let last = written.early_first + written.early * written.early_every;
        assert_eq!(last, written.late_first, "and the last early row is the last");
        assert_eq!(self::content(Some(Wrong::EmptyTable)).rows(still, at(0)), 0);
    }

    #[test]
    fn beats_lie_on_their_grid_and_never_after_the_point() {
        let point = simulated_epoch() + TimeDelta::milliseconds(14_999);
        let beat = content(None).beat(point).expect("a beat");
        assert_eq!(beat.at_ms, simulated_epoch().timestamp_millis() + 10_000);
        let next = content(None).beat(point + TimeDelta::milliseconds(5_001)).expect("a beat");
        assert_eq!((next.sequence, next.at_ms), (beat.sequence + 1, beat.at_ms + 10_000));
        assert_eq!(content(None).beat(birth() - TimeDelta::seconds(1)), None);
    }
}
