//! How a promotion stands: whether it may be asked for, and what became of it.
//!
//! **Invariant:** an unknown lag allows nothing that has a limit, and `available` alone is no evidence.

use super::lag::{Lag, id_of, replication};
use crate::action::context::{PastIntent, ReadContext, StepScope};
use crate::action::outcome::{ActionError, Done, Figure, Observation, Verdict};
use crate::base::clock::format_instant;
use crate::base::duration::human;
use crate::base::form::Form;
use crate::base::value::{Value, Values};
use crate::cloud::model::{DbInstance, Replication};
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// A lag that is worth telling the way out while it is waited for.
const LONG: Duration = Duration::from_secs(60);

/// Looks in a row that have to find it promoted: RDS's reads may be behind, and a status comes before the
/// change that it tells of.
const LOOKS: u32 = 3;

/// Whether the run accepts to lose what the replica does not have yet.
pub(super) fn accepts_loss(scope: &StepScope<'_>) -> bool {
    scope.form == Form::Ungraceful
}

fn waiting(state: String) -> Observation {
    Observation::InProgress { state, milestone: None }
}

/// Why it cannot be promoted, whatever is waited for, and what to do.
pub(super) fn never(found: Option<&DbInstance>, scope: &StepScope<'_>) -> Option<(String, String)> {
    let name = scope.text("instance").unwrap_or_default();
    let Some(found) = found else {
        let why = format!("there is no database instance `{name}` in {}", scope.region);
        return Some((why, "check the estate file and the region".to_owned()));
    };
    if found.replica_source.is_none() {
        let why = format!("`{name}` is no read replica: it follows nothing");
        let help = "it is a writer already, or the name is wrong: look at its events, then `skip` \
                    the step if somebody promoted it";
        return Some((why, help.to_owned()));
    }
    let stands = found.is_broken() || matches!(found.status.as_str(), "stopped" | "deleting");
    stands.then(|| {
        let why = format!("`{name}` is `{}` and cannot be promoted", found.status);
        (why, "mend or start it first; read its events (DescribeEvents)".to_owned())
    })
}

/// Whether the loss that a promotion would mean now is accepted.
pub(super) enum Leave {
    /// It may be asked for.
    Given,
    /// Later, perhaps.
    Wait(String),
    /// Not by waiting.
    Never { why: String, help: String },
}

pub(super) fn leave(scope: &StepScope<'_>, found: &DbInstance, lag: Lag) -> Leave {
    let (id, follows) = (&found.id, found.replication.as_ref().is_some_and(Replication::is_active));
    if !accepts_loss(scope) {
        // What was written before this step began, after the fences that it needs, is there.
        let since = scope.began.unwrap_or(scope.now);
        if lag.has_all_before(since) {
            return Leave::Given;
        }
        let state = format!("waiting until `{id}` has caught up: {}", lag.state());
        return Leave::Wait(if follows && lag.known().is_some_and(|lag| lag < LONG) {
            state
        } else if follows {
            let run = scope.run;
            format!("{state}; `drctl switch {run} --to ungraceful` does not wait, and loses that")
        } else {
            format!(
                "{state}; replication is `{}`: it catches up no more, only the ungraceful form goes on",
                replication(found)
            )
        });
    }
    let loss = lag.loss(follows, scope.now, scope.disaster_at);
    match (scope.duration("max_lag"), loss) {
        (None, _) => Leave::Given,
        (Some(most), Some(loss)) if loss <= most => Leave::Given,
        (Some(most), Some(_)) if follows => Leave::Wait(format!(
            "waiting until `{id}` is at most {} behind: {}",
            human(most),
            lag.state()
        )),
        // A source that is gone sends nothing more: what a person agreed to lose has not grown since.
        (Some(_), _) if scope.agreed => Leave::Given,
        (Some(most), _) => Leave::Never {
            why: format!(
                "`{id}` is {}, and {} are allowed where nobody has agreed to more",
                lag.words(),
                human(most)
            ),
            help: "promoting it loses an amount that nobody allowed: let a person approve a gate with \
                   this step in its `before`, say with --disaster-at when the writes ended, or raise \
                   `max_lag`"
                .to_owned(),
        },
    }
}

/// What to see before a promotion that loses more than the step allows by itself.
pub(super) fn beyond(scope: &StepScope<'_>, lag: Lag) -> Option<Figure> {
    let most = scope.duration("max_lag").filter(|_| accepts_loss(scope))?;
    // Whether its source is there does not matter for who is warned: the larger loss is shown.
    let loss = lag.loss(false, scope.now, scope.disaster_at);
    let text = |what: String| {
        format!("{what}, more than the {} that the runbook gives up by itself", human(most))
    };
    match loss {
        Some(loss) if loss <= most => None,
        Some(loss) => Some(Figure::known("beyond_max_lag", text(format!("up to {}", human(loss))))),
        None => Some(Figure::known("beyond_max_lag", text("an unknown loss".to_owned()))),
    }
}

/// What can be said before the step has asked.
pub(super) async fn before(
    context: &ReadContext<'_>,
    found: Option<DbInstance>,
) -> Result<Observation, ActionError> {
    let scope = &context.scope;
    if let Some((why, help)) = never(found.as_ref(), scope) {
        return Ok(Observation::Broken { why, help });
    }
    let Some(found) = found else { return Ok(Observation::Absent) };
    // RDS promotes only what is available; a replica that is backed up has to be waited for.
    if found.status != "available" {
        return Ok(waiting(format!(
            "`{}` is `{}`, waiting until it is available",
            found.id, found.status
        )));
    }
    let lag = Lag::read(context, &found.id, None).await?;
    Ok(match leave(scope, &found, lag) {
        Leave::Given => Observation::Absent,
        Leave::Wait(state) => waiting(state),
        Leave::Never { why, help } => Observation::Broken { why, help },
    })
}

/// What can be said once the step has asked.
pub(super) async fn after(
    context: &ReadContext<'_>,
    found: Option<DbInstance>,
    intent: PastIntent,
) -> Result<Observation, ActionError> {
    let scope = &context.scope;
    let name = scope.text("instance").unwrap_or_default();
    let Some(found) = found else {
        let why = format!("there is no database instance `{name}` in {} any more", scope.region);
        let help = "it was renamed or deleted while it was promoted: read its events".to_owned();
        return Ok(Observation::Broken { why, help });
    };
    if found.replica_source.is_some() || !found.is_usable() {
        context.memory.broke();
    }
    if found.is_broken() {
        let why = format!("`{name}` is `{}` while it is promoted", found.status);
        let help =
            "read its events (DescribeEvents); restore from its backups if it stays".to_owned();
        return Ok(Observation::Broken { why, help });
    }
    if let Some(source) = &found.replica_source {
        // Asking twice does no harm: RDS refuses what is being promoted or is no replica any more.
        let again = intent.retried.is_some_and(|retried| retried >= intent.at);
        let may = found.status == "available" && (again || !intent.accepted);
        return Ok(if may {
            Observation::Absent
        } else {
            waiting(format!("`{}` and still a replica of `{}`", found.status, id_of(source)))
        });
    }
    if !found.is_usable() || found.endpoint.is_none() {
        return Ok(waiting(format!("a replica no more, `{}`", found.status)));
    }
    if context.memory.went_well() < LOOKS {
        return Ok(waiting(format!("a replica no more, `{}`, looking again", found.status)));
    }
    let since = context.view.their_time(intent.at);
    let lag = Lag::read(context, &found.id, Some(since)).await?;
    let promoted_at = ended(context, &found.id, since).await?;
    Ok(Observation::Done(done(&found, lag, promoted_at)))
}

/// When replication ended, as AWS's events say, else now.
async fn ended(
    context: &ReadContext<'_>,
    id: &str,
    since: DateTime<Utc>,
) -> Result<DateTime<Utc>, ActionError> {
    let scope = &context.scope;
    let events = context.view.db_events(scope.region, id, since).await?;
    let told = events.iter().filter(|event| {
        let text = event.message.to_ascii_lowercase();
        text.contains("replication") && text.contains("terminated")
    });
    Ok(told.map(|event| event.at).next_back().unwrap_or(scope.now))
}

fn done(found: &DbInstance, lag: Lag, promoted_at: DateTime<Utc>) -> Done {
    let endpoint = found.endpoint.as_ref().expect("only an instance with an endpoint is done");
    let verdict = if found.backup_retention_days == 0 {
        Verdict::Warn(vec![format!("`{}` has no automated backups", found.id)])
    } else {
        Verdict::Pass
    };
    let seen = |name: &str, value: String, source: &str| {
        (format!("promoted.{name}"), value, source.to_owned())
    };
    let instances = "DescribeDBInstances, several looks";
    Done {
        outputs: Values::from([
            ("instance".to_owned(), Value::text(&found.id)),
            ("endpoint".to_owned(), Value::text(&endpoint.host)),
            ("port".to_owned(), Value::Int(endpoint.port.into())),
            ("promoted_at".to_owned(), Value::Time(promoted_at)),
            ("lag_at_promotion".to_owned(), lag.value()),
        ]),
        verdict,
        milestone: Some("available"),
        observed: predictions(&found.id, found.backup_retention_days),
        evidence: vec![
            seen("replica_of", "nothing".to_owned(), instances),
            seen("status", found.status.clone(), instances),
            seen("resource_id", found.resource_id.clone(), instances),
            seen("lag", lag.words(), "GetMetricData AWS/RDS ReplicaLag before the promotion"),
            seen("at", format_instant(promoted_at), "DescribeEvents, else the look that found it"),
        ],
    }
}

pub(super) fn predictions(id: &str, retention_days: i32) -> BTreeMap<String, serde_json::Value> {
    BTreeMap::from([
        ("promoted".to_owned(), json!(id)),
        ("backup_retention_days".to_owned(), json!(retention_days)),
    ])
}
