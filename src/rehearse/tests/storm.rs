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

/// Seeds of a plain `cargo test`; a debug build does some tens a second.
const SEEDS: u64 = 300;

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
    for seed in 0..12 {
        let once = || bytes(&blow(&scenery(seed), seed).journal);
        let first = once();
        assert!(!first.is_empty());
        assert_eq!(String::from_utf8(first), String::from_utf8(once()), "seed {seed}");
    }
}

/// What a campaign must have met, or it proves nothing.
const MET: [&str; 22] = [
    "aborted",
    "adopted",
    "answer lost",
    "clean-up failed",
    "command refused",
    "command taken",
    "died after a call",
    "died after an append",
    "died before an append",
    "disk full",
    "gate expired",
    "lease lost",
    "paused",
    "question answered",
    "refused",
    "resumed in doubt",
    "run failed",
    "run succeeded",
    "run undone",
    "taken over",
    "undone",
    "weather changed",
];

#[test]
fn whatever_happens_a_run_keeps_its_promises_and_ends() {
    if let Some(seed) = number("DRCTL_STORM_SEED") {
        return show(seed);
    }
    let (clock, seeds) = (Clock::real(), number("DRCTL_STORM_SEEDS").unwrap_or(SEEDS));
    let mut all = Storms::default();
    for scene in 0..seeds.div_ceil(EACH) {
        let first = scene * EACH;
        all.add(storm(&scenery(scene), first..(first + EACH).min(seeds)));
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
    for what in MET {
        assert!(all.counters.contains_key(what), "no storm met `{what}`");
    }
}

#[test]
fn the_shipped_drills_weather_their_storms() {
    for drill in ["restore-db", "verify-snapshot", "backup-before-change"] {
        let storms = storm(&shipped(drill, Mode::Drill), 1..=20);
        assert_eq!((storms.seeds, storms.findings), (20, Vec::new()), "{drill}");
    }
}
