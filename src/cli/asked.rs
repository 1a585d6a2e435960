//! What a command line asks of a run beside its files: parameters, and the instants before it.
//!
//! **Invariant:** a mistake in it is found before anything is opened, and leaves nothing behind.

use crate::base::clock::{format_instant, parse_instant};
use crate::base::form::Form;
use crate::base::value::Values;
use crate::cli::args::LaunchArgs;
use crate::cli::error::CommandError;
use crate::cli::given::parameters;
use crate::cli::launch::Launch;
use chrono::{DateTime, Utc};

/// What the command line and the drill file ask for.
pub(super) struct Asked {
    /// The runbook's parameters.
    pub parameters: Values,
    /// When the disaster happened.
    pub disaster_at: Option<DateTime<Utc>>,
    /// When it was declared.
    pub declared_at: Option<DateTime<Utc>>,
    /// When it was noticed.
    pub detected_at: Option<DateTime<Utc>>,
    /// Whether an alarm that is OK is no obstacle.
    pub alarm_ok: bool,
    /// The form of the run.
    pub form: Form,
}

impl Asked {
    /// Reads them.
    ///
    /// # Errors
    /// A parameter or an instant is not usable.
    pub(super) fn read(launch: &Launch, args: &LaunchArgs) -> Result<Self, CommandError> {
        Ok(Self {
            parameters: parameters(&launch.runbook, &launch.parameters, &args.parameters)?,
            disaster_at: instant("--disaster-at", &args.disaster_at)?,
            detected_at: instant("--detected-at", &args.detected_at)?,
            alarm_ok: args.alarm_ok,
            declared_at: instant("--declared-at", &args.declared_at)?,
            form: args.form.or(launch.form).or(launch.runbook.form).unwrap_or_default(),
        })
    }

    /// The same, held against the environment's clock.
    ///
    /// # Errors
    /// An instant lies in the future, or before one that it must follow.
    pub(super) fn checked(self, now: DateTime<Utc>) -> Result<Self, CommandError> {
        check_order(self.disaster_at, ("--declared-at", self.declared_at), now)?;
        check_order(self.disaster_at, ("--detected-at", self.detected_at), now)?;
        Ok(self)
    }
}

fn instant(option: &str, text: &Option<String>) -> Result<Option<DateTime<Utc>>, CommandError> {
    let Some(text) = text else { return Ok(None) };
    parse_instant(text).map(Some).ok_or_else(|| {
        CommandError::usage(format!("{option} `{text}` is no instant"))
            .help("write for example 2026-03-01T10:15:00Z")
    })
}

fn check_order(
    disaster_at: Option<DateTime<Utc>>,
    (option, later): (&str, Option<DateTime<Utc>>),
    now: DateTime<Utc>,
) -> Result<(), CommandError> {
    let late = |name: &str, at: DateTime<Utc>| {
        CommandError::usage(format!("{name} {} lies in the future", format_instant(at)))
            .help(format!("now is {} on this environment's clock", format_instant(now)))
    };
    match (disaster_at, later) {
        (Some(at), _) if at > now => Err(late("--disaster-at", at)),
        (_, Some(at)) if at > now => Err(late(option, at)),
        (Some(disaster), Some(later)) if later < disaster => {
            Err(CommandError::usage(format!("{option} lies before --disaster-at")))
        }
        _ => Ok(()),
    }
}
