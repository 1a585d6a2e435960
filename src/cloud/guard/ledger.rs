//! What both halves of the guard share: the policy, the clearances, the record of calls.
//!
//! **Invariant:** a clearance is known only here and by the request that carries it; a mutation's
//! clearance is used up by the first request.

use crate::base::clock::Clock;
use crate::base::redact::redact;
use crate::cloud::guard::allow_list::{OperationKind, kind};
use crate::cloud::guard::calls::{CallLog, CallOutcome, CallRecord, CallSource};
use crate::cloud::guard::refusal::GuardRefusal;
use crate::cloud::options::GuardPolicy;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
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

#[derive(Default)]
struct State {
    records: Vec<CallRecord>,
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
        CallLog::new(self.state().records.clone())
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
        state.records.push(CallRecord {
            operation: operation.to_owned(),
            region: region.to_owned(),
            source,
            at,
            attempts: 0,
            outcome: CallOutcome::Pending,
        });
        CallId(state.records.len() - 1)
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
        let record = state.records.get(call.0).filter(|_| ours)?;
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
        let record = &mut state.records[call.0];
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
        self.state().records[call.0].outcome = CallOutcome::Refused(refusal.to_string());
    }

    /// Records an answer.
    pub(crate) fn answered(&self, call: CallId, status: u16) {
        let record = &mut self.state().records[call.0];
        record.outcome = CallOutcome::Answered(status);
        let CallRecord { operation, region, attempts, .. } = record;
        tracing::debug!(operation, region, attempts, status, "answered");
    }

    /// Records that nobody answered.
    pub(crate) fn failed(&self, call: CallId, why: &str) {
        let record = &mut self.state().records[call.0];
        record.outcome = CallOutcome::Failed(redact(why));
        let CallRecord { operation, region, attempts, .. } = record;
        tracing::debug!(operation, region, attempts, why, "nobody answered");
    }

    /// Remembers who answered a service call: the header of our own simulator before the common one,
    /// the first answer before later ones.
    pub(crate) fn answered_by(&self, call: CallId, own: Option<&str>, common: Option<&str>) {
        let mut state = self.state();
        if state.records[call.0].source == CallSource::Credentials {
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
