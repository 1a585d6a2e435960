//! What happens to buckets as time passes: copies are made, and at midnight rules act and inventories are
//! written.
//!
//! **Invariant:** things happen in the order of their instants, however long nobody asked.

use crate::sim::s3::lifecycle::{self, midnight};
use crate::sim::s3::{inventory, replicate};
use crate::sim::state::World;
use chrono::{DateTime, Duration, Utc};

/// Lets all that is due up to `now` happen.
pub(in crate::sim) fn advance(world: &mut World, now: DateTime<Utc>) {
    let last = midnight(now);
    let begun = *world.services.buckets_night.get_or_insert(last);
    let mut night = begun;
    while night < last {
        night += Duration::days(1);
        replicate::advance(world, night);
        lifecycle::run_all(world, night);
        inventory::write_all(world, night);
        world.services.buckets_night = Some(night);
    }
    replicate::advance(world, now);
}
