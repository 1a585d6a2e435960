//! From bytes to text that can be parsed, and from the parser's errors to words and places.
//!
//! **Invariant:** what is no UTF-8 text of bounded size never reaches the parser.

use super::{MAX_ALIASES, MAX_DEPTH, MAX_NODES};
use crate::base::diagnostic::{Problems, Span, place_of};

/// Largest file read: a runbook of 20,000 steps has a tenth of this.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The text in `bytes`, which came from the file called `file`, without a byte order mark.
///
/// # Errors
/// It is too large, is not UTF-8, or holds a NUL (code `DR009`).
pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, Problems> {
    if bytes.len() > MAX_BYTES {
        return Err(too_large(file, bytes.len() as u64));
    }
    let wide = match bytes.as_slice() {
        [0xff, 0xfe, ..] | [_, 0, _, 0, ..] => Some("little-endian"),
        [0xfe, 0xff, ..] | [0, _, 0, _, ..] => Some("big-endian"),
        _ => None,
    };
    if let Some(order) = wide {
        return Err(refuse(file, "", Span::default(), &format!("the file is UTF-16, {order}")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let message = format!("the file is not UTF-8 text (byte {at})");
        refuse(file, &lossy, place_of(&lossy, at), &message)
    })?;
    match text.strip_prefix('\u{feff}') {
        Some(marked) => Ok(marked.to_owned()),
        None => Ok(text),
    }
}

/// What is said of a file of `bytes` bytes, which is not even read.
pub fn too_large(file: &str, bytes: u64) -> Problems {
    let mut problems = Problems::of(file);
    let message = format!("the file has {bytes} bytes; the limit is {MAX_BYTES}");
    problems
        .error("DR009", Span::default(), message)
        .help("is it the right file? A runbook can be split, and what is large belongs elsewhere");
    problems
}

fn refuse(file: &str, text: &str, span: Span, message: &str) -> Problems {
    let mut problems = Problems::in_text(file, text);
    problems.error("DR009", span, message).help("save it as UTF-8 text");
    problems
}

/// Refuses text that no parser should see.
pub(super) fn check_text(file: &str, text: &str) -> Result<(), Problems> {
    if text.len() > MAX_BYTES {
        return Err(too_large(file, text.len() as u64));
    }
    match text.find('\0') {
        Some(at) => Err(refuse(file, text, place_of(text, at), "the file holds a NUL character")),
        None => Ok(()),
    }
}

/// The parser's place with the bytes that belong to its line and column; it counts characters in
/// some errors and bytes in others, and stands behind the last line when something is not closed.
pub(super) fn found(text: &str, span: Span) -> Span {
    if span.line == 0 {
        return span;
    }
    let number = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
    let mut start = 0;
    for _ in 1..span.line {
        let Some(end) = text[start..].find(['\n', '\r']) else { break };
        let both = text[start + end..].starts_with("\r\n");
        start += end + if both { 2 } else { 1 };
    }
    let line = text[start..].split(['\n', '\r']).next().unwrap_or("");
    let within = line.char_indices().nth(number(span.column).saturating_sub(1));
    let at = start + within.map_or(line.len(), |(at, _)| at);
    // Of an indentation with a tab the tab is what is wrong; the parser stands before or behind it.
    let blank = |text: &str| text.trim_end_matches([' ', '\t']).is_empty();
    let tab = line.find('\t').filter(|tab| blank(&line[..*tab]) && blank(&line[..at - start]));
    if let Some(tab) = tab {
        return place_of(text, start + tab);
    }
    let written = text[at..].trim_end();
    if !written.is_empty() {
        return place_of(text, at);
    }
    // Nothing is written here or behind: the caret stands behind the last thing that is.
    place_of(text, text.trim_end().len())
}

/// Which limit an error of the parser is about, in words; `None` when it is about none.
pub(super) fn limit(message: &str) -> Option<String> {
    let says = |word: &str| message.contains(word);
    if !says("budget breached") && !says("limit exceeded") || says("Documents") {
        return None;
    }
    Some(if says("Depth") || says("recursion") || says("nesting") {
        format!("values stand more than {MAX_DEPTH} levels deep")
    } else if says("Nodes") || says("Events") {
        format!("the file has more than {MAX_NODES} keys and values")
    } else if says("Aliases") || says("Anchors") {
        format!("the file has more than {MAX_ALIASES} anchors or aliases")
    } else {
        "the aliases of the file stand for too much".to_owned()
    })
}

/// What to do about an error of the parser.
pub(super) fn help(message: &str, text: &str, span: Span) -> Option<&'static str> {
    let line = text[..span.start.min(text.len())].lines().next_back().unwrap_or("");
    let says = |word: &str| message.contains(word);
    if text[span.start.min(text.len())..].starts_with('\t')
        || line.trim_start_matches(' ').starts_with('\t')
    {
        Some("indent with spaces: YAML takes no tabs there")
    } else if says("duplicate") {
        Some("keep one of the two")
    } else if says("mapping values are not allowed") {
        Some(
            "put the value in quotes: YAML takes a `: ` inside it, as in `a ? b : c`, for a new key",
        )
    } else if says("document") {
        Some("one file is one document: put the others into files of their own")
    } else {
        None
    }
}
