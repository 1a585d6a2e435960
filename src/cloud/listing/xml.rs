//! Tags and texts of a list's XML, read where they stand.
//!
//! A page of a thousand keys is 300 KB, and a bucket has thousands of pages: a tree or an event for each
//! of its twelve thousand tags costs more than the network.
//!
//! **Invariant:** what is not well-formed, or is XML that no list of S3 has (`CDATA`, a document type), is
//! unreadable, never a part of it.

use std::borrow::Cow;

/// Why an answer is no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

/// What is said of a list without the order that everything relies on: asking again does not mend it.
pub(super) const NOT_IN_ORDER: &str = "its keys are not in the order of their bytes";

pub(super) fn unreadable<T>(why: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable(why.into()))
}

/// What a tag does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    Open,
    Close,
    /// `<Prefix/>`
    Empty,
}

/// A tag, and the text between the one before and this.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'a> {
    pub(super) before: &'a [u8],
    /// Without a namespace's prefix.
    pub(super) name: &'a [u8],
    pub(super) kind: TagKind,
}

/// Reads one document from its beginning.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next tag; `None` at the end. Comments and the declaration are passed over.
    pub(super) fn tag(&mut self) -> Result<Option<Tag<'a>>, Unreadable> {
        loop {
            let rest = &self.bytes[self.at..];
            let Some(open) = memchr::memchr(b'<', rest) else { return Ok(None) };
            let (before, rest) = (&rest[..open], &rest[open + 1..]);
            if let Some((tag, length)) = plain(before, rest) {
                self.at += open + 1 + length;
                return Ok(Some(tag));
            }
            if let Some(skipped) = self.passed_over(rest, open)? {
                self.at += skipped;
                continue;
            }
            let Some(close) = end_of_tag(rest) else { return unreadable("a tag does not end") };
            self.at += open + 1 + close + 1;
            return named(before, &rest[..close]).map(Some);
        }
    }

    /// How far a declaration or comment goes; `None` where a tag begins.
    fn passed_over(&self, rest: &[u8], open: usize) -> Result<Option<usize>, Unreadable> {
        let end: &[u8] = match rest.first() {
            Some(b'?') => b"?>",
            Some(b'!') if rest.starts_with(b"!--") => b"-->",
            Some(b'!') => return unreadable("it has a document type or CDATA"),
            _ => return Ok(None),
        };
        match memchr::memmem::find(rest, end) {
            Some(at) => Ok(Some(open + 1 + at + end.len())),
            None => unreadable("a comment does not end"),
        }
    }
}

/// A tag that is a name and nothing else, and its length: all but the first of a list are.
fn plain<'a>(before: &'a [u8], rest: &'a [u8]) -> Option<(Tag<'a>, usize)> {
    let (kind, from) = match rest.first()? {
        b'/' => (TagKind::Close, 1),
        _ => (TagKind::Open, 0),
    };
    let name = &rest[from..];
    let length = name.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    if length == 0 || name[length] != b'>' {
        return None;
    }
    Some((Tag { before, name: &name[..length], kind }, from + length + 1))
}

/// Where the tag's `>` is; one in an attribute's value does not end it.
fn end_of_tag(rest: &[u8]) -> Option<usize> {
    let close = memchr::memchr(b'>', rest)?;
    if memchr::memchr2(b'"', b'\'', &rest[..close]).is_none() {
        return Some(close);
    }
    let mut quote = None;
    rest.iter().position(|&byte| {
        match quote {
            Some(open) if open == byte => quote = None,
            Some(_) => {}
            None if byte == b'"' || byte == b'\'' => quote = Some(byte),
            None => return byte == b'>',
        }
        false
    })
}

fn named<'a>(before: &'a [u8], inside: &'a [u8]) -> Result<Tag<'a>, Unreadable> {
    let (inside, kind) = match inside {
        [b'/', name @ ..] => (name, TagKind::Close),
        [name @ .., b'/'] => (name, TagKind::Empty),
        name => (name, TagKind::Open),
    };
    let end = inside.iter().position(u8::is_ascii_whitespace).unwrap_or(inside.len());
    let name = &inside[..end];
    let name = memchr::memchr(b':', name).map_or(name, |colon| &name[colon + 1..]);
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || !name.iter().all(plain) {
        return unreadable("a tag has no name");
    }
    Ok(Tag { before, name, kind })
}

/// A text with its entities resolved.
pub(super) fn text(raw: &[u8]) -> Result<Cow<'_, [u8]>, Unreadable> {
    let Some(first) = memchr::memchr(b'&', raw) else { return Ok(Cow::Borrowed(raw)) };
    let mut out = raw[..first].to_vec();
    let mut rest = &raw[first..];
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        let Some(end) = memchr::memchr(b';', &rest[at..]).filter(|end| *end <= 12) else {
            return unreadable("an entity does not end");
        };
        let entity = &rest[at + 1..at + end];
        match entity {
            b"lt" => out.push(b'<'),
            b"gt" => out.push(b'>'),
            b"amp" => out.push(b'&'),
            b"quot" => out.push(b'"'),
            b"apos" => out.push(b'\''),
            [b'#', number @ ..] => {
                let Some(found) = character(number) else {
                    return unreadable("an entity is no character");
                };
                out.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => return unreadable("an entity is not known"),
        }
        rest = &rest[at + end + 1..];
    }
    out.extend_from_slice(rest);
    Ok(Cow::Owned(out))
}

/// Control characters that XML 1.0 forbids are read too: S3 writes them so where no encoding was asked for.
fn character(number: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(number).ok()?;
    let code = match text.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    char::from_u32(code)
}

/// A key as `encoding-type=url` writes it: percent signs, and `+` for a blank.
pub(crate) fn url_decoded(raw: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, Unreadable> {
    if memchr::memchr2(b'%', b'+', &raw).is_none() {
        return Ok(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = (rest.next().and_then(nibble), rest.next().and_then(nibble));
                let (Some(high), Some(low)) = digits else {
                    return unreadable("a key has a percent sign without two digits");
                };
                out.push(high << 4 | low);
            }
            other => out.push(other),
        }
    }
    Ok(Cow::Owned(out))
}

/// The value of a hexadecimal digit.
pub(super) fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Percent signs for all but unreserved characters, as signatures need it.
pub(super) fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Result<Vec<String>, Unreadable> {
        let mut scanner = Scanner::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(tag) = scanner.tag()? {
            let name = String::from_utf8_lossy(tag.name);
            found.push(format!("{}|{name}|{:?}", String::from_utf8_lossy(tag.before), tag.kind));
        }
        Ok(found)
    }

    #[test]
    fn tags_are_found_and_what_is_no_list_is_refused() {
        let read = tags("<?xml version=\"1.0\"?><!-- > --><a:R xmlns='x>y'><K>1 2</K><P/></a:R>");
        let wanted = ["|R|Open", "|K|Open", "1 2|K|Close", "|P|Empty", "|R|Close"];
        assert_eq!(read.expect("well-formed"), wanted);
        for bad in ["<a", "<a b='>", "<!DOCTYPE a><a/>", "<a><![CDATA[x]]></a>", "<!-- <a/>", "< >"]
        {
            assert!(tags(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn entities_and_percent_signs_are_resolved() {
        for (raw, wanted) in [
            ("plain", "plain"),
            ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
            ("a&#10;b&#x41;&#x1F600;", "a\nbA\u{1F600}"),
            ("&#x1;", "\u{1}"),
        ] {
            assert_eq!(text(raw.as_bytes()).expect(raw), wanted.as_bytes(), "{raw}");
        }
        for bad in ["&", "&nope;", "&#xD800;", "&#zz;", "&amp", "a & b"] {
            assert!(text(bad.as_bytes()).is_err(), "{bad}");
        }
        for (raw, wanted) in [("a+b%2Bc%0A%25", "a b+c\n%"), ("%C3%A4", "ä"), ("a/b", "a/b")] {
            let decoded = url_decoded(Cow::Borrowed(raw.as_bytes())).expect(raw);
            assert_eq!(decoded, wanted.as_bytes(), "{raw}");
        }
        for bad in ["%", "%4", "%zz", "a%"] {
            assert!(url_decoded(Cow::Borrowed(bad.as_bytes())).is_err(), "{bad}");
        }
    }
}
