//! Decisions about keys, from histories alone.
//!
//! **Invariant:** what a listing decides needs no look at a version.

use super::change::{Change, Kind, Standing};
use super::history::{Gatherer, History};
use super::reason::Reason;
use super::standing::{Likeness, Look, standing};
use super::terms::{Direction, Terms};
use crate::base::clock::simulated_epoch;
use crate::cloud::CloudError;
use crate::cloud::model::{Over, VersionEntry, VersionFacts};
use chrono::{DateTime, TimeDelta, Utc};
use std::cell::Cell;

fn at(seconds: i64) -> DateTime<Utc> {
    simulated_epoch() + TimeDelta::seconds(seconds)
}

/// The instant that these tests go back to, and that of the plan.
const TO: i64 = 100;
const PLANNED: i64 = 200;

fn version(id: &str, seconds: i64, content: &str) -> VersionEntry {
    VersionEntry {
        key: "k".to_owned(),
        version_id: id.to_owned(),
        latest: false,
        modified: at(seconds),
        object: Some(VersionFacts {
            etag: format!("\"{content}\""),
            size: content.len() as u64,
            storage_class: "STANDARD".to_owned(),
        }),
    }
}

fn marker(id: &str, seconds: i64) -> VersionEntry {
    VersionEntry { object: None, ..version(id, seconds, "") }
}

fn terms() -> Terms {
    Terms {
        to: at(TO),
        direction: Direction::To { as_of: at(PLANNED) },
        remove_markers: false,
        delete_uncertain: false,
        now: at(PLANNED + 1),
        expiry: Vec::new(),
        unread: None,
    }
}

fn history(terms: &Terms, entries: Vec<VersionEntry>) -> History {
    let other = match terms.direction {
        Direction::To { .. } => None,
        Direction::Undo { of, .. } => Some(of),
    };
    let mut gatherer = Gatherer::new(terms.to, other);
    for entry in entries {
        assert_eq!(gatherer.push(entry), None, "one key");
    }
    gatherer.end().expect("a key")
}

/// Answers all looks alike, and counts them.
struct Looks(Likeness, Cell<u32>);

impl Look for Looks {
    async fn likeness(&self, _: &VersionEntry, _: &VersionEntry) -> Result<Likeness, CloudError> {
        self.1.set(self.1.get() + 1);
        Ok(self.0)
    }

    async fn out_of_reach(&self, _: &VersionEntry) -> Result<Option<Reason>, CloudError> {
        Ok(None)
    }
}

fn decide_with(terms: &Terms, entries: Vec<VersionEntry>, like: Likeness) -> (Standing, u32) {
    let looks = Looks(like, Cell::new(0));
    let history = history(terms, entries);
    let decided = futures_util::FutureExt::now_or_never(standing(&history, terms, &looks));
    (decided.expect("nothing waits").expect("no error"), looks.1.get())
}

/// What a listing alone decides.
fn decide(terms: &Terms, entries: Vec<VersionEntry>) -> Standing {
    let (standing, looks) = decide_with(terms, entries, Likeness::Other);
    assert_eq!(looks, 0, "a listing decides this");
    standing
}

const UNTOUCHED: Standing = Standing::AsWanted { by: None };

fn copy(id: &str, seconds: i64, content: &str, over: Option<&str>) -> Standing {
    let over = over.map_or(Over::Nothing, |content| Over::Version(format!("\"{content}\"")));
    Standing::ToDo(Change::Copy { wanted: version(id, seconds, content), over })
}

#[test]
fn what_was_on_top_then_decides() {
    let terms = terms();
    assert_eq!(decide(&terms, vec![version("1", 50, "a")]), UNTOUCHED);
    assert_eq!(
        decide(&terms, vec![version("1", TO, "a")]),
        UNTOUCHED,
        "its own second is before it"
    );
    let newer = vec![version("2", TO + 1, "bb"), version("1", 50, "a")];
    assert_eq!(decide(&terms, newer), copy("1", 50, "a", Some("bb")));
    let deleted = vec![marker("2", 150), version("1", 50, "a"), version("0", 40, "z")];
    assert_eq!(decide(&terms, deleted), copy("1", 50, "a", None));
    let put = vec![version("2", 150, "bb"), marker("1", 60), version("0", 40, "z")];
    let delete = Standing::ToDo(Change::Delete { etag: "\"bb\"".to_owned() });
    assert_eq!(decide(&terms, put), delete);
    assert_eq!(decide(&terms, vec![version("1", 150, "bb")]), delete, "it did not exist");
    assert_eq!(
        decide(&terms, vec![marker("2", 150), marker("1", 50)]),
        UNTOUCHED,
        "absent both times"
    );
    assert_eq!(decide(&terms, vec![marker("2", 150), version("1", 140, "a")]), UNTOUCHED);
}

#[test]
fn of_several_entries_in_one_second_the_newest_listed_counts() {
    let terms = terms();
    let entries = vec![version("3", 150, "ccc"), version("2", TO, "bb"), version("1", TO, "a")];
    let found = history(&terms, entries.clone());
    assert_eq!(found.in_second, 2);
    assert_eq!(decide(&terms, entries), copy("2", TO, "bb", Some("ccc")));
}

#[test]
fn what_came_after_the_plan_stays_unless_it_is_our_own() {
    let terms = terms();
    let since = PLANNED + 5;
    for entries in [
        vec![version("3", since, "ccc"), version("2", 150, "bb"), version("1", 50, "a")],
        vec![version("3", since, "ccc")],
        vec![marker("3", since), version("1", 50, "a")],
        vec![version("3", since, "ccc"), marker("2", 50)],
    ] {
        assert_eq!(decide(&terms, entries), Standing::Conflict);
    }
    let same = || vec![version("3", since, "a"), version("2", 150, "bb"), version("1", 50, "a")];
    let ours = Standing::AsWanted { by: Some((Kind::Restored, 1)) };
    for like in [Likeness::Same, Likeness::Alike] {
        assert_eq!(decide_with(&terms, same(), like), (ours.clone(), 1));
    }
    assert_eq!(decide_with(&terms, same(), Likeness::Other), (Standing::Conflict, 1));
    let undeleted = vec![version("3", since, "a"), marker("2", 150), version("1", 50, "a")];
    let ours = Standing::AsWanted { by: Some((Kind::Undeleted, 1)) };
    assert_eq!(decide_with(&terms, undeleted, Likeness::Same), (ours, 1));
    let deleted = vec![marker("3", since), version("2", 150, "bb"), marker("1", 50)];
    assert_eq!(decide(&terms, deleted), Standing::AsWanted { by: Some((Kind::Deleted, 0)) });
}

#[test]
fn an_older_copy_is_taken_for_the_same_only_when_that_is_proven() {
    let terms = terms();
    let entries = || vec![version("2", 150, "a"), version("1", 50, "a")];
    assert_eq!(decide_with(&terms, entries(), Likeness::Same), (UNTOUCHED, 1));
    let again = copy("1", 50, "a", Some("a"));
    assert_eq!(decide_with(&terms, entries(), Likeness::Alike), (again.clone(), 1));
    assert_eq!(decide_with(&terms, entries(), Likeness::Other), (again, 1), "other metadata");
}

#[test]
fn markers_are_removed_only_where_that_shows_the_version_of_then() {
    let terms = Terms { remove_markers: true, ..terms() };
    let removed = |entries| match decide(&terms, entries) {
        Standing::ToDo(Change::RemoveMarkers { markers, .. }) => Some(markers),
        Standing::ToDo(Change::Copy { .. }) => None,
        other => panic!("{other:?}"),
    };
    let one = vec![marker("m", 150), version("1", 50, "a")];
    assert_eq!(removed(one), Some(vec!["m".to_owned()]));
    let two = vec![marker("n", 160), marker("m", 150), version("1", 50, "a")];
    assert_eq!(removed(two), Some(vec!["n".to_owned(), "m".to_owned()]));
    let between = vec![marker("m", 150), version("2", 140, "bb"), version("1", 50, "a")];
    assert_eq!(removed(between), None, "under it is another version");
    let many = (0..150).map(|n| marker(&format!("m{n}"), 300 - n)).chain([version("1", 50, "a")]);
    let terms_later = Terms { direction: Direction::To { as_of: at(900) }, ..terms.clone() };
    let standing = decide(&terms_later, many.collect());
    assert_eq!(standing, copy("1", 50, "a", None), "too many of them");
}

#[test]
fn what_was_written_without_a_version_id_since_may_have_replaced_what_was_there() {
    let terms = Terms { remove_markers: true, ..terms() };
    let lost = Standing::Lost(Reason::Overwritten(at(150)));
    for entries in [
        vec![version("null", 150, "n"), version("1", 50, "a")],
        vec![marker("null", 150), version("1", 50, "a")],
        vec![version("2", 160, "bb"), version("null", 150, "n")],
        vec![version("null", 150, "n")],
    ] {
        assert_eq!(decide(&terms, entries), lost);
    }
    let before = vec![version("2", 150, "bb"), version("null", 50, "n")];
    assert_eq!(decide(&terms, before), copy("null", 50, "n", Some("bb")), "its second is known");
}

#[test]
fn nobody_deletes_what_may_have_existed() {
    let day = 24 * 3600;
    let late = |days: i64| Terms { now: at(150 + days * day), ..terms() };
    let expiring = |terms: Terms| Terms {
        expiry: vec![("k".to_owned(), 7), ("other/".to_owned(), 1)],
        direction: Direction::To { as_of: terms.now },
        ..terms
    };
    let entries = || vec![version("1", 150, "bb")];
    let delete = Standing::ToDo(Change::Delete { etag: "\"bb\"".to_owned() });
    assert_eq!(decide(&expiring(late(6)), entries()), delete, "an older one would still be there");
    let lost = Standing::Lost(Reason::HistoryExpired(7));
    assert_eq!(decide(&expiring(late(7)), entries()), lost);
    let told = Terms { delete_uncertain: true, ..expiring(late(7)) };
    assert_eq!(decide(&told, entries()), delete);
    let denied = Terms { unread: Some("AccessDenied".to_owned()), ..terms() };
    let lost = Standing::Lost(Reason::HistoryUnknown("AccessDenied".to_owned()));
    assert_eq!(decide(&denied, entries()), lost);
    let known = vec![version("2", 150, "bb"), marker("1", 50)];
    assert_eq!(decide(&denied, known), delete, "its history says that it was deleted");
}

#[test]
fn taking_back_returns_only_what_the_roll_back_left() {
    // Rolled back to TO as of PLANNED; this goes back to PLANNED.
    let undo = Terms {
        to: at(PLANNED),
        direction: Direction::Undo { of: at(TO), since: None },
        ..terms()
    };
    let since = PLANNED + 5;
    assert_eq!(decide(&undo, vec![version("1", 50, "a")]), UNTOUCHED);
    // The roll-back had put a marker on what did not exist at TO.
    let deleted = vec![marker("3", since), version("2", 150, "bb")];
    assert_eq!(decide(&undo, deleted), copy("2", 150, "bb", None));
    let by_others = vec![marker("4", since), version("2", 150, "bb"), version("1", 50, "a")];
    assert_eq!(decide(&undo, by_others), Standing::Conflict, "the roll-back deleted nothing here");
    let new = vec![version("3", since, "new"), marker("2", 150), marker("1", 50)];
    assert_eq!(decide_with(&undo, new, Likeness::Other).0, Standing::Conflict);
    // It had put the old version on top.
    let ours = || vec![version("3", since, "a"), version("2", 150, "bb"), version("1", 50, "a")];
    assert_eq!(decide_with(&undo, ours(), Likeness::Other).0, Standing::Conflict);
    let alike = decide_with(&undo, ours(), Likeness::Alike).0;
    assert_eq!(
        alike,
        copy("2", 150, "bb", Some("a")),
        "before the undo's first act nothing is its own"
    );
    // What the undo put back is not put back again.
    let back =
        Terms { direction: Direction::Undo { of: at(TO), since: Some(at(since + 5)) }, ..undo };
    let again = vec![
        version("4", since + 6, "bb"),
        version("3", since, "a"),
        version("2", 150, "bb"),
        version("1", 50, "a"),
    ];
    let done = Standing::AsWanted { by: Some((Kind::Restored, 2)) };
    assert_eq!(decide_with(&back, again, Likeness::Alike).0, done);
}

#[test]
fn keys_are_gathered_apart_and_long_histories_take_no_room() {
    let mut gatherer = Gatherer::new(at(TO), None);
    let other = |key: &str, id: &str| VersionEntry { key: key.to_owned(), ..version(id, 50, "a") };
    assert_eq!(gatherer.push(other("a", "1")), None);
    let whole = gatherer.push(other("b", "2")).expect("`a` is whole");
    let wanted = whole.wanted.as_ref().map(|entry| entry.version_id.as_str());
    assert_eq!((whole.key(), wanted), ("a", Some("1")));
    for number in 0..100_000 {
        assert_eq!(
            gatherer.push(VersionEntry { object: None, ..other("b", &number.to_string()) }),
            None
        );
    }
    let whole = gatherer.end().expect("`b`");
    assert_eq!((whole.key(), whole.top.version_id.as_str()), ("b", "2"));
    assert_eq!(gatherer.end(), None);
}
