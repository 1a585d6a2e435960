//! What an open run holds fast when its files are edited: its place, its sources, its gates.
//!
//! **Invariant:** whatever could make a begun mutation mean something else, or open a gate more easily, has
//! a line.

use crate::estate::{Database, Environment, EnvironmentKind, Estate, Objectives};
use crate::runbook::{Runbook, Step};
use serde_json::Value as Json;

/// The action that asks people.
const GATE: &str = "gate.approve";

/// What differs in where the run acts and in what protects it: never accepted.
pub(super) fn place_changes(old: &Environment, new: Option<&Environment>) -> Vec<String> {
    let name = &old.name;
    let Some(new) = new else { return vec![format!("- estate environment {name}")] };
    let pairs = [
        ("account", old.account.clone(), new.account.clone()),
        ("region", old.region.clone(), new.region.clone()),
        ("protected", old.protected.to_string(), new.protected.to_string()),
        ("type", answers(&old.kind), answers(&new.kind)),
    ];
    let differ = pairs.into_iter().filter(|(_, was, is)| was != is);
    let mut lines: Vec<String> = differ
        .map(|(what, was, is)| format!("~ estate environment {name}: {what} {was} -> {is}"))
        .collect();
    let wider = new.allowed_regions.iter().filter(|region| !old.allows_region(region));
    lines.extend(wider.map(|region| {
        format!("~ estate environment {name}: allowed_regions lets data into {region} as well")
    }));
    lines
}

/// Where the estate `new` lets data be that `old` kept away: never accepted. The data would stay there when
/// the run has ended.
pub(super) fn let_out(old: &Estate, new: &Estate, place: &Environment) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, was) in &old.databases {
        let Some(is) = new.databases.get(name) else { continue };
        if was.allowed_regions.is_empty() {
            continue;
        }
        if is.allowed_regions.is_empty() {
            lines.push(format!("~ estate database {name}: allowed_regions is taken out"));
            continue;
        }
        let home = was.region.as_deref().unwrap_or(&place.region);
        let wider = is
            .allowed_regions
            .iter()
            .filter(|region| region.as_str() != home && !was.allowed_regions.contains(region));
        lines.extend(wider.map(|region| {
            format!("~ estate database {name}: allowed_regions lets its data into {region} as well")
        }));
    }
    lines
}

/// What answers in an environment, for people. How somebody logs in may change.
fn answers(kind: &EnvironmentKind) -> String {
    match kind {
        EnvironmentKind::Simulated(_) => "simulated".to_owned(),
        EnvironmentKind::Endpoints(servers) => {
            let servers = servers.iter().map(|(service, at)| format!("{service}={at}"));
            format!("endpoints {}", servers.collect::<Vec<_>>().join(" "))
        }
        EnvironmentKind::Aws { .. } => "aws".to_owned(),
    }
}

/// What differs in what steps take from the estate in `place`: not accepted once a step has begun, because
/// its inputs are evaluated anew and would mean another resource.
pub(super) fn moved(old: &Estate, new: &Estate, place: &Environment) -> Vec<String> {
    let mut lines = Vec::new();
    if old.name != new.name {
        lines.push(format!("~ estate name {} -> {}", old.name, new.name));
    }
    let now = new.environments.get(&place.name);
    let mut compare = |what: &str, name: &str, is_there: bool, same: bool| {
        if !is_there {
            lines.push(format!("- estate {what} {name}"));
        } else if !same {
            lines.push(format!("~ estate {what} {name}"));
        }
    };
    for name in old.databases.keys() {
        let was = old.database_in(name, place).map(without_objectives);
        let is = now.and_then(|now| new.database_in(name, now)).map(without_objectives);
        compare("database", name, is.is_some(), was == is);
    }
    for name in old.services.keys() {
        let was = old.service_in(name, place);
        let is = now.and_then(|now| new.service_in(name, now));
        compare("service", name, is.is_some(), was == is);
    }
    for name in old.log_groups.keys() {
        let was = old.log_group_in(name, place);
        let is = now.and_then(|now| new.log_group_in(name, now));
        compare("log group", name, is.is_some(), was == is);
    }
    for name in old.buckets.keys() {
        let was = old.bucket_in(name, place);
        let is = now.and_then(|now| new.bucket_in(name, now));
        compare("bucket", name, is.is_some(), was == is);
    }
    lines
}

/// Those of the run stay as they were anyway.
fn without_objectives(database: Database) -> Database {
    Database { objectives: Objectives::default(), ..database }
}

/// Gates of `old` that `new` takes out, goes around or makes easier to open; one line each.
pub(super) fn weakened(old: &Runbook, new: &Runbook) -> Vec<String> {
    let mut lines = Vec::new();
    for gate in old.steps.iter().filter(|step| step.uses == GATE) {
        let id = &gate.id;
        match new.step(id) {
            None => lines.push(format!("! gate {id} is taken out")),
            Some(now) => {
                let reasons = easier(gate, now).into_iter();
                lines.extend(reasons.map(|why| format!("! gate {id}: {why}")));
            }
        }
        let waits = |step: &Step| step.needs.iter().any(|need| need.as_str() == id.as_str());
        for step in old.steps.iter().filter(|step| waits(step)) {
            if new.step(&step.id).is_some_and(|now| !waits(now)) {
                lines.push(format!("! step {} no longer waits for gate {id}", step.id));
            }
        }
    }
    lines
}

fn easier(old: &Step, new: &Step) -> Vec<String> {
    if new.uses != GATE {
        return vec!["it asks nobody any more".to_owned()];
    }
    let mut found = Vec::new();
    let input = |step: &Step, name: &str| step.with.get(name).map(|value| value.to_json());
    let count = |step: &Step| match input(step, "approvals") {
        None => Some(1),
        Some(number) => number.as_u64(),
    };
    // What is known only in the run may be anything.
    let more = matches!((count(old), count(new)), (Some(was), Some(is)) if is >= was);
    if input(old, "approvals") != input(new, "approvals") && !more {
        found.push("it may take fewer approvals".to_owned());
    }
    let people = |step: &Step| input(step, "approvers").unwrap_or_else(|| Json::Array(Vec::new()));
    if people(old) != people(new) {
        found.push("other people may decide".to_owned());
    }
    let condition = |step: &Step| step.when.as_ref().map(|when| when.text().to_owned());
    let each = |step: &Step| step.for_each.as_ref().map(|each| each.items.to_json());
    if condition(old) != condition(new) || each(old) != each(new) {
        found.push("it may not be asked at all".to_owned());
    }
    let late = input(old, "on_timeout") != input(new, "on_timeout");
    if late || old.on_failure.name() != new.on_failure.name() {
        found.push("something else follows when it is not approved".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::standard;
    use crate::estate::SqlAccess;
    use crate::runbook::load_runbook;
    use std::collections::BTreeMap;

    fn runbook(steps: &str) -> Runbook {
        let text =
            format!("apiVersion: drctl/v1\nkind: Runbook\nname: r\ntitle: R\nsteps:\n{steps}");
        let loaded = load_runbook("r.yaml", &text, &standard());
        loaded.unwrap_or_else(|problems| panic!("{problems:?}")).0
    }

    fn gate(inputs: &str, needs: &str) -> Runbook {
        runbook(&format!(
            "  - {{ id: ask, uses: gate.approve, with: {{ message: go{inputs} }}, \
             timeout: 30m }}\n  - {{ id: rest, uses: gate.wait_until, with: {{ for: 1m }}, \
             timeout: 2m{needs} }}\n"
        ))
    }

    const NEEDS: &str = ", needs: [ask]";

    #[test]
    fn gates_that_open_more_easily_are_named() {
        let two = gate(", approvers: [ann, bob], approvals: 2", NEEDS);
        assert_eq!(weakened(&two, &two), Vec::<String>::new());
        let one = gate(", approvers: [ann, bob]", NEEDS);
        assert_eq!(weakened(&two, &one), ["! gate ask: it may take fewer approvals"]);
        assert_eq!(weakened(&one, &two), Vec::<String>::new(), "more are no weakening");
        let other = gate(", approvers: [ann, eve], approvals: 2", NEEDS);
        assert_eq!(weakened(&two, &other), ["! gate ask: other people may decide"]);
        let around = gate(", approvers: [ann, bob], approvals: 2", "");
        assert_eq!(weakened(&two, &around), ["! step rest no longer waits for gate ask"]);
        let rest = "  - { id: rest, uses: gate.wait_until, with: { for: 1m }, timeout: 2m }\n";
        let gone = runbook(rest);
        assert_eq!(
            weakened(&two, &gone),
            ["! gate ask is taken out", "! step rest no longer waits for gate ask"]
        );
    }

    fn environment() -> Environment {
        Environment {
            name: "prod".to_owned(),
            kind: EnvironmentKind::Aws { profile: None, role: None, external_id: None },
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
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

    #[test]
    fn the_place_and_its_protection_stay() {
        let old = environment();
        let other = |change: fn(&mut Environment)| {
            let mut new = environment();
            change(&mut new);
            place_changes(&old, Some(&new)).join("; ")
        };
        assert_eq!(other(|_| {}), "");
        let open = other(|new| new.protected = false);
        assert_eq!(open, "~ estate environment prod: protected true -> false");
        assert!(other(|new| new.account.push('4')).contains("account 111122223333 -> "));
        assert!(other(|new| new.region.push('b')).contains("region eu-west-1 -> "));
        let servers = other(|new| new.kind = EnvironmentKind::Endpoints(BTreeMap::new()));
        assert!(servers.contains("type aws -> endpoints"), "{servers}");
        let wider = other(|new| new.allowed_regions.push("us-east-1".to_owned()));
        assert!(wider.ends_with("allowed_regions lets data into us-east-1 as well"), "{wider}");
        let same = other(|new| new.allowed_regions.push("eu-west-1".to_owned()));
        assert_eq!(same, "", "its own region was allowed anyway");
        let login = |new: &mut Environment| {
            let (profile, role) = (Some("other".to_owned()), None);
            new.kind = EnvironmentKind::Aws { profile, role, external_id: None };
        };
        assert_eq!(other(login), "", "how somebody logs in may change");
        assert_eq!(place_changes(&old, None), ["- estate environment prod"]);
        let mut wide = environment();
        wide.allowed_regions = vec!["us-east-1".to_owned(), "us-west-2".to_owned()];
        assert_eq!(place_changes(&wide, Some(&old)), Vec::<String>::new(), "narrower is safer");
    }

    #[test]
    fn data_of_a_database_is_not_let_out_of_its_regions() {
        let estate = |database: &str| {
            let text = format!(
                "apiVersion: drctl/v1\nkind: Estate\nname: t\ndatabases:\n  \
                 europe: {{ instance: t-europe, region: eu-west-1{database} }}\nenvironments:\n  \
                 prod: {{ type: aws, account: \"123456789012\", region: us-east-1 }}\n"
            );
            crate::estate::load("t.yaml", &text).expect("valid")
        };
        let kept = estate(", allowed_regions: [eu-central-1]");
        let lines = |new: &Estate| let_out(&kept, new, &kept.environments["prod"]).join("; ");
        assert_eq!(lines(&kept), "");
        assert_eq!(lines(&estate(", allowed_regions: [eu-west-1]")), "", "narrower is safer");
        assert!(lines(&estate("")).ends_with("allowed_regions is taken out"));
        let wide = estate(", allowed_regions: [eu-central-1, us-east-1]");
        assert!(lines(&wide).ends_with("lets its data into us-east-1 as well"));
        let free = estate("");
        assert_eq!(let_out(&free, &wide, &kept.environments["prod"]), Vec::<String>::new());
    }
}
