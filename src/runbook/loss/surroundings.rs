//! What a run stands on beside its steps: its home region, its journal, its credentials.
//!
//! **Invariant:** see the parent.

use super::Ground;
use super::dependence::region_of;
use super::walk::Walked;
use crate::action::spec::ActionKind;
use crate::base::diagnostic::{Problems, Span};
use crate::base::value::Value;
use crate::estate::EnvironmentKind;
use crate::runbook::codes;

/// Where journals are kept beside this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalHome {
    /// `s3://bucket/prefix`.
    pub place: String,
    /// The bucket's region, where configuration says it.
    pub region: Option<String>,
}

/// Where STS's global endpoint is.
const GLOBAL_STS: (&str, &str) = ("sts.amazonaws.com", "us-east-1");

/// Judges what is not a step's.
pub(super) fn judge(ground: Ground<'_>, lost: &str, p: &mut Problems) {
    let Ground { environment, journal, .. } = ground;
    let (name, top) = (&environment.name, Span::default());
    if environment.region == lost {
        let message = format!(
            "environment `{name}` is at home in {lost}: STS is asked there who the caller is and for \
             the sessions of roles"
        );
        p.error(codes::LOST_SESSION, top, message)
            .help("run in an environment of the same account whose `region` is another one");
    }
    if let EnvironmentKind::Endpoints(addresses) = &environment.kind {
        for (service, address) in addresses {
            let global = address.contains(GLOBAL_STS.0) && GLOBAL_STS.1 == lost;
            if global || address.contains(&format!(".{lost}.")) {
                let message =
                    format!("endpoint `{service}` of environment `{name}` is in {lost}: {address}");
                p.error(codes::LOST_SESSION, top, message)
                    .help("use the address of another region");
            }
        }
    }
    progress(ground, lost, p);
    let Some(JournalHome { place, region }) = journal else { return };
    let instead =
        "keep journals in a bucket of another region; or, without sharing, DRCTL_JOURNAL=local";
    match region {
        Some(region) if region == lost => {
            let message =
                format!("the journal {place} is in {lost}: the run could not be recorded");
            p.error(codes::LOST_JOURNAL, top, message).help(instead);
        }
        Some(_) => {}
        None => {
            let message = format!("no file says in which region the journal {place} is");
            p.error(codes::LOST_JOURNAL, top, message).help(
                "set `region` of `journal` in drctl.yaml; S3 is then asked whether it is true",
            );
        }
    }
}

/// Whom the run tells how it goes: without that it goes on, and nobody hears of it.
fn progress(ground: Ground<'_>, lost: &str, p: &mut Problems) {
    let Some(notify) = &ground.runbook.notify else { return };
    let home = region_of(&notify.topic).or(notify.region.as_deref());
    if home == Some(lost) {
        let message = format!("how the run goes is told to {}, a topic of {lost}", notify.topic);
        p.warning(codes::LOST_TOPIC, Span::default(), message)
            .help("name a topic of the recovery region with the same subscribers");
    }
}

/// Resolvers of private networks that a step asks: no address says where those are.
fn private_resolvers(one: &Walked<'_>) -> Vec<String> {
    let Some(Value::List(resolvers)) = one.inputs.get("resolvers") else { return Vec::new() };
    let address = |text: &&str| {
        let host = text.rsplit_once(':').map_or(*text, |(host, _)| host);
        let parts: Vec<u8> = host.split('.').filter_map(|part| part.parse().ok()).collect();
        matches!(parts.as_slice(), [10, _, _, _] | [192, 168, _, _] | [172, 16..=31, _, _])
    };
    resolvers.iter().filter_map(Value::as_str).filter(address).map(str::to_owned).collect()
}

/// What no file says.
pub(super) fn unseen(ground: Ground<'_>, walked: &[Walked<'_>], lost: &str) -> Vec<String> {
    let mut unseen = Vec::new();
    if let EnvironmentKind::Aws { profile, role, .. } = &ground.environment.kind {
        let whose = match profile {
            Some(profile) => format!("profile `{profile}`"),
            None => "the operator's own credentials".to_owned(),
        };
        unseen.push(format!(
            "{whose} must come from outside {lost}: IAM Identity Center lives in one region, keys do not"
        ));
        if let Some(role) = role {
            unseen.push(format!(
                "{role} must exist already: roles are assumed everywhere, and changed in us-east-1 only"
            ));
        }
    }
    for one in walked.iter().filter(|one| one.way.runs) {
        let program = one.spec.kind == ActionKind::Command || one.step.uses.starts_with("shell.");
        if program {
            let key = &one.way.key;
            unseen.push(format!("step `{key}` runs something that drctl cannot look into"));
        }
        let account = one.step.account.as_ref().and_then(|it| ground.environment.accounts.get(it));
        if let Some(account) = account {
            let (key, role) = (&one.way.key, &account.role);
            unseen.push(format!(
                "step `{key}` needs {role}, which must exist already: roles are changed in us-east-1 only"
            ));
        }
        for resolver in private_resolvers(one) {
            let key = &one.way.key;
            unseen.push(format!(
                "step `{key}` asks resolver {resolver}, whose network must not be that of {lost}"
            ));
        }
    }
    unseen
}
