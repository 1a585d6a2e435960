//! What is rehearsed: a mode, the answers that people give, and faults.
//!
//! **Invariant:** a scenario's name is all there is to it: reading it back gives the same scenario.

use crate::estate::{FAULTS, FaultKind, FaultSpec};
use std::fmt;
use std::str::FromStr;

/// Whether what is made is deleted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// As `drctl drill` does it.
    Drill,
    /// As `drctl drill --keep` does it.
    Kept,
    /// As `drctl run` does it.
    Run,
}

impl Mode {
    /// All modes by name.
    const NAMES: [(&'static str, Self); 3] =
        [("drill", Self::Drill), ("kept", Self::Kept), ("run", Self::Run)];
}

/// What the harness answers when the run asks. Whether something of which nobody knows was done, it
/// answers as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Answers {
    /// Opens gates; ends a run whose failure it is asked about.
    #[default]
    Approve,
    /// Rejects at gates.
    Reject,
    /// Does not answer gates at all, until their time is over.
    Nobody,
    /// Opens gates; has a failed step tried once more, then ends the run.
    Retry,
    /// Opens gates; goes on after a failure.
    Continue,
    /// Opens gates; goes on without the step that failed.
    Skip,
    /// Opens gates; has what was done undone after a failure.
    Undo,
    /// Pauses the run when it begins its first mutation, and lets it go on after that.
    Pause,
    /// Switches the form of the run when it begins its first mutation.
    Switch,
    /// Aborts the run when it begins its first mutation.
    Abort,
    /// The same, and has what was done undone.
    AbortUndo,
}

impl Answers {
    /// All but the usual by name.
    const NAMES: [(&'static str, Self); 10] = [
        ("reject", Self::Reject),
        ("nobody", Self::Nobody),
        ("retry", Self::Retry),
        ("continue", Self::Continue),
        ("skip", Self::Skip),
        ("undo", Self::Undo),
        ("pause", Self::Pause),
        ("switch", Self::Switch),
        ("abort", Self::Abort),
        ("abort-undo", Self::AbortUndo),
    ];
    /// Those that differ at gates.
    pub const AT_GATES: [Self; 2] = [Self::Reject, Self::Nobody];
    /// Those that differ after a failure.
    pub const AFTER_FAILURES: [Self; 4] = [Self::Retry, Self::Continue, Self::Skip, Self::Undo];
    /// Those that command something from another terminal.
    pub const COMMANDS: [Self; 4] = [Self::Pause, Self::Switch, Self::Abort, Self::AbortUndo];

    /// Whether a run of it is aborted: then it depends on the instant how far it got.
    pub fn aborts(self) -> bool {
        matches!(self, Self::Abort | Self::AbortUndo)
    }
}

/// One way that a run can go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scenario {
    /// Whether what is made is kept.
    pub mode: Mode,
    /// Answers to questions.
    pub answers: Answers,
    /// Id of a step whose looks take minutes, so that whoever does not wait for it goes ahead.
    pub late: Option<String>,
    /// Faults of the simulator, as people write them, from the beginning of the run.
    pub faults: Vec<String>,
}

impl Scenario {
    /// Nothing goes wrong.
    pub fn clean(mode: Mode) -> Self {
        Self { mode, answers: Answers::default(), late: None, faults: Vec::new() }
    }

    /// With one fault.
    pub fn with(mode: Mode, fault: &str) -> Self {
        Self { faults: vec![fault.to_owned()], ..Self::clean(mode) }
    }

    /// Whether nothing is made to go wrong and everybody agrees.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty() && self.answers == Answers::Approve
    }

    /// Whether a fault brings wrong data back.
    pub fn restores_wrongly(&self) -> bool {
        let kinds = self.faults.iter().filter_map(|text| FaultSpec::parse(text).ok());
        kinds.into_iter().any(|fault| fault.kind == FaultKind::WrongRestore)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = Mode::NAMES.iter().find(|(_, mode)| *mode == self.mode);
        f.write_str(mode.map_or("", |(name, _)| name))?;
        if let Some((name, _)) = Answers::NAMES.iter().find(|(_, answers)| *answers == self.answers)
        {
            write!(f, ".{name}")?;
        }
        if let Some(step) = &self.late {
            write!(f, "~{step}")?;
        }
        self.faults.iter().try_for_each(|fault| write!(f, "+{fault}"))
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('+');
        let head = parts.next().unwrap_or_default();
        let (head, late) = match head.split_once('~') {
            Some((head, late)) => (head, Some(late.to_owned())),
            None => (head, None),
        };
        let (mode, answers) = match head.split_once('.') {
            Some((mode, answers)) => (mode, Some(answers)),
            None => (head, None),
        };
        let mode = Mode::NAMES.iter().find(|(name, _)| *name == mode).ok_or_else(|| {
            format!("`{mode}` is no mode of a rehearsal: it is drill, kept or run")
        })?;
        let answers = match answers {
            None => Answers::default(),
            Some(word) => {
                let found = Answers::NAMES.iter().find(|(name, _)| *name == word);
                let known = Answers::NAMES.map(|(name, _)| name).join(", ");
                found.ok_or_else(|| format!("`{word}` is no answer: it is {known}"))?.1
            }
        };
        let faults: Vec<String> = parts.map(str::to_owned).collect();
        for fault in &faults {
            FaultSpec::parse(fault).map_err(|why| format!("fault `{fault}`: {why}"))?;
        }
        Ok(Self { mode: mode.1, answers, late, faults })
    }
}

/// What a storm's number follows.
const STORM: &str = "storm";

/// A scenario and, where it is killed, the number of the point: `drill+slow@17`, and of the point of the
/// process that took it up: `drill+slow@17.4`. `drill@storm9` is the ninth storm over the clean scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointName {
    /// The scenario.
    pub scenario: Scenario,
    /// Where it is killed, and where the second process is.
    pub points: Vec<usize>,
    /// Number of the storm, from 1.
    pub storm: Option<u64>,
}

impl PointName {
    /// The scenario, killed at `points`.
    pub fn at(scenario: &Scenario, points: Vec<usize>) -> Self {
        Self { scenario: scenario.clone(), points, storm: None }
    }

    /// A storm over the run in `mode`.
    pub fn storm(mode: Mode, number: u64) -> Self {
        Self { storm: Some(number), ..Self::at(&Scenario::clean(mode), Vec::new()) }
    }

    /// Whether it is a scenario that nothing kills.
    pub fn is_whole(&self) -> bool {
        self.points.is_empty() && self.storm.is_none()
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scenario.fmt(f)?;
        if let Some(number) = self.storm {
            write!(f, "@{STORM}{number}")?;
        }
        for (place, number) in self.points.iter().enumerate() {
            write!(f, "{}{number}", if place == 0 { '@' } else { '.' })?;
        }
        Ok(())
    }
}

impl FromStr for PointName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scenario, points)) = text.rsplit_once('@') else {
            return Ok(Self::at(&text.parse::<Scenario>()?, Vec::new()));
        };
        let scenario: Scenario = scenario.parse()?;
        if let Some(number) = points.strip_prefix(STORM) {
            let number = number.parse::<u64>().ok().filter(|number| *number > 0);
            let number = number.ok_or_else(|| format!("`{points}` is no number of a storm"))?;
            if scenario != Scenario::clean(scenario.mode) {
                return Err("a storm brings its own faults: write MODE@stormNUMBER".to_owned());
            }
            return Ok(Self::storm(scenario.mode, number));
        }
        let number = |part: &str| {
            let number = part.parse::<usize>().ok().filter(|number| *number > 0);
            number.ok_or_else(|| format!("`{part}` is no number of a point: they count from 1"))
        };
        let points = points.split('.').map(number).collect::<Result<Vec<_>, _>>()?;
        if points.len() > 2 {
            return Err("at most two processes are killed: write @POINT or @POINT.POINT".to_owned());
        }
        Ok(Self::at(&scenario, points))
    }
}

/// One fault of each kind in the catalogue, and each wrong restore.
pub fn catalogue() -> Vec<String> {
    let mut faults = Vec::new();
    for entry in FAULTS {
        match entry.kind {
            FaultKind::WrongRestore => {
                let wrong = ["stale", "empty-table", "missing-schema", "wrong-database"];
                faults.extend(wrong.map(|value| format!("{}={value}", entry.name)));
            }
            // In the middle of most runs, and back before the patience of a step ends.
            FaultKind::RegionLost => {
                faults.push(format!("{}=us-east-1/after=10m/for=2m", entry.name));
            }
            // Which service is the runbook's business: whoever rehearses names it.
            FaultKind::ServiceUnhealthy => {}
            _ => faults.push(entry.name.to_owned()),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        let storm = PointName::storm(Mode::Kept, 12);
        assert_eq!(storm.to_string(), "kept@storm12");
        assert_eq!("kept@storm12".parse::<PointName>(), Ok(storm));
        for text in [
            "drill",
            "kept+slow=2.5",
            "run.reject+control-plane-down=us-east-1/hang+lost-answer=DeleteDBInstance",
            "drill.undo",
            "drill.abort-undo",
            "drill~verify",
            "run.reject~verify+throttled=0.2",
        ] {
            assert_eq!(text.parse::<Scenario>().expect(text).to_string(), text);
            for point in [format!("{text}@7"), format!("{text}@7.12"), text.to_owned()] {
                assert_eq!(point.parse::<PointName>().expect(text).to_string(), point);
            }
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_what_it_may_be() {
        for (text, part) in [
            ("dril", "drill, kept or run"),
            ("", "drill, kept or run"),
            ("drill.maybe", "reject, nobody"),
            ("drill+throtled", "did you mean `throttled`?"),
            ("drill@0", "count from 1"),
            ("drill@x", "count from 1"),
            ("drill@1.2.3", "at most two"),
            ("drill@storm", "no number of a storm"),
            ("drill+slow@storm3", "its own faults"),
        ] {
            let why = text.parse::<PointName>().expect_err(text);
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn the_catalogue_has_a_value_for_each_fault() {
        let faults = catalogue();
        for entry in FAULTS.iter().filter(|entry| entry.kind != FaultKind::ServiceUnhealthy) {
            assert!(faults.iter().any(|text| text.starts_with(entry.name)), "{}", entry.name);
        }
        faults.iter().for_each(|text| drop(FaultSpec::parse(text).expect(text)));
    }
}
