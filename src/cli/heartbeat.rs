//! `drctl heartbeat init|run`: writes the heartbeat that proves recovery points.
//!
//! **Invariant:** one row a writer, updated in place: the table never grows, and a restored database holds
//! exactly the newest beat of its instant.

use crate::base::clock::format_instant;
use crate::base::duration;
use crate::base::ids::RunId;
use crate::cli::args::{EstateArg, SimulationArgs};
use crate::cli::confirm::confirm_change;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Tools, environment};
use crate::cli::out;
use crate::cli::session::{Session, Since, verify_account};
use crate::cloud::{
    GuardPolicy, Overlay, SQL_READ, SQL_WRITE, SecretStage, SqlMode, SqlSession, SqlTarget,
};
use crate::estate::{Database, Environment, Estate};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

/// `drctl heartbeat`
#[derive(Debug, Subcommand)]
pub(super) enum HeartbeatCommand {
    /// Create the heartbeat table (schema `drctl`) in a database.
    Init(HeartbeatArgs),
    /// Write heartbeats until stopped, or `--count` of them.
    Run {
        #[command(flatten)]
        target: HeartbeatArgs,
        /// Time between two heartbeats.
        #[arg(long, default_value = "1s")]
        every: String,
        /// How many; without it, until Ctrl-C.
        #[arg(long)]
        count: Option<u64>,
    },
}

/// Which database to write heartbeats into.
#[derive(Debug, Clone, Args)]
pub(super) struct HeartbeatArgs {
    #[command(flatten)]
    pub estate: EstateArg,
    /// The environment.
    #[arg(long, value_name = "NAME")]
    pub env: String,
    /// The database's name in the estate.
    #[arg(long, value_name = "NAME")]
    pub database: String,
    /// Say yes to writing; never enough for a protected environment.
    #[arg(long)]
    pub yes: bool,
}

/// Statements that set the heartbeat up; each may be repeated.
const INIT: [&str; 2] = [
    "CREATE SCHEMA IF NOT EXISTS drctl",
    "CREATE TABLE IF NOT EXISTS drctl.heartbeat (writer uuid PRIMARY KEY, source text NOT NULL, \
     sequence bigint NOT NULL, at timestamptz NOT NULL, at_ms bigint NOT NULL)",
];

/// Longest time of one heartbeat statement: a beat that takes longer is late anyway.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the command.
///
/// # Errors
/// The database is not there, cannot be reached, or does not take the statements.
pub(super) async fn run(tools: &Tools, command: &HeartbeatCommand) -> Result<Exit, CommandError> {
    let (HeartbeatCommand::Init(target) | HeartbeatCommand::Run { target, .. }) = command;
    let estate = tools.estate(&target.estate.name)?;
    let environment = environment(&estate, &target.env)?.clone();
    let database = database(&estate, &environment, target)?;
    confirm_change(
        &environment,
        &format!("write heartbeats into `{}`", database.instance),
        target.yes,
    )?;
    let session =
        Session::open(tools, &estate, &environment, &SimulationArgs::default(), Since::default())?;
    let mut sql = connect(&session, &environment, &database).await?;
    let ended = match command {
        HeartbeatCommand::Init(_) => init(&mut *sql).await,
        HeartbeatCommand::Run { every, count, .. } => {
            let source = format!("{}/{}", estate.name, target.database);
            beat(&session, &mut *sql, &source, every, *count).await
        }
    };
    sql.close().await;
    session.close()?;
    ended
}

fn database(
    estate: &Estate,
    environment: &Environment,
    target: &HeartbeatArgs,
) -> Result<Database, CommandError> {
    estate.database_in(&target.database, environment).ok_or_else(|| {
        let names = estate.databases.keys().cloned().collect::<Vec<_>>().join(", ");
        CommandError::usage(format!(
            "estate `{}` has no database `{}`",
            estate.name, target.database
        ))
        .help(format!("it has: {names}"))
    })
}

async fn connect(
    session: &Session,
    environment: &Environment,
    database: &Database,
) -> Result<Box<dyn SqlSession>, CommandError> {
    let declared = [SQL_READ, SQL_WRITE, "secretsmanager:GetSecretValue"];
    let cloud = session.cloud(GuardPolicy::live(declared)).await?;
    verify_account(&cloud, environment).await?;
    let region = database.region.as_deref().unwrap_or(&environment.region);
    let found = cloud.view(Overlay::default()).db_instance(region, &database.instance).await?;
    let missing = || {
        CommandError::new(
            Exit::StepFailed,
            format!("`{}` is not there or has no endpoint", database.instance),
        )
    };
    let endpoint = found.and_then(|found| found.endpoint).ok_or_else(missing)?;
    let secret = database.secret.as_deref().ok_or_else(|| {
        CommandError::usage(format!("the estate names no secret for `{}`", database.instance))
            .help("set `secret` of the database in the estate file")
    })?;
    let effects = cloud.effects(session.ports.clone());
    let failed =
        |error: crate::cloud::EffectError| CommandError::new(Exit::StepFailed, error.to_string());
    let login =
        effects.database_login(region, secret, SecretStage::Current).await.map_err(failed)?;
    let target = SqlTarget {
        host: endpoint.host,
        port: endpoint.port,
        database: login.database.unwrap_or_else(|| database.database.clone()),
        user: login.user.unwrap_or_else(|| database.user.clone()),
        password: login.password,
        route: environment.sql.route.clone(),
        trust: environment.sql.sslrootcert.as_ref().map(PathBuf::from),
        mode: SqlMode::ReadWrite,
        statement_timeout: STATEMENT_TIMEOUT,
        connect_timeout: Duration::from_secs(30),
    };
    effects.sql(&target).await.map_err(failed)
}

async fn init(sql: &mut dyn SqlSession) -> Result<Exit, CommandError> {
    for statement in INIT {
        execute(sql, statement).await?;
    }
    out::result("heartbeat table drctl.heartbeat is there; write beats with `drctl heartbeat run`");
    Ok(Exit::Ok)
}

async fn execute(sql: &mut dyn SqlSession, statement: &str) -> Result<(), CommandError> {
    let answer = sql.query(statement).await;
    answer.map(|_| ()).map_err(|error| CommandError::new(Exit::StepFailed, error.to_string()))
}

async fn beat(
    session: &Session,
    sql: &mut dyn SqlSession,
    source: &str,
    every: &str,
    count: Option<u64>,
) -> Result<Exit, CommandError> {
    let every = duration::parse(every)
        .map_err(|why| CommandError::usage(format!("--every `{every}`: {why}")))?;
    if every < Duration::from_millis(100) {
        return Err(CommandError::usage("--every must be at least 100ms"));
    }
    let writer = writer_uuid(&RunId::mint(session.clock.now(), &mut session.run_id_stream()));
    let mut written = 0;
    out::progress(&format!(
        "writing a heartbeat every {} as writer {writer}",
        duration::format(every)
    ));
    while count.is_none_or(|count| written < count) {
        written += 1;
        let now = session.clock.now();
        let statement = format!(
            "INSERT INTO drctl.heartbeat (writer, source, sequence, at, at_ms) \
             VALUES ('{writer}', '{}', {written}, '{}', {}) \
             ON CONFLICT (writer) DO UPDATE SET sequence = excluded.sequence, at = excluded.at, at_ms = excluded.at_ms",
            source.replace('\'', "''"),
            format_instant(now),
            now.timestamp_millis(),
        );
        execute(sql, &statement).await?;
        tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => break,
            () = session.clock.sleep(every) => {}
        }
    }
    out::result(&format!("{written} heartbeats written as {writer}"));
    Ok(Exit::Ok)
}

/// A UUID (version 8: our own bits) from a fresh id.
fn writer_uuid(id: &RunId) -> String {
    let digest = crate::base::digest::Digest::of(id.as_str().as_bytes());
    let hex = &digest.as_str()["sha256:".len()..];
    format!("{}-{}-8{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}
