//! `rds.delete_instance`: removes an instance that this run created, and no other.
//!
//! **Invariant:** nothing is deleted without a permit, and a permit needs identifier, resource id and our
//! run's tag, freshly read.

use super::removal::{ended, not_deleted, not_permitted};
use super::restored::foreign;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:DeleteDBInstance";

/// The action.
#[derive(Debug)]
pub(crate) struct DeleteInstance {
    spec: ActionSpec,
}

impl Default for DeleteInstance {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.delete_instance",
            summary: "Deletes a database instance that this run created, with its automated \
                      backups and without a final snapshot.",
            kind: ActionKind::Mutation,
            inputs: vec![Field::required("instance", Type::String, "identifier of the instance")],
            outputs: vec![
                Field::required("instance", Type::String, "identifier of the instance"),
                Field::required("deleted", Type::Bool, "whether this step deleted it"),
            ],
            calls: &["rds:DescribeDBInstances", "rds:ModifyDBInstance", OPERATION],
            effects: &[],
            reversibility: Reversibility::Irreversible,
            role: Role::None,
            by_hand: "# Delete only what this exercise created: look at its tags first.\n\
                      aws rds list-tags-for-resource --region {region} --resource-name ARN\n\
                      aws rds delete-db-instance --region {region} \
                      --db-instance-identifier {instance} --skip-final-snapshot \
                      --delete-automated-backups",
            default_timeout: Duration::from_secs(3600),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn outputs(name: &str, deleted: bool) -> Values {
    Values::from([
        ("instance".to_owned(), Value::text(name)),
        ("deleted".to_owned(), Value::Bool(deleted)),
    ])
}

#[async_trait]
impl Action for DeleteInstance {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(120), Duration::from_secs(900));
        Some((low, high, "users of the API: 2-15 min"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let summary = format!("delete `{name}` in {}, without a final snapshot", scope.region);
        let Some(found) = context.view.db_instance(scope.region, name).await? else {
            let wont = Some(format!("there is no `{name}`"));
            return Ok(Preview {
                summary,
                wont,
                outputs: outputs(name, false),
                ..Preview::default()
            });
        };
        let wont = foreign(scope, &found.id, &found.tags).map(|(why, _)| why);
        Ok(Preview {
            summary,
            wont,
            details: vec![
                "needs a permit: identifier, resource id and our run's tag, read right before"
                    .to_owned(),
            ],
            predictions: BTreeMap::from([("gone".to_owned(), json!(name))]),
            outputs: outputs(name, true),
            effects: vec![PredictedEffect::Deleted {
                region: scope.region.to_owned(),
                id: name.to_owned(),
            }],
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let name = scope.text("instance").unwrap_or_default();
        let Some(found) = context.view.db_instance(scope.region, name).await? else {
            let (deleted, verdict) = ended(scope, name);
            return Ok(Observation::Done(Done {
                outputs: outputs(name, deleted),
                verdict,
                milestone: None,
                observed: BTreeMap::from([("gone".to_owned(), json!(name))]),
                evidence: vec![(
                    "deleted.absent".to_owned(),
                    name.to_owned(),
                    "DescribeDBInstances: DBInstanceNotFound".to_owned(),
                )],
            }));
        };
        if let Some((why, help)) = foreign(scope, &found.id, &found.tags) {
            return Ok(Observation::Broken { why, help });
        }
        match found.status.as_str() {
            "deleting" | "delete-precheck" => {
                Ok(Observation::InProgress { state: found.status, milestone: None })
            }
            _ => Ok(Observation::Absent),
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let name = scope.text("instance").unwrap_or_default();
        let permit = match context.read.view.delete_permit(scope.region, name, scope.run).await {
            Ok(permit) => permit,
            Err(error) => return Err(not_permitted(OPERATION, error)),
        };
        match context.writer.delete_db_instance(&permit).await {
            Ok(accepted) => Ok(Acted { request_id: accepted.request_id, ..Acted::default() }),
            Err(error) => Err(not_deleted(error, "DBInstanceNotFound")),
        }
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
