//! Which columns of a query are boolean: SQLite has only numbers, PostgreSQL shows `t` and `f`.
//!
//! **Invariant:** a column is boolean by how its expression is written; what cannot be told stays a
//! number.

/// For each column of `SELECT …`, whether its expression is a truth value.
pub(in crate::sim::sql) fn columns(text: &str) -> Vec<bool> {
    select_list(text).iter().map(|expression| is_boolean(expression)).collect()
}

fn select_list(text: &str) -> Vec<String> {
    let lower = text.trim().to_ascii_lowercase();
    let Some(list) = lower.strip_prefix("select") else { return Vec::new() };
    let mut items = vec![String::new()];
    for token in tokens(list) {
        match (token.depth, token.text) {
            (0, ",") => items.push(String::new()),
            (0, "from") => break,
            (_, text) => {
                let item = items.last_mut().expect("never empty");
                let hidden = token.depth > 0 || text.starts_with(['\'', '"']);
                item.push_str(if hidden { "_" } else { text });
                item.push(' ');
            }
        }
    }
    items
}

/// `expression` has only its outermost tokens, in lower case, with a space after each.
fn is_boolean(expression: &str) -> bool {
    let words: Vec<&str> = expression.split_whitespace().collect();
    let end = words.iter().position(|word| *word == "as").unwrap_or(words.len());
    let Some(first) = words.first() else { return false };
    let truth = ["pg_is_in_recovery", "indisvalid", "indisready", "true", "false"];
    let named = words[..end].len() <= 4 && words[..end].iter().any(|word| truth.contains(word));
    let compared = words[..end].iter().any(|word| {
        ["<", ">", "=", "!", "not", "and", "or", "is", "in", "like", "between", "exists"]
            .contains(word)
    });
    *first != "case" && (compared || named)
}

struct Token<'a> {
    text: &'a str,
    /// Depth of parentheses around it.
    depth: usize,
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut found, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match c {
            '\'' | '"' => rest[1..].find(c).map_or(rest.len(), |close| close + 2),
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        if c == ')' {
            depth = depth.saturating_sub(1);
        }
        if !c.is_whitespace() {
            found.push(Token { text: &rest[..length], depth });
        }
        if c == '(' {
            depth += 1;
        }
        at += length;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn tells_truth_values_from_numbers() {
        for (text, wanted) in [
            ("SELECT count(*) FROM t WHERE a > 1", vec![false]),
            ("SELECT count(*) > 100 AS enough, 'a > b' FROM t", vec![true, false]),
            ("SELECT pg_is_in_recovery()", vec![true]),
            ("SELECT NOT pg_is_in_recovery() AS writer", vec![true]),
            ("SELECT EXISTS (SELECT 1 FROM t), max(id) FROM t", vec![true, false]),
            ("SELECT count(*) FILTER (WHERE a = 1), a IS NULL FROM t", vec![false, true]),
            ("SELECT case when a > 1 then 2 end", vec![false]),
            ("WITH x AS (SELECT 1) SELECT 1", vec![]),
        ] {
            assert_eq!(columns(text), wanted, "{text}");
        }
    }
}
