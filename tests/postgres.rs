//! SQL sessions against a real PostgreSQL: what the server refuses, how each failure is named.
//!
//! **Invariant:** without PostgreSQL these tests print `skipped:`; they never start a server on a
//! fixed port and never use one that they did not start.

#[path = "postgres/server.rs"]
mod server;

use drctl::base::clock::Clock;
use drctl::base::secret::Secret;
use drctl::cloud::sql::{
    PostgresConnector, SqlConnector, SqlError, SqlMode, SqlRows, SqlSession, SqlTarget,
};
use drctl::estate::SqlRoute;
use server::{PASSWORD, Server, free_port, server, skipped};
use std::time::Duration;

fn target(server: &Server, mode: SqlMode) -> SqlTarget {
    SqlTarget {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        database: "postgres".to_owned(),
        user: "orders_admin".to_owned(),
        password: Secret::from(PASSWORD.to_owned()),
        route: SqlRoute::Direct,
        trust: Some(server.authority()),
        mode,
        statement_timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(10),
    }
}

async fn connect(target: &SqlTarget) -> Result<Box<dyn SqlSession>, SqlError> {
    PostgresConnector::new(Clock::real()).connect(target).await
}

async fn open(target: &SqlTarget) -> Box<dyn SqlSession> {
    connect(target).await.unwrap_or_else(|error| panic!("no session: {error}"))
}

async fn refused(target: &SqlTarget) -> SqlError {
    match connect(target).await {
        Ok(_) => panic!("a session was opened to {target:?}"),
        Err(error) => {
            let text = format!("{error} {error:?}");
            assert!(!text.contains(PASSWORD), "the password leaks: {text}");
            error
        }
    }
}

fn texts(rows: &SqlRows) -> Vec<Vec<Option<&str>>> {
    rows.rows.iter().map(|row| row.iter().map(Option::as_deref).collect()).collect()
}

/// Makes an empty table, as somebody who may.
async fn make_table(server: &Server, name: &str) {
    let mut writer = open(&target(server, SqlMode::ReadWrite)).await;
    let statement = format!("DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (id int)");
    writer.query(&statement).await.expect("a table");
    writer.close().await;
}

async fn count(session: &mut Box<dyn SqlSession>, table: &str) -> String {
    let rows = session.query(&format!("SELECT count(*) FROM {table}")).await.expect("rows");
    rows.single().expect("a count").to_owned()
}

#[tokio::test]
async fn values_come_as_postgresql_prints_them() {
    let Some(server) = server() else { return };
    let mut session = open(&target(server, SqlMode::ReadOnly)).await;
    let rows = session
        .query(
            "SELECT 7 AS n, NULL AS nothing, true AS yes, '' AS empty, \
             timestamptz '2026-03-01 10:15:00.25+00' AT TIME ZONE 'UTC' AS at, \
             ARRAY[1,2] AS list, 1.50::numeric AS price",
        )
        .await
        .unwrap();
    assert_eq!(rows.columns, ["n", "nothing", "yes", "empty", "at", "list", "price"]);
    let expected = ["7", "", "t", "", "2026-03-01 10:15:00.25", "{1,2}", "1.50"];
    let mut expected: Vec<Option<&str>> = expected.into_iter().map(Some).collect();
    expected[1] = None;
    assert_eq!(texts(&rows), [expected]);
    let none = session.query("SELECT 1 AS one WHERE false").await.unwrap();
    assert_eq!(none, SqlRows { columns: vec!["one".to_owned()], rows: vec![] });
    assert_eq!(session.query("SHOW application_name").await.unwrap().single(), Some("drctl"));
    session.close().await;
}

#[tokio::test]
async fn a_read_only_session_cannot_write() {
    let Some(server) = server() else { return };
    make_table(server, "guarded").await;
    let mut session = open(&target(server, SqlMode::ReadOnly)).await;
    for (statement, sqlstate) in [
        ("INSERT INTO guarded VALUES (1)", "25006"),
        ("CREATE TABLE other (id int)", "25006"),
        ("WITH new AS (INSERT INTO guarded VALUES (1) RETURNING id) SELECT id FROM new", "25006"),
        ("DO $$ BEGIN INSERT INTO guarded VALUES (1); END $$", "25006"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "25001"),
        ("SET TRANSACTION READ WRITE", "25001"),
        (
            "COMMIT; SET default_transaction_read_only = off; INSERT INTO guarded VALUES (1)",
            "42601",
        ),
        ("ROLLBACK; INSERT INTO guarded VALUES (1)", "42601"),
    ] {
        let error = session.query(statement).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some(sqlstate), "{statement}: {error}");
    }
    // A single command that ends the transaction, or changes the session, opens no door either.
    for statement in ["COMMIT", "SET default_transaction_read_only = off"] {
        session.query(statement).await.unwrap();
        let error = session.query("INSERT INTO guarded VALUES (1)").await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("25006"), "after {statement}: {error}");
    }
    assert_eq!(count(&mut session, "guarded").await, "0");
    session.close().await;
}

#[tokio::test]
async fn a_read_write_session_commits() {
    let Some(server) = server() else { return };
    make_table(server, "written").await;
    let mut writer = open(&target(server, SqlMode::ReadWrite)).await;
    let rows = writer
        .query("INSERT INTO written VALUES (1); INSERT INTO written VALUES (2) RETURNING id")
        .await
        .unwrap();
    assert_eq!(rows.single(), Some("2"));
    let error = writer.query("INSERT INTO written VALUES (3); SELECT 1/0").await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("22012"), "{error}");
    let mut reader = open(&target(server, SqlMode::ReadOnly)).await;
    assert_eq!(count(&mut reader, "written").await, "2", "several commands commit together or not");
    writer.close().await;
    reader.close().await;
}

#[tokio::test]
async fn a_slow_statement_is_a_timeout_and_the_session_goes_on() {
    let Some(server) = server() else { return };
    for mode in [SqlMode::ReadOnly, SqlMode::ReadWrite] {
        let limit = Duration::from_millis(150);
        let mut session =
            open(&SqlTarget { statement_timeout: limit, ..target(server, mode) }).await;
        let error = session.query("SELECT pg_sleep(60)").await.unwrap_err();
        assert_eq!(error, SqlError::timeout("SELECT pg_sleep(60)", limit));
        assert_eq!(session.query("SELECT 1").await.unwrap().single(), Some("1"));
        session.close().await;
    }
}

#[tokio::test]
async fn a_refused_statement_says_why_and_the_session_goes_on() {
    let Some(server) = server() else { return };
    let mut session = open(&target(server, SqlMode::ReadOnly)).await;
    for (statement, sqlstate, words) in [
        ("SELECT * FROM orders_archive", "42P01", "relation \"orders_archive\" does not exist"),
        ("SELEKT 1", "42601", "syntax error"),
        ("SELECT repeat('x', 1000000) FROM generate_series(1, 20)", "54000", "16 MiB"),
    ] {
        let error = session.query(statement).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some(sqlstate), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains(statement), "{error}");
        assert!(!error.is_unreachable() && !error.is_authentication());
    }
    assert_eq!(session.query("SELECT 1").await.unwrap().single(), Some("1"));
    session.close().await;
}

#[tokio::test]
async fn a_wrong_password_is_authentication() {
    let Some(server) = server() else { return };
    let good = target(server, SqlMode::ReadOnly);
    let wrong = Secret::from("wrong-horse".to_owned());
    let error = refused(&SqlTarget { password: wrong, ..good.clone() }).await;
    assert!(error.is_authentication() && !error.is_unreachable(), "{error}");
    assert!(error.to_string().contains("orders_admin"), "{error}");
    assert!(!error.to_string().contains("wrong-horse"), "{error}");
    let error = refused(&SqlTarget { user: "nobody".to_owned(), ..good.clone() }).await;
    assert!(error.is_authentication(), "{error}");
    // A method that a password cannot answer: no other password helps, but it is about who we are.
    let error = refused(&SqlTarget { user: "needs_kerberos".to_owned(), ..good.clone() }).await;
    assert!(error.is_authentication(), "{error}");
    assert!(error.to_string().contains("authentication method"), "{error}");
    let error = refused(&SqlTarget { database: "missing".to_owned(), ..good }).await;
    assert_eq!(error.sqlstate(), Some("3D000"), "{error}");
}

#[tokio::test]
async fn tls_is_verified() {
    let Some(server) = server() else { return };
    let good = target(server, SqlMode::ReadOnly);
    for (bad, words) in [
        (SqlTarget { trust: Some(server.other_authority()), ..good.clone() }, "certificate"),
        (SqlTarget { host: "localhost".to_owned(), ..good.clone() }, "not valid for name"),
        (SqlTarget { trust: None, ..good.clone() }, "global-bundle.pem"),
    ] {
        let error = refused(&bad).await;
        assert!(matches!(error, SqlError::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    let Some(server) = server() else { return };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"N").await.unwrap();
        let mut request = [0_u8; 64];
        let mut received = 0;
        while let Ok(length @ 1..) = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await
        {
            received += length;
        }
        received
    });
    let error = refused(&SqlTarget { port, ..target(server, SqlMode::ReadOnly) }).await;
    assert!(matches!(error, SqlError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("does not support TLS"), "{error}");
    assert_eq!(plain.await.unwrap(), 8, "nothing but the question for TLS was sent");
}

#[tokio::test]
async fn nothing_there_is_unreachable() {
    let Some(server) = server() else { return };
    let good = target(server, SqlMode::ReadOnly);
    let error = refused(&SqlTarget { port: free_port(), ..good.clone() }).await;
    assert!(matches!(error, SqlError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("refused"), "{error}");
    let host = "no-such-host.invalid".to_owned();
    let error = refused(&SqlTarget { host, ..good.clone() }).await;
    assert!(error.is_unreachable(), "{error:?}");
    // Somebody accepts and says nothing.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect_timeout = Duration::from_millis(200);
    let error = refused(&SqlTarget { port, connect_timeout, ..good }).await;
    assert!(error.to_string().contains("no answer within 200ms"), "{error}");
    assert!(error.is_unreachable());
}

#[tokio::test]
async fn a_connection_that_is_cut_is_unreachable() {
    let Some(server) = server() else { return };
    let mut victim = open(&target(server, SqlMode::ReadOnly)).await;
    let id = victim.query("SELECT pg_backend_pid()").await.unwrap();
    let id = id.single().unwrap().to_owned();
    let mut killer = open(&target(server, SqlMode::ReadWrite)).await;
    let done = killer.query(&format!("SELECT pg_terminate_backend({id}, 5000)")).await.unwrap();
    assert_eq!(done.single(), Some("t"));
    let error = victim.query("SELECT 1").await.unwrap_err();
    assert!(matches!(error, SqlError::Unreachable { .. }), "{error:?}");
    victim.close().await;
    killer.close().await;
}

#[tokio::test]
async fn a_session_given_up_in_the_middle_answers_no_more() {
    let Some(server) = server() else { return };
    let mut session = open(&target(server, SqlMode::ReadOnly)).await;
    let clock = Clock::real();
    tokio::select! {
        biased;
        _ = session.query("SELECT pg_sleep(60)") => panic!("it slept"),
        () = clock.sleep(Duration::from_millis(100)) => {}
    }
    let error = session.query("SELECT 1").await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    session.close().await;
}

/// Forwards one local port to the server; writes its own process id and the rest of its arguments
/// into a file, so that a test sees what was filled in and when it is gone.
const FORWARDER: &str = r#"
import os, socket, sys, threading
local, remote, note = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
open(note, "w").write(" ".join([str(os.getpid())] + sys.argv[4:]))
print("forwarder ready", file=sys.stderr, flush=True)
listener = socket.create_server(("127.0.0.1", local))
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for end in (a, b):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
while True:
    near, _ = listener.accept()
    try:
        far = socket.create_connection(("127.0.0.1", remote))
    except OSError as error:
        print("cannot reach the database:", error, file=sys.stderr, flush=True)
        near.close()
        continue
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"#;

/// A route through the forwarder to `remote`, and the file that it writes; `None`, with a line that
/// says so, where there is no Python.
fn forwarder(directory: &std::path::Path, remote: u16) -> Option<(SqlRoute, std::path::PathBuf)> {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        skipped("no python3 for a tunnel; apt-get install python3");
        return None;
    }
    let note = directory.join("note");
    // A shell in between, as with tools that start a helper: both must end with the session.
    let script = "python3 -c \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" \"$6\" & wait";
    let remote = remote.to_string();
    let note_text = note.to_str().expect("a plain path");
    let parts = ["sh", "-c", script, "tunnel", FORWARDER, "{local_port}", &remote, note_text];
    let parts = parts.into_iter().chain(["{host}", "{port}"]);
    Some((SqlRoute::Via(parts.map(str::to_owned).collect()), note))
}

fn is_running(process: &str) -> bool {
    let path = format!("/proc/{process}/stat");
    // A zombie has ended: the process that ought to collect it may not be ours.
    std::fs::read_to_string(path).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_tunnel_carries_a_verified_session_and_ends_with_it() {
    let Some(server) = server() else { return };
    let directory = tempfile::tempdir().unwrap();
    let Some((route, note)) = forwarder(directory.path(), server.port) else { return };
    // The name of the database's host does not resolve here: only the tunnel knows it, and the
    // certificate is checked against it all the same.
    let host = "db.internal".to_owned();
    let through = SqlTarget { host, route, port: 5999, ..target(server, SqlMode::ReadOnly) };
    let mut session = open(&through).await;
    assert_eq!(session.query("SELECT 1").await.unwrap().single(), Some("1"));
    let written = std::fs::read_to_string(&note).unwrap();
    let (process, arguments) = written.split_once(' ').unwrap();
    assert_eq!(arguments, "db.internal 5999");
    assert!(is_running(process));
    session.close().await;
    let clock = Clock::real();
    while is_running(process) {
        assert!(clock.elapsed() < Duration::from_secs(5), "the tunnel outlives its session");
        clock.sleep(Duration::from_millis(10)).await;
    }
    let other = SqlTarget { host: "other.internal".to_owned(), ..through };
    let error = refused(&other).await;
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn a_tunnel_to_nowhere_is_unreachable() {
    let Some(server) = server() else { return };
    let directory = tempfile::tempdir().unwrap();
    let Some((route, _)) = forwarder(directory.path(), free_port()) else { return };
    let host = "db.internal".to_owned();
    let error = refused(&SqlTarget { host, route, ..target(server, SqlMode::ReadOnly) }).await;
    assert!(matches!(error, SqlError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("through the tunnel"), "{error}");
}

#[tokio::test]
async fn a_tunnel_command_that_ends_at_once_is_named() {
    let Some(server) = server() else { return };
    let script = "echo 'no session: token=abc123 expired' >&2; exit 255";
    let parts = ["sh", "-c", script, "{local_port}"].map(str::to_owned).to_vec();
    let route = SqlRoute::Via(parts);
    let error = refused(&SqlTarget { route, ..target(server, SqlMode::ReadOnly) }).await;
    assert!(matches!(error, SqlError::Tunnel { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("exit status: 255") && text.contains("expired"), "{text}");
    assert!(!text.contains("abc123"), "{text}");
}
