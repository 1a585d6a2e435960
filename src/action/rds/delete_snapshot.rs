//! `rds.delete_snapshot`: removes a snapshot that this run took, and no other.
//!
//! **Invariant:** nothing is deleted without a permit, and a permit needs identifier, ARN, instant and our
//! run's tag, freshly read; automated snapshots never get one.

use super::removal::{ended, not_deleted, not_permitted, snapshot_id};
use super::restored::foreign;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::PredictedEffect;
use crate::cloud::model::DbSnapshot;
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "rds:DeleteDBSnapshot";

/// The action.
#[derive(Debug)]
pub(crate) struct DeleteSnapshot {
    spec: ActionSpec,
}

impl Default for DeleteSnapshot {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.delete_snapshot",
            summary: "Deletes a manual snapshot that this run took.",
            kind: ActionKind::Mutation,
            inputs: vec![Field::required(
                "snapshot",
                Type::String,
                "identifier or ARN of the snapshot",
            )],
            outputs: vec![
                Field::required("snapshot", Type::String, "identifier of the snapshot"),
                Field::required("deleted", Type::Bool, "whether this step deleted it"),
            ],
            calls: &["rds:DescribeDBSnapshots", OPERATION],
            effects: &[],
            reversibility: Reversibility::Irreversible,
            role: Role::None,
            by_hand: "# Delete only what this exercise took: look at its tags first.\n\
                      aws rds describe-db-snapshots --region {region} \
                      --db-snapshot-identifier {snapshot}\n\
                      aws rds delete-db-snapshot --region {region} \
                      --db-snapshot-identifier {snapshot}",
            default_timeout: Duration::from_secs(1800),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

fn outputs(name: &str, deleted: bool) -> Values {
    Values::from([
        ("snapshot".to_owned(), Value::text(name)),
        ("deleted".to_owned(), Value::Bool(deleted)),
    ])
}

/// Why a snapshot is not this run's to delete.
fn kept(scope: &StepScope<'_>, found: &DbSnapshot) -> Option<(String, String)> {
    if found.kind == "manual" {
        return foreign(scope, &found.id, &found.tags);
    }
    let why = format!("`{}` is `{}`, not a snapshot that drctl took", found.id, found.kind);
    Some((why, "leave it to its retention".to_owned()))
}

#[async_trait]
impl Action for DeleteSnapshot {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((
            Duration::from_secs(1),
            Duration::from_secs(300),
            "users of the API: seconds to minutes",
        ))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let given = scope.text("snapshot").unwrap_or_default();
        let summary = format!("delete snapshot `{given}` in {}", scope.region);
        let name = match snapshot_id(scope, given) {
            Ok(name) => name,
            Err((why, help)) => {
                let wont = Some(format!("{why}; {help}"));
                return Ok(Preview {
                    summary,
                    wont,
                    outputs: outputs(given, false),
                    ..Preview::default()
                });
            }
        };
        let Some(found) = context.view.db_snapshot(scope.region, name).await? else {
            let wont = Some(format!("there is no snapshot `{name}`"));
            return Ok(Preview {
                summary,
                wont,
                outputs: outputs(name, false),
                ..Preview::default()
            });
        };
        Ok(Preview {
            summary,
            wont: kept(scope, &found).map(|(why, _)| why),
            details: vec![
                "needs a permit: identifier, ARN, instant and our run's tag, read right before"
                    .to_owned(),
            ],
            predictions: BTreeMap::from([("gone".to_owned(), json!(name))]),
            outputs: outputs(name, true),
            effects: vec![PredictedEffect::SnapshotDeleted {
                region: scope.region.to_owned(),
                id: name.to_owned(),
            }],
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let name = match snapshot_id(scope, scope.text("snapshot").unwrap_or_default()) {
            Ok(name) => name,
            Err((why, help)) => return Ok(Observation::Broken { why, help }),
        };
        let Some(found) = context.view.db_snapshot(scope.region, name).await? else {
            let (deleted, verdict) = ended(scope, name);
            return Ok(Observation::Done(Done {
                outputs: outputs(name, deleted),
                verdict,
                milestone: None,
                observed: BTreeMap::from([("gone".to_owned(), json!(name))]),
                evidence: vec![(
                    "deleted.absent".to_owned(),
                    name.to_owned(),
                    "DescribeDBSnapshots: DBSnapshotNotFound".to_owned(),
                )],
            }));
        };
        if let Some((why, help)) = kept(scope, &found) {
            return Ok(Observation::Broken { why, help });
        }
        // RDS deletes no snapshot that is still being made.
        if found.is_available() || found.is_broken() {
            return Ok(Observation::Absent);
        }
        Ok(Observation::InProgress { state: found.status, milestone: None })
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let name = snapshot_id(scope, scope.text("snapshot").unwrap_or_default())
            .map_err(|(why, help)| ActionError::refused(why, help))?;
        let permit = match context.read.view.snapshot_permit(scope.region, name, scope.run).await {
            Ok(permit) => permit,
            Err(error) => return Err(not_permitted(OPERATION, error)),
        };
        match context.writer.delete_snapshot(&permit).await {
            Ok(accepted) => Ok(Acted { request_id: accepted.request_id, ..Acted::default() }),
            Err(error) => Err(not_deleted(error, "DBSnapshotNotFound")),
        }
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("snapshot").unwrap_or_default().to_owned())
    }
}
