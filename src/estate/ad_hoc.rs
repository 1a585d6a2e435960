//! The environment of a person who has no estate file: their own credentials, one region.
//!
//! **Invariant:** it names no account and no data, so nothing but a look can be based on it.

use super::{Environment, EnvironmentKind, SqlAccess};
use std::collections::BTreeMap;

impl Environment {
    /// The place where the operator's own profile leads; `endpoint` is a server in the place of AWS.
    pub fn ad_hoc(region: &str, profile: Option<&str>, endpoint: Option<&str>) -> Self {
        let kind = match endpoint {
            Some(url) => {
                EnvironmentKind::Endpoints([("default".to_owned(), url.to_owned())].into())
            }
            None => EnvironmentKind::Aws {
                profile: profile.map(str::to_owned),
                role: None,
                external_id: None,
            },
        };
        Self {
            name: "ad hoc".to_owned(),
            kind,
            account: String::new(),
            region: region.to_owned(),
            allowed_regions: Vec::new(),
            protected: true,
            sql: SqlAccess::default(),
            databases: BTreeMap::new(),
            zones: BTreeMap::new(),
            health_checks: BTreeMap::new(),
            accounts: BTreeMap::new(),
            security_groups: BTreeMap::new(),
            services: BTreeMap::new(),
            log_groups: BTreeMap::new(),
            alarms: BTreeMap::new(),
            buckets: BTreeMap::new(),
        }
    }
}
