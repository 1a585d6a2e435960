//! How long steps take: from earlier runs, else from a cited range, else not known.
//!
//! **Invariant:** durations of simulated runs never predict real ones, nor the other way round.

use super::model::{Estimate, KnownTime};
use crate::action::CitedDuration;
use crate::action::spec::ActionSpec;
use crate::base::ids::StepKey;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Durations of succeeded steps in earlier runs of one kind, milliseconds, by action and step id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Durations {
    by_step: BTreeMap<(String, String), Vec<u64>>,
}

impl Durations {
    /// Adds one duration of step `id` that used `action`.
    pub fn add(&mut self, action: &str, id: &str, millis: u64) {
        self.by_step.entry((action.to_owned(), id.to_owned())).or_default().push(millis);
    }

    fn of(&self, action: &str, id: &str) -> Option<Estimate> {
        let mut list = self.by_step.get(&(action.to_owned(), id.to_owned()))?.clone();
        list.sort_unstable();
        Some(Estimate::History {
            median_ms: list[list.len() / 2],
            longest_ms: *list.last()?,
            runs: u32::try_from(list.len()).unwrap_or(u32::MAX),
        })
    }
}

/// The estimate for one step.
pub fn estimate(
    durations: &Durations,
    key: &StepKey,
    spec: &ActionSpec,
    cited: Option<CitedDuration>,
    simulated: bool,
) -> Estimate {
    if spec.waits_for_person() {
        // What a person took once says nothing about the next one, and is no time of a machine.
        return Estimate::Unknown { why: "a person decides".to_owned() };
    }
    if let Some(history) = durations.of(spec.name, key.id()) {
        return history;
    }
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    match cited {
        Some((low, high, source)) => Estimate::Cited {
            low_ms: millis(low),
            high_ms: millis(high),
            source: source.to_owned(),
        },
        None => {
            let kind = if simulated { "simulated" } else { "real" };
            Estimate::Unknown { why: format!("no earlier {kind} run and no cited range") }
        }
    }
}

/// Lower and upper end, milliseconds; what is unknown counts as nothing and is named elsewhere.
fn bounds(estimate: &Estimate) -> (u64, u64) {
    match estimate {
        Estimate::History { median_ms, longest_ms, .. } => (*median_ms, *longest_ms),
        Estimate::Cited { low_ms, high_ms, .. } => (*low_ms, *high_ms),
        Estimate::Unknown { .. } => (0, 0),
    }
}

/// A step as far as the critical path asks, in an order in which steps can run.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The step.
    pub key: &'a StepKey,
    /// Steps that it waits for.
    pub needs: &'a [StepKey],
    /// How long it takes.
    pub estimate: &'a Estimate,
    /// Whether it waits for a person: that is no time of a machine, and is counted apart.
    pub person: bool,
}

/// The longest chain that ends with a step.
#[derive(Debug, Clone, Copy)]
struct Chain<'a> {
    /// Its upper length, milliseconds.
    length: u64,
    /// How many steps it has.
    steps: usize,
    /// The step before the last one.
    before: Option<&'a StepKey>,
}

/// For each step the longest chain that ends with it.
fn chains<'a>(steps: &[Link<'a>]) -> BTreeMap<&'a StepKey, Chain<'a>> {
    let mut chains: BTreeMap<&StepKey, Chain<'_>> = BTreeMap::new();
    for step in steps {
        let needs = step.needs.iter().filter_map(|need| Some((need, *chains.get(need)?)));
        let longest = needs.max_by_key(|(_, chain)| chain.length);
        let own = bounds(step.estimate).1;
        let chain = match longest {
            Some((need, chain)) => {
                Chain { length: chain.length + own, steps: chain.steps + 1, before: Some(need) }
            }
            None => Chain { length: own, steps: 1, before: None },
        };
        chains.insert(step.key, chain);
    }
    chains
}

/// The steps of the chain that ends with `last`, in order.
fn path(chains: &BTreeMap<&StepKey, Chain<'_>>, last: &StepKey) -> Vec<StepKey> {
    let before = |key: &&StepKey| chains.get(*key).and_then(|chain| chain.before);
    let known = chains.get_key_value(last).map(|(key, _)| *key);
    let mut path: Vec<StepKey> = std::iter::successors(known, before).cloned().collect();
    path.reverse();
    path
}

/// The steps of the longest chain, in order.
pub fn critical_path(steps: &[Link<'_>]) -> Vec<StepKey> {
    let chains = chains(steps);
    let longest = chains.iter().max_by_key(|(_, chain)| (chain.length, chain.steps));
    longest.map(|(last, _)| path(&chains, last)).unwrap_or_default()
}

/// Time from the run's start to the last of the steps that count as recovered. Unknown when it is of
/// one of them.
pub fn recovery_time(steps: &[Link<'_>], recovered: &[StepKey]) -> Estimate {
    let chains = chains(steps);
    let times = recovered.iter().map(|last| time_to(steps, &chains, last));
    let unknown = |time: &Estimate| matches!(time, Estimate::Unknown { .. });
    let longest = times.max_by_key(|time| (unknown(time), bounds(time).1));
    longest.unwrap_or_else(|| Estimate::Unknown {
        why: "the runbook marks no step as recovered".to_owned(),
    })
}

/// What is known of the time to recovered, where it is not known as a whole.
pub(super) fn known_time(steps: &[Link<'_>], recovered: &[StepKey]) -> Option<KnownTime> {
    let chains = chains(steps);
    let all = recovered.iter().map(|last| Sum::of(steps, &chains, last).known);
    all.filter(|known| !known.unknown.is_empty()).max_by_key(|known| known.high_ms)
}

/// What the machines' steps of a chain take together.
struct Sum {
    known: KnownTime,
    sources: Vec<String>,
    runs: u32,
}

impl Sum {
    fn of(steps: &[Link<'_>], chains: &BTreeMap<&StepKey, Chain<'_>>, last: &StepKey) -> Self {
        let path: BTreeSet<StepKey> = path(chains, last).into_iter().collect();
        let known = KnownTime { low_ms: 0, high_ms: 0, unknown: Vec::new() };
        let mut sum = Self { known, sources: Vec::new(), runs: u32::MAX };
        let machines = |step: &&Link<'_>| !step.person;
        for step in steps.iter().filter(machines).filter(|step| path.contains(step.key)) {
            let (least, most) = bounds(step.estimate);
            sum.known.low_ms += least;
            sum.known.high_ms += most;
            match step.estimate {
                Estimate::History { runs: count, .. } => sum.runs = sum.runs.min(*count),
                Estimate::Cited { source, .. } => sum.sources.push(source.clone()),
                Estimate::Unknown { .. } => sum.known.unknown.push(step.key.clone()),
            }
        }
        sum
    }
}

fn time_to(steps: &[Link<'_>], chains: &BTreeMap<&StepKey, Chain<'_>>, last: &StepKey) -> Estimate {
    let Sum { known, mut sources, runs } = Sum::of(steps, chains, last);
    let KnownTime { low_ms, high_ms, unknown } = known;
    if !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.iter().map(StepKey::as_str).collect();
        let least = crate::base::duration::human(Duration::from_millis(low_ms));
        return Estimate::Unknown {
            why: format!("no duration is known for {}; at least {least}", unknown.join(", ")),
        };
    }
    if sources.is_empty() && runs == u32::MAX {
        return Estimate::Unknown { why: "no step on the way to recovered would run".to_owned() };
    }
    if sources.is_empty() {
        return Estimate::History { median_ms: low_ms, longest_ms: high_ms, runs };
    }
    sources.dedup();
    Estimate::Cited { low_ms, high_ms, source: sources.join("; ") }
}

/// Steps that the steps that count as recovered need, directly or not, and that wait for a person.
pub fn waits_for_people(steps: &[Link<'_>], recovered: &[StepKey]) -> Vec<StepKey> {
    let mut needed: BTreeSet<&StepKey> = recovered.iter().collect();
    for step in steps.iter().rev() {
        if needed.contains(step.key) {
            needed.extend(step.needs);
        }
    }
    let gates = steps.iter().filter(|step| step.person && needed.contains(step.key));
    gates.map(|step| step.key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_take_is_apart_from_what_machines_take() {
        let [decide, restore, later] = ["decide", "restore", "later"].map(StepKey::new);
        let asked = Estimate::Unknown { why: "a person decides".into() };
        let minute = Estimate::History { median_ms: 60_000, longest_ms: 90_000, runs: 2 };
        let (first, second) = ([decide.clone()], [restore.clone()]);
        let steps = [
            Link { key: &decide, needs: &[], estimate: &asked, person: true },
            Link { key: &restore, needs: &first, estimate: &minute, person: false },
            Link { key: &later, needs: &second, estimate: &asked, person: true },
        ];
        let only = std::slice::from_ref(&restore);
        assert_eq!(recovery_time(&steps, only), minute);
        let waits = waits_for_people(&steps, only);
        assert_eq!(waits, std::slice::from_ref(&decide), "what comes later delays nothing");
        assert_eq!(waits_for_people(&steps, &[]), []);
        assert!(matches!(recovery_time(&steps, &[]), Estimate::Unknown { .. }));
        let both = [restore.clone(), later.clone()];
        assert_eq!(waits_for_people(&steps, &both), [decide.clone(), later.clone()]);
    }

    #[test]
    fn of_several_the_last_one_counts() {
        let [quick, slow, dark] = ["quick", "slow", "dark"].map(StepKey::new);
        let history = |ms| Estimate::History { median_ms: ms, longest_ms: ms, runs: 1 };
        let (short, long) = (history(1_000), history(9_000));
        let unknown = Estimate::Unknown { why: "no history".into() };
        let steps = [
            Link { key: &slow, needs: &[], estimate: &long, person: false },
            Link { key: &quick, needs: &[], estimate: &short, person: false },
            Link { key: &dark, needs: &[], estimate: &unknown, person: false },
        ];
        assert_eq!(recovery_time(&steps, &[slow.clone(), quick.clone()]), long);
        let found = recovery_time(&steps, &[&dark, &slow, &quick].map(Clone::clone));
        assert!(matches!(found, Estimate::Unknown { .. }), "{found:?}");
    }

    #[test]
    fn what_nobody_measured_hides_nothing_of_what_is_known() {
        let [restore, tell] = ["restore", "tell"].map(StepKey::new);
        let minute = Estimate::History { median_ms: 60_000, longest_ms: 90_000, runs: 2 };
        let unknown = Estimate::Unknown { why: "no history".into() };
        let needs = [restore.clone()];
        let steps = [
            Link { key: &restore, needs: &[], estimate: &minute, person: false },
            Link { key: &tell, needs: &needs, estimate: &unknown, person: false },
        ];
        let known = known_time(&steps, std::slice::from_ref(&tell)).unwrap();
        let unknown = vec![tell.clone()];
        assert_eq!(known, KnownTime { low_ms: 60_000, high_ms: 90_000, unknown });
        assert_eq!(
            known_time(&steps, std::slice::from_ref(&restore)),
            None,
            "it is known as a whole"
        );
    }
}
