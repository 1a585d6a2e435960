//! Simulated Route 53: zones, records, changes, health checks, and what its name servers answer.
//!
//! **Invariant:** a change batch is carried out whole or not at all, shows in the API at once and in
//! answers when it is in sync; answers and health checks need nothing of the API.

mod batch;
mod begin;
mod change;
mod destinations;
mod follow;
mod health;
mod health_xml;
mod list;
mod names;
mod records_xml;
mod resolve;
mod resolver;
mod rules;
mod state;
mod test_answer;
mod wire;
mod zones;

pub(in crate::sim) use begin::begin;
pub(in crate::sim) use destinations::destinations;
pub(in crate::sim) use follow::advance;
pub(in crate::sim) use health::status_at;
pub(in crate::sim) use names::{canonical, labels, text_of};
pub(in crate::sim) use resolve::{Asked, Declared, look_up};
pub use resolve::{SimDnsAnswer, SimDnsEnd, SimDnsSet};
pub(in crate::sim) use resolver::ask;
pub(in crate::sim) use rules::strings;
pub(in crate::sim) use state::State;
pub(in crate::sim) use wire::{Request, operation};

use crate::sim::answer::{ApiError, Body, Outcome, RestAnswer};
use crate::sim::dispatch::Turn;
use crate::sim::xml::Xml;
use chrono::TimeDelta;

/// The XML namespace of all that it says.
const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Calls a second that an account may make, of all operations together.
const CALLS_A_SECOND: usize = 5;

/// Operations that change something.
pub(in crate::sim) const MUTATING: [&str; 4] =
    ["ChangeResourceRecordSets", "CreateHealthCheck", "UpdateHealthCheck", "DeleteHealthCheck"];

/// Answers one call.
pub(in crate::sim) fn answer(turn: &mut Turn<'_>) -> Outcome {
    limit(turn)?;
    match turn.action.as_str() {
        "ListHostedZones" => zones::list(turn),
        "ListHostedZonesByName" => zones::by_name(turn),
        "GetHostedZone" => zones::get(turn),
        "ListResourceRecordSets" => list::records(turn),
        "ChangeResourceRecordSets" => change::change(turn),
        "GetChange" => change::get(turn),
        "CreateHealthCheck" => health::create(turn),
        "UpdateHealthCheck" => health::update(turn),
        "DeleteHealthCheck" => health::delete(turn),
        "GetHealthCheck" => health::get(turn),
        "ListHealthChecks" => health::list(turn),
        "GetHealthCheckStatus" => health::status(turn),
        "TestDNSAnswer" => test_answer::answer(turn),
        _ => turn.unknown_action(),
    }
}

/// Counts the call, and refuses it when the account has made too many within a second.
fn limit(turn: &mut Turn<'_>) -> Result<(), ApiError> {
    let now = turn.now;
    let recent = &mut turn.world.services.route53.recent;
    recent.retain(|at| now - *at < TimeDelta::seconds(1));
    if recent.len() >= CALLS_A_SECOND {
        return Err(ApiError::sender("Throttling", "Rate exceeded"));
    }
    recent.push(now);
    Ok(())
}

fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::sender("InvalidInput", message)
}

/// An answer: the operation's name, and what stands inside.
fn document(status: u16, action: &str, inside: impl FnOnce(&mut Xml)) -> Body {
    located(status, action, None, inside)
}

/// The same, saying where what was made is.
fn located(
    status: u16,
    action: &str,
    location: Option<String>,
    inside: impl FnOnce(&mut Xml),
) -> Body {
    let mut xml = Xml::default();
    xml.element_in(&format!("{action}Response"), NAMESPACE, inside);
    let location = location.map(|path| ("location".to_owned(), path));
    let headers = location.into_iter().collect();
    Body::Rest(RestAnswer { status, headers, body: xml.document().into_bytes() })
}
