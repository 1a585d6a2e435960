//! ECS services of an estate, and what an environment changes in them.
//!
//! **Invariant:** a service that loads has a cluster, a name, a task definition with its revision and
//! percentages that ECS would take.

use super::load::whole;
use super::model::{Environment, Estate};
use super::shape::MOST;
use crate::base::diagnostic::{Problems, Span};
use crate::base::shape::{FieldShape, Is, Shape};
use crate::base::yaml::{Fields, Node};

/// An ECS service.
pub(super) static SERVICE: Shape = Shape {
    summary: "An ECS service as it should be.",
    fields: &[
        FieldShape::required("cluster", Is::Text, "Name of its cluster."),
        FieldShape::optional("service", Is::Text, "Its serviceName; else its name in the estate."),
        FieldShape::optional("region", Is::Text, "Where it lives; else the environment's region."),
        FieldShape::required(
            "task_definition",
            Is::Matching(r"^[A-Za-z0-9_-]+:[1-9]\d*$"),
            "Family and revision that run, as `api:42`.",
        ),
        FieldShape::optional("desired", Is::Int(0, MOST), "Tasks that are wanted.").or("1"),
        FieldShape::optional(
            "minimum_healthy_percent",
            Is::Int(0, 100),
            "Least share of the tasks that run through a deployment.",
        )
        .or("100"),
        FieldShape::optional(
            "maximum_percent",
            Is::Int(100, MOST),
            "Largest share of the tasks that run in a deployment.",
        )
        .or("200"),
        FieldShape::optional(
            "database",
            Is::Text,
            "Database of the estate that it writes to: fencing the service fences its writers.",
        ),
    ],
    cases: None,
};

/// What an environment changes in a service.
pub(super) static SERVICE_CHANGES: Shape = Shape {
    summary: "What an environment changes in a service.",
    fields: &[
        FieldShape::optional("cluster", Is::Text, "Another cluster."),
        FieldShape::optional("service", Is::Text, "Another serviceName."),
        FieldShape::optional("region", Is::Text, "Another region."),
        FieldShape::optional(
            "task_definition",
            Is::Matching(r"^[A-Za-z0-9_-]+:[1-9]\d*$"),
            "Another family and revision.",
        ),
        FieldShape::optional("desired", Is::Int(0, MOST), "Another number of tasks."),
        FieldShape::optional("minimum_healthy_percent", Is::Int(0, 100), "Another least share."),
        FieldShape::optional("maximum_percent", Is::Int(100, MOST), "Another largest share."),
    ],
    cases: None,
};

/// An ECS service of the estate, as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Name of its cluster.
    pub cluster: String,
    /// `serviceName`.
    pub service: String,
    /// Region it lives in; `None` is the environment's region.
    pub region: Option<String>,
    /// Family of its task definition: `techcorp-api`.
    pub family: String,
    /// Revision of it that runs, from 1.
    pub revision: u32,
    /// Tasks that are wanted.
    pub desired: u32,
    /// `minimumHealthyPercent` of its deployments.
    pub minimum_healthy_percent: u32,
    /// `maximumPercent` of its deployments.
    pub maximum_percent: u32,
    /// Database of the estate that it writes to.
    pub database: Option<String>,
}

impl Service {
    /// `family:revision`.
    pub fn task_definition(&self) -> String {
        format!("{}:{}", self.family, self.revision)
    }
}

/// What an environment changes in a service of the estate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceChanges {
    /// Another cluster.
    pub cluster: Option<String>,
    /// Another name.
    pub service: Option<String>,
    /// Another region.
    pub region: Option<String>,
    /// Another family and revision.
    pub task_definition: Option<(String, u32)>,
    /// Another number of tasks.
    pub desired: Option<u32>,
    /// Another `minimumHealthyPercent`.
    pub minimum_healthy_percent: Option<u32>,
    /// Another `maximumPercent`.
    pub maximum_percent: Option<u32>,
}

impl ServiceChanges {
    fn apply(self, service: &mut Service) {
        if let Some(cluster) = self.cluster {
            service.cluster = cluster;
        }
        if let Some(name) = self.service {
            service.service = name;
        }
        if let Some((family, revision)) = self.task_definition {
            (service.family, service.revision) = (family, revision);
        }
        service.region = self.region.or_else(|| service.region.take());
        service.desired = self.desired.unwrap_or(service.desired);
        service.minimum_healthy_percent =
            self.minimum_healthy_percent.unwrap_or(service.minimum_healthy_percent);
        service.maximum_percent = self.maximum_percent.unwrap_or(service.maximum_percent);
    }
}

impl Estate {
    /// The service as it is in one environment, its region filled in.
    pub fn service_in(&self, service: &str, environment: &Environment) -> Option<Service> {
        let mut found = self.services.get(service)?.clone();
        if let Some(changes) = environment.services.get(service) {
            changes.clone().apply(&mut found);
        }
        found.region.get_or_insert_with(|| environment.region.clone());
        Some(found)
    }
}

/// Reads one entry of `services`; `key` is the service's name where the file gives none.
pub(super) fn read(key: &str, node: &Node, p: &mut Problems) -> Service {
    let mut f = Fields::of(node, "a service", p).shaped(&SERVICE);
    let cluster = f.required_text("cluster", p).unwrap_or_default();
    f.required("task_definition", p);
    let (family, revision) = definition(&mut f, p).unwrap_or_default();
    let service = Service {
        cluster,
        service: f.text("service", p).unwrap_or_else(|| key.to_owned()),
        region: f.text("region", p),
        family,
        revision,
        desired: whole(&mut f, "desired", 1, p),
        minimum_healthy_percent: whole(&mut f, "minimum_healthy_percent", 100, p),
        maximum_percent: whole(&mut f, "maximum_percent", 200, p),
        database: f.text("database", p),
    };
    percentages(&service, node.span, p);
    f.finish(p);
    service
}

/// ECS refuses a service whose deployments could neither stop a task nor start one.
fn percentages(service: &Service, span: Span, p: &mut Problems) {
    let (least, most) = (service.minimum_healthy_percent, service.maximum_percent);
    if least > 100 || most < 100 || least == most {
        let message = format!(
            "`minimum_healthy_percent` {least} and `maximum_percent` {most} do not go together"
        );
        let help = "the first is 0 to 100, the second from 100, and they differ: else no \
                    deployment could replace a task";
        p.error("DR023", span, message).help(help);
    }
}

/// Reads one entry of an environment's `services`.
pub(super) fn changes(node: &Node, p: &mut Problems) -> ServiceChanges {
    let mut f = Fields::of(node, "a service's changes", p).shaped(&SERVICE_CHANGES);
    let number = |f: &mut Fields<'_>, name: &'static str, p: &mut Problems| {
        f.node(name).is_some().then(|| whole(f, name, 0, p))
    };
    let changes = ServiceChanges {
        cluster: f.text("cluster", p),
        service: f.text("service", p),
        region: f.text("region", p),
        task_definition: definition(&mut f, p),
        desired: number(&mut f, "desired", p),
        minimum_healthy_percent: number(&mut f, "minimum_healthy_percent", p),
        maximum_percent: number(&mut f, "maximum_percent", p),
    };
    f.finish(p);
    changes
}

/// `family:revision`. A file says which revision runs: "the newest" would be another one tomorrow.
fn definition(f: &mut Fields<'_>, p: &mut Problems) -> Option<(String, u32)> {
    let span = f.node("task_definition")?.span;
    let text = f.text("task_definition", p)?;
    let found = text.split_once(':').and_then(|(family, revision)| {
        let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        let named = !family.is_empty() && family.bytes().all(fits);
        let revision: u32 = revision.parse().ok().filter(|number| *number > 0)?;
        named.then(|| (family.to_owned(), revision))
    });
    if found.is_none() {
        let message = format!("`{text}` is no task definition");
        p.error("DR004", span, message).help("write family and revision, as `api:42`");
    }
    found
}

/// Names of databases that services write to and that are not in the estate.
pub(super) fn check(estate: &Estate, node: &Node, p: &mut Problems) {
    for (key, service) in &estate.services {
        let Some(database) = &service.database else { continue };
        if estate.databases.contains_key(database) {
            continue;
        }
        let entry = node.field("services").and_then(|(_, services)| services.field(key));
        let span = entry.and_then(|(_, entry)| entry.field("database"));
        let span = span.map_or(node.span, |(_, value)| value.span);
        p.error("DR004", span, format!("service `{key}`: there is no database `{database}`"));
    }
}

#[cfg(test)]
mod tests {
    use crate::estate::load;

    fn file(services: &str, changes: &str) -> String {
        format!(
            "apiVersion: drctl/v1\nkind: Estate\nname: x\ndatabases: {{ orders: {{ instance: o }} }}\n\
             services:\n{services}environments:\n  sim:\n    type: simulated\n    \
             account: \"123456789012\"\n    region: us-east-1\n{changes}"
        )
    }

    #[test]
    fn services_have_defaults_and_environments_change_them() {
        let text = file(
            "  api: { cluster: main, task_definition: \"api:42\", database: orders }\n",
            "    services: { api: { desired: 4, region: us-west-2, task_definition: \"api:40\" } }\n",
        );
        let estate = load("x.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let api = &estate.services["api"];
        assert_eq!((api.service.as_str(), api.desired, api.region.as_deref()), ("api", 1, None));
        assert_eq!((api.minimum_healthy_percent, api.maximum_percent), (100, 200));
        let here = estate.service_in("api", &estate.environments["sim"]).expect("api");
        assert_eq!(here.region.as_deref(), Some("us-west-2"));
        assert_eq!((here.desired, here.task_definition()), (4, "api:40".to_owned()));
        assert!(estate.service_in("web", &estate.environments["sim"]).is_none());
    }

    #[test]
    fn every_problem_of_a_service_has_its_place() {
        for (services, wanted) in [
            ("  api: { task_definition: \"api:1\" }\n", "a service needs the field `cluster`"),
            ("  api: { cluster: main }\n", "a service needs the field `task_definition`"),
            ("  api: { cluster: main, task_definition: api }\n", "`api` is no task definition"),
            ("  api: { cluster: main, task_definition: \"api:0\" }\n", "is no task definition"),
            ("  api: { cluster: main, task_definition: \":3\" }\n", "is no task definition"),
            ("  api: { cluster: m, task_definition: \"a:1\", desired: -1 }\n", "`desired`"),
            (
                "  api: { cluster: m, task_definition: \"a:1\", desird: 1 }\n",
                "did you mean `desired`",
            ),
            (
                "  api: { cluster: m, task_definition: \"a:1\", database: ordes }\n",
                "there is no database `ordes`",
            ),
            (
                "  api: { cluster: m, task_definition: \"a:1\", maximum_percent: 100 }\n",
                "do not go together",
            ),
        ] {
            let shown = load("x.yaml", &file(services, "")).expect_err(services).to_string();
            assert!(shown.contains(wanted), "{wanted} in {shown}");
        }
    }
}
