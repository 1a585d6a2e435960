//! Whether DNS resolvers answer: those that were named, and the system's where a real environment is
//! examined.
//!
//! **Invariant:** asks for the root of DNS and nothing else, and only resolvers that somebody named.

use super::{DoctorArgs, Finding, Patient, State};
use crate::base::clock::Clock;
use crate::cloud::dns::{
    DnsAnswer, DnsNetwork, DnsQuestion, RecordKind, ResolverName, Resolvers as _,
};
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest wait for a resolver.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks each resolver.
pub(in crate::cli) async fn resolvers(args: &DoctorArgs, patient: &Patient) -> Vec<Finding> {
    let mut asked: BTreeSet<ResolverName> = args.resolver.iter().copied().collect();
    if patient.environments.iter().any(|environment| !environment.is_simulated()) {
        asked.insert(ResolverName::System);
    }
    let network = DnsNetwork::new(Clock::real());
    let mut findings = Vec::new();
    for resolver in asked {
        let question =
            DnsQuestion { name: ".".to_owned(), kind: RecordKind::Ns, resolver, timeout: PATIENCE };
        let found = |state, what: String| Finding::new("machine", "resolver", state, what);
        findings.push(match network.ask(&question).await {
            Ok(DnsAnswer::Found { .. }) => {
                found(State::Ok, format!("{resolver} answers, and knows the root of DNS"))
            }
            Ok(DnsAnswer::NoSuchRecord | DnsAnswer::NoSuchName) => {
                found(State::Warn, format!("{resolver} answers, and knows no root of DNS"))
                    .help("a resolver for private names only? AWS endpoints are found by name")
            }
            Err(error) => found(State::Fail, error.to_string())
                .help("`dns.check` and names of AWS endpoints need a resolver that answers"),
        });
    }
    findings
}
