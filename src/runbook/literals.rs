//! Secrets that are written in the file, where everybody reads them.
//!
//! **Invariant:** no message holds the value.

use crate::action::spec::{ActionSpec, Field};
use crate::base::diagnostic::{Problems, Span};
use crate::base::redact::{looks_secret, redact_query};
use crate::base::value::Type;
use crate::runbook::codes;
use crate::runbook::kinds::present;
use crate::runbook::steps::Draft;
use crate::runbook::template::{Template, TemplateKind};

/// Words in names of variables whose values are secrets. Fewer than those of queries, because
/// programs have many variables that are called a key or a code.
const VARIABLES: [&str; 8] =
    ["password", "passwd", "secret", "token", "api_key", "apikey", "private_key", "access_key"];
/// What such a name ends with when its value only says where the secret is.
const PLACES: [&str; 6] = ["_file", "_path", "_arn", "_name", "_id", "_url"];

/// Looks at the inputs of a step whose action declares `spec`.
pub(crate) fn check(draft: &Draft, spec: &ActionSpec, p: &mut Problems) {
    for (name, template) in &draft.step.with {
        let Some(field) = spec.input(name) else { continue };
        match (present(&field.kind), &template.kind) {
            (Type::Secret, TemplateKind::Text(text)) if !text.is_empty() => {
                disclosed(name, instead(name, spec), template.span, p);
            }
            (Type::Map(inner), TemplateKind::Map(map)) => {
                for (key, item) in map {
                    entry((field, inner), (key, item), spec, p);
                }
            }
            (Type::String, TemplateKind::Text(text)) if redact_query(text) != *text => {
                let message = format!("the address in `{name}` seems to hold a secret");
                let help = "send it as a header whose value is in a variable, with `headers_from`; \
                            the journal keeps what is written here";
                p.warning(codes::MAYBE_DISCLOSED, template.span, message).help(help);
            }
            _ => {}
        }
    }
}

/// Looks at an entry of a map: a header or a variable.
fn entry(
    (field, inner): (&Field, &Type),
    (key, item): (&String, &Template),
    spec: &ActionSpec,
    p: &mut Problems,
) {
    let TemplateKind::Text(text) = &item.kind else { return };
    // The values of these are names of variables.
    if text.is_empty() || field.name.ends_with("_from") {
        return;
    }
    if *present(inner) == Type::Secret && looks_secret(key) {
        disclosed(key, instead(field.name, spec), item.span, p);
    } else if *present(inner) == Type::String && is_secret_variable(key) {
        let message = format!("`{key}` seems to be a secret, and its value is written in the file");
        let help = if spec.input("env").is_some() {
            "set it where drctl runs and name it in `env`"
        } else {
            "leave it out, or take it from a parameter of type `secret`"
        };
        p.warning(codes::MAYBE_DISCLOSED, item.span, message).help(help);
    }
}

fn is_secret_variable(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    VARIABLES.iter().any(|word| lower.contains(word))
        && !PLACES.iter().any(|end| lower.ends_with(end))
}

fn disclosed(name: &str, help: String, span: Span, p: &mut Problems) {
    let message = format!("`{name}` is a secret, and its value is written in the file");
    p.error(codes::DISCLOSED, span, message).help(help);
}

/// Where the value of the input `name` may come from instead.
fn instead(name: &str, spec: &ActionSpec) -> String {
    let has = |suffix: &str| {
        let other = format!("{name}{suffix}");
        spec.input(&other).is_some().then_some(other)
    };
    let variable = has("_from").map(|other| format!("`{other}` (an environment variable)"));
    let secret = has("_secret").map(|other| format!("`{other}` (Secrets Manager)"));
    let parameter = "a parameter of type `secret`".to_owned();
    let ways: Vec<String> = variable.into_iter().chain(secret).chain([parameter]).collect();
    format!("take it from {}", ways.join(" or "))
}
