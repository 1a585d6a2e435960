//! One session with PostgreSQL: statements in, text out.
//!
//! **Invariant:** a read-only session runs one command at a time in a transaction that the server
//! holds read-only and that is always rolled back; a session whose state is unknown answers nothing
//! any more.

use crate::base::clock::Clock;
use crate::cloud::sql::contract::{SqlMode, SqlRows, SqlSession, SqlTarget};
use crate::cloud::sql::error::SqlError;
use crate::cloud::sql::postgres::{Connection, chain, is_authentication, is_temporary, place};
use crate::cloud::sql::tunnel::Tunnel;
use async_trait::async_trait;
use futures_util::TryStreamExt;
use std::pin::pin;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

/// Opens the transaction of a read-only statement. The SELECT takes a snapshot: from then on the
/// server refuses to make the transaction writable.
const BEGIN_READ_ONLY: &str = "BEGIN TRANSACTION READ ONLY; SELECT 1";
/// How much longer than the server's own limit drctl waits for an answer: a network that swallows
/// packets must not hold a run for ever.
const GRACE: Duration = Duration::from_secs(5);
/// How long the server may take to end a session.
const GOOD_BYE: Duration = Duration::from_secs(2);
/// Most text that one result may hold, in bytes. Checks ask for counts and samples; a table that is
/// read whole by mistake must not fill the memory.
const MAX_RESULT_BYTES: usize = 16 * 1_024 * 1_024;
/// SQLSTATE `program_limit_exceeded`, for a result beyond [`MAX_RESULT_BYTES`].
const TOO_LARGE: &str = "54000";

/// A session with a real server.
#[derive(Debug)]
pub(super) struct PostgresSession {
    clock: Clock,
    place: String,
    user: String,
    mode: SqlMode,
    limit: Duration,
    client: Client,
    driver: JoinHandle<()>,
    tunnel: Option<Tunnel>,
    state: State,
}

/// Whether the session can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The server waits for a statement.
    Idle,
    /// A statement was sent and its end not seen.
    Busy,
}

impl PostgresSession {
    pub(super) fn new(
        clock: Clock,
        target: &SqlTarget,
        client: Client,
        connection: Connection,
        tunnel: Option<Tunnel>,
    ) -> Self {
        // The task ends with the connection; why it ended reaches us as the statement's error.
        let driver = tokio::spawn(async move {
            let _ = connection.await;
        });
        Self {
            clock,
            place: place(target),
            user: target.user.clone(),
            mode: target.mode,
            limit: target.statement_timeout,
            client,
            driver,
            tunnel,
            state: State::Idle,
        }
    }

    async fn run(&self, statement: &str) -> Result<SqlRows, Failure> {
        match self.mode {
            SqlMode::ReadWrite => self.collect(statement).await,
            SqlMode::ReadOnly => {
                self.client.batch_execute(BEGIN_READ_ONLY).await?;
                let result = self.run_single(statement).await;
                let ended = self.client.batch_execute("ROLLBACK").await;
                // What the statement answered matters more than how its end went.
                let rows = result?;
                ended?;
                Ok(rows)
            }
        }
    }

    /// Preparing refuses several commands in one text, so none of them can end our transaction and
    /// begin a writable one.
    async fn run_single(&self, statement: &str) -> Result<SqlRows, Failure> {
        self.client.prepare(statement).await?;
        self.collect(statement).await
    }

    /// The last result with columns, as text.
    async fn collect(&self, statement: &str) -> Result<SqlRows, Failure> {
        let answers = self.client.simple_query_raw(statement).await?;
        let mut answers = pin!(answers);
        let mut found = SqlRows::default();
        let mut bytes = 0_usize;
        while let Some(answer) = answers.try_next().await? {
            match answer {
                SimpleQueryMessage::RowDescription(columns) => {
                    let columns = columns.iter().map(|column| column.name().to_owned()).collect();
                    found = SqlRows { columns, rows: Vec::new() };
                }
                SimpleQueryMessage::Row(row) => {
                    let values: Vec<Option<String>> =
                        (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect();
                    bytes += values.iter().flatten().map(String::len).sum::<usize>();
                    if bytes > MAX_RESULT_BYTES {
                        return Err(Failure::TooLarge);
                    }
                    found.rows.push(values);
                }
                // Row counts of commands; and what a later version of the driver may add.
                SimpleQueryMessage::CommandComplete(_) | _ => {}
            }
        }
        Ok(found)
    }

    fn error(&self, failure: &Failure, statement: &str) -> SqlError {
        let error = match failure {
            Failure::Database(error) => error,
            Failure::TooLarge => {
                let limit = MAX_RESULT_BYTES / 1_024 / 1_024;
                let message = format!("the result is larger than {limit} MiB; ask for less");
                return SqlError::statement(TOO_LARGE, &message, statement);
            }
        };
        let Some(answer) = error.as_db_error() else {
            return SqlError::unreachable(&self.place, &chain(error));
        };
        let code = answer.code();
        if *code == SqlState::QUERY_CANCELED {
            SqlError::timeout(statement, self.limit)
        } else if is_temporary(code) {
            SqlError::unreachable(&self.place, answer.message())
        } else if is_authentication(code) {
            SqlError::authentication(&self.place, &self.user, answer.message())
        } else {
            SqlError::statement(code.code(), answer.message(), statement)
        }
    }
}

/// Why there are no rows.
#[derive(Debug)]
enum Failure {
    Database(tokio_postgres::Error),
    TooLarge,
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

#[async_trait]
impl SqlSession for PostgresSession {
    async fn query(&mut self, statement: &str) -> Result<SqlRows, SqlError> {
        if self.state == State::Busy {
            let why = "the session was given up in the middle of a statement; open a new one";
            return Err(SqlError::unreachable(&self.place, why));
        }
        self.state = State::Busy;
        let result = tokio::select! {
            biased;
            result = self.run(statement) => result,
            () = self.clock.sleep(self.limit.saturating_add(GRACE)) => {
                return Err(SqlError::timeout(statement, self.limit));
            }
        };
        self.state = State::Idle;
        result.map_err(|failure| self.error(&failure, statement))
    }

    async fn close(self: Box<Self>) {
        let Self { client, driver, tunnel, clock, state, .. } = *self;
        // Dropping the client makes the driver say good-bye to the server and end.
        drop(client);
        let abort = driver.abort_handle();
        if state == State::Idle {
            tokio::select! {
                biased;
                _ = driver => {}
                () = clock.sleep(GOOD_BYE) => {}
            }
        }
        abort.abort();
        if let Some(tunnel) = tunnel {
            tunnel.close().await;
        }
    }
}
