//! Opens one environment: the simulated world of the state directory, or the network.
//!
//! **Invariant:** one process at a time has a simulated world.

use crate::base::clock::{Clock, simulated_epoch};
use crate::base::secret::Secret;
use crate::base::seed::Seed;
use crate::cli::args::SimulationArgs;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::lock::{Lock, holder};
use crate::cli::project::Project;
use crate::cli::state::StateDir;
use crate::cloud::dns::DnsNetwork;
use crate::cloud::http::HttpNetwork;
use crate::cloud::model::CallerIdentity;
use crate::cloud::process::LocalProcesses;
use crate::cloud::{Cloud, ErrorClass, Ports, PostgresConnector, Variables};
use crate::estate::{Environment, EnvironmentKind, Estate};
use crate::sim::{SimOptions, Simulator};
use crate::wiring;
use chrono::{DateTime, Utc};
use std::ops::Deref;
use std::sync::Arc;

/// One environment, wired for this process, and its world's lock.
pub(super) struct Session {
    wired: wiring::Session,
    _world: Option<Lock>,
    own: Option<String>,
}

/// What a simulated world goes on from; a real one needs nothing.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// An instant that simulated time must have reached.
    pub reached: Option<DateTime<Utc>>,
    /// The world's lock, where it was taken already.
    pub world: Option<Lock>,
    /// The world that is the run's own, by name; without it the environment's.
    pub own: Option<String>,
}

impl Deref for Session {
    type Target = wiring::Session;

    fn deref(&self) -> &Self::Target {
        &self.wired
    }
}

impl Session {
    /// Opens `environment`; a simulated world goes on from `since`.
    ///
    /// # Errors
    /// The simulated world cannot be read or is in use, or an option fits only simulated environments.
    pub(super) fn open(
        tools: &Tools,
        estate: &Estate,
        environment: &Environment,
        simulation: &SimulationArgs,
        since: Since,
    ) -> Result<Self, CommandError> {
        check_options(environment, simulation)?;
        match &environment.kind {
            EnvironmentKind::Simulated(settings) => {
                let seed = Seed::new(simulation.seed.unwrap_or(settings.seed));
                Self::simulated(&tools.state, estate, environment, simulation, seed, since)
            }
            EnvironmentKind::Endpoints(_) | EnvironmentKind::Aws { .. } => {
                let clock = passing(simulation.pace, since.reached);
                let ports = real_ports(&clock, &tools.project);
                Ok(Self {
                    wired: wiring::Session::real(environment, clock, ports),
                    _world: None,
                    own: None,
                })
            }
        }
    }

    fn simulated(
        state: &StateDir,
        estate: &Estate,
        environment: &Environment,
        simulation: &SimulationArgs,
        seed: Seed,
        since: Since,
    ) -> Result<Self, CommandError> {
        let directory = match &since.own {
            Some(name) => state.own_world(name),
            None => state.world(&estate.name, &environment.name),
        };
        state.create(&directory)?;
        let lock = match since.world {
            Some(lock) => lock,
            None => Lock::take(&directory.join("lock"), "this simulated world", &holder())?,
        };
        let options = SimOptions { seed: Some(seed.number()), faults: simulation.faults.clone() };
        let simulator = Simulator::open(&directory, estate, environment, options)?;
        let epoch = simulator.time().max(since.reached.unwrap_or_else(simulated_epoch));
        let clock = match simulation.pace {
            Some(pace) => Clock::scaled(pace, epoch),
            None => Clock::virtual_from(epoch),
        };
        let place = Some(directory.as_path());
        let wired = wiring::Session::simulated(simulator, environment, seed, clock, place);
        Ok(Self { wired, _world: Some(lock), own: since.own })
    }

    /// The name of the simulated world, where it is the run's own.
    pub(super) fn own_world(&self) -> Option<&str> {
        self.own.as_deref()
    }

    /// Keeps the simulated world as it is now.
    ///
    /// # Errors
    /// The world cannot be written.
    pub(super) fn close(&self) -> Result<(), CommandError> {
        let Some(simulator) = &self.simulator else { return Ok(()) };
        Ok(simulator.save(self.clock.now())?)
    }

    /// Keeps the simulated world at the end of a command; why the command failed comes first.
    ///
    /// # Errors
    /// The command failed, or the world cannot be written.
    pub(super) fn end(&self, ended: Result<Exit, CommandError>) -> Result<Exit, CommandError> {
        let kept = self.close();
        let exit = ended?;
        kept.map(|()| exit)
    }
}

/// The time of the network: real, or with `--pace` that of an endpoint that plays as much faster, which
/// begins now or where a run that is taken up had come to.
fn passing(pace: Option<f64>, not_before: Option<DateTime<Utc>>) -> Clock {
    let real = Clock::real();
    match pace {
        None => real,
        Some(pace) => {
            Clock::scaled(pace, not_before.map_or(real.now(), |then| then.max(real.now())))
        }
    }
}

/// The ways out to the network and to this machine; paths are relative to the project.
fn real_ports(clock: &Clock, project: &Project) -> Ports {
    Ports {
        sql: Arc::new(PostgresConnector::new(clock.clone())),
        http: Arc::new(HttpNetwork::new(clock.clone(), project.root())),
        dns: Arc::new(DnsNetwork::new(clock.clone())),
        processes: Arc::new(LocalProcesses::new(clock.clone(), project.root())),
        variables: Arc::new(OwnVariables),
    }
}

/// The variables of this process.
#[derive(Debug)]
struct OwnVariables;

impl Variables for OwnVariables {
    fn value(&self, name: &str) -> Option<Secret> {
        std::env::var(name).ok().filter(|value| !value.is_empty()).map(Secret::from)
    }
}

/// Checks simulation options before anything is opened, so that a mistake leaves nothing behind.
///
/// # Errors
/// An unknown fault, or an option that fits only simulated environments.
pub(super) fn check_options(
    environment: &Environment,
    simulation: &SimulationArgs,
) -> Result<(), CommandError> {
    if environment.is_simulated() {
        return Ok(Simulator::check_faults(&simulation.faults)?);
    }
    // An endpoint may play fast, as `drctl sim serve --speed` does; AWS does not.
    let plays = matches!(environment.kind, EnvironmentKind::Endpoints(_));
    let asked = (simulation.pace.is_some() && !plays) || simulation.seed.is_some();
    if asked || !simulation.faults.is_empty() {
        let message = format!("environment `{}` is not simulated", environment.name);
        return Err(CommandError::usage(message)
            .help("--fault and --seed need a simulated one, --pace that or one of endpoints"));
    }
    Ok(())
}

/// Checks that the environment's account answers, and says who asked.
///
/// # Errors
/// Nobody answers, or another account does (exit code 18).
pub(super) async fn verify_account(
    cloud: &Cloud,
    environment: &Environment,
) -> Result<CallerIdentity, CommandError> {
    let error = match cloud.verify_account().await {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    let endpoint = match (&environment.kind, error.class) {
        (EnvironmentKind::Endpoints(endpoints), ErrorClass::Unreachable) => {
            endpoints.get("sts").or_else(|| endpoints.get("default"))
        }
        _ => None,
    };
    let failed = CommandError::from(error);
    Err(match endpoint {
        Some(endpoint) => failed.help(format!(
            "is {endpoint} up? `localstack/localstack status` tells about the servers of `localstack`"
        )),
        None => failed,
    })
}
