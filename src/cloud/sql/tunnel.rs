//! Runs the command that opens a tunnel to a database for as long as a session needs it.
//!
//! **Invariant:** a tunnel never outlives its [`Tunnel`] value, and nothing that the command prints
//! is shown unredacted or kept without bound.

use crate::base::clock::Clock;
use crate::base::duration;
use crate::base::redact::redact;
use crate::cloud::process::signal;
use crate::cloud::sql::error::SqlError;
use rustix::process::Signal;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How often the local port is tried: far below any tunnel's own time to open.
const POLL: Duration = Duration::from_millis(50);
/// How much of the command's last words is kept, in bytes.
const MAX_STDERR: usize = 4_096;
/// How much of that an error quotes, in characters: the end, where the cause stands.
const MAX_QUOTE: usize = 240;
/// How long the last words of a command that has ended are waited for: a child of it may still
/// hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long a command may take to end its session elsewhere (SSM's does) before it is killed.
const GOOD_BYE: Duration = Duration::from_secs(2);

/// A running tunnel command.
#[derive(Debug)]
pub(super) struct Tunnel {
    clock: Clock,
    child: Child,
    program: String,
    printed: Arc<Mutex<Vec<u8>>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Tunnel {
    /// Starts `command` and waits until it accepts a connection on the local port. That connection
    /// is used and not thrown away, because some tunnels serve only one.
    ///
    /// # Errors
    /// [`SqlError::Tunnel`] when the command is unusable, ends, or accepts nothing within `limit`.
    pub(super) async fn open(
        clock: &Clock,
        command: &[String],
        host: &str,
        port: u16,
        limit: Duration,
    ) -> Result<(Self, TcpStream), SqlError> {
        let local_port = free_local_port().map_err(|error| {
            SqlError::tunnel(&command.join(" "), &format!("no free local port: {error}"))
        })?;
        let mut tunnel = Self::start(clock, command, host, port, local_port)?;
        let deadline = clock.elapsed().saturating_add(limit);
        loop {
            if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, local_port)).await {
                return Ok((tunnel, stream));
            }
            if let Ok(Some(status)) = tunnel.child.try_wait() {
                let words = tunnel.last_words().await;
                return Err(tunnel.error(&format!("it ended with {status}{words}")));
            }
            if clock.elapsed() >= deadline {
                let words = said(&tunnel.printed);
                return Err(tunnel.error(&format!(
                    "nothing accepts connections on local port {local_port} after {}{words}",
                    duration::format(limit)
                )));
            }
            clock.sleep(POLL).await;
        }
    }

    fn start(
        clock: &Clock,
        command: &[String],
        host: &str,
        port: u16,
        local_port: u16,
    ) -> Result<Self, SqlError> {
        let program = command.first().map(String::as_str).unwrap_or_default();
        if program.is_empty() || !command.iter().any(|part| part.contains("{local_port}")) {
            let why = "it must name a program, and `{local_port}` where the tunnel is to listen; \
                correct `environments.<env>.sql.via`";
            return Err(SqlError::tunnel(program, why));
        }
        let arguments = command[1..].iter().map(|part| filled(part, host, port, local_port));
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C at the terminal must not cut a session that drctl is
            // still closing, and helpers of the command (SSM's plugin) end together with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| SqlError::tunnel(program, &format!("cannot be started: {error}")))?;
        let printed = Arc::new(Mutex::new(Vec::new()));
        let stderr = child.stderr.take().expect("stderr was asked for as a pipe");
        let reader = tokio::spawn(keep_the_end(stderr, Arc::clone(&printed)));
        let (clock, program) = (clock.clone(), program.to_owned());
        Ok(Self { clock, child, program, printed, reader })
    }

    /// The end of what an ended command printed, ready to follow a sentence.
    async fn last_words(&mut self) -> String {
        let clock = self.clock.clone();
        tokio::select! {
            biased;
            _ = &mut self.reader => {}
            () = clock.sleep(LAST_WORDS) => {}
        }
        said(&self.printed)
    }

    fn error(&self, why: &str) -> SqlError {
        SqlError::tunnel(&self.program, why)
    }

    /// What the tunnel has to say when a connection through it broke.
    pub(super) fn words(&self) -> String {
        said(&self.printed)
    }

    /// Ends the command and what it started, and waits for its end.
    pub(super) async fn close(mut self) {
        end_group(&self.child);
        let clock = self.clock.clone();
        tokio::select! {
            biased;
            _ = self.child.wait() => {}
            // One that ignores the signal has had its time.
            () = clock.sleep(GOOD_BYE) => {
                let _ = self.child.kill().await;
            }
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        end_group(&self.child);
        self.reader.abort();
    }
}

/// Asks the whole process group of a still running command to end.
fn end_group(child: &Child) {
    // `None` once the command was waited for: its number may then belong to somebody else.
    if let Some(id) = child.id()
        && let Err(why) = signal(id, Signal::TERM)
    {
        tracing::warn!(group = id, why, "a tunnel's process group could not be ended");
    }
}

fn filled(part: &str, host: &str, port: u16, local_port: u16) -> String {
    part.replace("{host}", host)
        .replace("{port}", &port.to_string())
        .replace("{local_port}", &local_port.to_string())
}

/// A port that nobody listens on now. Somebody may take it before the tunnel does: then the TLS
/// verification of the host name refuses whoever answers there.
fn free_local_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn said(printed: &Mutex<Vec<u8>>) -> String {
    let bytes = printed.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&bytes);
    // Redacted before it is cut: a cut could take the marker away and leave the credential.
    let text = redact(text.trim());
    let surplus = text.chars().count().saturating_sub(MAX_QUOTE);
    let quote: String = text.chars().skip(surplus).collect();
    if quote.is_empty() { quote } else { format!("; it said: {quote}") }
}

async fn keep_the_end(mut source: impl AsyncRead + Unpin, printed: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0_u8; 1_024];
    while let Ok(length @ 1..) = source.read(&mut buffer).await {
        let mut kept = printed.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..length]);
        let surplus = kept.len().saturating_sub(MAX_STDERR);
        kept.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }

    async fn refused(parts: &[&str], limit: Duration) -> String {
        let clock = Clock::real();
        match Tunnel::open(&clock, &command(parts), "db.internal", 5432, limit).await {
            Ok(_) => panic!("{parts:?} opened a tunnel"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn placeholders_are_filled() {
        assert_eq!(filled("{local_port}:{host}:{port}", "db", 5432, 61_000), "61000:db:5432");
    }

    #[tokio::test]
    async fn unusable_commands_say_what_to_correct() {
        let limit = Duration::from_secs(5);
        for parts in [&[][..], &["ssh", "-L", "{host}:{port}"][..]] {
            let text = refused(parts, limit).await;
            assert!(text.contains("environments.<env>.sql.via"), "{text}");
        }
        let text = refused(&["/nonexistent/tunnel", "{local_port}"], limit).await;
        assert!(text.contains("cannot be started"), "{text}");
    }

    #[tokio::test]
    async fn a_command_that_ends_is_quoted_redacted() {
        let script = "echo password=hunter2 denied by {host} >&2; exit 3";
        let text = refused(&["sh", "-c", script, "{local_port}"], Duration::from_secs(5)).await;
        assert!(text.contains("exit status: 3"), "{text}");
        assert!(text.contains("password=(secret) denied by db.internal"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[tokio::test]
    async fn a_command_that_never_listens_is_given_up() {
        let parts = ["sh", "-c", "echo waiting >&2; exec tail -f /dev/null", "{local_port}"];
        let text = refused(&parts, Duration::from_millis(300)).await;
        assert!(text.contains("after 300ms"), "{text}");
        assert!(text.contains("it said: waiting"), "{text}");
    }

    #[tokio::test]
    async fn only_the_end_of_the_output_is_kept() {
        let printed = Arc::new(Mutex::new(Vec::new()));
        let text = "x".repeat(10_000) + "end";
        keep_the_end(text.as_bytes(), Arc::clone(&printed)).await;
        let kept = printed.lock().unwrap();
        assert_eq!(kept.len(), MAX_STDERR);
        assert!(kept.ends_with(b"end"));
    }
}
