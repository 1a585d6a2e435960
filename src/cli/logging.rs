//! The diagnostic log on standard error, silent unless asked for.
//!
//! **Invariant:** every line is redacted, and of other crates nothing finer than `info` is shown: the
//! SDK's debug lines print requests.

use crate::base::redact::redact;
use std::io;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts the log: `RUST_LOG` decides, else how often `-v` was given.
pub(super) fn start(verbose: u8) {
    let own = match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let filter = match std::env::var("RUST_LOG") {
        Ok(wanted) if !wanted.is_empty() => EnvFilter::new(wanted),
        _ if own == LevelFilter::OFF => return,
        _ => EnvFilter::new(format!("drctl={own}")),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Redacted)
        .with_ansi(false)
        .with_filter(filter_fn(may_be_shown));
    // A second start in one process (tests) keeps the first.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}

fn may_be_shown(line: &Metadata<'_>) -> bool {
    let own = line.target() == "drctl" || line.target().starts_with("drctl::");
    own || *line.level() <= Level::INFO
}

/// Standard error behind the redaction.
#[derive(Debug, Clone, Copy)]
struct Redacted;

impl io::Write for Redacted {
    /// Takes one whole line, as the formatter hands it over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = redact(&String::from_utf8_lossy(line));
        io::Write::write_all(&mut io::stderr().lock(), text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::Write::flush(&mut io::stderr().lock())
    }
}

impl MakeWriter<'_> for Redacted {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}
