//! Judges the answers of several resolvers against what is expected.
//!
//! **Invariant:** whether it passes depends on answers alone; a resolver that failed counts for neither
//! side, and when it could have decided, there is no verdict but its error.

use crate::cloud::EffectError;
use crate::cloud::dns::{DnsAnswer, DnsRecord, RecordKind, ResolverName};
use std::collections::{BTreeMap, BTreeSet};

/// What passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expectation {
    /// The type of record.
    pub(super) kind: RecordKind,
    /// The whole set of values.
    pub(super) exactly: Option<BTreeSet<String>>,
    /// Values that must be among them.
    pub(super) contains: BTreeSet<String>,
    /// A name or value that the name must lead to.
    pub(super) points_to: Option<String>,
    /// There must be no such record.
    pub(super) absent: bool,
    /// Longest time to live, seconds.
    pub(super) max_ttl: Option<u32>,
    /// How many resolvers must agree; all when absent.
    pub(super) quorum: Option<usize>,
}

/// What one resolver answered.
pub(super) type Heard = (ResolverName, Result<DnsAnswer, EffectError>);

/// The sum of all answers.
#[derive(Debug)]
pub(super) enum Judgement {
    /// Enough resolvers answered as expected; notes about the others.
    Passes(Vec<String>),
    /// They did not; why, by resolver.
    Fails(Vec<String>),
    /// Resolvers that did not answer could have decided.
    Undecided(EffectError),
}

/// Values of an answer.
pub(super) fn values(answer: &DnsAnswer) -> BTreeSet<String> {
    match answer {
        DnsAnswer::Found { records, .. } => records.iter().map(|r| r.value.clone()).collect(),
        DnsAnswer::NoSuchRecord | DnsAnswer::NoSuchName => BTreeSet::new(),
    }
}

/// Lowest and highest time to live of an answer, aliases included.
pub(super) fn ttls(answer: &DnsAnswer) -> Option<(u32, u32)> {
    let DnsAnswer::Found { records, aliases } = answer else { return None };
    let all = || records.iter().chain(aliases).map(|record: &DnsRecord| record.ttl);
    all().min().zip(all().max())
}

/// An answer in words.
pub(super) fn words(answer: &DnsAnswer) -> String {
    match answer {
        DnsAnswer::Found { records, aliases } => {
            let shown = |records: &[DnsRecord]| {
                records.iter().map(|r| r.value.clone()).collect::<Vec<_>>().join(", ")
            };
            let through = if aliases.is_empty() {
                String::new()
            } else {
                format!(" through {}", shown(aliases))
            };
            format!("{}{through}", shown(records))
        }
        DnsAnswer::NoSuchRecord => "no record of this type".to_owned(),
        DnsAnswer::NoSuchName => "no such name (NXDOMAIN)".to_owned(),
    }
}

impl Expectation {
    /// Whether values are expected at all.
    fn is_open(&self) -> bool {
        self.exactly.is_none() && self.contains.is_empty() && self.points_to.is_none()
    }

    /// What is wrong with one answer.
    pub(super) fn wrong(&self, answer: &DnsAnswer) -> Option<String> {
        let found = values(answer);
        if self.absent {
            return (!found.is_empty()).then(|| format!("{}, expected none", words(answer)));
        }
        if found.is_empty() && self.exactly.as_ref().is_none_or(|wanted| !wanted.is_empty()) {
            return Some(words(answer));
        }
        let list =
            |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(", ");
        if let Some(wanted) = self.exactly.as_ref().filter(|wanted| **wanted != found) {
            return Some(format!("{}, expected {}", words(answer), list(wanted)));
        }
        let missing: BTreeSet<String> = self.contains.difference(&found).cloned().collect();
        if !missing.is_empty() {
            return Some(format!("{}, without {}", words(answer), list(&missing)));
        }
        if let Some(target) = self.points_to.as_ref().filter(|target| !leads_to(answer, target)) {
            return Some(format!("{}, expected to lead to {target}", words(answer)));
        }
        let (_, highest) = ttls(answer)?;
        let limit = self.max_ttl.filter(|limit| highest > *limit)?;
        Some(format!("time to live {highest} s, allowed are {limit} s"))
    }

    /// Judges what all resolvers answered.
    pub(super) fn judge(&self, heard: Vec<Heard>) -> Judgement {
        let needed = self.quorum.unwrap_or(heard.len());
        let (mut good, mut wrong, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for (resolver, answer) in heard {
            match answer {
                Ok(answer) => match self.wrong(&answer) {
                    None => good.push((resolver, values(&answer))),
                    Some(why) => wrong.push(format!("{resolver}: {why}")),
                },
                Err(error) => errors.push(error),
            }
        }
        let odd = if self.is_open() && !self.absent { disagreeing(&mut good) } else { Vec::new() };
        wrong.extend(odd);
        if good.len() >= needed {
            wrong.extend(errors.iter().map(ToString::to_string));
            return Judgement::Passes(wrong);
        }
        // Had those that failed answered well, there could be enough.
        let undecided = good.len() + errors.len() >= needed;
        match errors.into_iter().next() {
            Some(error) if undecided => Judgement::Undecided(error),
            Some(_) | None => Judgement::Fails(wrong),
        }
    }
}

/// Where nothing is expected, the answers must be alike: those outside the largest group of equal ones
/// are taken out, and named.
fn disagreeing(good: &mut Vec<(ResolverName, BTreeSet<String>)>) -> Vec<String> {
    let mut groups: BTreeMap<BTreeSet<String>, usize> = BTreeMap::new();
    for (_, values) in good.iter() {
        *groups.entry(values.clone()).or_default() += 1;
    }
    let largest = groups.into_iter().max_by_key(|(_, count)| *count);
    let Some((common, _)) = largest else { return Vec::new() };
    let odd = good.iter().filter(|(_, values)| *values != common);
    let named = odd
        .map(|(resolver, values)| {
            let list = values.iter().cloned().collect::<Vec<_>>().join(", ");
            format!("{resolver}: {list}, others answer differently")
        })
        .collect();
    good.retain(|(_, values)| *values == common);
    named
}

/// Whether the name leads to `target`, by an alias or by a value.
fn leads_to(answer: &DnsAnswer, target: &str) -> bool {
    let DnsAnswer::Found { records, aliases } = answer else { return false };
    records.iter().chain(aliases).any(|record| record.value == target)
}

#[cfg(test)]
mod tests {
    use super::{Expectation, Heard, Judgement};
    use crate::cloud::EffectError;
    use crate::cloud::dns::{DnsAnswer, DnsError, DnsRecord, RecordKind, ResolverName};
    use std::collections::BTreeSet;

    fn set(values: &[&str]) -> BTreeSet<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn open() -> Expectation {
        Expectation {
            kind: RecordKind::A,
            exactly: None,
            contains: BTreeSet::new(),
            points_to: None,
            absent: false,
            max_ttl: None,
            quorum: None,
        }
    }

    fn found(values: &[&str], ttl: u32) -> DnsAnswer {
        let record = |value: &&str| DnsRecord { value: (*value).to_owned(), ttl };
        let aliases = vec![DnsRecord { value: "lb.example".to_owned(), ttl: 300 }];
        DnsAnswer::Found { records: values.iter().map(record).collect(), aliases }
    }

    fn silent() -> EffectError {
        EffectError::Dns(DnsError::Failed {
            resolver: "r".to_owned(),
            name: "n".to_owned(),
            code: "SERVFAIL".to_owned(),
        })
    }

    fn heard(answers: Vec<Result<DnsAnswer, EffectError>>) -> Vec<Heard> {
        let name = |number: usize| ResolverName::parse(&format!("192.0.2.{number}")).expect("one");
        answers.into_iter().enumerate().map(|(number, answer)| (name(number), answer)).collect()
    }

    #[test]
    fn one_answer_is_judged_by_all_that_is_expected() {
        let answer = found(&["192.0.2.1", "192.0.2.2"], 60);
        let exactly = |values: &[&str]| Expectation { exactly: Some(set(values)), ..open() };
        let points_to = |name: &str| Expectation { points_to: Some(name.to_owned()), ..open() };
        for good in [
            open(),
            exactly(&["192.0.2.2", "192.0.2.1"]),
            Expectation { contains: set(&["192.0.2.1"]), ..open() },
            points_to("lb.example"),
            points_to("192.0.2.2"),
            Expectation { max_ttl: Some(300), ..open() },
        ] {
            assert_eq!(good.wrong(&answer), None, "{good:?}");
        }
        for (bad, why) in [
            (exactly(&["192.0.2.1"]), "expected 192.0.2.1"),
            (exactly(&[]), "expected "),
            (Expectation { contains: set(&["192.0.2.9"]), ..open() }, "without 192.0.2.9"),
            (points_to("other.example"), "expected to lead to other.example"),
            (Expectation { max_ttl: Some(299), ..open() }, "time to live 300 s"),
            (Expectation { absent: true, ..open() }, "expected none"),
        ] {
            assert!(bad.wrong(&answer).is_some_and(|wrong| wrong.contains(why)), "{bad:?}");
        }
        let gone = DnsAnswer::NoSuchName;
        assert!(open().wrong(&gone).is_some_and(|why| why.contains("NXDOMAIN")));
        assert!(open().wrong(&DnsAnswer::NoSuchRecord).is_some_and(|why| why.contains("of this")));
        assert_eq!(exactly(&[]).wrong(&gone), None);
        assert_eq!(Expectation { absent: true, ..open() }.wrong(&gone), None);
    }

    #[test]
    fn resolvers_agree_or_a_quorum_of_them_does() {
        let (one, two) = (|| Ok(found(&["192.0.2.1"], 60)), || Ok(found(&["192.0.2.2"], 60)));
        let quorum = |quorum| Expectation { quorum: Some(quorum), ..open() };
        let passes = |expected: &Expectation, answers| match expected.judge(heard(answers)) {
            Judgement::Passes(notes) => Some(notes.len()),
            Judgement::Fails(_) | Judgement::Undecided(_) => None,
        };
        assert_eq!(passes(&open(), vec![one(), one()]), Some(0));
        assert_eq!(passes(&open(), vec![one(), two()]), None);
        assert_eq!(passes(&quorum(2), vec![one(), two(), one()]), Some(1));
        assert_eq!(passes(&quorum(2), vec![one(), Err(silent()), one()]), Some(1));
        assert_eq!(passes(&quorum(2), vec![two(), two(), one()]), Some(1));
    }

    #[test]
    fn silence_is_no_verdict_unless_it_decides_nothing() {
        let good = || Ok(found(&["192.0.2.1"], 60));
        let bad = || Ok(DnsAnswer::NoSuchName);
        let undecided = |expected: &Expectation, answers| {
            matches!(expected.judge(heard(answers)), Judgement::Undecided(_))
        };
        let two = Expectation { quorum: Some(2), ..open() };
        assert!(undecided(&open(), vec![Err(silent())]));
        assert!(undecided(&open(), vec![good(), Err(silent())]));
        assert!(undecided(&two, vec![good(), bad(), Err(silent())]));
        // With one wrong answer not all can agree any more, whatever the others would say.
        assert!(!undecided(&open(), vec![bad(), Err(silent())]));
        assert!(!undecided(&two, vec![bad(), bad(), Err(silent())]));
    }
}
