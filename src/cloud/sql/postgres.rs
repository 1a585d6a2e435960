//! Opens sessions to PostgreSQL, straight or through a tunnel, always over verified TLS.
//!
//! **Invariant:** TLS is verified against the host name of the target on every route, and the
//! server is told about read-only and the time limit before the first statement.

use crate::base::clock::Clock;
use crate::base::duration;
use crate::base::secret::ExposeSecret;
use crate::cloud::sql::contract::{SqlConnector, SqlMode, SqlSession, SqlTarget};
use crate::cloud::sql::error::SqlError;
use crate::cloud::sql::session::PostgresSession;
use crate::cloud::sql::trust::tls_connector;
use crate::cloud::sql::tunnel::Tunnel;
use crate::estate::SqlRoute;
use async_trait::async_trait;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How drctl's sessions show up in `pg_stat_activity`.
const APPLICATION_NAME: &str = "drctl";

/// Connects to real PostgreSQL servers. Sockets need a clock that moves with the wall clock.
#[derive(Debug, Clone)]
pub struct PostgresConnector {
    clock: Clock,
}

impl PostgresConnector {
    /// A connector whose limits run on `clock`.
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }

    async fn open(
        &self,
        target: &SqlTarget,
        tls: MakeRustlsConnect,
    ) -> Result<PostgresSession, SqlError> {
        let place = place(target);
        let (stream, tunnel) = self.stream(target, &place).await?;
        // Small questions, one answer each: waiting to fill packets only adds latency. A socket
        // that refuses the option still works.
        let _ = stream.set_nodelay(true);
        match log_in(target, &place, tls, stream).await {
            Ok((client, connection)) => {
                Ok(PostgresSession::new(self.clock.clone(), target, client, connection, tunnel))
            }
            Err(error) => match tunnel {
                Some(tunnel) => Err(with_words(error, tunnel).await),
                None => Err(error),
            },
        }
    }

    async fn stream(
        &self,
        target: &SqlTarget,
        place: &str,
    ) -> Result<(TcpStream, Option<Tunnel>), SqlError> {
        match &target.route {
            SqlRoute::Direct => TcpStream::connect((target.host.as_str(), target.port))
                .await
                .map(|stream| (stream, None))
                .map_err(|error| SqlError::unreachable(place, &error.to_string())),
            SqlRoute::Via(command) => {
                let limit = target.connect_timeout;
                let opened =
                    Tunnel::open(&self.clock, command, &target.host, target.port, limit).await;
                opened.map(|(tunnel, stream)| (stream, Some(tunnel)))
            }
        }
    }
}

#[async_trait]
impl SqlConnector for PostgresConnector {
    async fn connect(&self, target: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
        let tls = tls_connector(&place(target), target.trust.as_deref()).await?;
        // The tunnel has the same limit inside, with better words; its error comes first.
        let limit = target.connect_timeout.saturating_add(GRACE);
        tokio::select! {
            biased;
            opened = self.open(target, tls) => Ok(Box::new(opened?) as Box<dyn SqlSession>),
            () = self.clock.sleep(limit_of(target, limit)) => {
                let after = duration::format(target.connect_timeout);
                Err(SqlError::unreachable(&place(target), &format!("no answer within {after}")))
            }
        }
    }
}

/// How much longer than a tunnel's own limit the whole connecting may take.
const GRACE: Duration = Duration::from_millis(250);

fn limit_of(target: &SqlTarget, with_grace: Duration) -> Duration {
    match target.route {
        SqlRoute::Direct => target.connect_timeout,
        SqlRoute::Via(_) => with_grace,
    }
}

/// `host:port`, as errors name a server.
pub(super) fn place(target: &SqlTarget) -> String {
    format!("{}:{}", target.host, target.port)
}

/// The connection's other half, which a task of the session drives.
pub(super) type Connection =
    tokio_postgres::Connection<TcpStream, <MakeRustlsConnect as MakeTlsConnect<TcpStream>>::Stream>;

async fn log_in(
    target: &SqlTarget,
    place: &str,
    mut tls: MakeRustlsConnect,
    stream: TcpStream,
) -> Result<(tokio_postgres::Client, Connection), SqlError> {
    let Ok(verify) = MakeTlsConnect::<TcpStream>::make_tls_connect(&mut tls, &target.host);
    tokio_postgres::Config::new()
        .user(&target.user)
        .password(target.password.expose_secret())
        .dbname(&target.database)
        .application_name(APPLICATION_NAME)
        .options(startup_options(target))
        .ssl_mode(SslMode::Require)
        .connect_raw(stream, verify)
        .await
        .map_err(|error| refusal(target, place, &error))
}

/// Settings that hold from the first statement on. Times are milliseconds; 0 would mean "no limit".
fn startup_options(target: &SqlTarget) -> String {
    let limit = target.statement_timeout.as_millis().clamp(1, i32::MAX as u128);
    let read_only = match target.mode {
        SqlMode::ReadOnly => "on",
        SqlMode::ReadWrite => "off",
    };
    format!("-c default_transaction_read_only={read_only} -c statement_timeout={limit}")
}

/// Why a server did not let us in.
fn refusal(target: &SqlTarget, place: &str, error: &tokio_postgres::Error) -> SqlError {
    let Some(answer) = error.as_db_error() else {
        let why = chain(error);
        // The driver tells its own refusals apart only in its words; the tests know them.
        return if is_tls(error) {
            SqlError::tls(place, &why)
        } else if why.starts_with("authentication error") {
            SqlError::authentication(place, &target.user, &why)
        } else {
            SqlError::unreachable(place, &why)
        };
    };
    let code = answer.code();
    if is_authentication(code) {
        return SqlError::authentication(place, &target.user, answer.message());
    }
    if is_temporary(code) {
        return SqlError::unreachable(place, answer.message());
    }
    SqlError::statement(code.code(), answer.message(), "(opening the session)")
}

/// SQLSTATEs with which a server refuses a user or a password.
pub(super) fn is_authentication(code: &SqlState) -> bool {
    *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
}

/// SQLSTATEs with which a server says that it cannot serve anybody now: class 08, starting up,
/// shutting down, out of connections.
pub(super) fn is_temporary(code: &SqlState) -> bool {
    let listed = [
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::TOO_MANY_CONNECTIONS,
    ];
    code.code().starts_with("08") || listed.contains(code)
}

/// Whether TLS failed, and not the network below it.
fn is_tls(error: &tokio_postgres::Error) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            return io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
        }
        next = cause.source();
    }
    // The driver's own refusals have no typed cause: "server does not support TLS".
    error.to_string().contains("TLS")
}

/// The words of an error and its causes, each once.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = cause.source();
    }
    text
}

/// A refusal through a tunnel, with what the tunnel had to say about it.
async fn with_words(error: SqlError, tunnel: Tunnel) -> SqlError {
    let words = tunnel.words();
    tunnel.close().await;
    match error {
        SqlError::Unreachable { place, why } => {
            SqlError::unreachable(&place, &format!("{why}, through the tunnel{words}"))
        }
        other @ (SqlError::Authentication { .. }
        | SqlError::Tls { .. }
        | SqlError::Timeout { .. }
        | SqlError::Statement { .. }
        | SqlError::Tunnel { .. }) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::secret::Secret;

    fn target(mode: SqlMode, statement_timeout: Duration) -> SqlTarget {
        SqlTarget {
            host: "db.internal".to_owned(),
            port: 5432,
            database: "orders".to_owned(),
            user: "orders_admin".to_owned(),
            password: Secret::from("hunter2".to_owned()),
            route: SqlRoute::Direct,
            trust: None,
            mode,
            statement_timeout,
            connect_timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn startup_options_never_switch_the_limit_off() {
        for (mode, limit, options) in [
            (
                SqlMode::ReadOnly,
                Duration::from_secs(30),
                "-c default_transaction_read_only=on -c statement_timeout=30000",
            ),
            (
                SqlMode::ReadWrite,
                Duration::ZERO,
                "-c default_transaction_read_only=off -c statement_timeout=1",
            ),
            (
                SqlMode::ReadOnly,
                Duration::MAX,
                "-c default_transaction_read_only=on -c statement_timeout=2147483647",
            ),
        ] {
            assert_eq!(startup_options(&target(mode, limit)), options);
        }
    }

    #[test]
    fn a_target_does_not_print_its_password() {
        let text = format!("{:?}", target(SqlMode::ReadOnly, Duration::from_secs(1)));
        assert!(text.contains("orders_admin"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn temporary_states_are_known() {
        for code in ["57P03", "57P01", "53300", "08006", "08P01"] {
            assert!(is_temporary(&SqlState::from_code(code)), "{code}");
        }
        for code in ["28P01", "3D000", "42601", "57014"] {
            assert!(!is_temporary(&SqlState::from_code(code)), "{code}");
        }
    }
}
