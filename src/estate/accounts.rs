//! Further accounts of an environment, each reached by a role.
//!
//! **Invariant:** the account that is pinned is the role's; what AWS would refuse in a call of AssumeRole
//! is refused in the file.

use super::model::Trust;
use super::shape::{ACCOUNT, TRUST};
use crate::base::diagnostic::Problems;
use crate::base::value::Type;
use crate::base::yaml::{Fields, Node};
use std::collections::BTreeMap;

/// An account that steps act in with a role of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Twelve-digit account id, checked before anything is done in it.
    pub account: String,
    /// ARN of the role; a dry run narrows it with a session policy.
    pub role: String,
    /// What the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Tags of the session.
    pub session_tags: BTreeMap<String, String>,
    /// Name of the session; `drctl`, in a dry run `drctl-dry-run`, when absent.
    pub session_name: Option<String>,
}

/// Most tags of a session (STS).
const MOST_TAGS: usize = 50;

/// The account id in a role's ARN: `arn:aws:iam::123456789012:role/dr`.
pub fn account_of_role(role: &str) -> Option<&str> {
    let parts: Vec<&str> = role.splitn(6, ':').collect();
    let ["arn", _, "iam", "", account, name] = parts.as_slice() else { return None };
    let named = name.strip_prefix("role/").is_some_and(|name| !name.is_empty());
    (named && is_account(account)).then_some(account)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether STS takes `text` in this place: letters, digits and `_+=,.@-`, with `more`.
fn fits(text: &str, (least, most): (usize, usize), more: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) || more.contains(c);
    (least..=most).contains(&text.chars().count()) && text.chars().all(plain)
}

/// Reads one account of `accounts`.
pub(super) fn read(node: &Node, p: &mut Problems) -> Account {
    let mut f = Fields::of(node, "an account", p).shaped(&ACCOUNT);
    let account = f.required_text("account", p).unwrap_or_default();
    if !account.is_empty() && !is_account(&account) {
        p.error("DR007", f.span(), format!("account `{account}` must be twelve digits"))
            .help("write it in quotes, as `\"123456789012\"`");
    }
    let role = f.required_text("role", p).unwrap_or_default();
    let span = f.node("role").map_or(node.span, |node| node.span);
    match account_of_role(&role) {
        None if role.is_empty() => {}
        None => {
            p.error("DR004", span, format!("field `role`: `{role}` is no ARN of a role"))
                .help("write it as arn:aws:iam::123456789012:role/NAME");
        }
        Some(own) if own != account && is_account(&account) => {
            let message = format!("role of account {own}, and the account here is {account}");
            p.error("DR007", span, message).help("name a role of the account that is pinned");
        }
        Some(_) => {}
    }
    let external_id = checked(&mut f, "external_id", (2, 1224), ":/", p);
    let session_name = checked(&mut f, "session_name", (2, 64), "", p);
    let session_tags = tags(&mut f, p);
    f.finish(p);
    Account { account, role, external_id, session_tags, session_name }
}

/// Reads `roles` of a simulated environment.
pub(super) fn roles(f: &mut Fields<'_>, p: &mut Problems) -> BTreeMap<String, Trust> {
    let mut roles = BTreeMap::new();
    for (key, node) in f.entries("roles", p) {
        if account_of_role(&key.name).is_none() {
            p.error("DR004", key.span, format!("`{}` is no ARN of a role", key.name))
                .help("write it as arn:aws:iam::123456789012:role/NAME");
        }
        let mut trust = Fields::of(node, "a role's trust", p).shaped(&TRUST);
        let external_id = checked(&mut trust, "external_id", (2, 1224), ":/", p);
        let session_tags = trust.texts("session_tags", p);
        trust.finish(p);
        roles.insert(key.name.clone(), Trust { external_id, session_tags });
    }
    roles
}

fn checked(
    f: &mut Fields<'_>,
    name: &'static str,
    length: (usize, usize),
    more: &str,
    p: &mut Problems,
) -> Option<String> {
    let text = f.text(name, p)?;
    if !fits(&text, length, more) {
        let span = f.node(name).map_or(f.span(), |node| node.span);
        let (least, most) = length;
        p.error("DR004", span, format!("field `{name}`: STS does not take it"))
            .help(format!("{least} to {most} letters, digits and `_+=,.@-{more}`"));
    }
    Some(text)
}

fn tags(f: &mut Fields<'_>, p: &mut Problems) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::new();
    let span = f.node("session_tags").map_or(f.span(), |node| node.span);
    for (key, node) in f.entries("session_tags", p) {
        match node.to_value().coerce(&Type::String) {
            Ok(value) => {
                let value = value.to_string();
                if key.name.chars().count() > 128 || value.chars().count() > 256 {
                    p.error("DR004", node.span, format!("tag `{}` is too long for STS", key.name));
                }
                tags.insert(key.name.clone(), value);
            }
            Err(why) => {
                p.error("DR004", node.span, format!("tag `{}`: {why}", key.name));
            }
        }
    }
    if tags.len() > MOST_TAGS {
        p.error("DR004", span, format!("{} tags; STS takes {MOST_TAGS}", tags.len()));
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::{Estate, load};

    fn estate(account: &str) -> Result<Estate, Problems> {
        let text = format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: t\nenvironments:\n  prod:\n    type: simulated\n    \
             account: \"123456789012\"\n    region: us-east-1\n    accounts: {{ data: {{ {account} }} }}\n"
        );
        load("t.yaml", &text)
    }

    const GOOD: &str =
        "account: \"210987654321\", role: \"arn:aws:iam::210987654321:role/dr/data\"";

    #[test]
    fn an_account_has_a_role_and_what_its_trust_asks_for() {
        let text = format!(
            "{GOOD}, external_id: dr-1, session_tags: {{ team: dr, on_call: \"7\" }}, session_name: dr@x"
        );
        let estate = estate(&text);
        let loaded = estate.unwrap_or_else(|problems| panic!("{problems}"));
        let data = &loaded.environments["prod"].accounts["data"];
        assert_eq!(
            (data.external_id.as_deref(), data.session_name.as_deref()),
            (Some("dr-1"), Some("dr@x"))
        );
        assert_eq!(data.session_tags["on_call"], "7");
    }

    #[test]
    fn what_sts_would_refuse_is_refused_here() {
        for (text, part) in [
            ("account: \"2109\", role: \"arn:aws:iam::210987654321:role/x\"", "twelve digits"),
            ("account: \"210987654321\"", "the field `role`"),
            ("account: \"210987654321\", role: dr", "is no ARN of a role"),
            (
                "account: \"210987654321\", role: \"arn:aws:iam::210987654321:user/dr\"",
                "no ARN of a role",
            ),
            (
                "account: \"210987654321\", role: \"arn:aws:iam::111122223333:role/dr\"",
                "role of account 111122223333",
            ),
            (&format!("{GOOD}, external_id: \"a b\""), "field `external_id`: STS does not take it"),
            (&format!("{GOOD}, external_id: a"), "2 to 1224"),
            (&format!("{GOOD}, session_name: \"a/b\""), "field `session_name`"),
            (&format!("{GOOD}, session_tags: {{ a: [1] }}"), "tag `a`"),
            (&format!("{GOOD}, tags: {{}}"), "no field `tags`"),
        ] {
            let shown = estate(text).expect_err(text).to_string();
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn a_role_tells_its_account() {
        assert_eq!(account_of_role("arn:aws:iam::210987654321:role/a/b"), Some("210987654321"));
        assert_eq!(account_of_role("arn:aws-cn:iam::210987654321:role/a"), Some("210987654321"));
        for bad in ["", "arn:aws:iam::2109:role/a", "arn:aws:iam::210987654321:role/", "role/a"] {
            assert_eq!(account_of_role(bad), None, "{bad}");
        }
    }
}
