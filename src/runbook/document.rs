//! Small readers that several kinds of documents share.
//!
//! **Invariant:** a reader that reports a problem gives a harmless value, so that reading goes on.

use crate::base::diagnostic::{Problems, Span, nearest};
use crate::base::value::Type;
use crate::base::yaml::{self, Fields, Kind, Node};
use crate::runbook::codes;
use std::path::Path;

/// What a name may be: a pattern and its words for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// `[a-z][a-z0-9_]{0,30}`: step ids and parameters, which expressions name.
    Id,
    /// `[a-z][a-z0-9_-]{0,62}`: documents, which file names and commands name.
    Document,
}

/// Names of documents, as a regular expression.
pub(crate) const DOCUMENT_NAME: &str = "^[a-z][a-z0-9_-]{0,62}$";
/// Ids of steps and names of parameters, as a regular expression.
pub(crate) const ID: &str = "^[a-z][a-z0-9_]{0,30}$";

/// Reports a name that cannot be one.
pub(crate) fn check_name(name: &str, naming: Naming, span: Span, problems: &mut Problems) {
    let (longest, dash, pattern) = match naming {
        Naming::Id => (31, false, ID),
        Naming::Document => (63, true, DOCUMENT_NAME),
    };
    let rest = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || dash && byte == b'-'
    };
    let valid = name.len() <= longest
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(rest);
    if !valid {
        problems
            .error(codes::NAME, span, format!("`{name}` cannot be a name"))
            .help(format!("names match {}", pattern.trim_matches(['^', '$'])));
    }
}

/// The required field `name` with its place, checked as a name.
pub(crate) fn name(
    fields: &mut Fields<'_>,
    field: &'static str,
    naming: Naming,
    problems: &mut Problems,
) -> Option<(String, Span)> {
    let span = fields.node(field).map(|node| node.span).unwrap_or_default();
    let text = fields.required_text(field, problems)?;
    check_name(&text, naming, span, problems);
    Some((text, span))
}

/// Whether the `name` of the document in `text` is that of the file called `file`: commands and other
/// documents find it by its file's. A text that is no document has no such problem.
pub fn check_file_name(file: &str, text: &str) -> Problems {
    let mut problems = Problems::in_text(file, text);
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
    let Ok(node) = yaml::parse(file, text) else { return problems };
    if let (Some((_, Node { span, kind: Kind::Text(name) })), Some(stem)) =
        (node.field("name"), stem)
        && name != stem
    {
        let message = format!("it is called `{name}`, and its file `{stem}`");
        let help = match nearest(name, [stem]) {
            Some(stem) => format!("did you mean `{stem}`?"),
            None => format!("write `name: {stem}`, or call the file `{name}.yaml`"),
        };
        problems.error(codes::FILE_NAME, *span, message).help(help);
    }
    problems
}

/// The field as one of a table's words.
pub(crate) fn word<T: Copy>(
    fields: &mut Fields<'_>,
    field: &'static str,
    words: &[(&'static str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let span = fields.node(field)?.span;
    let text = fields.text(field, problems)?;
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let names = || words.iter().map(|(word, _)| *word);
        let message = format!("field `{field}` cannot be `{text}`");
        let problem = problems.error("DR004", span, message);
        match nearest(&text, names()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("it can be: {}", names().collect::<Vec<_>>().join(", "))),
        }
    }
    found.map(|(_, value)| *value)
}

/// The items of a list field; absent reads as empty.
pub(crate) fn items<'a>(
    fields: &mut Fields<'a>,
    field: &'static str,
    problems: &mut Problems,
) -> &'a [Node] {
    match fields.node(field) {
        None => &[],
        Some(Node { kind: Kind::List(items), .. }) => items,
        Some(node) => {
            let message = format!("field `{field}`: expected a list, found {}", node.kind_name());
            let problem = problems.error("DR004", node.span, message);
            if let Some(hint) = node.to_value().hint(&Type::texts()) {
                problem.help(hint);
            }
            &[]
        }
    }
}
