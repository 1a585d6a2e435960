//! `drctl status --watch`: a run as it goes, from any terminal.
//!
//! **Invariant:** reads the journal and nothing else; ends when the run ends, with its exit code.

use crate::base::clock::{Clock, format_instant};
use crate::base::ids::{RunId, StepKey};
use crate::cli::args::OutputForm;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::out;
use crate::cli::past::{belongs, find_unfinished};
use crate::cli::progress::describe;
use crate::cli::reports::exit_of;
use crate::cli::standing::{standing, standing_json};
use crate::cli::status::{line_now, now_of};
use crate::cli::takeup::{Driver, driven};
use crate::journal::Store;
use crate::journal::chain::known;
use crate::journal::event::{Event, Record};
use crate::journal::fold::RunState;
use crate::plan::model::Plan;
use crate::report::line::clock_text;
use crate::report::{Report, StatusLine, build, render_summary};
use chrono::SubsecRound as _;
use serde_json::json;
use std::time::Duration;

/// Between two looks at the journal.
const LOOK: Duration = Duration::from_millis(500);

/// Newest events that a terminal shows.
const EVENTS: usize = 8;

/// What one look at a run found.
struct Look {
    plan: Plan,
    state: RunState,
    records: Vec<Record>,
    report: Report,
    driver: Option<Driver>,
}

/// Watches the run until it ends.
///
/// # Errors
/// There is no such run, or its journal cannot be read.
pub(super) async fn watch(
    tools: &Tools,
    wanted: Option<&str>,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let run = find_unfinished(&tools.state, wanted.unwrap_or("last"))?;
    let store = tools.journals.look(&tools.state, &run)?;
    let clock = Clock::real();
    let mut shown = match (output, out::live()) {
        (OutputForm::Json, _) => Shown::Documents(String::new()),
        (OutputForm::Text, Some(terminal)) => Shown::Block(terminal),
        (OutputForm::Text, None) => Shown::Lines { told: 0, standing: None },
    };
    let mut last: Option<(u64, Look)> = None;
    loop {
        let count = store.head()?.count;
        let driver = driven(&tools.state, &run, &*store)?;
        let look = match last.take() {
            Some((seen, look)) if seen == count => Look { driver, ..look },
            _ => look(&*store, &run, driver)?,
        };
        shown.show(&look);
        if look.state.finished.is_some() {
            if output == OutputForm::Text {
                out::prose(&render_summary(&look.report));
            }
            return Ok(exit_of(&look.plan, &look.state, &look.report));
        }
        last = Some((count, look));
        clock.sleep(LOOK).await;
    }
}

fn look(store: &dyn Store, run: &RunId, driver: Option<Driver>) -> Result<Look, CommandError> {
    let broken = |error: String| CommandError::new(Exit::Journal, format!("run {run}: {error}"));
    let stored = store.load()?;
    belongs(run, &stored)?;
    let records = known(&stored)?;
    let state = RunState::fold(&records).map_err(|error| broken(error.to_string()))?;
    let plan =
        serde_json::from_value(state.plan.clone()).map_err(|error| broken(error.to_string()))?;
    let report = build(&stored).map_err(|error| broken(error.to_string()))?;
    Ok(Look { plan, state, records, report, driver })
}

impl Look {
    fn line(&self) -> StatusLine {
        line_now(&self.report, self.driver.is_some())
    }

    /// What does not change with every event: who is waited for, who drives. The end of a lease moves all
    /// the time: `same` leaves it out.
    fn standing(&self) -> Vec<(&'static str, String)> {
        standing(&self.plan, &self.state, self.driver.as_ref())
    }

    /// Where it runs comes first: what is cut off at the end of a line must not be that.
    fn title(&self) -> [String; 2] {
        let kind = if self.report.run.simulated { " (SIMULATED)" } else { "" };
        let place = &self.plan.environment.name;
        [format!("run {} in {place}{kind}", self.plan.run), self.plan.title.clone()]
    }

    /// The run on a terminal of so many columns and lines; older events make room for newer ones.
    fn block(&self, (width, height): (usize, usize)) -> Vec<String> {
        let line = self.line();
        let mut lines = self.title().to_vec();
        let mut row = |label: &str, text: String| {
            lines.extend(out::row(&format!("{label:<11} {text}"), width))
        };
        row("steps", format!("{} of {} done", line.steps_done, line.steps_total));
        row("clock", clock_text(&line));
        let now = now_of(&self.report);
        let under_way = |key: &StepKey| {
            let found = &self.state.steps[key];
            let since = found.undo_started_at.or(found.started_at)?;
            let took = crate::base::duration::human(crate::base::clock::between(since, now));
            let seen = found.last_state.as_deref().unwrap_or(found.status.name());
            Some(format!("{key}: {seen} ({took})"))
        };
        for step in &self.plan.steps {
            let found = &self.state.steps[&step.key];
            let asks = found.question.is_some();
            if found.started_at.is_some() && !found.status.is_over() && !asks {
                row(step.phase.name(), under_way(&step.key).unwrap_or_default());
            }
        }
        for (label, text) in self.standing() {
            row(label, text);
        }
        for (_, question) in self.state.questions() {
            question.figures.iter().for_each(|figure| row("at stake", figure.to_string()));
        }
        // What is at stake stands above as it is now; as news it would fill the screen again and again.
        let news = |record: &&Record| !matches!(record.event, Event::FiguresShown { .. });
        let told = self.records.iter().rev().filter(news);
        let told = told.filter_map(|record| Some((record, describe(&record.event, &self.state)?)));
        let mut room = height.saturating_sub(lines.len() + 1);
        let mut events: Vec<Vec<String>> = Vec::new();
        for (record, text) in told.take(EVENTS) {
            let first = text.lines().next().unwrap_or_default();
            let at = format_instant(record.at.trunc_subsecs(0));
            let rows = out::row(&format!("  {at}  {first}"), width);
            let Some(left) = room.checked_sub(rows.len()) else { break };
            room = left;
            events.push(rows);
        }
        lines.extend(events.into_iter().rev().flatten());
        lines
    }

    fn document(&self) -> String {
        let mut document = json!({ "schema_version": 1, "line": self.line() });
        let standing = standing_json(&self.state, self.driver.as_ref());
        if let (Some(all), serde_json::Value::Object(more)) = (document.as_object_mut(), standing) {
            all.extend(more);
        }
        document.to_string()
    }
}

/// How a run is shown.
enum Shown {
    /// Drawn anew on a terminal.
    Block(out::Live),
    /// A line for each event.
    Lines {
        /// How many records were told.
        told: usize,
        /// Who was waited for, who drove it.
        standing: Option<Vec<(&'static str, String)>>,
    },
    /// A JSON document a line, whenever it is another one.
    Documents(String),
}

impl Shown {
    fn show(&mut self, look: &Look) {
        match self {
            Self::Block(terminal) => terminal.draw(&look.block(out::Live::size())),
            Self::Documents(last) => {
                let document = look.document();
                if *last != document {
                    out::result(&document);
                    *last = document;
                }
            }
            Self::Lines { told, standing } => {
                if standing.is_none() {
                    look.title().iter().for_each(|line| out::result(line));
                }
                for record in &look.records[*told..] {
                    if let Some(text) = describe(&record.event, &look.state) {
                        out::result(&format!("{} {text}", format_instant(record.at)));
                    }
                }
                *told = look.records.len();
                let now = look.standing();
                let new = now.iter().filter(|line| match standing {
                    Some(before) => !before.iter().any(|old| same(old, line)),
                    None => true,
                });
                for (label, text) in new {
                    out::result(&format!("{label:<11} {text}"));
                }
                *standing = Some(now);
            }
        }
    }
}

/// Whether two lines say the same; that a lease was renewed is no news.
fn same(one: &(&'static str, String), other: &(&'static str, String)) -> bool {
    let cut = |text: &str| text.split("; lease until ").next().unwrap_or_default().to_owned();
    one.0 == other.0 && cut(&one.1) == cut(&other.1)
}
