//! Posts a command, waits until the process that drives the run has read it, and says what became of it.
//!
//! **Invariant:** waiting is bounded; what is not known yet is not said to have happened.

use crate::base::clock::{Clock, format_instant};
use crate::base::seed::unpredictable;
use crate::cli::args::OutputForm;
use crate::cli::control::subject::Subject;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::progress::describe;
use crate::cli::standing::driver_json;
use crate::cli::takeup::{Driver, driven};
use crate::journal::chain::known;
use crate::journal::event::{Event, Record};
use crate::journal::fold::RunState;
use crate::journal::{Command, Person, Posted};
use serde_json::json;
use std::time::Duration;

/// How long an answer is waited for. The process that drives the run looks every second; a slow disk and
/// a call in its loop have their room.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks into the journal.
const LOOK: Duration = Duration::from_millis(150);

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Became {
    /// The run took it; what followed in the same turn.
    Taken(Vec<String>),
    /// The run refused it, and why.
    Refused(String),
    /// Nobody has read it yet.
    Posted,
}

/// Posts `command` and says what became of it.
///
/// # Errors
/// The inbox cannot be written (exit code 16), or the run refused the command (12).
pub(super) async fn post(
    tools: &Tools,
    subject: Subject,
    command: Command,
    by: Person,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let Subject { run, mut store, .. } = subject;
    let mut random = unpredictable().stream("inbox");
    let posted = Posted::new(command, by, Clock::real().now(), &mut random);
    store.post(&posted)?;
    let mut driver = driven(&tools.state, &run, &*store)?;
    let (mut became, clock) = (Became::Posted, Clock::real());
    let mut read = None;
    while became == Became::Posted && clock.elapsed() < PATIENCE {
        let count = store.head()?.count;
        if read != Some(count) {
            became = outcome(&known(&store.load()?)?, &posted.id);
            read = Some(count);
        } else if driver.as_ref().is_none_or(Driver::hangs) {
            break;
        } else {
            clock.sleep(LOOK).await;
            driver = driven(&tools.state, &run, &*store)?;
        }
    }
    let told = Told { run: run.as_str(), posted: &posted, driver: driver.as_ref() };
    told.tell(&became, output)
}

/// What the journal says of the command with this id.
fn outcome(records: &[Record], id: &str) -> Became {
    for (place, record) in records.iter().enumerate() {
        match &record.event {
            Event::CommandTaken { id: taken, .. } if taken == id => {
                return Became::Taken(followed(records, place));
            }
            Event::CommandRefused { id: refused, why, .. } if refused == id => {
                return Became::Refused(why.clone());
            }
            _ => {}
        }
    }
    Became::Posted
}

/// What followed the command at `place` in the same turn, in words.
fn followed(records: &[Record], place: usize) -> Vec<String> {
    let Ok(state) = RunState::fold(records) else { return Vec::new() };
    let at = records[place].at;
    let same = records[place + 1..].iter().take_while(|record| {
        record.at == at && !matches!(record.event, Event::CommandTaken { .. })
    });
    same.filter_map(|record| describe(&record.event, &state)).collect()
}

/// Everything that is told about a posted command.
struct Told<'a> {
    run: &'a str,
    posted: &'a Posted,
    driver: Option<&'a Driver>,
}

impl Told<'_> {
    fn tell(&self, became: &Became, output: OutputForm) -> Result<Exit, CommandError> {
        if output == OutputForm::Json {
            out::result(&self.json(became));
        }
        let what = self.what();
        match became {
            Became::Taken(followed) if output == OutputForm::Text => {
                let lines = followed.iter().map(|line| format!("\n  {line}")).collect::<String>();
                out::result(&format!("taken: {what}{lines}"));
                Ok(Exit::Ok)
            }
            Became::Taken(_) => Ok(Exit::Ok),
            Became::Refused(why) => {
                let message = format!("the run refused {what}: {why}");
                Err(CommandError::new(Exit::Rejected, message)
                    .help(format!("`drctl status {}` shows where it stands", self.run)))
            }
            Became::Posted => {
                out::progress(&format!("posted: {what}; {}", self.then()));
                Ok(Exit::Waiting)
            }
        }
    }

    /// `approve decide by ann`
    fn what(&self) -> String {
        let Posted { by, command, .. } = self.posted;
        let step = command.step().map(|step| format!(" {step}")).unwrap_or_default();
        format!("{}{step} by {by}", command.verb())
    }

    /// Who will read it.
    fn then(&self) -> String {
        let run = self.run;
        match self.driver {
            None => format!("no process drives the run now: `drctl resume {run}` takes it"),
            Some(driver) if driver.hangs() => format!(
                "{} hangs, its lease ended {}: `drctl resume {run}` takes the run and the command",
                driver.holder,
                format_instant(driver.until)
            ),
            Some(Driver { holder, .. }) => format!(
                "{holder} drives the run and has not read it yet: `drctl status {run} --watch` shows \
                 whether it does"
            ),
        }
    }

    fn json(&self, became: &Became) -> String {
        let Posted { id, at, by, command } = self.posted;
        let (result, why, followed) = match became {
            Became::Taken(followed) => ("taken", None, followed.as_slice()),
            Became::Refused(why) => ("refused", Some(why), [].as_slice()),
            Became::Posted => ("posted", None, [].as_slice()),
        };
        let document = json!({
            "schema_version": 1, "run": self.run, "id": id, "posted_at": at, "by": by,
            "command": command, "result": result, "why": why, "followed": followed,
            "driver": self.driver.map(driver_json),
        });
        serde_json::to_string_pretty(&document).expect("plain data")
    }
}
