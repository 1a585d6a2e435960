//! DNS names as Route 53 writes, orders and compares them.
//!
//! **Invariant:** a name in canonical form is lower case, ends with a dot, has octal escapes for all but
//! letters, digits, `-` and `_`, and fits into a DNS message.

/// Longest label and longest name, bytes as in a message.
const LABEL: usize = 63;
const NAME: usize = 255;

/// What is wrong with a name, in the words of Route 53.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum NameFault {
    Empty,
    Label,
    Long,
    Escape,
}

impl NameFault {
    /// As it stands in a refusal.
    pub(super) fn text(self, name: &str) -> String {
        let (code, words) = match self {
            Self::Empty => ("DomainLabelEmpty", "Domain label is empty"),
            Self::Label => ("DomainLabelTooLong", "Domain label is too long"),
            Self::Long => ("DomainNameTooLong", "Domain name is too long"),
            Self::Escape => ("InvalidEscape", "Escape is no octal number of three digits"),
        };
        format!("FATAL problem: {code} ({words}) encountered with '{name}'")
    }
}

/// Labels of a name, as bytes in lower case. The root has none.
pub(in crate::sim) fn labels(text: &str) -> Result<Vec<Vec<u8>>, NameFault> {
    let text = text.trim();
    if text == "." {
        return Ok(Vec::new());
    }
    let mut labels = vec![Vec::new()];
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let byte = match (first, tail) {
            (b'.', []) => break,
            (b'.', _) => {
                labels.push(Vec::new());
                continue;
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                rest = after;
                (a - b'0') * 64 + (b - b'0') * 8 + (c - b'0')
            }
            (b'\\', _) => return Err(NameFault::Escape),
            (byte, _) => *byte,
        };
        labels.last_mut().ok_or(NameFault::Empty)?.push(byte.to_ascii_lowercase());
    }
    if labels.iter().any(Vec::is_empty) {
        return Err(NameFault::Empty);
    }
    if labels.iter().any(|label| label.len() > LABEL) {
        return Err(NameFault::Label);
    }
    let length: usize = labels.iter().map(|label| label.len() + 1).sum();
    if length + 1 > NAME { Err(NameFault::Long) } else { Ok(labels) }
}

/// Labels as Route 53 writes them.
pub(in crate::sim) fn text_of<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut text = String::new();
    for label in labels {
        for byte in label {
            match byte.to_ascii_lowercase() {
                plain @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => text.push(char::from(plain)),
                other => text.push_str(&format!("\\{other:03o}")),
            }
        }
        text.push('.');
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

/// The canonical form.
pub(in crate::sim) fn canonical(text: &str) -> Result<String, NameFault> {
    Ok(text_of(labels(text)?.iter().map(Vec::as_slice)))
}

/// What names are ordered by: their labels from the last to the first, each with its dot.
pub(super) fn sort_key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    for label in labels(name).unwrap_or_default().iter().rev() {
        key.extend_from_slice(label);
        key.push(b'.');
    }
    key
}

/// Whether a name is a zone's, or below it. Both canonical.
pub(in crate::sim) fn within(name: &str, zone: &str) -> bool {
    name == zone || name.ends_with(&format!(".{zone}")) || zone == "."
}

/// The names that a wildcard for `name` may have in `zone`, nearest first.
pub(super) fn wildcards(name: &str, zone: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = name;
    while let Some((_, parent)) = rest.split_once('.') {
        if !within(parent, zone) || parent.is_empty() {
            break;
        }
        found.push(format!("\\052.{parent}"));
        rest = parent;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for (text, wanted) in [
            ("API.Example", "api.example."),
            ("api.example.", "api.example."),
            ("*.example", "\\052.example."),
            ("\\052.example.", "\\052.example."),
            ("_dmarc.a-b.c", "_dmarc.a-b.c."),
            ("a b.c", "a\\040b.c."),
            (".", "."),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(wanted), "{text}");
        }
        for (text, wanted) in [
            ("a..b", NameFault::Empty),
            ("", NameFault::Empty),
            (".a", NameFault::Empty),
            ("a\\9", NameFault::Escape),
            ("a\\", NameFault::Escape),
        ] {
            assert_eq!(canonical(text), Err(wanted), "{text}");
        }
        assert_eq!(canonical(&"x".repeat(64)), Err(NameFault::Label));
        assert_eq!(canonical(&"abcdefg.".repeat(40)), Err(NameFault::Long));
    }

    #[test]
    fn order_is_from_the_last_label() {
        let mut names = ["www.b.", "b.", "\\052.b.", "a.b.", "a.", "a-x.b."];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["a.", "b.", "\\052.b.", "a-x.b.", "a.b.", "www.b."]);
    }

    #[test]
    fn wildcards_are_nearest_first() {
        assert_eq!(wildcards("x.y.b.c.", "b.c."), ["\\052.y.b.c.", "\\052.b.c."]);
        assert!(wildcards("b.c.", "b.c.").is_empty());
        assert!(within("a.b.", "b.") && !within("ab.", "b."));
    }
}
