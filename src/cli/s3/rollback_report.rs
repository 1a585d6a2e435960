//! The report of a roll-back: how every object stands, a line each, read from the bucket.
//!
//! **Invariant:** a report is whole or is not there: it is written beside its place and then put there. Its
//! first line says what it is of, its last one counts all others.

use crate::action::ActionError;
use crate::action::s3::{Survey, SurveyedKey};
use crate::base::clock::format_instant;
use crate::cli::args::SimulationArgs;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Tools, environment};
use crate::cli::main::{Time, time_of};
use crate::cli::out;
use crate::cli::past::{find_run, stored};
use crate::cli::session::{Session, Since, verify_account};
use crate::cloud::{ErrorClass, GuardPolicy, Overlay};
use crate::estate::{Environment, Estate};
use crate::journal::chain::known;
use crate::journal::fold::RunState;
use crate::plan::model::Plan;
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Action of the step that a report is of.
const ACTION: &str = "s3.restore_versions";

/// What was rolled back.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Name of the bucket.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// What keys begin with.
    pub prefix: Option<String>,
    /// The one key.
    pub key: Option<String>,
    /// The instant.
    pub to: DateTime<Utc>,
    /// Whether keys of which nobody knows whether they existed count as not having existed.
    pub delete_uncertain: bool,
}

/// When the roll-back of a plan was planned, by the clock of S3; `None` of a plan that goes nowhere.
pub(super) fn as_of(plan: &Plan) -> Option<DateTime<Utc>> {
    let step = plan.steps.iter().find(|step| step.uses == ACTION)?;
    crate::base::clock::parse_instant(step.preview.outputs.get("as_of")?.as_str()?)
}

/// An earlier roll-back.
pub(super) struct Earlier {
    estate: Estate,
    environment: Environment,
    source: Source,
    as_of: DateTime<Utc>,
    reached: Option<DateTime<Utc>>,
}

/// Finds an earlier roll-back by its run.
///
/// # Errors
/// There is no such run, its journal cannot be read, or it is of another runbook.
pub(super) fn earlier(tools: &Tools, run: &str) -> Result<Earlier, CommandError> {
    let run = find_run(&tools.state, run)?;
    let damaged = |error: String| CommandError::new(Exit::Journal, format!("run {run}: {error}"));
    let records = known(&stored(&tools.state, &run)?)?;
    let state = RunState::fold(&records).map_err(|error| damaged(error.to_string()))?;
    let plan: Plan =
        serde_json::from_value(state.plan).map_err(|error| damaged(error.to_string()))?;
    let foreign = || {
        CommandError::usage(format!("run {run} ({}) is no roll-back of a bucket", plan.title))
            .help("name a run of `drctl s3 rollback`; `drctl history` shows them")
    };
    let as_of = as_of(&plan).ok_or_else(foreign)?;
    let text = |name: &str| plan.parameters.get(name).and_then(Json::as_str).map(str::to_owned);
    let to = text("to").and_then(|text| crate::base::clock::parse_instant(&text));
    let (Some(bucket), Some(to)) = (text("bucket"), to) else { return Err(foreign()) };
    let estate = tools.parse_estate(&plan.estate.file, &plan.estate.text)?;
    let environment = environment(&estate, &plan.environment.name)?.clone();
    let source = Source {
        bucket,
        region: text("region").unwrap_or_else(|| environment.region.clone()),
        prefix: text("prefix"),
        key: text("key"),
        to,
        delete_uncertain: plan.parameters.get("delete_uncertain") == Some(&Json::Bool(true)),
    };
    Ok(Earlier { estate, environment, source, as_of, reached: state.last_at })
}

impl Earlier {
    /// Whether time jumps: everything is simulated in process.
    pub(super) fn time(&self) -> Time {
        time_of(self.environment.is_simulated(), None)
    }

    /// Writes its report.
    ///
    /// # Errors
    /// See [`write`].
    pub(super) async fn write(
        &self,
        tools: &Tools,
        path: &Path,
        simulation: &SimulationArgs,
    ) -> Result<(), CommandError> {
        let since = Since { reached: self.reached, ..Since::default() };
        let session = Session::open(tools, &self.estate, &self.environment, simulation, since)?;
        let place = (&self.environment, &session);
        let written = write(path, place, &self.source, self.as_of).await;
        session.close()?;
        written
    }
}

/// Reads the bucket and writes how every object stands.
///
/// # Errors
/// The bucket cannot be read, or the file cannot be written.
pub(super) async fn write(
    path: &Path,
    (environment, session): (&Environment, &Session),
    source: &Source,
    as_of: DateTime<Utc>,
) -> Result<(), CommandError> {
    let cloud = session.cloud(GuardPolicy::DryRun).await?;
    verify_account(&cloud, environment).await?;
    let view = cloud.view(Overlay::default());
    let survey = Survey {
        view: &view,
        region: &source.region,
        bucket: &source.bucket,
        prefix: source.prefix.as_deref(),
        key: source.key.as_deref(),
        to: source.to,
        as_of,
        delete_uncertain: source.delete_uncertain,
        now: session.clock.now(),
    };
    let mut lines = Lines::begin(path)?;
    lines.line(&json!({
        "schema_version": 1,
        "bucket": source.bucket,
        "region": source.region,
        "prefix": source.prefix,
        "key": source.key,
        "to": format_instant(source.to),
        "as_of": format_instant(as_of),
        "environment": environment.name,
        "simulated": environment.is_simulated(),
        "read_at": format_instant(survey.now),
    }))?;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut each = |one: SurveyedKey| -> Result<(), Trouble> {
        *counts.entry(one.state.clone()).or_default() += 1;
        lines.line(&one).map_err(Trouble::File)
    };
    survey.each(&mut each).await.map_err(Trouble::shown)?;
    lines.line(&json!({ "total": counts }))?;
    lines.end()?;
    out::progress(&format!("objects: {}", path.display()));
    Ok(())
}

/// Why a report was not written.
enum Trouble {
    Read(ActionError),
    File(CommandError),
}

impl From<ActionError> for Trouble {
    fn from(error: ActionError) -> Self {
        Self::Read(error)
    }
}

impl Trouble {
    fn shown(self) -> CommandError {
        match self {
            Self::File(error) => error,
            Self::Read(ActionError::Cloud(error)) => error.into(),
            Self::Read(ActionError::Refused { why, help }) => {
                CommandError::new(Exit::StepFailed, why).help(help)
            }
            Self::Read(error) => {
                let credentials = error.class() == ErrorClass::Credentials;
                let exit = if credentials { Exit::Credentials } else { Exit::StepFailed };
                CommandError::new(exit, error.to_string())
            }
        }
    }
}

/// A file of lines that is put in its place when it is whole.
struct Lines {
    place: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
}

impl Lines {
    fn begin(place: &Path) -> Result<Self, CommandError> {
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let beside = place.with_file_name(name);
        let file = File::create(&beside).map_err(|error| failed(&beside, &error))?;
        Ok(Self { place: place.to_owned(), beside, file: BufWriter::new(file) })
    }

    fn line(&mut self, value: &impl serde::Serialize) -> Result<(), CommandError> {
        let text = serde_json::to_string(value).expect("plain data");
        writeln!(self.file, "{text}").map_err(|error| failed(&self.beside, &error))
    }

    fn end(mut self) -> Result<(), CommandError> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        let placed = written.and_then(|()| std::fs::rename(&self.beside, &self.place));
        placed.map_err(|error| failed(&self.place, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::new(Exit::Journal, format!("cannot write {}: {error}", path.display()))
        .help("the bucket can be read again: drctl s3 rollback --of RUN --report FILE")
}
