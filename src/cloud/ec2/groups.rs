//! Security groups in EC2's form.
//!
//! **Invariant:** what was read of a rule is written back as it was, its description included.

use super::{Element, Form};
use crate::cloud::model::{IngressRule, RuleSource, SecurityGroup};

/// Rules to add or to take away.
pub(crate) type Rules<'a> = &'a [IngressRule];

/// The groups in an answer of `DescribeSecurityGroups`.
pub(crate) fn description(root: &Element) -> Option<Vec<SecurityGroup>> {
    root.child("securityGroupInfo")?;
    Some(root.items("securityGroupInfo").map(group).collect())
}

fn group(from: &Element) -> SecurityGroup {
    let owner = from.text("ownerId");
    let text = |name: &str| from.text(name).unwrap_or_default().to_owned();
    let tags = from.items("tagSet").filter_map(|tag| {
        Some((tag.text("key")?.to_owned(), tag.text("value").unwrap_or_default().to_owned()))
    });
    let mut ingress: Vec<IngressRule> =
        from.items("ipPermissions").flat_map(|permission| rules(permission, owner)).collect();
    ingress.sort();
    SecurityGroup {
        id: text("groupId"),
        name: text("groupName"),
        vpc: from.text("vpcId").map(str::to_owned),
        ingress,
        tags: tags.collect(),
    }
}

/// One rule for each source of a permission.
fn rules(permission: &Element, owner: Option<&str>) -> Vec<IngressRule> {
    let number = |name: &str| permission.text(name).and_then(|text| text.parse().ok());
    let rule = |source: RuleSource, of: &Element| IngressRule {
        protocol: permission.text("ipProtocol").unwrap_or("-1").to_owned(),
        from_port: number("fromPort"),
        to_port: number("toPort"),
        source,
        description: of.text("description").map(str::to_owned),
    };
    let mut found = Vec::new();
    for (list, name, make) in [
        ("ipRanges", "cidrIp", RuleSource::Ipv4 as fn(String) -> RuleSource),
        ("ipv6Ranges", "cidrIpv6", RuleSource::Ipv6),
        ("prefixListIds", "prefixListId", RuleSource::PrefixList),
    ] {
        for item in permission.items(list) {
            let Some(value) = item.text(name) else { continue };
            found.push(rule(make(value.to_owned()), item));
        }
    }
    for item in permission.items("groups") {
        let Some(id) = item.text("groupId") else { continue };
        let account = item.text("userId").filter(|account| Some(*account) != owner);
        let account = account.map(str::to_owned);
        found.push(rule(RuleSource::Group { id: id.to_owned(), account }, item));
    }
    found
}

/// The parameters that name rules of a group, with what is written beside them where they are added.
pub(crate) fn permissions(group: &str, rules: Rules<'_>, described: bool) -> Form {
    let mut form = vec![("GroupId".to_owned(), group.to_owned())];
    for (index, rule) in rules.iter().enumerate() {
        let permission = format!("IpPermissions.{}", index + 1);
        let mut put =
            |name: &str, value: String| form.push((format!("{permission}.{name}"), value));
        put("IpProtocol", rule.protocol.clone());
        for (name, port) in [("FromPort", rule.from_port), ("ToPort", rule.to_port)] {
            if let Some(port) = port {
                put(name, port.to_string());
            }
        }
        let list = match &rule.source {
            RuleSource::Ipv4(range) => {
                put("IpRanges.1.CidrIp", range.clone());
                "IpRanges"
            }
            RuleSource::Ipv6(range) => {
                put("Ipv6Ranges.1.CidrIpv6", range.clone());
                "Ipv6Ranges"
            }
            RuleSource::PrefixList(id) => {
                put("PrefixListIds.1.PrefixListId", id.clone());
                "PrefixListIds"
            }
            RuleSource::Group { id, account } => {
                put("Groups.1.GroupId", id.clone());
                if let Some(account) = account {
                    put("Groups.1.UserId", account.clone());
                }
                "Groups"
            }
        };
        if let (true, Some(description)) = (described, &rule.description) {
            put(&format!("{list}.1.Description"), description.clone());
        }
    }
    form
}
