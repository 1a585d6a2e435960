//! The conditions of a watch window, each looked at once.
//!
//! **Invariant:** a condition holds only on evidence; without any it is unknown, and why is said.

use crate::action::context::ReadContext;
use crate::action::outcome::ActionError;
use crate::base::clock::{between, format_instant, sooner};
use crate::cloud::model::{AlarmFacts, AlarmState};
use crate::cloud::{CloudError, ErrorClass, HEALTH_CHECK_REGION};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How far back a figure of a health check is looked for when the window has just begun.
const LOOKED_BACK: Duration = Duration::from_secs(10 * 60);

/// How old the newest figure of a health check may be: Route 53 sends one a minute, and CloudWatch shows it
/// a minute or two later.
const FRESH: Duration = Duration::from_secs(5 * 60);

/// What a window looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    /// `AlarmName`s in the step's region.
    pub(super) alarms: Vec<String>,
    /// Ids of Route 53's health checks.
    pub(super) health_checks: Vec<String>,
    /// Cluster and name of an ECS service in the step's region.
    pub(super) service: Option<(String, String)>,
}

/// How a condition is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be, since an instant: AWS says so, or it is seen now only.
    Holds(Option<DateTime<Utc>>),
    /// An alarm without enough data.
    Undecided(String),
    /// Nobody can say.
    Unknown(String),
    /// It is not as it should be.
    Breaks(String),
    /// It is as it should be, and was not at an instant within the window.
    Broke {
        /// When it became as it should be.
        until: DateTime<Utc>,
        /// In words.
        why: String,
    },
    /// It does not exist.
    Absent(String),
}

/// One condition and how it is.
pub(super) type Seen = (String, State);

impl Conditions {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.alarms.len() + self.health_checks.len() + usize::from(self.service.is_some())
    }

    /// Names of all, in the order in which they are looked at.
    pub(super) fn names(&self) -> Vec<String> {
        let alarms = self.alarms.iter().map(|name| format!("alarm {name}"));
        let checks = self.health_checks.iter().map(|id| format!("health check {id}"));
        let service =
            self.service.iter().map(|(cluster, name)| format!("service {cluster}/{name}"));
        alarms.chain(checks).chain(service).collect()
    }

    /// Looks at all of them, for a window that began at `began`.
    ///
    /// # Errors
    /// Credentials, or a call that will never be answered.
    pub(super) async fn look(
        &self,
        context: &ReadContext<'_>,
        began: DateTime<Utc>,
    ) -> Result<Vec<Seen>, ActionError> {
        let mut seen = self.look_at_alarms(context, began).await?;
        for id in &self.health_checks {
            let name = format!("health check {id}");
            let now = context.scope.now;
            let from = sooner(began, LOOKED_BACK);
            let state = match context.view.health_check_figures(id, (from, now)).await {
                Ok(figures) => judge_figures(&figures, began, now),
                Err(error) => unread(error)?,
            };
            seen.push((name, state));
        }
        if let Some((cluster, service)) = &self.service {
            let name = format!("service {cluster}/{service}");
            seen.push((name, look_at_service(context, cluster, service).await?));
        }
        Ok(seen)
    }

    async fn look_at_alarms(
        &self,
        context: &ReadContext<'_>,
        began: DateTime<Utc>,
    ) -> Result<Vec<Seen>, ActionError> {
        if self.alarms.is_empty() {
            return Ok(Vec::new());
        }
        let region = context.scope.region;
        let found = match context.view.alarms(region, &self.alarms).await {
            Ok(found) => found,
            Err(error) => {
                let state = unread(error)?;
                let each = self.alarms.iter();
                return Ok(each.map(|name| (format!("alarm {name}"), state.clone())).collect());
            }
        };
        let judged = self.alarms.iter().map(|name| {
            let state = match found.get(name) {
                Some(alarm) => judge_alarm(alarm, context.view.their_time(began)),
                None => State::Absent(format!("there is no alarm `{name}` in {region}")),
            };
            (format!("alarm {name}"), state)
        });
        Ok(judged.collect())
    }
}

/// A read that failed for now is an unknown condition; others are the step's business.
fn unread(error: CloudError) -> Result<State, ActionError> {
    match error.class {
        ErrorClass::Temporary | ErrorClass::Unreachable | ErrorClass::InDoubt => {
            Ok(State::Unknown(error.to_string()))
        }
        ErrorClass::Permanent | ErrorClass::Credentials | ErrorClass::Refused => Err(error.into()),
    }
}

/// An alarm in a window that began at `began`, by its own clock.
fn judge_alarm(alarm: &AlarmFacts, began: DateTime<Utc>) -> State {
    let reason = alarm.reason.as_deref().unwrap_or("it gives no reason");
    match (alarm.state, alarm.since) {
        (AlarmState::Alarm, since) => {
            let since = since.map(|at| format!(" since {}", format_instant(at)));
            State::Breaks(format!("it is in ALARM{}: {reason}", since.unwrap_or_default()))
        }
        (AlarmState::InsufficientData, _) => State::Undecided(format!("no data: {reason}")),
        (AlarmState::Ok, None) => State::Holds(None),
        (AlarmState::Ok, Some(since)) if since <= began => State::Holds(Some(since)),
        (AlarmState::Ok, Some(since)) => State::Broke {
            until: since,
            why: format!("it is OK only since {}: {reason}", format_instant(since)),
        },
    }
}

/// A health check by its figures: those of the window, and the newest one before it.
fn judge_figures(
    figures: &[(DateTime<Utc>, bool)],
    began: DateTime<Utc>,
    now: DateTime<Utc>,
) -> State {
    if let Some((at, _)) = figures.iter().find(|(at, healthy)| *at >= began && !healthy) {
        return State::Breaks(format!("it was unhealthy at {}", format_instant(*at)));
    }
    match figures.last() {
        None => State::Unknown(format!("CloudWatch has no figure of it in {HEALTH_CHECK_REGION}")),
        Some((at, _)) if between(*at, now) > FRESH => {
            State::Unknown(format!("its newest figure is of {}", format_instant(*at)))
        }
        Some((at, false)) => State::Breaks(format!("it was unhealthy at {}", format_instant(*at))),
        Some((_, true)) => {
            // A figure a minute proves the time between; where some are missing it is only seen.
            let within = figures.iter().map(|(at, _)| *at).filter(|at| *at >= began);
            let instants: Vec<DateTime<Utc>> = [began].into_iter().chain(within).collect();
            let whole = instants.windows(2).all(|pair| between(pair[0], pair[1]) <= FRESH);
            State::Holds(whole.then_some(began))
        }
    }
}

async fn look_at_service(
    context: &ReadContext<'_>,
    cluster: &str,
    name: &str,
) -> Result<State, ActionError> {
    let region = context.scope.region;
    Ok(match context.view.ecs_service(region, cluster, name).await {
        Ok(None) => State::Absent(format!("there is no service `{cluster}/{name}` in {region}")),
        Ok(Some(found)) if found.is_stable() && found.desired > 0 => State::Holds(None),
        Ok(Some(found)) => State::Breaks(format!(
            "{} of {} tasks run, {} deployments",
            found.running,
            found.desired,
            found.deployments.len()
        )),
        Err(error) => unread(error)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{State, judge_alarm, judge_figures};
    use crate::base::clock::{later, simulated_epoch, sooner};
    use crate::cloud::model::{AlarmFacts, AlarmState};
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_alarm_that_went_well_again_within_the_window_broke_it() {
        let began = simulated_epoch();
        let alarm = |state, since| AlarmFacts {
            name: "a".to_owned(),
            arn: String::new(),
            state,
            reason: None,
            since: Some(since),
        };
        let before = sooner(began, MINUTE);
        let within = later(began, MINUTE);
        assert_eq!(judge_alarm(&alarm(AlarmState::Ok, before), began), State::Holds(Some(before)));
        let broke = judge_alarm(&alarm(AlarmState::Ok, within), began);
        assert!(matches!(broke, State::Broke { until, .. } if until == within), "{broke:?}");
        let breaks = judge_alarm(&alarm(AlarmState::Alarm, before), began);
        assert!(matches!(breaks, State::Breaks(_)), "{breaks:?}");
        let none = judge_alarm(&alarm(AlarmState::InsufficientData, before), began);
        assert!(matches!(none, State::Undecided(_)), "{none:?}");
    }

    #[test]
    fn figures_of_the_whole_window_count_and_old_ones_are_unknown() {
        let began = simulated_epoch();
        let now = later(began, MINUTE * 4);
        let at = |minutes: u32| later(began, MINUTE * minutes);
        let well = [(at(1), true), (at(2), true), (at(3), true)];
        assert!(matches!(judge_figures(&well, began, now), State::Holds(Some(_))));
        let dip = [(at(1), true), (at(2), false), (at(3), true)];
        assert!(matches!(judge_figures(&dip, began, now), State::Breaks(_)));
        // What was before the window is over, as long as it is not the newest.
        let before = [(sooner(began, MINUTE * 2), false), (at(1), true)];
        assert!(matches!(judge_figures(&before, began, now), State::Holds(Some(_))));
        let only_before = [(sooner(began, MINUTE), false)];
        assert!(matches!(judge_figures(&only_before, began, now), State::Breaks(_)));
        assert!(matches!(judge_figures(&[], began, now), State::Unknown(_)));
        let old = judge_figures(&well, began, later(now, MINUTE * 30));
        assert!(matches!(old, State::Unknown(_)), "{old:?}");
    }
}
