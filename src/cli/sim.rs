//! `drctl sim serve|reset`.
//!
//! **Invariant:** serves on loopback only.

use crate::base::clock::Clock;
use crate::cli::args::SimCommand;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{Tools, environment};
use crate::cli::lock::{Lock, holder};
use crate::cli::out;
use crate::estate::{Environment, EnvironmentKind, Estate};
use crate::sim::{SimOptions, Simulator, serve};
use std::net::{Ipv4Addr, SocketAddr};

/// Runs the command.
///
/// # Errors
/// The environment is not simulated, the world is in use, or the port is taken.
pub(super) async fn run(tools: &Tools, command: &SimCommand) -> Result<Exit, CommandError> {
    let (SimCommand::Serve { estate, env, .. } | SimCommand::Reset { estate, env }) = command;
    let estate = tools.estate(estate)?;
    let environment = environment(&estate, env)?.clone();
    let EnvironmentKind::Simulated(settings) = &environment.kind else {
        return Err(CommandError::usage(format!("environment `{env}` is not simulated")));
    };
    let directory = tools.state.world(&estate.name, &environment.name);
    tools.state.create(&directory)?;
    let lock = Lock::take(&directory.join("lock"), "this simulated world", &holder())?;
    match command {
        SimCommand::Reset { .. } => reset(&directory),
        SimCommand::Serve { port, ephemeral, simulation, .. } => {
            let seed = Some(simulation.seed.unwrap_or(settings.seed));
            let options = SimOptions { seed, faults: simulation.faults.clone() };
            let simulator = world(*ephemeral, &directory, &estate, &environment, options)?;
            let clock = Clock::scaled(simulation.pace.unwrap_or(1.0), simulator.time());
            let served = listen(simulator.clone(), clock.clone(), *port).await;
            simulator.save(clock.now())?;
            drop(lock);
            served
        }
    }
}

fn world(
    ephemeral: bool,
    directory: &std::path::Path,
    estate: &Estate,
    environment: &Environment,
    options: SimOptions,
) -> Result<Simulator, CommandError> {
    let made = if ephemeral {
        Simulator::create(estate, environment, options)
    } else {
        Simulator::open(directory, estate, environment, options)
    };
    Ok(made?)
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

async fn listen(simulator: Simulator, clock: Clock, port: u16) -> Result<Exit, CommandError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = tokio::net::TcpListener::bind(address).await.map_err(|error| {
        CommandError::usage(format!("cannot listen on {address}: {error}"))
            .help("choose another --port, or 0")
    })?;
    let address = listener.local_addr().map_err(|error| CommandError::usage(error.to_string()))?;
    out::result(&format!(
        "SIMULATED AWS at http://{address} (rds, sts, secretsmanager); Ctrl-C stops it"
    ));
    tokio::select! {
        served = serve(simulator, clock, listener) => {
            served.map_err(|error| CommandError::usage(format!("serving stopped: {error}")))?;
        }
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(Exit::Ok)
}
