//! What a step needs of a region: its endpoint, sources, keys, secrets, topics, control planes.
//!
//! **Invariant:** each need has a code, the reason and the alternative.

use super::Ground;
use super::walk::Walked;
use crate::action::spec::ActionKind;
use crate::base::diagnostic::{Problems, Span};
use crate::base::value::Value;
use crate::estate::DataRegions;
use crate::runbook::call::CALL;
use crate::runbook::codes;
use std::collections::BTreeSet;

/// Something that a step needs of the lost region.
#[derive(Debug)]
pub(super) struct Dependence {
    pub(super) code: &'static str,
    pub(super) span: Span,
    /// A fragment: what is there.
    pub(super) why: String,
    /// What to do in its place.
    pub(super) instead: String,
}

/// Services with one control plane for all regions: prefix of their calls, its region, what to do instead.
const GLOBAL: [(&str, &str, &str); 2] = [
    (
        "route53:",
        "us-east-1",
        "let DNS move by itself: failover or weighted records with health checks, prepared before and \
         decided by the data plane; a health check that watches something that you switch; routing \
         controls of Application Recovery Controller; or accelerated recovery of the zone (60 min)",
    ),
    (
        "iam:",
        "us-east-1",
        "prepare roles and policies before: sessions are given by each region's STS",
    ),
];

/// How a region comes to be known.
const KNOWN: &str = "make `region` of parameters, the estate or the environment, and give the parameters \
                     with `-p NAME=VALUE`";

/// Actions that only remove: what is where it must not be may always go.
const REMOVES: &str = "rds.delete_";

/// Whether data and the step may be where the step acts.
pub(super) fn allowed(ground: Ground<'_>, one: &Walked<'_>, p: &mut Problems) {
    if !one.calls_aws() {
        return;
    }
    let key = &one.way.key;
    let (span, written) = ground.runbook.seen_at(one.step, place_of(one, None));
    let region = match &one.region {
        Ok(region) => region,
        Err(why) => {
            let message = format!(
                "the region of step `{key}`{written} cannot be known before the run: {why}"
            );
            p.error(codes::UNKNOWN_REGION, span, message).help(KNOWN);
            return;
        }
    };
    let environment = ground.environment;
    if !environment.allows_region(region) && !is_global(one) {
        let message = format!(
            "step `{key}`{written} acts in {region}, which is not among the allowed regions of environment `{}`",
            environment.name
        );
        p.error(codes::REGION_NOT_ALLOWED, span, message)
            .help("add it to `allowed_regions` of the environment, if data may be there");
    }
    if one.spec.kind != ActionKind::Mutation || one.step.uses.starts_with(REMOVES) {
        return;
    }
    let rules = DataRegions::of(ground.estate, environment);
    for (name, text) in texts(one) {
        if let Some(why) = rules.refusal(text, region) {
            let place = place_of(one, Some(name));
            let (span, written) = ground.runbook.seen_at(one.step, place);
            let message = format!("step `{key}`{written} would bring data to {region}: {why}");
            p.error(codes::DATA_LEAVES, span, message)
                .help("act in a region that the database allows");
        }
    }
}

/// Whether all that it calls has one control plane for all regions.
fn is_global(one: &Walked<'_>) -> bool {
    let global = |call: &&str| GLOBAL.iter().any(|(prefix, ..)| call.starts_with(prefix));
    one.spec.calls.iter().all(global)
}

/// All that a step needs of `lost`.
pub(super) fn dependences(ground: Ground<'_>, one: &Walked<'_>, lost: &str) -> Vec<Dependence> {
    let mut found = Vec::new();
    // What a call gives is looked at where the steps of the called runbook use it.
    if one.step.uses == CALL {
        return found;
    }
    if one.calls_aws() {
        endpoint(one, lost, &mut found);
        control_planes(one, lost, &mut found);
        secrets(ground, one, lost, &mut found);
        keys(ground, one, lost, &mut found);
    }
    named(one, lost, &mut found);
    found
}

fn endpoint(one: &Walked<'_>, lost: &str, found: &mut Vec<Dependence>) {
    // A message goes to the region of its topic, which is among the inputs.
    if one.step.uses.starts_with("notify.") {
        return;
    }
    let span = place_of(one, None);
    match &one.region {
        Ok(region) if region == lost && !is_global(one) => {
            let first = one.spec.calls.first().copied().unwrap_or_default();
            found.push(Dependence {
                code: codes::LOST_ENDPOINT,
                span,
                why: format!("it acts there ({first}), and no endpoint there answers"),
                instead:
                    "act in the recovery region, leave the step out with `when`, or let the run go \
                          on without it: `on_failure: continue`, and nothing that needs it"
                        .to_owned(),
            });
        }
        Ok(_) => {}
        Err(why) => found.push(Dependence {
            code: codes::NOT_PROVEN,
            span,
            why: format!("perhaps: its region cannot be known before the run ({why})"),
            instead: KNOWN.to_owned(),
        }),
    }
}

fn control_planes(one: &Walked<'_>, lost: &str, found: &mut Vec<Dependence>) {
    for (prefix, home, instead) in GLOBAL {
        let call = one.spec.calls.iter().find(|call| call.starts_with(prefix));
        if let (Some(call), true) = (call, home == lost) {
            found.push(Dependence {
                code: codes::LOST_CONTROL_PLANE,
                span: place_of(one, None),
                why: format!("{call} is the control plane's, which is there for all regions"),
                instead: instead.to_owned(),
            });
        }
    }
    // Metrics of health checks are in one region, wherever what they check is.
    let watches = one.inputs.get("health_checks").is_some_and(|value| !is_empty(value));
    if watches && lost == "us-east-1" && one.step.uses.starts_with("cloudwatch.") {
        found.push(Dependence {
            code: codes::LOST_CONTROL_PLANE,
            span: place_of(one, Some("health_checks")),
            why: "metrics of Route 53's health checks are in us-east-1 only".to_owned(),
            instead: "watch the service in the recovery region: its own alarms, `http.check`, `dns.check`"
                .to_owned(),
        });
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Time(_)
        | Value::Duration(_)
        | Value::Map(_)
        | Value::Secret(_)
        | Value::Unknown(_) => false,
    }
}

/// A secret by its name is looked for in the step's region: it has to be one of that region's own.
fn secrets(ground: Ground<'_>, one: &Walked<'_>, lost: &str, found: &mut Vec<Dependence>) {
    let Ok(region) = &one.region else { return };
    if region == lost {
        return;
    }
    let inputs = one.inputs.iter().filter(|(name, _)| is_of_a_secret(name));
    let named = inputs.filter_map(|(name, value)| Some((name, value.as_str()?)));
    for (input, secret) in named.filter(|(_, secret)| !secret.starts_with("arn:")) {
        let homes: BTreeSet<String> = homes(ground, secret);
        if !homes.contains(lost) || homes.contains(region) {
            continue;
        }
        let writes = one.step.uses == "secrets.switch_endpoint";
        let (why, instead) = if writes {
            (
                format!(
                    "secret `{secret}` is at home there: what is in {region} is a replica, if anything, and cannot be written"
                ),
                format!(
                    "before: `aws secretsmanager stop-replication-to-replica --region {region}`, or a secret of its own in {region} named in the estate"
                ),
            )
        } else {
            (
                format!(
                    "secret `{secret}` is at home there, and no file says that {region} has it"
                ),
                format!(
                    "replicate it and name it at the database that lives in {region}, in the estate"
                ),
            )
        };
        found.push(Dependence {
            code: codes::LOST_SECRET,
            span: place_of(one, Some(input)),
            why,
            instead,
        });
    }
}

fn is_of_a_secret(input: &str) -> bool {
    input == "secret" || input.ends_with("_secret")
}

/// Regions of the databases that name the secret.
fn homes(ground: Ground<'_>, secret: &str) -> BTreeSet<String> {
    let Ground { estate, environment, .. } = ground;
    let all = estate.databases.keys().filter_map(|name| estate.database_in(name, environment));
    all.filter(|database| database.secret.as_deref() == Some(secret))
        .map(|database| database.region.unwrap_or_else(|| environment.region.clone()))
        .collect()
}

/// The key of a database that the step names, where it is written as an ARN.
fn keys(ground: Ground<'_>, one: &Walked<'_>, lost: &str, found: &mut Vec<Dependence>) {
    let Ground { estate, environment, .. } = ground;
    let Ok(region) = &one.region else { return };
    if region == lost {
        return;
    }
    for (input, text) in texts(one) {
        let all = estate.databases.keys().filter_map(|name| estate.database_in(name, environment));
        for database in all.filter(|database| database.instance.eq_ignore_ascii_case(text)) {
            let home = database.region.as_deref().unwrap_or(&environment.region);
            let key = database.kms_key.as_deref().filter(|key| region_of(key) == Some(lost));
            if let (Some(key), true) = (key, home != lost) {
                found.push(Dependence {
                    code: codes::LOST_KEY,
                    span: place_of(one, Some(input)),
                    why: format!("`{text}` is encrypted with {key}, a key of that region"),
                    instead:
                        "give it a key of its own region, or the replica there of a multi-Region \
                              key (mrk-…)"
                            .to_owned(),
                });
            }
        }
    }
}

/// What inputs name with its region: ARNs, endpoints, inputs that are regions.
fn named(one: &Walked<'_>, lost: &str, found: &mut Vec<Dependence>) {
    let endpoint = format!(".{lost}.");
    let acts_there = one.region.as_deref() == Ok(lost);
    for (input, text) in texts(one) {
        let span = place_of(one, Some(input));
        if region_of(text) == Some(lost) {
            found.push(of_arn(text, span));
        } else if text == lost && input != "message" && !acts_there {
            found.push(Dependence {
                code: codes::LOST_SOURCE,
                span,
                why: format!("input `{input}` is that region: it reads there"),
                instead:
                    "use what is in the recovery region already: a replica, a copied snapshot, \
                          replicated automated backups"
                        .to_owned(),
            });
        } else if text.contains(&endpoint) && text.contains(".amazonaws.com") {
            found.push(Dependence {
                code: codes::LOST_SOURCE,
                span,
                why: format!("input `{input}` names an endpoint there"),
                instead: "name the endpoint of the recovery region".to_owned(),
            });
        }
    }
}

fn of_arn(arn: &str, span: Span) -> Dependence {
    let service = arn.split(':').nth(2).unwrap_or_default();
    let (code, what, instead) = match service {
        "kms" => (
            codes::LOST_KEY,
            "it uses a key of that region",
            "use a key of the recovery region, or the replica there of a multi-Region key (mrk-…)",
        ),
        "secretsmanager" => (
            codes::LOST_SECRET,
            "it uses a secret there",
            "use a replica of it in the recovery region; before it can be changed: \
             `aws secretsmanager stop-replication-to-replica`",
        ),
        "sns" => (
            codes::LOST_TOPIC,
            "its topic is there",
            "publish to a topic of the recovery region with the same subscribers",
        ),
        _ => (
            codes::LOST_SOURCE,
            "what it uses is there",
            "use what is in the recovery region already: a replica, a copied snapshot, replicated \
             automated backups",
        ),
    };
    Dependence { code, span, why: format!("{what} ({arn})"), instead: instead.to_owned() }
}

/// The region in an ARN.
pub(super) fn region_of(text: &str) -> Option<&str> {
    text.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

/// All texts in the inputs, each with the input's name.
fn texts<'a>(one: &'a Walked<'_>) -> Vec<(&'a str, &'a str)> {
    let named = |(name, value): (&'a String, &'a Value)| {
        value.all_texts().into_iter().map(move |text| (name.as_str(), text))
    };
    one.inputs.iter().flat_map(named).collect()
}

/// The input's place in the file, else the region's, else the step's.
fn place_of(one: &Walked<'_>, input: Option<&str>) -> Span {
    let input = input.and_then(|input| one.step.with.get(input)).map(|template| template.span);
    input.or_else(|| one.step.region.as_ref().map(|region| region.span)).unwrap_or(one.step.span)
}
