//! Who may drive a run: the dead, the hung, the fenced, and those of other machines.

use super::*;
use crate::journal::SqliteStore;

const OTHER: &str = "process 9 on elsewhere (bob)";

/// An empty journal of a run in a state directory of its own.
fn journal() -> (tempfile::TempDir, StateDir, RunId, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path());
    let run = RunId::parse("01kf0e44m0zcmved8pcbds3f7h").unwrap();
    state.create(&state.run(&run)).unwrap();
    let store = SqliteStore::create(&state.journal(&run)).unwrap();
    (dir, state, run, store)
}

/// A lease of another process that began so many seconds ago and lasts a minute.
fn leased(store: &mut SqliteStore, ago: i64) -> Fence {
    let then = Clock::real().now() - chrono::TimeDelta::seconds(ago);
    let fence = store.acquire(OTHER, then, LEASE, Takeover::IfExpired).unwrap();
    store.note(PROCESS, &format!("{OTHER}{SINCE}{}", format_instant(then))).unwrap();
    fence
}

fn held(tried: Tried) -> Lock {
    match tried {
        Tried::Ours { lock, .. } => lock,
        Tried::Held(by) => panic!("held by {by}"),
    }
}

fn is_fenced(store: &SqliteStore, fence: Fence) -> bool {
    matches!(store.check(fence, Clock::real().now()), Err(JournalError::Fenced { .. }))
}

#[test]
fn a_lease_of_another_machine_is_respected_until_it_ends_or_is_taken() {
    let (_dir, state, run, mut store) = journal();
    let theirs = leased(&mut store, 1);
    let refused = hold(&state, &run, &mut store, false).unwrap_err();
    assert_eq!(refused.exit, Exit::Journal);
    for part in [OTHER, " since 20", "its lease lasts until 20", "--take-over"] {
        assert!(refused.to_string().contains(part), "{part}: {refused}");
    }
    assert!(!is_fenced(&store, theirs), "whoever was refused has done nothing");
    assert_eq!(driven(&state, &run, &store).unwrap().unwrap().holder, OTHER);
    let ours = hold(&state, &run, &mut store, true).unwrap();
    assert_eq!(ours.fenced, None, "nothing of it lives on this machine");
    assert!(is_fenced(&store, theirs));
    let fenced = store.notes().unwrap().into_iter().find(|note| note.key == "fenced").unwrap();
    assert!(fenced.value.starts_with(OTHER), "{}", fenced.value);
    let (_dir, state, run, mut store) = journal();
    leased(&mut store, 61);
    assert_eq!(driven(&state, &run, &store).unwrap(), None);
    hold(&state, &run, &mut store, false).unwrap();
}

#[test]
fn the_dead_of_this_machine_need_no_patience() {
    let (_dir, state, run, mut store) = journal();
    drop(held(Lock::attempt(&state.run(&run).join("lock"), OTHER).unwrap()));
    let theirs = leased(&mut store, 1);
    assert_eq!(driven(&state, &run, &store).unwrap(), None);
    let ours = hold(&state, &run, &mut store, false).unwrap();
    assert!(is_fenced(&store, theirs) && !is_fenced(&store, ours.fence));
    let found = driven(&state, &run, &store).unwrap().unwrap();
    assert_eq!(found.holder, holder());
    assert!(found.since.is_some() && !found.hangs());
}

#[test]
fn the_living_keep_a_run_and_the_hung_lose_it() {
    let (_dir, state, run, mut store) = journal();
    let path = state.run(&run).join("lock");
    let living = held(Lock::attempt(&path, OTHER).unwrap());
    let theirs = leased(&mut store, 1);
    let refused = hold(&state, &run, &mut store, false).unwrap_err();
    assert!(refused.to_string().contains(&format!("in use by {OTHER} since")), "{refused}");
    let ours = hold(&state, &run, &mut store, true).unwrap();
    assert_eq!(ours.fenced.as_deref(), Some(OTHER));
    assert!(is_fenced(&store, theirs) && is_held(&path));
    let told = lost(&run, &store, store.check(theirs, Clock::real().now()).unwrap_err());
    assert_eq!(told.exit, Exit::Journal);
    assert!(told.to_string().contains(&format!("was taken over by {}", holder())), "{told}");
    drop(living);
    let (_dir, state, run, mut store) = journal();
    let _hung = held(Lock::attempt(&state.run(&run).join("lock"), OTHER).unwrap());
    leased(&mut store, 61);
    assert!(driven(&state, &run, &store).unwrap().unwrap().hangs());
    assert_eq!(hold(&state, &run, &mut store, false).unwrap().fenced.as_deref(), Some(OTHER));
}

#[test]
fn before_it_has_a_lease_a_process_is_known_by_its_lock() {
    let (_dir, state, run, mut store) = journal();
    let path = state.run(&run).join("lock");
    let _beginning = held(Lock::attempt(&path, OTHER).unwrap());
    assert_eq!(driven(&state, &run, &store).unwrap().unwrap().holder, OTHER);
    let refused = hold(&state, &run, &mut store, false).unwrap_err();
    assert!(refused.to_string().contains(&format!("in use by {OTHER}")), "{refused}");
}

#[tokio::test]
async fn the_world_of_a_fenced_process_is_waited_for_and_that_of_another_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let theirs = held(Lock::attempt(&path, OTHER).unwrap());
    let refused = take_world(&path, "process 8 on elsewhere (eve)").await.unwrap_err();
    assert!(
        refused.to_string().contains("this simulated world is in use by process 9"),
        "{refused}"
    );
    drop(theirs);
    take_world(&path, OTHER).await.unwrap();
}

#[test]
fn a_copy_of_a_shared_journal_is_not_driven_unless_a_person_says_so() {
    let (_dir, state, run, mut store) = journal();
    store.note("copy of", "s3://team/dr/runs/x").unwrap();
    let refused = hold(&state, &run, &mut store, false).unwrap_err();
    assert_eq!(refused.exit, Exit::Journal);
    for part in ["is a copy of the shared journal s3://team/dr", "DRCTL_JOURNAL", "--take-over"] {
        assert!(refused.to_string().contains(part), "{part}: {refused}");
    }
    assert_eq!(store.lease().unwrap(), None);
    drop(hold(&state, &run, &mut store, true).unwrap());
    hold(&state, &run, &mut store, false).unwrap();
}
