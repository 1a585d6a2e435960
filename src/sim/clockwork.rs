//! How long things take: seeded durations around the defaults measured or estimated for AWS.
//!
//! **Invariant:** a duration depends on the seed and the entity's name alone, never on what else
//! happens in the world.

use crate::base::seed::Seed;
use std::time::Duration;

/// Spread of the log-normal distribution: most draws lie within 15 % of the default.
const SIGMA: f64 = 0.15;

/// Draws durations for one entity.
#[derive(Debug, Clone, Copy)]
pub(in crate::sim) struct Clockwork {
    seed: Seed,
    /// Factor of the fault `slow`.
    slow: f64,
}

impl Clockwork {
    pub(in crate::sim) fn new(seed: Seed, slow: f64) -> Self {
        Self { seed, slow }
    }

    /// `creating` of a restore: 420 s and 25 s per 10 GiB, at most an hour, then log replay at
    /// thirty times the speed it was written (`log` is the time between base backup and restore
    /// point).
    pub(in crate::sim) fn restore(&self, entity: &str, gib: u32, log: Duration) -> Duration {
        let base = (420.0 + f64::from(gib) * 2.5).min(3600.0);
        self.around(&format!("{entity}/creating"), base + log.as_secs_f64() / 30.0)
    }

    /// First automated backup.
    pub(in crate::sim) fn backing_up(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/backing-up"), 120.0)
    }

    /// Loading of blocks after a restore: 20 minutes and 12 s per GiB.
    pub(in crate::sim) fn hydration(&self, entity: &str, gib: u32) -> Duration {
        self.around(&format!("{entity}/hydration"), 1200.0 + f64::from(gib) * 12.0)
    }

    /// A manual snapshot: 60 s and 3 s per GiB.
    pub(in crate::sim) fn snapshot(&self, entity: &str, gib: u32) -> Duration {
        self.around(&format!("{entity}/snapshot"), 60.0 + f64::from(gib) * 3.0)
    }

    /// `deleting`.
    pub(in crate::sim) fn deleting(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/deleting"), 300.0)
    }

    /// How long a modified instance still reads `available`.
    pub(in crate::sim) fn modify_lag(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/modify-lag"), 20.0)
    }

    /// `modifying`.
    pub(in crate::sim) fn modifying(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/modifying"), 90.0)
    }

    /// `configuring-…` of monitoring, logs or authentication: 45 s, an estimate.
    pub(in crate::sim) fn configuring(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/configuring"), 45.0)
    }

    /// `upgrading` to another engine version: ten minutes, an estimate.
    pub(in crate::sim) fn upgrading(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/upgrading"), 600.0)
    }

    /// `renaming`, before the reboot: a minute, an estimate.
    pub(in crate::sim) fn renaming(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/renaming"), 60.0)
    }

    /// `rebooting`.
    pub(in crate::sim) fn rebooting(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/rebooting"), 60.0)
    }

    /// A forced failover to the standby: 60 to 120 s are documented.
    pub(in crate::sim) fn failover(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/failover"), 90.0)
    }

    /// How long the API shows the old zones after a failover: minutes are documented.
    pub(in crate::sim) fn zone_lag(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/zone-lag"), 180.0)
    }

    /// `storage-optimization` after storage has grown: half an hour and 6 s per GiB, an estimate;
    /// a day and more is documented.
    pub(in crate::sim) fn storage_optimization(&self, entity: &str, gib: u32) -> Duration {
        self.around(&format!("{entity}/storage-optimization"), 1800.0 + f64::from(gib) * 6.0)
    }

    /// `stopping`: three minutes, an estimate.
    pub(in crate::sim) fn stopping(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/stopping"), 180.0)
    }

    /// `starting`: five minutes, an estimate.
    pub(in crate::sim) fn starting(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/starting"), 300.0)
    }

    /// `creating` of an empty instance: five minutes, an estimate.
    pub(in crate::sim) fn creating(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/creating"), 300.0)
    }

    /// How long a replica that is promoted still reads `available`.
    pub(in crate::sim) fn promote_lag(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/promote-lag"), 15.0)
    }

    /// `modifying` of a promotion, before the reboot.
    pub(in crate::sim) fn promoting(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/promoting"), 120.0)
    }

    /// How long a copy of a snapshot waits its turn: up to half a minute, an estimate.
    pub(in crate::sim) fn copy_queue(&self, entity: &str) -> Duration {
        Duration::from_millis(self.seed.stream(&format!("{entity}/queue")).u64(5000..30_000))
    }

    /// A copy of a snapshot: as long as a snapshot, thrice that from another region.
    pub(in crate::sim) fn copying(&self, entity: &str, gib: u32, far: bool) -> Duration {
        let times = if far { 3.0 } else { 1.0 };
        self.around(&format!("{entity}/copying"), (60.0 + f64::from(gib) * 3.0) * times)
    }

    /// The first copy of automated backups to another region: as long as that of a snapshot.
    pub(in crate::sim) fn replicating(&self, entity: &str, gib: u32) -> Duration {
        self.around(&format!("{entity}/replicating"), (60.0 + f64::from(gib) * 3.0) * 3.0)
    }

    /// How long Route 53 processes a change batch, and takes no other of the zone: half a second, an
    /// estimate.
    pub(in crate::sim) fn record_processing(&self, entity: &str) -> Duration {
        Duration::from_millis(self.seed.stream(&format!("{entity}/processing")).u64(200..800))
    }

    /// How long a change of records takes to all name servers: "generally within 60 seconds".
    pub(in crate::sim) fn record_propagation(&self, entity: &str) -> Duration {
        let drawn = self.seed.stream(&format!("{entity}/propagation")).u64(10_000..60_000);
        Duration::from_millis(drawn).mul_f64(self.slow)
    }

    /// From the start of a task to `RUNNING`: image, network, health checks; an estimate.
    pub(in crate::sim) fn task_start(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/task-start"), 45.0)
    }

    /// From telling a task to stop to `STOPPED`: `stopTimeout` is 30 s.
    pub(in crate::sim) fn task_stop(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/task-stop"), 30.0)
    }

    /// How long an export of logs waits its turn; an estimate.
    pub(in crate::sim) fn export_queue(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/export-queue"), 10.0)
    }

    /// An export of logs; an estimate.
    pub(in crate::sim) fn exporting(&self, entity: &str) -> Duration {
        self.around(&format!("{entity}/exporting"), 120.0)
    }

    /// The copy of an object to another bucket: seconds for most, with 50 MB a second, a little less where it is
    /// promised within 15 minutes; of a hundred one takes twenty times as long, an estimate.
    pub(in crate::sim) fn copying_object(
        &self,
        entity: &str,
        bytes: u64,
        promised: bool,
    ) -> Duration {
        let base = if promised { 5.0 } else { 12.0 };
        let late = self.seed.stream(&format!("{entity}/late")).u8(0..100) == 0;
        let times = if late { 20.0 } else { 1.0 };
        let seconds = base * times + bytes as f64 / 50e6;
        self.around(&format!("{entity}/copying-object"), seconds)
    }

    /// A copy taken out of an archive.
    pub(in crate::sim) fn retrieving(&self, entity: &str, hours: f64) -> Duration {
        self.around(&format!("{entity}/retrieving"), hours * 3600.0)
    }

    /// How long reads show the state before a mutation: 0.5 to 3 s.
    pub(in crate::sim) fn stale_read(&self, entity: &str) -> Duration {
        Duration::from_millis(self.seed.stream(&format!("{entity}/stale")).u64(500..3000))
    }

    /// Latency of one request: 20 to 120 ms.
    pub(in crate::sim) fn latency(&self, request: u64) -> Duration {
        let name = format!("request/{request}/latency");
        Duration::from_millis(self.seed.stream(&name).u64(20..120))
    }

    fn around(&self, name: &str, seconds: f64) -> Duration {
        let mut random = self.seed.stream(name);
        // Twelve uniform draws less six: normal enough, and the same on every machine, which the
        // transcendental functions of a Box-Muller transform need not be.
        let normal: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        // (1 + x/16)^16 approximates e^x with multiplications alone, for the same reason.
        let mut factor = 1.0 + SIGMA * normal / 16.0;
        for _ in 0..4 {
            factor *= factor;
        }
        let millis = (seconds * factor * self.slow * 1000.0).round();
        Duration::from_millis(millis as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_lie_around_their_defaults() {
        let clockwork = Clockwork::new(Seed::new(7), 1.0);
        let draws: Vec<f64> = (0..400)
            .map(|n| clockwork.restore(&format!("e{n}"), 500, Duration::ZERO).as_secs_f64())
            .collect();
        let mean = draws.iter().sum::<f64>() / 400.0;
        assert!((1600.0..1780.0).contains(&mean), "{mean}");
        assert!(draws.iter().all(|draw| (800.0..3200.0).contains(draw)));
        assert!(draws.iter().any(|draw| (draw - mean).abs() > 100.0), "no spread");
    }

    #[test]
    fn stable_per_entity_and_stretched_by_slow() {
        let (normal, slow) = (Clockwork::new(Seed::new(7), 1.0), Clockwork::new(Seed::new(7), 5.0));
        assert_eq!(normal.deleting("a"), normal.deleting("a"));
        assert_ne!(normal.deleting("a"), normal.deleting("b"));
        let ratio = slow.deleting("a").as_secs_f64() / normal.deleting("a").as_secs_f64();
        assert!((ratio - 5.0).abs() < 0.01, "{ratio}");
        let replay = normal.restore("a", 100, Duration::from_secs(6 * 3600));
        assert!(replay > normal.restore("a", 100, Duration::ZERO) + Duration::from_secs(300));
    }
}
