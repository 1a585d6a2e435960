//! The two streams: results on standard output, everything else on standard error.
//!
//! **Invariant:** nothing else in drctl prints. A reader that closed the pipe is no error.

use std::io::{IsTerminal as _, Write as _};
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

/// Writes a result in sentences: on a terminal wrapped at words to its width, elsewhere line by line as
/// it is, because a program reads it.
pub(super) fn prose(text: &str) {
    let width = std::io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    match width {
        Some((terminal_size::Width(width), _)) => result(&wrap(text, width.into())),
        None => result(text),
    }
}

/// A text for standard error: on a terminal wrapped at words to its width, elsewhere as it is.
pub(super) fn fitted(text: &str) -> String {
    let stderr = std::io::stderr();
    let width = stderr.is_terminal().then(|| terminal_size::terminal_size_of(stderr)).flatten();
    match width {
        Some((terminal_size::Width(width), _)) => wrap(text, width.into()),
        None => text.to_owned(),
    }
}

/// A line with a label as lines of at most `width` columns; what is carried over stands below the text.
pub(super) fn row(line: &str, width: usize) -> Vec<String> {
    wrap(line, width).lines().map(str::to_owned).collect()
}

/// Wraps long lines at words; what is carried over stands below the text, not below its label.
fn wrap(text: &str, width: usize) -> String {
    let wrapped = text.lines().map(|line| {
        let hanging = " ".repeat(text_column(line).min(width / 2));
        let options = textwrap::Options::new(width.max(20))
            .subsequent_indent(&hanging)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        if line.is_empty() { String::new() } else { textwrap::fill(line, options) }
    });
    wrapped.collect::<Vec<_>>().join("\n")
}

/// Where the text of a line begins: after its indent and a bullet, or after a label that is set off by
/// two or more blanks.
fn text_column(line: &str) -> usize {
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    if let Some(item) = rest.strip_prefix("- ") {
        return indent + rest.len() - item.len();
    }
    let Some(gap) = rest.find("  ").filter(|gap| *gap < 16) else { return indent + 2 };
    indent + gap + rest[gap..].len() - rest[gap..].trim_start().len()
}

/// A part of the terminal that is drawn again and again.
pub(super) struct Live {
    drawn: usize,
}

/// The terminal on standard output, where there is one.
pub(super) fn live() -> Option<Live> {
    std::io::stdout().is_terminal().then_some(Live { drawn: 0 })
}

impl Live {
    /// Columns and lines of the terminal.
    pub(super) fn size() -> (usize, usize) {
        match terminal_size::terminal_size() {
            Some((width, height)) => (usize::from(width.0).max(20), usize::from(height.0)),
            None => (80, 24),
        }
    }

    /// Draws `lines` in place of those drawn before; each is cut to the terminal's width, and what does
    /// not fit on it is left out from the end but one line.
    pub(super) fn draw(&mut self, lines: &[String]) {
        let (width, height) = Self::size();
        let fits = lines.iter().take(height.saturating_sub(1).max(1));
        let lines: Vec<String> = fits.map(|line| cut(line, width)).collect();
        let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        let mut out = std::io::stdout().lock();
        let _ = write!(out, "{up}\r\x1b[J{}\n", lines.join("\n")).and_then(|()| out.flush());
        self.drawn = lines.len();
    }
}

/// As much of a line as has room, without what would move the cursor.
fn cut(line: &str, width: usize) -> String {
    let plain: String = line.chars().filter(|c| !c.is_control()).collect();
    if textwrap::core::display_width(&plain) <= width {
        return plain;
    }
    let mut room = width - 1;
    let fits = plain.chars().take_while(|c| {
        let wide = textwrap::core::display_width(c.encode_utf8(&mut [0; 4]));
        let fits = wide <= room;
        room = room.saturating_sub(wide);
        fits
    });
    fits.chain(['…']).collect()
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

#[cfg(test)]
mod tests {
    use super::{cut, wrap};

    #[test]
    fn long_lines_break_at_words_below_their_text() {
        let text = "where        techcorp in sim, account 123456789012\n     - made of several words\n\nshort\n";
        let shown = wrap(text, 30);
        let wanted = "where        techcorp in sim,\n             account\n             123456789012\n     \
                      - made of several words\n\nshort";
        assert_eq!(shown, wanted);
    }

    #[test]
    fn a_line_on_the_terminal_is_cut_to_its_width() {
        assert_eq!(cut("twelve chars", 12), "twelve chars");
        assert_eq!(cut("twelve chars", 8), "twelve …");
        assert_eq!(cut("a\x1b[31mb\tc", 20), "a[31mbc");
        // Two columns each: half a character is not shown.
        assert_eq!(cut("漢字漢字", 6), "漢字…");
    }

    #[test]
    fn what_has_no_blank_is_never_broken() {
        let digest = "sha256:ab78ff6e8d5c195f434d8b6758567a0aa34fd38a4e55fc60d6e38fd08748ba36";
        assert!(wrap(&format!("journal: 21 events, {digest}"), 40).ends_with(digest));
    }
}
