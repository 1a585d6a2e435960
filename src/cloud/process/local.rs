//! Runs programs on this machine, each in a process group of its own.
//!
//! **Invariant:** a group never outlives its time-out by more than [`GRACE`], nor the future that
//! waits for it.

use super::contract::{Command, Finished, Output, ProcessError, Processes};
use super::group::signal;
use super::output::Kept;
use crate::base::clock::Clock;
use crate::base::redact::{redact, redact_line};
use crate::base::secret::{ExposeSecret as _, Secret};
use async_trait::async_trait;
use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::task::JoinSet;

/// How long a program may take to end after it was asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How long the rest of the output is waited for once the program has ended: something that it started
/// may hold the pipe open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How much of the last words an error quotes, in characters.
const MAX_QUOTE: usize = 240;
/// What every program needs to find others, its user's files, and the language.
const BASE_VARIABLES: [&str; 8] =
    ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// This machine.
#[derive(Debug, Clone)]
pub struct LocalProcesses {
    clock: Clock,
    root: PathBuf,
}

/// Kills the group when nobody waits for it any more.
#[derive(Debug)]
struct Group {
    id: Option<u32>,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            // Nobody waits for an answer any more: the log is the only place left to say it.
            if let Err(why) = signal(id, Signal::KILL) {
                tracing::warn!(group = id, why, "a process group could not be ended");
            }
        }
    }
}

impl LocalProcesses {
    /// Programs whose time-outs follow `clock` and that run below the project's directory `root`.
    pub fn new(clock: Clock, root: &Path) -> Self {
        Self { clock, root: root.to_owned() }
    }

    /// Where the program runs.
    fn directory(&self, command: &Command) -> Result<PathBuf, String> {
        let shown = |path: &Path| path.display().to_string();
        let real = |path: &Path| {
            path.canonicalize().map_err(|error| format!("directory {}: {error}", shown(path)))
        };
        let root = real(&self.root)?;
        let wanted = command.directory.as_deref().unwrap_or(Path::new("."));
        let found = real(&root.join(wanted))?;
        if !found.starts_with(&root) {
            return Err(format!("`{}` lies outside the project {}", shown(wanted), shown(&root)));
        }
        if found.is_dir() { Ok(found) } else { Err(format!("{} is no directory", shown(&found))) }
    }

    fn start(&self, command: &Command) -> Result<Child, String> {
        let (program, arguments) =
            command.words.split_first().ok_or_else(|| "no program is named".to_owned())?;
        let directory = self.directory(command)?;
        // A path is meant as it is seen from where the program runs; a bare name is looked for in PATH.
        let path = if program.contains('/') { directory.join(program) } else { program.into() };
        let base = BASE_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let given = command.variables.iter();
        tokio::process::Command::new(path)
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(base)
            .envs(given.map(|(name, value)| (name, value.expose_secret())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{error}; is it there, and may it be executed?"))
    }

    /// Waits for the end. Without one the time was out and the group was ended: then, why a part of it
    /// may still be there.
    async fn end(
        &self,
        child: &mut Child,
        group: &mut Group,
        limit: Duration,
    ) -> Result<ExitStatus, Option<String>> {
        tokio::select! {
            biased;
            status = child.wait() => {
                // What it left running in the background was started on purpose.
                group.id = None;
                return status.map_err(|error| Some(error.to_string()));
            }
            () = self.clock.sleep(limit) => {}
        }
        if let Some(id) = group.id {
            // One that fails says so again below, where it matters.
            let _ = signal(id, Signal::TERM);
        }
        tokio::select! {
            biased;
            _ = child.wait() => {}
            () = self.clock.sleep(GRACE) => {}
        }
        // Also when the program itself obeyed: what it started may not have.
        let ended = group.id.take().map_or(Ok(()), |id| signal(id, Signal::KILL));
        let _ = child.kill().await;
        Err(ended.err())
    }
}

#[async_trait]
impl Processes for LocalProcesses {
    async fn run(&self, command: &Command) -> Result<Finished, ProcessError> {
        let program = redact(command.words.first().map_or("", String::as_str));
        let begun = self.clock.elapsed();
        let mut child = self.start(command).map_err(|why| {
            let program = program.clone();
            ProcessError::NotStarted { program, why: redact_line(&why, MAX_QUOTE) }
        })?;
        let mut group = Group { id: child.id() };
        let (stdout, stderr) = (Stream::default(), Stream::default());
        let mut readers = JoinSet::new();
        readers.spawn(stdout.clone().read(child.stdout.take()));
        readers.spawn(stderr.clone().read(child.stderr.take()));
        let status = self.end(&mut child, &mut group, command.timeout).await;
        tokio::select! {
            biased;
            () = async { while readers.join_next().await.is_some() {} } => {}
            () = self.clock.sleep(LAST_WORDS) => {}
        }
        drop(readers);
        let secrets: Vec<Secret> =
            command.variables.iter().map(|(_, value)| value.clone()).collect();
        let (stdout, stderr) = (stdout.finish(&secrets), stderr.finish(&secrets));
        let status = match status {
            Ok(status) => status,
            Err(left) => {
                let left = left.map(|why| {
                    format!("; what it had started may still run, it could not be ended: {why}")
                });
                let words = left.unwrap_or_default() + &last_words(&stderr, &stdout);
                return Err(ProcessError::TimedOut { program, limit: command.timeout, words });
            }
        };
        let exit_code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let took = self.clock.elapsed().saturating_sub(begun);
        Ok(Finished { exit_code, stdout, stderr, took, started: true })
    }
}

/// The end of what was printed, ready to follow a sentence.
fn last_words(stderr: &Output, stdout: &Output) -> String {
    let text = if stderr.shown.trim().is_empty() { &stdout.shown } else { &stderr.shown };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let surplus = words.chars().count().saturating_sub(MAX_QUOTE);
    let quote: String = words.chars().skip(surplus).collect();
    if quote.is_empty() { quote } else { format!("; it said: {quote}") }
}

/// One of the two streams, shared with the task that reads it.
#[derive(Debug, Clone, Default)]
struct Stream {
    kept: Arc<Mutex<Kept>>,
}

impl Stream {
    async fn read(self, source: Option<impl AsyncRead + Unpin>) {
        let Some(mut source) = source else { return };
        let mut buffer = vec![0_u8; 16_384];
        while let Ok(length @ 1..) = source.read(&mut buffer).await {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..length]);
        }
    }

    fn finish(&self, secrets: &[Secret]) -> Output {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *kept).finish(secrets)
    }
}
