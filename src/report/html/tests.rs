//! The page as a file. **Invariant:** whatever a journal holds, it is text on a page and nothing else.

use crate::base::ids::StepKey;
use crate::journal::event::{ErrorKind, Event, RunOutcome};
use crate::journal::testing::{error, every_event, evidence};
use crate::plan::model::Phase;
use crate::report::render_html;
use crate::report::testing::{journal, plan, report, step, until_restored, whole};
use serde_json::json;

const HOSTILE: &str = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u{202e}drow \
                       \u{0}\u{1b}[2J شحن 🔥 ]]> --> <!-- {{7*7}} &amp; javascript:alert(1)";

#[test]
fn the_verdict_and_the_banner_come_first() {
    let page = render_html(&report(&whole(&plan())));
    let place = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what}"));
    let body = place("<body>");
    assert!(body < place("SIMULATED: drctl"));
    assert!(place("SIMULATED: drctl") < place("class=\"verdict good\""));
    assert!(place("class=\"verdict good\"") < place(">Run</h2>"));
    assert!(place("✓ <bdi>SUCCEEDED</bdi>") < place("Restore</span>"));
    for part in ["Restore", "Validation", "Clean-up"] {
        assert!(page.contains(&format!("<span class=\"name\">{part}</span>")), "{part}");
    }
    let mut real = plan();
    real.environment.simulated = false;
    assert!(!render_html(&report(&whole(&real))).contains("SIMULATED"));
}

#[test]
fn bad_news_is_told_in_words() {
    let failed = until_restored(&plan())
        .start(606_000, "heartbeat")
        .fail(607_000, "heartbeat", ErrorKind::CheckFailed, "too old")
        .finish(607_000, RunOutcome::Failed);
    let mut short = plan();
    short.steps.truncate(3);
    let failed_page = render_html(&report(
        &until_restored(&short)
            .start(606_000, "heartbeat")
            .fail(607_000, "heartbeat", ErrorKind::CheckFailed, "too old")
            .finish(607_000, RunOutcome::Failed),
    ));
    drop(failed);
    assert!(failed_page.contains("class=\"verdict bad\""));
    assert!(failed_page.contains("✗ <bdi>FAILED</bdi>"), "no failure in {failed_page}");
    assert!(failed_page.contains("url(#failed-0)"), "the failed bar is hatched");
    assert!(failed_page.contains("✗ FAILED") && failed_page.contains("not planned"));
    let open = render_html(&report(&until_restored(&plan())));
    assert!(open.contains("class=\"verdict open\"") && open.contains("… <bdi>UNFINISHED</bdi>"));
}

#[test]
fn hostile_text_is_text() {
    let mut plan = plan();
    let title = HOSTILE.repeat(60);
    plan.title = HOSTILE.to_owned();
    plan.environment.name = HOSTILE.to_owned();
    plan.steps.insert(0, step("hostile", HOSTILE, Phase::Decide));
    plan.steps[0].title = title;
    plan.parameters.insert(HOSTILE.to_owned(), json!({ HOSTILE: HOSTILE }));
    plan.certificate.walls.push(HOSTILE.to_owned());
    plan.certificate.calls.insert(HOSTILE.to_owned(), 3);
    let mut failure = error(ErrorKind::CheckError, HOSTILE);
    failure.help = Some(HOSTILE.to_owned());
    let hostile = StepKey::new("hostile");
    let mut journal = journal(&plan).start(0, "hostile").observed(1, "hostile", HOSTILE, HOSTILE);
    journal.push(
        2,
        Event::StepFailed {
            step: hostile,
            error: failure,
            evidence: vec![evidence(HOSTILE, &"x".repeat(10_000), HOSTILE)],
            outputs: json!({}),
        },
    );
    let report = report(&journal);
    let page = render_html(&report);
    assert!(!page.contains("<script") && !page.contains("<img"), "an element got through");
    assert!(!page.contains('\u{202e}') && !page.contains('\u{0}') && !page.contains('\u{1b}'));
    assert!(page.contains("شحن 🔥"), "ordinary right-to-left text and emoji stay");
    assert!(page.contains("more characters)"));
    let longest = page.split(['<', '>']).filter(|text| !text.contains("--") && !text.contains("{"));
    assert!(longest.map(|text| text.chars().count()).max().unwrap() < 2_000);
    assert_eq!(page, render_html(&report), "the same journal gives the same bytes");
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let page = render_html(&report(&whole(&plan())));
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>\n"));
    assert!(page.contains("content=\"default-src 'none'; style-src 'sha256-"));
    for forbidden in ["http://", "https://", "src=", "href=", "<link", "@import", " style=", " on"]
    {
        let places = page.match_indices(forbidden).filter(|(at, _)| {
            // Words in running text are no attributes.
            forbidden != " on" || page[*at..].find('=').is_some_and(|equals| equals < 12)
        });
        assert_eq!(places.count(), 0, "{forbidden}");
    }
}

#[test]
fn people_and_evidence_are_named_with_their_events() {
    let question =
        |kind: &str| every_event("restore").into_iter().find(|event| event.kind() == kind).unwrap();
    let waiting = journal(&plan())
        .ran(0, 4_000, "source", json!({}))
        .start(4_000, "restore")
        .event(10_000, question("question_asked"));
    let open = report(&waiting);
    assert_eq!(open.approvals.len(), 2);
    assert_eq!((open.approvals[1].who.as_ref(), open.approvals[1].answer.as_ref()), (None, None));
    assert!(render_html(&open).contains("nobody yet"));
    let answered = report(&waiting.event(70_000, question("question_answered")));
    let decided = &answered.approvals[1];
    assert_eq!((decided.who.as_deref(), decided.answer.as_deref()), (Some("alice"), Some("retry")));
    assert_eq!((decided.step.as_deref(), decided.what.as_str()), (Some("restore"), "go on?"));
    let journal = whole(&plan());
    let report = report(&journal);
    let fact = &report.evidence[0];
    let event = journal.stored().into_iter().find(|one| one.seq == fact.seq).unwrap();
    assert_eq!(event.kind, "step_succeeded");
    assert_eq!(fact.digest, event.digest.to_string());
    let digits = &fact.digest["sha256:".len()..][..12];
    assert!(render_html(&report).contains(digits));
}
