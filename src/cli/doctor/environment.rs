//! What one environment has to offer: credentials, account, clock, permissions, databases.
//!
//! **Invariant:** asks through a session that can only read.

use super::{Finding, State, place};
use crate::base::clock::format_instant;
use crate::base::duration;
use crate::cli::args::SimulationArgs;
use crate::cli::exit::Exit;
use crate::cli::launch::Tools;
use crate::cli::session::{Session, Since};
use crate::cloud::model::CallerIdentity;
use crate::cloud::sql::{Reach, probe};
use crate::cloud::{Cloud, ErrorClass, GuardPolicy, Overlay};
use crate::estate::{Database, Environment, Estate, SqlRoute};
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::time::Duration;

/// Credentials that end sooner may end inside a run.
const SOON: TimeDelta = TimeDelta::hours(4);
/// AWS refuses signatures that are older or newer.
const MOST_SKEW: TimeDelta = TimeDelta::minutes(5);
/// A skew that measured times and tags would show.
const NOTABLE_SKEW: TimeDelta = TimeDelta::seconds(30);
/// Longest wait for a database server.
const PROBE: Duration = Duration::from_secs(5);

/// Examines an environment of the estate.
pub(in crate::cli) async fn environment(
    tools: &Tools,
    estate: &Estate,
    environment: &Environment,
) -> Vec<Finding> {
    let name = environment.name.as_str();
    let simulation = SimulationArgs::default();
    let session = match Session::open(tools, estate, environment, &simulation, Since::default()) {
        Ok(session) => session,
        Err(error) => {
            let failed = Finding::new(name, "session", State::Fail, error.to_string());
            return vec![failed.exit(error.exit)];
        }
    };
    let cloud = match session.cloud(GuardPolicy::DryRun).await {
        Ok(cloud) => cloud.protecting(estate),
        Err(error) => return vec![Finding::new(name, "session", State::Fail, error.to_string())],
    };
    let mut findings = vec![place::endpoints(environment), credentials(&session, &cloud).await];
    match cloud.verify_account().await {
        Ok(identity) => {
            let what = format!("{} in account {}", identity.arn, identity.account);
            findings.push(Finding::new(name, "account", State::Ok, what));
            for name in environment.accounts.keys() {
                findings.push(account(&cloud, environment, name).await);
            }
            findings.push(clock(&cloud));
            findings.extend(place::regions(&cloud, estate).await);
            findings.extend(databases(&cloud, estate).await);
            findings.push(permissions(tools, &cloud, &identity).await);
        }
        Err(error) => {
            let failed = Finding::new(name, "account", State::Fail, error.to_string());
            findings.push(failed.help(match error.class {
                ErrorClass::Unreachable => "is the endpoint up, and reachable from here?",
                _ => "log in (`aws sso login`, `aws configure`), or choose another profile",
            }));
        }
    }
    let _ = session.close();
    findings
}

/// Whether the role of a further account can be assumed, and is that account's.
async fn account(cloud: &Cloud, environment: &Environment, name: &str) -> Finding {
    let found = |state, what: String| Finding::new(&environment.name, "account", state, what);
    let proven = match cloud.in_account(Some(name)) {
        Ok(there) => there.verify_account().await,
        Err(error) => Err(error),
    };
    match proven {
        Ok(identity) => {
            found(State::Ok, format!("`{name}`: {} in account {}", identity.arn, identity.account))
        }
        Err(error) => found(State::Fail, format!("`{name}`: {error}"))
            .help("compare role, external id and session tags with the role's trust policy"),
    }
}

async fn credentials(session: &Session, cloud: &Cloud) -> Finding {
    let found =
        |state, what: String| Finding::new(&cloud.environment().name, "credentials", state, what);
    match cloud.credentials_expire().await {
        Ok(None) => {
            found(State::Ok, "there are some, and they do not say that they end".to_owned())
        }
        Ok(Some(end)) => {
            let left = end - session.clock.now();
            let until = format_instant(end);
            if left <= TimeDelta::zero() {
                found(State::Fail, format!("they ended at {until}")).help("log in again")
            } else if left < SOON {
                let left = duration::format(left.to_std().unwrap_or_default());
                found(State::Warn, format!("they end in {left}, at {until}"))
                    .help("log in again before a long run; one that loses them waits to be resumed")
            } else {
                found(State::Ok, format!("they last until {until}"))
            }
        }
        Err(error) => found(State::Fail, error.to_string())
            .help("log in (`aws sso login`, `aws configure`), or name a profile in the estate"),
    }
}

fn clock(cloud: &Cloud) -> Finding {
    let found = |state, what: String| Finding::new(&cloud.environment().name, "clock", state, what);
    if cloud.environment().is_simulated() {
        return found(State::Ok, "the simulator has the clock of this program".to_owned());
    }
    let Some(skew) = cloud.clock_skew() else {
        return found(State::Unknown, "the server does not say what time it has".to_owned());
    };
    let apart = duration::format(skew.abs().to_std().unwrap_or_default());
    let side = if skew < TimeDelta::zero() { "ahead of" } else { "behind" };
    let what = format!("this machine is {apart} {side} {}", cloud.server());
    if skew.abs() >= MOST_SKEW {
        found(State::Fail, what).help("set the clock (NTP): AWS refuses signatures 5 minutes off")
    } else if skew.abs() >= NOTABLE_SKEW {
        found(State::Warn, what).help("set the clock (NTP): measured times would be off by as much")
    } else {
        found(State::Ok, "this machine and the server agree within 30 s".to_owned())
    }
}

async fn permissions(tools: &Tools, cloud: &Cloud, identity: &CallerIdentity) -> Finding {
    let found =
        |state, what: String| Finding::new(&cloud.environment().name, "permissions", state, what);
    let specs = tools.catalogue.names().filter_map(|name| tools.catalogue.spec(name));
    let wanted: BTreeSet<&str> = specs.flat_map(|spec| spec.calls.iter().copied()).collect();
    let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
    match cloud.permissions(identity, &wanted).await {
        Ok(answers) => {
            let denied = answers.iter().filter(|(_, allowed)| !**allowed);
            let denied: Vec<&str> = denied.map(|(name, _)| name.as_str()).collect();
            if denied.is_empty() {
                let what = format!("IAM allows all {} operations of the actions", answers.len());
                found(State::Ok, what)
            } else {
                found(State::Warn, format!("IAM denies {}", denied.join(", "))).help(
                    "steps that call these will fail; let the role of this environment call them",
                )
            }
        }
        Err(error) => found(State::Unknown, format!("cannot be asked: {error}"))
            .help("iam:SimulatePrincipalPolicy would tell; a dry run shows what a plan needs"),
    }
}

async fn databases(cloud: &Cloud, estate: &Estate) -> Vec<Finding> {
    let environment = cloud.environment();
    let mut findings = Vec::new();
    for name in estate.databases.keys() {
        if let Some(database) = estate.database_in(name, environment) {
            findings.push(reach(cloud, &database).await);
        }
    }
    findings
}

async fn reach(cloud: &Cloud, database: &Database) -> Finding {
    let environment = cloud.environment();
    let found = |state, what: String| Finding::new(&environment.name, "database", state, what);
    let id = &database.instance;
    let region = database.region.as_deref().unwrap_or(&environment.region);
    let instance = match cloud.view(Overlay::default()).db_instance(region, id).await {
        Ok(Some(instance)) => instance,
        Ok(None) => {
            return found(State::Warn, format!("`{id}` is not in {region}"))
                .help("see the estate: instance and region")
                .exit(Exit::StepFailed);
        }
        Err(error) => return found(State::Fail, format!("`{id}`: {error}")),
    };
    let status = &instance.status;
    let Some(endpoint) = &instance.endpoint else {
        return found(State::Warn, format!("`{id}` is {status} and has no endpoint"));
    };
    if environment.is_simulated() {
        return found(State::Ok, format!("`{id}` is {status} (simulated: no network to it)"));
    }
    if environment.sql.route != SqlRoute::Direct {
        let what = format!("`{id}` is {status}; its tunnel opens only when a check needs it");
        return found(State::Unknown, what);
    }
    let at = format!("{}:{}", endpoint.host, endpoint.port);
    match probe(&endpoint.host, endpoint.port, PROBE).await {
        Reach::Tls => found(State::Ok, format!("`{id}` is {status}, PostgreSQL with TLS at {at}")),
        Reach::Plain => found(State::Fail, format!("`{id}`: PostgreSQL at {at} takes no TLS"))
            .help("drctl logs in over TLS only"),
        Reach::Other => {
            found(State::Fail, format!("`{id}`: what answers at {at} is not PostgreSQL"))
        }
        Reach::Unreachable(why) => found(State::Fail, format!("`{id}`: {at}: {why}"))
            .help("check security group and route, or name a tunnel: `sql: via` in the estate"),
    }
}
