//! Identifiers: runs, step keys, and the names drctl gives to what it creates.
//!
//! **Invariant:** a name is a pure function of run, step and source, so that a resumed run finds its
//! own resources by name.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// AWS's limit for a database instance identifier.
pub const RDS_NAME_LIMIT: usize = 63;

/// A new ULID in lower case: 26 characters that sort by `at`, with 80 random bits.
pub fn mint_ulid(at: DateTime<Utc>, random: &mut fastrand::Rng) -> String {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    ulid::Ulid::from_parts(millis, random.u128(..)).to_string().to_ascii_lowercase()
}

/// A run: 26 lower-case characters, sortable by the time it was planned (a ULID).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// A new id from the planning time and 80 random bits.
    pub fn mint(at: DateTime<Utc>, random: &mut fastrand::Rng) -> Self {
        Self(mint_ulid(at, random))
    }

    /// Reads an id that a person typed or a file holds; `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let valid =
            lower.len() == 26 && ulid::Ulid::from_string(&lower.to_ascii_uppercase()).is_ok();
        valid.then_some(Self(lower))
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The eight last, random characters: `run8` in resource names.
    pub fn short(&self) -> &str {
        &self.0[self.0.len() - 8..]
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A step of a plan: its id, and for an expanded step the item in brackets: `scale[backend]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepKey(String);

impl StepKey {
    /// The key of a step that is not expanded.
    pub fn new(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The key of one item of an expanded step.
    pub fn item(id: &str, item: &str) -> Self {
        Self(format!("{id}[{item}]"))
    }

    /// The whole key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The step's id without the item: `scale`, and of a called runbook's step `failover/scale`.
    pub fn id(&self) -> &str {
        self.0.split('[').next().unwrap_or(&self.0)
    }

    /// The call that the step belongs to, `failover` of `failover/scale`; empty for a step of the run's own
    /// runbook.
    pub fn frame(&self) -> &str {
        frame_of(self.id())
    }

    /// The id by which steps of its own runbook know it: `scale` of `failover/scale`.
    pub fn local(&self) -> &str {
        local_of(self.id())
    }

    /// The key of the step with this id beside it.
    #[must_use]
    pub fn beside(&self, id: &str) -> Self {
        Self(joined(self.frame(), id))
    }

    /// Whether the step belongs to the call `frame`, or to one within it; to the run it always does.
    pub fn is_within(&self, frame: &str) -> bool {
        frame.is_empty() || self.0.strip_prefix(frame).is_some_and(|rest| rest.starts_with(FRAME))
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands between a call and a step of the runbook that it calls.
const FRAME: char = '/';

/// The call in an id; empty for a step of the run's own runbook.
pub fn frame_of(id: &str) -> &str {
    id.rsplit_once(FRAME).map_or("", |(frame, _)| frame)
}

/// What is left of an id without the calls that lead to it.
pub fn local_of(id: &str) -> &str {
    id.rsplit_once(FRAME).map_or(id, |(_, local)| local)
}

/// The id of the step `local` in the call `frame`.
pub fn joined(frame: &str, local: &str) -> String {
    if frame.is_empty() { local.to_owned() } else { format!("{frame}{FRAME}{local}") }
}

/// A call and all calls that it stands in, innermost first; the run itself is none of them.
pub fn frames(frame: &str) -> impl Iterator<Item = &str> {
    fn outer<'a>(frame: &&'a str) -> Option<&'a str> {
        let inner: &'a str = frame;
        Some(frame_of(inner)).filter(|frame| !frame.is_empty())
    }
    std::iter::successors(Some(frame).filter(|frame| !frame.is_empty()), outer)
}

/// The name of a database instance that a step of a run creates beside `source`:
/// `drctl-<source, cut>-<run8>-<step6>`. Letter first, no `--`, at most 63 characters.
pub fn rds_name(source: &str, run: &RunId, step: &StepKey) -> String {
    let tail = format!("{}-{}", run.short(), step_suffix(step));
    let room = RDS_NAME_LIMIT - "drctl-".len() - 1 - tail.len();
    let cut: String = single_dashes(source).chars().take(room).collect();
    let source = cut.trim_matches('-');
    if source.is_empty() { format!("drctl-{tail}") } else { format!("drctl-{source}-{tail}") }
}

/// Whether `name` is one that [`rds_name`] gives to what `step` of `run` creates, whatever its source is.
/// Tags are copied by AWS and by people, names are not.
pub fn is_rds_name(name: &str, run: &RunId, step: &StepKey) -> bool {
    let tail = format!("-{}-{}", run.short(), step_suffix(step));
    name.strip_suffix(&tail).is_some_and(|head| head == "drctl" || head.starts_with("drctl-"))
}

/// Six characters that tell the steps of one run apart: the id's first letters where they fit, else
/// a digest, so that two long ids with one beginning do not collide.
fn step_suffix(step: &StepKey) -> String {
    let plain: String = step.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    if plain.len() <= 6 && plain == step.as_str() {
        return plain;
    }
    let digest = crate::base::digest::Digest::of(step.as_str().as_bytes());
    digest.short()[..6].to_owned()
}

fn single_dashes(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for character in text.to_ascii_lowercase().chars() {
        let kept = if character.is_ascii_alphanumeric() { character } else { '-' };
        if kept != '-' || !output.ends_with('-') {
            output.push(kept);
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::simulated_epoch;
    use crate::base::seed::Seed;

    fn run() -> RunId {
        RunId::mint(simulated_epoch(), &mut Seed::new(1).stream("run"))
    }

    #[test]
    fn run_ids_sort_by_time_and_read_back() {
        let mut random = Seed::new(1).stream("run");
        let first = RunId::mint(simulated_epoch(), &mut random);
        let second =
            RunId::mint(simulated_epoch() + chrono::TimeDelta::milliseconds(1), &mut random);
        assert!(first < second);
        assert_eq!(RunId::parse(first.as_str()), Some(first.clone()));
        assert_eq!(RunId::parse(&first.as_str().to_ascii_uppercase()), Some(first));
        assert_eq!(RunId::parse("nonsense"), None);
    }

    #[test]
    fn a_key_tells_the_call_that_it_belongs_to() {
        let key = StepKey::item("failover/data/scale", "a/b");
        assert_eq!((key.id(), key.frame()), ("failover/data/scale", "failover/data"));
        assert_eq!((key.local(), key.beside("x").as_str()), ("scale", "failover/data/x"));
        assert_eq!(frames(key.frame()).collect::<Vec<_>>(), ["failover/data", "failover"]);
        for (frame, within) in [
            ("", true),
            ("failover", true),
            ("failover/data", true),
            ("fail", false),
            ("data", false),
        ] {
            assert_eq!(key.is_within(frame), within, "{frame}");
        }
        let own = StepKey::item("scale", "a/b");
        assert_eq!((own.frame(), own.local(), frames("").count()), ("", "scale", 0));
        assert!(!own.is_within("scale"));
    }

    #[test]
    fn names_obey_rds() {
        let long =
            "a-very--long-source-name-that-goes-on-and-on-for-more-than-sixty-three-characters";
        for source in ["orders", long, "--", "UPPER_case.db"] {
            for step in ["restore", "db", "restore_the_second_database"] {
                let name = rds_name(source, &run(), &StepKey::new(step));
                assert!(name.len() <= RDS_NAME_LIMIT, "{name}");
                assert!(
                    !name.contains("--") && !name.ends_with('-') && name.starts_with("drctl-"),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_name_tells_who_gave_it() {
        let (run, step) = (run(), StepKey::item("restore", "orders"));
        for source in ["orders", "--", &"x".repeat(99)] {
            assert!(is_rds_name(&rds_name(source, &run, &step), &run, &step), "{source}");
        }
        let name = rds_name("orders", &run, &step);
        assert!(!is_rds_name(&name, &run, &StepKey::new("restore")));
        for other in [format!("x{name}"), format!("{name}x"), name.replace("drctl-", "my-")] {
            assert!(!is_rds_name(&other, &run, &step), "{other}");
        }
    }

    #[test]
    fn two_items_of_one_step_have_two_names() {
        let first = rds_name("orders", &run(), &StepKey::item("restore", "a"));
        let second = rds_name("orders", &run(), &StepKey::item("restore", "b"));
        assert_ne!(first, second);
    }
}
