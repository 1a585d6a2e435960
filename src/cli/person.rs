//! Who types: the name that is declared, and whom AWS says the credentials belong to.
//!
//! **Invariant:** only a simulated environment believes a declared name; elsewhere a person is who STS
//! says, by their own credentials and not by a role that a whole team assumes.

use crate::cli::args::SimulationArgs;
use crate::cli::error::CommandError;
use crate::cli::launch::Tools;
use crate::cli::session::{Session, Since, verify_account};
use crate::cloud::GuardPolicy;
use crate::estate::{Environment, EnvironmentKind, Estate};
use crate::journal::Person;

/// Whoever types here. In a simulated environment the declared name, `claimed` before that of the
/// process; elsewhere the caller of STS `GetCallerIdentity`, after the environment's account was proven.
///
/// # Errors
/// A name is claimed where names prove nothing (exit code 2); STS cannot be asked, or the account is
/// another one (exit code 18).
pub(super) async fn person(
    tools: &Tools,
    estate: &Estate,
    environment: &Environment,
    claimed: Option<&str>,
) -> Result<Person, CommandError> {
    check_claim(environment, claimed)?;
    if environment.is_simulated() {
        return Ok(Person::declared(&claimed.map_or_else(operator, str::to_owned)));
    }
    let simulation = SimulationArgs::default();
    let session = Session::open(tools, estate, environment, &simulation, Since::default())?;
    let cloud = session.cloud(GuardPolicy::DryRun).await?;
    let proven = verify_account(&cloud, environment).await?;
    // Everybody who assumes the environment's role is that role to AWS: who they are is what they assume
    // it with, which may belong to another account.
    let arn = match own(environment) {
        None => proven.arn,
        Some(own) => {
            let cloud = session.cloud_in(own, GuardPolicy::DryRun).await?;
            cloud.caller_identity().await?.arn
        }
    };
    Ok(Person { operator: operator(), identity: Some(arn) })
}

/// Refuses a claimed name where names prove nothing.
///
/// # Errors
/// The environment is not simulated.
fn check_claim(environment: &Environment, claimed: Option<&str>) -> Result<(), CommandError> {
    let Some(name) = claimed.filter(|_| !environment.is_simulated()) else { return Ok(()) };
    let message = format!(
        "--as {name}: `{}` is not simulated, and there a person is who STS says",
        environment.name
    );
    Err(CommandError::usage(message)
        .help("leave --as away and use your own credentials, for example with AWS_PROFILE"))
}

/// The environment without the role that is assumed in it; `None` when there is none.
fn own(environment: &Environment) -> Option<Environment> {
    match &environment.kind {
        EnvironmentKind::Aws { profile, role: Some(_), .. } => {
            let kind =
                EnvironmentKind::Aws { profile: profile.clone(), role: None, external_id: None };
            Some(Environment { kind, ..environment.clone() })
        }
        EnvironmentKind::Aws { role: None, .. }
        | EnvironmentKind::Endpoints(_)
        | EnvironmentKind::Simulated(_) => None,
    }
}

/// Who runs this process, for tags and the journal.
pub(super) fn operator() -> String {
    ["DRCTL_OPERATOR", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}
