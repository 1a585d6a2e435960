//! `sql.heartbeat`: the newest heartbeat in a database, which proves how new its data is.
//!
//! **Invariant:** without a heartbeat the recovery point is unknown, and that is what is said.

use super::connect::{CALLS, CITED, connection_inputs, open, preview};
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::action::{Action, CitedDuration};
use crate::base::clock::{between, format_instant};
use crate::base::duration;
use crate::base::value::{Type, Value, Values};
use crate::cloud::{EffectError, SQL_READ, SqlError, SqlMode};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// Reads the newest heartbeat: writer, source, sequence, epoch milliseconds.
pub(super) const HEARTBEAT_READ: &str =
    "SELECT writer, source, sequence, at_ms FROM drctl.heartbeat ORDER BY at_ms DESC LIMIT 1";

/// Data may be newer than the restore time by this much: clocks of writer and AWS differ a little.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(5);
/// A heartbeat this much older than the restore time means a wrong restore, or a writer that stopped.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(300);
/// SQLSTATEs of a missing schema, table or column: nobody ever set the heartbeat up.
const NOT_SET_UP: [&str; 3] = ["42P01", "3F000", "42703"];

/// The action.
#[derive(Debug)]
pub(crate) struct SqlHeartbeat {
    spec: ActionSpec,
}

impl Default for SqlHeartbeat {
    fn default() -> Self {
        let mut inputs = connection_inputs();
        inputs.extend([
            Field::optional("restore_time", Type::Time, "the instant the data should be as of"),
            Field::optional(
                "source",
                Type::String,
                "the `source` that the heartbeat must carry (wrong database otherwise)",
            ),
            Field::optional(
                "max_age",
                Type::Duration,
                "oldest acceptable heartbeat before restore_time; 5m when absent",
            ),
        ]);
        let spec = ActionSpec {
            name: "sql.heartbeat",
            summary: "Reads the newest heartbeat that `drctl heartbeat run` wrote: proof of the \
                      recovery point.",
            kind: ActionKind::Check,
            inputs,
            outputs: vec![
                Field::optional("newest_at", Type::Time, "when the newest heartbeat was written"),
                Field::optional("sequence", Type::Int, "its sequence number"),
                Field::optional("writer", Type::String, "its writer"),
                Field::optional("source", Type::String, "the database it was written for"),
                Field::optional("loss_ms", Type::Int, "restore_time minus newest_at, milliseconds"),
            ],
            calls: CALLS,
            effects: &[SQL_READ],
            reversibility: Reversibility::ReadOnly,
            role: Role::None,
            by_hand: "aws rds describe-db-instances --region {region} \
                      --db-instance-identifier {instance} --query DBInstances[0].Endpoint\n\
                      psql --host ENDPOINT --username {user} --dbname {database} \
                      --command 'select * from drctl.heartbeat'",
            default_timeout: Duration::from_secs(900),
            poll_every: Duration::from_secs(15),
        };
        Self { spec }
    }
}

/// A heartbeat as read.
#[derive(Debug, Clone, PartialEq)]
struct Heartbeat {
    writer: String,
    source: String,
    sequence: i64,
    at: DateTime<Utc>,
}

fn parse(row: &[Option<String>]) -> Option<Heartbeat> {
    let [Some(writer), Some(source), Some(sequence), Some(at_ms)] = row else { return None };
    Some(Heartbeat {
        writer: writer.clone(),
        source: source.clone(),
        sequence: sequence.parse().ok()?,
        at: DateTime::from_timestamp_millis(at_ms.parse().ok()?)?,
    })
}

fn none(why: &str) -> Observation {
    let outputs = ["newest_at", "sequence", "writer", "source", "loss_ms"];
    Observation::Done(Done {
        outputs: outputs.into_iter().map(|name| (name.to_owned(), Value::Null)).collect(),
        verdict: Verdict::Unknown { why: format!("{why}; the recovery point is unknown") },
        ..Done::default()
    })
}

/// Judges a heartbeat against what was asked.
fn verdict(scope: &StepScope<'_>, beat: &Heartbeat) -> Verdict {
    if let Some(wanted) = scope.text("source").filter(|wanted| *wanted != beat.source) {
        return Verdict::Fail {
            why: format!(
                "the heartbeat is of `{}`, expected `{wanted}`: this is another database",
                beat.source
            ),
            help: "check which source the restore was made from".to_owned(),
        };
    }
    let Some(restore_time) = scope.time("restore_time") else { return Verdict::Pass };
    let newest = format_instant(beat.at);
    let asked = format_instant(restore_time);
    if beat.at > restore_time + CLOCK_TOLERANCE {
        return Verdict::Fail {
            why: format!("the data has a heartbeat of {newest}, after the restore time {asked}"),
            help: "the restore is not of the instant asked for, or the writer's clock is wrong"
                .to_owned(),
        };
    }
    let max_age = scope.duration("max_age").unwrap_or(DEFAULT_MAX_AGE);
    let age = between(beat.at, restore_time);
    if age > max_age {
        return Verdict::Fail {
            why: format!(
                "the newest heartbeat is of {newest}, {} before the restore time {asked} (allowed {})",
                duration::human(age),
                duration::human(max_age)
            ),
            help: "the restore is too old, or nobody wrote heartbeats then: look at the source's"
                .to_owned(),
        };
    }
    Verdict::Pass
}

#[async_trait]
impl Action for SqlHeartbeat {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn cited_duration(&self) -> Option<CitedDuration> {
        Some(CITED)
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let mut shared = preview(context, "read the newest heartbeat").await?;
        shared.outputs = self.spec.unknown_outputs("no SQL in a dry run");
        Ok(shared)
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let mut opened =
            open(context, scope.text("instance").unwrap_or_default(), SqlMode::ReadOnly).await?;
        let answer = opened.session.query(HEARTBEAT_READ).await;
        opened.session.close().await;
        let rows = match answer {
            Ok(rows) => rows.rows,
            Err(SqlError::Statement { sqlstate, .. })
                if NOT_SET_UP.contains(&sqlstate.as_str()) =>
            {
                return Ok(none("the database has no heartbeat table (`drctl heartbeat init`)"));
            }
            Err(error) => return Err(EffectError::Sql(error).into()),
        };
        let Some(row) = rows.first() else { return Ok(none("the heartbeat table is empty")) };
        let Some(beat) = parse(row) else { return Ok(none("the heartbeat row is not readable")) };
        let loss = scope.time("restore_time").map(|time| (time - beat.at).num_milliseconds());
        let outputs = Values::from([
            ("newest_at".to_owned(), Value::Time(beat.at)),
            ("sequence".to_owned(), Value::Int(beat.sequence)),
            ("writer".to_owned(), Value::text(&beat.writer)),
            ("source".to_owned(), Value::text(&beat.source)),
            ("loss_ms".to_owned(), Value::optional(loss)),
        ]);
        let fact = |name: &str, value: String| (name.to_owned(), value, opened.source.clone());
        let evidence = vec![
            fact("heartbeat.newest_at", format_instant(beat.at)),
            fact("heartbeat.sequence", beat.sequence.to_string()),
            fact("heartbeat.writer", beat.writer.clone()),
            fact("heartbeat.source", beat.source.clone()),
        ];
        let verdict = match (verdict(scope, &beat), opened.note) {
            (Verdict::Pass, Some(note)) => Verdict::Warn(vec![note]),
            (verdict, _) => verdict,
        };
        Ok(Observation::Done(Done { outputs, verdict, evidence, ..Done::default() }))
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("sql.heartbeat only reads", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.text("instance").unwrap_or_default().to_owned())
    }
}
