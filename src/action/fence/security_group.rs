//! `fence.security_group`: takes away who may come in to the old writer.
//!
//! **Invariant:** what is taken away is what the plan found, so that a run that dies in between still
//! knows what has to come back; a rule that came since stops the step.

use super::ingress::{
    Ground, both, given, ground, no_group, planned, rules_type, value, without, words,
};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration, Figure};
use crate::base::clock::format_instant;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{IngressRule, SecurityGroup};
use crate::cloud::{CloudError, ErrorClass, PredictedEffect};
use async_trait::async_trait;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "ec2:RevokeSecurityGroupIngress";

/// Looks in a row that have to find it empty: EC2's reads may be behind.
const LOOKS: u32 = 3;

/// What emptying a group does not do. AWS: "connections that are tracked are not immediately interrupted".
const TRACKED: &str = "connections that were open before stay open until they end or idle out: reboot the \
                       instance if it must not take their writes";

/// The action.
#[derive(Debug)]
pub(crate) struct FenceSecurityGroup {
    spec: ActionSpec,
}

impl Default for FenceSecurityGroup {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "fence.security_group",
            summary: "Takes the ingress of a security group away, so that nobody new reaches the old \
                      writer; exactly that can come back.",
            kind: ActionKind::Mutation,
            inputs: vec![
                Field::required("group", Type::String, "id of the security group"),
                Field::optional("port", Type::Int, "only rules that reach this TCP port"),
                Field::optional("rules", rules_type(), "only these rules"),
            ],
            outputs: vec![
                Field::required("proof", Type::String, "what was seen, in words"),
                Field::required("fenced_at", Type::Time, "when it was seen"),
                Field::required("removed", rules_type(), "rules that were taken away"),
            ],
            calls: &["ec2:DescribeSecurityGroups", OPERATION],
            effects: &[],
            reversibility: Reversibility::UndoneBy {
                action: "fence.release_security_group",
                inputs: |inputs, outputs| {
                    let of = |values: &Values, name: &str| {
                        values.get(name).cloned().unwrap_or(Value::Null)
                    };
                    Values::from([
                        ("group".to_owned(), of(inputs, "group")),
                        ("rules".to_owned(), of(outputs, "removed")),
                    ])
                },
            },
            role: Role::Fence,
            by_hand: "# Keep the answer: it is what has to come back.\n\
                      aws ec2 describe-security-groups --region {region} --group-ids {group} \
                      --query SecurityGroups[0].IpPermissions > ingress.json\n\
                      aws ec2 revoke-security-group-ingress --region {region} --group-id {group} \
                      --ip-permissions file://ingress.json\n\
                      # Open connections stay open: reboot the instance to break them.",
            // In a disaster calls are slow, and a fence that gives up leaves the old writer open.
            default_timeout: Duration::from_secs(1800),
            poll_every: Duration::from_secs(5),
        };
        Self { spec }
    }
}

/// The rules of `group` that this step is about.
fn matching(scope: &StepScope<'_>, group: &SecurityGroup) -> Result<Vec<IngressRule>, ActionError> {
    if let Some(rules) = given(scope)? {
        return Ok(both(&group.ingress, &rules));
    }
    let port = match scope.int("port") {
        None => None,
        Some(_) => u16::try_from(scope.int_within("port", 1..=65_535, 0)?).ok(),
    };
    let reaches = |rule: &&IngressRule| port.is_none_or(|port| rule.reaches(port));
    Ok(group.ingress.iter().filter(reaches).cloned().collect())
}

/// The rules to take away: those that the step names, else those that the plan found.
fn goal(scope: &StepScope<'_>) -> Result<Option<Vec<IngressRule>>, ActionError> {
    Ok(given(scope)?.or_else(|| planned(scope, "removed")))
}

fn broken(why: String, help: &str) -> Observation {
    Observation::Broken { why, help: help.to_owned() }
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

/// What can be said before the step has asked.
fn before(
    scope: &StepScope<'_>,
    id: &str,
    now: &[IngressRule],
) -> Result<Observation, ActionError> {
    let goal = goal(scope)?;
    if now.is_empty() {
        let missing = goal.as_deref().is_some_and(|goal| !goal.is_empty());
        let verdict = if missing && given(scope)?.is_none() {
            let what = words(goal.as_deref().unwrap_or_default());
            Verdict::Warn(vec![format!(
                "somebody else emptied `{id}` since the plan, which found {what}: nothing comes back \
                 by itself"
            )])
        } else {
            Verdict::Pass
        };
        return Ok(Observation::Done(done(scope, &[], verdict)));
    }
    let Some(goal) = goal else {
        let why = format!(
            "what `{id}` lets in was not known when the plan was made, so that nothing would say what \
             has to come back"
        );
        return Ok(broken(
            why,
            "name the group in the estate or as a parameter, not by a step's output",
        ));
    };
    let came = without(now, &goal);
    if came.is_empty() {
        return Ok(Observation::Absent);
    }
    let why = format!("`{id}` lets in what the plan did not find: {}", words(&came));
    Ok(broken(
        why,
        "somebody changed it since: plan again, or take that rule away by hand and `retry`",
    ))
}

fn done(scope: &StepScope<'_>, removed: &[IngressRule], verdict: Verdict) -> Done {
    let id = scope.text("group").unwrap_or_default();
    let port = scope.int("port").map(|port| format!(" on port {port}")).unwrap_or_default();
    let proof = format!(
        "`{id}` in {} lets nobody in{port} at {}, in {LOOKS} looks; {} taken away; {TRACKED}",
        scope.region,
        format_instant(scope.now),
        match removed.len() {
            1 => "1 rule".to_owned(),
            rules => format!("{rules} rules"),
        }
    );
    let source = "DescribeSecurityGroups";
    Done {
        outputs: Values::from([
            ("proof".to_owned(), Value::text(&proof)),
            ("fenced_at".to_owned(), Value::Time(scope.now)),
            ("removed".to_owned(), value(removed)),
        ]),
        verdict,
        milestone: None,
        observed: predictions(id),
        evidence: vec![
            ("fence.proof".to_owned(), proof, source.to_owned()),
            ("fence.removed".to_owned(), words(removed), source.to_owned()),
        ],
    }
}

fn predictions(id: &str) -> BTreeMap<String, serde_json::Value> {
    BTreeMap::from([("fenced".to_owned(), json!(id))])
}

#[async_trait]
impl Action for FenceSecurityGroup {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::from_secs(5), Duration::from_secs(60), "a call and some looks"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let id = scope.text("group").unwrap_or("a security group");
        let summary = format!("empty the ingress of `{id}` in {}", scope.region);
        let Ground { group, facts } = match ground(context, &self.spec, &summary).await? {
            Ok(ground) => ground,
            Err(preview) => return Ok(preview),
        };
        let rules = matching(scope, &group)?;
        let mut outputs = self.spec.unknown_outputs("it is not fenced yet");
        outputs.insert("removed".to_owned(), value(&rules));
        let left = SecurityGroup { ingress: without(&group.ingress, &rules), ..group };
        let mut details: Vec<String> =
            rules.iter().map(|rule| format!("taken away: {rule}")).collect();
        if rules.is_empty() {
            details.push("it lets nobody in already".to_owned());
        }
        Ok(Preview {
            summary,
            details,
            warnings: vec![TRACKED.to_owned()],
            predictions: predictions(id),
            outputs,
            effects: vec![PredictedEffect::SecurityGroup(Box::new(left), scope.region.to_owned())],
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
        let now = matching(scope, &group)?;
        if now.is_empty() {
            if context.memory.went_well() < LOOKS {
                return Ok(waiting("it lets nobody in, looking again".to_owned()));
            }
        } else {
            context.memory.broke();
        }
        let Some(intent) = scope.intent else { return before(scope, id, &now) };
        let removed = goal(scope)?.unwrap_or_default();
        if now.is_empty() {
            return Ok(Observation::Done(done(scope, &removed, Verdict::Pass)));
        }
        let came = without(&now, &removed);
        if !came.is_empty() {
            let why = format!("somebody lets others in to `{id}` again: {}", words(&came));
            return Ok(broken(why, "find out who changes it, then `retry`: it is not fenced"));
        }
        let again = intent.retried.is_some_and(|retried| retried >= intent.at);
        Ok(if again || !intent.accepted {
            Observation::Absent
        } else {
            waiting(format!("accepted, and it still shows {}", words(&now)))
        })
    }

    async fn breach(&self, context: &ReadContext<'_>) -> Option<Figure> {
        let scope = &context.scope;
        let id = scope.text("group").unwrap_or_default();
        let group = match context.view.security_group(scope.region, id).await {
            Ok(Some(group)) => group,
            Ok(None) => return Some(Figure::fence_unseen(no_group(scope).0)),
            Err(error) => return Some(Figure::fence_unseen(error.to_string())),
        };
        match matching(scope, &group) {
            Ok(now) if now.is_empty() => None,
            Ok(now) => {
                Some(Figure::fence_lost(format!("`{id}` lets somebody in again: {}", words(&now))))
            }
            Err(error) => Some(Figure::fence_unseen(error.to_string())),
        }
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let id = scope.text("group").unwrap_or_default();
        let group = context.read.view.security_group(scope.region, id).await?.unwrap_or_default();
        let rules = both(&group.ingress, &goal(scope)?.unwrap_or_default());
        if rules.is_empty() {
            // A look had just found some: looking again tells.
            return Err(
                again(OPERATION, scope, "the rules were there and are not there now").into()
            );
        }
        match context.writer.revoke_ingress(scope.region, id, &rules).await {
            Ok(accepted) => Ok(Acted { request_id: accepted.request_id, ..Acted::default() }),
            Err(error) if error.is("InvalidPermission.NotFound") => {
                Err(CloudError { class: ErrorClass::Temporary, ..error }.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), scope.text("group").unwrap_or_default().to_owned())
    }
}

/// Nothing was sent, and looking again tells why.
pub(super) fn again(operation: &str, scope: &StepScope<'_>, why: &str) -> CloudError {
    CloudError {
        class: ErrorClass::Temporary,
        operation: operation.to_owned(),
        region: scope.region.to_owned(),
        code: None,
        message: format!("not sent: {why}"),
        request_id: None,
    }
}
