//! What both halves of the guard share: the policy, the clearances, the record of calls.
//!
//! **Invariant:** a clearance is known only here and by the request that carries it; a mutation's
//! clearance is used up by the first request.

use crate::base::clock::Clock;
use crate::base::redact::redact;
use crate::cloud::guard::allow_list::{OperationKind, kind};
use crate::cloud::guard::calls::{CallLog, CallOutcome, CallRecord, CallSource, Counts};
use crate::cloud::guard::refusal::GuardRefusal;
use crate::cloud::options::GuardPolicy;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A call in the record, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallId(usize);

/// The guard of one session.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
}

struct Inner {
    policy: GuardPolicy,
    clock: Clock,
    nonce: u64,
    state: Mutex<State>,
}

/// Most calls that are told one by one. A roll-back of a bucket makes millions.
const MOST_RECORDS: usize = 100_000;

#[derive(Default)]
struct State {
    /// By their place.
    records: BTreeMap<usize, CallRecord>,
    /// How many there ever were.
    made: usize,
    /// Answered calls that are older than all records.
    earlier: Counts,
    server: Server,
    skew: Option<TimeDelta>,
    /// Until when, on which clock, mutations may leave; `None` means always.
    lease: Option<(Clock, DateTime<Utc>)>,
    /// Regions that data may be brought to; `None` means all.
    regions: Option<BTreeSet<String>>,
}

/// Services whose calls bring no data to the region that they are sent to: those with one control plane for
/// all regions, and messages.
const WITHOUT_DATA: [&str; 3] = ["route53:", "iam:", "sns:"];

/// Whether a mutation may bring data to where it is sent. What only removes never does, nor does ending an
/// instance's protection before it is removed.
fn brings_data(operation: &str) -> bool {
    let name = operation.split_once(':').map_or(operation, |(_, name)| name);
    kind(operation) == OperationKind::Mutating
        && !WITHOUT_DATA.iter().any(|service| operation.starts_with(service))
        && !name.starts_with("Delete")
        && operation != "rds:ModifyDBInstance"
}

impl State {
    /// Keeps the oldest answered calls as counts while there are more than `most`; what was refused, what
    /// is under way and calls for credentials are told one by one for ever.
    fn forget(&mut self, most: usize) {
        if self.records.len() <= most {
            return;
        }
        let answered = |record: &CallRecord| {
            record.source == CallSource::Service
                && matches!(record.outcome, CallOutcome::Answered(_) | CallOutcome::Failed(_))
        };
        // A tenth at once, so that this is rare.
        let old = self.records.iter().filter(|(_, record)| answered(record));
        let old: Vec<usize> = old.map(|(call, _)| *call).take(most / 10 + 1).collect();
        for call in old {
            let Some(record) = self.records.remove(&call) else { continue };
            *self.earlier.entry((record.operation, record.region)).or_default() += record.attempts;
        }
    }
}

/// Who answered, as response headers say.
#[derive(Default)]
enum Server {
    #[default]
    Unknown,
    Header(String),
    Own(String),
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("policy", &self.inner.policy).finish_non_exhaustive()
    }
}

impl Guard {
    /// A guard with a clearance secret of its own, from the operating system's randomness: a
    /// rehearsal seeds every other generator, and the SDK's jitter must not notice this one.
    pub fn new(policy: GuardPolicy, clock: Clock) -> Self {
        let nonce = RandomState::new().build_hasher().finish();
        Self { inner: Arc::new(Inner { policy, clock, nonce, state: Mutex::default() }) }
    }

    /// Decides about `operation`, such as `rds:DeleteDBInstance`.
    ///
    /// # Errors
    /// Why it must not be sent.
    pub fn decide(&self, operation: &str) -> Result<(), GuardRefusal> {
        let reads = kind(operation) == OperationKind::ReadOnly;
        match &self.inner.policy {
            _ if reads => Ok(()),
            GuardPolicy::DryRun => {
                Err(GuardRefusal::DryRunRefused { operation: operation.to_owned() })
            }
            GuardPolicy::Live { declared } if declared.contains(operation) => Ok(()),
            GuardPolicy::Live { .. } => {
                Err(GuardRefusal::NotDeclared { operation: operation.to_owned() })
            }
        }
    }

    /// From now on no mutation that may bring data is sent to another region than these.
    pub(crate) fn keep_to(&self, regions: BTreeSet<String>) {
        self.state().regions = Some(regions);
    }

    /// Decides about the region that `operation` is to be sent to.
    ///
    /// # Errors
    /// Data must not be there.
    pub(crate) fn decide_place(&self, operation: &str, region: &str) -> Result<(), GuardRefusal> {
        let outside = self.state().regions.as_ref().is_some_and(|all| !all.contains(region));
        if outside && brings_data(operation) {
            let (operation, region) = (operation.to_owned(), region.to_owned());
            return Err(GuardRefusal::RegionNotAllowed { operation, region });
        }
        Ok(())
    }

    /// Every call so far.
    pub fn calls(&self) -> CallLog {
        let state = self.state();
        CallLog::new(state.records.values().cloned().collect(), state.earlier.clone())
    }

    /// Who answered so far; `None` when no answer said.
    pub fn server(&self) -> Option<String> {
        match &self.state().server {
            Server::Unknown => None,
            Server::Header(name) | Server::Own(name) => Some(name.clone()),
        }
    }

    /// How far the clock of whoever answered last is ahead of ours, to the second that its `Date`
    /// header gives; `None` when no answer had one.
    pub fn skew(&self) -> Option<TimeDelta> {
        self.state().skew
    }

    /// Remembers the other side's time from an answer's `Date` header.
    pub(crate) fn dated(&self, date: Option<&str>) {
        let Some(there) = date.and_then(|text| DateTime::parse_from_rfc2822(text).ok()) else {
            return;
        };
        let skew = there.to_utc() - self.inner.clock.now();
        self.state().skew = Some(skew);
    }

    /// Begins the record of a call.
    pub(crate) fn begin(&self, operation: &str, region: &str, source: CallSource) -> CallId {
        let at = self.inner.clock.now();
        let mut state = self.state();
        let call = state.made;
        state.made += 1;
        let record = CallRecord {
            operation: operation.to_owned(),
            region: region.to_owned(),
            source,
            at,
            attempts: 0,
            outcome: CallOutcome::Pending,
        };
        state.records.insert(call, record);
        state.forget(MOST_RECORDS);
        CallId(call)
    }

    /// The clearance that the requests of a cleared call carry.
    pub(crate) fn clearance(&self, call: CallId) -> String {
        format!("{:016x}-{}", self.inner.nonce, call.0)
    }

    /// The call that a clearance belongs to; `None` when it is not one of ours.
    pub(crate) fn cleared(&self, clearance: &str) -> Option<(CallId, String)> {
        let (nonce, place) = clearance.split_once('-')?;
        let call = CallId(place.parse().ok()?);
        let ours = nonce == format!("{:016x}", self.inner.nonce);
        let state = self.state();
        let record = state.records.get(&call.0).filter(|_| ours)?;
        // A refused call was never cleared, whatever a request claims; a credential call never is.
        let refused = matches!(record.outcome, CallOutcome::Refused(_));
        let cleared = record.source == CallSource::Service && !refused;
        cleared.then(|| (call, record.operation.clone()))
    }

    /// From now on mutations leave only before `until` on `clock`, the lease's: a process that is stopped
    /// between its look at the lease and its request must not send it when it wakes.
    pub(crate) fn leased(&self, clock: &Clock, until: DateTime<Utc>) {
        self.state().lease = Some((clock.clone(), until));
    }

    /// Counts one more request of a call.
    ///
    /// # Errors
    /// When the call mutates and was sent before, or the lease has ended.
    pub(crate) fn send(&self, call: CallId) -> Result<(), GuardRefusal> {
        let mut guarded = self.state();
        let state = &mut *guarded;
        // Only a call that was answered long ago is not there any more.
        let Some(record) = state.records.get_mut(&call.0) else {
            return Err(GuardRefusal::Repeated { operation: "an answered call".to_owned() });
        };
        let once = record.source == CallSource::Service
            && kind(&record.operation) == OperationKind::Mutating;
        if once && record.attempts > 0 {
            return Err(GuardRefusal::Repeated { operation: record.operation.clone() });
        }
        let ended = state.lease.as_ref().is_some_and(|(clock, until)| clock.now() >= *until);
        if once && ended {
            return Err(GuardRefusal::LeaseEnded { operation: record.operation.clone() });
        }
        record.attempts += 1;
        record.outcome = CallOutcome::Pending;
        Ok(())
    }

    /// Records that the guard refused a call.
    pub(crate) fn refuse(&self, call: CallId, refusal: &GuardRefusal) {
        tracing::warn!(%refusal, "refused");
        self.ended(call, CallOutcome::Refused(refusal.to_string()), |_| {});
    }

    /// Records an answer.
    pub(crate) fn answered(&self, call: CallId, status: u16) {
        self.ended(call, CallOutcome::Answered(status), |record| {
            let CallRecord { operation, region, attempts, .. } = record;
            tracing::debug!(operation, region, attempts, status, "answered");
        });
    }

    /// Records that nobody answered.
    pub(crate) fn failed(&self, call: CallId, why: &str) {
        self.ended(call, CallOutcome::Failed(redact(why)), |record| {
            let CallRecord { operation, region, attempts, .. } = record;
            tracing::debug!(operation, region, attempts, why, "nobody answered");
        });
    }

    fn ended(&self, call: CallId, outcome: CallOutcome, tell: impl FnOnce(&CallRecord)) {
        if let Some(record) = self.state().records.get_mut(&call.0) {
            record.outcome = outcome;
            tell(record);
        }
    }

    /// Remembers who answered a service call: the header of our own simulator before the common one,
    /// the first answer before later ones.
    pub(crate) fn answered_by(&self, call: CallId, own: Option<&str>, common: Option<&str>) {
        let mut state = self.state();
        let source = state.records.get(&call.0).map(|record| record.source);
        if source != Some(CallSource::Service) {
            return;
        }
        match (&state.server, own, common) {
            (Server::Own(_), _, _) => {}
            (_, Some(name), _) => state.server = Server::Own(redact(name)),
            (Server::Unknown, None, Some(name)) => state.server = Server::Header(redact(name)),
            (Server::Unknown | Server::Header(_), None, _) => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_calls_become_counts_and_their_clearances_end() {
        let mut state = State::default();
        let record = |operation: &str, source, outcome| CallRecord {
            operation: operation.to_owned(),
            region: "us-east-1".to_owned(),
            source,
            at: crate::base::clock::simulated_epoch(),
            attempts: 2,
            outcome,
        };
        let refused = CallOutcome::Refused("no".to_owned());
        state.records.insert(
            0,
            record("sts:AssumeRole", CallSource::Credentials, CallOutcome::Answered(200)),
        );
        state.records.insert(1, record("s3:PutObject", CallSource::Service, refused));
        state.records.insert(2, record("s3:CopyObject", CallSource::Service, CallOutcome::Pending));
        for call in 3..200 {
            let answered = CallOutcome::Answered(200);
            state.records.insert(call, record("s3:HeadObject", CallSource::Service, answered));
            state.forget(100);
        }
        assert!(state.records.len() <= 100);
        for call in 0..3 {
            assert!(state.records.contains_key(&call), "{call} is told for ever");
        }
        let left = state.records.len() - 3;
        let heads = state.earlier[&("s3:HeadObject".to_owned(), "us-east-1".to_owned())];
        assert_eq!(heads as usize, (197 - left) * 2, "every request is counted");
    }
}
