//! Security groups and rules as EC2 writes them.
//!
//! **Invariant:** rules of the same protocol and ports are one permission with several sources.

use super::rules::{Rule, SOURCES};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use crate::sim::xml::Xml;

/// One group of `DescribeSecurityGroups`.
pub(super) fn group(xml: &mut Xml, turn: &Turn<'_>, (id, vpc): (&str, &str), rules: &[Rule]) {
    let account = &turn.world.account;
    xml.element("item", |xml| {
        xml.leaf("ownerId", account);
        xml.leaf("groupId", id);
        xml.leaf("groupName", id.trim_start_matches("sg-"));
        xml.leaf("groupDescription", "simulated");
        xml.leaf("vpcId", vpc);
        permissions(xml, "ipPermissions", rules, account);
        xml.element("ipPermissionsEgress", |_| {});
        xml.element("tagSet", |_| {});
    });
}

fn permissions(xml: &mut Xml, name: &str, rules: &[Rule], account: &str) {
    type Ports<'a> = (&'a str, Option<i32>, Option<i32>);
    let ports = |rule: &Rule| (rule.protocol.clone(), rule.from_port, rule.to_port);
    let mut kinds: Vec<_> = rules.iter().map(ports).collect();
    kinds.dedup();
    xml.element(name, |xml| {
        for (protocol, from, to) in &kinds {
            let kind: Ports<'_> = (protocol, *from, *to);
            let of_kind =
                |rule: &&Rule| (rule.protocol.as_str(), rule.from_port, rule.to_port) == kind;
            let of_kind: Vec<&Rule> = rules.iter().filter(of_kind).collect();
            xml.element("item", |xml| {
                xml.leaf("ipProtocol", protocol);
                xml.optional("fromPort", *from);
                xml.optional("toPort", *to);
                for (place, (_, _, list, field)) in SOURCES.iter().enumerate() {
                    xml.element(list, |xml| {
                        for rule in of_kind.iter().filter(|rule| rule.list() == place) {
                            source(xml, field, rule, account);
                        }
                    });
                }
            });
        }
    });
}

fn source(xml: &mut Xml, field: &str, rule: &Rule, account: &str) {
    xml.element("item", |xml| {
        if field == "groupId" {
            xml.leaf("userId", rule.account.as_deref().unwrap_or(account));
        }
        xml.leaf(field, &rule.source);
        xml.optional("description", rule.description.as_deref());
    });
}

/// The answer to `AuthorizeSecurityGroupIngress`.
pub(super) fn added(turn: &Turn<'_>, id: &str, rules: &[Rule]) -> Xml {
    let mut xml = Xml::default();
    xml.leaf("return", true);
    xml.element("securityGroupRuleSet", |xml| {
        for rule in rules {
            let made = format!("ec2/{}/{id}/{rule}", turn.region);
            let name: String =
                uuid(turn.world.seed(), &made).chars().filter(|it| *it != '-').take(17).collect();
            xml.element("item", |xml| {
                xml.leaf("securityGroupRuleId", format!("sgr-{name}"));
                xml.leaf("groupId", id);
                xml.leaf("groupOwnerId", &turn.world.account);
                xml.leaf("isEgress", false);
                xml.leaf("ipProtocol", &rule.protocol);
                xml.leaf("fromPort", rule.from_port.unwrap_or(-1));
                xml.leaf("toPort", rule.to_port.unwrap_or(-1));
                xml.optional("description", rule.description.as_deref());
            });
        }
    });
    xml
}

/// The answer to `RevokeSecurityGroupIngress`, with the rules that were not there.
pub(super) fn taken(unknown: &[Rule]) -> Xml {
    let mut xml = Xml::default();
    xml.leaf("return", true);
    permissions(&mut xml, "unknownIpPermissionSet", unknown, "");
    xml
}
