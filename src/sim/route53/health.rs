//! Health checks of the API: made, changed under their version, read, listed, removed.
//!
//! **Invariant:** a change is taken only with the version that it was made from; what a check says from
//! an instant on is written down with that instant.

use super::health_xml::{self, Given};
use super::state::{HealthCheck, HealthConfig};
use super::{document, invalid_input, located};
use crate::sim::answer::{ApiError, Outcome};
use crate::sim::dispatch::Turn;
use crate::sim::genesis::uuid;
use chrono::{DateTime, Utc};

/// Most health checks on a page.
const PAGE: usize = 100;

/// Most statuses that are remembered of one check.
const STATUSES: usize = 1_000;

pub(super) fn no_such_check(id: &str) -> ApiError {
    ApiError::not_found("NoSuchHealthCheck", format!("A health check with id {id} does not exist."))
}

impl HealthCheck {
    /// A check that nobody has asked anything yet.
    pub(super) fn new(id: &str, reference: &str, config: HealthConfig, now: DateTime<Utc>) -> Self {
        let mut check = Self {
            id: id.to_owned(),
            reference: reference.to_owned(),
            version: 1,
            config,
            follows: None,
            observed: true,
            otherwise: 0,
            checked: now,
            statuses: Vec::new(),
        };
        check.note(now);
        check
    }

    /// What it says: a disabled check is healthy, and an inverted one says the opposite of all that.
    pub(super) fn says(&self) -> bool {
        (self.config.disabled || self.observed) != self.config.inverted
    }

    /// Writes down what it says from `at` on.
    pub(super) fn note(&mut self, at: DateTime<Utc>) {
        let says = self.says();
        if self.statuses.last().is_none_or(|(_, before)| *before != says) {
            self.statuses.push((at, says));
        }
        if self.statuses.len() > STATUSES {
            self.statuses.remove(0);
        }
    }
}

/// Whether a health check said healthy at `at`; before its first word it had found nothing wrong.
pub(in crate::sim) fn status_at(check: &HealthCheck, at: DateTime<Utc>) -> bool {
    let last = check.statuses.iter().rev().find(|(from, _)| *from <= at);
    last.or_else(|| check.statuses.first()).is_none_or(|(_, healthy)| *healthy)
}

/// `CreateHealthCheck`: the same caller reference and configuration give the same check again.
pub(super) fn create(turn: &mut Turn<'_>) -> Outcome {
    let given = health_xml::read(&turn.route53.body, "CreateHealthCheckRequest")?;
    let reference = given.text("CallerReference").ok_or_else(|| {
        invalid_input(
            "1 validation error detected: Value null at 'callerReference' failed to satisfy \
             constraint: Member must not be null",
        )
    })?;
    let config = given.config()?;
    let now = turn.now;
    let checks = &mut turn.world.services.route53.health_checks;
    let known = checks.values().find(|check| check.reference == reference);
    if let Some(known) = known.filter(|known| known.config != config) {
        let message = format!(
            "A health check with the same caller reference {reference} but a different \
             configuration exists: {}",
            known.id
        );
        return Err(ApiError::sender("HealthCheckAlreadyExists", message).with_status(409));
    }
    let (found, new) = match known {
        Some(known) => (known.clone(), false),
        None => {
            let entity = format!("route53/healthcheck/{reference}");
            let id = uuid(turn.world.seed(), &entity);
            let check = HealthCheck::new(&id, &reference, config, now);
            turn.world.services.route53.health_checks.insert(id, check.clone());
            (check, true)
        }
    };
    if new {
        turn.changed(&format!("healthcheck/{}", found.id), "created");
    }
    let location = format!("https://route53.amazonaws.com/2013-04-01/healthcheck/{}", found.id);
    Ok(located(201, "CreateHealthCheck", Some(location), |xml| {
        health_xml::health_check(xml, &found);
    }))
}

/// `UpdateHealthCheck`: what is not given stays as it is.
pub(super) fn update(turn: &mut Turn<'_>) -> Outcome {
    let given = health_xml::read(&turn.route53.body, "UpdateHealthCheckRequest")?;
    let id = turn.route53.id.clone();
    let now = turn.now;
    let checks = &mut turn.world.services.route53.health_checks;
    let check = checks.get_mut(&id).ok_or_else(|| no_such_check(&id))?;
    let version = given.number("HealthCheckVersion", 1..=u64::MAX)?;
    if let Some(version) = version.filter(|version| *version != check.version) {
        let message = format!(
            "The value of HealthCheckVersion in the request, {version}, does not match the value in \
             the health check, {}",
            check.version
        );
        return Err(ApiError::sender("HealthCheckVersionMismatch", message).with_status(409));
    }
    given.change(&mut check.config)?;
    check.version += 1;
    check.note(now);
    let found = check.clone();
    turn.changed(&format!("healthcheck/{id}"), format!("version {}", found.version));
    Ok(document(200, "UpdateHealthCheck", |xml| health_xml::health_check(xml, &found)))
}

/// `DeleteHealthCheck`.
pub(super) fn delete(turn: &mut Turn<'_>) -> Outcome {
    let id = turn.route53.id.clone();
    let removed = turn.world.services.route53.health_checks.remove(&id);
    removed.ok_or_else(|| no_such_check(&id))?;
    turn.changed(&format!("healthcheck/{id}"), "deleted");
    Ok(document(200, "DeleteHealthCheck", |_| {}))
}

fn find<'a>(turn: &'a Turn<'_>) -> Result<&'a HealthCheck, ApiError> {
    let id = &turn.route53.id;
    turn.world.services.route53.health_checks.get(id).ok_or_else(|| no_such_check(id))
}

/// `GetHealthCheck`.
pub(super) fn get(turn: &mut Turn<'_>) -> Outcome {
    let found = find(turn)?;
    Ok(document(200, "GetHealthCheck", |xml| health_xml::health_check(xml, found)))
}

/// `ListHealthChecks`.
pub(super) fn list(turn: &mut Turn<'_>) -> Outcome {
    let request = &turn.route53;
    let most = request.page(PAGE)?;
    let checks = &turn.world.services.route53.health_checks;
    let marker = request.parameter("marker").unwrap_or_default();
    if !marker.is_empty() && !checks.contains_key(marker) {
        return Err(no_such_check(marker));
    }
    let mut rest = checks.values().filter(|check| check.id.as_str() >= marker);
    let shown: Vec<&HealthCheck> = rest.by_ref().take(most).collect();
    let next = rest.next();
    Ok(document(200, "ListHealthChecks", |xml| {
        xml.element("HealthChecks", |xml| {
            shown.iter().for_each(|check| health_xml::health_check(xml, check));
        });
        xml.leaf("Marker", marker);
        xml.leaf("IsTruncated", next.is_some());
        xml.optional("NextMarker", next.map(|check| check.id.as_str()));
        xml.leaf("MaxItems", most);
    }))
}

/// `GetHealthCheckStatus`: what each checker saw last, before inversion.
pub(super) fn status(turn: &mut Turn<'_>) -> Outcome {
    let check = find(turn)?;
    if check.config.disabled {
        return Err(invalid_input(format!("Health check {} is disabled", check.id)));
    }
    let (check, now) = (check.clone(), turn.now);
    Ok(document(200, "GetHealthCheckStatus", |xml| health_xml::observations(xml, &check, now)))
}

impl Given {
    /// The configuration of a new check.
    fn config(&self) -> Result<HealthConfig, ApiError> {
        let kind = self.text("Type").ok_or_else(|| {
            invalid_input(
                "1 validation error detected: Value null at 'healthCheckConfig.type' failed to \
                 satisfy constraint: Member must not be null",
            )
        })?;
        let known =
            ["HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP", "RECOVERY_CONTROL"];
        if !known.contains(&kind.as_str()) {
            return Err(invalid_input(format!("{kind}: the simulator has no such health check")));
        }
        let mut config =
            HealthConfig { kind, interval: 30, threshold: 3, ..HealthConfig::default() };
        if let Some(interval) = self.number("RequestInterval", 10..=30)? {
            if ![10, 30].contains(&interval) {
                return Err(invalid_input("RequestInterval must be 10 or 30"));
            }
            config.interval = u32::try_from(interval).unwrap_or(30);
        }
        config.latency = self.flag("MeasureLatency")?.unwrap_or(false);
        self.change(&mut config)?;
        let addressed = config.ip.is_some() || config.host.is_some();
        if !addressed && config.kind != "RECOVERY_CONTROL" {
            return Err(invalid_input(
                "One of IPAddress and FullyQualifiedDomainName must be specified",
            ));
        }
        Ok(config)
    }

    /// Lays what is given over a configuration.
    fn change(&self, config: &mut HealthConfig) -> Result<(), ApiError> {
        let number = |name, range| {
            self.number(name, range).map(|found| found.and_then(|it| u32::try_from(it).ok()))
        };
        config.ip = self.text("IPAddress").or_else(|| config.ip.clone());
        config.host = self.text("FullyQualifiedDomainName").or_else(|| config.host.clone());
        config.path = self.text("ResourcePath").or_else(|| config.path.clone());
        config.search = self.text("SearchString").or_else(|| config.search.clone());
        config.port = number("Port", 1..=65_535)?.or(config.port);
        config.threshold = number("FailureThreshold", 1..=10)?.unwrap_or(config.threshold);
        config.inverted = self.flag("Inverted")?.unwrap_or(config.inverted);
        config.disabled = self.flag("Disabled")?.unwrap_or(config.disabled);
        Ok(())
    }
}
