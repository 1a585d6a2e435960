//! `DescribeDBInstances`, `DescribeDBSubnetGroups`, `DescribeDBParameterGroups`.
//!
//! **Invariant:** reads show what a client of AWS would see, stale for a moment after a mutation.

use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::rds::{names, page, render};
use crate::sim::state::Instance;
use crate::sim::world::{instance_key, instance_not_found};
use crate::sim::xml::Xml;

/// `DescribeDBInstances`. An unknown identifier is an error, a filter that nothing meets is not.
pub(in crate::sim::rds) fn instances(turn: &mut Turn<'_>) -> Outcome {
    let wanted = names::optional_instance(turn, "DBInstanceIdentifier")?;
    let filters = turn.params.filters();
    for (name, _) in &filters {
        let known = ["db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine"];
        check_filter(name, &known)?;
    }
    let mut found: Vec<&Instance> = turn.world.seen_instances(&turn.region, turn.now).collect();
    if let Some(id) = &wanted {
        found.retain(|instance| instance.id == *id);
        if found.is_empty() {
            return Err(instance_not_found(id));
        }
    }
    for (name, values) in &filters {
        found.retain(|instance| match name.as_str() {
            "db-instance-id" => values.iter().any(|value| instance_key(value) == instance.id),
            "dbi-resource-id" => values.contains(&instance.resource_id),
            "engine" => values.contains(&instance.engine),
            _ => false,
        });
    }
    let (page, marker) = page::cut(&turn.params, found, |instance| instance.id.clone())?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("DBInstances", |xml| {
        for instance in page {
            render::instance(xml, turn.world, &turn.region, instance, turn.now);
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// Refuses filters that the action does not have.
pub(in crate::sim::rds) fn check_filter(name: &str, known: &[&str]) -> Result<(), ApiError> {
    if known.contains(&name) {
        return Ok(());
    }
    Err(ApiError::sender("InvalidParameterValue", format!("Unrecognized filter name: {name}")))
}

/// `DescribeDBSubnetGroups`.
pub(in crate::sim::rds) fn subnet_groups(turn: &mut Turn<'_>) -> Outcome {
    let wanted = turn.params.text("DBSubnetGroupName").map(str::to_lowercase);
    let groups = &turn.world.region(&turn.region).subnet_groups;
    let found: Vec<(&String, &String)> = groups
        .iter()
        .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| name.to_lowercase() == *wanted))
        .collect();
    if let (true, Some(name)) = (found.is_empty(), wanted) {
        return Err(subnet_group_not_found(&name));
    }
    let (page, marker) = page::cut(&turn.params, found, |(name, _)| (*name).clone())?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("DBSubnetGroups", |xml| {
        for (name, vpc) in page {
            render::subnet_group(xml, turn.world, &turn.region, name, vpc);
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `DBSubnetGroupNotFoundFault`.
pub(in crate::sim::rds) fn subnet_group_not_found(name: &str) -> ApiError {
    let message = format!("DB subnet group '{name}' does not exist.");
    ApiError::not_found("DBSubnetGroupNotFoundFault", message)
}

/// `DescribeDBParameterGroups`.
pub(in crate::sim::rds) fn parameter_groups(turn: &mut Turn<'_>) -> Outcome {
    let wanted = turn.params.text("DBParameterGroupName").map(str::to_lowercase);
    let mut names = turn.world.region(&turn.region).parameter_groups.clone();
    if let Some(name) = &wanted {
        if name.starts_with("default.") {
            names.insert(name.clone());
        }
        names.retain(|known| known.to_lowercase() == *name);
        if names.is_empty() {
            return Err(parameter_group_not_found(name));
        }
    }
    let (page, marker) = page::cut(&turn.params, names.into_iter().collect(), String::clone)?;
    let mut xml = Xml::default();
    xml.optional("Marker", marker);
    xml.element("DBParameterGroups", |xml| {
        for name in page {
            xml.element("DBParameterGroup", |xml| {
                xml.leaf("DBParameterGroupName", &name);
                xml.leaf("DBParameterGroupFamily", family_in(&name));
                xml.leaf("Description", format!("{name} (simulated)"));
                xml.leaf("DBParameterGroupArn", turn.world.arn(&turn.region, "pg", &name));
            });
        }
    });
    Ok(Body::Result(Some(xml)))
}

/// `DBParameterGroupNotFound`.
pub(in crate::sim::rds) fn parameter_group_not_found(name: &str) -> ApiError {
    let message = format!("DBParameterGroup not found: {name}");
    ApiError::not_found("DBParameterGroupNotFound", message)
}

fn family_in(name: &str) -> String {
    let digits: String = name.chars().rev().take_while(char::is_ascii_digit).collect();
    let major: String = digits.chars().rev().collect();
    format!("postgres{}", if major.is_empty() { "15" } else { &major })
}
