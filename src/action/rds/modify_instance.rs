//! `rds.modify_instance`: changes settings of an instance, and knows what they were.
//!
//! **Invariant:** it is done when the instance has the settings in several looks, never because it is
//! `available`; what comes back on undo is what the plan read.

use super::settings_change::{self, Settings};
use crate::action::context::{PastIntent, ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use crate::cloud::model::DbInstance;
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:ModifyDBInstance";

/// Looks in a row that have to find the settings.
const LOOKS: u32 = 3;

/// The action.
#[derive(Debug)]
pub(crate) struct ModifyInstance {
    spec: ActionSpec,
}

impl Default for ModifyInstance {
    fn default() -> Self {
        let mut inputs =
            vec![Field::required("instance", Type::String, "identifier of the instance")];
        inputs.extend(settings_change::inputs());
        inputs.push(Field::optional(
            "apply_immediately",
            Type::Bool,
            "at once (the default), and not in the maintenance window",
        ));
        let spec = ActionSpec {
            name: "rds.modify_instance",
            summary: "Changes class, standby, backups, deletion protection or groups of an instance.",
            kind: ActionKind::Mutation,
            inputs,
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the instance"),
                Field::required(
                    "changed",
                    settings_change::settings_type(),
                    "settings that were changed, as they were before",
                ),
                Field::optional("applied_at", Type::Time, "when they were seen; null when later"),
            ],
            calls: &["rds:DescribeDBInstances", OPERATION],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "rds.modify_instance",
                inputs: settings_change::undo_inputs,
            },
            role: Role::None,
            by_hand: "aws rds modify-db-instance --region {region} \
                      --db-instance-identifier {instance}[ --db-instance-class {class}]\
                      [ --backup-retention-period {backup_retention_days}]\
                      [ --vpc-security-group-ids {security_groups}]\
                      [ --db-parameter-group-name {parameter_group}] --apply-immediately\n\
                      # Wait for the settings themselves; it reads available before they change.",
            default_timeout: Duration::from_secs(2 * 3600),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

fn broken(why: String, help: &str) -> Observation {
    Observation::Broken { why, help: help.to_owned() }
}

fn no_instance(scope: &StepScope<'_>) -> String {
    let name = scope.text("instance").unwrap_or_default();
    format!("there is no database instance `{name}` in {}", scope.region)
}

/// What the settings were before: as the plan read them.
fn before(scope: &StepScope<'_>, wanted: &Settings) -> Settings {
    let planned = scope.planned.and_then(|planned| planned.get("changed"));
    planned.map(Settings::of_value).unwrap_or_default().only(wanted)
}

fn done(scope: &StepScope<'_>, found: &DbInstance, changed: &Settings, verdict: Verdict) -> Done {
    let later = matches!(scope.boolean("apply_immediately"), Some(false));
    let applied = if later { Value::Null } else { Value::Time(scope.now) };
    let wanted = Settings::wanted(scope).unwrap_or_default();
    Done {
        outputs: Values::from([
            ("instance".to_owned(), Value::text(&found.id)),
            ("changed".to_owned(), changed.value()),
            ("applied_at".to_owned(), applied),
        ]),
        verdict,
        milestone: None,
        observed: BTreeMap::from([("modified".to_owned(), json!(found.id))]),
        evidence: vec![
            (
                "modified.settings".to_owned(),
                wanted.words(),
                "DescribeDBInstances, several looks".to_owned(),
            ),
            ("modified.at".to_owned(), format_instant(scope.now), "DescribeDBInstances".to_owned()),
        ],
    }
}

/// What can be said of an instance that does not have the settings yet.
fn not_yet(scope: &StepScope<'_>, found: &DbInstance, missing: &Settings) -> Observation {
    let status = &found.status;
    if found.is_broken() || matches!(status.as_str(), "stopped" | "deleting") {
        let why = format!("`{}` is `{status}` and cannot be modified", found.id);
        return broken(why, "mend or start it first; read its events (DescribeEvents)");
    }
    let accepted = |intent: &PastIntent| {
        intent.accepted && intent.retried.is_none_or(|retried| retried < intent.at)
    };
    if scope.intent.as_ref().is_some_and(accepted) {
        return waiting(format!("accepted, `{status}`, not changed yet: {}", missing.names()));
    }
    if !matches!(status.as_str(), "available" | "storage-optimization") {
        return waiting(format!("`{}` is `{status}`, waiting until it is available", found.id));
    }
    Observation::Absent
}

#[async_trait]
impl Action for ModifyInstance {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(30), Duration::from_secs(1800));
        Some((low, high, "users: seconds for protection and groups, 5-30 min for a class"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or("an instance");
        let summary = format!("modify `{name}` in {}", scope.region);
        if let Some(why) = scope.unknown() {
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let wanted = Settings::wanted(scope)?;
        let Some(found) = context.view.db_instance(scope.region, name).await? else {
            let why = no_instance(scope);
            let outputs = self.spec.unknown_outputs(&why);
            return Ok(Preview { summary, wont: Some(why), outputs, ..Preview::default() });
        };
        let now = Settings::of_instance(&found);
        let missing = wanted.without(&now);
        let was = now.only(&missing);
        let wont = match not_yet(scope, &found, &missing) {
            Observation::Broken { why, help } if !missing.is_empty() => {
                Some(format!("{why}; {help}"))
            }
            _ => None,
        };
        let mut outputs = self.spec.unknown_outputs("it is not modified yet");
        outputs.insert("instance".to_owned(), Value::text(&found.id));
        outputs.insert("changed".to_owned(), was.value());
        let details = missing.differences(&was);
        let mut warnings = Vec::new();
        if missing.class.is_some() || missing.multi_az == Some(true) {
            warnings.push(
                "a change of class breaks connections; with a standby it fails over".to_owned(),
            );
        }
        if missing.parameter_group.is_some() {
            warnings.push("another parameter group takes effect after a reboot".to_owned());
        }
        Ok(Preview {
            summary,
            wont,
            details: if details.is_empty() { vec!["it is so already".to_owned()] } else { details },
            warnings,
            predictions: BTreeMap::from([("modified".to_owned(), json!(found.id))]),
            outputs,
            effects: vec![PredictedEffect::Created(
                Box::new(missing.applied_to(&found)),
                scope.region.to_owned(),
            )],
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let wanted = Settings::wanted(scope)?;
        let Some(found) = context.view.db_instance(scope.region, name).await? else {
            return Ok(broken(no_instance(scope), "check the estate file and the region"));
        };
        let missing = wanted.without(&Settings::of_instance(&found));
        let asked = scope.intent.is_some();
        let changed = if asked { before(scope, &wanted) } else { Settings::default() };
        if missing.is_empty() {
            if !found.is_usable() {
                context.memory.broke();
                return Ok(waiting(format!("changed, `{}`", found.status)));
            }
            if asked && context.memory.went_well() < LOOKS {
                return Ok(waiting(format!("changed, `{}`, looking again", found.status)));
            }
            let pending =
                found.parameter_groups.iter().any(|(_, status)| status == "pending-reboot");
            let verdict = if pending && wanted.parameter_group.is_some() {
                let words =
                    format!("`{}` has to reboot before its parameter group counts", found.id);
                Verdict::Warn(vec![words])
            } else {
                Verdict::Pass
            };
            return Ok(Observation::Done(done(scope, &found, &changed, verdict)));
        }
        context.memory.broke();
        let later = scope.boolean("apply_immediately") == Some(false);
        if later && scope.intent.is_some_and(|intent| intent.accepted) {
            let words =
                format!("{} of `{}` changes in its maintenance window", missing.names(), found.id);
            let verdict = Verdict::Warn(vec![words]);
            return Ok(Observation::Done(done(scope, &found, &changed, verdict)));
        }
        Ok(not_yet(scope, &found, &missing))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let name = scope.text("instance").unwrap_or_default();
        let found = context.read.view.db_instance(scope.region, name).await?.unwrap_or_default();
        let missing = Settings::wanted(scope)?.without(&Settings::of_instance(&found));
        let immediately = scope.boolean("apply_immediately").unwrap_or(true);
        let changes = missing.changes(name, immediately);
        let accepted = context.writer.modify_instance(scope.region, &changes).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
