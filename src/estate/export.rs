//! Exports of database snapshots to a bucket: section `exports`.
//!
//! **Invariant:** the shape here names exactly the fields that are read here.

use super::model::{Environment, Estate};
use crate::base::diagnostic::Problems;
use crate::base::shape::{FieldShape, Is, Shape};
use crate::base::yaml::{Fields, Node};
use std::time::Duration;

pub(super) static EXPORT: Shape = Shape {
    summary: "Snapshots of a database that are exported to a bucket.",
    fields: &[
        FieldShape::required("database", Is::Text, "The database, by its name in the estate."),
        FieldShape::required("bucket", Is::Text, "Bucket that they go to."),
        FieldShape::optional("prefix", Is::Text, "Prefix of their keys."),
        FieldShape::optional("every", Is::Duration, "How often one is made.").or("24h"),
        FieldShape::optional("region", Is::Text, "Where it is made; else the database's region."),
    ],
    cases: None,
};

/// How often an export is made when the file does not say.
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// Snapshots of a database that are exported to a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The database, by its name in the estate.
    pub database: String,
    /// Bucket that they go to.
    pub bucket: String,
    /// Prefix of their keys.
    pub prefix: String,
    /// How often one is made.
    pub every: Duration,
    /// Region it is made in; `None` is the database's.
    pub region: Option<String>,
}

impl Estate {
    /// The export as it is in one environment: its region filled in.
    pub fn export_in(&self, name: &str, environment: &Environment) -> Option<Export> {
        let mut found = self.exports.get(name)?.clone();
        let database = self.database_in(&found.database, environment);
        let region = database.and_then(|database| database.region);
        let region = region.unwrap_or_else(|| environment.region.clone());
        found.region.get_or_insert(region);
        Some(found)
    }
}

/// Reads an export.
pub(super) fn read(node: &Node, p: &mut Problems) -> Export {
    let mut f = Fields::of(node, "an export", p).shaped(&EXPORT);
    let export = Export {
        database: f.required_text("database", p).unwrap_or_default(),
        bucket: f.required_text("bucket", p).unwrap_or_default(),
        prefix: f.text("prefix", p).unwrap_or_default(),
        every: f.duration("every", p).unwrap_or(EVERY),
        region: f.text("region", p),
    };
    if export.every < Duration::from_secs(60) {
        p.error("DR004", node.span, "field `every`: expected a minute or more");
    }
    f.finish(p);
    export
}

/// Checks that each export is of a database of the estate.
pub(super) fn check(estate: &Estate, node: &Node, p: &mut Problems) {
    for (name, export) in &estate.exports {
        if !export.database.is_empty() && !estate.databases.contains_key(&export.database) {
            let database = &export.database;
            p.error(
                "DR004",
                node.span,
                format!("export `{name}`: there is no database `{database}`"),
            )
            .help("name a key of `databases`");
        }
    }
}
