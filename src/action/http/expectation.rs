//! What an answer must be: status, body, time.
//!
//! **Invariant:** every expectation that is not met is named, and no message holds a piece of the body.

use crate::action::context::StepScope;
use crate::action::outcome::ActionError;
use crate::base::duration;
use crate::base::value::{Value, Values};
use crate::cloud::http::{HttpAnswer, MAX_BODY};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What passes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expectation {
    statuses: Vec<RangeInclusive<u16>>,
    contains: Option<String>,
    fields: Values,
    max_latency: Option<Duration>,
}

impl Expectation {
    /// Reads the inputs of a step.
    pub(super) fn of(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let status = match scope.input("status") {
            Value::Null => vec![200..=299],
            given => statuses(given)
                .map_err(|why| ActionError::Input { name: "status".to_owned(), why })?,
        };
        let fields = match scope.input("json") {
            Value::Map(fields) => fields.clone(),
            _ => Values::new(),
        };
        Ok(Self {
            statuses: status,
            contains: scope.text("contains").map(str::to_owned),
            fields,
            max_latency: scope.duration("max_latency"),
        })
    }

    /// Whether the body matters.
    pub(super) fn needs_body(&self) -> bool {
        self.contains.is_some() || !self.fields.is_empty()
    }

    /// Everything that is not as it should be.
    pub(super) fn judge(&self, answer: &HttpAnswer) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.statuses.iter().any(|range| range.contains(&answer.status)) {
            let wanted: Vec<String> = self.statuses.iter().map(shown).collect();
            wrong.push(format!("status {}, expected {}", answer.status, wanted.join(" or ")));
        }
        if let Some(limit) = self.max_latency.filter(|limit| answer.took > *limit) {
            let (took, limit) = (duration::human(answer.took), duration::human(limit));
            wrong.push(format!("it took {took}, allowed are {limit}"));
        }
        if self.needs_body() && !answer.whole {
            wrong.push(format!("its body is longer than {MAX_BODY} bytes, so it was not read"));
            return wrong;
        }
        let text = String::from_utf8_lossy(&answer.body);
        if let Some(part) = self.contains.as_ref().filter(|part| !text.contains(part.as_str())) {
            wrong.push(format!("its body does not contain `{part}`"));
        }
        if !self.fields.is_empty() {
            wrong.extend(self.judge_fields(&text));
        }
        wrong
    }

    fn judge_fields(&self, text: &str) -> Vec<String> {
        let Ok(document) = serde_json::from_str::<serde_json::Value>(text) else {
            return vec!["its body is no JSON".to_owned()];
        };
        let mut wrong = Vec::new();
        for (path, wanted) in &self.fields {
            let found = path.split('.').try_fold(&document, |value, name| match value {
                serde_json::Value::Array(items) => items.get(name.parse::<usize>().ok()?),
                other => other.get(name),
            });
            let wanted = wanted.to_json();
            match found {
                None => wrong.push(format!("its JSON has no `{path}`")),
                Some(found) if !equal(found, &wanted) => {
                    wrong.push(format!("`{path}` of its JSON is not {wanted}"));
                }
                Some(_) => {}
            }
        }
        wrong
    }
}

/// Equal as a person sees it: `1` and `1.0` are one number.
fn equal(found: &serde_json::Value, wanted: &serde_json::Value) -> bool {
    match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => found.total_cmp(&wanted).is_eq(),
        _ => found == wanted,
    }
}

fn shown(range: &RangeInclusive<u16>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{}-{}", range.start(), range.end())
    }
}

/// Reads `200`, `"2xx"`, `"200-204"` or a list of these.
fn statuses(value: &Value) -> Result<Vec<RangeInclusive<u16>>, String> {
    match value {
        Value::List(items) if !items.is_empty() => {
            let read: Result<Vec<_>, _> = items.iter().map(statuses).collect();
            Ok(read?.concat())
        }
        Value::Int(number) => {
            let text = number.to_string();
            range(&text).map(|range| vec![range])
        }
        Value::String(text) => range(text).map(|range| vec![range]),
        other => Err(format!("expected a status such as 200, found {}", other.type_name())),
    }
}

fn range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let number = |text: &str| text.trim().parse::<u16>().ok().filter(|n| (100..=599).contains(n));
    let found = if let Some(hundreds) = text.strip_suffix("xx") {
        number(&format!("{hundreds}00")).map(|low| low..=low + 99)
    } else if let Some((low, high)) = text.split_once('-') {
        number(low)
            .zip(number(high))
            .filter(|(low, high)| low <= high)
            .map(|(low, high)| low..=high)
    } else {
        number(text).map(|status| status..=status)
    };
    found.ok_or_else(|| {
        format!("`{text}` is no status: write 200, `2xx`, `200-204`, or a list of these")
    })
}

#[cfg(test)]
mod tests {
    use super::{Expectation, statuses};
    use crate::base::value::{Value, Values};
    use crate::cloud::http::HttpAnswer;
    use std::time::Duration;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer {
            status,
            body: body.as_bytes().to_vec(),
            whole: true,
            took: Duration::from_millis(40),
            place: "https://a.b/".to_owned(),
            location: None,
            certificate_ends: None,
            recorded: None,
            stand_in: None,
        }
    }

    fn expectation(status: Value) -> Expectation {
        let statuses = statuses(&status).expect("statuses");
        Expectation { statuses, contains: None, fields: Values::new(), max_latency: None }
    }

    #[test]
    fn statuses_are_numbers_ranges_and_lists() {
        let list = |items: &[&str]| Value::List(items.iter().map(|item| (*item).into()).collect());
        for (given, passes, fails) in [
            (Value::Int(204), vec![204], vec![200, 205]),
            ("2xx".into(), vec![200, 299], vec![199, 300]),
            ("200-204".into(), vec![200, 204], vec![205]),
            (list(&["200", "3xx"]), vec![200, 301], vec![201, 400]),
        ] {
            let expected = expectation(given);
            for status in passes {
                assert!(expected.judge(&answer(status, "")).is_empty(), "{status}");
            }
            for status in fails {
                let wrong = expected.judge(&answer(status, ""));
                assert!(wrong[0].contains(&format!("status {status}, expected ")), "{wrong:?}");
            }
        }
        for bad in [
            Value::Int(42),
            Value::Int(600),
            "ok".into(),
            "204-200".into(),
            "99xx".into(),
            "".into(),
            Value::List(Vec::new()),
            Value::Bool(true),
        ] {
            assert!(statuses(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_wrong_thing_is_named_and_no_body_is_quoted() {
        let expected = Expectation {
            contains: Some("ready".to_owned()),
            fields: Values::from([
                ("status".to_owned(), "ok".into()),
                ("checks.0.up".to_owned(), Value::Bool(true)),
                ("lag".to_owned(), Value::Float(1.0)),
                ("absent".to_owned(), Value::Null),
            ]),
            max_latency: Some(Duration::from_millis(39)),
            ..expectation(Value::Int(200))
        };
        let body = r#"{"status":"hunter2","checks":[{"up":false}],"lag":1}"#;
        let wrong = expected.judge(&answer(503, body)).join("; ");
        for part in [
            "status 503, expected 200",
            "it took",
            "does not contain `ready`",
            "`status` of its JSON is not \"ok\"",
            "`checks.0.up` of its JSON is not true",
            "has no `absent`",
        ] {
            assert!(wrong.contains(part), "{part} in {wrong}");
        }
        assert!(!wrong.contains("lag") && !wrong.contains("hunter2"), "{wrong}");
        let cut = HttpAnswer { whole: false, ..answer(200, body) };
        assert!(expected.judge(&cut).join("").contains("longer than 1048576 bytes"));
        assert!(expected.judge(&answer(200, "<html>")).join("").contains("no JSON"));
    }
}
