//! Where the data of each database may be.
//!
//! **Invariant:** a database that says where its data may be is obeyed under every name that its data has:
//! identifier, ARN, automated snapshot, and the name that drctl gives to a copy of it.

use super::model::{Environment, Estate};
use std::collections::BTreeMap;

/// From this length on, the source in the name of a copy may have been cut.
const MAY_BE_CUT: usize = 40;

/// The databases of an estate that say where their data may be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataRegions {
    /// By instance identifier, lower case.
    rules: BTreeMap<String, Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    database: String,
    allowed: Vec<String>,
}

impl DataRegions {
    /// The rules of `estate` as it is in `environment`.
    pub fn of(estate: &Estate, environment: &Environment) -> Self {
        let mut rules = BTreeMap::new();
        for (name, plain) in &estate.databases {
            let Some(here) = estate.database_in(name, environment) else { continue };
            if here.allowed_regions.is_empty() {
                continue;
            }
            let own = here.region.clone().unwrap_or_else(|| environment.region.clone());
            let mut allowed = here.allowed_regions.clone();
            if !allowed.contains(&own) {
                allowed.push(own);
            }
            for instance in [&plain.instance, &here.instance] {
                let rule = Rule { database: name.clone(), allowed: allowed.clone() };
                rules.insert(instance.to_ascii_lowercase(), rule);
            }
        }
        Self { rules }
    }

    /// Why data of what is called `named` must not be in `region`; `None` when nothing here forbids it.
    pub fn refusal(&self, named: &str, region: &str) -> Option<String> {
        let id = identifier(named);
        let rule =
            self.rules.iter().find(|(instance, _)| is_of(&id, instance)).map(|(_, it)| it)?;
        if rule.allowed.iter().any(|allowed| allowed == region) {
            return None;
        }
        let Rule { database, allowed } = rule;
        Some(format!(
            "data of database `{database}` must not be in {region}: its `allowed_regions` are {}",
            allowed.join(", ")
        ))
    }
}

/// The identifier in an identifier or ARN, lower case, without the mark of automated snapshots.
fn identifier(named: &str) -> String {
    let id = match named.strip_prefix("arn:") {
        Some(rest) => rest.splitn(6, ':').nth(5).unwrap_or(rest),
        None => named,
    };
    id.strip_prefix("rds:").unwrap_or(id).to_ascii_lowercase()
}

/// Whether `id` is the instance, an automated snapshot of it or a copy that drctl made of it.
fn is_of(id: &str, instance: &str) -> bool {
    if id == instance {
        return true;
    }
    let dated = id.strip_prefix(instance).and_then(|rest| rest.strip_prefix('-'));
    if dated.is_some_and(|date| date.len() == 16 && date.bytes().all(is_of_a_date)) {
        return true;
    }
    // `drctl-<source, cut>-<run>-<step>`
    let Some(rest) = id.strip_prefix("drctl-") else { return false };
    let Some(source) = rest.rsplitn(3, '-').nth(2) else { return false };
    source == instance || (source.len() >= MAY_BE_CUT && instance.starts_with(source))
}

fn is_of_a_date(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::base::ids::{RunId, StepKey, rds_name};
    use crate::base::seed::Seed;
    use crate::estate::load;

    fn estate() -> Estate {
        load(
            "t.yaml",
            "apiVersion: drctl/v1\nkind: Estate\nname: t\ndatabases:\n  \
             europe: { instance: T-Europe, region: eu-west-1, allowed_regions: [eu-central-1] }\n  \
             orders: { instance: t-europe-orders }\nenvironments:\n  \
             prod: { type: aws, account: \"123456789012\", region: us-east-1, \
             allowed_regions: [us-west-2, eu-central-1], \
             databases: { europe: { instance: other-europe } } }\n",
        )
        .expect("valid")
    }

    #[test]
    fn every_name_of_its_data_is_kept_in() {
        let estate = estate();
        let rules = DataRegions::of(&estate, &estate.environments["prod"]);
        let run = RunId::mint(simulated_epoch(), &mut Seed::new(1).stream("run"));
        let copy = rds_name("t-europe", &run, &StepKey::new("restore"));
        for named in [
            "t-europe",
            "T-EUROPE",
            "other-europe",
            "arn:aws:rds:eu-west-1:123456789012:db:t-europe",
            "arn:aws:rds:eu-west-1:123456789012:snapshot:rds:t-europe-2026-01-15-03-05",
            "rds:t-europe-2026-01-15-03-05",
            &copy,
        ] {
            let why = rules.refusal(named, "us-west-2").unwrap_or_else(|| panic!("{named}"));
            assert!(why.contains("`europe`") && why.contains("eu-central-1, eu-west-1"), "{why}");
            assert_eq!(rules.refusal(named, "eu-west-1"), None, "{named} is at home");
            assert_eq!(rules.refusal(named, "eu-central-1"), None, "{named} may be there");
        }
        let copy = rds_name("t-europe-orders", &run, &StepKey::new("restore"));
        for free in ["t-europe-orders", "t-europe-x", "rds:t-europe-orders-2026-01-15-03-05", &copy]
        {
            assert_eq!(rules.refusal(free, "us-west-2"), None, "{free} says nothing");
        }
    }

    #[test]
    fn a_long_name_that_was_cut_is_still_known() {
        let long = "a-name-so-long-that-no-copy-of-it-can-carry-it-whole";
        let mut estate = estate();
        let europe = estate.databases.get_mut("europe").expect("there");
        long.clone_into(&mut europe.instance);
        let rules = DataRegions::of(&estate, &estate.environments["prod"]);
        let run = RunId::mint(simulated_epoch(), &mut Seed::new(1).stream("run"));
        let copy = rds_name(long, &run, &StepKey::new("restore_it"));
        assert!(!copy.contains(long), "it was cut: {copy}");
        assert!(rules.refusal(&copy, "us-west-2").is_some(), "{copy}");
    }
}
