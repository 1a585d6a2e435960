//! `rds.force_failover`: makes the standby of a Multi-AZ instance its primary.
//!
//! **Invariant:** a failover leaves nothing that a later look could find but AWS's events, so an intent in
//! doubt is settled by the events since it, and never by asking again while they may still come.

use crate::action::context::{PastIntent, ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::{between, format_instant};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{DbEvent, DbInstance};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:RebootDBInstance";

/// How long events are waited for that would say that a call in doubt took effect. AWS notes the beginning
/// of a failover within seconds; five minutes are far above what anybody reported.
const SETTLED_AFTER: Duration = Duration::from_secs(5 * 60);

/// The action.
#[derive(Debug)]
pub(crate) struct ForceFailover {
    spec: ActionSpec,
}

impl Default for ForceFailover {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.force_failover",
            summary: "Fails a Multi-AZ instance over to its standby; connections break for a minute \
                      or two, and its name stays.",
            kind: ActionKind::Mutation,
            inputs: vec![Field::required("instance", Type::String, "identifier of the instance")],
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the instance"),
                Field::optional("started_at", Type::Time, "when AWS began to fail over"),
                Field::required("completed_at", Type::Time, "when AWS had failed over"),
            ],
            calls: &["rds:DescribeDBInstances", "rds:DescribeEvents", OPERATION],
            effects: &[],
            reversibility: Reversibility::Irreversible,
            role: Role::None,
            by_hand: "aws rds reboot-db-instance --region {region} \
                      --db-instance-identifier {instance} --force-failover\n\
                      aws rds describe-events --region {region} --source-type db-instance \
                      --source-identifier {instance} --duration 30\n\
                      aws rds wait db-instance-available --region {region} \
                      --db-instance-identifier {instance}",
            default_timeout: Duration::from_secs(1800),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// What AWS's events tell of a failover.
#[derive(Debug, Default, PartialEq)]
struct Told {
    /// What AWS gave up was answered by a person's `retry`: only what came after it counts.
    answered: bool,
    started: Option<DateTime<Utc>>,
    completed: Option<DateTime<Utc>>,
    /// AWS gave it up, in its own words.
    abandoned: Option<String>,
}

/// Reads RDS-EVENT-0013 (started), 0049 and 0015 (completed) and 0034 (abandoned) by their texts:
/// `DescribeEvents` gives no numbers. A failover that was given up before somebody said `retry`, at
/// `retried` by AWS's clock, is over, and so is all that came before its end.
fn told(events: &[DbEvent], retried: Option<DateTime<Utc>>) -> Told {
    let given_up = events.iter().filter(|event| gives_up(event)).map(|event| event.at);
    let over = retried.and_then(|retried| given_up.filter(|at| *at <= retried).max());
    let mut told = Told { answered: over.is_some(), ..Told::default() };
    for event in events.iter().filter(|event| over.is_none_or(|over| event.at > over)) {
        let text = event.message.to_ascii_lowercase();
        if gives_up(event) {
            told.abandoned = Some(event.message.clone());
        } else if text.contains("failover started") {
            told.started = told.started.or(Some(event.at));
        } else if text.contains("failover complete") {
            told.completed = Some(event.at);
        }
    }
    told
}

fn gives_up(event: &DbEvent) -> bool {
    event.message.to_ascii_lowercase().contains("abandoning user requested failover")
}

/// Why the instance cannot be failed over, whatever is waited for.
fn never(found: Option<&DbInstance>, scope: &StepScope<'_>) -> Option<(String, String)> {
    let name = scope.text("instance").unwrap_or_default();
    let Some(found) = found else {
        let why = format!("there is no database instance `{name}` in {}", scope.region);
        return Some((why, "check the estate file and the region".to_owned()));
    };
    if !found.multi_az {
        let why = format!("`{name}` is not Multi-AZ: it has no standby to fail over to");
        return Some((why, "make it Multi-AZ before, or restore beside it".to_owned()));
    }
    let stands = found.is_broken() || matches!(found.status.as_str(), "stopped" | "deleting");
    stands.then(|| {
        let why = format!("`{name}` is `{}` and cannot be failed over", found.status);
        (why, "mend or start it first; read its events (DescribeEvents)".to_owned())
    })
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

/// What can be said once the step has asked.
fn after(intent: PastIntent, told: Told, found: &DbInstance, scope: &StepScope<'_>) -> Observation {
    let name = &found.id;
    match told {
        Told { completed: Some(completed), .. } if !found.is_usable() => waiting(format!(
            "failed over at {}, `{name}` is `{}`",
            format_instant(completed),
            found.status
        )),
        Told { completed: Some(completed), started, .. } => done(name, started, completed),
        Told { abandoned: Some(words), .. } => Observation::Broken {
            why: format!("AWS gave the failover of `{name}` up: {words}"),
            help: "its events tell when it failed over last; answer `retry` later if it is \
                   still wanted"
                .to_owned(),
        },
        Told { started: Some(_), .. } => waiting("failing over".to_owned()),
        Told { .. } if found.status != "available" => {
            waiting(format!("`{name}` is `{}`", found.status))
        }
        // AWS gave up what it had accepted, and a person wants it again.
        Told { answered: true, .. } => Observation::Absent,
        // AWS said yes: its events will come.
        Told { .. } if intent.accepted => waiting("asked for, no event of it yet".to_owned()),
        Told { .. } if between(intent.at, scope.now) < SETTLED_AFTER => {
            waiting("in doubt: waiting for events that tell whether it began".to_owned())
        }
        // In doubt, at rest, and no event in all that time: it never began.
        Told { .. } => Observation::Absent,
    }
}

fn done(name: &str, started: Option<DateTime<Utc>>, completed: DateTime<Utc>) -> Observation {
    let outputs = Values::from([
        ("instance".to_owned(), Value::text(name)),
        ("started_at".to_owned(), started.map_or(Value::Null, Value::Time)),
        ("completed_at".to_owned(), Value::Time(completed)),
    ]);
    let source = "DescribeEvents: Multi-AZ instance failover completed";
    Observation::Done(Done {
        outputs,
        verdict: Verdict::Pass,
        milestone: None,
        observed: BTreeMap::from([("failed_over".to_owned(), json!(name))]),
        evidence: vec![(
            "failover.completed_at".to_owned(),
            format_instant(completed),
            source.to_owned(),
        )],
    })
}

#[async_trait]
impl Action for ForceFailover {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(60), Duration::from_secs(300));
        Some((low, high, "AWS: typically 60-120 s, longer with large transactions"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let found = context.view.db_instance(scope.region, name).await?;
        let mut outputs = self.spec.unknown_outputs(&format!("`{name}` has not failed over yet"));
        outputs.insert("instance".to_owned(), Value::text(name));
        let mut details = vec![
            "connections to it break for a minute or two, and its endpoint keeps its name"
                .to_owned(),
        ];
        let zone = found.as_ref().and_then(|found| found.availability_zone.clone());
        details.extend(zone.map(|zone| format!("its primary is in {zone} now")));
        let busy = found.as_ref().filter(|found| found.status != "available");
        Ok(Preview {
            wont: never(found.as_ref(), scope).map(|(why, _)| why),
            summary: format!("fail `{name}` in {} over to its standby", scope.region),
            details,
            warnings: busy
                .map(|found| format!("`{name}` is `{}`: it is waited for", found.status))
                .into_iter()
                .collect(),
            predictions: BTreeMap::from([("failed_over".to_owned(), json!(name))]),
            outputs,
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let found = context.view.db_instance(scope.region, name).await?;
        let Some(intent) = scope.intent else {
            if let Some((why, help)) = never(found.as_ref(), scope) {
                return Ok(Observation::Broken { why, help });
            }
            // RDS reboots only what is available.
            let status = found.map(|found| found.status).unwrap_or_default();
            return Ok(match status.as_str() {
                "available" => Observation::Absent,
                _ => waiting(format!("`{name}` is `{status}`, waiting until it is available")),
            });
        };
        let Some(found) = found else {
            let (why, help) = never(None, scope).unwrap_or_default();
            return Ok(Observation::Broken { why, help });
        };
        let since = context.view.their_time(intent.at);
        let events = context.view.db_events(scope.region, name, since).await?;
        let retried = intent.retried.map(|at| context.view.their_time(at));
        Ok(after(intent, told(&events, retried), &found, scope))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let name = scope.text("instance").unwrap_or_default();
        let accepted = context.writer.force_failover(scope.region, name).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
