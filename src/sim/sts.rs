//! Security Token Service: who calls, and roles.
//!
//! **Invariant:** a caller is of the environment's account, or of that of the role whose session it has;
//! the simulator checks no signature.

use crate::base::clock::format_instant;
use crate::estate::{Environment, EnvironmentKind, Trust, account_of_role};
use crate::sim::answer::{ApiError, Body, Outcome};
use crate::sim::decode::Params;
use crate::sim::dispatch::{Turn, mutates, permission};
use crate::sim::iam;
use crate::sim::services::RoleTrust;
use crate::sim::state::{Session, World};
use crate::sim::xml::Xml;
use chrono::TimeDelta;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
    let own = &turn.world.account;
    let account = session(turn).map(|session| &session.account).filter(|it| !it.is_empty());
    let mut xml = Xml::default();
    xml.leaf("Arn", caller_arn(turn));
    xml.leaf("UserId", "AIDASIMULATEDEXAMPLE1");
    xml.leaf("Account", account.unwrap_or(own));
    Body::Result(Some(xml))
}

/// Longest session of a role that was assumed with another role's session, seconds.
const CHAINED: u32 = 3600;

fn assume_role(turn: &mut Turn<'_>) -> Outcome {
    let role = turn.params.required("RoleArn")?.to_owned();
    let name = turn.params.required("RoleSessionName")?.to_owned();
    let seconds = duration(turn)?;
    let tags: BTreeMap<String, String> =
        turn.params.entries("Tags.member", "Key", "Value").into_iter().collect();
    let Some((account, short)) = trusted(turn, &role, &tags) else {
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
    let arn = format!("arn:aws:sts::{account}:assumed-role/{short}/{name}");
    let expires = turn.now + TimeDelta::seconds(i64::from(seconds));
    let mut xml = Xml::default();
    xml.element("Credentials", |xml| {
        xml.leaf("AccessKeyId", &key);
        xml.leaf("SecretAccessKey", letters(40));
        xml.leaf("SessionToken", letters(64));
        xml.leaf("Expiration", format_instant(expires));
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.leaf("AssumedRoleId", format!("AROA{id}:{name}"));
        xml.leaf("Arn", &arn);
    });
    let (narrowed, denied) = narrowed(&turn.params)?;
    let read_only = narrowed || iam::is_read_only(&short);
    if account == turn.world.account {
        turn.world.services.roles.insert(short);
    }
    let now = turn.now;
    turn.world.sessions.retain(|_, session| session.expires > now - TimeDelta::days(1));
    let session = Session { arn, expires, read_only, account, tags, denied };
    turn.world.sessions.insert(key, session);
    Ok(Body::Result(Some(xml)))
}

/// How long the session is to last.
fn duration(turn: &Turn<'_>) -> Result<u32, ApiError> {
    let invalid = |message: String| ApiError::sender("ValidationError", message);
    let seconds = turn.params.number("DurationSeconds")?.unwrap_or(CHAINED);
    if !(900..=43_200).contains(&seconds) {
        return Err(invalid(format!("DurationSeconds {seconds} must be between 900 and 43200")));
    }
    if session(turn).is_some() && seconds > CHAINED {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by \
             role chaining"
                .to_owned(),
        ));
    }
    Ok(seconds)
}

/// Account and name of a role that the caller may assume: any of the world's own account, and those of
/// other accounts whose trust policies are satisfied. AWS does not say what was missing.
fn trusted(
    turn: &Turn<'_>,
    role: &str,
    tags: &BTreeMap<String, String>,
) -> Option<(String, String)> {
    let account = account_of_role(role)?;
    let name = role.split_once(":role/")?.1;
    let named = || (account.to_owned(), name.rsplit('/').next().unwrap_or(name).to_owned());
    match turn.world.services.trusts.get(role) {
        Some(trust) => {
            let id = turn.params.text("ExternalId");
            let known = trust.external_id.as_deref().is_none_or(|wanted| id == Some(wanted));
            let tagged = trust.session_tags.iter().all(|key| tags.contains_key(key));
            (known && tagged).then(named)
        }
        None => (account == turn.world.account).then(named),
    }
}

/// The roles of other accounts that there are in `environment`.
pub(in crate::sim) fn begin(world: &mut World, environment: &Environment) {
    let EnvironmentKind::Simulated(simulation) = &environment.kind else { return };
    let mut trusts = BTreeMap::new();
    for account in environment.accounts.values() {
        let external_id = account.external_id.clone();
        trusts.insert(account.role.clone(), RoleTrust { external_id, session_tags: Vec::new() });
    }
    for (role, trust) in &simulation.roles {
        let Trust { external_id, session_tags } = trust.clone();
        trusts.insert(role.clone(), RoleTrust { external_id, session_tags });
    }
    world.services.trusts = trusts;
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
