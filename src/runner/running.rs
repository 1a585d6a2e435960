//! What a run works with, and what it is told of the world of people.
//!
//! **Invariant:** nothing here decides; whoever wires a process fills it in.

use super::observer::{Operator, StopSignal};
use crate::action::Catalogue;
use crate::base::clock::Clock;
use crate::base::value::Values;
use crate::cloud::{Cloud, Effects, Writer};
use crate::estate::{Environment, Estate};
use crate::journal::Person;
use std::time::Duration;

/// How long a lease lasts without being renewed. It is renewed three times as often, so that a minute
/// bridges a slow disk or a slow network, and a dead process holds nobody up for longer.
pub const LEASE: Duration = Duration::from_secs(60);

/// How the driver learns of commands. It looks into the inbox at each turn in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inbox {
    /// Also each second of real time while it waits. Where the run's time is virtual, it stands still while
    /// people are waited for.
    #[default]
    Watched,
    /// While people are waited for also each second of the run's own time: for rehearsals, where people are
    /// played and all time is virtual.
    EachTurn,
}

/// Everything a run works with.
pub struct Running<'a> {
    /// The actions.
    pub catalogue: &'a Catalogue,
    /// The guarded cloud of a live run.
    pub cloud: &'a Cloud,
    /// Typed writes.
    pub writer: &'a Writer,
    /// The effects gate.
    pub effects: &'a Effects,
    /// The clock.
    pub clock: &'a Clock,
    /// The estate.
    pub estate: &'a Estate,
    /// The environment.
    pub environment: &'a Environment,
    /// Parameters.
    pub parameters: Values,
    /// Who runs this.
    pub operator: &'a Person,
    /// Who is asked.
    pub people: &'a dyn Operator,
    /// Asks the run to stop.
    pub stop: StopSignal,
    /// How it learns of commands.
    pub inbox: Inbox,
    /// Whether it stays while only people could move the run on.
    pub wait: bool,
    /// How long its lease lasts without being renewed.
    pub lease: Duration,
    /// The clock by which the lease was taken: that of whoever else may want it, too.
    pub lease_clock: &'a Clock,
    /// A step, by id, each of whose looks takes so much longer: in a rehearsal looks take no time, and
    /// nobody would see that a step does not wait for another.
    pub late: Option<(&'a str, Duration)>,
}
