//! One simulated PostgreSQL server: an in-memory SQLite database that follows its instance's data.
//!
//! **Invariant:** rows appear as time passes; what a caller wrote stays until the server is
//! dropped.

use crate::base::digest::hex;
use crate::sim::api::{SimAccess, SimQuery, SimRows, SimSqlFault};
use crate::sim::sql::content::Content;
use crate::sim::sql::statement::{Kind, Statement, read, read_only};
use crate::sim::sql::{booleans, catalog};
use crate::sim::state::Instance;
use chrono::{DateTime, Utc};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// How a column's numbers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Plain,
    /// As `t` and `f`.
    Truth,
}

/// A running server.
pub(in crate::sim::sql) struct Server {
    connection: Connection,
    content: Content,
    /// Rows given to each table so far.
    rows: BTreeMap<String, i64>,
    version: String,
    /// A replica refuses writes whoever asks.
    replica: bool,
    /// What `now()` says, epoch milliseconds.
    now_ms: Arc<AtomicI64>,
}

fn internal(error: &rusqlite::Error) -> SimSqlFault {
    SimSqlFault::sql("XX000", error.to_string())
}

impl Server {
    /// A server for `database` of `instance`.
    pub(in crate::sim::sql) fn start(
        content: Content,
        instance: &Instance,
        database: &str,
    ) -> Result<Self, SimSqlFault> {
        let connection = Connection::open_in_memory().map_err(|error| internal(&error))?;
        catalog::build(&connection, &content, instance, database)
            .map_err(|error| internal(&error))?;
        let now_ms = Arc::new(AtomicI64::new(0));
        let told = Arc::clone(&now_ms);
        connection
            .create_scalar_function("simulated_now", 0, FunctionFlags::SQLITE_UTF8, move |_| {
                let instant = DateTime::from_timestamp_millis(told.load(Ordering::Relaxed));
                Ok(instant.unwrap_or_default().format("%Y-%m-%d %H:%M:%S%.3f+00").to_string())
            })
            .map_err(|error| internal(&error))?;
        Ok(Self {
            connection,
            content,
            rows: BTreeMap::new(),
            version: instance.engine_version.clone(),
            replica: instance.replica_of.is_some(),
            now_ms,
        })
    }

    /// As of when the data was that it showed last.
    pub(in crate::sim::sql) fn shown(&self) -> Option<DateTime<Utc>> {
        let last = self.now_ms.load(Ordering::Relaxed);
        if last == 0 { None } else { DateTime::from_timestamp_millis(last) }
    }

    /// Runs a statement on the data as of `point`, or several where writing is allowed; of several
    /// results, the last one with columns.
    pub(in crate::sim::sql) fn run(
        &mut self,
        query: &SimQuery,
        point: DateTime<Utc>,
    ) -> Result<SimRows, SimSqlFault> {
        let access = if self.replica { SimAccess::ReadOnly } else { query.access };
        let statements = read(&query.statement, query.access)?;
        self.now_ms.store(point.timestamp_millis(), Ordering::Relaxed);
        self.follow(point).map_err(|error| internal(&error))?;
        let mut last = SimRows::default();
        for statement in &statements {
            statement.check(access)?;
            let rows = self.carry_out(statement, access)?;
            if !rows.columns.is_empty() {
                last = rows;
            }
        }
        Ok(last)
    }

    fn carry_out(&self, statement: &Statement, access: SimAccess) -> Result<SimRows, SimSqlFault> {
        match &statement.kind {
            Kind::Ignored => Ok(SimRows::default()),
            Kind::Show(name) => Ok(self.show(name, access)),
            Kind::Read => self.select(statement, access),
            Kind::Schema(name) => self.schema(name),
            Kind::Write if self.beats() && statement.text.contains("drctl.heartbeat") => {
                self.beaten(statement)
            }
            Kind::Write => self.write(statement),
            Kind::Define => self.define(statement),
        }
    }

    fn beats(&self) -> bool {
        self.content.dataset.heartbeat_every.is_some()
    }

    /// The modelled writer already beats and a second one would only race it: a write to the
    /// heartbeat changes nothing, and returns the newest beat where it returns something.
    fn beaten(&self, of: &Statement) -> Result<SimRows, SimSqlFault> {
        let Some(at) = of.text.to_ascii_lowercase().rfind("returning ") else {
            return Ok(SimRows::default());
        };
        let returned = &of.text[at + "returning ".len()..];
        let text = format!("SELECT {returned} FROM drctl.heartbeat");
        self.select(&Statement { kind: Kind::Read, text }, SimAccess::ReadOnly)
    }

    /// Brings rows and heartbeat up to `point`.
    fn follow(&mut self, point: DateTime<Utc>) -> rusqlite::Result<()> {
        for table in &self.content.dataset.tables {
            let wanted = self.content.rows(table, point);
            let given = self.rows.entry(table.name.clone()).or_insert(0);
            if *given < wanted {
                catalog::grow(&self.connection, table, *given, wanted)?;
                *given = wanted;
            }
        }
        let Some(beat) = self.content.beat(point) else { return Ok(()) };
        let at = DateTime::from_timestamp_millis(beat.at_ms).unwrap_or_default();
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO drctl.heartbeat VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(rusqlite::params![
                self.content.writer,
                self.content.source,
                beat.sequence,
                at.format("%Y-%m-%d %H:%M:%S%.3f+00").to_string(),
                beat.at_ms,
            ])?;
        Ok(())
    }

    fn show(&self, name: &str, access: SimAccess) -> SimRows {
        let value = match name {
            "server_version" => self.version.clone(),
            "transaction_read_only" | "default_transaction_read_only" => match access {
                SimAccess::ReadOnly => "on".to_owned(),
                SimAccess::ReadWrite => "off".to_owned(),
            },
            "server_encoding" | "client_encoding" => "UTF8".to_owned(),
            "timezone" => "UTC".to_owned(),
            _ => String::new(),
        };
        SimRows { columns: vec![name.to_owned()], rows: vec![vec![Some(value)]] }
    }

    fn select(&self, of: &Statement, access: SimAccess) -> Result<SimRows, SimSqlFault> {
        let mut prepared = self.connection.prepare(&of.text).map_err(|error| fault(&error))?;
        if !prepared.readonly() && access == SimAccess::ReadOnly {
            return Err(read_only("WITH"));
        }
        let columns: Vec<String> = prepared.column_names().map(column_name).collect();
        let truths = booleans::columns(&of.text);
        let shape = |at: usize| match truths.len() == columns.len() && truths[at] {
            true => Shape::Truth,
            false => Shape::Plain,
        };
        let mut found = prepared.query([]).map_err(|error| fault(&error))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(|error| fault(&error))? {
            let cells: rusqlite::Result<Vec<Option<String>>> =
                (0..columns.len()).map(|at| Ok(text(row.get_ref(at)?, shape(at)))).collect();
            rows.push(cells.map_err(|error| fault(&error))?);
        }
        Ok(SimRows { columns, rows })
    }

    fn schema(&self, name: &str) -> Result<SimRows, SimSqlFault> {
        let known = self.connection.prepare(&format!(
            "SELECT 1 FROM pragma_database_list WHERE name = '{}'",
            name.replace('\'', "''")
        ));
        let exists =
            known.and_then(|mut known| known.exists([])).map_err(|error| internal(&error))?;
        if !exists && name != "public" {
            self.connection
                .execute_batch(&format!("ATTACH ':memory:' AS {}", catalog::quoted(name)))
                .map_err(|error| fault(&error))?;
        }
        Ok(SimRows::default())
    }

    fn write(&self, of: &Statement) -> Result<SimRows, SimSqlFault> {
        // RETURNING makes a write give rows.
        self.select(of, SimAccess::ReadWrite)
    }

    /// Schema changes are carried out where SQLite understands them. Types, defaults and storage
    /// options that only PostgreSQL has are accepted without effect.
    fn define(&self, of: &Statement) -> Result<SimRows, SimSqlFault> {
        if let Some(name) = of.temporary_table() {
            // Callers have no sessions here that could end and take their temporary tables along.
            let name = catalog::quoted(name);
            let dropped =
                self.connection.execute_batch(&format!("DROP TABLE IF EXISTS temp.{name}"));
            dropped.map_err(|error| fault(&error))?;
        }
        match self.connection.execute_batch(&of.text) {
            Ok(()) => Ok(SimRows::default()),
            Err(error) => {
                let fault = fault(&error);
                if fault.code() == Some("42601") { Ok(SimRows::default()) } else { Err(fault) }
            }
        }
    }
}

/// `count(*)` is called `count` in PostgreSQL.
fn column_name(name: &str) -> String {
    match name.split_once('(') {
        Some((function, _)) if function.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            function.to_lowercase()
        }
        Some(_) => "?column?".to_owned(),
        None => name.to_owned(),
    }
}

fn text(value: ValueRef<'_>, shape: Shape) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) if shape == Shape::Truth => {
            Some(if number == 0 { "f" } else { "t" }.to_owned())
        }
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(format!("\\x{}", hex(bytes))),
    }
}

/// SQLite's error as PostgreSQL would report it.
fn fault(error: &rusqlite::Error) -> SimSqlFault {
    let message = if let rusqlite::Error::SqliteFailure(_, Some(message)) = error {
        message.clone()
    } else if let rusqlite::Error::SqlInputError { msg, .. } = error {
        msg.clone()
    } else {
        error.to_string()
    };
    let after = |prefix: &str| message.split_once(prefix).map(|(_, name)| name.trim().to_owned());
    if let Some(name) = after("no such table: ") {
        return SimSqlFault::sql("42P01", format!("relation \"{name}\" does not exist"));
    }
    if let Some(name) = after("no such column: ") {
        return SimSqlFault::sql("42703", format!("column \"{name}\" does not exist"));
    }
    if let Some(name) = after("no such function: ") {
        return SimSqlFault::sql("42883", format!("function {name} does not exist"));
    }
    if let Some(name) = after("unknown database ") {
        return SimSqlFault::sql("3F000", format!("schema \"{name}\" does not exist"));
    }
    if message.contains("already exists") {
        return SimSqlFault::sql("42P07", message);
    }
    if message.contains("UNIQUE constraint") {
        return SimSqlFault::sql("23505", message);
    }
    if message.contains("syntax error") || message.contains("incomplete input") {
        return SimSqlFault::sql("42601", message);
    }
    SimSqlFault::sql("XX000", message)
}
