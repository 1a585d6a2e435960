//! What a statement's answer has to be.
//!
//! **Invariant:** a text that is no number never passes a comparison of numbers.

use crate::base::value::{Type, Value};
use std::collections::BTreeMap;

/// Fields of a `rows` entry or a `queries` entry that compare.
const COMPARISONS: [&str; 3] = ["equals", "at_least", "at_most"];

/// A statement with what its one answer has to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expectation {
    pub(super) name: String,
    pub(super) statement: String,
    pub(super) comparisons: Vec<(&'static str, Value)>,
    /// Allowed difference from the source's answer, percent.
    pub(super) within_percent: Option<f64>,
}

impl Expectation {
    /// The type of `rows`: entries as [`Self::rows`] reads them.
    pub(super) fn rows_type() -> Type {
        // One table or a list of them: no type says that.
        entries([("table", Type::Any), ("within_percent", Type::Float.or_null())])
    }

    /// The type of `queries`: entries as [`Self::query`] reads them.
    pub(super) fn queries_type() -> Type {
        entries([("name", Type::String), ("sql", Type::String)])
    }

    /// A `rows` entry: `{ table: orders, at_least: 100, within_percent: 10 }`; `table` may be a list of
    /// tables that the same is expected of.
    pub(super) fn rows(entry: &Value) -> Result<Vec<Self>, String> {
        let map = as_map(entry)?;
        match map.get("table") {
            Some(Value::List(tables)) => tables
                .iter()
                .map(|table| {
                    let name = table.as_str().ok_or("`table` must be a text or a list of texts")?;
                    Self::rows_of(name, map)
                })
                .collect(),
            _ => Ok(vec![Self::rows_of(&text(map, "table")?, map)?]),
        }
    }

    fn rows_of(table: &str, map: &BTreeMap<String, Value>) -> Result<Self, String> {
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        if !table.split('.').all(plain) {
            return Err(format!(
                "`{table}` is no plain table name; use `queries` for anything else"
            ));
        }
        let statement = format!("SELECT count(*) FROM {table}");
        Self::build(format!("rows.{table}"), statement, map, &["table", "within_percent"])
    }

    /// A `queries` entry: `{ name: newest, sql: "SELECT …", at_least: 1 }`.
    pub(super) fn query(entry: &Value) -> Result<Vec<Self>, String> {
        let map = as_map(entry)?;
        let name = format!("query.{}", text(map, "name")?);
        Ok(vec![Self::build(name, text(map, "sql")?, map, &["name", "sql"])?])
    }

    fn build(
        name: String,
        statement: String,
        map: &BTreeMap<String, Value>,
        own: &[&str],
    ) -> Result<Self, String> {
        for key in map.keys() {
            if !own.contains(&key.as_str()) && !COMPARISONS.contains(&key.as_str()) {
                return Err(format!(
                    "`{name}` has no field `{key}`; it can have {}, {}",
                    own.join(", "),
                    COMPARISONS.join(", ")
                ));
            }
        }
        let comparisons: Vec<_> = COMPARISONS
            .into_iter()
            .filter_map(|word| {
                map.get(word)
                    .filter(|value| **value != Value::Null)
                    .map(|value| (word, value.clone()))
            })
            .collect();
        let within_percent = match map.get("within_percent") {
            None | Some(Value::Null) => None,
            Some(value) => {
                Some(number(&value.to_string()).ok_or("`within_percent` must be a number")?)
            }
        };
        if comparisons.is_empty() && within_percent.is_none() {
            return Err(format!("`{name}` expects nothing: give equals, at_least or at_most"));
        }
        Ok(Self { name, statement, comparisons, within_percent })
    }

    /// What is wrong with `answer`, if anything.
    pub(super) fn judge(&self, answer: &str) -> Option<String> {
        self.comparisons.iter().find_map(|(word, wanted)| {
            let wanted = wanted.to_string();
            let holds = match (*word, number(answer), number(&wanted)) {
                ("equals", Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
                ("equals", _, _) => answer == wanted,
                ("at_least", Some(a), Some(b)) => a >= b,
                ("at_most", Some(a), Some(b)) => a <= b,
                _ => false,
            };
            (!holds).then(|| {
                format!("{} is {answer}, expected {} {wanted}", self.name, word.replace('_', " "))
            })
        })
    }

    /// What is wrong with `answer` beside the source's answer, if anything.
    pub(super) fn compare(&self, answer: &str, source: &str) -> Option<String> {
        let percent = self.within_percent?;
        let (Some(here), Some(there)) = (number(answer), number(source)) else {
            return Some(format!(
                "{}: `{answer}` and `{source}` are no numbers to compare",
                self.name
            ));
        };
        let difference = if there == 0.0 {
            here.abs() * 100.0
        } else {
            (here - there).abs() / there.abs() * 100.0
        };
        (difference > percent)
            .then(|| format!("{} is {answer}, the source has {source}: {difference:.1} % apart, allowed {percent} %", self.name))
    }
}

/// A list of records of these fields and those that compare.
fn entries<const N: usize>(own: [(&str, Type); N]) -> Type {
    let comparison = |word| match word {
        "equals" => Type::Any,
        _ => Type::Float.or_null(),
    };
    let comparisons = COMPARISONS.into_iter().map(|word| (word, comparison(word)));
    let fields = own.into_iter().chain(comparisons);
    let fields = fields.map(|(name, kind)| (name.to_owned(), kind)).collect();
    Type::List(Box::new(Type::Record(fields)))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

fn as_map(value: &Value) -> Result<&BTreeMap<String, Value>, String> {
    if let Value::Map(map) = value {
        Ok(map)
    } else {
        Err(format!("expected a map, found {}", value.type_name()))
    }
}

fn text(map: &BTreeMap<String, Value>, name: &str) -> Result<String, String> {
    map.get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| format!("it needs the text field `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(json: serde_json::Value) -> Result<Expectation, String> {
        let mut all = Expectation::rows(&Value::untyped(&json))?;
        assert_eq!(all.len(), 1, "one table, one expectation");
        Ok(all.remove(0))
    }

    /// What the declared types let through is what the readers know, and the readers read it.
    #[test]
    fn entries_have_a_type() {
        let coerced = |json, kind: &Type| Value::from_json(&json, kind);
        let rows = Expectation::rows_type();
        let good = json!([{"table": ["a", "b"], "at_least": 1, "within_percent": 2.5}]);
        let Ok(Value::List(list)) = coerced(good, &rows) else { panic!("a list") };
        let read = Expectation::rows(&list[0]).expect("valid");
        assert_eq!(
            (read.len(), read[0].judge("0").as_deref()),
            (2, Some("rows.a is 0, expected at least 1"))
        );
        for (wrong, said) in [
            (json!([{"table": "t", "atleast": 1}]), "unknown field `atleast`"),
            (json!([{"table": "t", "at_least": "one"}]), "field `at_least`: expected a number"),
            (json!(["t"]), "expected a record"),
        ] {
            let why = coerced(wrong, &rows).expect_err("refused");
            assert!(why.contains(said), "{why}");
        }
        let queries = Expectation::queries_type();
        let good = json!([{"name": "n", "sql": "SELECT 1", "equals": "1"}]);
        let Ok(Value::List(list)) = coerced(good, &queries) else { panic!("a list") };
        assert_eq!(Expectation::query(&list[0]).expect("valid")[0].judge("1"), None);
        assert!(coerced(json!([{"name": "n", "equals": 1}]), &queries).is_err());
    }

    #[test]
    fn a_list_of_tables_expects_the_same_of_each() {
        let entry = json!({"table": ["orders", "payments"], "at_least": 1});
        let all = Expectation::rows(&Value::untyped(&entry)).expect("valid");
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["rows.orders", "rows.payments"]);
        assert!(all.iter().all(|one| one.judge("0").is_some() && one.judge("1").is_none()));
        let entry = json!({"table": ["orders", 7], "at_least": 1});
        assert!(Expectation::rows(&Value::untyped(&entry)).is_err());
    }

    #[test]
    fn judges_numbers_as_numbers() {
        let expectation =
            rows(json!({"table": "orders", "at_least": 100, "at_most": 200})).expect("valid");
        assert_eq!(expectation.judge("150"), None);
        for wrong in ["99", "201", "many", ""] {
            assert!(expectation.judge(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn compares_with_the_source() {
        let expectation = rows(json!({"table": "orders", "within_percent": 10})).expect("valid");
        assert_eq!(expectation.compare("95", "100"), None);
        assert!(expectation.compare("80", "100").is_some());
        assert!(expectation.compare("1", "0").is_some());
        assert_eq!(expectation.compare("0", "0"), None);
        assert!(expectation.compare("x", "100").is_some());
    }

    #[test]
    fn refuses_what_expects_nothing_or_is_no_table() {
        assert!(rows(json!({"table": "orders"})).is_err());
        assert!(rows(json!({"table": "orders; DROP TABLE x", "at_least": 1})).is_err());
        assert!(rows(json!({"table": "orders", "atleast": 1})).is_err());
        assert!(rows(json!("orders")).is_err());
    }
}
