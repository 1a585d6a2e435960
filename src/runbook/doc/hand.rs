//! Renders what an action says that a person types in its place.
//!
//! **Invariant:** a value is one word of the shell, whatever stands in it; it never becomes a command.

use crate::base::value::Value;

/// What stands for a name in braces.
pub(super) enum Word {
    /// Nothing is given.
    Absent,
    /// Known values: one, or the items of a list.
    Values(Vec<String>),
    /// A variable of the shell.
    Variable(String),
    /// A variable that is a list.
    List(String),
    /// The name means nothing: the braces are the text's own.
    NoName,
}

/// Why a word is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// A part that may be left out depends on it.
    WhetherGiven,
    /// It is written.
    ToWrite,
}

/// Longest command in one line.
const LONGEST: usize = 88;

/// The lines of `by_hand`, names replaced by what `word` says.
pub(super) fn render(by_hand: &str, word: &mut dyn FnMut(&str, Asked) -> Word) -> Vec<String> {
    by_hand.lines().map(|line| render_line(line, word)).filter(|line| !line.is_empty()).collect()
}

/// Where in a command the text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quote {
    None,
    Single,
    Double,
    /// A line in words.
    Words,
}

fn render_line(line: &str, word: &mut dyn FnMut(&str, Asked) -> Word) -> String {
    let mut parts = vec![String::new()];
    let mut quote = if line.starts_with('#') { Quote::Words } else { Quote::None };
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some((inner, after)) = optional(rest) {
            if given(inner, word) {
                if quote == Quote::None && inner.starts_with(" --") {
                    parts.push(String::new());
                }
                text(inner, &mut quote, &mut parts, word);
            }
            rest = after;
            continue;
        }
        if quote == Quote::None && rest.starts_with("--") && ends_with_space(&parts) {
            parts.push(String::new());
        }
        // One piece: a name in braces or a character.
        let length = name(rest).map_or(c.len_utf8(), |(name, _)| name.len() + 2);
        text(&rest[..length], &mut quote, &mut parts, word);
        rest = &rest[length..];
    }
    let whole = parts.concat();
    if quote == Quote::Words || whole.chars().count() <= LONGEST {
        return whole.trim_end().to_owned();
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.trim()).collect();
    parts.join(" \\\n  ")
}

/// An optional part at the beginning of `text`: brackets with a name inside. Other brackets are text.
fn optional(text: &str) -> Option<(&str, &str)> {
    let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
    let named = inner.match_indices('{').any(|(at, _)| name(&inner[at..]).is_some());
    named.then_some((inner, after))
}

/// A name in braces at the beginning of `text`, and what follows.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (!name.is_empty() && name.bytes().all(letters)).then_some((name, after))
}

/// Whether all names inside have a value.
fn given(inner: &str, word: &mut dyn FnMut(&str, Asked) -> Word) -> bool {
    let names = inner.match_indices('{').filter_map(|(at, _)| name(&inner[at..]));
    names.map(|(name, _)| name).all(|name| match word(name, Asked::WhetherGiven) {
        Word::Absent => false,
        Word::Values(values) => !values.is_empty(),
        Word::Variable(_) | Word::List(_) | Word::NoName => true,
    })
}

fn text(
    mut rest: &str,
    quote: &mut Quote,
    parts: &mut [String],
    word: &mut dyn FnMut(&str, Asked) -> Word,
) {
    while let Some(c) = rest.chars().next() {
        if let Some((found, after)) = name(rest) {
            let text = match word(found, Asked::ToWrite) {
                Word::NoName => format!("{{{found}}}"),
                known => quoted(&known, *quote, found),
            };
            push(parts, &text);
            rest = after;
            continue;
        }
        *quote = match (*quote, c) {
            (Quote::None, '\'') => Quote::Single,
            (Quote::None, '"') => Quote::Double,
            (Quote::Single, '\'') | (Quote::Double, '"') => Quote::None,
            (same, _) => same,
        };
        push(parts, &rest[..c.len_utf8()]);
        rest = &rest[c.len_utf8()..];
    }
}

fn ends_with_space(parts: &[String]) -> bool {
    parts.last().is_some_and(|part| part.ends_with(' '))
}

fn push(parts: &mut [String], text: &str) {
    if let Some(last) = parts.last_mut() {
        last.push_str(text);
    }
}

fn quoted(word: &Word, quote: Quote, name: &str) -> String {
    let one = |value: &String| match quote {
        Quote::None => shell_word(value),
        Quote::Single => value.replace('\'', r"'\''"),
        Quote::Double => escaped(value, &['\\', '"', '$', '`']),
        Quote::Words => value.replace(['\n', '\r'], " "),
    };
    match (word, quote) {
        (Word::Values(values), _) if values.is_empty() => "''".to_owned(),
        (Word::Values(values), _) => values.iter().map(one).collect::<Vec<_>>().join(" "),
        (Word::Variable(name), Quote::None) => format!("\"${name}\""),
        (Word::Variable(name), Quote::Single) => format!("'\"${name}\"'"),
        (Word::Variable(name), Quote::Double | Quote::Words) => format!("${{{name}}}"),
        (Word::List(name), Quote::None) => format!("\"${{{name}[@]}}\""),
        (Word::List(name), Quote::Single) => format!("'\"${{{name}[*]}}\"'"),
        (Word::List(name), Quote::Double | Quote::Words) => format!("${{{name}[*]}}"),
        (Word::Absent | Word::NoName, _) => format!("{{{name}}}"),
    }
}

/// The text as one word of a POSIX shell.
pub(super) fn shell_word(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,-".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn escaped(text: &str, special: &[char]) -> String {
    let mark = |c: char| if special.contains(&c) { format!("\\{c}") } else { c.to_string() };
    text.chars().map(mark).collect()
}

/// A known value as words of a command; `None` for one that must not or cannot be shown.
pub(super) fn words_of(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Secret(_) | Value::Unknown(_) | Value::Null => None,
        Value::List(items) => {
            let words: Option<Vec<Vec<String>>> = items.iter().map(words_of).collect();
            words.map(|words| words.concat())
        }
        Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Time(_)
        | Value::Duration(_)
        | Value::Map(_) => Some(vec![value.to_string()]),
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Word, render, shell_word};

    fn word(name: &str, _: Asked) -> Word {
        match name {
            "plain" => Word::Values(vec!["shop-orders".to_owned()]),
            "hostile" => Word::Values(vec!["a'; rm -rf $HOME \"`id`".to_owned()]),
            "several" => Word::Values(vec!["sg-1".to_owned(), "sg 2".to_owned()]),
            "none" => Word::Values(Vec::new()),
            "later" => Word::Variable("RESTORE_INSTANCE".to_owned()),
            "lists" => Word::List("GROUPS_OF".to_owned()),
            "absent" => Word::Absent,
            _ => Word::NoName,
        }
    }

    fn lines(by_hand: &str) -> Vec<String> {
        render(by_hand, &mut word)
    }

    #[test]
    fn names_become_words_of_the_shell() {
        for (by_hand, line) in [
            ("aws x --id {plain}", "aws x --id shop-orders"),
            ("aws x {several} {none}", "aws x sg-1 'sg 2' ''"),
            ("aws x {later} {lists}", "aws x \"$RESTORE_INSTANCE\" \"${GROUPS_OF[@]}\""),
            ("x {hostile}", r#"x 'a'\''; rm -rf $HOME "`id`'"#),
            ("x 'q {hostile}'", r#"x 'q a'\''; rm -rf $HOME "`id`'"#),
            ("x \"q {hostile}\"", r#"x "q a'; rm -rf \$HOME \"\`id\`""#),
            ("x 'q {later}' \"{later}\"", "x 'q '\"$RESTORE_INSTANCE\"'' \"${RESTORE_INSTANCE}\""),
            ("# look at {later} and {plain}", "# look at ${RESTORE_INSTANCE} and shop-orders"),
            ("x[ --a {absent}][ --b {plain}][ --c {none}]", "x --b shop-orders"),
            // Braces and brackets of the command's own.
            ("x --query A[0].B '{print}' {Upper} {", "x --query A[0].B '{print}' {Upper} {"),
        ] {
            assert_eq!(lines(by_hand), [line], "{by_hand}");
        }
    }

    #[test]
    fn long_commands_break_before_options() {
        let long = "aws rds restore-db-instance-to-point-in-time --source-db-instance-identifier \
                    {plain} --target-db-instance-identifier {later} --note '  -- not here --x'";
        assert_eq!(
            lines(long),
            ["aws rds restore-db-instance-to-point-in-time \\\n  \
              --source-db-instance-identifier shop-orders \\\n  \
              --target-db-instance-identifier \"$RESTORE_INSTANCE\" \\\n  \
              --note '  -- not here --x'"]
        );
    }

    #[test]
    fn words_that_need_no_quotes_have_none() {
        assert_eq!(shell_word("2026-03-01T10:15:00Z"), "2026-03-01T10:15:00Z");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("~x"), "'~x'");
    }
}
