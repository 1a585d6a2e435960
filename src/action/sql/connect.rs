//! Opens a session to an instance with the secret's current password, else its previous one.
//!
//! **Invariant:** the password goes from the secret to the connector and nowhere else.

use crate::action::context::ReadContext;
use crate::action::outcome::{ActionError, Preview};
use crate::action::spec::Field;
use crate::base::value::Type;
use crate::cloud::{DatabaseLogin, EffectError, SecretStage, SqlMode, SqlSession, SqlTarget};
use std::path::PathBuf;
use std::time::Duration;

/// Longest time to a session: a restored instance on cold storage is slow, not dead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// What users report of the first reads of a restored volume, which loads its blocks on demand: below a
/// second to 22 s a table scan. The upper end allows for a dozen scans.
pub(super) const CITED: (Duration, Duration, &str) = (
    Duration::from_secs(1),
    Duration::from_secs(300),
    "users: below 1 s to 22 s a table scan while storage still loads",
);

/// An open session, and what is worth saying about how it was opened.
pub(super) struct Opened {
    pub(super) session: Box<dyn SqlSession>,
    pub(super) note: Option<String>,
    /// Where answers come from, for evidence.
    pub(super) source: String,
}

/// The inputs that every SQL action has.
pub(super) fn connection_inputs() -> Vec<Field> {
    vec![
        Field::required("instance", Type::String, "identifier of the instance to read"),
        Field::optional(
            "database",
            Type::String,
            "database name; the secret's or the instance's when absent",
        ),
        Field::optional("user", Type::String, "user; the secret's or the master user when absent"),
        Field::optional(
            "secret",
            Type::String,
            "Secrets Manager secret with `username` and `password`",
        ),
        Field::optional(
            "statement_timeout",
            Type::Duration,
            "longest time of one statement; 60s when absent",
        ),
    ]
}

/// The AWS operations that opening a session needs.
pub(super) const CALLS: &[&str] = &[
    "rds:DescribeDBInstances",
    "secretsmanager:GetSecretValue",
    "secretsmanager:ListSecretVersionIds",
];

/// Opens a session to `instance` in `mode`.
pub(super) async fn open(
    context: &ReadContext<'_>,
    instance: &str,
    mode: SqlMode,
) -> Result<Opened, ActionError> {
    let scope = &context.scope;
    let secret = scope.text("secret").ok_or_else(|| {
        ActionError::refused(
            format!("no secret is given for `{instance}`, so there is no password to log in with"),
            "set `secret` of the database in the estate file",
        )
    })?;
    let mut target = target(context, instance, mode).await?;
    let current =
        context.effects.database_login(scope.region, secret, SecretStage::Current).await?;
    let source = format!("SQL on {instance}");
    apply(context, &mut target, current);
    let first = match context.effects.sql(&target).await {
        Ok(session) => return Ok(Opened { session, note: None, source }),
        Err(EffectError::Sql(error)) if error.is_authentication() => error,
        Err(error) => return Err(error.into()),
    };
    // A restore brings back the password of its instant: the version before the last rotation.
    let previous =
        context.effects.database_login(scope.region, secret, SecretStage::Previous).await;
    let Ok(previous) = previous else { return Err(EffectError::Sql(first).into()) };
    apply(context, &mut target, previous);
    let session = context.effects.sql(&target).await?;
    let note = Some(format!(
        "`{instance}` still has the previous version of secret `{secret}` as its password"
    ));
    Ok(Opened { session, note, source })
}

async fn target(
    context: &ReadContext<'_>,
    instance: &str,
    mode: SqlMode,
) -> Result<SqlTarget, ActionError> {
    let scope = &context.scope;
    let found = context.view.db_instance(scope.region, instance).await?.ok_or_else(|| {
        ActionError::refused(
            format!("there is no database instance `{instance}`"),
            "check the step that makes it",
        )
    })?;
    let endpoint = found.endpoint.ok_or_else(|| {
        ActionError::refused(
            format!("`{instance}` is `{}` and has no endpoint", found.status),
            "wait for it first",
        )
    })?;
    Ok(SqlTarget {
        host: endpoint.host,
        port: endpoint.port,
        database: found.database.unwrap_or_else(|| "postgres".to_owned()),
        user: found.master_user.unwrap_or_else(|| "postgres".to_owned()),
        password: String::new().into(),
        route: scope.environment.sql.route.clone(),
        trust: scope.environment.sql.sslrootcert.as_ref().map(PathBuf::from),
        mode,
        statement_timeout: scope.duration("statement_timeout").unwrap_or(Duration::from_secs(60)),
        connect_timeout: CONNECT_TIMEOUT,
    })
}

fn apply(context: &ReadContext<'_>, target: &mut SqlTarget, login: DatabaseLogin) {
    let scope = &context.scope;
    let user = scope.text("user").map(str::to_owned).or(login.user);
    let database = scope.text("database").map(str::to_owned).or(login.database);
    target.user = user.unwrap_or_else(|| target.user.clone());
    target.database = database.unwrap_or_else(|| target.database.clone());
    target.password = login.password;
}

/// The part of a preview that all SQL actions share: what is known without reading secrets or SQL.
pub(super) async fn preview(context: &ReadContext<'_>, what: &str) -> Result<Preview, ActionError> {
    let scope = &context.scope;
    let instance = scope.text("instance").unwrap_or_default();
    let mut preview = Preview {
        summary: format!("{what} on `{instance}`"),
        cannot_know: Some(
            "a dry run neither reads passwords (GetSecretValue) nor runs SQL, and the instance's data \
             is not there before the run"
                .to_owned(),
        ),
        cited_duration: Some(CITED),
        ..Preview::default()
    };
    match scope.text("secret") {
        None => {
            preview.wont = Some(format!("no secret is given for `{instance}`: it could not log in"))
        }
        Some(secret) => {
            let versions = context.view.secret_versions(scope.region, secret).await?;
            let has = |stage: &str| {
                versions.iter().any(|version| version.stages.iter().any(|name| name == stage))
            };
            if versions.is_empty() {
                preview.wont = Some(format!("secret `{secret}` is not there: it could not log in"));
            } else {
                preview.details.push(format!(
                    "logs in with secret `{secret}` (current{})",
                    if has("AWSPREVIOUS") {
                        ", else previous"
                    } else {
                        " only: no previous version"
                    }
                ));
                preview
                    .facts
                    .insert(format!("secret {} {secret}", scope.region), "present".to_owned());
            }
        }
    }
    Ok(preview)
}
