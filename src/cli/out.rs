//! The two streams: results on standard output, everything else on standard error.
//!
//! **Invariant:** nothing else in drctl prints. A reader that closed the pipe is no error.

use std::io::Write as _;
use std::sync::OnceLock;

/// How much goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loudness {
    /// Progress and status.
    Usual,
    /// Errors and questions only.
    Quiet,
}

static LOUDNESS: OnceLock<Loudness> = OnceLock::new();

/// Says once how loud this process is.
pub(super) fn be(loudness: Loudness) {
    let _ = LOUDNESS.set(loudness);
}

/// Whether progress is not wanted.
pub(super) fn is_quiet() -> bool {
    LOUDNESS.get() == Some(&Loudness::Quiet)
}

/// Writes a command's result.
pub(super) fn result(text: &str) {
    let mut out = anstream::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    // A closed pipe (`drctl … | head`) is the reader's choice.
    let _ = write!(out, "{text}{end}");
}

/// Writes bytes of a result as they are.
pub(super) fn bytes(bytes: &[u8]) {
    let _ = std::io::stdout().lock().write_all(bytes);
}

/// Writes status and progress, unless they are not wanted; nothing for an empty text.
pub(super) fn progress(text: &str) {
    if !text.is_empty() && !is_quiet() {
        failure(text);
    }
}

/// Writes why a command could not do its work.
pub(super) fn failure(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes a question without ending the line.
pub(super) fn prompt(text: &str) {
    let mut err = anstream::stderr().lock();
    let _ = write!(err, "{text}").and_then(|()| err.flush());
}
