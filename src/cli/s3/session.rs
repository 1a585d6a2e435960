//! Sessions of the commands about buckets: an environment of an estate, or the operator's own.
//!
//! **Invariant:** what is opened here can only read; a session without an estate asks nobody but the
//! server that the operator's profile, variables or options name.

use super::BucketName;
use crate::base::clock::Clock;
use crate::base::seed::unpredictable;
use crate::cli::args::{EstateArg, SimulationArgs};
use crate::cli::error::CommandError;
use crate::cli::launch::{Tools, environment};
use crate::cli::main::{Time, time_of};
use crate::cli::session::{Session, Since, check_options};
use crate::cloud::{Cloud, CloudOptions, GuardPolicy, HttpSource};
use crate::estate::{Environment, EnvironmentKind, Estate};
use clap::Args;

/// The region that is asked where a bucket is, if nobody named one.
const ANY_REGION: &str = "us-east-1";

/// Whose buckets.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct SessionArgs {
    #[command(flatten)]
    pub estate: EstateArg,
    /// An environment of the estate; without it, your own profile and variables say where to look.
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// The profile whose credentials are used; without it AWS_PROFILE and the usual chain.
    #[arg(long, value_name = "NAME", conflicts_with = "env")]
    pub profile: Option<String>,
    /// The region to ask first; each bucket's own is found out.
    #[arg(long, value_name = "REGION", conflicts_with = "env")]
    pub region: Option<String>,
    /// A server in the place of AWS; without it AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL.
    #[arg(long, value_name = "URL", conflicts_with = "env")]
    pub endpoint_url: Option<String>,
}

/// An opened session.
pub(in crate::cli) struct S3Session {
    /// It can only read.
    pub cloud: Cloud,
    /// Its time.
    pub clock: Clock,
    /// The estate, where an environment was named.
    pub estate: Option<Estate>,
    held: Option<Session>,
}

/// What is to be opened; read before a runtime is chosen.
pub(in crate::cli) enum Place {
    /// An environment of an estate.
    Environment(Box<(Estate, Environment)>),
    /// The operator's own.
    AdHoc {
        /// The named profile.
        profile: Option<String>,
        /// The region that is asked first.
        region: String,
        /// A server in the place of AWS.
        endpoint: Option<String>,
    },
}

impl SessionArgs {
    /// Finds the environment, or what stands for it.
    ///
    /// # Errors
    /// The estate or the environment is not there, or has no address of S3.
    pub(in crate::cli) fn place(&self, tools: &Tools) -> Result<Place, CommandError> {
        let Some(name) = &self.env else {
            let endpoint = self.endpoint_url.clone();
            let endpoint = endpoint.or_else(|| variable("AWS_ENDPOINT_URL_S3"));
            let endpoint = endpoint.or_else(|| variable("AWS_ENDPOINT_URL"));
            if let Some(url) = &endpoint {
                check_url(url)?;
            }
            let region = self.region.clone().or_else(|| variable("AWS_REGION"));
            let region = region.or_else(|| variable("AWS_DEFAULT_REGION"));
            let region = region.unwrap_or_else(|| ANY_REGION.to_owned());
            let profile = self.profile.clone().or_else(|| variable("AWS_PROFILE"));
            return Ok(Place::AdHoc { profile, region, endpoint });
        };
        let estate = tools.estate(&self.estate.name)?;
        let environment = environment(&estate, name)?.clone();
        if let EnvironmentKind::Endpoints(map) = &environment.kind
            && !map.contains_key("s3")
            && !map.contains_key("default")
        {
            let message = format!("environment `{name}` names no endpoint of s3");
            return Err(CommandError::usage(message).help("add `s3` or `default` to its endpoints"));
        }
        Ok(Place::Environment(Box::new((estate, environment))))
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn check_url(text: &str) -> Result<(), CommandError> {
    let parsed = url::Url::parse(text);
    match parsed {
        Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {}
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            return Err(CommandError::usage("the endpoint's URL holds a user or password")
                .help("credentials come from a profile or from variables"));
        }
        Ok(_) => return Ok(()),
        Err(_) => {}
    }
    Err(CommandError::usage(format!("`{text}` is no address of a server"))
        .help("write it as http://127.0.0.1:9000"))
}

impl Place {
    /// Whether time jumps: everything is simulated in process.
    pub(in crate::cli) fn time(&self) -> Time {
        match self {
            Self::Environment(place) => time_of(place.1.is_simulated(), None),
            Self::AdHoc { .. } => Time::Passing,
        }
    }

    /// What tells it apart from other places.
    pub(in crate::cli) fn name(&self) -> String {
        match self {
            Self::Environment(place) => format!("{} of {}", place.1.name, place.0.name),
            Self::AdHoc { endpoint, .. } => endpoint.clone().unwrap_or_else(|| "AWS".to_owned()),
        }
    }

    /// Opens it, for reads only.
    ///
    /// # Errors
    /// The simulated world is in use, or credentials or endpoints are not usable.
    pub(in crate::cli) async fn open(
        self,
        tools: &Tools,
        simulation: &SimulationArgs,
    ) -> Result<S3Session, CommandError> {
        match self {
            Self::Environment(place) => {
                let (estate, environment) = *place;
                check_options(&environment, simulation)?;
                let since = Since::default();
                let held = Session::open(tools, &estate, &environment, simulation, since)?;
                let cloud = held.cloud(GuardPolicy::DryRun).await?.protecting(&estate);
                let clock = held.clock.clone();
                Ok(S3Session { cloud, clock, estate: Some(estate), held: Some(held) })
            }
            Self::AdHoc { profile, region, endpoint } => {
                let clock = Clock::real();
                let named = (profile.as_deref(), endpoint.as_deref());
                let options = CloudOptions {
                    environment: Environment::ad_hoc(&region, named.0, named.1),
                    clock: clock.clone(),
                    seed: unpredictable(),
                    http: HttpSource::Network,
                    policy: GuardPolicy::DryRun,
                };
                let cloud = Cloud::open_as_operator(options, profile, endpoint).await?;
                Ok(S3Session { cloud, clock, estate: None, held: None })
            }
        }
    }
}

impl S3Session {
    /// A bucket by its own name: the key of an estate's bucket becomes it.
    pub(in crate::cli) fn named(&self, place: &BucketName) -> BucketName {
        let known = self.estate.as_ref().filter(|_| !place.address);
        let environment = self.cloud.environment();
        let found = known.and_then(|estate| estate.bucket_in(&place.bucket, environment));
        let bucket = found.map_or_else(|| place.bucket.clone(), |found| found.name);
        BucketName { bucket, ..place.clone() }
    }

    /// Keeps the simulated world as it is now, where there is one.
    ///
    /// # Errors
    /// The world cannot be written.
    pub(in crate::cli) fn close(&self) -> Result<(), CommandError> {
        self.held.as_ref().map_or(Ok(()), Session::close)
    }
}
