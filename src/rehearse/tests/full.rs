//! A disk that fills up, or a file system that turns read-only, at every write of a run.
//!
//! **Invariant:** the run stops before the mutation that the write protects, and is taken up when there is
//! room again.

use super::shipped;
use crate::journal::chain::known;
use crate::journal::event::{Event, RunOutcome};
use crate::journal::failing::Write;
use crate::journal::{Failing, FailingStore, Fault, JournalError, MemoryStore, Store as _};
use crate::rehearse::{Cast, Mode, Stage};
use crate::runner::{NobodyToAsk, RunnerError};
use crate::sim::Simulator;

/// Mutations that `world` carried out for the run: `RestoreDBInstanceToPointInTime`, …
fn mutations(stage: &Stage, world: &Simulator) -> Vec<String> {
    let before = stage.world.mutations().len();
    world.mutations().into_iter().skip(before).map(|one| one.operation).collect()
}

/// Operations that the journal says were about to be asked for.
fn intended(store: &MemoryStore) -> Vec<String> {
    let records = known(&store.load().expect("memory")).expect("ours");
    let intents = records.into_iter().filter_map(|record| match record.event {
        Event::IntentRecorded { operation, .. } => Some(operation),
        _ => None,
    });
    intents.collect()
}

/// Runs until write `first` fails, checks what was done by then, makes room, and ends the run. `None` when
/// the run ended before.
fn stopped_at(stage: &Stage, failing: Failing) -> Option<u64> {
    let world = stage.world.fork();
    let mut store = MemoryStore::new();
    let mut broken = FailingStore::new(&mut store, failing);
    let ended = stage.begin(&world, &mut broken, Cast::of(&NobodyToAsk));
    if broken.struck() == 0 {
        assert_eq!(ended.expect("nothing failed").finished, Some(RunOutcome::Succeeded));
        return None;
    }
    match ended {
        Err(RunnerError::Journal(
            JournalError::DiskFull { .. } | JournalError::ReadOnly { .. },
        )) => {}
        other => panic!("{failing:?}: {other:?}"),
    }
    let (done, intended) = (mutations(stage, &world), intended(&store));
    let asked = done
        .iter()
        .filter(|done| !intended.iter().any(|intent| intent.ends_with(&format!(":{done}"))));
    let unrecorded: Vec<&String> = asked.collect();
    assert!(unrecorded.is_empty(), "{failing:?}: {unrecorded:?} without an intent on disk");
    assert!(done.len() <= intended.len(), "{failing:?}: {done:?} for {intended:?}");
    let records = store.head().expect("memory").count;
    let begun = records > 0;
    let state = if begun {
        stage.resume(&world, &mut store, Cast::of(&NobodyToAsk))
    } else {
        stage.begin(&world, &mut store, Cast::of(&NobodyToAsk))
    };
    assert_eq!(state.expect("there is room").finished, Some(RunOutcome::Succeeded), "{failing:?}");
    let done = mutations(stage, &world);
    for operation in ["RestoreDBInstanceToPointInTime", "DeleteDBInstance"] {
        let count = done.iter().filter(|done| *done == operation).count();
        assert_eq!(count, 1, "{failing:?}: {done:?}");
    }
    Some(records)
}

#[test]
fn a_disk_that_fills_up_at_any_append_stops_the_run_before_its_mutation() {
    let stage = shipped("restore-db", Mode::Drill);
    // Each append of events is tried; of the quiet turns, which differ in time alone, one in forty.
    for (fault, kind, step) in [
        (Fault::DiskFull, Write::Append, 1),
        (Fault::ReadOnly, Write::Append, 1),
        (Fault::DiskFull, Write::Quiet, 40),
    ] {
        let (mut first, mut stops) = (1, Vec::new());
        while let Some(records) =
            stopped_at(&stage, Failing { fault, kind: Some(kind), first, times: u64::MAX })
        {
            stops.push(records);
            first += step;
        }
        let different = stops.windows(2).all(|two| two[0] < two[1]);
        assert!(kind == Write::Quiet || (different && stops.len() >= 12), "{stops:?}");
        assert!(!stops.is_empty(), "{kind:?} was never tried");
    }
}

#[test]
fn a_lease_that_cannot_be_renewed_for_want_of_room_stops_the_run() {
    let stage = shipped("restore-db", Mode::Drill);
    let mut first = 1;
    while stopped_at(&stage, Failing { kind: Some(Write::Renew), ..Failing::full_from(first) })
        .is_some()
    {
        first += 25;
    }
    assert!(first > 1, "no lease was ever renewed");
    let any = Failing { kind: Some(Write::Acquire), ..Failing::full_from(1) };
    assert_eq!(stopped_at(&stage, any), Some(0), "nothing begins without its lease");
}
