//! What the simulated DNS answers.
//!
//! **Invariant:** a question changes nothing but the world's time, and needs no API of Route 53.

use super::{Inner, Simulator};
use crate::sim::dispatch;
use crate::sim::route53::{self, SimDnsAnswer};
use crate::sim::state::World;
use chrono::{DateTime, Utc};

impl Simulator {
    /// What a recursive resolver answers about a name at `now`: it keeps what it heard for its time to
    /// live. `None` for what is no name.
    pub fn resolve(
        &self,
        (name, kind): (&str, &str),
        resolver: &str,
        now: DateTime<Utc>,
    ) -> Option<SimDnsAnswer> {
        let name = route53::canonical(name).ok()?;
        let mut guard = self.lock();
        let (world, declared) = guard.at(now);
        let now = world.time;
        Some(route53::ask(world, declared, (&name, kind), resolver, now))
    }

    /// What the name servers themselves answer about a name at `now`. `None` for what is no name.
    pub fn answer_dns(&self, name: &str, kind: &str, now: DateTime<Utc>) -> Option<SimDnsAnswer> {
        let name = route53::canonical(name).ok()?;
        let mut guard = self.lock();
        guard.questions += 1;
        let number = guard.questions;
        let (world, declared) = guard.at(now);
        let draw = world.seed().derive(&format!("route53/question/{number}"));
        let asked = route53::Asked { name: &name, kind, at: world.time, draw };
        Some(route53::look_up(world, declared, asked))
    }
}

impl Inner {
    /// The world, brought to `now`, and the names beside it.
    fn at(&mut self, now: DateTime<Utc>) -> (&World, &route53::Declared) {
        let now = now.max(self.world.time);
        self.look_until(now);
        self.world.time = now;
        dispatch::advance(&mut self.world, now);
        (&self.world, &self.declared)
    }
}
