//! Seeded randomness, one child stream an entity.
//!
//! **Invariant:** a new entity never changes the numbers another entity draws, so one more object in
//! a simulated world does not renumber everything else.

use crate::base::digest::Digest;

/// The root of all randomness of a world, run or rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// A root with the given number; the same number gives the same streams for ever.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number it was made from.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The stream of one entity, named by any stable text such as `rds/us-east-1/orders/create`.
    pub fn stream(self, entity: &str) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.derive(entity))
    }

    /// A number that depends on the root and the entity's name alone.
    pub fn derive(self, entity: &str) -> u64 {
        let digest = Digest::of_parts(&[&self.0.to_be_bytes(), entity.as_bytes()]);
        let hex = &digest.as_str()["sha256:".len()..][..16];
        u64::from_str_radix(hex, 16).expect("sixteen hex digits fit in 64 bits")
    }
}

/// Seeds the generator that the AWS SDK draws its retry jitter from. It is a thread-local, so call
/// this on the thread that runs the simulation.
pub fn seed_sdk_jitter(seed: Seed) {
    fastrand::seed(seed.derive("sdk-jitter"));
}

/// A seed from the operating system, for real runs.
pub fn unpredictable() -> Seed {
    Seed(fastrand::u64(..))
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn streams_are_stable_and_apart() {
        let seed = Seed::new(7);
        assert_eq!(seed.derive("a"), seed.derive("a"));
        assert_ne!(seed.derive("a"), seed.derive("b"));
        assert_ne!(seed.derive("a"), Seed::new(8).derive("a"));
        let draws: Vec<u64> = (0..3).map(|_| seed.stream("a").u64(..)).collect();
        assert_eq!(draws[0], draws[1]);
    }
}
