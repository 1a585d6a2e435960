//! When a clean-up has nothing to do. **Invariant:** it runs whenever something may be there.

use super::*;
use crate::journal::event::Event;
use crate::journal::testing::{JournalBuilder, error, every_event};
use crate::plan::model::Phase;
use crate::report::testing::{journal, plan, step};

/// The drill, whose clean-up needs its restore.
fn drill() -> Plan {
    let mut plan = plan();
    let mut delete = step("delete", "rds.delete_instance", Phase::Cleanup);
    delete.needs = vec![StepKey::new("restore")];
    plan.steps[4] = delete;
    plan
}

fn skipped(journal: &JournalBuilder) -> Option<&'static str> {
    let plan = drill();
    let state = RunState::fold(&journal.records()).expect("a legal journal");
    nothing_is_there(&plan, &state, &plan.steps[4])
}

fn begun() -> JournalBuilder {
    journal(&drill()).start(0, "restore")
}

fn every(kind: &str) -> Event {
    every_event("restore").into_iter().find(|event| event.kind() == kind).expect("a kind")
}

fn refused(journal: JournalBuilder) -> JournalBuilder {
    journal.event(3, every("act_refused"))
}

#[test]
fn a_clean_up_is_left_out_only_when_nothing_was_made_or_all_was_taken_back() {
    let nothing = Some("no step before it asked for anything to be made");
    let fail = |journal: JournalBuilder| journal.fail(9, "restore", ErrorKind::Refused, "no");
    assert_eq!(skipped(&fail(begun())), nothing);
    let asked = || begun().intent(1, "restore", "rds:X");
    assert_eq!(skipped(&fail(refused(asked()))), nothing);
    assert_eq!(skipped(&fail(asked().accepted(2, "restore"))), None);
    let twice = asked().event(2, every("act_in_doubt")).event(
        3,
        Event::IntentRecorded {
            step: StepKey::new("restore"),
            attempt: 2,
            operation: "rds:X".to_owned(),
            target: "db".to_owned(),
        },
    );
    assert_eq!(skipped(&fail(refused(twice))), None, "the first try may have made it");
}

#[test]
fn a_clean_up_follows_an_undo_that_failed() {
    let undoing = || {
        let made = begun().intent(1, "restore", "rds:X").accepted(2, "restore");
        let failed = made.fail(3, "restore", ErrorKind::Broken, "incompatible-restore");
        failed.event(4, every("undo_started"))
    };
    let problem = error(ErrorKind::Refused, "deletion protection");
    let undo_failed = Event::UndoFailed { step: StepKey::new("restore"), error: problem };
    let early = undoing().event(5, undo_failed.clone());
    assert_eq!(skipped(&early), None, "the undo asked for nothing");
    let late = undoing().intent(5, "restore", "rds:DeleteDBInstance");
    assert_eq!(skipped(&refused(late).event(6, undo_failed)), None, "the undo was refused");
    let undone = undoing().event(5, every("undo_succeeded"));
    assert_eq!(skipped(&undone), Some("what the steps before it made was taken back"));
}
