//! One drill of the table: what became of it.
//!
//! **Invariant:** every figure comes from the run's report or its plan; what did not begin has none.

use crate::base::ids::RunId;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::plan::model::{Estimate, Plan};
use crate::plan::predicted_failures;
use crate::report::model::WaterfallEnd;
use crate::report::{ObjectiveStatus, Report};

/// A row.
pub(super) struct Row {
    /// Name of the drill.
    pub drill: String,
    /// Its title for people; the name where the file says none.
    pub scenario: String,
    /// Exit code of the drill by itself.
    pub exit: Exit,
    /// How it ended, a word or two.
    pub outcome: String,
    /// The run, once it has one.
    pub run: Option<RunId>,
    /// Why it is not as it should be.
    pub why: Option<String>,
    /// What there is of it.
    pub body: Body,
}

/// What there is of a drill.
pub(super) enum Body {
    /// It did not begin.
    Nothing,
    /// It was planned, in a dry run.
    Planned(Box<Plan>),
    /// It ran.
    Ran(Box<Report>),
}

/// What a promise came to over all objectives of one drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// One was missed.
    Missed,
    /// One was not measured.
    Unknown,
    /// All were met.
    Met,
    /// Nothing was promised.
    NotPromised,
}

impl Kept {
    /// As in the table.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Missed => "MISSED",
            Self::Unknown => "unknown",
            Self::Met => "met",
            Self::NotPromised => "not promised",
        }
    }
}

impl Row {
    /// A drill that nothing has become of yet.
    pub(super) fn new(drill: &str, scenario: Option<&str>) -> Self {
        Self {
            drill: drill.to_owned(),
            scenario: scenario.unwrap_or(drill).to_owned(),
            exit: Exit::Ok,
            outcome: String::new(),
            run: None,
            why: None,
            body: Body::Nothing,
        }
    }

    /// One that was not begun, because somebody stopped the list.
    pub(super) fn not_begun(drill: &str, scenario: Option<&str>) -> Self {
        Self::new(drill, scenario).stopped()
    }

    /// The same.
    pub(super) fn stopped(self) -> Self {
        let why = Some("not begun: stopped by hand".to_owned());
        Self { exit: Exit::Waiting, outcome: "not begun".to_owned(), why, ..self }
    }

    /// One that could not begin.
    pub(super) fn failed(self, error: &CommandError) -> Self {
        let why = Some(error.brief().to_owned());
        Self { exit: error.exit, outcome: "CANNOT START".to_owned(), why, ..self }
    }

    /// One that was only planned.
    pub(super) fn planned(self, plan: Plan) -> Self {
        let failures = predicted_failures(&plan);
        let (exit, outcome) = match failures.len() {
            0 => (Exit::Ok, "will run"),
            _ => (Exit::StepFailed, "WOULD FAIL"),
        };
        let why = failures.first().cloned();
        Self { exit, outcome: outcome.to_owned(), why, body: Body::Planned(Box::new(plan)), ..self }
    }

    /// One that ran.
    pub(super) fn ran(self, run: RunId, ended: Result<Exit, CommandError>, report: Report) -> Self {
        let verdict = &report.verdict;
        let outcome = verdict.outcome.as_deref().unwrap_or("waiting").to_owned();
        let (exit, mut why) = match ended {
            Ok(exit) => (exit, None),
            Err(error) => (error.exit, Some(error.brief().to_owned())),
        };
        if why.is_none() && exit != Exit::Ok {
            why = Some(verdict.headline.clone());
        }
        Self { exit, outcome, run: Some(run), why, body: Body::Ran(Box::new(report)), ..self }
    }

    /// Measured recovery time and point, milliseconds; in a dry run what is predicted at most.
    pub(super) fn figures(&self) -> (Option<u64>, Option<u64>) {
        match &self.body {
            Body::Nothing => (None, None),
            Body::Planned(plan) => {
                let time = match &plan.prediction.recovery_time {
                    Estimate::History { longest_ms: high, .. }
                    | Estimate::Cited { high_ms: high, .. } => Some(*high),
                    Estimate::Unknown { .. } => None,
                };
                (time, plan.prediction.recovery_point.loss_ms)
            }
            Body::Ran(report) => {
                let recovered = report.waterfall.to_what == WaterfallEnd::Recovered;
                let time = recovered.then_some(report.waterfall.total_ms);
                (time, report.recovery_point.proven_ms)
            }
        }
    }

    /// Promised recovery time and point, milliseconds.
    pub(super) fn promised(&self) -> (Option<u64>, Option<u64>) {
        match &self.body {
            Body::Nothing => (None, None),
            Body::Planned(plan) => {
                (plan.objectives.recovery_time_ms, plan.objectives.recovery_point_ms)
            }
            Body::Ran(report) => {
                let of = |name: &str| report.objectives.iter().find(|one| one.name == name);
                let promised = |name: &str| of(name).and_then(|one| one.promised_ms);
                (promised("recovery_time"), promised("recovery_point"))
            }
        }
    }

    /// Whether what was promised was kept; `None` for what did not run.
    pub(super) fn kept(&self) -> Option<Kept> {
        let Body::Ran(report) = &self.body else { return None };
        let any = |status| report.objectives.iter().any(|one| one.status == status);
        Some(if any(ObjectiveStatus::Missed) {
            Kept::Missed
        } else if any(ObjectiveStatus::Unknown) {
            Kept::Unknown
        } else if any(ObjectiveStatus::Met) {
            Kept::Met
        } else {
            Kept::NotPromised
        })
    }

    /// Predictions that held, of those that could be compared.
    pub(super) fn prediction(&self) -> Option<(u32, u32)> {
        let Body::Ran(report) = &self.body else { return None };
        report.prediction.as_ref().map(|score| (score.held, score.total))
    }

    /// What stands above the figures of a run that AWS did not answer.
    pub(super) fn banner(&self) -> Option<&str> {
        match &self.body {
            Body::Nothing => None,
            Body::Planned(plan) => plan.environment.banner(),
            Body::Ran(report) => report.run.banner.as_deref(),
        }
    }

    /// Name of the environment.
    pub(super) fn environment(&self) -> Option<&str> {
        match &self.body {
            Body::Nothing => None,
            Body::Planned(plan) => Some(&plan.environment.name),
            Body::Ran(report) => Some(&report.run.environment),
        }
    }
}
