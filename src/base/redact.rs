//! Takes credentials out of text that comes from elsewhere before it is shown or stored.
//!
//! **Invariant:** every text from AWS, a database or a child process passes here on its way to
//! output, journal or report.

use crate::base::secret::HIDDEN;

/// Words that are followed by a credential in URLs, connection strings and headers.
const MARKERS: [&str; 9] = [
    "password=",
    "passwd=",
    "pgpassword=",
    "secret=",
    "token=",
    "aws_secret_access_key=",
    "aws_session_token=",
    "x-amz-signature=",
    "x-amz-security-token=",
];

/// Words in names of query parameters and headers whose values are not shown.
const SECRETIVE: [&str; 10] =
    ["token", "key", "secret", "sig", "pass", "pwd", "auth", "code", "credential", "cookie"];

/// Whether the name of a query parameter or a header says that its value is a secret.
pub fn looks_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SECRETIVE.iter().any(|word| lower.contains(word))
}

/// Hides the values of parameters that look secret in an address with a query; other text stays.
pub fn redact_query(text: &str) -> String {
    let address = text.contains("://").then(|| text.split_once('?')).flatten();
    let Some((before, query)) = address else { return text.to_owned() };
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() && looks_secret(name) => {
            format!("{name}={HIDDEN}")
        }
        _ => pair.to_owned(),
    });
    format!("{before}?{}", shown.collect::<Vec<_>>().join("&"))
}

/// Replaces passwords in URLs, `key=value` credentials and AWS access key ids.
pub fn redact(text: &str) -> String {
    hide_access_keys(&hide_url_passwords(&hide_marked(text)))
}

/// Redacts text of elsewhere and makes it one line of at most `most` characters.
pub fn redact_line(text: &str, most: usize) -> String {
    let line = redact(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

fn hide_marked(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut output = String::with_capacity(text.len());
    let mut position = 0;
    while position < text.len() {
        let next = MARKERS
            .iter()
            .filter_map(|marker| {
                lower[position..].find(marker).map(|at| (position + at, marker.len()))
            })
            .min();
        let Some((at, length)) = next else { break };
        let value = at + length;
        // Text passes here more than once on its way out: what is hidden already stays as it is.
        let end = if text[value..].starts_with(HIDDEN) {
            value + HIDDEN.len()
        } else {
            text[value..]
                .find(|c: char| {
                    c.is_whitespace() || matches!(c, '&' | ';' | ',' | '"' | '\'' | ')')
                })
                .map_or(text.len(), |found| value + found)
        };
        output.push_str(&text[position..value]);
        output.push_str(HIDDEN);
        position = end;
    }
    output.push_str(&text[position..]);
    output
}

fn hide_url_passwords(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + 3);
        output.push_str(before);
        let authority = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\''))
            .unwrap_or(after.len());
        match (after[..authority].find(':'), after[..authority].rfind('@')) {
            (Some(colon), Some(at)) if colon < at => {
                output.push_str(&after[..=colon]);
                output.push_str(HIDDEN);
                rest = &after[at..];
            }
            _ => rest = after,
        }
    }
    output.push_str(rest);
    output
}

fn hide_access_keys(text: &str) -> String {
    text.split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|piece| {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let is_key = word.len() == 20 && (word.starts_with("AKIA") || word.starts_with("ASIA"));
            if is_key { piece.replace(word, HIDDEN) } else { piece.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{redact, redact_query};

    #[test]
    fn queries_of_addresses_lose_what_looks_secret() {
        for (text, shown) in [
            (
                "https://a.b/x?page=2&code=c1&sig=s",
                "https://a.b/x?page=2&code=(secret)&sig=(secret)",
            ),
            ("https://a.b/x?api_key=&page", "https://a.b/x?api_key=&page"),
            ("is the key=1 there? token=2", "is the key=1 there? token=2"),
            ("https://a.b/code=1", "https://a.b/code=1"),
        ] {
            assert_eq!(redact_query(text), shown);
            assert_eq!(redact_query(&redact_query(text)), shown, "twice");
        }
    }

    #[test]
    fn hides_what_is_secret_and_nothing_else() {
        let cases = [
            ("postgres://app:hunter2@db:5432/x failed", "postgres://app:(secret)@db:5432/x failed"),
            ("password=hunter2 host=db", "password=(secret) host=db"),
            ("Password=a&token=b", "Password=(secret)&token=(secret)"),
            ("key AKIAIOSFODNN7EXAMPLE is bad", "key (secret) is bad"),
            ("http://127.0.0.1:5601/ refused", "http://127.0.0.1:5601/ refused"),
            ("DB instance orders not found.", "DB instance orders not found."),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text), expected);
            assert_eq!(redact(&redact(text)), expected, "redacting twice");
        }
    }
}
