//! Headers that a step gives: as secrets, or from variables of the environment that drctl runs in.
//!
//! **Invariant:** values go from their origin into the request and nowhere else.

use crate::action::context::{ReadContext, StepScope};
use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::cloud::EffectError;

/// Names of headers and of the variables that hold their values (input `headers_from`).
pub(in crate::action) fn from_variables(scope: &StepScope<'_>) -> Vec<(String, String)> {
    let Value::Map(headers) = scope.input("headers_from") else { return Vec::new() };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    headers.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// All headers of the inputs `headers` and `headers_from`.
pub(in crate::action) fn headers(
    context: &ReadContext<'_>,
) -> Result<Vec<(String, Secret)>, EffectError> {
    let mut found = Vec::new();
    if let Value::Map(headers) = context.scope.input("headers") {
        for (name, value) in headers {
            if let Value::Secret(secret) = value {
                found.push((name.clone(), secret.clone()));
            }
        }
    }
    for (name, variable) in from_variables(&context.scope) {
        found.push((name, context.effects.variable(&variable)?));
    }
    Ok(found)
}
