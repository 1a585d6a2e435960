//! The crash matrix: a run is killed at every point and taken up, and a sample of those who take it up is
//! killed as well.
//!
//! **Invariant:** every point of the run is tried; only the second crash is a sample, drawn by the seed.

use super::judge::{Finding, same_end};
use super::parallel;
use super::play::{Keep, Played, take_up};
use super::points::Point;
use super::scenario::{PointName, Scenario};
use super::stage::Stage;
use crate::base::seed::Seed;
use std::collections::BTreeSet;

/// Of the first crashes one in so many has its resume killed too.
const SECOND: u64 = 6;
/// At most so many points of such a resume.
const SAMPLE: usize = 3;

/// What killing a run everywhere found.
#[derive(Debug, Default)]
pub struct Crashes {
    /// Instants of the run.
    pub instants: u64,
    /// Points that stand for them; all were tried.
    pub points: usize,
    /// Different journals among them.
    pub journals: usize,
    /// Resumes that were killed as well.
    pub second: usize,
    /// Instants at which writers and names were looked at.
    pub looked_at: u64,
    /// What was not as without a crash, and where.
    pub findings: Vec<(PointName, String, Finding)>,
}

/// Kills the run `whole` of `scenario` at each of its points.
pub fn crash_everywhere(stage: &Stage, scenario: &Scenario, whole: &Played, seed: Seed) -> Crashes {
    let points = &whole.points.points;
    let numbers: Vec<usize> = (1..=points.len()).collect();
    let tried = parallel::map(&numbers, |number| {
        let drawn = seed.derive(&format!("second/{scenario}/{number}"));
        crash_at(stage, scenario, whole, *number, drawn)
    });
    let journals: BTreeSet<u64> = points.iter().map(|point| point.records).collect();
    let mut crashes = Crashes {
        instants: whole.points.instants,
        points: points.len(),
        journals: journals.len(),
        ..Crashes::default()
    };
    for ((second, looked_at), findings) in tried {
        crashes.second += second;
        crashes.looked_at += looked_at;
        crashes.findings.extend(findings);
    }
    crashes
}

type Found = Vec<(PointName, String, Finding)>;

fn crash_at(
    stage: &Stage,
    scenario: &Scenario,
    whole: &Played,
    number: usize,
    drawn: u64,
) -> ((usize, u64), Found) {
    let point = &whole.points.points[number - 1];
    let keep = if drawn.is_multiple_of(SECOND) { Keep::Points } else { Keep::Nothing };
    let again = take_up(stage, scenario, &whole.journal, point, keep);
    let named = |points: Vec<usize>| PointName::at(scenario, points);
    let looked_at = |played: &Played| played.world.sightings().map_or(0, |seen| seen.instants);
    let mut looked = looked_at(&again);
    let mut found = told(&named(vec![number]), point, same_end(stage, scenario, whole, &again));
    let all = again.points.points.len();
    let mut stream = Seed::new(drawn).stream("sample");
    let sample: BTreeSet<usize> = (0..SAMPLE.min(all)).map(|_| stream.usize(1..=all)).collect();
    for second in &sample {
        let point = &again.points.points[second - 1];
        let third = take_up(stage, scenario, &again.journal, point, Keep::Nothing);
        looked += looked_at(&third);
        let name = named(vec![number, *second]);
        found.extend(told(&name, point, same_end(stage, scenario, whole, &third)));
    }
    ((sample.len(), looked), found)
}

fn told(name: &PointName, point: &Point, findings: Vec<Finding>) -> Found {
    let place = format!("{} with {} records", point.when, point.records);
    findings.into_iter().map(|finding| (name.clone(), place.clone(), finding)).collect()
}

/// Kills the run `whole` at the points that `name` says, and at no other.
///
/// # Errors
/// It has no such point.
pub fn replay(stage: &Stage, whole: &Played, name: &PointName) -> Result<Crashes, String> {
    let (instants, scenario) = (whole.points.instants, &name.scenario);
    let mut crashes = Crashes { instants, ..Crashes::default() };
    let mut last: Option<Played> = None;
    for (place, number) in name.points.iter().enumerate() {
        let before = last.as_ref().unwrap_or(whole);
        let all = before.points.points.len();
        let point = before.points.points.get(number - 1).ok_or_else(|| {
            format!("there is no point {number}: the run has {all} of them with this seed")
        })?;
        let again = take_up(stage, scenario, &before.journal, point, Keep::Points);
        if place + 1 == name.points.len() {
            (crashes.points, crashes.journals) = (1, 1);
            crashes.second = place;
            crashes.findings = told(name, point, same_end(stage, scenario, whole, &again));
        }
        last = Some(again);
    }
    Ok(crashes)
}
