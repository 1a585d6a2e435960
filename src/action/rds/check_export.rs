//! `rds.check_export`: is there a young export of a database's snapshots in a bucket?
//!
//! **Invariant:** read-only; only an export that AWS calls `COMPLETE` counts, and its age is that of its
//! data.

use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::{between, format_instant};
use crate::base::duration::human;
use crate::base::value::{Type, Value, Values};
use crate::cloud::model::SnapshotExport;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The action.
#[derive(Debug)]
pub(crate) struct CheckExport {
    spec: ActionSpec,
}

impl Default for CheckExport {
    fn default() -> Self {
        let spec = ActionSpec {
            name: "rds.check_export",
            summary: "Checks that a database's snapshots are exported to a bucket, and how old the newest \
                      export is.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::optional("instance", Type::String, "identifier of the instance"),
                Field::optional(
                    "snapshot",
                    Type::String,
                    "instead: what identifiers of its snapshots begin with",
                ),
                Field::required("bucket", Type::String, "bucket that they are exported to"),
                Field::required("max_age", Type::Duration, "how old the exported data may be"),
            ],
            outputs: vec![
                Field::required("export_task", Type::String, "identifier of the newest export"),
                Field::required("completed_at", Type::Time, "when it had ended"),
                Field::required("age", Type::Duration, "how old its data is"),
            ],
            calls: &["rds:DescribeExportTasks"],
            effects: &[],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "# The newest that is COMPLETE; its data is of SnapshotTime.\n\
                      aws rds describe-export-tasks --region {region} \
                      --filters Name=s3-bucket,Values={bucket} \
                      --query 'reverse(sort_by(ExportTasks,&TaskEndTime))[:5]'",
            default_timeout: Duration::from_secs(300),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

/// What begins the identifiers of the snapshots that count.
fn prefixes(scope: &StepScope<'_>) -> Result<Vec<String>, ActionError> {
    let text = |name: &str| scope.text(name).map(str::to_ascii_lowercase);
    match (text("instance"), text("snapshot")) {
        (None, Some(prefix)) if !prefix.is_empty() => Ok(vec![prefix]),
        // Automated snapshots, and those that people and drctl name after their instance.
        (Some(instance), None) if !instance.is_empty() => {
            Ok(["rds:", "", "drctl-"].map(|start| format!("{start}{instance}-")).to_vec())
        }
        _ => {
            let why = "give an instance, or what its snapshots begin with".to_owned();
            Err(ActionError::Input { name: "instance".to_owned(), why })
        }
    }
}

/// The identifier in a snapshot's ARN: `rds:orders-2026-01-15`.
fn snapshot_of(task: &SnapshotExport) -> &str {
    task.source.splitn(7, ':').last().unwrap_or_default()
}

/// How new the data of an export is.
fn data_at(task: &SnapshotExport) -> Option<DateTime<Utc>> {
    task.snapshot_at.or(task.started_at).or(task.ended_at)
}

/// What the check found.
struct Found {
    newest: SnapshotExport,
    at: DateTime<Utc>,
    ended: DateTime<Utc>,
    /// Later ones that failed.
    failed: Vec<SnapshotExport>,
}

impl CheckExport {
    async fn look(&self, context: &ReadContext<'_>) -> Result<Result<Found, String>, ActionError> {
        let scope = &context.scope;
        let prefixes = prefixes(scope)?;
        let bucket = scope.text("bucket").unwrap_or_default();
        let mut tasks = context.view.snapshot_exports(scope.region, bucket).await?;
        tasks.retain(|task| prefixes.iter().any(|start| snapshot_of(task).starts_with(start)));
        let complete = tasks.iter().filter(|task| task.status == "COMPLETE");
        let dated = complete.filter_map(|task| Some((data_at(task)?, task.ended_at?, task)));
        let Some((at, ended, newest)) = dated.max_by_key(|(at, ..)| *at) else {
            return Ok(Err(format!(
                "there is no complete export of {} to bucket `{bucket}` among {}",
                prefixes.first().map_or("", String::as_str).trim_end_matches('-'),
                tasks.len()
            )));
        };
        let failed = tasks.iter().filter(|task| {
            let later = task.started_at.is_some_and(|started| started > ended);
            later && matches!(task.status.as_str(), "FAILED" | "CANCELED")
        });
        let failed = failed.cloned().collect();
        Ok(Ok(Found { newest: newest.clone(), at, ended, failed }))
    }

    fn judge(&self, scope: &StepScope<'_>, found: &Found) -> Verdict {
        let age = between(found.at, scope.now);
        let most = scope.duration("max_age").unwrap_or_default();
        if age > most {
            let why = format!(
                "the newest export `{}` holds data of {}, {} old, and {} are allowed",
                found.newest.id,
                format_instant(found.at),
                human(age),
                human(most)
            );
            let help = "look at the failed ones and at what starts them (DescribeExportTasks)";
            return Verdict::Fail { why, help: help.to_owned() };
        }
        let words = |task: &SnapshotExport| {
            let why = task.failure.as_deref().unwrap_or("AWS says no reason");
            format!("export `{}` ended as {}: {why}", task.id, task.status)
        };
        let warnings: Vec<String> = found.failed.iter().map(words).collect();
        if warnings.is_empty() { Verdict::Pass } else { Verdict::Warn(warnings) }
    }
}

fn outputs(scope: &StepScope<'_>, found: &Found) -> Values {
    Values::from([
        ("export_task".to_owned(), Value::text(&found.newest.id)),
        ("completed_at".to_owned(), Value::Time(found.ended)),
        ("age".to_owned(), Value::Duration(between(found.at, scope.now))),
    ])
}

#[async_trait]
impl Action for CheckExport {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some((Duration::ZERO, Duration::from_secs(5), "a read call"))
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        let bucket = scope.text("bucket").unwrap_or("a bucket");
        let summary = format!("check exports to bucket `{bucket}`");
        if let Some(why) = scope.unknown() {
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let (verdict, found) = match self.look(context).await? {
            Ok(found) => (self.judge(scope, &found), Some(found)),
            Err(why) => (Verdict::Fail { why, help: String::new() }, None),
        };
        let mut preview =
            Preview { summary, cited_duration: self.cited_duration(), ..Preview::default() };
        preview.outputs = self.spec.unknown_outputs("it is looked at again when the run is there");
        match verdict {
            Verdict::Fail { why, .. } => preview.wont = Some(why),
            Verdict::Warn(warnings) => preview.warnings = warnings,
            Verdict::Unknown { why } => preview.warnings.push(why),
            Verdict::Pass => {}
        }
        preview.details = found
            .map(|it| format!("newest: `{}`, data of {}", it.newest.id, format_instant(it.at)))
            .into_iter()
            .collect();
        Ok(preview)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let found = match self.look(context).await? {
            Ok(found) => found,
            Err(why) => {
                let help = "look at what starts them (DescribeExportTasks)".to_owned();
                let verdict = Verdict::Fail { why, help };
                return Ok(Observation::Done(Done { verdict, ..Done::default() }));
            }
        };
        let source = "DescribeExportTasks";
        let seen = |name: &str, value: String| (format!("export.{name}"), value, source.to_owned());
        Ok(Observation::Done(Done {
            outputs: outputs(scope, &found),
            verdict: self.judge(scope, &found),
            milestone: None,
            observed: BTreeMap::from([("complete".to_owned(), json!(true))]),
            evidence: vec![
                seen("task", found.newest.id.clone()),
                seen("source", found.newest.source.clone()),
                seen("data_at", format_instant(found.at)),
                seen("completed_at", format_instant(found.ended)),
            ],
        }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("rds.check_export only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("bucket").unwrap_or_default().to_owned())
    }
}
