//! One request through the simulated AWS: decode, strike with faults, carry out, answer.
//!
//! **Invariant:** a request either changes the world and says so in the mutation log, or leaves
//! every resource as it was.

use crate::base::clock::to_delta;
use crate::estate::Database;
use crate::sim::answer::{ApiError, Body, Outcome, respond};
use crate::sim::api::{Delivery, MutationRecord, WireAnswer, WireRequest, WireResponse};
use crate::sim::decode::{Destination, Params, Service, access_key, destination};
use crate::sim::faults::{FaultKind, Outage};
use crate::sim::genesis::uuid;
use crate::sim::protocol::{self, Call, Protocol};
use crate::sim::state::{Region, World};
use crate::sim::{cloudwatch, ec2, ecs, iam, kms, logs, rds, route53, s3, secrets, sns, sts};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

pub(in crate::sim) use crate::sim::progress::advance;

/// How long a call hangs before its connection breaks: longer than any client waits.
const HANG: Duration = Duration::from_secs(15 * 60);

/// How far a client's clock may be off the server's.
const SKEW_LIMIT: TimeDelta = TimeDelta::minutes(5);

/// One call being carried out.
pub(in crate::sim) struct Turn<'a> {
    pub(in crate::sim) world: &'a mut World,
    pub(in crate::sim) databases: &'a BTreeMap<String, Database>,
    pub(in crate::sim) service: Service,
    pub(in crate::sim) protocol: Protocol,
    pub(in crate::sim) region: String,
    pub(in crate::sim) action: String,
    pub(in crate::sim) params: Params,
    /// Input of a JSON call.
    pub(in crate::sim) input: Value,
    /// A call of S3.
    pub(in crate::sim) s3: s3::Request,
    /// A call of Route 53.
    pub(in crate::sim) route53: route53::Request,
    /// Access key id that signed the call.
    pub(in crate::sim) access_key: Option<String>,
    pub(in crate::sim) now: DateTime<Utc>,
    /// Target and effect of everything it changed.
    pub(in crate::sim) changes: Vec<(String, String)>,
}

impl Turn<'_> {
    /// The call's region, to change it.
    pub(in crate::sim) fn region_mut(&mut self) -> &mut Region {
        self.world.regions.entry(self.region.clone()).or_default()
    }

    /// Until when reads show the state before this call.
    pub(in crate::sim) fn stale_until(&self, entity: &str) -> DateTime<Utc> {
        let drawn = || {
            let name = format!("{}/{entity}/{}", self.region, self.world.requests);
            self.world.clockwork().stale_read(&name)
        };
        let fault = self.world.fault(FaultKind::StaleRead);
        let lag = fault.map(|fault| fault.span().unwrap_or(Duration::from_secs(90)));
        self.now + to_delta(lag.unwrap_or_else(drawn))
    }

    /// The service's answer to an action that the simulator does not know.
    pub(in crate::sim) fn unknown_action<T>(&self) -> Result<T, ApiError> {
        let version = match self.service {
            Service::Rds => "2014-10-31",
            Service::Sts => "2011-06-15",
            Service::SecretsManager => "2017-10-17",
            Service::Sns => "2010-03-31",
            Service::Kms => "2014-11-01",
            Service::Iam => "2010-05-08",
            Service::CloudWatch => "2010-08-01",
            Service::S3 => "2006-03-01",
            Service::Ecs => "2014-11-13",
            Service::Route53 => "2013-04-01",
            Service::Ec2 => "2016-11-15",
            Service::Logs => "2014-03-28",
        };
        let message = format!("Could not find operation {} for version {version}", self.action);
        Err(self.protocol.error("InvalidAction", "UnknownOperationException", message))
    }

    /// Notes that the call changed `target`.
    pub(in crate::sim) fn changed(&mut self, target: &str, effect: impl Into<String>) {
        self.changes.push((target.to_owned(), effect.into()));
    }
}

/// What one request did.
pub(in crate::sim) struct Handled {
    pub(in crate::sim) answer: WireAnswer,
    pub(in crate::sim) mutations: Vec<MutationRecord>,
    /// Whether a fault was used up.
    pub(in crate::sim) struck: bool,
}

/// Answers `request`, which arrives at `now`.
pub(in crate::sim) fn handle(
    world: &mut World,
    databases: &BTreeMap<String, Database>,
    request: &WireRequest,
    now: DateTime<Utc>,
) -> Handled {
    let now = now.max(world.time);
    world.time = now;
    world.requests += 1;
    advance(world, now);
    let struck_before: u32 = world.faults.iter().map(|fault| fault.struck).sum();
    let number = world.requests;
    let request_id = uuid(world.seed(), &format!("request/{number}/id"));
    let latency = world.clockwork().latency(number);
    let Some(destination) = destination(request) else {
        let response = unknown_endpoint(request, &request_id);
        let answer = WireAnswer { response, latency, delivery: Delivery::Delivered };
        return Handled { answer, mutations: Vec::new(), struck: false };
    };
    let Destination { service, region } = destination;
    let protocol = Protocol::of(service, request);
    let (call, unreadable) = protocol::read(service, protocol, request);
    let Call { action, params, input, s3, route53 } = call;
    let access_key = access_key(request).map(str::to_owned);
    let changes = Vec::new();
    let mut turn = Turn {
        world,
        databases,
        service,
        protocol,
        region,
        action,
        params,
        input,
        s3,
        route53,
        access_key,
        now,
        changes,
    };
    let outage = turn.outage();
    let hangs = outage == Some(Outage::Hangs);
    let (outcome, delivery) = match (outage, unreadable) {
        (Some(Outage::Hangs | Outage::Breaks), _) => (Err(unavailable()), Delivery::Lost),
        (Some(Outage::Refuses), _) => (Err(unavailable()), Delivery::Delivered),
        (None, Some(error)) => (Err(error), Delivery::Delivered),
        (None, None) => carry_out(&mut turn),
    };
    let Turn { world, region, action, changes, .. } = turn;
    let mutations = changes
        .into_iter()
        .map(|(target, effect)| {
            world.mutations += 1;
            MutationRecord {
                sequence: world.mutations,
                at: now,
                service: service.name().to_owned(),
                region: region.clone(),
                operation: action.clone(),
                target,
                effect,
            }
        })
        .collect();
    let struck_after: u32 = world.faults.iter().map(|fault| fault.struck).sum();
    let response = respond(service, protocol, &action, outcome, &request_id);
    let latency = if hangs { HANG } else { latency };
    let status = response.status;
    tracing::info!(service = service.name(), action, region, status, ?delivery, "answered");
    let answer = WireAnswer { response, latency, delivery };
    Handled { answer, mutations, struck: struck_after != struck_before }
}

/// What `request` asks for: `rds:DescribeDBInstances`.
pub(in crate::sim) fn operation(request: &WireRequest) -> String {
    let Some(Destination { service, .. }) = destination(request) else {
        return "unknown".to_owned();
    };
    let (Call { action, .. }, _) = protocol::read(service, Protocol::of(service, request), request);
    format!("{}:{action}", service.name())
}

/// The answer for a service that the simulator does not have.
fn unknown_endpoint(request: &WireRequest, request_id: &str) -> WireResponse {
    let names: Vec<&str> = Service::ALL.iter().map(|service| service.name()).collect();
    let message = format!(
        "the simulator has no service at {}, and no signature names one; it has {}",
        request.host,
        names.join(", ")
    );
    refuse(request, ApiError::sender("UnknownEndpoint", message), request_id)
}

/// The answer to a request that no service carries out, in the form that its client reads.
pub(in crate::sim) fn refuse(
    request: &WireRequest,
    error: ApiError,
    request_id: &str,
) -> WireResponse {
    let json = request.headers.get("content-type").is_some_and(|kind| kind.contains("json"));
    let (service, protocol) = match destination(request) {
        Some(found) => (found.service, Protocol::of(found.service, request)),
        None if json => (Service::Kms, Protocol::Json11),
        None => (Service::Rds, Protocol::Query),
    };
    respond(service, protocol, "Unknown", Err(error), request_id)
}

fn carry_out(turn: &mut Turn<'_>) -> (Outcome, Delivery) {
    if let Some(error) = error_before(turn) {
        return (Err(error), Delivery::Delivered);
    }
    let outcome = match turn.service {
        Service::Rds => rds::answer(turn),
        Service::Sts => sts::answer(turn),
        Service::SecretsManager => secrets::answer(turn),
        Service::Sns => sns::answer(turn),
        Service::Kms => kms::answer(turn),
        Service::Iam => iam::answer(turn),
        Service::CloudWatch => cloudwatch::answer(turn),
        Service::S3 => s3::answer(turn),
        Service::Ecs => ecs::answer(turn),
        Service::Route53 => route53::answer(turn),
        Service::Ec2 => ec2::answer(turn),
        Service::Logs => logs::answer(turn),
    };
    if outcome.is_err() {
        return (outcome, Delivery::Delivered);
    }
    if strikes(turn, FaultKind::ErrorAfterEffect) {
        let message = "An internal error has occurred. Please try your query again later.";
        let error = match turn.service {
            Service::S3 => s3::internal(),
            _ => ApiError::sender("InternalFailure", message).with_status(500),
        };
        return (Err(error), Delivery::Delivered);
    }
    let lost = strikes(turn, FaultKind::LostAnswer);
    (outcome, if lost { Delivery::Lost } else { Delivery::Delivered })
}

fn error_before(turn: &mut Turn<'_>) -> Option<ApiError> {
    if let Some(error) = skewed(turn) {
        return Some(error);
    }
    let ended = sts::session(turn).is_some_and(|session| session.expires <= turn.now);
    if ended || blocks(turn, FaultKind::ExpiredCredentials) {
        let message = "The security token included in the request is expired";
        let error = turn.protocol.error("ExpiredToken", "ExpiredTokenException", message);
        return Some(refused(turn, error));
    }
    // GetCallerIdentity needs no permission.
    let needs_permission = turn.action != "GetCallerIdentity";
    if needs_permission && (!sts::permits(turn) || blocks(turn, FaultKind::AccessDenied)) {
        return Some(access_denied(turn));
    }
    let throttled = turn.service != Service::Sts
        && turn
            .world
            .fault(FaultKind::Throttled)
            .is_some_and(|fault| fault.throttles(turn.world.seed(), turn.world.requests));
    if throttled {
        strike(turn, FaultKind::Throttled);
        return Some(match turn.service {
            Service::S3 => s3::slow_down(),
            Service::Ec2 => ec2::slow_down(),
            _ => turn.protocol.error("Throttling", "ThrottlingException", "Rate exceeded"),
        });
    }
    strikes(turn, FaultKind::ErrorBeforeEffect).then(unavailable)
}

/// HTTP 503: whoever should answer cannot.
pub(in crate::sim) fn unavailable() -> ApiError {
    let message = "The request has failed due to a temporary failure of the server.";
    ApiError::sender("ServiceUnavailable", message).with_status(503)
}

/// Refuses a signature that the server's clock takes for too old or too new. A client outside this
/// process signs with its own time, so what counts is the skew alone.
fn skewed(turn: &Turn<'_>) -> Option<ApiError> {
    let skew = turn.world.fault(FaultKind::ClockSkew)?.skew();
    turn.access_key.as_ref()?;
    if skew.abs() < SKEW_LIMIT {
        return None;
    }
    let time = |at: DateTime<Utc>| at.format("%Y%m%dT%H%M%SZ");
    let (signed, server) = (time(turn.now), time(turn.now + skew));
    Some(if skew > TimeDelta::zero() {
        let message = format!("Signature expired: {signed} is now earlier than {server} - 5 min.");
        ApiError::sender("RequestExpired", message)
    } else {
        let message =
            format!("Signature not yet current: {signed} is still later than {server} + 5 min.");
        ApiError::sender("RequestTimeTooSkewed", message).with_status(403)
    })
}

fn access_denied(turn: &Turn<'_>) -> ApiError {
    let caller = sts::caller_arn(turn);
    let message = format!(
        "User: {caller} is not authorized to perform: {}:{}",
        turn.service.iam_prefix(),
        permission(turn)
    );
    let code = match turn.service {
        Service::Sns => "AuthorizationError",
        Service::Ec2 => "UnauthorizedOperation",
        _ => "AccessDenied",
    };
    refused(turn, turn.protocol.error(code, "AccessDeniedException", message))
}

/// What IAM calls the call's permission, after the service's prefix.
pub(in crate::sim) fn permission<'a>(turn: &'a Turn<'_>) -> &'a str {
    match turn.service {
        Service::S3 => s3::permission(&turn.action, &turn.s3),
        _ => &turn.action,
    }
}

/// With the status that the protocol gives to refusals.
fn refused(turn: &Turn<'_>, error: ApiError) -> ApiError {
    match turn.protocol {
        Protocol::Query | Protocol::Json10 | Protocol::Cbor | Protocol::Rest => {
            error.with_status(403)
        }
        Protocol::Json11 => error,
    }
}

/// Whether the call changes something, as its service defines it.
pub(in crate::sim) fn mutates(service: Service, action: &str) -> bool {
    match service {
        Service::Rds => rds::mutates(action),
        // A session begins; no resource changes.
        Service::Sts | Service::Iam => false,
        Service::SecretsManager => secrets::MUTATING.contains(&action),
        Service::Sns => sns::MUTATING.contains(&action),
        Service::Kms => kms::MUTATING.contains(&action),
        Service::CloudWatch => cloudwatch::MUTATING.contains(&action),
        Service::S3 => s3::mutates(action),
        Service::Ecs => ecs::MUTATING.contains(&action),
        Service::Route53 => route53::MUTATING.contains(&action),
        Service::Ec2 => ec2::MUTATING.contains(&action),
        Service::Logs => logs::MUTATING.contains(&action),
    }
}

/// Whether a fault strikes this call: the first of the operation it names, else the first mutation.
fn strikes(turn: &mut Turn<'_>, kind: FaultKind) -> bool {
    let Some(fault) = turn.world.fault(kind).filter(|fault| fault.struck == 0) else {
        return false;
    };
    let hit = match fault.value.as_deref() {
        Some(operation) => operation == turn.action,
        None => mutates(turn.service, &turn.action),
    };
    if hit {
        strike(turn, kind);
    }
    hit
}

/// Whether a fault refuses this call: the first of the operation it names, else every one.
fn blocks(turn: &mut Turn<'_>, kind: FaultKind) -> bool {
    match turn.world.fault(kind) {
        None => false,
        Some(fault) if fault.value.is_none() => true,
        Some(_) => strikes(turn, kind),
    }
}

/// Notes that a fault struck.
pub(in crate::sim) fn strike(turn: &mut Turn<'_>, kind: FaultKind) {
    for fault in turn.world.faults.iter_mut().filter(|fault| fault.kind == kind) {
        fault.struck += 1;
    }
}

/// A result with nothing in it.
pub(in crate::sim) fn no_result() -> Outcome {
    Ok(Body::Result(None))
}
