//! The check pack: questions that every PostgreSQL database can answer about itself.
//!
//! **Invariant:** each statement is one read with one answer row.

/// One question of the pack.
pub(super) struct Item {
    /// Name in runbooks.
    pub(super) name: &'static str,
    /// The statement: one row, one column.
    pub(super) statement: &'static str,
    /// The answer that passes; `None` accepts any answer.
    pub(super) passes: Option<&'static str>,
    /// What a wrong answer means.
    pub(super) meaning: &'static str,
}

/// The pack, by name.
pub(super) const PACK: [Item; 4] = [
    Item {
        name: "reachable",
        statement: "SELECT 1",
        passes: Some("1"),
        meaning: "the database does not answer",
    },
    Item {
        name: "primary",
        statement: "SELECT pg_is_in_recovery()",
        passes: Some("f"),
        meaning: "the database is still in recovery and takes no writes",
    },
    Item {
        name: "indexes",
        statement: "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
        passes: Some("0"),
        meaning: "there are invalid indexes",
    },
    Item {
        name: "amcheck",
        statement: "SELECT count(bt_index_check(i.indexrelid)) FROM pg_index i \
                    JOIN pg_class c ON c.oid = i.indexrelid \
                    JOIN pg_am a ON a.oid = c.relam \
                    JOIN pg_namespace n ON n.oid = c.relnamespace \
                    WHERE a.amname = 'btree' AND c.relpersistence <> 't' AND i.indisvalid \
                    AND n.nspname <> 'pg_toast'",
        passes: None,
        meaning: "an index disagrees with its table",
    },
];

/// The names, for the declared type of the input.
pub(super) const NAMES: &[&str] = &["reachable", "primary", "indexes", "amcheck", "write_probe"];

/// Statements of the write probe; only on instances that this run created.
pub(super) const WRITE_PROBE: [&str; 4] = [
    "CREATE TEMPORARY TABLE drctl_write_probe (at timestamptz)",
    "INSERT INTO drctl_write_probe VALUES (now())",
    "SELECT count(*) FROM drctl_write_probe",
    "DROP TABLE drctl_write_probe",
];
