//! One environment: its clock, its ways out, and the simulated world where there is one.
//!
//! **Invariant:** whoever watches the calls sees them and cannot change them.

use super::beside;
use super::sql::SimulatedSql;
use super::watched::watched;
use crate::base::clock::Clock;
use crate::base::seed::{Seed, seed_sdk_jitter, unpredictable};
use crate::cloud::{Cloud, CloudError, CloudOptions, GuardPolicy, HttpSource, Ports};
use crate::estate::{Environment, FaultSpec};
use crate::sim::{Simulator, Watch, http_client};
use chrono::{DateTime, Utc};
use std::path::Path;
use std::sync::Arc;

/// One environment, wired for this process.
#[derive(Debug)]
pub struct Session {
    /// The one clock.
    pub clock: Clock,
    /// The ways out beside AWS.
    pub ports: Ports,
    /// The simulated world, in a simulated environment.
    pub simulator: Option<Simulator>,
    environment: Environment,
    seed: Seed,
    watch: Option<Arc<dyn Watch>>,
}

impl Session {
    /// A session with AWS, or with servers that stand in for it.
    pub fn real(environment: &Environment, clock: Clock, ports: Ports) -> Self {
        let environment = environment.clone();
        Self { clock, ports, simulator: None, environment, seed: unpredictable(), watch: None }
    }

    /// A session with a simulated world at `clock`'s time. What would have been sent is recorded in
    /// `directory`, where the world has one.
    pub fn simulated(
        simulator: Simulator,
        environment: &Environment,
        seed: Seed,
        clock: Clock,
        directory: Option<&Path>,
    ) -> Self {
        seed_sdk_jitter(seed);
        let sql = Arc::new(SimulatedSql::new(simulator.clone(), clock.clone()));
        let ports = beside::ports(environment, &clock, (&simulator, sql), directory);
        let (simulator, environment) = (Some(simulator), environment.clone());
        Self { clock, ports, simulator, environment, seed, watch: None }
    }

    /// A session with a world in memory, in virtual time from `epoch`: call it on a runtime whose time
    /// is paused.
    pub fn in_memory(
        simulator: Simulator,
        environment: &Environment,
        seed: Seed,
        epoch: DateTime<Utc>,
    ) -> Self {
        Self::simulated(simulator, environment, seed, Clock::virtual_from(epoch), None)
    }

    /// The same, with every call to AWS and every effect beside it seen by `watch`.
    #[must_use]
    pub fn watched_by(self, watch: Arc<dyn Watch>) -> Self {
        Self { ports: watched(self.ports, &watch), watch: Some(watch), ..self }
    }

    /// Opens the guarded cloud with the given policy.
    ///
    /// # Errors
    /// Credentials or endpoints are not usable.
    pub async fn cloud(&self, policy: GuardPolicy) -> Result<Cloud, CloudError> {
        self.cloud_in(self.environment.clone(), policy).await
    }

    /// The same for a variant of the environment: other credentials, the same servers.
    ///
    /// # Errors
    /// Credentials or endpoints are not usable.
    pub async fn cloud_in(
        &self,
        environment: Environment,
        policy: GuardPolicy,
    ) -> Result<Cloud, CloudError> {
        let http = match &self.simulator {
            Some(simulator) => {
                let (simulator, clock) = (simulator.clone(), self.clock.clone());
                HttpSource::Injected(http_client(simulator, clock, self.watch.clone()))
            }
            None => HttpSource::Network,
        };
        let (clock, seed) = (self.clock.clone(), self.seed);
        Cloud::open(CloudOptions { environment, clock, seed, http, policy }).await
    }

    /// Faults that are switched on; none where nothing is simulated.
    pub fn faults(&self) -> Vec<String> {
        let simulated = self.simulator.as_ref().map(Simulator::faults);
        simulated.unwrap_or_default().into_iter().map(|(text, _)| text).collect()
    }

    /// What has to be said of faults that are switched on and had nothing to strike. A fault that is a state
    /// of the world, such as `slow`, strikes nothing and is not among them.
    pub fn never_struck(&self) -> Vec<String> {
        let simulated = self.simulator.as_ref().map(Simulator::faults).unwrap_or_default();
        let idle = simulated.into_iter().filter(|(text, struck)| {
            let spec = FaultSpec::parse(text);
            *struck == 0 && spec.is_ok_and(|spec| spec.kind.strikes())
        });
        idle.map(|(text, _)| format!("fault {text} never struck: this run proves nothing about it"))
            .collect()
    }

    /// Which append of this process to its run's journal finds no room, from 1: what `journal-disk-full`
    /// does.
    pub fn full_disk(&self) -> Option<u64> {
        self.simulator.as_ref().and_then(Simulator::full_disk)
    }

    /// That append has found no room.
    pub fn disk_was_full(&self) {
        let told = self.simulator.as_ref().map(Simulator::disk_was_full);
        if let Some(Err(error)) = told {
            tracing::warn!(%error, "the simulated world does not know that the disk was full");
        }
    }

    /// Random numbers for a run's id: from the world's seed and time when simulated, so that rehearsals
    /// repeat, else from the operating system.
    pub fn run_id_stream(&self) -> fastrand::Rng {
        let now = self.clock.now().timestamp_millis();
        match self.simulator {
            Some(_) => self.seed.stream(&format!("run/{now}")),
            None => unpredictable().stream("run"),
        }
    }
}
