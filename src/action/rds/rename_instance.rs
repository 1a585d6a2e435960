//! `rds.rename_instance`: gives an instance another identifier, to swap one in under an old name.
//!
//! **Invariant:** it is done when the old name is gone and the same instance answers to the new one in
//! several looks; a name that somebody else has is never waited for long.

use crate::action::context::{PastIntent, ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::between;
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use crate::cloud::model::{DbInstance, Endpoint};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:ModifyDBInstance";

/// Looks in a row that have to find it under the new name.
const LOOKS: u32 = 3;

/// How long a name that is being given up may still be shown.
const FREED_AFTER: Duration = Duration::from_secs(10 * 60);

/// What AWS says of the new name.
const LATE_NAME: &str = "the old host name is gone at once, the new one resolves after about 10 minutes \
                         (AWS): use dns.check before clients are sent there";

/// The action.
#[derive(Debug)]
pub(crate) struct RenameInstance {
    spec: ActionSpec,
}

impl Default for RenameInstance {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.rename_instance",
            summary: "Renames a database instance, for example to swap a restored one in under the old \
                      name; it reboots.",
            kind: ActionKind::Mutation,
            inputs: vec![
                Field::required("instance", Type::String, "identifier of the instance"),
                Field::required("to", Type::String, "its new identifier"),
            ],
            outputs: vec![
                Field::required("instance", Type::String, "its new identifier"),
                Field::required("endpoint", Type::String, "host name it listens on from then on"),
                Field::required("was", Type::String, "its identifier before"),
                Field::required("resource_id", Type::String, "its DbiResourceId, which stays"),
            ],
            calls: &["rds:DescribeDBInstances", OPERATION],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "rds.rename_instance",
                inputs: |_, outputs| {
                    let of = |name: &str| outputs.get(name).cloned().unwrap_or(Value::Null);
                    Values::from([
                        ("instance".to_owned(), of("instance")),
                        ("to".to_owned(), of("was")),
                    ])
                },
            },
            role: Role::None,
            by_hand: "aws rds modify-db-instance --region {region} \
                      --db-instance-identifier {instance} \
                      --new-db-instance-identifier {to} --apply-immediately\n\
                      # Wait until the old name is not found and the new one is available:\n\
                      aws rds wait db-instance-available --region {region} \
                      --db-instance-identifier {to}",
            default_timeout: Duration::from_secs(3600),
            poll_every: Duration::from_secs(10),
        };
        Self { spec }
    }
}

/// The two names, lower case, as RDS keeps them.
fn names(scope: &StepScope<'_>) -> Result<(String, String), ActionError> {
    let name = |input: &str| scope.text(input).unwrap_or_default().to_ascii_lowercase();
    let (from, to) = (name("instance"), name("to"));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let good = to.len() <= 63
        && to.starts_with(|c: char| c.is_ascii_lowercase())
        && to.bytes().all(plain)
        && !to.ends_with('-')
        && !to.contains("--");
    let bad = |why: &str| Err(ActionError::Input { name: "to".to_owned(), why: why.to_owned() });
    match () {
        () if !good => bad("RDS takes 1 to 63 letters, digits and single hyphens, a letter first"),
        () if from == to => bad("it is the name that it has already"),
        () => Ok((from, to)),
    }
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

fn broken(why: String, help: &str) -> Observation {
    Observation::Broken { why, help: help.to_owned() }
}

/// What an instance says that has the old name.
fn under_the_old_name(
    scope: &StepScope<'_>,
    old: &DbInstance,
    taken: Option<&DbInstance>,
) -> Observation {
    let status = &old.status;
    if old.is_broken() || matches!(status.as_str(), "stopped" | "deleting") {
        let why = format!("`{}` is `{status}` and cannot be renamed", old.id);
        return broken(why, "mend or start it first; read its events (DescribeEvents)");
    }
    let accepted = |intent: PastIntent| {
        intent.accepted && intent.retried.is_none_or(|retried| retried < intent.at)
    };
    if scope.intent.is_some_and(accepted) {
        return waiting(format!("accepted, `{status}` under the old name"));
    }
    if let Some(taken) = taken {
        // A step before may just have freed the name, and RDS's reads are behind.
        let since = scope.began.map_or(Duration::ZERO, |began| between(began, scope.now));
        let words = format!("the name `{}` is taken by {}", taken.id, taken.resource_id);
        if since < FREED_AFTER {
            return waiting(format!("{words}, waiting until it is free"));
        }
        return broken(words, "rename or delete what has it, then `retry`");
    }
    if !matches!(status.as_str(), "available" | "storage-optimization") {
        return waiting(format!("`{}` is `{status}`, waiting until it is available", old.id));
    }
    Observation::Absent
}

impl RenameInstance {
    /// What an instance says that has the new name while nobody has the old one.
    fn under_the_new_name(
        &self,
        context: &ReadContext<'_>,
        (from, new): (&str, &DbInstance),
    ) -> Observation {
        let scope = &context.scope;
        let planned = scope.planned.and_then(|planned| planned.get("resource_id"));
        let ours = match planned.and_then(Value::as_str) {
            Some(wanted) => wanted == new.resource_id,
            None => scope.intent.is_some(),
        };
        if !ours {
            let why = format!(
                "there is no `{from}` any more, and `{}` is another instance ({})",
                new.id, new.resource_id
            );
            return broken(why, "look at both names (DescribeDBInstances) and at who changed them");
        }
        let Some(endpoint) = new.endpoint.as_ref().filter(|_| new.is_usable()) else {
            context.memory.broke();
            return waiting(format!("renamed, `{}`", new.status));
        };
        if context.memory.went_well() < LOOKS {
            return waiting(format!("renamed, `{}`, looking again", new.status));
        }
        let verdict = match scope.intent {
            Some(_) => Verdict::Pass,
            None => Verdict::Warn(vec![format!("somebody else renamed `{from}` to `{}`", new.id)]),
        };
        let source = "DescribeDBInstances, several looks";
        let seen = |name: &str, value: &str| {
            (format!("renamed.{name}"), value.to_owned(), source.to_owned())
        };
        Observation::Done(Done {
            outputs: outputs(from, new, endpoint),
            verdict,
            milestone: Some("available"),
            observed: predictions(from, &new.id),
            evidence: vec![
                seen("instance", &new.id),
                seen("resource_id", &new.resource_id),
                seen("endpoint", &endpoint.host),
                seen("old_name", "DBInstanceNotFound"),
            ],
        })
    }
}

fn outputs(from: &str, renamed: &DbInstance, endpoint: &Endpoint) -> Values {
    Values::from([
        ("instance".to_owned(), Value::text(&renamed.id)),
        ("endpoint".to_owned(), Value::text(&endpoint.host)),
        ("was".to_owned(), Value::text(from)),
        ("resource_id".to_owned(), Value::text(&renamed.resource_id)),
    ])
}

fn predictions(from: &str, to: &str) -> BTreeMap<String, serde_json::Value> {
    BTreeMap::from([("renamed".to_owned(), json!(to)), ("old_name_gone".to_owned(), json!(from))])
}

/// The instance as it will be: its host name begins with its identifier.
fn renamed(old: &DbInstance, to: &str) -> DbInstance {
    let host = |host: &str| match host.split_once('.') {
        Some((_, rest)) => format!("{to}.{rest}"),
        None => to.to_owned(),
    };
    let endpoint = old.endpoint.as_ref();
    let endpoint = endpoint.map(|old| Endpoint { host: host(&old.host), port: old.port });
    let arn = match old.arn.rsplit_once(':') {
        Some((start, _)) => format!("{start}:{to}"),
        None => String::new(),
    };
    DbInstance { id: to.to_owned(), arn, endpoint, ..old.clone() }
}

#[async_trait]
impl Action for RenameInstance {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(60), Duration::from_secs(600));
        Some((low, high, "AWS: minutes with a reboot; the new host name after about 10"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        if let Some(why) = scope.unknown() {
            let summary = "rename a database instance".to_owned();
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let (from, to) = names(scope)?;
        let summary = format!("rename `{from}` in {} to `{to}`", scope.region);
        let refused = |wont: String| Preview {
            summary: summary.clone(),
            outputs: self.spec.unknown_outputs(&wont),
            wont: Some(wont),
            ..Preview::default()
        };
        let Some(old) = context.view.db_instance(scope.region, &from).await? else {
            return Ok(refused(format!(
                "there is no database instance `{from}` in {}",
                scope.region
            )));
        };
        if let Some(taken) = context.view.db_instance(scope.region, &to).await? {
            return Ok(refused(format!("the name `{to}` is taken by {}", taken.resource_id)));
        }
        if let Observation::Broken { why, help } = under_the_old_name(scope, &old, None) {
            return Ok(refused(format!("{why}; {help}")));
        }
        let new = renamed(&old, &to);
        let later = format!("`{to}` does not exist yet");
        let mut outputs = self.spec.unknown_outputs(&later);
        outputs.insert("instance".to_owned(), Value::text(&to));
        outputs.insert("was".to_owned(), Value::text(&from));
        if let Some(endpoint) = &new.endpoint {
            outputs.insert("endpoint".to_owned(), Value::text(&endpoint.host));
        }
        if !new.resource_id.is_empty() {
            outputs.insert("resource_id".to_owned(), Value::text(&new.resource_id));
        }
        let region = scope.region.to_owned();
        Ok(Preview {
            summary,
            details: vec![LATE_NAME.to_owned()],
            warnings: vec![format!("`{from}` reboots: connections to it break")],
            predictions: predictions(&from, &to),
            outputs,
            effects: vec![
                PredictedEffect::Deleted { region: region.clone(), id: from },
                PredictedEffect::Created(Box::new(new), region),
            ],
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let (from, to) = names(scope)?;
        let old = context.view.db_instance(scope.region, &from).await?;
        let new = context.view.db_instance(scope.region, &to).await?;
        Ok(match (old, new) {
            (Some(old), new) => {
                context.memory.broke();
                under_the_old_name(scope, &old, new.as_ref())
            }
            (None, Some(new)) => self.under_the_new_name(context, (&from, &new)),
            (None, None) if scope.intent.is_some() => {
                context.memory.broke();
                waiting("neither name is shown".to_owned())
            }
            (None, None) => {
                let why = format!("there is no database instance `{from}` in {}", scope.region);
                broken(why, "check the estate file and the region")
            }
        })
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let (from, to) = names(scope)?;
        let accepted = context.writer.rename_instance(scope.region, (&from, &to)).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
