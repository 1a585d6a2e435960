//! What is given to a runbook: values of its parameters, and which promises hold.
//!
//! **Invariant:** the command line wins over the file, the narrower promise over the wider one.

use crate::base::value::{Value, Values};
use crate::cli::error::CommandError;
use crate::estate::{Estate, Objectives};
use crate::runbook::{Given, Runbook, bind_parameters};
use std::collections::BTreeMap;
use std::time::Duration;

/// Values of a file, under those of the command line.
///
/// # Errors
/// An argument is no `NAME=VALUE`.
pub(super) fn given_parameters(
    file: &BTreeMap<String, Given>,
    line: &[String],
) -> Result<BTreeMap<String, Given>, CommandError> {
    let mut given = file.clone();
    for text in line {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            CommandError::usage(format!("`-p {text}` is no NAME=VALUE"))
                .help("write for example `-p database=orders`")
        })?;
        given.insert(name.to_owned(), Given::Text(value.to_owned()));
    }
    Ok(given)
}

/// The runbook's parameters, bound.
///
/// # Errors
/// One is missing, unknown, ill-typed or a secret.
pub(super) fn parameters(
    runbook: &Runbook,
    file: &BTreeMap<String, Given>,
    line: &[String],
) -> Result<Values, CommandError> {
    let given = given_parameters(file, line)?;
    let values = bind_parameters(runbook, &given).map_err(|problems| {
        let known = runbook
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        CommandError::usage(format!("parameters of {}:\n  {}", runbook.file, problems.join("\n  ")))
            .help(format!("the runbook has: {known}; set them with `-p NAME=VALUE`"))
    })?;
    match values.iter().find(|(_, value)| matches!(value, Value::Secret(_))) {
        // A plan and a journal never hold a secret, and a run must be resumable from them alone.
        Some((name, _)) => Err(CommandError::usage(format!(
            "parameter `{name}` is a secret, and this version cannot carry secrets from plan to run"
        ))
        .help("keep it in Secrets Manager and give the secret's name instead")),
        None => Ok(values),
    }
}

/// The drill's objectives; gaps filled by the runbook's, then by the strictest of the databases that
/// parameters name, then by the estate's. What the estate promises counts only where the runbook
/// measures it: a backup recovers nothing.
pub(super) fn objectives(
    drill: Objectives,
    runbook: &Runbook,
    estate: &Estate,
    parameters: &Values,
) -> Objectives {
    let named = parameters.values().filter_map(Value::as_str);
    let databases = named.filter_map(|name| estate.databases.get(name));
    let promises = databases.map(|database| database.objectives.or(estate.objectives));
    let mut promised = promises.reduce(stricter).unwrap_or(estate.objectives);
    let measure = &runbook.measure;
    promised.recovery_time = promised.recovery_time.filter(|_| !measure.recovered.is_empty());
    promised.recovery_point =
        promised.recovery_point.filter(|_| !measure.recovery_point.is_empty());
    drill.or(runbook.objectives).or(promised)
}

fn stricter(one: Objectives, other: Objectives) -> Objectives {
    let least = |a: Option<Duration>, b: Option<Duration>| a.into_iter().chain(b).min();
    Objectives {
        recovery_time: least(one.recovery_time, other.recovery_time),
        recovery_point: least(one.recovery_point, other.recovery_point),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_promises_the_stricter_holds() {
        let promise = |time: u64, point: Option<u64>| Objectives {
            recovery_time: Some(Duration::from_secs(time)),
            recovery_point: point.map(Duration::from_secs),
        };
        assert_eq!(stricter(promise(4, Some(9)), promise(2, None)), promise(2, Some(9)));
    }
}
