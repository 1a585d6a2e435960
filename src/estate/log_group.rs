//! Log groups of an estate, and what an environment changes in them.
//!
//! **Invariant:** a log group that loads has a name that CloudWatch Logs would take.

use super::model::{Environment, Estate};
use crate::base::diagnostic::Problems;
use crate::base::shape::{FieldShape, Is, Shape};
use crate::base::yaml::{Fields, Node};

/// Longest name of a log group.
const LONGEST: usize = 512;

/// A log group.
pub(super) static LOG_GROUP: Shape = Shape {
    summary: "A log group of CloudWatch Logs.",
    fields: &[
        FieldShape::required("name", Is::Text, "Its logGroupName."),
        FieldShape::optional("region", Is::Text, "Where it lives; else the environment's region."),
    ],
    cases: None,
};

/// What an environment changes in a log group.
pub(super) static LOG_GROUP_CHANGES: Shape = Shape {
    summary: "What an environment changes in a log group.",
    fields: &[
        FieldShape::optional("name", Is::Text, "Another logGroupName."),
        FieldShape::optional("region", Is::Text, "Another region."),
    ],
    cases: None,
};

/// A log group of CloudWatch Logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// `/ecs/techcorp-api`.
    pub name: String,
    /// Region it lives in; `None` is the environment's region.
    pub region: Option<String>,
}

/// What an environment changes in a log group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogGroupChanges {
    /// Another name.
    pub name: Option<String>,
    /// Another region.
    pub region: Option<String>,
}

impl Estate {
    /// The log group as it is in one environment, its region filled in.
    pub fn log_group_in(&self, key: &str, environment: &Environment) -> Option<LogGroup> {
        let mut found = self.log_groups.get(key)?.clone();
        if let Some(LogGroupChanges { name, region }) = environment.log_groups.get(key) {
            found.name = name.clone().unwrap_or(found.name);
            found.region = region.clone().or(found.region);
        }
        found.region.get_or_insert_with(|| environment.region.clone());
        Some(found)
    }
}

/// Reads one entry of `log_groups`.
pub(super) fn read(node: &Node, p: &mut Problems) -> LogGroup {
    let mut f = Fields::of(node, "a log group", p).shaped(&LOG_GROUP);
    f.required("name", p);
    let name = name(&mut f, p).unwrap_or_default();
    let group = LogGroup { name, region: f.text("region", p) };
    f.finish(p);
    group
}

/// Reads one entry of an environment's `log_groups`.
pub(super) fn changes(node: &Node, p: &mut Problems) -> LogGroupChanges {
    let mut f = Fields::of(node, "a log group's changes", p).shaped(&LOG_GROUP_CHANGES);
    let changes = LogGroupChanges { name: name(&mut f, p), region: f.text("region", p) };
    f.finish(p);
    changes
}

fn name(f: &mut Fields<'_>, p: &mut Problems) -> Option<String> {
    let span = f.node("name")?.span;
    let name = f.text("name", p)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.#".contains(&byte);
    if name.is_empty() || name.len() > LONGEST || !name.bytes().all(plain) {
        let message = format!("`{name}` is no name of a log group");
        p.error("DR004", span, message).help("letters, digits and any of `_-/.#`, at most 512");
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use crate::estate::load;

    fn file(groups: &str, changes: &str) -> String {
        format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: x\nlog_groups: {{ {groups} }}\nenvironments:\n  \
             sim:\n    type: simulated\n    account: \"123456789012\"\n    region: us-east-1\n{changes}"
        )
    }

    #[test]
    fn log_groups_live_in_the_environments_region_unless_they_say() {
        let text = file(
            "api: { name: /ecs/api }, web: { name: /ecs/web, region: us-west-2 }",
            "    log_groups: { web: { name: /ecs/other } }\n",
        );
        let estate = load("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let sim = &estate.environments["sim"];
        let api = estate.log_group_in("api", sim).expect("api");
        assert_eq!((api.name.as_str(), api.region.as_deref()), ("/ecs/api", Some("us-east-1")));
        let web = estate.log_group_in("web", sim).expect("web");
        assert_eq!((web.name.as_str(), web.region.as_deref()), ("/ecs/other", Some("us-west-2")));
    }

    #[test]
    fn names_are_checked_where_they_stand() {
        for (groups, wanted) in [
            ("api: {}", "a log group needs the field `name`"),
            ("api: { name: \"a b\" }", "x.yaml:4:28: error[DR004]"),
            ("api: { name: \"\" }", "is no name of a log group"),
            ("api: { nam: x, name: y }", "did you mean `name`"),
        ] {
            let shown = load("x.yaml", &file(groups, "")).expect_err(groups).to_string();
            assert!(shown.contains(wanted), "{wanted} in {shown}");
        }
    }
}
