//! `s3.remove_canary`: removes what canaries of this run left in two buckets.
//!
//! **Invariant:** only versions whose key and metadata name this run, each by its version id.

use super::canary::{Ground, undecided};
use super::check_replication::bucket;
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{CANARIES, canaries_of};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const DELETE: &str = "s3:DeleteObject";

/// The action.
#[derive(Debug)]
pub(crate) struct RemoveCanary {
    spec: ActionSpec,
}

impl Default for RemoveCanary {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "s3.remove_canary",
            summary: "Removes what canaries of this run left in two buckets.",
            kind: ActionKind::Mutation,
            role: Role::None,
            inputs: vec![
                Field::required("source", Type::String, "the bucket that canaries were put into"),
                Field::required("destination", Type::String, "the bucket that copies came to"),
                Field::optional("keys", Type::String, "what their keys begin with"),
            ],
            outputs: vec![Field::required(
                "left",
                Type::Int,
                "versions and delete markers that are left",
            )],
            calls: &["s3:HeadBucket", "s3:ListObjectVersions", "s3:HeadObject", DELETE],
            effects: &[],
            reversibility: Reversibility::Irreversible,
            by_hand: "# Only what is named like this run, each version by its id.\n\
                      aws s3api list-object-versions --bucket {source} --prefix drctl-canary/\n\
                      aws s3api list-object-versions --bucket {destination} --prefix drctl-canary/",
            default_timeout: Duration::from_secs(15 * 60),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

/// Both buckets; `None` when one of them is not there, and so has nothing left in it.
async fn ground(context: &ReadContext<'_>) -> Result<Option<Ground>, ActionError> {
    let scope = &context.scope;
    let source = bucket(scope, "source")?.unwrap_or_default();
    let destination = bucket(scope, "destination")?.unwrap_or_default();
    let own = canaries_of("", scope.run);
    let keys = scope.text("keys").unwrap_or(&own).to_owned();
    if !keys.contains(&own) {
        let why = format!("`{keys}` names no canaries of this run ({CANARIES}{})", scope.run);
        return Err(ActionError::Input { name: "keys".to_owned(), why });
    }
    let (Some(here), Some(there)) = (
        context.view.bucket_region(&source).await?,
        context.view.bucket_region(&destination).await?,
    ) else {
        return Ok(None);
    };
    let (source, destination) = ((source, here), (destination, there));
    Ok(Some(Ground { source, destination, keys, tags: BTreeMap::new() }))
}

fn outputs(left: usize) -> Values {
    Values::from([("left".to_owned(), Value::Int(i64::try_from(left).unwrap_or(i64::MAX)))])
}

#[async_trait]
impl Action for RemoveCanary {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let summary = format!(
            "remove canaries of this run from `{}` and `{}`",
            scope.text("source").unwrap_or_default(),
            scope.text("destination").unwrap_or_default()
        );
        if let Some(why) = scope.unknown() {
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        Ok(Preview {
            summary,
            details: vec![
                "needs a permit: key and metadata of each version name this run".to_owned(),
            ],
            predictions: BTreeMap::from([("left".to_owned(), json!(0))]),
            outputs: outputs(0),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let left = match ground(context).await? {
            Some(ground) => ground.left(context.view).await?,
            None => Vec::new(),
        };
        if !left.is_empty() {
            let state = format!("{} to remove", left.len());
            let progress = json!({ "left": left.len() });
            return Ok(Observation::Partly { state, progress });
        }
        Ok(Observation::Done(Done {
            outputs: outputs(0),
            observed: BTreeMap::from([("left".to_owned(), json!(0))]),
            evidence: vec![(
                "canary.left".to_owned(),
                "0".to_owned(),
                "s3:ListObjectVersions of both buckets".to_owned(),
            )],
            ..Done::default()
        }))
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let Some(ground) = ground(&context.read).await? else { return Err(undecided()) };
        let left = ground.left(context.read.view).await?;
        let request_id = ground.remove(context, &left).await?;
        Ok(Acted { request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        let source = scope.text("source").unwrap_or_default();
        (DELETE.to_owned(), format!("{source}/{}", canaries_of("", scope.run)))
    }
}
