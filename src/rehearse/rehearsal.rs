//! The whole rehearsal of one runbook: scenarios, crashes, coverage, mutation.
//!
//! **Invariant:** scenarios come from the catalogue of faults, the clean run and the questions that were
//! asked, in an order that depends on nothing else.

use super::coverage::coverage;
use super::crash::{Crashes, crash_everywhere, replay};
use super::judge::{Finding, outcome, properties, signature};
use super::model::{
    CrashRow, REHEARSAL_VERSION, Rehearsal, ScenarioRow, StormRow, Subject, Violation,
};
use super::mutation::{Baseline, mutate};
use super::parallel;
use super::play::{Keep, Played, play};
use super::scenario::{Answers, Mode, PointName, Scenario, catalogue};
use super::stage::Stage;
use super::storm::storm;
use super::writers::{Writers, writers};
use crate::base::seed::Seed;
use crate::journal::fold::RunState;
use crate::plan::has_forms;
use crate::plan::model::{GateKind, OnFailure};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be rehearsed, and how thoroughly.
pub struct Order<'a> {
    /// A plan for each mode, each in a world of its own.
    pub stages: BTreeMap<Mode, Stage>,
    /// Name as it was asked for.
    pub name: String,
    /// The command without seed and point, to show a violation again.
    pub command: String,
    /// Seed of worlds and draws.
    pub seed: u64,
    /// Faults of the drill itself, which storms blow over too.
    pub standing: Vec<String>,
    /// These faults together instead of each one of the catalogue.
    pub faults: Vec<String>,
    /// Whether each scenario is killed everywhere.
    pub crash_everywhere: bool,
    /// How many storms blow over each mode.
    pub storms: u64,
    /// Whether guards are removed.
    pub mutate: bool,
    /// One scenario or point and nothing else.
    pub point: Option<PointName>,
    /// Told what is going on.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// A scenario that was played and judged.
struct Act {
    scenario: Scenario,
    played: Played,
    crashes: Option<Crashes>,
    writers: Writers,
}

impl Act {
    fn new(stage: &Stage, scenario: Scenario, played: Played, crashes: Option<Crashes>) -> Self {
        let writers = writers(stage, &played.world, &played.journal);
        Self { scenario, played, crashes, writers }
    }

    fn looked_at(&self) -> u64 {
        let crashed = self.crashes.as_ref().map_or(0, |crashes| crashes.looked_at);
        self.writers.instants + crashed
    }
}

impl Order<'_> {
    /// Rehearses.
    ///
    /// # Errors
    /// There is no such mode or point.
    pub fn rehearse(&self) -> Result<Rehearsal, String> {
        let acts = match &self.point {
            Some(point) if point.storm.is_some() => Vec::new(),
            Some(point) => vec![self.only(point)?],
            None => self.all(),
        };
        let (storms, stormy) = self.storms()?;
        let guards = (self.mutate && self.point.is_none()).then(|| {
            (self.progress)("removing one guard at a time");
            let baselines: Vec<Baseline> = acts
                .iter()
                .map(|act| {
                    Baseline::of(&self.stages[&act.scenario.mode], &act.scenario, &act.played)
                })
                .collect();
            mutate(&self.stages, &baselines)
        });
        let violations = acts.iter().flat_map(|act| self.violations(act));
        let violations: Vec<Violation> = violations.chain(stormy).collect();
        let scenarios = acts.iter().map(|act| self.row(act, &acts, &violations)).collect();
        let runs: Vec<(String, RunState)> =
            acts.iter().map(|act| (act.scenario.to_string(), act.played.state.clone())).collect();
        let first = self.first();
        let coverage = if self.point.is_some() { Vec::new() } else { coverage(first, &runs) };
        let subject = Subject {
            name: self.name.clone(),
            title: first.plan.title.clone(),
            file: first.runbook.file.clone(),
            estate: first.estate.name.clone(),
            environment: first.environment.name.clone(),
            seed: self.seed,
        };
        let schema_version = REHEARSAL_VERSION;
        let stormed = storms.as_ref().and_then(|row| row.met.get("instants looked at"));
        let looked_at = acts.iter().map(Act::looked_at).sum::<u64>() + stormed.unwrap_or(&0);
        Ok(Rehearsal {
            schema_version,
            subject,
            scenarios,
            coverage,
            guards,
            storms,
            looked_at,
            violations,
        })
    }

    /// The storms that were asked for: what they met, and what was not as it must be.
    fn storms(&self) -> Result<(Option<StormRow>, Vec<Violation>), String> {
        let due: Vec<(Mode, Vec<u64>)> = match &self.point {
            Some(PointName { storm: Some(number), scenario, .. }) => {
                self.stage(scenario.mode)?;
                vec![(scenario.mode, vec![*number])]
            }
            Some(_) => Vec::new(),
            None => self.stages.keys().map(|mode| (*mode, (1..=self.storms).collect())).collect(),
        };
        let mut row = StormRow::default();
        let mut violations = Vec::new();
        for (mode, numbers) in due {
            if numbers.is_empty() {
                continue;
            }
            (self.progress)(&format!("{} storms", numbers.len()));
            let seed_of = |number: &u64| Seed::new(self.seed).derive(&format!("storm/{number}"));
            let by_seed: BTreeMap<u64, u64> =
                numbers.iter().map(|number| (seed_of(number), *number)).collect();
            let blown = storm(self.stage(mode)?, &self.standing, numbers.iter().map(seed_of));
            row.storms += blown.seeds;
            for (what, count) in blown.counters {
                *row.met.entry(what).or_default() += count;
            }
            violations.extend(blown.findings.into_iter().map(|(seed, finding)| {
                self.violation(&PointName::storm(mode, by_seed[&seed]), None, finding)
            }));
        }
        Ok(((row.storms > 0).then_some(row), violations))
    }

    fn stage(&self, mode: Mode) -> Result<&Stage, String> {
        self.stages.get(&mode).ok_or_else(|| {
            let clean = |mode: &Mode| Scenario::clean(*mode).to_string();
            let known: Vec<String> = self.stages.keys().map(clean).collect();
            let asked = Scenario::clean(mode);
            format!("`{asked}`: {} is rehearsed as {}", self.name, known.join(" and "))
        })
    }

    fn first(&self) -> &Stage {
        self.stages.values().next().expect("there is a mode to rehearse")
    }

    /// One scenario, killed where `name` says.
    fn only(&self, name: &PointName) -> Result<Act, String> {
        let scenario = name.scenario.clone();
        let stage = self.stage(scenario.mode)?;
        if name.points.is_empty() {
            return Ok(self.act(scenario));
        }
        let played = play(stage, &scenario, Keep::Points);
        let crashes = Some(replay(stage, &played, name)?);
        Ok(Act::new(stage, scenario, played, crashes))
    }

    fn act(&self, scenario: Scenario) -> Act {
        let stage = &self.stages[&scenario.mode];
        let keep = if self.crash_everywhere { Keep::Points } else { Keep::Nothing };
        let mut played = play(stage, &scenario, keep);
        let crashes = self.crash_everywhere.then(|| {
            let crashes = crash_everywhere(stage, &scenario, &played, Seed::new(self.seed));
            let (points, instants) = (crashes.points, crashes.instants);
            (self.progress)(&format!("{scenario}: {points} crash points for {instants} instants"));
            // Each holds a world.
            played.points.points.clear();
            crashes
        });
        Act::new(stage, scenario, played, crashes)
    }

    fn acts(&self, scenarios: Vec<Scenario>) -> Vec<Act> {
        if scenarios.is_empty() {
            return Vec::new();
        }
        if self.crash_everywhere {
            return scenarios.into_iter().map(|scenario| self.act(scenario)).collect();
        }
        (self.progress)(&format!("playing {} scenarios", scenarios.len()));
        parallel::map(&scenarios, |scenario| self.act(scenario.clone()))
    }

    /// Clean runs first: which calls there are, decides which faults there can be; then what is asked
    /// decides which answers there can be.
    fn all(&self) -> Vec<Act> {
        let modes = || self.stages.keys().copied();
        if !self.faults.is_empty() {
            let with = |mode| Scenario { faults: self.faults.clone(), ..Scenario::clean(mode) };
            let mut acts = self.acts(modes().map(with).collect());
            acts.extend(self.acts(self.answered_otherwise(&acts)));
            return acts;
        }
        let mut acts = self.acts(modes().map(Scenario::clean).collect());
        let mut scenarios = Vec::new();
        for act in &acts {
            let mode = act.scenario.mode;
            let faults = catalogue().into_iter().chain(struck_later(&act.played));
            scenarios.extend(faults.map(|fault| Scenario::with(mode, &fault)));
            // To a run without forms a switch is a line in the journal.
            let forms = has_forms(&self.stages[&mode].plan);
            let commanded = Answers::COMMANDS.into_iter();
            let commanded = commanded.filter(|it| forms || *it != Answers::Switch);
            scenarios
                .extend(commanded.map(|answers| Scenario { answers, ..Scenario::clean(mode) }));
        }
        let first = *self.stages.keys().next().expect("there is a mode to rehearse");
        // A notice is waited for by nobody, a gate by everybody.
        let steps = self.first().plan.steps.iter().filter(|step| step.gate.is_none());
        let late: BTreeSet<String> = steps.map(|step| step.key.id().to_owned()).collect();
        scenarios.extend(
            late.into_iter().map(|step| Scenario { late: Some(step), ..Scenario::clean(first) }),
        );
        acts.extend(self.acts(scenarios));
        acts.extend(self.acts(self.answered_otherwise(&acts)));
        acts
    }

    /// The same scenarios with the other answers, where a question was asked.
    fn answered_otherwise(&self, acts: &[Act]) -> Vec<Scenario> {
        let mut scenarios = Vec::new();
        for act in acts {
            let stage = &self.stages[&act.scenario.mode];
            let asked = |wanted: fn(&crate::plan::model::PlannedStep) -> bool| {
                stage.plan.steps.iter().any(|step| {
                    let found = act.played.state.steps.get(&step.key);
                    wanted(step) && found.is_some_and(|found| found.answer.is_some())
                })
            };
            let mut with = |answers: &[Answers]| {
                let other =
                    |answers: &Answers| Scenario { answers: *answers, ..act.scenario.clone() };
                scenarios.extend(answers.iter().map(other));
            };
            if act.scenario.faults.is_empty() && asked(|step| step.gate == Some(GateKind::Person)) {
                with(&Answers::AT_GATES);
            }
            if asked(|step| step.on_failure == OnFailure::Ask && step.gate.is_none()) {
                with(&Answers::AFTER_FAILURES);
            }
        }
        scenarios
    }

    fn row(&self, act: &Act, acts: &[Act], violations: &[Violation]) -> ScenarioRow {
        let scenario = act.scenario.to_string();
        let stage = &self.stages[&act.scenario.mode];
        let plain = Scenario { faults: Vec::new(), ..act.scenario.clone() };
        let without = acts.iter().find(|other| other.scenario == plain);
        let same = |other: &Act| {
            signature(stage, &plain, &other.played) == signature(stage, &plain, &act.played)
        };
        let as_without_faults = !act.scenario.faults.is_empty() && without.is_some_and(same);
        let crashes = act.crashes.as_ref().map(|crashes| CrashRow {
            instants: crashes.instants,
            points: crashes.points,
            folded: crashes.instants.saturating_sub(crashes.points as u64),
            journals: crashes.journals,
            second: crashes.second,
        });
        let violations = violations.iter().filter(|found| found.scenario == scenario).count();
        ScenarioRow {
            outcome: outcome(&act.played).to_owned(),
            stops: act.played.stops.clone(),
            as_without_faults,
            crashes,
            agreed: act.writers.accepted.clone(),
            violations,
            scenario,
        }
    }

    fn violations(&self, act: &Act) -> Vec<Violation> {
        let stage = &self.stages[&act.scenario.mode];
        let named = |points: Vec<usize>| PointName::at(&act.scenario, points);
        let own = properties(stage, &act.scenario, &act.played);
        let own = own.into_iter().map(|finding| self.violation(&named(Vec::new()), None, finding));
        let crashed = act.crashes.iter().flat_map(|crashes| &crashes.findings);
        let crashed = crashed
            .map(|(point, at, finding)| self.violation(point, Some(at.clone()), finding.clone()));
        own.chain(crashed).collect()
    }

    fn violation(&self, name: &PointName, at: Option<String>, finding: Finding) -> Violation {
        let replay = format!("{} --seed {} --point {name}", self.command, self.seed);
        Violation {
            scenario: name.scenario.to_string(),
            point: (!name.is_whole()).then(|| name.to_string()),
            at,
            property: finding.property.to_owned(),
            message: finding.message,
            replay,
        }
    }
}

/// Faults that strike a later mutation than the first, which those of the catalogue strike.
fn struck_later(clean: &Played) -> Vec<String> {
    let log = clean.world.mutations();
    let first = log.first().map(|record| record.operation.clone());
    let later: BTreeSet<String> = log
        .into_iter()
        .map(|record| record.operation)
        .filter(|name| Some(name) != first.as_ref())
        .collect();
    let kinds = ["error-before-effect", "error-after-effect", "lost-answer"];
    later.iter().flat_map(|name| kinds.map(|kind| format!("{kind}={name}"))).collect()
}
