//! Where an environment is asked: its endpoints and its regions.
//!
//! **Invariant:** sends reads of the database service and nothing else.

use super::{Finding, State};
use crate::cloud::{Cloud, Overlay};
use crate::estate::{Environment, EnvironmentKind, Estate};
use std::collections::BTreeSet;

/// What the SDK reads addresses from; a suffix names one service.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// Who is asked in the place of AWS, if anybody is.
pub(super) fn endpoints(environment: &Environment) -> Finding {
    let found = |state, what: String| Finding::new(&environment.name, "endpoints", state, what);
    match &environment.kind {
        EnvironmentKind::Simulated(_) => {
            found(State::Ok, "the simulator inside this program".to_owned())
        }
        EnvironmentKind::Endpoints(map) => {
            let list: Vec<String> =
                map.iter().map(|(service, url)| format!("{service} at {url}")).collect();
            found(State::Ok, list.join(", "))
        }
        EnvironmentKind::Aws { .. } => {
            let set: Vec<String> = std::env::vars()
                .filter(|(name, _)| name.starts_with(VARIABLE))
                .map(|(name, url)| format!("{name}={url}"))
                .collect();
            if set.is_empty() {
                return found(State::Ok, "those of AWS".to_owned());
            }
            found(State::Warn, format!("not those of AWS: {}", set.join(", ")))
                .help("unset the variables, unless this is meant: what answers there is not AWS")
        }
    }
}

/// Whether the database service answers in each region that has a database, and in the
/// environment's own.
pub(super) async fn regions(cloud: &Cloud, estate: &Estate) -> Vec<Finding> {
    let environment = cloud.environment();
    let found = |state, what: String| Finding::new(&environment.name, "region", state, what);
    let databases = estate.databases.keys().filter_map(|key| estate.database_in(key, environment));
    let mut regions: BTreeSet<String> = databases.filter_map(|it| it.region).collect();
    regions.insert(environment.region.clone());
    let mut findings = Vec::new();
    for region in regions {
        // An instance that cannot be: any answer at all is what is wanted.
        let answer = cloud.view(Overlay::default()).db_instance(&region, "drctl-doctor").await;
        findings.push(match answer {
            Err(error) => found(State::Fail, error.to_string())
                .help("is the region enabled for the account, and is its name right?"),
            Ok(_) if !environment.allows_region(&region) => {
                found(State::Ok, format!("{region} answers; restores are not allowed there"))
            }
            Ok(_) => found(State::Ok, format!("{region} answers")),
        });
    }
    findings
}
