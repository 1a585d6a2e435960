//! Rules of a security group as inputs and outputs of steps.
//!
//! **Invariant:** a rule that was written as a value is read back as it was.

use crate::action::context::{ReadContext, StepScope};
use crate::action::outcome::{ActionError, Preview};
use crate::action::spec::ActionSpec;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{IngressRule, RuleSource, SecurityGroup};
use std::collections::BTreeMap;

/// The type of a list of rules.
pub(super) fn rules_type() -> Type {
    let field = |name: &str, kind: Type| (name.to_owned(), kind);
    let rule = Type::Record(BTreeMap::from([
        field("protocol", Type::String),
        field("from_port", Type::Int.or_null()),
        field("to_port", Type::Int.or_null()),
        field("source", Type::String),
        field("description", Type::String.or_null()),
    ]));
    Type::List(Box::new(rule))
}

/// Rules as a value.
pub(super) fn value(rules: &[IngressRule]) -> Value {
    let port = |port: Option<i32>| Value::optional(port.map(i64::from));
    let rule = |rule: &IngressRule| {
        Value::Map(Values::from([
            ("protocol".to_owned(), Value::text(&rule.protocol)),
            ("from_port".to_owned(), port(rule.from_port)),
            ("to_port".to_owned(), port(rule.to_port)),
            ("source".to_owned(), Value::text(rule.source.to_string())),
            ("description".to_owned(), Value::optional(rule.description.clone())),
        ]))
    };
    Value::List(rules.iter().map(rule).collect())
}

/// Rules from a value; why not, otherwise.
fn read(value: &Value) -> Result<Vec<IngressRule>, String> {
    let Value::List(items) = value else { return Err("it must be a list of rules".to_owned()) };
    items.iter().map(one).collect()
}

fn one(value: &Value) -> Result<IngressRule, String> {
    let Value::Map(fields) = value else { return Err("a rule must be a map".to_owned()) };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let port = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Int(port)) => {
            let read = i32::try_from(*port).ok().filter(|port| (-1..=65_535).contains(port));
            read.map(Some).ok_or_else(|| format!("`{name}` is {port}, which is no port"))
        }
        Some(other) => Err(format!("`{name}` must be a number, found {}", other.type_name())),
    };
    let source = text("source").unwrap_or_default();
    Ok(IngressRule {
        protocol: text("protocol").filter(|it| !it.is_empty()).unwrap_or("-1").to_owned(),
        from_port: port("from_port")?,
        to_port: port("to_port")?,
        source: RuleSource::parse(source).ok_or_else(|| {
            format!("`{source}` is no source: an address range, `sg-…` or `pl-…` is")
        })?,
        description: text("description").map(str::to_owned),
    })
}

/// The input `rules`, when it is given.
///
/// # Errors
/// It is no list of rules.
pub(super) fn given(scope: &StepScope<'_>) -> Result<Option<Vec<IngressRule>>, ActionError> {
    match scope.input("rules") {
        Value::Null => Ok(None),
        value => read(value)
            .map(Some)
            .map_err(|why| ActionError::Input { name: "rules".to_owned(), why }),
    }
}

/// What the plan found under the output `name`; `None` when it could not know.
pub(super) fn planned(scope: &StepScope<'_>, name: &str) -> Option<Vec<IngressRule>> {
    read(scope.planned?.get(name)?).ok()
}

/// Those of `rules` that are in `others`, whatever is written beside them.
pub(super) fn both(rules: &[IngressRule], others: &[IngressRule]) -> Vec<IngressRule> {
    let known = |rule: &&IngressRule| others.iter().any(|other| other.is_same(rule));
    rules.iter().filter(known).cloned().collect()
}

/// Those of `rules` that are not in `others`.
pub(super) fn without(rules: &[IngressRule], others: &[IngressRule]) -> Vec<IngressRule> {
    let new = |rule: &&IngressRule| !others.iter().any(|other| other.is_same(rule));
    rules.iter().filter(new).cloned().collect()
}

/// Rules in words.
pub(super) fn words(rules: &[IngressRule]) -> String {
    if rules.is_empty() {
        return "nothing".to_owned();
    }
    rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What there is to say about a group that does not exist.
pub(super) fn no_group(scope: &StepScope<'_>) -> (String, String) {
    let id = scope.text("group").unwrap_or_default();
    let why = format!("there is no security group `{id}` in {}", scope.region);
    (why, "check the estate file and the region".to_owned())
}

/// The group as planning finds it, and the facts that this rests on; else the preview of a step that cannot
/// know it, or will not find it.
pub(super) async fn ground(
    context: &ReadContext<'_>,
    spec: &ActionSpec,
    summary: &str,
) -> Result<Result<Ground, Preview>, ActionError> {
    let scope = &context.scope;
    let summary = summary.to_owned();
    if let Some(why) = scope.unknown() {
        return Ok(Err(Preview::unknown(spec, summary, why)));
    }
    let id = scope.text("group").unwrap_or_default();
    let Some(group) = context.view.security_group(scope.region, id).await? else {
        let (why, help) = no_group(scope);
        return Ok(Err(Preview::hopeless(spec, summary, &why, &help)));
    };
    let predicted = context.view.overlay().security_group(scope.region, id).is_some();
    let facts = (!predicted).then(|| fact(scope, &group)).into_iter().collect();
    Ok(Ok(Ground { group, facts }))
}

/// A group, and the facts of a plan that rest on it.
pub(super) struct Ground {
    pub(super) group: SecurityGroup,
    pub(super) facts: BTreeMap<String, String>,
}

/// A fact that a stored plan rests on: who may come in.
pub(super) fn fact(scope: &StepScope<'_>, group: &SecurityGroup) -> (String, String) {
    (format!("ec2 {} {} ingress", scope.region, group.id), words(&group.ingress))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_back_as_they_were_written() {
        let rule = |source: &str, port: Option<i32>, description: Option<&str>| IngressRule {
            protocol: if port.is_some() { "tcp" } else { "-1" }.to_owned(),
            from_port: port,
            to_port: port,
            source: RuleSource::parse(source).expect(source),
            description: description.map(str::to_owned),
        };
        let rules = vec![
            rule("10.0.0.0/16", Some(5432), Some("app")),
            rule("123456789012/sg-1", Some(5432), None),
            rule("sg-2", None, None),
        ];
        let coerced = value(&rules).coerce(&rules_type()).expect("of the type");
        assert_eq!(read(&coerced), Ok(rules.clone()));
        let through_json = Value::from_json(&value(&rules).to_json(), &rules_type());
        assert_eq!(read(&through_json.expect("of the type")), Ok(rules.clone()));
        assert_eq!(without(&rules, &rules[..1]), rules[1..]);
        assert_eq!(both(&rules, &rules[2..]), rules[2..]);
        assert_eq!(words(&[]), "nothing");
    }

    #[test]
    fn what_is_no_rule_says_why() {
        let rule = |port: Value, source: &str| {
            let fields = [("from_port", port), ("source", Value::text(source))];
            let fields = fields.map(|(name, value)| (name.to_owned(), value));
            Value::List(vec![Value::Map(fields.into())])
        };
        for (value, words) in [
            (Value::text("x"), "a list of rules"),
            (Value::List(vec![Value::Null]), "must be a map"),
            (rule(Value::Int(70_000), "10.0.0.0/8"), "no port"),
            (rule(Value::text("x"), "10.0.0.0/8"), "must be a number"),
            (rule(Value::Null, "somebody"), "no source"),
        ] {
            let why = read(&value).expect_err(words);
            assert!(why.contains(words), "{why}");
        }
    }
}
