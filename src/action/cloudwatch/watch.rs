//! `cloudwatch.watch`: a window in which nothing may break.
//!
//! **Invariant:** the window counts from the step's beginning in the journal; it passes only when every
//! condition held through all of it. Time in which nobody looked counts only where AWS's own record of the
//! condition covers it: else the window begins anew, and the report says so.

use super::conditions::{Conditions, Seen, State};
use super::looks::Looks;
use crate::action::Action;
use crate::action::context::{ReadContext, StepScope, WriteContext};
use crate::action::outcome::{Acted, ActionError, Done, Observation, Preview, Verdict};
use crate::action::spec::{ActionKind, ActionSpec, Field, Reversibility, Role};
use crate::base::clock::{between, format_instant};
use crate::base::duration::{human, too_long};
use crate::base::value::{Type, Value, Values};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a condition may be unknown when the step says nothing.
const UNKNOWN: Duration = Duration::from_secs(5 * 60);

/// Longest time between two looks that leaves no gap: looks are made every 30 seconds, and a slow answer is
/// none.
const GAP: Duration = Duration::from_secs(3 * 60);

/// Most conditions: those of one service and its neighbours, not of an account.
const MOST: usize = 100;

/// The action.
#[derive(Debug)]
pub(crate) struct Watch {
    spec: ActionSpec,
}

impl Default for Watch {
    fn default() -> Self {
        let texts = || Type::List(Box::new(Type::String));
        let spec = ActionSpec {
            name: "cloudwatch.watch",
            summary: "Watches alarms, health checks and a service for a while; fails at once when one \
                      breaks.",
            kind: ActionKind::Check,
            inputs: vec![
                Field::required("for", Type::Duration, "how long nothing may break"),
                Field::optional("alarms", texts(), "names of alarms in the step's region"),
                Field::optional("health_checks", texts(), "ids of Route 53 health checks"),
                Field::optional("cluster", Type::String, "with `service`: its cluster"),
                Field::optional("service", Type::String, "ECS service that has to rest"),
                Field::optional(
                    "settle",
                    Type::Duration,
                    "how long conditions may need to become good before the window counts; 0 when \
                     absent",
                ),
                Field::optional(
                    "unknown_for",
                    Type::Duration,
                    "how long a condition may be unknown; 5m when absent",
                ),
            ],
            outputs: vec![
                Field::required("watched_for", Type::Duration, "how long nothing broke"),
                Field::required("samples", Type::Int, "looks of the process that ended it"),
                Field::required("worst", Type::String, "the worst that was seen, in words"),
            ],
            calls: &[
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "ecs:DescribeServices",
            ],
            effects: &[],
            role: Role::None,
            reversibility: Reversibility::ReadOnly,
            by_hand: "# For {for}, every minute: no alarm, no unhealthy check, no task that is missing\n\
                      aws cloudwatch describe-alarms --region {region} [--alarm-names {alarms}]\n\
                      # aws route53 get-health-check-status --health-check-id [{health_checks}]\n\
                      [aws ecs describe-services --region {region} --cluster {cluster} --services \
                      {service}]",
            default_timeout: Duration::from_secs(24 * 3600),
            poll_every: Duration::from_secs(30),
        };
        Self { spec }
    }
}

fn bad(name: &str, why: impl Into<String>) -> ActionError {
    ActionError::Input { name: name.to_owned(), why: why.into() }
}

/// What the inputs ask for.
struct Asked {
    window: Duration,
    settle: Duration,
    unknown_for: Duration,
    conditions: Conditions,
}

impl Asked {
    fn of(scope: &StepScope<'_>) -> Result<Self, ActionError> {
        let window = scope.duration("for").unwrap_or_default();
        if window.is_zero() {
            return Err(bad("for", "a window has a length"));
        }
        for name in ["for", "settle", "unknown_for"] {
            if let Some(why) = scope.duration(name).and_then(too_long) {
                return Err(bad(name, why));
            }
        }
        let service = match (scope.text("cluster"), scope.text("service")) {
            (Some(cluster), Some(service)) => Some((cluster.to_owned(), service.to_owned())),
            (None, None) => None,
            (None, Some(_)) => return Err(bad("cluster", "`service` needs it")),
            (Some(_), None) => return Err(bad("service", "`cluster` needs it")),
        };
        let conditions = Conditions {
            alarms: scope.texts("alarms").unwrap_or_default(),
            health_checks: scope.texts("health_checks").unwrap_or_default(),
            service,
        };
        match conditions.len() {
            0 => return Err(bad("alarms", "nothing is named that could break")),
            1..=MOST => {}
            count => {
                return Err(bad("alarms", format!("at most {MOST} conditions, found {count}")));
            }
        }
        Ok(Self {
            window,
            settle: scope.duration("settle").unwrap_or_default(),
            unknown_for: scope.duration("unknown_for").unwrap_or(UNKNOWN),
            conditions,
        })
    }
}

/// What a look comes to.
enum Judged {
    /// A condition broke.
    Broken(String),
    /// Not all of them are good yet, and they have time to become so.
    Settling(String),
    /// All hold or may be unknown for a while yet; since when by AWS's own record.
    Well {
        /// The latest instant since when all are proven to hold; `None` when one is only seen.
        proven_since: Option<DateTime<Utc>>,
        /// What is not known, in words.
        unknown: Option<String>,
    },
}

fn judge(
    seen: &[Seen],
    asked: &Asked,
    began: DateTime<Utc>,
    looks: &mut Looks,
    now: DateTime<Utc>,
) -> Judged {
    let settling = between(began, now) < asked.settle;
    let settled_by = began + crate::base::clock::to_delta(asked.settle);
    let mut proven = Some(began);
    let mut unknown = None;
    for (name, state) in seen {
        let undecided = looks.was_undecided(name, matches!(state, State::Undecided(_)));
        match state {
            State::Holds(since) => {
                looks.known(name);
                proven = proven.zip(*since).map(|(proven, since)| proven.max(since));
            }
            State::Broke { until, .. } if undecided || *until <= settled_by => {
                looks.known(name);
                proven = proven.map(|proven| proven.max(*until));
            }
            State::Breaks(why) | State::Absent(why) if settling => {
                return Judged::Settling(format!("{name}: {why}"));
            }
            State::Breaks(why) | State::Absent(why) | State::Broke { why, .. } => {
                return Judged::Broken(format!("{name}: {why}"));
            }
            State::Undecided(why) | State::Unknown(why) => {
                let lasted = looks.unknown(name, now);
                if lasted >= asked.unknown_for {
                    let lasted = human(lasted);
                    return Judged::Broken(format!("{name} is not known for {lasted}: {why}"));
                }
                proven = None;
                unknown = Some(format!("{name} is not known: {why}"));
            }
        }
    }
    Judged::Well { proven_since: proven, unknown }
}

/// Since when the window counts.
fn counts_from(
    began: DateTime<Utc>,
    proven_since: Option<DateTime<Utc>>,
    looks: &Looks,
) -> DateTime<Utc> {
    match (proven_since, looks.whole_since) {
        // AWS's own record covers what nobody saw.
        (Some(since), _) => since.max(began),
        (None, Some(whole)) => whole.max(began),
        (None, None) => began,
    }
}

fn gaps(looks: &Looks, covered: bool) -> Vec<String> {
    let span = |(from, to): &(DateTime<Utc>, DateTime<Utc>)| {
        let (from, to) = (format_instant(*from), format_instant(*to));
        match covered {
            true => format!("nobody looked from {from} to {to}: AWS's own record covers it"),
            false => format!("nobody looked from {from} to {to}: the window began anew"),
        }
    };
    looks.gaps.iter().map(span).collect()
}

fn worst(looks: &Looks) -> String {
    match &looks.worst {
        None => "everything held at every look".to_owned(),
        Some((name, lasted)) => format!("{name} was not known for {}", human(*lasted)),
    }
}

fn ended(
    looks: &Looks,
    watched: Duration,
    covered: bool,
    (seen, verdict): (&[Seen], Verdict),
) -> Observation {
    let worst = match &verdict {
        Verdict::Fail { why, .. } => why.clone(),
        _ => worst(looks),
    };
    let outputs = Values::from([
        ("watched_for".to_owned(), Value::Duration(watched)),
        ("samples".to_owned(), Value::Int(looks.samples.into())),
        ("worst".to_owned(), Value::text(&worst)),
    ]);
    let mut evidence: Vec<(String, String, String)> = seen
        .iter()
        .map(|(name, state)| (name.clone(), words(state), "CloudWatch, ECS".to_owned()))
        .collect();
    for gap in gaps(looks, covered) {
        evidence.push(("gap".to_owned(), gap, "the looks of this process".to_owned()));
    }
    let held = !matches!(verdict, Verdict::Fail { .. });
    Observation::Done(Done {
        outputs,
        verdict,
        observed: BTreeMap::from([("held".to_owned(), json!(held))]),
        evidence,
        ..Done::default()
    })
}

fn words(state: &State) -> String {
    match state {
        State::Holds(Some(since)) => format!("holds since {}", format_instant(*since)),
        State::Holds(None) => "holds".to_owned(),
        State::Undecided(why) | State::Unknown(why) => format!("not known: {why}"),
        State::Breaks(why) | State::Absent(why) | State::Broke { why, .. } => why.clone(),
    }
}

#[async_trait]
impl Action for Watch {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    async fn preview(&self, context: &ReadContext<'_>) -> Result<Preview, ActionError> {
        let scope = &context.scope;
        if let Some(why) = scope.unknown() {
            let summary = "watch what the run finds".to_owned();
            return Ok(Preview::unknown(&self.spec, summary, why));
        }
        let asked = Asked::of(scope)?;
        let names = asked.conditions.names();
        let summary = format!("watch for {}: {}", human(asked.window), names.join(", "));
        let seen = asked.conditions.look(context, scope.now).await?;
        let absent = seen.iter().find_map(|(_, state)| match state {
            State::Absent(why) => Some(why.clone()),
            _ => None,
        });
        // Whether they hold is the run's business: steps before this one are to make them hold.
        let warnings = seen.iter().filter_map(|(name, state)| match state {
            State::Breaks(why) => {
                Some(format!("{name} is to hold when it comes to that; now {why}"))
            }
            State::Unknown(why) | State::Undecided(why) => {
                Some(format!("{name} is not known now: {why}"))
            }
            State::Holds(_) | State::Broke { .. } | State::Absent(_) => None,
        });
        let says = "the runbook says so";
        Ok(Preview {
            wont: absent,
            summary,
            warnings: warnings.collect(),
            predictions: BTreeMap::from([("held".to_owned(), json!(true))]),
            outputs: self.spec.unknown_outputs("it is watched in the run"),
            cited_duration: Some((asked.window, asked.window + asked.settle, says)),
            ..Preview::default()
        })
    }

    async fn observe(&self, context: &ReadContext<'_>) -> Result<Observation, ActionError> {
        let scope = &context.scope;
        let asked = Asked::of(scope)?;
        let (began, now) = (scope.began.unwrap_or(scope.now), scope.now);
        let seen = asked.conditions.look(context, began).await?;
        let mut looks = context.memory.looks();
        looks.look(began, now, GAP);
        let judged = judge(&seen, &asked, began, &mut looks, now);
        let (proven_since, unknown) = match judged {
            Judged::Broken(why) => {
                let watched = between(looks.whole_since.unwrap_or(began), now);
                let why = format!("after {} of {}: {why}", human(watched), human(asked.window));
                let help = "look at it; what was moved can be moved back".to_owned();
                let verdict = Verdict::Fail { why, help };
                return Ok(ended(&looks, watched, false, (&seen, verdict)));
            }
            Judged::Settling(what) => {
                looks.whole_since = Some(now);
                let state = format!("waiting until everything is well: {what}");
                return Ok(Observation::InProgress { state, milestone: None });
            }
            Judged::Well { proven_since, unknown } => (proven_since, unknown),
        };
        let from = counts_from(began, proven_since, &looks);
        let watched = between(from, now);
        let covered = proven_since.is_some();
        if watched >= asked.window && unknown.is_none() {
            let verdict = match gaps(&looks, covered).as_slice() {
                [] => Verdict::Pass,
                lines => Verdict::Warn(lines.to_vec()),
            };
            return Ok(ended(&looks, watched, covered, (&seen, verdict)));
        }
        // One line a tenth of the window: the journal needs no more.
        let tenth = (watched.as_secs() * 10 / asked.window.as_secs().max(1)).min(10);
        let what = unknown.unwrap_or_else(|| "everything holds".to_owned());
        let anew = looks.gaps.last().filter(|_| !covered).map(|(_, to)| {
            format!("; begun anew at {}, nobody had looked before", format_instant(*to))
        });
        let state = format!(
            "{}0 % of {} watched, {what}{}",
            tenth,
            human(asked.window),
            anew.unwrap_or_default()
        );
        Ok(Observation::InProgress { state, milestone: None })
    }

    async fn act(&self, _: &WriteContext<'_>) -> Result<Acted, ActionError> {
        Err(ActionError::refused("cloudwatch.watch only looks", "this is a bug in drctl"))
    }

    fn intent(&self, scope: &StepScope<'_>) -> (String, String) {
        (self.spec.name.to_owned(), scope.step.as_str().to_owned())
    }
}
