//! SQL sessions to simulated databases.
//!
//! **Invariant:** answers come from the simulated world at this clock's time; no socket is opened.

use crate::base::clock::Clock;
use crate::cloud::{SqlConnector, SqlError, SqlMode, SqlRows, SqlSession, SqlTarget};
use crate::sim::{SimAccess, SimQuery, SimSqlFault, Simulator};
use async_trait::async_trait;

/// Connects to simulated databases.
#[derive(Debug, Clone)]
pub(super) struct SimulatedSql {
    simulator: Simulator,
    clock: Clock,
}

impl SimulatedSql {
    /// A connector to the databases of `simulator`.
    pub(super) fn new(simulator: Simulator, clock: Clock) -> Self {
        Self { simulator, clock }
    }
}

struct Session {
    connector: SimulatedSql,
    target: SqlTarget,
}

#[async_trait]
impl SqlConnector for SimulatedSql {
    async fn connect(&self, target: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
        let mut session = Session { connector: self.clone(), target: target.clone() };
        session.query("SELECT 1").await?;
        Ok(Box::new(session))
    }
}

#[async_trait]
impl SqlSession for Session {
    async fn query(&mut self, statement: &str) -> Result<SqlRows, SqlError> {
        let target = &self.target;
        let query = SimQuery {
            host: target.host.clone(),
            port: target.port,
            database: target.database.clone(),
            user: target.user.clone(),
            password: target.password.clone(),
            statement: statement.to_owned(),
            access: match target.mode {
                SqlMode::ReadOnly => SimAccess::ReadOnly,
                SqlMode::ReadWrite => SimAccess::ReadWrite,
            },
        };
        match self.connector.simulator.query(&query, self.connector.clock.now()) {
            Ok(rows) => Ok(SqlRows { columns: rows.columns, rows: rows.rows }),
            Err(fault) => Err(translate(fault, target, statement)),
        }
    }

    async fn close(self: Box<Self>) {}
}

fn translate(fault: SimSqlFault, target: &SqlTarget, statement: &str) -> SqlError {
    let place = format!("{}:{}", target.host, target.port);
    match fault {
        SimSqlFault::Unreachable { reason, .. } => SqlError::unreachable(&place, &reason),
        SimSqlFault::Authentication { user } => {
            SqlError::authentication(&place, &user, "password authentication failed")
        }
        SimSqlFault::Sql { code, message } => SqlError::statement(&code, &message, statement),
    }
}
