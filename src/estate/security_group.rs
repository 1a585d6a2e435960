//! Security groups of an estate: section `security_groups`.
//!
//! **Invariant:** the shapes here name exactly the fields that are read here.

use super::model::{Environment, Estate};
use crate::base::diagnostic::Problems;
use crate::base::shape::{FieldShape, Is, Shape};
use crate::base::yaml::{Fields, Kind, Node};

pub(super) static SECURITY_GROUP: Shape = Shape {
    summary: "A VPC security group.",
    fields: &[
        FieldShape::required("id", Is::Text, "Its id, `sg-…`."),
        FieldShape::optional("region", Is::Text, "Where it is; else the environment's region."),
        FieldShape::optional(
            "ingress",
            Is::List(0, &Is::Record(&INGRESS)),
            "Who may come in, as the simulated world begins.",
        ),
    ],
    cases: None,
};

static INGRESS: Shape = Shape {
    summary: "Who may come in.",
    fields: &[
        FieldShape::optional("protocol", Is::Text, "`tcp`, `udp`, `icmp`, or `-1` for all.")
            .or("tcp"),
        FieldShape::optional("from_port", Is::Int(0, 65_535), "First port."),
        FieldShape::optional("to_port", Is::Int(0, 65_535), "Last port."),
        FieldShape::required("sources", Is::Texts, "Address ranges, `sg-…`, `pl-…`."),
        FieldShape::optional("description", Is::Text, "What stands beside it."),
    ],
    cases: None,
};

pub(super) static SECURITY_GROUP_CHANGES: Shape = Shape {
    summary: "What an environment changes in a security group.",
    fields: &[
        FieldShape::optional("id", Is::Text, "Another id."),
        FieldShape::optional("region", Is::Text, "Another region."),
    ],
    cases: None,
};

/// A VPC security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// `sg-…`.
    pub id: String,
    /// Region it is in; `None` is the environment's region.
    pub region: Option<String>,
    /// Who may come in, as the simulated world begins.
    pub ingress: Vec<Ingress>,
}

/// Who may come in to a simulated security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingress {
    /// `tcp`, `udp`, `icmp`, or `-1` for all.
    pub protocol: String,
    /// First port; `None` is all.
    pub from_port: Option<u16>,
    /// Last port.
    pub to_port: Option<u16>,
    /// Address ranges, `sg-…`, `pl-…`.
    pub sources: Vec<String>,
    /// What stands beside it.
    pub description: Option<String>,
}

/// What an environment changes in a security group of the estate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecurityGroupChanges {
    /// Another id.
    pub id: Option<String>,
    /// Another region.
    pub region: Option<String>,
}

impl Estate {
    /// The security group as it is in one environment, its region filled in.
    pub fn security_group_in(
        &self,
        name: &str,
        environment: &Environment,
    ) -> Option<SecurityGroup> {
        let mut found = self.security_groups.get(name)?.clone();
        if let Some(SecurityGroupChanges { id, region }) = environment.security_groups.get(name) {
            found.id = id.clone().unwrap_or(found.id);
            found.region = region.clone().or(found.region);
        }
        found.region.get_or_insert_with(|| environment.region.clone());
        Some(found)
    }
}

/// Reads a security group.
pub(super) fn read(node: &Node, p: &mut Problems) -> SecurityGroup {
    let mut f = Fields::of(node, "a security group", p).shaped(&SECURITY_GROUP);
    let id = f.required_text("id", p).unwrap_or_default();
    if !id.is_empty() && !id.starts_with("sg-") {
        p.error("DR004", node.span, format!("security group `{id}`: its id must begin with `sg-`"));
    }
    let region = f.text("region", p);
    let ingress = match f.node("ingress").map(|node| &node.kind) {
        Some(Kind::List(items)) => items.iter().map(|item| rule(item, p)).collect(),
        Some(_) => {
            p.error("DR004", node.span, "field `ingress`: expected a list of rules");
            Vec::new()
        }
        None => Vec::new(),
    };
    f.finish(p);
    SecurityGroup { id, region, ingress }
}

fn rule(node: &Node, p: &mut Problems) -> Ingress {
    let mut f = Fields::of(node, "a rule", p).shaped(&INGRESS);
    let rule = Ingress {
        protocol: f.text("protocol", p).unwrap_or_else(|| "tcp".to_owned()),
        from_port: port(&mut f, "from_port", p),
        to_port: port(&mut f, "to_port", p),
        sources: f.required("sources", p).map(|_| f.texts("sources", p)).unwrap_or_default(),
        description: f.text("description", p),
    };
    for source in &rule.sources {
        let plain = ["sg-", "pl-"].iter().any(|start| source.starts_with(start));
        if !plain && !source.contains('/') {
            p.error(
                "DR004",
                node.span,
                format!("source `{source}` is no address range, `sg-…` or `pl-…`"),
            );
        }
    }
    f.finish(p);
    rule
}

fn port(f: &mut Fields<'_>, name: &'static str, p: &mut Problems) -> Option<u16> {
    let node = f.node(name)?;
    let port = if let Kind::Int(port) = node.kind { u16::try_from(port).ok() } else { None };
    if port.is_none() {
        p.error("DR004", node.span, format!("field `{name}`: expected a port from 0 to 65535"));
    }
    port
}

/// Reads what an environment changes in one.
pub(super) fn changes(node: &Node, p: &mut Problems) -> SecurityGroupChanges {
    let mut f = Fields::of(node, "a security group's changes", p).shaped(&SECURITY_GROUP_CHANGES);
    let changes = SecurityGroupChanges { id: f.text("id", p), region: f.text("region", p) };
    f.finish(p);
    changes
}

#[cfg(test)]
mod tests {
    use crate::estate::load;

    const GOOD: &str = r#"
apiVersion: drctl/v1
kind: Estate
name: shop
objectives: { recovery_time: 4h, recovery_point: 1h }
databases:
  orders:
    instance: shop-orders
    storage_gib: 100
    security_groups: [sg-1]
    dataset: { heartbeat_every: 1s, tables: { orders: { rows: 100, row_every: 30s } } }
environments:
  sim: { type: simulated, account: "123456789012", region: us-east-1, seed: 3 }
  staging:
    type: aws
    account: "123456789012"
    region: us-east-1
    databases: { orders: { instance: shop-staging-orders, backup_retention_days: 14 } }
"#;

    #[test]
    fn security_groups_and_exports() {
        let more = "security_groups:\n  database: { id: sg-1, ingress: [ { from_port: 5432, \
                    to_port: 5432, sources: [sg-2, 10.0.0.0/16], description: app } ] }\n\
                    exports: { orders: { database: orders, bucket: backups, every: 12h } }\n\
                    environments:";
        let text = GOOD.replace("environments:", more).replace(
            "databases: { orders: { instance: shop-staging",
            "security_groups: { database: { id: sg-9, region: us-west-2 } }\n    \
             databases: { orders: { instance: shop-staging",
        );
        let estate = load("shop.yaml", &text).expect("valid");
        let here = |name: &str| {
            let group = estate.security_group_in("database", &estate.environments[name]);
            let group = group.expect("it is there");
            (group.id, group.region.expect("filled in"))
        };
        assert_eq!(here("sim"), ("sg-1".to_owned(), "us-east-1".to_owned()));
        assert_eq!(here("staging"), ("sg-9".to_owned(), "us-west-2".to_owned()));
        let rule = &estate.security_groups["database"].ingress[0];
        assert_eq!(
            (rule.protocol.as_str(), rule.from_port, rule.sources.len()),
            ("tcp", Some(5432), 2)
        );
        let export = estate.export_in("orders", &estate.environments["sim"]).expect("there");
        assert_eq!((export.every.as_secs(), export.region.as_deref()), (43_200, Some("us-east-1")));

        let bad = GOOD.replace(
            "environments:",
            "security_groups: { a: { id: x }, b: { id: sg-1, ingress: [ { from_port: 70000 }, { sources: [somebody] } ] }, \
             c: { id: sg-2, ingress: all } }\nexports: { e: { database: nothing, bucket: b, every: 1s } }\n\
             environments:",
        );
        let shown = load("shop.yaml", &bad).expect_err("invalid").to_string();
        for part in [
            "must begin with `sg-`",
            "a port from 0 to 65535",
            "a rule needs the field `sources`",
            "source `somebody` is no address range",
            "a list of rules",
            "there is no database `nothing`",
            "a minute or more",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}
