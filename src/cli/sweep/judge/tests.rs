//! Who goes and who stays, and why.

use super::*;
use crate::base::clock::simulated_epoch;
use crate::base::ids::{StepKey, rds_name};
use crate::base::seed::Seed;
use crate::cloud::tags::{EXPIRES_TAG, OWNER_TAG, RUN_TAG, STEP_TAG};
use chrono::TimeDelta;

fn run(seed: u64) -> RunId {
    RunId::mint(simulated_epoch(), &mut Seed::new(seed).stream("run"))
}

fn marks() -> Marks {
    Marks {
        run: run(1),
        step: StepKey::new("restore"),
        owner: "ada".to_owned(),
        expires: simulated_epoch() + TimeDelta::hours(24),
    }
}

fn instance() -> DbInstance {
    DbInstance {
        id: rds_name("orders", &run(1), &marks().step),
        status: "available".to_owned(),
        created_at: Some(simulated_epoch()),
        tags: marks().tags(),
        ..DbInstance::default()
    }
}

fn late() -> Grounds {
    Grounds { now: simulated_epoch() + TimeDelta::hours(25), ..Grounds::default() }
}

fn judged(found: DbInstance, grounds: &Grounds) -> Judgement {
    let resource = Resource::of_instance("us-east-1", found).expect("it has tags of ours");
    judge(&resource, grounds)
}

#[track_caller]
fn stays(found: DbInstance, grounds: &Grounds, wanted: &str) -> String {
    match judged(found, grounds) {
        Judgement::Stay(Reason { code, text }) => {
            assert_eq!(code, wanted, "{text}");
            text
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_ours_and_expired_goes() {
    assert_eq!(judged(instance(), &late()), Judgement::Remove(marks()));
    let going = DbInstance { status: "deleting".to_owned(), ..instance() };
    assert_eq!(judged(going, &late()), Judgement::UnderWay(marks()));
    let mine = Grounds { owner: Some("ada".to_owned()), ..late() };
    assert_eq!(judged(instance(), &mine), Judgement::Remove(marks()));
    let old = Grounds { older_than: Some(Duration::from_secs(24 * 3600)), ..late() };
    assert_eq!(judged(instance(), &old), Judgement::Remove(marks()));
    let last = Grounds { now: marks().expires, ..late() };
    assert_eq!(judged(instance(), &last), Judgement::Remove(marks()), "at its very instant");
}

#[test]
fn what_has_no_tag_of_ours_is_not_even_listed() {
    let tags = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
    let namesake = DbInstance { tags, ..instance() };
    assert_eq!(Resource::of_instance("us-east-1", namesake), None);
    let shot = DbSnapshot { id: "rds:orders".to_owned(), ..DbSnapshot::default() };
    assert_eq!(Resource::of_snapshot("us-east-1", shot), None);
}

#[test]
fn what_is_not_due_stays() {
    let early = Grounds { now: simulated_epoch() + TimeDelta::hours(23), ..Grounds::default() };
    let text = stays(instance(), &early, "not_expired");
    assert!(text.contains("2026-01-16T09:00:00Z") && text.contains("1h00m"), "{text}");
    let mut kept = instance();
    kept.tags.insert(KEEP_TAG.to_owned(), "for the auditors".to_owned());
    assert!(stays(kept, &late(), "kept").contains("for the auditors"));
    let open = BTreeMap::from([(run(1), "run x has not ended".to_owned())]);
    assert!(stays(instance(), &Grounds { open, ..late() }, "open_run").contains("has not ended"));
    let other = BTreeMap::from([(run(2), "run y has not ended".to_owned())]);
    assert_eq!(judged(instance(), &Grounds { open: other, ..late() }), Judgement::Remove(marks()));
    let theirs = Grounds { owner: Some("bob".to_owned()), ..late() };
    assert!(stays(instance(), &theirs, "other_owner").contains("ada"));
    let old = Grounds { older_than: Some(Duration::from_secs(26 * 3600)), ..late() };
    stays(instance(), &old, "too_young");
    let timeless = DbInstance { created_at: None, ..instance() };
    stays(timeless, &old, "too_young");
}

#[test]
fn what_is_not_proven_to_be_ours_stays() {
    for tag in [RUN_TAG, STEP_TAG, OWNER_TAG, EXPIRES_TAG] {
        let mut found = instance();
        found.tags.remove(tag);
        assert!(stays(found, &late(), "tags_incomplete").contains(tag));
    }
    let mut found = instance();
    found.tags.insert(EXPIRES_TAG.to_owned(), "soon".to_owned());
    stays(found, &late(), "tags_malformed");
    // A restore or a copy by hand takes tags over, and not the name.
    for id in [
        "orders-rescued".to_owned(),
        rds_name("orders", &run(2), &marks().step),
        rds_name("orders", &run(1), &StepKey::new("other")),
        format!("copy-of-{}", instance().id),
        format!("{}-2", instance().id),
    ] {
        stays(DbInstance { id, ..instance() }, &late(), "foreign");
    }
    let estate = BTreeSet::from([instance().id]);
    stays(instance(), &Grounds { estate, ..late() }, "estate");
}

#[test]
fn what_somebody_uses_or_protects_stays() {
    let protected = DbInstance { deletion_protection: true, ..instance() };
    stays(protected, &late(), "deletion_protection");
    let source = DbInstance { replicas: vec!["reports".to_owned()], ..instance() };
    assert!(stays(source, &late(), "replicas").contains("reports"));
}

#[test]
fn a_snapshot_goes_only_when_a_drill_took_it() {
    let shot = DbSnapshot {
        id: rds_name("orders", &run(1), &marks().step),
        kind: "manual".to_owned(),
        status: "available".to_owned(),
        created_at: Some(simulated_epoch()),
        tags: marks().tags(),
        ..DbSnapshot::default()
    };
    let judged = |found| judge(&Resource::of_snapshot("us-east-1", found).expect("ours"), &late());
    assert_eq!(judged(shot.clone()), Judgement::Remove(marks()));
    let automated = DbSnapshot { kind: "automated".to_owned(), ..shot.clone() };
    let Judgement::Stay(reason) = judged(automated) else { panic!("it goes") };
    assert_eq!(reason.code, "not_manual");
    let by_hand = DbSnapshot { id: "before-the-upgrade".to_owned(), ..shot };
    let Judgement::Stay(reason) = judged(by_hand) else { panic!("it goes") };
    assert_eq!(reason.code, "foreign");
}
