//! Reads the command line, chooses the runtime, runs the command.
//!
//! **Invariant:** time is paused exactly when everything the command touches is simulated in process.

use crate::cli::args::{Cli, Command, OutputForm};
use crate::cli::drill::{DrillArgs, DrillCommand};
use crate::cli::error::CommandError;
use crate::cli::exit::{Exit, TABLE};
use crate::cli::launch::{Launch, Tools, environment};
use crate::cli::{
    control, doctor, drill, drill_all, drill_list, explain, heartbeat, history, init, journal,
    link, logging, out, rehearse, reports, resume, run, runbook, s3, shell, sim, status, sweep,
};
use clap::Parser as _;
use std::future::Future;
use std::process::ExitCode;

/// The program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            // A closed pipe is the reader's choice.
            let _ = error.print();
            return exit.into();
        }
    };
    out::be(if cli.quiet { out::Loudness::Quiet } else { out::Loudness::Usual });
    logging::start(cli.verbose);
    match caught(|| dispatch(&cli)) {
        Ok(exit) => exit.into(),
        Err(error) => {
            out::failure(&error.fitted());
            error.exit.into()
        }
    }
}

/// What `work` ends with; a panic, whose message was written already, is an internal error: exit codes are
/// for scripts, and the journal is whole because a turn is one transaction.
fn caught(work: impl FnOnce() -> Result<Exit, CommandError>) -> Result<Exit, CommandError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(CommandError::new(Exit::Internal, "drctl has a defect and stopped; see above")
            .help("nothing is lost: `drctl status` says where runs stand, `drctl resume` goes on"))
    })
}

/// Whether time jumps or passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// Everything is simulated in process.
    Paused,
    /// Sockets, people or a pace.
    Passing,
}

/// Runs `work` on a runtime of its own.
pub(super) fn block_on<T>(time: Time, work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().start_paused(time == Time::Paused);
    let runtime = builder.build().expect("a runtime can be made");
    let done = runtime.block_on(work);
    // A line that nobody will type any more must not keep the program from ending.
    runtime.shutdown_background();
    done
}

/// The same on as many threads as there are cores, where time passes: reading answers takes more time than
/// waiting for them.
pub(super) fn block_on_cores<T>(time: Time, work: impl Future<Output = T>) -> T {
    if time == Time::Paused {
        return block_on(time, work);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

pub(super) fn time_of(simulated: bool, pace: Option<f64>) -> Time {
    if simulated && pace.is_none() { Time::Paused } else { Time::Passing }
}

fn launch_time(launch: &Launch, pace: Option<f64>) -> Result<Time, CommandError> {
    Ok(time_of(environment(&launch.estate, &launch.environment)?.is_simulated(), pace))
}

fn dispatch(cli: &Cli) -> Result<Exit, CommandError> {
    let output = cli.output;
    let tools = &Tools::new()?;
    refresh(tools, &cli.command)?;
    match &cli.command {
        Command::Drill(DrillArgs { command: Some(DrillCommand::List), .. }) => {
            drill_list::run(tools, output)
        }
        Command::Drill(DrillArgs { command: Some(DrillCommand::All(args)), .. }) => {
            check_pace(args.simulation.pace)?;
            drill_all::run(tools, args, output)
        }
        Command::Drill(args) => {
            check_pace(args.launch.simulation.pace)?;
            let prepared = drill::prepare(tools, args, output)?;
            let time = launch_time(&prepared, args.launch.simulation.pace)?;
            block_on(time, drill::run(tools, prepared, args))
        }
        Command::Run(args) => {
            check_pace(args.launch.simulation.pace)?;
            let pace = args.launch.simulation.pace;
            match &args.plan {
                Some(path) => {
                    let stored = run::read_plan(tools, path)?;
                    let time = time_of(stored.plan.environment.simulated, pace);
                    block_on(time, run::run_plan(tools, stored, &args.launch, output))
                }
                None => {
                    let (prepared, launch) = run::prepare(tools, args, output)?;
                    let time = launch_time(&prepared, pace)?;
                    block_on(time, run::run(tools, prepared, &launch))
                }
            }
        }
        Command::Link(args) => link::run(tools, args, output),
        Command::Resume(args) => {
            check_pace(args.simulation.pace)?;
            let resumable = resume::prepare(tools, args)?;
            let resumable = block_on(Time::Passing, resumable.settle())?;
            let time = time_of(resumable.is_simulated(), args.simulation.pace);
            block_on(time, resume::run(resumable, args, output))
        }
        Command::Rehearse(args) => rehearse::run(tools, args, output),
        Command::Control(command) => block_on(Time::Passing, control::run(tools, command, output)),
        Command::Status(args) => status::status(tools, args, output),
        Command::History(args) => history::history(tools, args, output),
        Command::Report(args) => reports::report(tools, args, output),
        Command::Journal(command) => journal::run(tools, command, output),
        Command::Sweep(args) => {
            check_pace(args.simulation.pace)?;
            let prepared = sweep::prepare(tools, args)?;
            let time = time_of(prepared.environment.is_simulated(), args.simulation.pace);
            block_on(time, sweep::run(tools, prepared, args, output))
        }
        Command::Init(args) => init::run(tools, args),
        Command::Runbook(command) => runbook::run(tools, command, output),
        Command::Explain(args) => explain::run(args, output),
        Command::Heartbeat(command) => block_on(Time::Passing, heartbeat::run(tools, command)),
        Command::S3(command) => s3::run(tools, command, output),
        Command::Sim(command) => sim::run(tools, command, output),
        Command::Doctor(args) => examine(tools, args, output),
        Command::Completions(args) => Ok(shell::completions(args)),
        Command::Man(args) => shell::man(args),
        Command::ExitCodes => {
            let line = |(exit, meaning): &(Exit, &str)| format!("{:>3}  {meaning}\n", *exit as u8);
            out::result(&TABLE.iter().map(line).collect::<String>());
            Ok(Exit::Ok)
        }
    }
}

/// Before a command that looks at runs: what the team shares is brought to this machine. Whoever drives or
/// controls a run needs it, and so does a sweep, which leaves open runs alone; whoever only looks is shown
/// what there is.
fn refresh(tools: &Tools, command: &Command) -> Result<(), CommandError> {
    match command {
        Command::Resume(_) | Command::Control(_) | Command::Sweep(_) => {
            tools.journals.refresh(&tools.state)
        }
        Command::Journal(one) if !one.reads() => Ok(()),
        Command::Status(_)
        | Command::History(_)
        | Command::Report(_)
        | Command::Journal(_)
        | Command::Drill(DrillArgs { command: Some(DrillCommand::List), .. }) => {
            tools.journals.refresh_if_possible(&tools.state);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn examine(
    tools: &Tools,
    args: &doctor::DoctorArgs,
    output: OutputForm,
) -> Result<Exit, CommandError> {
    let patient = doctor::prepare(tools, args)?;
    let mut findings = doctor::machine(tools);
    for environment in &patient.environments {
        let time = time_of(environment.is_simulated(), None);
        let examined = doctor::environment(tools, &patient.estate, environment);
        findings.extend(block_on(time, examined));
    }
    findings.extend(block_on(time_of(false, None), doctor::resolvers(args, &patient)));
    Ok(doctor::show(&patient, &findings, output))
}

fn check_pace(pace: Option<f64>) -> Result<(), CommandError> {
    match pace {
        Some(factor) if !factor.is_finite() || factor <= 0.0 || factor > 1_000_000.0 => {
            Err(CommandError::usage(format!("--pace {factor} is no speed"))
                .help("60 plays an hour in a minute"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        let error = caught(|| panic!("of a test")).expect_err("it panicked");
        assert_eq!(error.exit, Exit::Internal);
        assert_eq!(caught(|| Ok(Exit::Waiting)).ok(), Some(Exit::Waiting));
    }
}
