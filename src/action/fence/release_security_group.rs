//! `fence.release_security_group`: lets in again who was let in before a fence.
//!
//! **Invariant:** only the rules that are named come back; what is there already is not added again.

use super::ingress::{Ground, given, ground, no_group, rules_type, value, without, words};
use super::security_group::again;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{IngressRule, SecurityGroup};
use crate::cloud::{CloudError, ErrorClass, PredictedEffect};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "ec2:AuthorizeSecurityGroupIngress";

/// The action.
#[derive(Debug)]
pub(crate) struct ReleaseSecurityGroup {
    spec: ActionSpec,
}

impl Default for ReleaseSecurityGroup {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "fence.release_security_group",
            summary: "Puts the rules back that a fence took away from a security group, and no others.",
            kind: ActionKind::Mutation,
            inputs: vec![
                Field::required("group", Type::String, "id of the security group"),
                Field::required("rules", rules_type(), "rules to put back: `removed` of the fence"),
            ],
            outputs: vec![
                Field::required("group", Type::String, "id of the security group"),
                Field::required("released_at", Type::Time, "when all of them were seen"),
                Field::required("restored", rules_type(), "rules that this step put back"),
            ],
            calls: &["ec2:DescribeSecurityGroups", OPERATION],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "fence.security_group",
                inputs: |inputs, outputs| {
                    let of = |values: &Values, name: &str| {
                        values.get(name).cloned().unwrap_or(Value::Null)
                    };
                    Values::from([
                        ("group".to_owned(), of(inputs, "group")),
                        ("rules".to_owned(), of(outputs, "restored")),
                    ])
                },
            },
            role: Role::None,
            by_hand: "# ingress.json is what the fence kept.\n\
                      aws ec2 authorize-security-group-ingress --region {region} --group-id {group} \
                      --ip-permissions file://ingress.json",
            default_timeout: Duration::from_secs(600),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

fn rules(scope: &StepScope<'_>) -> Result<Vec<IngressRule>, ActionError> {
    Ok(given(scope)?.unwrap_or_default())
}

fn predictions(id: &str) -> BTreeMap<String, serde_json::Value> {
    BTreeMap::from([("released".to_owned(), json!(id))])
}

#[async_trait]
impl Action for ReleaseSecurityGroup {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::from_secs(2), Duration::from_secs(60), "a call and a look"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let id = scope.text("group").unwrap_or("a security group");
        let summary = format!("let in again who was let in to `{id}` in {}", scope.region);
        let Ground { group, facts } = match ground(context, &self.spec, &summary).await? {
            Ok(ground) => ground,
            Err(preview) => return Ok(preview),
        };
        let missing = without(&rules(scope)?, &group.ingress);
        let mut details: Vec<String> =
            missing.iter().map(|rule| format!("put back: {rule}")).collect();
        if missing.is_empty() {
            details.push("all of them are there already".to_owned());
        }
        let mut outputs = self.spec.unknown_outputs("it is not released yet");
        outputs.insert("group".to_owned(), Value::text(id));
        outputs.insert("restored".to_owned(), value(&missing));
        let mut ingress = group.ingress.clone();
        ingress.extend(missing);
        ingress.sort();
        let open = SecurityGroup { ingress, ..group };
        Ok(Preview {
            summary,
            details,
            predictions: predictions(id),
            outputs,
            effects: vec![PredictedEffect::SecurityGroup(Box::new(open), scope.region.to_owned())],
            facts,
            cited_duration: self.cited_duration(),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let id = scope.text("group").unwrap_or_default();
        let Some(group) = context.view.security_group(scope.region, id).await? else {
            let (why, help) = no_group(scope);
            return Ok(Observation::Broken { why, help });
        };
        let rules = rules(scope)?;
        let missing = without(&rules, &group.ingress);
        if missing.is_empty() {
            let restored = if scope.intent.is_some() { rules } else { Vec::new() };
            let source = "DescribeSecurityGroups";
            return Ok(Observation::Done(Done {
                outputs: Values::from([
                    ("group".to_owned(), Value::text(id)),
                    ("released_at".to_owned(), Value::Time(scope.now)),
                    ("restored".to_owned(), value(&restored)),
                ]),
                verdict: Verdict::Pass,
                milestone: None,
                observed: predictions(id),
                evidence: vec![("fence.restored".to_owned(), words(&restored), source.to_owned())],
            }));
        }
        let accepted = scope.intent.is_some_and(|intent| {
            intent.accepted && intent.retried.is_none_or(|retried| retried < intent.at)
        });
        Ok(if accepted {
            let state = format!("accepted, and it does not show {} yet", words(&missing));
            Observation::InProgress { state, milestone: None }
        } else {
            Observation::Absent
        })
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let id = scope.text("group").unwrap_or_default();
        let group = context.read.view.security_group(scope.region, id).await?.unwrap_or_default();
        let missing = without(&rules(scope)?, &group.ingress);
        if missing.is_empty() {
            return Err(again(OPERATION, scope, "the rules were missing and are there now").into());
        }
        match context.writer.authorize_ingress(scope.region, id, &missing).await {
            Ok(accepted) => Ok(Acted { request_id: accepted.request_id, ..Acted::default() }),
            Err(error) if error.is("InvalidPermission.Duplicate") => {
                Err(CloudError { class: ErrorClass::Temporary, ..error }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("group").unwrap_or_default().to_owned())
    }
}
