//! A real PostgreSQL for the tests of this binary: started once, on a free port, with TLS.
//!
//! **Invariant:** it ends with the test process, however that ends, because its keeper waits for the
//! end of a pipe that only this process holds.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// Password of the only user, `orders_admin`.
pub(crate) const PASSWORD: &str = "correct-horse-7";

/// Makes the cluster, runs it, and takes it away when its standard input ends.
const KEEPER: &str = r#"
set -eu
cd "$DIR"
as_server() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}
stop() {
  as_server "$BIN/pg_ctl" -D "$DIR/data" -m immediate stop >/dev/null 2>&1 || true
  cd /
  rm -rf "$DIR"
}
trap stop EXIT
"$CERTIFICATES" "$DIR/tls" IP:127.0.0.1 DNS:db.internal
"$CERTIFICATES" "$DIR/other" IP:127.0.0.1 DNS:db.internal
printf '%s' "$PASSWORD" > "$DIR/password"
if [ "$(id -u)" = 0 ]; then chown -R postgres "$DIR"; fi
as_server "$BIN/initdb" -D "$DIR/data" -U orders_admin -A scram-sha-256 \
  --pwfile="$DIR/password" -E UTF8 --locale=C -N >"$DIR/initdb.log" 2>&1
cat >>"$DIR/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $PORT
unix_socket_directories = '$DIR'
ssl = on
ssl_cert_file = '$DIR/tls/server.crt'
ssl_key_file = '$DIR/tls/server.key'
fsync = off
CONF
cat >"$DIR/data/pg_hba.conf" <<HBA
hostssl all needs_kerberos 127.0.0.1/32 gss
hostssl all all 127.0.0.1/32 scram-sha-256
HBA
as_server "$BIN/pg_ctl" -D "$DIR/data" -w -t 30 -l "$DIR/server.log" start >/dev/null
echo ready
cat >/dev/null
"#;

/// A running server.
pub(crate) struct Server {
    /// Its TCP port on 127.0.0.1.
    pub(crate) port: u16,
    directory: PathBuf,
    // Held for its pipe only: see the invariant.
    _keeper: Child,
}

impl Server {
    /// The authority that signed the server's certificate (for 127.0.0.1 and db.internal).
    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.join("tls/ca.pem")
    }

    /// An authority that did not.
    pub(crate) fn other_authority(&self) -> PathBuf {
        self.directory.join("other/ca.pem")
    }
}

/// The server of this process; `None`, with a line that says so, where PostgreSQL is not installed.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| binaries().map(|bin| start(&bin))).as_ref().or_else(|| {
        skipped("no PostgreSQL in /usr/lib/postgresql; apt-get install postgresql-15");
        None
    })
}

/// Says that a test did not run. Not with `eprintln!`: the test harness would swallow that.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

fn start(bin: &Path) -> Server {
    let directory =
        tempfile::Builder::new().prefix("drctl-postgres-").tempdir().expect("a directory").keep();
    let port = free_port();
    let certificates = concat!(env!("CARGO_MANIFEST_DIR"), "/localstack/certificates");
    let mut keeper = Command::new("bash")
        .args(["-c", KEEPER])
        .env("DIR", &directory)
        .env("BIN", bin)
        .env("PORT", port.to_string())
        .env("PASSWORD", PASSWORD)
        .env("CERTIFICATES", certificates)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash runs");
    let mut line = String::new();
    let answer = keeper.stdout.take().expect("a pipe");
    BufReader::new(answer).read_line(&mut line).expect("an answer");
    assert_eq!(line.trim(), "ready", "PostgreSQL is installed but did not start");
    Server { port, directory, _keeper: keeper }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}
