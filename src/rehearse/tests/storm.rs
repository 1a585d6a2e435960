//! Storms over the whole stack: random estates and runbooks, the real runner and SDK clients, the simulator.
//!
//! **Invariant:** the same seed gives the same journal. `DRCTL_STORM_SEEDS=20000 cargo test --lib
//! rehearse::tests::storm -- --nocapture` runs more; `DRCTL_STORM_SEED=17` runs one and shows it.

mod scenery;

use super::shipped;
use crate::base::clock::Clock;
use crate::journal::chain::known;
use crate::journal::{MemoryStore, Store as _};
use crate::rehearse::{Mode, Storms, blow, storm};
use scenery::{scenery, texts};

/// Seeds of a plain `cargo test`: about half a minute of one core in a debug build, of which most is the
/// SDK's. A campaign needs `--release`.
const SEEDS: u64 = 80;

/// From so many seeds on, everything must have been met.
const CAMPAIGN: u64 = 1_000;

/// So many storms blow over one runbook.
const EACH: u64 = 10;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn bytes(journal: &MemoryStore) -> Vec<u8> {
    let lines = journal.load().expect("memory").into_iter().map(|record| record.bytes);
    lines.collect::<Vec<_>>().join(&b'\n')
}

fn show(seed: u64) {
    let (_, runbook) = texts(seed / EACH);
    println!("{runbook}");
    let storm = blow(&scenery(seed / EACH), seed);
    for record in
        known(&storm.journal.load().expect("memory")).expect("of this version").iter().skip(1)
    {
        println!("{} {} {:?}", record.seq, record.at.format("%H:%M:%S"), record.event);
    }
    println!("{:?}\n{:#?}", storm.counters, storm.findings);
}

#[test]
fn the_same_seed_gives_the_same_journal_byte_for_byte() {
    for seed in [0, 1, 12, 23, 34] {
        let once = || bytes(&blow(&scenery(seed / EACH), seed).journal);
        let first = once();
        assert!(!first.is_empty());
        assert_eq!(String::from_utf8(first), String::from_utf8(once()), "seed {seed}");
    }
}

/// What storms must have met, or they prove nothing; some storms are enough for the first of them.
const MET: [&str; 24] = [
    "adopted",
    "answer lost",
    "command refused",
    "command taken",
    "died after an append",
    "died before an append",
    "lease lost",
    "question answered",
    "resumed in doubt",
    "run failed",
    "run succeeded",
    "taken over",
    "weather changed",
    "aborted",
    "clean-up failed",
    "died after a call",
    "disk full",
    "gate expired",
    "paused",
    "refused",
    "run aborted",
    "run undone",
    "undo failed",
    "undone",
];

/// So many of them are met by every few storms.
const OFTEN: usize = 13;

#[test]
fn whatever_happens_a_run_keeps_its_promises_and_ends() {
    if let Some(seed) = number("DRCTL_STORM_SEED") {
        return show(seed);
    }
    let (clock, seeds) = (Clock::real(), number("DRCTL_STORM_SEEDS").unwrap_or(SEEDS));
    let mut all = Storms::default();
    for scene in 0..seeds.div_ceil(EACH) {
        let first = scene * EACH;
        all.add(storm(&scenery(scene), &[], first..(first + EACH).min(seeds)));
        if scene % 100 == 99 {
            println!("{} storms, {} findings", all.seeds, all.findings.len());
        }
    }
    let passed = clock.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let pace = all.seeds as f64 / passed;
    println!("{} storms, {pace:.1} a second: {:?}", all.seeds, all.counters);
    for (seed, finding) in all.findings.iter().take(20) {
        println!("DRCTL_STORM_SEED={seed}: {finding:?}");
    }
    assert!(all.findings.is_empty(), "{} findings", all.findings.len());
    let must = if seeds < CAMPAIGN { &MET[..OFTEN] } else { &MET };
    for what in must {
        assert!(all.counters.contains_key(*what), "no storm met `{what}`");
    }
}

#[test]
fn the_shipped_drills_weather_their_storms() {
    for drill in ["restore-db", "verify-snapshot", "backup-before-change"] {
        let storms = storm(&shipped(drill, Mode::Drill), &[], 1..=8);
        assert_eq!((storms.seeds, storms.findings), (8, Vec::new()), "{drill}");
    }
}
