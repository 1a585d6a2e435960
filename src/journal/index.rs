//! The runs of a state directory, read from their journals.
//!
//! **Invariant:** nothing is kept beside the journals, so the list cannot be wrong; a journal that
//! cannot be read is listed with its problem, never left out.

use crate::base::ids::RunId;
use crate::journal::chain;
use crate::journal::error::JournalError;
use crate::journal::event::{Record, RunOutcome};
use crate::journal::fold::RunState;
use crate::journal::sqlite::SqliteStore;
use crate::journal::store::{Store, StoredRecord};
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};

/// The directory of all runs within a state directory.
pub const RUNS: &str = "runs";

/// The journal's file name within a run's directory.
pub const JOURNAL: &str = "journal.db";

/// What a list of runs shows of one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RunSummary {
    /// The run's id, or the directory's name when the journal does not say.
    pub run: String,
    /// The runbook's title.
    pub title: String,
    /// Name of the drill, if it is one.
    pub drill: Option<String>,
    /// Name of the environment.
    pub environment: String,
    /// Whether the simulator answered.
    pub simulated: bool,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// Steps that have ended, whatever their outcome.
    pub steps_done: usize,
    /// All steps.
    pub steps_total: usize,
    /// What an unfinished run waits for: an open question, or why it was interrupted.
    pub waiting: Option<String>,
    /// When a process last worked on it, in real time also where the run's own is simulated; `None` where no
    /// process of this machine ever did.
    pub worked_at: Option<DateTime<Utc>>,
    /// The journal.
    pub path: PathBuf,
    /// Why it could not be read, wholly or in part.
    pub problem: Option<String>,
}

/// The path of a run's journal.
pub fn journal_path(state_dir: &Path, run: &RunId) -> PathBuf {
    state_dir.join(RUNS).join(run.as_str()).join(JOURNAL)
}

/// All runs of a state directory, oldest first. A directory without runs is an empty list.
pub fn list_runs(state_dir: &Path) -> Vec<RunSummary> {
    let runs = state_dir.join(RUNS);
    let entries = match std::fs::read_dir(&runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let problem = Some(format!("cannot list {}: {error}", runs.display()));
            return vec![RunSummary { path: runs, problem, ..RunSummary::default() }];
        }
    };
    let mut summaries = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) if entry.path().is_dir() => summaries.push(read(&entry.path())),
            Ok(_) => {}
            Err(error) => summaries.push(RunSummary {
                path: runs.clone(),
                problem: Some(format!("cannot list {}: {error}", runs.display())),
                ..RunSummary::default()
            }),
        }
    }
    // Run ids sort by the time at which they were planned.
    summaries.sort_by(|one, other| one.run.cmp(&other.run));
    summaries
}

fn read(directory: &Path) -> RunSummary {
    let path = directory.join(JOURNAL);
    let named = directory.file_name().map(|name| name.to_string_lossy().into_owned());
    let read =
        |store: SqliteStore| -> Result<_, JournalError> { Ok((store.load()?, store.worked_at()?)) };
    let mut summary = match SqliteStore::open_read_only(&path).and_then(read) {
        Ok((stored, worked_at)) => RunSummary { worked_at, ..summarize(&stored) },
        Err(error) => RunSummary { problem: Some(error.to_string()), ..RunSummary::default() },
    };
    let named = named.unwrap_or_default();
    if !summary.run.is_empty() && RunId::parse(&named).is_some() && summary.run != named {
        summary.problem =
            Some(format!("it is the journal of run {}, not of this one", summary.run));
    }
    summary.run = named;
    RunSummary { path, ..summary }
}

impl RunSummary {
    /// What orders runs by when they were worked on last. Ids are minted of the run's own time, which in the
    /// simulator goes back with the world.
    pub fn recency(&self) -> (Option<DateTime<Utc>>, &str) {
        (self.worked_at, &self.run)
    }
}

/// The summary of one journal; its path is left empty.
pub fn summarize(stored: &[StoredRecord]) -> RunSummary {
    let known: Vec<Record> = stored.iter().map_while(|one| one.record.clone()).collect();
    let mut problem = chain::known(stored).err().map(|error| error.to_string());
    let mut state = RunState::default();
    for record in &known {
        if let Err(error) = state.apply(record) {
            problem = Some(error.to_string());
            break;
        }
    }
    if known.is_empty() && problem.is_none() {
        problem = Some("the journal is empty: the run died before it began".to_owned());
    }
    let text = |path: &str| state.plan.pointer(path).and_then(|value| value.as_str());
    let own = |path: &str| text(path).unwrap_or_default().to_owned();
    let asked = state.questions().next().map(|(_, question)| question.question.clone());
    RunSummary {
        run: state.run.as_ref().map(|run| run.as_str().to_owned()).unwrap_or_default(),
        title: own("/title"),
        drill: text("/mode/name").map(str::to_owned),
        environment: own("/environment/name"),
        simulated: state.plan.pointer("/environment/simulated") == Some(&true.into()),
        started_at: state.started_at,
        finished_at: state.finished.and(state.last_at),
        outcome: state.finished,
        steps_done: state.steps.values().filter(|step| step.status.is_over()).count(),
        steps_total: state.steps.len(),
        waiting: asked.or_else(|| state.interrupted.clone()),
        worked_at: None,
        path: PathBuf::new(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::journal::event::Event;
    use crate::journal::store::Takeover;
    use crate::journal::testing::{JournalBuilder, every_event, plan_with, run_id};
    use serde_json::json;
    use std::time::Duration;

    fn write(state_dir: &Path, name: &str, records: &[Record]) {
        let directory = state_dir.join(RUNS).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let mut store = SqliteStore::create(&directory.join(JOURNAL)).unwrap();
        let ttl = Duration::from_secs(60);
        store.acquire("a", simulated_epoch(), ttl, Takeover::IfExpired).unwrap();
        store.append(records).unwrap();
    }

    fn journal() -> JournalBuilder {
        let mut plan = plan_with(&["a", "b"]);
        plan["title"] = json!("Restore");
        plan["mode"] = json!({"kind": "drill", "name": "restore-db", "keep": false});
        plan["environment"] = json!({"name": "sim", "simulated": true});
        JournalBuilder::of_plan(plan)
    }

    #[test]
    fn runs_are_listed_and_unreadable_ones_too() {
        let state_dir = tempfile::tempdir().unwrap();
        let state_dir = state_dir.path();
        assert_eq!(list_runs(state_dir), []);
        let done = journal().ran(1, 2, "a", json!({})).ran(2, 3, "b", json!({}));
        let done = done.finish(4, RunOutcome::Succeeded);
        write(state_dir, run_id().as_str(), &done.records());
        std::fs::create_dir_all(state_dir.join("runs/empty")).unwrap();
        std::fs::create_dir_all(state_dir.join("runs/foreign")).unwrap();
        std::fs::write(state_dir.join("runs/foreign/journal.db"), "x".repeat(2_000)).unwrap();
        std::fs::write(state_dir.join("runs/stray.txt"), "").unwrap();
        write(state_dir, "unbegun", &[]);

        let runs = list_runs(state_dir);
        let names: Vec<&str> = runs.iter().map(|run| run.run.as_str()).collect();
        assert_eq!(names, [run_id().as_str(), "empty", "foreign", "unbegun"]);
        let problems: Vec<&str> =
            runs[1..].iter().map(|run| run.problem.as_deref().unwrap()).collect();
        assert!(problems[0].contains("no journal at"), "{problems:?}");
        assert!(problems[1].contains("not an SQLite file"), "{problems:?}");
        assert!(problems[2].contains("died before it began"), "{problems:?}");
        let done = &runs[0];
        assert_eq!(done.path, journal_path(state_dir, &run_id()));
        assert_eq!((done.problem.as_ref(), done.outcome), (None, Some(RunOutcome::Succeeded)));
        assert_eq!((done.steps_done, done.steps_total), (2, 2));
        assert_eq!((done.drill.as_deref(), done.simulated), (Some("restore-db"), true));
        assert_eq!((done.title.as_str(), done.environment.as_str()), ("Restore", "sim"));
        assert!(done.finished_at > done.started_at);
    }

    #[test]
    fn an_unfinished_run_says_what_it_waits_for() {
        let running = journal().start(1, "a");
        let summary = summarize(&running.stored());
        assert_eq!((summary.waiting, summary.outcome, summary.finished_at), (None, None, None));
        let stopped =
            running.clone().event(2, Event::RunInterrupted { reason: "signal".to_owned() });
        assert_eq!(summarize(&stopped.stored()).waiting.as_deref(), Some("signal"));
        let asked = every_event("a").into_iter().find(|event| event.kind() == "question_asked");
        let asked = running.event(2, asked.unwrap());
        assert_eq!(summarize(&asked.stored()).waiting.as_deref(), Some("go on?"));
    }

    #[test]
    fn what_follows_an_unknown_event_is_not_guessed() {
        let mut stored = journal().ran(1, 2, "a", json!({})).ran(3, 4, "b", json!({})).stored();
        stored[4].record = None;
        stored[4].kind = "moon_phase".to_owned();
        let summary = summarize(&stored);
        assert_eq!((summary.steps_done, summary.title.as_str()), (1, "Restore"));
        assert!(summary.problem.unwrap().contains("`moon_phase`"));
    }
}
