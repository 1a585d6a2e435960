//! The handle on a simulated world.
//!
//! **Invariant:** a world changes only under this handle's lock, one request at a time, and a
//! change is on disk before its answer leaves.

use crate::base::seed::Seed;
use crate::estate::{Database, Environment, EnvironmentKind, Estate, fault};
use crate::sim::answer::{ApiError, respond};
use crate::sim::api::{
    MutationRecord, SimError, SimOptions, SimQuery, SimRows, SimSqlFault, WireAnswer, WireRequest,
    WireResponse,
};
use crate::sim::canonical;
use crate::sim::cloudwatch;
use crate::sim::decode::Service;
use crate::sim::dispatch;
use crate::sim::ec2;
use crate::sim::faults::{Fault, FaultKind};
use crate::sim::genesis;
use crate::sim::lookout::Lookout;
use crate::sim::persist::{Store, Sync};
use crate::sim::protocol::Protocol;
use crate::sim::rds;
use crate::sim::route53;
use crate::sim::services::Published;
use crate::sim::sql::Databases;
use crate::sim::state::World;
use crate::sim::{ecs, logs, s3, sns, sts};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

mod names;
mod watching;

/// How much simulated time may pass unsaved when nothing changes.
const SAVE_AFTER_SECONDS: i64 = 60;

/// A cheap handle on one simulated AWS; clones see the same world.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    world: World,
    log: Vec<MutationRecord>,
    /// Names that the environment declares beside Route 53.
    declared: Arc<route53::Declared>,
    /// Questions that name servers answered: decides where chance does.
    questions: u64,
    /// The estate's databases as they are in the environment.
    databases: Arc<BTreeMap<String, Database>>,
    store: Option<Store>,
    saved: DateTime<Utc>,
    sql: Databases,
    lookout: Option<Lookout>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Simulator")
    }
}

impl Simulator {
    /// A new world in memory: the estate's databases as they are in `environment`.
    ///
    /// # Errors
    /// An unknown fault, or an estate that contradicts itself.
    pub fn create(
        estate: &Estate,
        environment: &Environment,
        options: SimOptions,
    ) -> Result<Self, SimError> {
        Self::assemble(None, estate, environment, &options)
    }

    /// The world kept in directory `dir`, created when there is none. Databases that were added to
    /// the estate since are added to the world.
    ///
    /// # Errors
    /// Unreadable, damaged or foreign files, and what [`Simulator::create`] reports.
    pub fn open(
        dir: &Path,
        estate: &Estate,
        environment: &Environment,
        options: SimOptions,
    ) -> Result<Self, SimError> {
        Self::assemble(Some(Store::new(dir)?), estate, environment, &options)
    }

    fn assemble(
        mut store: Option<Store>,
        estate: &Estate,
        environment: &Environment,
        options: &SimOptions,
    ) -> Result<Self, SimError> {
        let (seed, faults) = match &environment.kind {
            EnvironmentKind::Simulated(simulation) => {
                (simulation.seed, simulation.faults.as_slice())
            }
            EnvironmentKind::Endpoints(_) | EnvironmentKind::Aws { .. } => (1, [].as_slice()),
        };
        let loaded = match &mut store {
            Some(store) => store.load()?,
            None => None,
        };
        let (mut world, log) = match (&store, loaded) {
            (Some(store), Some((world, log))) => {
                store.check(&world, estate, environment, options.seed)?;
                (world, log)
            }
            (_, None) | (None, _) => {
                let seed = options.seed.unwrap_or(seed);
                (genesis::empty(estate, environment, seed), Vec::new())
            }
        };
        let faults: Vec<String> = faults.iter().chain(&options.faults).cloned().collect();
        world.set_faults(&faults)?;
        sts::begin(&mut world, environment);
        if let EnvironmentKind::Simulated(simulation) = &environment.kind {
            sns::begin(&mut world, &environment.region, &simulation.topics);
        }
        s3::begin(&mut world, estate, environment);
        let databases = genesis::databases(estate, environment);
        genesis::populate(&mut world, &databases)?;
        ec2::begin(&mut world, estate, environment);
        rds::begin_exports(&mut world, estate, environment);
        ecs::begin(&mut world, estate, environment)?;
        logs::begin(&mut world, estate, environment);
        route53::begin(&mut world, estate, environment, &databases);
        cloudwatch::begin(&mut world, estate, environment, &databases);
        let declared = match &environment.kind {
            EnvironmentKind::Simulated(simulation) => simulation.beside.names.clone(),
            EnvironmentKind::Endpoints(_) | EnvironmentKind::Aws { .. } => route53::Declared::new(),
        };
        let mut inner = Inner {
            saved: world.time,
            world,
            log,
            declared: Arc::new(declared),
            questions: 0,
            databases: Arc::new(databases),
            store,
            sql: Databases::new(&estate.name),
            lookout: None,
        };
        inner.save(Sync::Durable)?;
        Ok(Self { inner: Arc::new(Mutex::new(inner)) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic in another thread cannot leave a half-made change that matters more than going
        // on: the file on disk is always whole.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The latest instant this world has seen.
    pub fn time(&self) -> DateTime<Utc> {
        self.lock().world.time
    }

    /// Answers one request that arrives at `now`. Does no I/O besides keeping the world.
    pub fn handle(&self, request: &WireRequest, now: DateTime<Utc>) -> WireAnswer {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.look_until(now);
        let handled = dispatch::handle(&mut inner.world, &inner.databases, request, now);
        let mut answer = handled.answer;
        let changed = !handled.mutations.is_empty() || handled.struck;
        inner.log.extend(handled.mutations);
        inner.look();
        let old = inner.world.time - inner.saved >= TimeDelta::seconds(SAVE_AFTER_SECONDS);
        if (changed || old)
            && let Err(error) = inner.save(if changed { Sync::Durable } else { Sync::Quick })
        {
            let error = ApiError::sender("InternalFailure", error.to_string()).with_status(500);
            answer.response =
                respond(Service::Rds, Protocol::Query, "Unknown", Err(error), "unsaved");
        }
        let server = format!("drctl simulator (seed {})", inner.world.seed);
        answer.response.headers.insert("x-drctl-server".to_owned(), server);
        let skew = inner.world.fault(FaultKind::ClockSkew).map(Fault::skew);
        let date = http_date(client_time(request, inner.world.time) + skew.unwrap_or_default());
        answer.response.headers.insert("date".to_owned(), date);
        answer
    }

    /// The answer to a request whose body is larger than any service takes.
    pub(in crate::sim) fn too_large(
        &self,
        request: &WireRequest,
        now: DateTime<Utc>,
    ) -> WireResponse {
        let message = "Request Entity Too Large";
        let error = ApiError::sender("RequestEntityTooLarge", message).with_status(413);
        let mut response = dispatch::refuse(request, error, "unread");
        response.headers.insert("date".to_owned(), http_date(client_time(request, now)));
        response
    }

    /// Whose world it is and how much is in it.
    pub(in crate::sim) fn summary(&self) -> serde_json::Value {
        let world = &self.lock().world;
        let regions: serde_json::Map<String, serde_json::Value> = world
            .regions
            .iter()
            .map(|(name, region)| {
                let count = serde_json::json!({
                    "instances": region.instances.len(),
                    "snapshots": region.snapshots.len(),
                    "retained_backups": region.retained.len(),
                });
                (name.clone(), count)
            })
            .collect();
        serde_json::json!({
            "estate": world.estate,
            "account": world.account,
            "seed": world.seed,
            "requests": world.requests,
            "mutations": world.mutations,
            "regions": regions,
            "topics": world.services.topics.len(),
            "published": world.services.published.len(),
            "metrics": world.services.metrics.len(),
        })
    }

    /// Writes the world to its directory; nothing to do for a world in memory.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn save(&self, now: DateTime<Utc>) -> Result<(), SimError> {
        let mut inner = self.lock();
        inner.look_until(now);
        inner.world.time = inner.world.time.max(now);
        inner.save(Sync::Durable)
    }

    /// An independent copy in memory.
    #[must_use]
    pub fn fork(&self) -> Self {
        let inner = self.lock();
        let copy = Inner {
            world: inner.world.clone(),
            log: inner.log.clone(),
            declared: Arc::clone(&inner.declared),
            questions: inner.questions,
            databases: Arc::clone(&inner.databases),
            store: None,
            saved: inner.saved,
            sql: inner.sql.fresh(),
            lookout: inner.lookout.clone(),
        };
        Self { inner: Arc::new(Mutex::new(copy)) }
    }

    /// Every call that changed the world, in order.
    pub fn mutations(&self) -> Vec<MutationRecord> {
        self.lock().log.clone()
    }

    /// How often the world was changed, and how often faults struck: two forks of one world that agree
    /// in both differ in time alone.
    pub fn changes(&self) -> (u64, u64) {
        let inner = self.lock();
        let strikes = inner.world.faults.iter().map(|fault| u64::from(fault.struck)).sum();
        (inner.world.mutations, strikes)
    }

    /// What SNS topics accepted, oldest first; a world keeps the newest ones.
    pub fn published(&self) -> Vec<Published> {
        self.lock().world.services.published.clone()
    }

    /// The world's resources in canonical form at its latest instant, to compare final estates:
    /// without times, request counts, events and automated snapshots.
    pub fn state_json(&self) -> serde_json::Value {
        canonical::state(&self.lock().world)
    }

    /// Runs one SQL statement in a simulated database.
    ///
    /// # Errors
    /// Unreachable, refused or faulty, as a PostgreSQL client would see it.
    pub fn query(&self, query: &SimQuery, now: DateTime<Utc>) -> Result<SimRows, SimSqlFault> {
        let mut guard = self.lock();
        let inner = &mut *guard;
        let now = now.max(inner.world.time);
        inner.look_until(now);
        inner.world.time = now;
        dispatch::advance(&mut inner.world, now);
        inner.sql.query(&inner.world, &inner.databases, query, now)
    }

    /// `ReplicaLag` of an instance at `now`, seconds: -1 while nothing is replicated, `None` for an
    /// instance that is no replica or does not exist.
    pub fn replica_lag(&self, region: &str, id: &str, now: DateTime<Utc>) -> Option<i64> {
        let inner = self.lock();
        let replica = inner.world.instance(region, id, now).ok()?;
        inner.world.replica_lag(region, replica, now)
    }

    /// From `from` on, every replica is `by` further behind its source; `None` ends it.
    pub fn set_lag_cliff(&self, cliff: Option<(DateTime<Utc>, Duration)>) {
        self.lock().world.set_lag_cliff(cliff);
    }

    /// Puts an alarm into ALARM at `now`, as a drill that begins with one needs it, unless it is; whether
    /// the account has the alarm.
    pub fn raise_alarm(&self, region: &str, name: &str, now: DateTime<Utc>) -> bool {
        let mut inner = self.lock();
        dispatch::advance(&mut inner.world, now);
        cloudwatch::raise(&mut inner.world, (region, name), now)
    }

    /// Names of the services that it has.
    pub fn service_names() -> Vec<&'static str> {
        Service::ALL.iter().map(|service| service.name()).collect()
    }

    /// Names of all faults, for help texts and tests.
    pub fn fault_names() -> Vec<&'static str> {
        fault::names().collect()
    }

    /// The faults that are switched on, as they were given, and how often each struck.
    pub fn faults(&self) -> Vec<(String, u32)> {
        let inner = self.lock();
        inner.world.faults.iter().map(|fault| (fault.text.clone(), fault.struck)).collect()
    }

    /// Checks names and values of faults without touching any world.
    ///
    /// # Errors
    /// An unknown fault or a bad value; the message lists the names.
    pub fn check_faults(faults: &[String]) -> Result<(), SimError> {
        faults.iter().try_for_each(|text| Fault::parse(text).map(drop))
    }

    /// Which append of a process to its run's journal finds no room, from 1; `None` when that fault is not
    /// on, or has struck.
    pub fn full_disk(&self) -> Option<u64> {
        let inner = self.lock();
        let seed = Seed::new(inner.world.seed);
        inner.world.fault(FaultKind::JournalDiskFull)?.append(seed)
    }

    /// The append that [`Self::full_disk`] named has found no room: the next process finds some.
    ///
    /// # Errors
    /// When the world cannot be written.
    pub fn disk_was_full(&self) -> Result<(), SimError> {
        let mut inner = self.lock();
        let full = |fault: &&mut Fault| fault.kind == FaultKind::JournalDiskFull;
        if let Some(fault) = inner.world.faults.iter_mut().find(full) {
            fault.struck += 1;
        }
        inner.save(Sync::Durable)
    }

    /// Replaces the faults that are switched on. One that stays keeps count of its strikes.
    ///
    /// # Errors
    /// An unknown fault; the message lists the names.
    pub fn set_faults(&self, faults: &[String]) -> Result<(), SimError> {
        let mut inner = self.lock();
        inner.world.set_faults(faults)?;
        inner.save(Sync::Durable)
    }
}

impl Inner {
    fn save(&mut self, sync: Sync) -> Result<(), SimError> {
        if let Some(store) = &mut self.store {
            store.save(&self.world, &self.log, sync)?;
        }
        self.saved = self.world.time;
        Ok(())
    }
}

/// `Thu, 15 Jan 2026 09:00:00 GMT`.
pub(in crate::sim) fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The client's time as its signature gives it, else `now`: to a client outside this process, whose
/// clock is not the world's, the server's clock is as right as AWS's.
fn client_time(request: &WireRequest, now: DateTime<Utc>) -> DateTime<Utc> {
    let signed = request.headers.get("x-amz-date");
    let parse = |text: &String| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").ok();
    signed.and_then(parse).map_or(now, |time| time.and_utc())
}
