//! Shows what a sweep found and did.
//!
//! **Invariant:** what was not looked at or not removed is said as loudly as what was.

use super::judge::{Judgement, Resource};
use super::remove::Removal;
use super::{Fate, Report};
use crate::base::clock::format_instant;
use crate::base::duration::human;
use crate::cli::plan_view::{certificate_text, line};
use crate::cloud::tags::{EXPIRES_TAG, OWNER_TAG, RUN_TAG, STEP_TAG};
use serde_json::{Value as Json, json};

/// The word that stands before a resource.
fn word(report: &Report, judgement: &Judgement, fate: &Fate) -> &'static str {
    match (judgement, fate) {
        (_, Fate::Done(Removal::Removed(_))) => "REMOVED",
        (_, Fate::Done(Removal::Vanished)) => "GONE",
        (_, Fate::Done(Removal::Stays(_))) | (Judgement::Stay(_), _) => "STAYS",
        (_, Fate::Done(Removal::Left(_) | Removal::Refused(_) | Removal::CutOff(_))) => "LEFT",
        (_, Fate::NotThisTime(_)) => "NOT YET",
        (Judgement::UnderWay(_), Fate::Listed) => "IS GOING",
        (Judgement::Remove(_), Fate::Listed) if report.executes => "REMOVES",
        (Judgement::Remove(_), Fate::Listed) => "WOULD REMOVE",
    }
}

/// Why, if there is something to say.
fn why<'a>(judgement: &'a Judgement, fate: &'a Fate) -> Option<&'a str> {
    match (judgement, fate) {
        (Judgement::Stay(reason), _) => Some(&reason.text),
        (_, Fate::NotThisTime(why)) => Some(why),
        (
            _,
            Fate::Done(
                Removal::Stays(why)
                | Removal::Left(why)
                | Removal::Refused(why)
                | Removal::CutOff(why),
            ),
        ) => Some(why),
        (Judgement::UnderWay(_), Fate::Listed) => Some("AWS is deleting it already"),
        (_, Fate::Done(Removal::Removed(_) | Removal::Vanished))
        | (Judgement::Remove(_), Fate::Listed) => None,
    }
}

/// The report for people.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    let mode = if report.executes { "SWEEP" } else { "SWEEP, dry run" };
    let place = &report.place;
    if let Some(banner) = place.banner() {
        line(&mut text, banner);
    }
    line(&mut text, &format!("{mode}: what drills left behind, by drctl's tags alone"));
    let (name, account) = (&place.name, &place.account);
    let (estate, server) = (&report.estate, &place.server);
    line(
        &mut text,
        &format!("where        {estate} / {name} (account {account}), answered by {server}"),
    );
    line(&mut text, &format!("when         {}", format_instant(report.now)));
    for region in &report.regions {
        line(&mut text, "");
        let here = report.resources.iter().filter(|(found, ..)| found.region == *region);
        let unread = report.unread.iter().filter(|(unread, _)| unread == region);
        let (count, unread): (usize, Vec<_>) = (here.clone().count(), unread.collect());
        match (count, unread.is_empty()) {
            (0, true) => line(&mut text, &format!("{region}: nothing with drctl's tags")),
            (0, false) => line(&mut text, &format!("{region}: not known")),
            (count, _) => line(&mut text, &format!("{region}: {count} with drctl's tags")),
        }
        for (_, error) in unread {
            line(&mut text, &format!("  NOT READ     {error}"));
        }
        for (resource, judgement, fate) in here {
            resource_text(&mut text, report, resource, judgement, fate);
        }
    }
    line(&mut text, "");
    line(&mut text, &summary(report));
    if !report.executes {
        certificate_text(&mut text, &report.certificate);
    }
    text
}

fn resource_text(
    text: &mut String,
    report: &Report,
    resource: &Resource,
    judgement: &Judgement,
    fate: &Fate,
) {
    let (kind, id) = (resource.kind.word(), &resource.id);
    let word = word(report, judgement, fate);
    line(text, &format!("  {word:<12} {kind} {id} ({})", resource.status));
    line(
        text,
        &format!(
            "               run {}, step {}, owner {}",
            resource.tag(RUN_TAG),
            resource.tag(STEP_TAG),
            resource.tag(OWNER_TAG)
        ),
    );
    let created = resource.created_at.map_or_else(|| "not known".to_owned(), format_instant);
    let age = resource.age(report.now).map_or_else(|| "not known".to_owned(), human);
    let expires = resource.tag(EXPIRES_TAG);
    line(text, &format!("               created {created}, age {age}, expires {expires}"));
    if let Fate::Done(Removal::Removed(took)) = fate {
        line(text, &format!("               gone after {}", human(*took)));
    }
    if let Some(why) = why(judgement, fate) {
        line(text, &format!("               because {why}"));
    }
}

fn summary(report: &Report) -> String {
    let count = |wanted: &str| {
        let words = report.resources.iter().map(|(_, judged, fate)| word(report, judged, fate));
        words.filter(|word| *word == wanted).count()
    };
    let mut parts = Vec::new();
    for (wanted, text) in [
        ("REMOVED", "removed"),
        ("GONE", "gone before they were asked for"),
        ("WOULD REMOVE", "would be removed with --execute"),
        ("REMOVES", "to be removed"),
        ("IS GOING", "being deleted already"),
        ("NOT YET", "left for the next sweep"),
        ("LEFT", "NOT REMOVED"),
        ("STAYS", "stay"),
    ] {
        match count(wanted) {
            0 => {}
            found => parts.push(format!("{found} {text}")),
        }
    }
    if parts.is_empty() {
        parts.push("nothing to do".to_owned());
    }
    if !report.unread.is_empty() {
        let regions: std::collections::BTreeSet<&str> =
            report.unread.iter().map(|(region, _)| region.as_str()).collect();
        let regions = regions.into_iter().collect::<Vec<_>>().join(", ");
        parts.push(format!("PARTIAL: {regions} could not be read"));
    }
    parts.join("; ")
}

/// The report for programs.
pub(super) fn document(report: &Report) -> String {
    let resources: Vec<Json> = report
        .resources
        .iter()
        .map(|(resource, judgement, fate)| resource_json(report, resource, judgement, fate))
        .collect();
    let unread = report.unread.iter().map(|(region, error)| {
        json!({ "region": region, "error": error.to_string(), "code": error.code })
    });
    let place = &report.place;
    let document = json!({
        "schema_version": 1,
        "estate": report.estate,
        "environment": place.name,
        "account": place.account,
        "simulated": place.simulated,
        "emulated": place.emulated,
        "at": report.now,
        "executed": report.executes,
        "regions": report.regions,
        "complete": report.unread.is_empty(),
        "unread": unread.collect::<Vec<_>>(),
        "resources": resources,
        "summary": summary(report),
        "certificate": report.certificate,
    });
    serde_json::to_string_pretty(&document).expect("plain data")
}

fn resource_json(report: &Report, resource: &Resource, judgement: &Judgement, fate: &Fate) -> Json {
    let state = word(report, judgement, fate).to_ascii_lowercase().replace(' ', "_");
    let reason = match judgement {
        Judgement::Stay(reason) => Some(reason.code),
        Judgement::Remove(_) | Judgement::UnderWay(_) => None,
    };
    let tag = |name: &str| resource.tags.get(name);
    json!({
        "kind": resource.kind,
        "region": resource.region,
        "id": resource.id,
        "status": resource.status,
        "run": tag(RUN_TAG),
        "step": tag(STEP_TAG),
        "owner": tag(OWNER_TAG),
        "expires": tag(EXPIRES_TAG),
        "created_at": resource.created_at,
        "age_ms": resource.age(report.now).map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)),
        "result": state,
        "reason": reason,
        "why": why(judgement, fate),
    })
}
