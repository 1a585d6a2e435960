//! Simulated EC2: security groups, as far as fencing needs them.
//!
//! **Invariant:** a rule that is there is not added again, and one that is not there is not taken away.

mod answers;
mod rules;

use crate::estate::{Environment, Estate};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::DEFAULT_VPC;
use crate::sim::state::{Slot, World};
use crate::sim::xml::Xml;
use rules::Rule;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The VPC of what the estate names.
const ESTATE_VPC: &str = "vpc-0estate";

/// What it keeps in a world.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sim) struct State {
    /// Ingress of security groups by region and id, as `us-east-1/sg-1`. A group that only databases
    /// name has none.
    ingress: BTreeMap<String, Slot<Vec<Rule>>>,
}

impl State {
    /// Whether a group lets anybody in to a TCP port; one that nobody described lets everybody in.
    pub(in crate::sim) fn lets_in(&self, region: &str, group: &str, port: i32) -> bool {
        let slot = self.ingress.get(&format!("{region}/{group}"));
        let rules = slot.map(|slot| slot.current.as_deref().unwrap_or_default());
        rules.is_none_or(|rules| rules.iter().any(|rule| rule.reaches(port)))
    }

    /// Who may come in, by group.
    pub(in crate::sim) fn canonical(&self) -> BTreeMap<&str, Vec<String>> {
        let rules = |slot: &Slot<Vec<Rule>>| {
            slot.current.iter().flatten().map(ToString::to_string).collect()
        };
        self.ingress.iter().map(|(group, slot)| (group.as_str(), rules(slot))).collect()
    }
}

/// Operations that change something.
pub(in crate::sim) const MUTATING: [&str; 2] =
    ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress"];

/// The estate's security groups as they are in `environment`; one that the world has already stays as it
/// is.
pub(in crate::sim) fn begin(world: &mut World, estate: &Estate, environment: &Environment) {
    for name in estate.security_groups.keys() {
        let Some(group) = estate.security_group_in(name, environment) else { continue };
        let place = group.region.unwrap_or_else(|| environment.region.clone());
        let region = world.regions.entry(place.clone()).or_default();
        let vpc = || ESTATE_VPC.to_owned();
        region.security_groups.entry(group.id.clone()).or_insert_with(vpc);
        let rules = group.ingress.iter().flat_map(Rule::of_estate).collect();
        let key = format!("{place}/{}", group.id);
        world.services.ec2.ingress.entry(key).or_insert_with(|| Slot::settled(rules));
    }
}

/// Answers one call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "DescribeSecurityGroups" => describe(turn),
        "AuthorizeSecurityGroupIngress" => authorize(turn),
        "RevokeSecurityGroupIngress" => revoke(turn),
        _ => turn.unknown_action(),
    }
}

/// What EC2 answers to those who ask too often.
pub(in crate::sim) fn slow_down() -> ApiError {
    ApiError::sender("RequestLimitExceeded", "Request limit exceeded.").with_status(503)
}

fn invalid(code: &str, message: String) -> ApiError {
    ApiError::sender(code, message)
}

/// The VPC of a group of the call's region.
fn vpc(turn: &Turn<'_>, id: &str) -> Result<String, ApiError> {
    if !id.starts_with("sg-") {
        let message = format!("Invalid id: \"{id}\" (expecting \"sg-...\")");
        return Err(invalid("InvalidGroupId.Malformed", message));
    }
    let known = turn.world.region(&turn.region).security_groups.get(id).cloned();
    known.ok_or_else(|| {
        invalid("InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
    })
}

fn key(turn: &Turn<'_>, id: &str) -> String {
    format!("{}/{id}", turn.region)
}

/// The rules that a read shows.
fn seen(turn: &Turn<'_>, id: &str) -> Vec<Rule> {
    let slot = turn.world.services.ec2.ingress.get(&key(turn, id));
    slot.and_then(|slot| slot.seen(turn.now)).cloned().unwrap_or_default()
}

/// The rules as they truly are.
fn current(turn: &Turn<'_>, id: &str) -> Vec<Rule> {
    let slot = turn.world.services.ec2.ingress.get(&key(turn, id));
    slot.and_then(|slot| slot.current.clone()).unwrap_or_default()
}

fn put(turn: &mut Turn<'_>, id: &str, mut rules: Vec<Rule>, effect: String) {
    rules.sort();
    let (now, stale) = (turn.now, turn.stale_until(id));
    let key = key(turn, id);
    let empty = || Slot::settled(Vec::new());
    let slot = turn.world.services.ec2.ingress.entry(key).or_insert_with(empty);
    slot.replace(Some(rules), now, stale);
    turn.changed(id, effect);
}

/// `DescribeSecurityGroups`: by id, or by the filters `group-id` and `vpc-id`.
fn describe(turn: &Turn<'_>) -> Outcome {
    let asked = turn.params.list("GroupId").unwrap_or_default();
    let mut found = Vec::new();
    for id in &asked {
        found.push((id.clone(), vpc(turn, id)?));
    }
    if asked.is_empty() {
        let all = &turn.world.region(&turn.region).security_groups;
        found.extend(all.iter().map(|(id, vpc)| (id.clone(), vpc.clone())));
    }
    for number in 1.. {
        let Some(name) = turn.params.text(&format!("Filter.{number}.Name")) else { break };
        let values = turn.params.list(&format!("Filter.{number}.Value")).unwrap_or_default();
        match name {
            "group-id" => found.retain(|(id, _)| values.contains(id)),
            "vpc-id" => found.retain(|(_, vpc)| values.contains(vpc)),
            other => {
                let message = format!("The filter '{other}' is invalid");
                return Err(invalid("InvalidParameterValue", message));
            }
        }
    }
    let mut xml = Xml::default();
    xml.element("securityGroupInfo", |xml| {
        for (id, vpc) in &found {
            answers::group(xml, turn, (id, vpc), &seen(turn, id));
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `AuthorizeSecurityGroupIngress`: all of the rules, or none.
fn authorize(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.params.required("GroupId")?.to_owned();
    vpc(turn, &id)?;
    let new = rules::of_params(turn)?;
    let mut all = current(turn, &id);
    for rule in &new {
        if all.iter().any(|known| known.is_same(rule)) {
            let message = format!("the specified rule \"peer: {rule}, ALLOW\" already exists");
            return Err(invalid("InvalidPermission.Duplicate", message));
        }
        all.push(rule.clone());
    }
    let effect = format!("let in: {}", rules::words(&new));
    put(turn, &id, all, effect);
    Ok(Body::Result(Some(answers::added(turn, &id, &new))))
}

/// `RevokeSecurityGroupIngress`. Of a group in the default VPC, rules that are not there are named in
/// the answer; elsewhere they are an error, and nothing is taken away.
fn revoke(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.params.required("GroupId")?.to_owned();
    let vpc = vpc(turn, &id)?;
    let named = rules::of_params(turn)?;
    let before = current(turn, &id);
    let unknown: Vec<Rule> = named
        .iter()
        .filter(|rule| !before.iter().any(|known| known.is_same(rule)))
        .cloned()
        .collect();
    if !unknown.is_empty() && vpc != DEFAULT_VPC {
        let message = "The specified rule does not exist in this security group.";
        return Err(invalid("InvalidPermission.NotFound", message.to_owned()));
    }
    let kept: Vec<Rule> = before
        .iter()
        .filter(|known| !named.iter().any(|rule| known.is_same(rule)))
        .cloned()
        .collect();
    if kept.len() < before.len() {
        let effect = format!("lets in no more: {}", rules::words(&named));
        put(turn, &id, kept, effect);
    }
    Ok(Body::Result(Some(answers::taken(&unknown))))
}
