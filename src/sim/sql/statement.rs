//! Statements as PostgreSQL clients write them, made fit for SQLite.
//!
//! **Invariant:** text inside quotes is never touched; what is not understood is passed on and
//! fails with a syntax error, never silently.

use crate::sim::api::{SimAccess, SimSqlFault};

/// What a statement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::sql) enum Kind {
    /// Accepted without effect: `BEGIN`, `SET`, …
    Ignored,
    /// `SHOW name`.
    Show(String),
    /// Gives rows.
    Read,
    /// Changes data.
    Write,
    /// Changes the schema.
    Define,
    /// `CREATE SCHEMA name`.
    Schema(String),
}

/// A statement ready for SQLite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::sql) struct Statement {
    pub(in crate::sim::sql) kind: Kind,
    pub(in crate::sim::sql) text: String,
}

impl Statement {
    fn of(text: String) -> Result<Self, SimSqlFault> {
        let words: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .collect();
        let upper = |at: usize| words.get(at).map(|word| word.to_ascii_uppercase());
        let second = upper(1).unwrap_or_default();
        let kind = match upper(0).unwrap_or_default().as_str() {
            "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "SET" | "RESET" | "DISCARD"
            | "SAVEPOINT" | "RELEASE" => Kind::Ignored,
            "SHOW" => Kind::Show(words[1..].join("_").to_lowercase()),
            "SELECT" | "WITH" | "VALUES" | "EXPLAIN" => Kind::Read,
            "INSERT" | "UPDATE" | "DELETE" => Kind::Write,
            "CREATE" if second == "SCHEMA" => {
                Kind::Schema((*words.last().unwrap_or(&"public")).to_owned())
            }
            "CREATE" | "DROP" | "ALTER" | "TRUNCATE" | "GRANT" | "REVOKE" | "COMMENT"
            | "ANALYZE" | "VACUUM" | "REINDEX" => Kind::Define,
            _ => {
                let found = text.split_whitespace().next().unwrap_or_default();
                let message = format!("syntax error at or near \"{found}\"");
                return Err(SimSqlFault::sql("42601", message));
            }
        };
        Ok(Self { kind, text })
    }

    /// The table that `CREATE TEMPORARY TABLE` makes.
    pub(in crate::sim::sql) fn temporary_table(&self) -> Option<&str> {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        let [create, temporary, table, name, ..] = words.as_slice() else { return None };
        let temporary =
            ["TEMP", "TEMPORARY"].iter().any(|word| word.eq_ignore_ascii_case(temporary));
        let named = name.split('(').next().unwrap_or(name).trim_matches('"');
        let makes = create.eq_ignore_ascii_case("CREATE") && table.eq_ignore_ascii_case("TABLE");
        (makes && temporary).then_some(named)
    }

    /// Refuses writing where it is not allowed.
    pub(in crate::sim::sql) fn check(&self, access: SimAccess) -> Result<(), SimSqlFault> {
        let writes = match self.kind {
            Kind::Write | Kind::Define | Kind::Schema(_) => true,
            Kind::Ignored | Kind::Show(_) | Kind::Read => false,
        };
        if writes && access == SimAccess::ReadOnly {
            let command = self.text.split_whitespace().next().unwrap_or_default();
            return Err(read_only(&command.to_ascii_uppercase()));
        }
        Ok(())
    }
}

/// Reads one statement, or several where writing is allowed.
pub(in crate::sim::sql) fn read(
    text: &str,
    access: SimAccess,
) -> Result<Vec<Statement>, SimSqlFault> {
    let texts = translate(text)?;
    if texts.len() > 1 && access == SimAccess::ReadOnly {
        let message = "cannot insert multiple commands into a prepared statement";
        return Err(SimSqlFault::sql("42601", message));
    }
    texts.into_iter().map(Statement::of).collect()
}

/// SQLSTATE 25006.
pub(in crate::sim::sql) fn read_only(command: &str) -> SimSqlFault {
    SimSqlFault::sql("25006", format!("cannot execute {command} in a read-only transaction"))
}

/// The statements in `text`, without comments, casts and the schema prefixes that SQLite has no use
/// for.
fn translate(text: &str) -> Result<Vec<String>, SimSqlFault> {
    let mut done = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '"' if skipped_schema(rest).is_some() => {
                rest = skipped_schema(rest).unwrap_or_default();
                continue;
            }
            '\'' | '"' => quoted(rest, c)?,
            '-' if rest.starts_with("--") => {
                rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
                out.push(' ');
                continue;
            }
            ':' if rest.starts_with("::") => {
                rest = after_type(&rest[2..]);
                continue;
            }
            ';' => {
                done.push(std::mem::take(&mut out));
                rest = &rest[1..];
                continue;
            }
            c if c.is_alphabetic() || c == '_' => {
                let word = word(rest);
                let lower = word.to_ascii_lowercase();
                let after = &rest[word.len()..];
                // Arguments given by name: `bt_index_check(index => c.oid)`.
                if let Some(value) = after.trim_start().strip_prefix("=>") {
                    rest = value;
                    continue;
                }
                if (lower == "pg_catalog" || lower == "public") && after.starts_with('.') {
                    rest = &after[1..];
                    continue;
                }
                out.push_str(keyword(&lower, after).unwrap_or(word));
                rest = after;
                continue;
            }
            c => &rest[..c.len_utf8()],
        };
        out.push_str(taken);
        rest = &rest[taken.len()..];
    }
    done.push(out);
    Ok(done.iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect())
}

/// What follows `"public".` or `"pg_catalog".`.
fn skipped_schema(text: &str) -> Option<&str> {
    text.strip_prefix("\"public\".").or_else(|| text.strip_prefix("\"pg_catalog\"."))
}

/// Words that PostgreSQL and SQLite spell differently.
fn keyword(lower: &str, after: &str) -> Option<&'static str> {
    let call = after.trim_start().starts_with('(');
    match lower {
        "current_user" | "session_user" | "user" if !call && lower != "user" => {
            Some("session_user()")
        }
        "now" | "clock_timestamp" | "transaction_timestamp" if call => Some("simulated_now"),
        "current_timestamp" => Some("simulated_now()"),
        _ => None,
    }
}

fn quoted(text: &str, quote: char) -> Result<&str, SimSqlFault> {
    let close = text[1..].find(quote).ok_or_else(|| {
        SimSqlFault::sql("42601", format!("unterminated quoted string at or near \"{text}\""))
    })?;
    Ok(&text[..close + 2])
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// What follows a type name such as `text`, `numeric(10,2)`, `timestamptz[]`.
fn after_type(text: &str) -> &str {
    let mut rest = &text.trim_start()[word(text.trim_start()).len()..];
    if rest.starts_with('(') {
        rest = rest.split_once(')').map_or("", |(_, rest)| rest);
    }
    rest.strip_prefix("[]").unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_only_outside_quotes() {
        for (given, wanted) in [
            ("SELECT count(*)::text FROM public.orders;", "SELECT count(*) FROM orders"),
            ("SELECT 'a::b;--c' AS \"public.x\"", "SELECT 'a::b;--c' AS \"public.x\""),
            ("SELECT 1.5::numeric(10,2) -- note\n+ 1", "SELECT 1.5  + 1"),
            ("SELECT count(*) FROM \"public\".\"orders\"", "SELECT count(*) FROM \"orders\""),
            ("SELECT f(index => c.oid, deep=>true)", "SELECT f( c.oid, true)"),
            ("select now(), nowhere", "select simulated_now(), nowhere"),
            ("SELECT oid FROM pg_catalog.pg_class", "SELECT oid FROM pg_class"),
        ] {
            let found = read(given, SimAccess::ReadOnly).expect(given);
            let wanted = Statement { kind: Kind::Read, text: wanted.to_owned() };
            assert_eq!(found, [wanted]);
        }
    }

    #[test]
    fn refuses_writes_and_nonsense() {
        for (given, code) in [
            ("DELETE FROM orders", "25006"),
            ("create table x (id int)", "25006"),
            ("CREATE SCHEMA drctl", "25006"),
            ("PRAGMA table_info(orders)", "42601"),
            ("ATTACH 'x' AS y", "42601"),
            ("SELECT 1; SELECT 2", "42601"),
            ("SELECT 'open", "42601"),
        ] {
            let fault = read(given, SimAccess::ReadOnly)
                .and_then(|found| found.iter().try_for_each(|one| one.check(SimAccess::ReadOnly)))
                .expect_err(given);
            assert_eq!(fault.code(), Some(code), "{given}");
        }
        let both = "CREATE SCHEMA IF NOT EXISTS drctl; SHOW server_version; ";
        let kinds: Vec<Kind> = read(both, SimAccess::ReadWrite)
            .expect("two statements")
            .into_iter()
            .map(|found| found.kind)
            .collect();
        let (schema, show) = ("drctl".to_owned(), "server_version".to_owned());
        assert_eq!(kinds, [Kind::Schema(schema), Kind::Show(show)]);
    }
}
