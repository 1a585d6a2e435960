//! `drctl doctor`: looks whether everything is there before it is needed.
//!
//! **Invariant:** changes nothing but a probe file in the state directory, which it removes; what it
//! could not look at is `unknown`, never `ok`.

mod environment;
mod machine;
mod place;
mod resolvers;
mod view;

pub(super) use environment::environment;
pub(super) use machine::machine;
pub(super) use resolvers::resolvers;
pub(super) use view::show;

use crate::cli::args::EstateArg;
use crate::cli::error::CommandError;
use crate::cli::exit::Exit;
use crate::cli::launch::{self, Tools};
use crate::cloud::dns::ResolverName;
use crate::estate::{Environment, Estate};
use clap::Args;

/// `drctl doctor`
#[derive(Debug, Args)]
#[command(after_help = "Without --env only this machine and simulated environments are examined: \
    nobody else is contacted\nthat you did not name. What is asked of AWS are reads: \
    GetCallerIdentity, DescribeDBInstances and\nSimulatePrincipalPolicy. Databases are asked for TLS, \
    without logging in.\n\nExamples:\n  drctl doctor\n  drctl doctor --estate acme --env production")]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    estate: EstateArg,
    /// An environment to examine (repeatable).
    #[arg(long, value_name = "NAME")]
    env: Vec<String>,
    /// A DNS resolver to ask whether it answers, as 192.0.2.53, 192.0.2.53:5353 or `system` (repeatable).
    #[arg(long, value_name = "ADDRESS", value_parser = ResolverName::parse)]
    resolver: Vec<ResolverName>,
}

/// What is examined.
pub(super) struct Patient {
    /// The estate.
    pub estate: Estate,
    /// Its environments that are asked.
    pub environments: Vec<Environment>,
    /// Those that are not, by name.
    pub left_out: Vec<String>,
}

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and deserves attention.
    Warn,
    /// It could not be looked at.
    Unknown,
    /// It will not work.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    /// `machine`, or the environment.
    pub place: String,
    /// What was looked at, such as `clock`.
    pub topic: &'static str,
    /// How it is.
    pub state: State,
    /// In words.
    pub what: String,
    /// What to do next.
    pub help: Option<String>,
    /// The exit code that a failure of it means.
    pub exit: Exit,
}

impl Finding {
    fn new(place: &str, topic: &'static str, state: State, what: impl Into<String>) -> Self {
        let exit = Exit::Credentials;
        Self { place: place.to_owned(), topic, state, what: what.into(), help: None, exit }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// Decides what is examined.
///
/// # Errors
/// The estate or an environment is not there.
pub(super) fn prepare(tools: &Tools, args: &DoctorArgs) -> Result<Patient, CommandError> {
    let estate = tools.estate(&args.estate.name)?;
    let environments = if args.env.is_empty() {
        estate.environments.values().filter(|found| found.is_simulated()).cloned().collect()
    } else {
        let named = args.env.iter().map(|name| launch::environment(&estate, name).cloned());
        named.collect::<Result<Vec<_>, _>>()?
    };
    let asked = |name: &String| environments.iter().any(|found: &Environment| found.name == *name);
    let left_out = estate.environments.keys().filter(|name| !asked(name)).cloned().collect();
    Ok(Patient { estate, environments, left_out })
}
