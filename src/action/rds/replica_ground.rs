//! What a new read replica stands on: its source, and whether that can be replicated.
//!
//! **Invariant:** a source of another account, without backups, or encrypted and without a key for the
//! replica's region is refused before anything is asked for.

use super::lag::is_source;
use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use crate::cloud::model::DbInstance;

/// Where the source is, and how the call names it.
pub(super) struct Source {
    pub(super) region: String,
    pub(super) id: String,
    /// Identifier in the step's region, ARN elsewhere.
    pub(super) named: String,
}

/// The source: an ARN says where it is; of an identifier the estate may.
pub(super) fn source(scope: &StepScope<'_>) -> Result<Source, ActionError> {
    let given = scope.text("source").unwrap_or_default();
    let bad = |why: &str| ActionError::Input { name: "source".to_owned(), why: why.to_owned() };
    let (region, id) = if given.starts_with("arn:") {
        let parts: Vec<&str> = given.splitn(7, ':').collect();
        let [_, _, "rds", region, account, "db", id] = parts[..] else {
            return Err(bad("it is not the ARN of a database instance"));
        };
        if account != scope.environment.account {
            return Err(bad("it belongs to another account"));
        }
        (region.to_owned(), id.to_ascii_lowercase())
    } else {
        let known = scope
            .estate
            .databases
            .keys()
            .filter_map(|name| scope.estate.database_in(name, scope.environment))
            .find(|database| database.instance.eq_ignore_ascii_case(given));
        let region = known.map(|it| it.region.unwrap_or_else(|| scope.environment.region.clone()));
        (region.unwrap_or_else(|| scope.region.to_owned()), given.to_ascii_lowercase())
    };
    let account = &scope.environment.account;
    let arn = || format!("arn:aws:rds:{region}:{account}:db:{id}");
    let named = if region == scope.region { id.clone() } else { arn() };
    Ok(Source { region, id, named })
}

/// Whether the source can be replicated now.
pub(super) enum Readiness {
    Ready,
    Wait(String),
    Never { why: String, help: String },
}

pub(super) fn readiness(
    scope: &StepScope<'_>,
    source: &Source,
    found: Option<&DbInstance>,
) -> Readiness {
    let never = |why: String, help: &str| Readiness::Never { why, help: help.to_owned() };
    let Some(found) = found else {
        let why = format!("there is no database instance `{}` in {}", source.id, source.region);
        return never(why, "check the estate file and the region");
    };
    let (id, status) = (&found.id, &found.status);
    if found.backup_retention_days == 0 {
        let why =
            format!("`{id}` has backup retention 0, and RDS replicates only what has backups");
        return never(why, "turn its automated backups on first (rds.modify_instance)");
    }
    let far = source.region != scope.region;
    if far && found.storage_encrypted && scope.text("kms_key").is_none() {
        let why =
            format!("`{id}` is encrypted, and its replica in {} needs a key there", scope.region);
        return never(why, "give `kms_key`: an encrypted replica takes no key from another region");
    }
    if found.is_broken() || matches!(status.as_str(), "stopped" | "deleting") {
        let why = format!("`{id}` is `{status}` and cannot be replicated");
        return never(why, "mend or start it first; read its events (DescribeEvents)");
    }
    // What RDS takes a replica of.
    if matches!(status.as_str(), "available" | "backing-up" | "storage-optimization") {
        return Readiness::Ready;
    }
    Readiness::Wait(format!("`{id}` is `{status}`, waiting until it is available"))
}

/// What is wrong with a replica that AWS calls usable.
pub(super) fn violation(source: &Source, found: &DbInstance) -> Option<(String, String)> {
    let id = &found.id;
    if found.publicly_accessible != Some(false) {
        let why = format!("`{id}` is publicly accessible, or AWS does not say that it is not");
        return Some((why, format!("delete `{id}`; it must never have a public address")));
    }
    match &found.replica_source {
        Some(follows) if is_source(follows, &source.named) => None,
        Some(follows) => {
            let why = format!("`{id}` follows `{follows}`, not `{}`", source.named);
            Some((why, format!("find out who made `{id}`")))
        }
        None => {
            let why = format!("`{id}` follows nothing: somebody promoted it");
            Some((why, "look at its events (DescribeEvents)".to_owned()))
        }
    }
}
