//! Change batches: what is taken, what is refused, and when it is answered.

use super::{Lab, create, delete, item, set};
use crate::sim::tests::support::code;
use aws_sdk_route53::error::ProvideErrorMetadata as _;
use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet,
    ResourceRecordSetFailover, RrType,
};

#[tokio::test(start_paused = true)]
async fn a_change_shows_at_once_and_is_answered_when_in_sync() {
    let lab = Lab::new(&[]);
    let old = lab.sets("db.shop.example").await.remove(0);
    let endpoint = old.resource_records()[0].value().to_owned();
    assert!(endpoint.starts_with("shop-orders.c") && endpoint.ends_with(".rds.amazonaws.com"));
    assert!(
        lab.answers("db.shop.example", "A")[0].starts_with("10."),
        "an endpoint has an address"
    );
    let new = set("DB.shop.example", RrType::Cname, 30, &["west.example"]);
    let id = lab.change(vec![delete(old), create(new)]).await.expect("accepted");
    assert_eq!(lab.sets("db.shop.example").await[0].resource_records()[0].value(), "west.example");
    assert_eq!(lab.answers("db.shop.example", "CNAME"), [endpoint]);
    let status = |answer: aws_sdk_route53::operation::get_change::GetChangeOutput| {
        answer.change_info().expect("always").status().clone()
    };
    let pending = lab.calm().await.get_change().id(&id).send().await.expect("a change");
    assert_eq!(status(pending), ChangeStatus::Pending);
    lab.sleep(60).await;
    let synced = lab.calm().await.get_change().id(&id).send().await.expect("a change");
    assert_eq!(synced.change_info().and_then(|info| info.comment()), Some("t"));
    assert_eq!(status(synced), ChangeStatus::Insync);
    assert_eq!(lab.answers("db.shop.example", "CNAME"), ["west.example"]);
    assert_eq!(code(lab.calm().await.get_change().id("C9").send().await), "NoSuchChange");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_whole_or_not_at_all() {
    let lab = Lab::new(&[]);
    let good = || create(set("new.shop.example", RrType::A, 60, &["192.0.2.9"]));
    let invalid = |code: &str, message: &str| Err((code.to_owned(), message.to_owned()));
    let there = "Tried to create resource record set [name='db.shop.example.', type='CNAME'] but it \
                 already exists";
    let outside = "RRSet with DNS name x.other. is not permitted in zone shop.example.";
    let both = lab.change(vec![
        good(),
        create(set("db.shop.example", RrType::Cname, 30, &["x.example"])),
        create(set("x.other", RrType::A, 60, &["192.0.2.9"])),
    ]);
    assert_eq!(both.await, invalid("InvalidChangeBatch", &format!("[{there}, {outside}]")));
    assert!(lab.sets("new.shop.example").await.is_empty(), "nothing of it happened");
    for (changes, part) in [
        (
            vec![delete(set("no.shop.example", RrType::A, 60, &["192.0.2.9"]))],
            "but it was not found",
        ),
        (
            vec![delete(set("shop.example", RrType::Mx, 61, &["10 mx.shop.example."]))],
            "but the values provided do not match the current values",
        ),
        (
            vec![create(set("shop.example", RrType::Cname, 60, &["x.example"]))],
            "is not permitted at apex in zone shop.example.",
        ),
        (
            vec![create(set("db.shop.example", RrType::A, 60, &["192.0.2.9"]))],
            "conflicts with other records with the same DNS name",
        ),
        (
            vec![create(set("api.shop.example", RrType::A, 60, &["192.0.2.9"]))],
            "cannot be created as a weighted set exists with the same name and type",
        ),
        (
            vec![create(set("n.shop.example", RrType::A, 60, &["300.1.1.1"]))],
            "ARRDATAIllegalIPv4Address",
        ),
        (
            vec![create(set("n.shop.example", RrType::Txt, 60, &["bare"]))],
            "enclosed in quotation marks",
        ),
        (vec![create(set("a..shop.example", RrType::A, 60, &["192.0.2.9"]))], "DomainLabelEmpty"),
        (
            vec![create(set("n.shop.example", RrType::A, 60, &["192.0.2.9", "192.0.2.9"]))],
            "Duplicate Resource Record",
        ),
    ] {
        let (code, message) = lab.change(changes).await.expect_err(part);
        assert_eq!(code, "InvalidChangeBatch", "{message}");
        assert!(message.contains(part), "{part} in {message}");
    }
    let soa = lab.sets("shop.example").await.into_iter().find(|set| *set.r#type() == RrType::Soa);
    let (_, message) = lab.change(vec![delete(soa.expect("always"))]).await.expect_err("kept");
    assert!(message.contains("exactly one SOA record"), "{message}");
    let mail = || delete(set("shop.example", RrType::Mx, 60, &["10 mx.shop.example."]));
    let (_, twice) = lab.change(vec![mail(), mail()]).await.expect_err("twice");
    assert!(twice.contains("invalid set of changes"), "{twice}");
    assert!(lab.change(vec![mail(), good()]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn limits_count_an_upsert_twice() {
    let lab = Lab::new(&[]);
    let many = |action: ChangeAction, count: usize| {
        let names =
            (0..count).map(|n| set(&format!("n{n}.shop.example"), RrType::A, 60, &["192.0.2.9"]));
        names.map(|set| item(action.clone(), set)).collect::<Vec<_>>()
    };
    let (_, message) = lab.change(many(ChangeAction::Upsert, 501)).await.expect_err("too many");
    assert_eq!(message, "[Number of records limit of 1000 exceeded]");
    let long = format!("\"{}\"", "x".repeat(250));
    let texts = (0..70).map(|n| set(&format!("t{n}.shop.example"), RrType::Txt, 60, &[&long]));
    let texts: Vec<Change> = texts.map(|set| item(ChangeAction::Upsert, set)).collect();
    let (_, message) = lab.change(texts).await.expect_err("too long");
    assert_eq!(message, "[Number of characters limit of 32000 exceeded]");
    assert!(lab.change(many(ChangeAction::Upsert, 500)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_zone_takes_one_batch_at_a_time_and_an_account_five_calls_a_second() {
    let lab = Lab::new(&[]);
    let batch = || {
        let set = set("n.shop.example", RrType::A, 60, &["192.0.2.9"]);
        ChangeBatch::builder().changes(item(ChangeAction::Upsert, set)).build().expect("whole")
    };
    let change = || {
        let call = lab.client.change_resource_record_sets().hosted_zone_id("Z0SHOP1");
        call.change_batch(batch()).send()
    };
    change().await.expect("accepted");
    assert_eq!(code(change().await), "PriorRequestNotComplete");
    lab.sleep(1).await;
    change().await.expect("the first was processed");
    lab.sleep(2).await;
    let mut codes = Vec::new();
    for _ in 0..7 {
        let answer = lab.client.get_hosted_zone().id("Z0SHOP1").send().await;
        codes.push(answer.err().and_then(|error| error.code().map(str::to_owned)));
    }
    assert_eq!(codes.iter().filter(|code| code.is_none()).count(), 5, "{codes:?}");
    assert_eq!(codes[6].as_deref(), Some("Throttling"));
}

#[tokio::test(start_paused = true)]
async fn aliases_need_their_target_and_failover_one_of_each_role() {
    let lab = Lab::new(&[]);
    let alias = |name: &str, target: &str| {
        let target = AliasTarget::builder().hosted_zone_id("Z0SHOP1").dns_name(target);
        let target = target.evaluate_target_health(false).build().expect("whole");
        let set = ResourceRecordSet::builder().name(name).r#type(RrType::A).alias_target(target);
        create(set.build().expect("whole"))
    };
    let (_, message) =
        lab.change(vec![alias("x.shop.example", "no.shop.example")]).await.expect_err("none");
    assert!(message.contains("but that target was not found"), "{message}");
    let (_, message) =
        lab.change(vec![alias("x.shop.example", "no.other")]).await.expect_err("outside");
    assert!(message.contains("does not lie within the target zone"), "{message}");
    let mut third = set("fo.shop.example", RrType::A, 60, &["192.0.2.5"]);
    third.set_identifier = Some("t".to_owned());
    third.failover = Some(ResourceRecordSetFailover::Primary);
    let (_, message) = lab.change(vec![create(third)]).await.expect_err("two primaries");
    assert!(message.contains("role PRIMARY exists"), "{message}");
    lab.change(vec![alias("x.shop.example", "api.shop.example")]).await.expect("there");
}
