//! `drctl sim serve|faults|advance|reset`.
//!
//! **Invariant:** serves on loopback only.

use crate::base::clock::{Clock, format_instant, to_delta};
use crate::base::duration;
use crate::cli::args::{EstateArg, OutputForm};
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Tools, environment};
use crate::cli::lock::{Lock, holder};
use crate::cli::main::{Time, block_on};
use crate::cli::out;
use crate::estate::{Environment, EnvironmentKind, Estate, FAULTS, Simulation};
use crate::sim::{DnsSockets, SimOptions, Simulator, serve, serve_dns};
use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// `drctl sim`
#[derive(Debug, Subcommand)]
pub(super) enum SimCommand {
    /// Answer AWS requests on loopback until stopped (Ctrl-C, SIGTERM); then the world is saved.
    ///
    /// Name servers of the simulated zones answer on loopback too, over UDP and TCP:
    /// `dig @127.0.0.1 -p 4553 NAME`.
    ///
    /// Point clients at it with `AWS_ENDPOINT_URL=http://127.0.0.1:4577` and any credentials; a
    /// region comes from the client's signature. Besides AWS it answers, in JSON:
    ///
    ///   GET    /_drctl/world         time, seed, speed and counts
    ///   GET    /_drctl/faults        faults that are on, and the catalogue
    ///   PUT    /_drctl/faults        switch on exactly {"faults": ["throttled=3"]}
    ///   POST   /_drctl/faults        switch these on besides
    ///   DELETE /_drctl/faults        switch all off; /_drctl/faults/NAME: one
    ///   GET    /_drctl/mutations     calls that changed the world; ?after=SEQUENCE
    ///   GET    /_drctl/published     messages that SNS topics accepted
    ///
    /// `-v` logs every request.
    #[command(verbatim_doc_comment)]
    Serve {
        #[command(flatten)]
        world: WorldArgs,
        /// TCP port; 0 chooses a free one.
        #[arg(long, default_value_t = 4577)]
        port: u16,
        /// Port of the name servers, UDP and TCP; 0 chooses a free one. 4553, or with `--port 0` a free
        /// one, when not given.
        #[arg(long, value_name = "PORT")]
        dns_port: Option<u16>,
        /// Keep the world in memory instead of the state directory.
        #[arg(long)]
        ephemeral: bool,
        /// Simulated time runs this many times faster than real time.
        #[arg(
            long,
            visible_alias = "pace",
            value_name = "FACTOR",
            default_value_t = 1.0,
            allow_negative_numbers = true
        )]
        speed: f64,
        /// Seed of a new simulated world.
        #[arg(long)]
        seed: Option<u64>,
        /// Switch a fault on (repeatable); `drctl sim faults` lists them.
        #[arg(long = "fault", value_name = "NAME[=VALUE]")]
        faults: Vec<String>,
    },
    /// List the faults that can be switched on: name, value, meaning.
    Faults,
    /// Let simulated time pass in the kept world: what was to happen meanwhile happens.
    Advance {
        /// How far, for example 3d or 90m.
        #[arg(value_name = "DURATION")]
        by: String,
        #[command(flatten)]
        world: WorldArgs,
    },
    /// Forget the simulated world: the next command starts a new one.
    Reset {
        #[command(flatten)]
        world: WorldArgs,
    },
}

/// Which simulated world.
#[derive(Debug, Args)]
pub(super) struct WorldArgs {
    #[command(flatten)]
    estate: EstateArg,
    /// The simulated environment.
    #[arg(long, value_name = "NAME", default_value = "sim")]
    env: String,
}

/// Where name servers listen when nothing else is said.
const DNS_PORT: u16 = 4553;

/// Fastest that time may run.
const MOST_SPEED: f64 = 1_000_000.0;

/// Runs the command.
///
/// # Errors
/// The environment is not simulated, the world is in use, or the port is taken.
pub(super) fn run(
    tools: &Tools,
    command: &SimCommand,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    match command {
        SimCommand::Faults => {
            out::result(&faults(output));
            Ok(Exit::Ok)
        }
        SimCommand::Reset { world } => reset(&Place::open(tools, world)?.directory),
        SimCommand::Advance { by, world } => advance(tools, by, world),
        SimCommand::Serve { world, port, dns_port, ephemeral, speed, seed, faults } => {
            if !speed.is_finite() || *speed <= 0.0 || *speed > MOST_SPEED {
                return Err(CommandError::usage(format!("--speed {speed} is no speed"))
                    .help("60 plays an hour in a minute"));
            }
            Simulator::check_faults(faults)?;
            let place = Place::open(tools, world)?;
            let options = SimOptions {
                seed: Some(seed.unwrap_or(place.simulation.seed)),
                faults: faults.clone(),
            };
            let simulator = place.world(*ephemeral, options)?;
            let dns = dns_port.unwrap_or(if *port == 0 { 0 } else { DNS_PORT });
            let listening = listen(simulator, *speed, (*port, dns), output);
            let ended = block_on(Time::Passing, listening)?;
            let kept = if *ephemeral { "" } else { "; the simulated world is saved" };
            out::progress(&format!("stopped{kept}"));
            Ok(ended)
        }
    }
}

/// A simulated environment whose world is ours for as long as this lives.
struct Place {
    estate: Estate,
    environment: Environment,
    simulation: Simulation,
    directory: PathBuf,
    _lock: Lock,
}

impl Place {
    fn open(tools: &Tools, world: &WorldArgs) -> Result<Self, CommandError> {
        let estate = tools.estate(&world.estate.name)?;
        let env = &world.env;
        let environment = environment(&estate, env)?.clone();
        let EnvironmentKind::Simulated(simulation) = environment.kind.clone() else {
            return Err(CommandError::usage(format!("environment `{env}` is not simulated")));
        };
        let directory = tools.state.world(&estate.name, &environment.name);
        tools.state.create(&directory)?;
        let lock = Lock::take(&directory.join("lock"), "this simulated world", &holder())?;
        Ok(Self { estate, environment, simulation, directory, _lock: lock })
    }

    fn world(&self, ephemeral: bool, options: SimOptions) -> Result<Simulator, CommandError> {
        Ok(if ephemeral {
            Simulator::create(&self.estate, &self.environment, options)?
        } else {
            Simulator::open(&self.directory, &self.estate, &self.environment, options)?
        })
    }
}

/// The catalogue of faults.
fn faults(output: OutputForm) -> String {
    match output {
        OutputForm::Json => {
            let entries: Vec<Json> = FAULTS
                .iter()
                .map(|entry| {
                    json!({ "name": entry.name, "value": entry.value(), "meaning": entry.meaning })
                })
                .collect();
            format!("{:#}", json!({ "schema_version": 1, "faults": entries }))
        }
        OutputForm::Text => {
            let mut text = String::new();
            for entry in FAULTS {
                text += &format!("{}{}\n    {}\n", entry.name, entry.value(), entry.meaning);
            }
            text + "Switch them on with --fault, in an estate or drill (`faults: [...]`), or over \
                    HTTP while serving (`drctl sim serve --help`).\n"
        }
    }
}

/// Lets time pass in the kept world.
fn advance(tools: &Tools, by: &str, world: &WorldArgs) -> Result<Exit, CommandError> {
    let unfit = |why: String| CommandError::usage(format!("`{by}` is no span of time: {why}"));
    let span = duration::parse(by).map_err(unfit)?;
    if let Some(why) = duration::too_long(span) {
        return Err(unfit(why));
    }
    let place = Place::open(tools, world)?;
    let options = SimOptions { seed: None, faults: Vec::new() };
    let simulator = place.world(false, options)?;
    let now = simulator.time() + to_delta(span);
    simulator.save(now)?;
    out::result(&format!("simulated time is {}", format_instant(now)));
    Ok(Exit::Ok)
}

fn reset(directory: &std::path::Path) -> Result<Exit, CommandError> {
    for name in ["world.json", "mutations.jsonl"] {
        match std::fs::remove_file(directory.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(CommandError::new(
                    Exit::Journal,
                    format!("cannot remove {name}: {error}"),
                ));
            }
        }
    }
    out::result("the simulated world starts over with the next command");
    Ok(Exit::Ok)
}

async fn listen(
    simulator: Simulator,
    speed: f64,
    (port, dns_port): (u16, u16),
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        CommandError::usage(format!("cannot listen on {address}: {error}"))
            .help("choose another --port, or 0")
    })?;
    let address = listener.local_addr().map_err(|error| CommandError::usage(error.to_string()))?;
    let names = SocketAddr::from((Ipv4Addr::LOCALHOST, dns_port));
    let sockets = DnsSockets::bind(names).await.map_err(|error| {
        CommandError::usage(format!("cannot listen for DNS on {names}: {error}"))
            .help("choose another --dns-port, or 0")
    })?;
    let names = sockets.address().map_err(|error| CommandError::usage(error.to_string()))?;
    let stop = stop_signal()?;
    let clock = Clock::scaled(speed, simulator.time());
    out::result(&greeting((address, names), speed, output));
    let (ending, ended) = tokio::sync::oneshot::channel::<()>();
    let until = async move { drop(ended.await) };
    let answering = serve_dns(simulator.clone(), clock.clone(), sockets, until);
    let serving = async {
        let served = serve(simulator.clone(), clock.clone(), listener, stop).await;
        drop(ending);
        served
    };
    let (served, ()) = tokio::join!(serving, answering);
    simulator.save(clock.now())?;
    served.map_err(|error| CommandError::usage(format!("serving stopped: {error}")))?;
    Ok(Exit::Ok)
}

/// Where it listens, and how to point clients to it.
fn greeting((address, names): (SocketAddr, SocketAddr), speed: f64, output: OutputForm) -> String {
    let services = Simulator::service_names();
    match output {
        OutputForm::Json => json!({
            "schema_version": 1,
            "endpoint": format!("http://{address}"),
            "dns": names.to_string(),
            "speed": speed,
            "services": services,
        })
        .to_string(),
        OutputForm::Text => format!(
            "SIMULATED AWS at http://{address} ({}) at {speed} times real speed; Ctrl-C stops it\n  \
             export AWS_ENDPOINT_URL=http://{address} AWS_REGION=us-east-1\n  \
             export AWS_ACCESS_KEY_ID=simulated AWS_SECRET_ACCESS_KEY=simulated\n  \
             names: dig @{} -p {} NAME\n  \
             faults and more: http://{address}/_drctl/",
            services.join(", "),
            names.ip(),
            names.port()
        ),
    }
}

/// Ready at Ctrl-C or SIGTERM. The handlers stand when this returns, so no signal is missed.
fn stop_signal() -> Result<impl Future<Output = ()>, CommandError> {
    let handler = |kind| {
        signal(kind).map_err(|error| {
            CommandError::new(Exit::Internal, format!("cannot handle signals: {error}"))
        })
    };
    let (mut interrupt, mut terminate) =
        (handler(SignalKind::interrupt())?, handler(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
