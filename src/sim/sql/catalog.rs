//! The parts of PostgreSQL's catalogue that checks read, as SQLite tables and functions.
//!
//! **Invariant:** what a check can ask of a healthy PostgreSQL has an answer here; nothing
//! pretends to more.

use crate::estate::Table;
use crate::sim::sql::content::{Content, ROW_LIMIT, Written, written};
use crate::sim::state::Instance;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Result, params};
use std::collections::BTreeSet;

/// Access method number of btree.
const BTREE: i64 = 403;

/// Tables of the catalogue, empty, and the schemas beside `public`.
const CATALOGUE: &str = "
    ATTACH ':memory:' AS information_schema;
    CREATE TABLE information_schema.tables (
        table_catalog TEXT, table_schema TEXT, table_name TEXT, table_type TEXT);
    CREATE TABLE information_schema.schemata (catalog_name TEXT, schema_name TEXT);
    CREATE TABLE pg_extension (oid INTEGER, extname TEXT, extversion TEXT);
    CREATE TABLE pg_am (oid INTEGER, amname TEXT);
    CREATE TABLE pg_namespace (oid INTEGER, nspname TEXT);
    CREATE TABLE pg_database (oid INTEGER, datname TEXT);
    CREATE TABLE pg_class (
        oid INTEGER, relname TEXT, relnamespace INTEGER, relkind TEXT, relam INTEGER,
        reltuples REAL, relpersistence TEXT);
    CREATE TABLE pg_index (
        indexrelid INTEGER, indrelid INTEGER, indisunique INTEGER, indisprimary INTEGER,
        indisvalid INTEGER, indisready INTEGER, indislive INTEGER);
    CREATE TABLE pg_tables (schemaname TEXT, tablename TEXT);
    INSERT INTO pg_am VALUES (403, 'btree'), (2, 'heap');
    INSERT INTO pg_namespace VALUES (11, 'pg_catalog'), (2200, 'public'), (16384, 'drctl');
    INSERT INTO information_schema.schemata VALUES
        ('', 'pg_catalog'), ('', 'information_schema'), ('', 'public');
";

/// Makes the database of `content` in `connection`, without rows in its tables.
pub(in crate::sim::sql) fn build(
    connection: &Connection,
    content: &Content,
    instance: &Instance,
    database: &str,
) -> Result<()> {
    connection.execute_batch(CATALOGUE)?;
    connection.execute("INSERT INTO pg_database VALUES (5, 'postgres')", [])?;
    if database != "postgres" {
        connection.execute("INSERT INTO pg_database VALUES (16400, ?1)", [database])?;
    }
    for (at, extension) in content.dataset.extensions.iter().enumerate() {
        let oid = 13_000 + at as i64;
        connection
            .execute("INSERT INTO pg_extension VALUES (?1, ?2, '1.0')", params![oid, extension])?;
    }
    for (at, table) in content.dataset.tables.iter().enumerate() {
        let name = quoted(&table.name);
        connection.execute_batch(&format!(
            "CREATE TABLE {name} (id INTEGER PRIMARY KEY, created_at TEXT, created_ms INTEGER)"
        ))?;
        register(connection, database, "public", &table.name, 17_000 + 10 * at as i64)?;
    }
    if content.dataset.heartbeat_every.is_some() {
        connection.execute_batch(
            "ATTACH ':memory:' AS drctl;
             CREATE TABLE drctl.heartbeat (
                 writer TEXT PRIMARY KEY, source TEXT, sequence INTEGER, at TEXT, at_ms INTEGER);
             INSERT INTO information_schema.schemata VALUES ('', 'drctl');",
        )?;
        register(connection, database, "drctl", "heartbeat", 16_900)?;
    }
    functions(connection, content, instance, database)
}

fn register(
    connection: &Connection,
    database: &str,
    schema: &str,
    table: &str,
    oid: i64,
) -> Result<()> {
    connection.execute(
        "INSERT INTO information_schema.tables VALUES (?1, ?2, ?3, 'BASE TABLE')",
        params![database, schema, table],
    )?;
    connection.execute("INSERT INTO pg_tables VALUES (?1, ?2)", params![schema, table])?;
    let space = if schema == "public" { 2200 } else { 16_384 };
    connection.execute(
        "INSERT INTO pg_class VALUES (?1, ?2, ?3, 'r', 2, -1, 'p')",
        params![oid, table, space],
    )?;
    connection.execute(
        "INSERT INTO pg_class VALUES (?1, ?2, ?3, 'i', ?4, -1, 'p')",
        params![oid + 1, format!("{table}_pkey"), space, BTREE],
    )?;
    connection
        .execute("INSERT INTO pg_index VALUES (?1, ?2, 1, 1, 1, 1, 1)", params![oid + 1, oid])?;
    Ok(())
}

fn functions(
    connection: &Connection,
    content: &Content,
    instance: &Instance,
    database: &str,
) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    let replica = instance.replica_of.is_some();
    connection
        .create_scalar_function("pg_is_in_recovery", 0, flags, move |_| Ok(i64::from(replica)))?;
    let version = format!("PostgreSQL {} (simulated)", instance.engine_version);
    connection.create_scalar_function("version", 0, flags, move |_| Ok(version.clone()))?;
    let server = instance.engine_version.clone();
    for count in 1..=2 {
        let server = server.clone();
        connection.create_scalar_function("current_setting", count, flags, move |context| {
            let name: String = context.get(0)?;
            Ok(if name == "server_version" { server.clone() } else { String::new() })
        })?;
    }
    connection.create_scalar_function("current_schema", 0, flags, |_| Ok("public".to_owned()))?;
    let name = database.to_owned();
    connection.create_scalar_function("current_database", 0, flags, move |_| Ok(name.clone()))?;
    let user = instance.user.clone();
    connection.create_scalar_function("session_user", 0, flags, move |_| Ok(user.clone()))?;
    let mut known: BTreeSet<String> = BTreeSet::new();
    for table in &content.dataset.tables {
        known.extend([table.name.clone(), format!("public.{}", table.name)]);
    }
    if content.dataset.heartbeat_every.is_some() {
        known.insert("drctl.heartbeat".to_owned());
    }
    connection.create_scalar_function("to_regclass", 1, flags, move |context| {
        let name: String = context.get(0)?;
        Ok(known.contains(&name).then_some(name))
    })?;
    let rows: i64 = content.dataset.tables.iter().map(|table| i64::from(table.rows)).sum();
    let size = 8_000_000 + rows * 120;
    connection.create_scalar_function("pg_database_size", 1, flags, move |_| Ok(size))?;
    if content.dataset.extensions.iter().any(|extension| extension == "amcheck") {
        for (name, most) in [("bt_index_check", 2), ("bt_index_parent_check", 3)] {
            for count in 1..=most {
                connection.create_scalar_function(name, count, flags, |_| Ok(String::new()))?;
            }
        }
    }
    Ok(())
}

/// Adds the rows that `table` got until it has `rows`, and drops those above the limit.
pub(in crate::sim::sql) fn grow(
    connection: &Connection,
    table: &Table,
    from: i64,
    rows: i64,
) -> Result<()> {
    let name = quoted(&table.name);
    let Written { early, early_first, early_every, late_first, late_every } = written(table);
    let begin = from.max(rows - ROW_LIMIT);
    if begin < rows {
        connection.execute(
            &format!(
                "WITH RECURSIVE n(id) AS (SELECT ?1 UNION ALL SELECT id + 1 FROM n WHERE id < ?2),
                 w(id, ms) AS (SELECT id, CASE WHEN id <= ?3 THEN ?4 + id * ?5
                     ELSE ?6 + (id - ?3) * ?7 END FROM n)
                 INSERT INTO {name}
                 SELECT id, strftime('%Y-%m-%d %H:%M:%S', ms / 1000, 'unixepoch') || '+00', ms FROM w"
            ),
            params![begin + 1, rows, early, early_first, early_every, late_first, late_every],
        )?;
    }
    connection.execute(&format!("DELETE FROM {name} WHERE id <= ?1"), [rows - ROW_LIMIT])?;
    Ok(())
}

/// An identifier in double quotes.
pub(in crate::sim::sql) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
