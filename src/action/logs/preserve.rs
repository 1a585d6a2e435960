//! `logs.preserve`: a copy of a log group in S3, as evidence.
//!
//! **Invariant:** the export's name is a function of run and step, so that one whose answer was lost is
//! found and not asked for twice; it is done when CloudWatch Logs says `COMPLETED`.

use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::format_instant;
use crate::base::ids::rds_name;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::{ExportRequest, ExportTask};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// What acting calls.
const OPERATION: &str = "logs:CreateExportTask";

/// How much is copied when nobody says from when on.
const USUAL_SPAN: TimeDelta = TimeDelta::hours(24);

/// How long it may take until what was logged can be exported.
const EXPORTABLE_AFTER: TimeDelta = TimeDelta::hours(12);

/// What keys begin with when nobody says.
const USUAL_PREFIX: &str = "drctl-evidence";

/// The action.
#[derive(Debug)]
pub(crate) struct Preserve {
    spec: ActionSpec,
}

impl Default for Preserve {
    fn default() -> Self {
        let until = "until before when; when the step begins when absent";
        let spec = ActionSpec {
            name: "logs.preserve",
            summary: "Exports a log group to S3 and waits until the export has completed.",
            kind: ActionKind::Mutation,
            inputs: vec![
                Field::required("log_group", Type::String, "name of the log group"),
                Field::optional("from", Type::Time, "from when on; a day before `to` when absent"),
                Field::optional("to", Type::Time, until),
                Field::required("bucket", Type::String, "bucket in the log group's region"),
                Field::optional(
                    "prefix",
                    Type::String,
                    "what keys begin with; `drctl-evidence` when absent",
                ),
            ],
            outputs: vec![
                Field::required("task_id", Type::String, "id of the export"),
                Field::required("destination", Type::String, "where it wrote, as `s3://…`"),
                Field::optional("bytes", Type::Int, "what the log group holds, uncompressed"),
            ],
            calls: &["logs:DescribeLogGroups", "logs:DescribeExportTasks", OPERATION],
            effects: &[],
            role: Role::None,
            // Evidence stays.
            reversibility: Reversibility::ReadOnly,
            by_hand: "# instants are milliseconds since 1970\n\
                      aws logs create-export-task --region {region} --log-group-name {log_group} \
                      --destination {bucket} [--destination-prefix {prefix}] --from MILLIS \
                      --to MILLIS\n\
                      aws logs describe-export-tasks --region {region} --task-id {task_id}",
            default_timeout: Duration::from_secs(4 * 3600),
            poll_every: Duration::from_secs(20),
        };
        Self { spec }
    }
}

/// The export's name.
fn task_name(scope: &StepScope<'_>) -> String {
    rds_name(scope.text("log_group").unwrap_or_default(), scope.run, scope.step)
}

/// From and until when. Without instants of the inputs they hang on when the step began, which its
/// journal keeps.
fn span(scope: &StepScope<'_>) -> Result<(DateTime<Utc>, DateTime<Utc>), ActionError> {
    let to = scope.time("to").or(scope.began).unwrap_or(scope.now);
    let from = scope.time("from").unwrap_or(to - USUAL_SPAN);
    if from < to {
        return Ok((from, to));
    }
    let why = format!("{} is not before {}", format_instant(from), format_instant(to));
    Err(ActionError::Input { name: "from".to_owned(), why })
}

fn prefix<'a>(scope: &StepScope<'a>) -> &'a str {
    let given = scope.inputs.get("prefix").and_then(Value::as_str);
    given.map(|text| text.trim_matches('/')).filter(|text| !text.is_empty()).unwrap_or(USUAL_PREFIX)
}

fn no_group(scope: &StepScope<'_>) -> (String, String) {
    let name = scope.text("log_group").unwrap_or_default();
    let why = format!("there is no log group `{name}` in {}", scope.region);
    (why, "check the estate file and the region".to_owned())
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

/// The newest export of this step.
fn ours(tasks: &[ExportTask], name: &str) -> Option<ExportTask> {
    let ours = tasks.iter().filter(|task| task.name.as_deref() == Some(name));
    ours.max_by_key(|task| task.created_at).cloned()
}

/// What became of our export.
fn judge(context: &ReadContext<'_>, task: &ExportTask, bytes: Option<i64>) -> Observation {
    if task.is_open() {
        return waiting(format!("export {} is `{}`", task.id, task.status));
    }
    if task.status != "COMPLETED" {
        let retried = context.scope.intent.and_then(|intent| intent.retried);
        let retried = retried.map(|at| context.view.their_time(at));
        let answered = retried.zip(task.created_at).is_some_and(|(retried, made)| made <= retried);
        if answered {
            return Observation::Absent;
        }
        return Observation::Broken {
            why: format!("export {} ended as `{}`: {}", task.id, task.status, task.message),
            help: "the bucket's policy must let logs.amazonaws.com write (s3:PutObject, \
                   s3:GetBucketAcl); mend it and answer `retry`"
                .to_owned(),
        };
    }
    let completed = task.completed_at.map(format_instant).unwrap_or_default();
    let source =
        |name: &str, value: String| (name.to_owned(), value, "DescribeExportTasks".to_owned());
    Observation::Done(Done {
        outputs: Values::from([
            ("task_id".to_owned(), Value::text(&task.id)),
            ("destination".to_owned(), Value::text(task.destination())),
            ("bytes".to_owned(), bytes.map_or(Value::Null, Value::Int)),
        ]),
        verdict: Verdict::Pass,
        milestone: None,
        observed: BTreeMap::from([("log_group".to_owned(), json!(task.group))]),
        evidence: vec![
            source("export.id", task.id.clone()),
            source("export.destination", task.destination()),
            source("export.completed_at", completed),
        ],
    })
}

#[async_trait]
impl Action for Preserve {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        let (low, high) = (Duration::from_secs(60), Duration::from_secs(2 * 3600));
        Some((low, high, "users: minutes for gigabytes, more where exports queue"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let group = scope.text("log_group").unwrap_or_default();
        let bucket = scope.text("bucket").unwrap_or_default();
        let (from, to) = span(scope)?;
        let mut outputs = self.spec.unknown_outputs("the export has not begun");
        let mut preview = Preview {
            summary: format!(
                "export `{group}` in {} to s3://{bucket}/{}",
                scope.region,
                prefix(scope)
            ),
            cited_duration: self.cited_duration(),
            predictions: BTreeMap::from([("log_group".to_owned(), json!(group))]),
            ..Preview::default()
        };
        preview.details.push(format!("from {} to {}", format_instant(from), format_instant(to)));
        preview.details.push(format!("its name is {}; it stays", task_name(scope)));
        if to > scope.now - EXPORTABLE_AFTER {
            preview.warnings.push(
                "AWS may take up to 12 hours until what was logged can be exported: the newest \
                 lines may be missing"
                    .to_owned(),
            );
        }
        let Some(found) = context.view.log_group(scope.region, group).await? else {
            let (why, help) = no_group(scope);
            preview.wont = Some(format!("{why}; {help}"));
            preview.outputs = outputs;
            return Ok(preview);
        };
        if let Some(bytes) = found.stored_bytes {
            preview.details.push(format!("the group holds {bytes} bytes"));
            outputs.insert("bytes".to_owned(), Value::Int(bytes));
        }
        let tasks = context.view.export_tasks(scope.region).await?;
        if let Some(busy) = tasks.iter().find(|task| task.is_open()) {
            preview.warnings.push(format!(
                "export {} of `{}` is under way: an account has one at a time, it is waited for",
                busy.id, busy.group
            ));
        }
        preview.outputs = outputs;
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let tasks = context.view.export_tasks(scope.region).await?;
        let group = scope.text("log_group").unwrap_or_default();
        if let Some(task) = ours(&tasks, &task_name(scope)) {
            let bytes = match task.status.as_str() {
                "COMPLETED" => {
                    let found = context.view.log_group(scope.region, group).await?;
                    found.and_then(|found| found.stored_bytes)
                }
                _ => None,
            };
            let seen = judge(context, &task, bytes);
            if seen != Observation::Absent {
                return Ok(seen);
            }
        } else if scope.intent.is_some_and(|intent| intent.accepted) {
            return Ok(waiting("accepted, not listed yet".to_owned()));
        }
        if let Some(busy) = tasks.iter().find(|task| task.is_open()) {
            let (id, group) = (&busy.id, &busy.group);
            return Ok(waiting(format!("export {id} of `{group}` is under way, one at a time")));
        }
        if context.view.log_group(scope.region, group).await?.is_none() {
            let (why, help) = no_group(scope);
            return Ok(Observation::Broken { why, help });
        }
        Ok(Observation::Absent)
    }

    async fn act(&self, context: &WriteContext<'_>) -> Result<Acted, ActionError> {
        let scope = &context.read.scope;
        let (from, to) = span(scope)?;
        let request = ExportRequest {
            name: task_name(scope),
            group: scope.text("log_group").unwrap_or_default().to_owned(),
            from,
            to,
            bucket: scope.text("bucket").unwrap_or_default().to_owned(),
            prefix: prefix(scope).to_owned(),
        };
        let accepted = context.writer.export_logs(scope.region, &request).await?;
        Ok(Acted { request_id: accepted.request_id, ..Acted::default() })
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (OPERATION.to_owned(), task_name(scope))
    }
}
