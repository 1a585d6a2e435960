//! How many tasks are wanted: a number, a share of what is wanted now, or the most of the last day.
//!
//! **Invariant:** a maximum that nobody measured is unknown, never zero; what the plan fixed stays fixed.

use super::target::{Target, Trouble, planned};
use crate::action::context::ReadContext;
use crate::action::outcome::ActionError;
use crate::base::value::Value;
use crate::cloud::model::EcsService;
use chrono::TimeDelta;

/// Most tasks that a service can have.
const MOST: u32 = 5000;

/// Word for the most tasks that ran at one time in the last 24 hours.
const DAY_MAXIMUM: &str = "max_24h";

/// What `to` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amount {
    Tasks(u32),
    /// Of the tasks that were wanted when the plan was made.
    Percent(u32),
    DayMaximum,
}

impl Amount {
    /// Reads the input `to`.
    pub(super) fn read(value: &Value) -> Result<Self, ActionError> {
        let wrong = |found: String| ActionError::Input {
            name: "to".to_owned(),
            why: format!(
                "expected a number of tasks from 0 to {MOST}, a share such as `200%`, or \
                 `{DAY_MAXIMUM}`, found {found}"
            ),
        };
        let count = |number: i64| u32::try_from(number).ok().filter(|number| *number <= MOST);
        match value {
            Value::Int(number) => {
                count(*number).map(Self::Tasks).ok_or_else(|| wrong(number.to_string()))
            }
            Value::String(text) if text == DAY_MAXIMUM => Ok(Self::DayMaximum),
            Value::String(text) => {
                let percent = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
                let number = text.parse().ok().and_then(count);
                match (percent, number) {
                    (Some(percent), _) => Ok(Self::Percent(percent)),
                    (None, Some(number)) => Ok(Self::Tasks(number)),
                    (None, None) => Err(wrong(format!("`{text}`"))),
                }
            }
            other => Err(wrong(other.type_name().to_owned())),
        }
    }

    /// In words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Tasks(count) => count.to_string(),
            Self::Percent(percent) => format!("{percent} % of what is wanted"),
            Self::DayMaximum => "the most of the last 24 hours".to_owned(),
        }
    }

    /// The number of tasks. `found` is the service before the step changed it.
    pub(super) async fn resolve(
        self,
        context: &ReadContext<'_>,
        target: &Target<'_>,
        found: &EcsService,
    ) -> Result<Result<u32, Trouble>, ActionError> {
        let scope = &context.scope;
        if let Self::Tasks(count) = self {
            return Ok(Ok(count));
        }
        if let Some(fixed) = planned(scope, "desired") {
            return Ok(Ok(fixed));
        }
        if self == Self::DayMaximum {
            return day_maximum(context, target).await;
        }
        let Self::Percent(percent) = self else { return Ok(Ok(0)) };
        // After the step has asked, what is wanted is no longer what the share was meant of.
        let base =
            if scope.intent.is_some() { context.memory.noted() } else { Some(found.desired) };
        let Some(base) = base else {
            return Ok(Err(Trouble {
                why: format!("{percent} % of how many tasks is not known any more"),
                help: "the step had asked already and the plan did not know the number; name one",
            }));
        };
        Ok(within(u64::from(base) * u64::from(percent), 100))
    }
}

fn within(hundreds: u64, by: u64) -> Result<u32, Trouble> {
    let count = u32::try_from(hundreds.div_ceil(by)).ok().filter(|count| *count <= MOST);
    count.ok_or_else(|| Trouble {
        why: format!("that would be more than {MOST} tasks"),
        help: "a service can have no more; name a smaller share",
    })
}

async fn day_maximum(
    context: &ReadContext<'_>,
    target: &Target<'_>,
) -> Result<Result<u32, Trouble>, ActionError> {
    let now = context.scope.now;
    let span = (now - TimeDelta::hours(24), now);
    let most = context.view.most_running_tasks(target.region, target.pair(), span).await?;
    let Some(most) = most else {
        return Ok(Err(Trouble {
            why: format!(
                "CloudWatch has no RunningTaskCount of `{}` for the last 24 hours",
                target.path()
            ),
            help: "turn Container Insights on for the cluster, or name a number of tasks",
        }));
    };
    // A count; rounding up is on the safe side.
    Ok(Ok(most.ceil().clamp(0.0, f64::from(MOST)) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_or_refused() {
        for (value, wanted) in [
            (Value::Int(0), Amount::Tasks(0)),
            (Value::Int(5000), Amount::Tasks(5000)),
            (Value::text("12"), Amount::Tasks(12)),
            (Value::text("200%"), Amount::Percent(200)),
            (Value::text("50 %"), Amount::Percent(50)),
            (Value::text("max_24h"), Amount::DayMaximum),
        ] {
            assert_eq!(Amount::read(&value), Ok(wanted), "{value:?}");
        }
        for value in [
            Value::Int(-1),
            Value::Int(5001),
            Value::text("many"),
            Value::text("-5%"),
            Value::text("1.5%"),
            Value::text("%"),
            Value::text(""),
            Value::Bool(true),
            Value::Null,
        ] {
            let error = Amount::read(&value).expect_err("no amount").to_string();
            assert!(error.contains("`200%`"), "{error}");
        }
        assert_eq!(within(1250, 100), Ok(13));
        assert!(within(5001 * 100, 100).is_err() && within(u64::MAX, 1).is_err());
    }
}
