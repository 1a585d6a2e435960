//! Security Token Service: who calls, and roles.
//!
//! **Invariant:** every caller is the environment's account; the simulator checks no signature.

use crate::base::clock::format_instant;
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::decode::Params;
use crate::sim::dispatch::{Turn, mutates, permission};
use crate::sim::iam;
use crate::sim::state::Session;
use crate::sim::xml::Xml;
use chrono::TimeDelta;
use serde_json::Value;
use std::collections::BTreeSet;

/// The AWS managed policy that a dry run narrows its session with.
const READ_ONLY_POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// Longest inline session policy, characters.
const SESSION_POLICY: usize = 2048;

/// Access keys that begin with this belong to the user whose name follows: `AKIAUSERANN` is Ann's, so that
/// several people can meet in one simulated account. All others belong to one user.
const USER_KEY: &str = "AKIAUSER";

/// ARN of whoever calls: the session of an assumed role, else a user of the account.
pub(in crate::sim) fn caller_arn(turn: &Turn<'_>) -> String {
    let key = turn.access_key.as_deref().unwrap_or_default();
    let named = key.strip_prefix(USER_KEY).filter(|name| !name.is_empty());
    let name = named.map_or_else(|| "drctl-simulated".to_owned(), str::to_ascii_lowercase);
    let user = || format!("arn:aws:iam::{}:user/{name}", turn.world.account);
    session(turn).map_or_else(user, |session| session.arn.clone())
}

/// The assumed-role session that signed the call.
pub(in crate::sim) fn session<'a>(turn: &'a Turn<'_>) -> Option<&'a Session> {
    turn.world.sessions.get(turn.access_key.as_deref()?)
}

/// Whether the caller's session policy lets it do this.
pub(in crate::sim) fn permits(turn: &Turn<'_>) -> bool {
    let Some(session) = session(turn) else { return true };
    let reads = !mutates(turn.service, &turn.action) && turn.action != "GetSecretValue";
    let name = format!("{}:{}", turn.service.iam_prefix(), permission(turn));
    (reads || !session.read_only) && !session.denied.iter().any(|pattern| matches(pattern, &name))
}

/// Answers one STS call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    match turn.action.as_str() {
        "GetCallerIdentity" => Ok(caller_identity(turn)),
        "AssumeRole" => assume_role(turn),
        _ => turn.unknown_action(),
    }
}

/// Whether an IAM action pattern such as `rds:Delete*` covers an action.
pub(in crate::sim) fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    match pattern.strip_suffix('*') {
        Some(prefix) => action.starts_with(prefix),
        None => action == pattern,
    }
}

fn caller_identity(turn: &Turn<'_>) -> Body {
    let mut xml = Xml::default();
    xml.leaf("Arn", caller_arn(turn));
    xml.leaf("UserId", "AIDASIMULATEDEXAMPLE1");
    xml.leaf("Account", &turn.world.account);
    Body::Result(Some(xml))
}

fn assume_role(turn: &mut Turn<'_>) -> Outcome {
    let role = turn.params.required("RoleArn")?.to_owned();
    let session = turn.params.required("RoleSessionName")?.to_owned();
    let seconds = turn.params.number("DurationSeconds")?.unwrap_or(3600);
    if !(900..=43_200).contains(&seconds) {
        let message = format!("DurationSeconds {seconds} must be between 900 and 43200");
        return Err(ApiError::sender("ValidationError", message));
    }
    let prefix = format!("arn:aws:iam::{}:role/", turn.world.account);
    let Some(name) = role.strip_prefix(&prefix) else {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role}",
            caller_arn(turn)
        );
        return Err(ApiError::sender("AccessDenied", message).with_status(403));
    };
    let mut random = turn.world.seed().stream(&format!("sts/{}", turn.world.requests));
    let mut letters =
        |count: usize| -> String { (0..count).map(|_| random.alphanumeric()).collect() };
    let id = letters(17).to_uppercase();
    let key = format!("ASIA{}", &id[..16]);
    let arn = format!("arn:aws:sts::{}:assumed-role/{name}/{session}", turn.world.account);
    let expires = turn.now + TimeDelta::seconds(i64::from(seconds));
    let mut xml = Xml::default();
    xml.element("Credentials", |xml| {
        xml.leaf("AccessKeyId", &key);
        xml.leaf("SecretAccessKey", letters(40));
        xml.leaf("SessionToken", letters(64));
        xml.leaf("Expiration", format_instant(expires));
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.leaf("AssumedRoleId", format!("AROA{id}:{session}"));
        xml.leaf("Arn", &arn);
    });
    let (narrowed, denied) = narrowed(&turn.params)?;
    let read_only = narrowed || iam::is_read_only(name);
    turn.world.services.roles.insert(name.to_owned());
    let now = turn.now;
    turn.world.sessions.retain(|_, session| session.expires > now - TimeDelta::days(1));
    turn.world.sessions.insert(key, Session { arn, expires, read_only, denied });
    Ok(Body::Result(Some(xml)))
}

/// What the session policies of an `AssumeRole` call leave: whether only reading, and what is
/// denied.
fn narrowed(params: &Params) -> Result<(bool, BTreeSet<String>), ApiError> {
    let read_only = (1..)
        .map_while(|index: usize| params.text(&format!("PolicyArns.member.{index}.arn")))
        .any(|arn| arn == READ_ONLY_POLICY);
    let Some(text) = params.text("Policy") else { return Ok((read_only, BTreeSet::new())) };
    let denied = denied(text).filter(|_| text.len() <= SESSION_POLICY);
    let malformed = || ApiError::sender("MalformedPolicyDocument", "This policy is malformed.");
    Ok((read_only, denied.ok_or_else(malformed)?))
}

/// Action patterns that a policy document denies; `None` when it is none.
pub(in crate::sim) fn denied(text: &str) -> Option<BTreeSet<String>> {
    let policy: Value = serde_json::from_str(text).ok().filter(Value::is_object)?;
    let mut denied = BTreeSet::new();
    for statement in one_or_many(&policy["Statement"]) {
        if statement["Effect"] == "Deny" {
            let actions = one_or_many(&statement["Action"]);
            denied.extend(actions.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    Some(denied)
}

/// IAM lets a list of one be written without brackets.
fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or_else(|| std::slice::from_ref(value).iter(), |many| many.iter())
}
