//! The alarm that a run starts from: its change of state is when the disaster was noticed.
//!
//! **Invariant:** an alarm that is OK starts nothing unless a person says so; one that cannot be read gives
//! no instant, and the plan says whose word the instant is.

use crate::base::clock::format_instant;
use crate::cli::args::LaunchArgs;
use crate::cli::asked::Asked;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Launch;
use crate::cli::out;
use crate::cloud::model::{AlarmFacts, AlarmState};
use crate::cloud::{Cloud, ErrorClass, Overlay};
use crate::estate::{Environment, Estate};
use crate::plan::{AlarmRecord, Detection};
use chrono::{DateTime, Utc};

/// An alarm that somebody named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// `AlarmName`.
    pub name: String,
    /// Where it lives.
    pub region: String,
    /// Its ARN.
    pub arn: String,
}

/// The alarm of the command line, else that of the drill.
///
/// # Errors
/// It is none of the environment's, or `--alarm-ok` is said of none.
pub(super) fn wanted(
    launch: &Launch,
    args: &LaunchArgs,
    environment: &Environment,
) -> Result<Option<Named>, CommandError> {
    let alarm = args.alarm.as_ref().or(launch.alarm.as_ref());
    if alarm.is_none() && args.alarm_ok {
        return Err(CommandError::usage("--alarm-ok is said of no alarm").help("add --alarm NAME"));
    }
    alarm.map(|text| named(text, &launch.estate, environment)).transpose()
}

/// The alarm that `text` means: an ARN, a name of the estate, or an `AlarmName` of the environment's region.
///
/// # Errors
/// An ARN of something else, or of another account.
pub(super) fn named(
    text: &str,
    estate: &Estate,
    environment: &Environment,
) -> Result<Named, CommandError> {
    if text.starts_with("arn:") {
        return of_arn(text, environment);
    }
    if let Some(alarm) = estate.alarm_in(text, environment) {
        let arn = alarm.arn(environment);
        let region = alarm.region.unwrap_or_else(|| environment.region.clone());
        return Ok(Named { name: alarm.name, region, arn });
    }
    let plain = |c: char| !c.is_control() && c != ':';
    if text.is_empty() || text.len() > 255 || !text.chars().all(plain) {
        return Err(CommandError::usage(format!("`{text}` is no name of an alarm"))
            .help("write its ARN, its AlarmName, or its name in the estate"));
    }
    // The estate may know where it lives.
    let own = estate.alarms.keys().filter_map(|key| estate.alarm_in(key, environment));
    let region = own.into_iter().find(|alarm| alarm.name == text).and_then(|alarm| alarm.region);
    let region = region.unwrap_or_else(|| environment.region.clone());
    let arn = format!("arn:aws:cloudwatch:{region}:{}:alarm:{text}", environment.account);
    Ok(Named { name: text.to_owned(), region, arn })
}

fn of_arn(text: &str, environment: &Environment) -> Result<Named, CommandError> {
    let parts: Vec<&str> = text.splitn(7, ':').collect();
    let ["arn", _, "cloudwatch", region, account, "alarm", name] = parts.as_slice() else {
        return Err(CommandError::usage(format!("`{text}` is no ARN of an alarm"))
            .help("it looks like arn:aws:cloudwatch:us-east-1:123456789012:alarm:NAME"));
    };
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || !region.chars().all(good) {
        return Err(CommandError::usage(format!("`{text}`: `{region}` is no region")));
    }
    if *account != environment.account {
        let message = format!(
            "the alarm is one of account {account}; environment `{}` is account {}",
            environment.name, environment.account
        );
        return Err(CommandError::usage(message).help("choose the environment that it belongs to"));
    }
    if name.is_empty() || name.len() > 255 || name.contains(':') {
        return Err(CommandError::usage(format!("`{text}`: `{name}` is no name of an alarm")));
    }
    Ok(Named { name: (*name).to_owned(), region: (*region).to_owned(), arn: text.to_owned() })
}

/// What made somebody start: the alarm's change of state, or what was said; `None` when neither is given.
///
/// # Errors
/// There is no such alarm, it is OK and nobody said that it may be, CloudWatch cannot be asked and nobody
/// said when it was noticed, or its instant contradicts others.
pub(super) async fn detect(
    cloud: &Cloud,
    alarm: Option<&Named>,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Result<Option<Detection>, CommandError> {
    let Some(alarm) = alarm else {
        let said = "said on the command line".to_owned();
        let at = asked.detected_at;
        return Ok(at.map(|at| Detection { at: Some(at), alarm: None, note: Some(said) }));
    };
    let names = std::slice::from_ref(&alarm.name);
    let read = cloud.view(Overlay::default()).alarms(&alarm.region, names).await;
    let found = match read {
        Ok(mut found) => found.remove(&alarm.name),
        Err(error) => {
            let Some(at) = asked.detected_at else {
                let unreachable = matches!(error.class, ErrorClass::Unreachable);
                let failed = CommandError::from(error);
                let what =
                    if unreachable { "CloudWatch does not answer" } else { "it was not read" };
                return Err(failed.help(format!(
                    "{what}: the run can start without it: say when the alarm rose with \
                     --detected-at INSTANT"
                )));
            };
            let why = format!("alarm {} could not be read: {error}", alarm.name);
            out::progress(&format!("{why}; going on with --detected-at {}", format_instant(at)));
            let note = format!("said on the command line, because {why}");
            let record = record(alarm, None);
            return Ok(Some(Detection { at: Some(at), alarm: Some(record), note: Some(note) }));
        }
    };
    let Some(found) = found else {
        let message = format!("there is no alarm `{}` in {}", alarm.name, alarm.region);
        return Err(CommandError::usage(message)
            .help("write its ARN: names are looked up in the environment's region"));
    };
    judge(alarm, found, asked, now).map(Some)
}

fn judge(
    alarm: &Named,
    found: AlarmFacts,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Result<Detection, CommandError> {
    let since = found.since.map(format_instant).unwrap_or_default();
    let record = Some(record(alarm, Some(&found)));
    if found.state == AlarmState::Ok && !asked.alarm_ok {
        let message = format!("alarm `{}` is OK since {since}: nothing is to be done", alarm.name);
        return Err(CommandError::new(Exit::Refused, message)
            .help("if something is to be done all the same: --alarm-ok"));
    }
    let said = |why: &str| asked.detected_at.map(|_| format!("said on the command line; {why}"));
    let (at, note) = match found.state {
        // Its last change is that it went well again.
        AlarmState::Ok => (asked.detected_at, said("the alarm was OK by then")),
        AlarmState::Alarm | AlarmState::InsufficientData => match asked.detected_at {
            Some(at) => (Some(at), said(&format!("the alarm rose at {since}"))),
            None => (found.since.map(|since| since.min(now)), None),
        },
    };
    if let (Some(disaster), Some(at)) = (asked.disaster_at, at)
        && at < disaster
    {
        let message = format!(
            "alarm `{}` rose at {}, before the disaster that --disaster-at says",
            alarm.name,
            format_instant(at)
        );
        return Err(CommandError::usage(message)
            .help("correct --disaster-at, or say with --detected-at when it was noticed"));
    }
    let state = found.state.name();
    out::progress(&format!("alarm {} is {state} since {since}", alarm.name));
    Ok(Detection { at, alarm: record, note })
}

fn record(alarm: &Named, found: Option<&AlarmFacts>) -> AlarmRecord {
    AlarmRecord {
        name: alarm.name.clone(),
        arn: alarm.arn.clone(),
        region: alarm.region.clone(),
        state: found.map(|found| found.state.name().to_owned()),
        reason: found.and_then(|found| found.reason.clone()),
    }
}
