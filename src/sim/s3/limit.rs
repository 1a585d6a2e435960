//! How many requests a prefix takes within a second.
//!
//! **Invariant:** what is over the limit is refused before it has an effect, whoever asks.

use crate::sim::answer::ApiError;
use crate::sim::dispatch::Turn;
use crate::sim::faults::FaultKind;
use crate::sim::s3::mutates;
use crate::sim::s3::refusals::slow_down;
use std::collections::BTreeMap;

/// Reads (GET, HEAD, lists) and writes a second of one prefix, as S3 promises them.
const READS: u32 = 5_500;
const WRITES: u32 = 3_500;

/// The same under the fault, when it says nothing else.
const FEW: u32 = 100;

/// Requests of this second, by bucket and prefix. No part of a world's file: a second is over before it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sim) struct Rates {
    second: i64,
    counts: BTreeMap<(String, String), (u32, u32)>,
}

/// Counts the call, and refuses it when its prefix has had too many.
pub(super) fn count(turn: &mut Turn<'_>) -> Result<(), ApiError> {
    if turn.s3.bucket.is_empty() {
        return Ok(());
    }
    let fault = turn.world.fault(FaultKind::PrefixRate);
    let asked = fault.map(|fault| {
        fault.value.as_deref().and_then(|value| value.parse::<u32>().ok()).unwrap_or(FEW)
    });
    let writes = mutates(&turn.action);
    let most = asked.unwrap_or(if writes { WRITES } else { READS });
    let text = match turn.s3.key.as_str() {
        "" => turn.s3.parameter("prefix").unwrap_or_default(),
        key => key,
    };
    let prefix = text.rsplit_once('/').map_or("", |(prefix, _)| prefix).to_owned();
    let second = turn.now.timestamp();
    let key = (turn.s3.bucket.clone(), prefix);
    let rates = &mut turn.world.services.rates;
    if rates.second != second {
        *rates = Rates { second, counts: BTreeMap::new() };
    }
    let (reads, written) = rates.counts.entry(key).or_default();
    let count = if writes { written } else { reads };
    *count += 1;
    if *count <= most {
        return Ok(());
    }
    if let Some(fault) =
        turn.world.faults.iter_mut().find(|fault| fault.kind == FaultKind::PrefixRate)
    {
        fault.struck += 1;
    }
    Err(slow_down())
}
