//! Lists, answers and health checks.

use super::{Lab, create, delete, set};
use crate::sim::tests::support::{code, sdk};
use crate::sim::{SimDnsEnd, http_client};
use aws_sdk_route53::types::{ChangeStatus, RrType};

#[tokio::test(start_paused = true)]
async fn zones_are_listed_by_id_and_by_reversed_name() {
    let lab = Lab::new(&[]);
    let all = lab.calm().await.list_hosted_zones().send().await.expect("zones");
    let ids: Vec<&str> = all.hosted_zones().iter().map(|zone| zone.id()).collect();
    assert_eq!(ids, ["/hostedzone/Z0INNER", "/hostedzone/Z0SHOP1"]);
    let page = lab.calm().await.list_hosted_zones().max_items(1).send().await.expect("a page");
    assert_eq!((page.is_truncated(), page.next_marker()), (true, Some("Z0SHOP1")));
    let by = lab.calm().await.list_hosted_zones_by_name().dns_name("m.example").send().await;
    let by = by.expect("zones");
    assert_eq!(by.hosted_zones()[0].name(), "shop.example.");
    let one =
        lab.calm().await.get_hosted_zone().id("/hostedzone/Z0SHOP1").send().await.expect("one");
    let zone = one.hosted_zone().expect("a zone");
    assert_eq!(zone.resource_record_set_count(), Some(10));
    assert_eq!(one.delegation_set().expect("public").name_servers().len(), 3);
    let inner = lab.calm().await.get_hosted_zone().id("Z0INNER").send().await.expect("one");
    assert!(
        inner.hosted_zone().is_some_and(|zone| zone.config().is_some_and(|c| c.private_zone()))
    );
    assert_eq!(code(lab.calm().await.get_hosted_zone().id("Z9").send().await), "NoSuchHostedZone");
}

#[tokio::test(start_paused = true)]
async fn records_come_in_order_and_pages() {
    let lab = Lab::new(&[]);
    let mut found = Vec::new();
    let (mut name, mut kind, mut identifier) = (None, None, None);
    for _ in 0..20 {
        let call = lab.calm().await.list_resource_record_sets().hosted_zone_id("Z0SHOP1");
        let call = call.max_items(3).set_start_record_name(name).set_start_record_type(kind);
        let page = call.set_start_record_identifier(identifier).send().await.expect("a page");
        found.extend(page.resource_record_sets().iter().map(|set| {
            format!("{} {} {}", set.name(), set.r#type(), set.set_identifier().unwrap_or("-"))
        }));
        if !page.is_truncated() {
            break;
        }
        name = page.next_record_name().map(str::to_owned);
        kind = page.next_record_type().cloned();
        identifier = page.next_record_identifier().map(str::to_owned);
    }
    assert_eq!(
        found,
        [
            "shop.example. MX -",
            "shop.example. NS -",
            "shop.example. SOA -",
            "\\052.shop.example. TXT -",
            "api.shop.example. A east",
            "api.shop.example. A west",
            "db.shop.example. CNAME -",
            "fo.shop.example. A p",
            "fo.shop.example. A s",
            "www.shop.example. A -",
        ]
    );
    let call = lab.calm().await.list_resource_record_sets().hosted_zone_id("Z0SHOP1");
    assert_eq!(code(call.start_record_type(RrType::A).send().await), "InvalidInput");
}

#[tokio::test(start_paused = true)]
async fn weights_and_roles_follow_health_and_fail_open() {
    let lab = Lab::new(&[]);
    assert_eq!(lab.answers("api.shop.example", "A"), ["192.0.2.1"], "weight 0 is not answered");
    assert_eq!(lab.answers("www.shop.example", "A"), ["192.0.2.1"], "nor through an alias");
    // `west` is inverted: the primary is unhealthy.
    assert_eq!(lab.answers("fo.shop.example", "A"), ["192.0.2.4"]);
    let invert = async |id: &str, version: i64, inverted: bool| {
        let call = lab.calm().await.update_health_check().health_check_id(id);
        call.health_check_version(version).inverted(inverted).send().await
    };
    let (east, west) =
        ("11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002");
    let changed = invert(east, 1, true).await.expect("right version");
    assert_eq!(changed.health_check().map(|check| check.health_check_version()), Some(2));
    assert_eq!(code(invert(east, 1, true).await), "HealthCheckVersionMismatch");
    assert_eq!(
        lab.answers("api.shop.example", "A"),
        ["192.0.2.2"],
        "weight 0 when no other is healthy"
    );
    invert(west, 1, false).await.expect("right version");
    assert_eq!(lab.answers("fo.shop.example", "A"), ["192.0.2.3"]);
    // All of a name unhealthy counts as all healthy.
    let sets = lab.sets("api.shop.example").await;
    let both = sets.into_iter().find(|set| set.set_identifier() == Some("west")).expect("west");
    let mut sick = both.clone();
    sick.health_check_id = Some(east.to_owned());
    lab.change(vec![delete(both), create(sick)]).await.expect("accepted");
    lab.sleep(60).await;
    assert_eq!(lab.answers("api.shop.example", "A"), ["192.0.2.1"]);
    assert_eq!(code(invert("no-such", 1, true).await), "NoSuchHealthCheck");
}

#[tokio::test(start_paused = true)]
async fn weights_share_the_answers() {
    let lab = Lab::new(&[]);
    let west = lab.sets("api.shop.example").await.into_iter().nth(1).expect("west");
    let mut more = west.clone();
    more.weight = Some(25);
    lab.change(vec![delete(west), create(more)]).await.expect("accepted");
    lab.sleep(60).await;
    let hits = (0..500).filter(|_| lab.answers("api.shop.example", "A") == ["192.0.2.2"]).count();
    assert!((60..140).contains(&hits), "a fifth of 500 is {hits}");
}

#[tokio::test(start_paused = true)]
async fn names_that_no_zone_has_are_the_estates_and_wildcards_stand_for_the_rest() {
    let lab = Lab::new(&[]);
    assert_eq!(lab.answers("lb.example", "A"), ["198.51.100.7"]);
    assert_eq!(lab.end("nobody.example", "A"), SimDnsEnd::NotOurs);
    assert_eq!(lab.answers("any.thing.shop.example", "TXT"), ["\"v=spf1 -all\""]);
    assert_eq!(lab.end("any.shop.example", "A"), SimDnsEnd::NoSuchRecord);
    assert_eq!(lab.end("api.shop.example", "AAAA"), SimDnsEnd::NoSuchRecord);
    let test = async |name: &str, kind: RrType| {
        let call = lab.calm().await.test_dns_answer().hosted_zone_id("Z0SHOP1");
        call.record_name(name).record_type(kind).send().await
    };
    let told = test("api.shop.example", RrType::A).await.expect("an answer");
    assert_eq!(
        (told.record_data(), told.response_code()),
        (["192.0.2.1".to_owned()].as_slice(), "NOERROR")
    );
    assert_eq!(code(test("api.other", RrType::A).await), "InvalidInput");
    let inner = lab.calm().await.test_dns_answer().hosted_zone_id("Z0INNER");
    let inner = inner.record_name("a.inner.example").record_type(RrType::A).send().await;
    assert_eq!(code(inner), "InvalidInput");
}

#[tokio::test(start_paused = true)]
async fn a_lost_control_plane_stops_changes_and_not_answers() {
    let lab = Lab::new(&["control-plane-down=us-east-1"]);
    let list = lab.calm().await.list_hosted_zones().send().await;
    assert_eq!(code(list), "ServiceUnavailable");
    let new = create(set("n.shop.example", RrType::A, 60, &["192.0.2.9"]));
    assert_eq!(lab.change(vec![new]).await.expect_err("down").0, "ServiceUnavailable");
    assert_eq!(lab.answers("api.shop.example", "A"), ["192.0.2.1"]);
    let elsewhere = Lab::new(&["control-plane-down=us-west-2"]);
    assert!(elsewhere.calm().await.list_hosted_zones().send().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_resolver_keeps_what_it_heard_for_its_time_to_live() {
    let lab = Lab::new(&[]);
    let old = lab.sets("shop.example").await.remove(0);
    let new = set("shop.example", RrType::Mx, 60, &["10 other.example."]);
    let id = lab.change(vec![delete(old), create(new)]).await.expect("accepted");
    let heard = |resolver: &str| {
        let now = lab.clock.now();
        let answer = lab.simulator.resolve(("shop.example", "MX"), resolver, now).expect("a name");
        let found = answer.sets.last().cloned().expect("a record");
        (found.values[0].clone(), found.ttl)
    };
    let (mut in_sync, mut turned) = (None, Vec::new());
    for second in 0..150_u32 {
        if in_sync.is_none() && second % 5 == 0 {
            let info = lab.client.get_change().id(&id).send().await.expect("a change");
            let done =
                info.change_info().is_some_and(|info| *info.status() == ChangeStatus::Insync);
            in_sync = done.then_some(second);
        }
        for resolver in ["192.0.2.53", "198.51.100.53", "system"] {
            let (value, ttl) = heard(resolver);
            assert!(ttl <= 60, "{ttl}");
            let known = turned.iter().any(|(name, _)| *name == resolver);
            match value.as_str() {
                "10 other.example." if !known => turned.push((resolver, second)),
                "10 other.example." => {}
                old => assert!(!known, "{resolver} went back to {old}"),
            }
        }
        lab.sleep(1).await;
    }
    let in_sync = in_sync.expect("in sync within a minute");
    assert_eq!(turned.len(), 3, "{turned:?}");
    assert!(
        turned.iter().all(|(_, at)| *at + 6 >= in_sync && *at <= in_sync + 61),
        "{in_sync} {turned:?}"
    );
    assert!(turned.iter().any(|(_, at)| *at != turned[0].1), "each by its own time: {turned:?}");
}

#[tokio::test(start_paused = true)]
async fn health_checks_are_made_once_a_reference_and_metered_in_one_region() {
    let lab = Lab::new(&[]);
    let config = |path: &str| {
        let config = aws_sdk_route53::types::HealthCheckConfig::builder();
        let config = config.r#type(aws_sdk_route53::types::HealthCheckType::Https).port(443);
        config.fully_qualified_domain_name("a.example").resource_path(path).build().expect("whole")
    };
    let make = async |path: &str| {
        let call = lab.calm().await.create_health_check().caller_reference("r-1");
        call.health_check_config(config(path)).send().await
    };
    let first = make("/a").await.expect("made");
    assert!(first.location().ends_with(first.health_check().expect("one").id()));
    let again = make("/a").await.expect("the same again");
    assert_eq!(first.health_check().map(|one| one.id()), again.health_check().map(|one| one.id()));
    assert_eq!(code(make("/b").await), "HealthCheckAlreadyExists");
    let all = lab.calm().await.list_health_checks().send().await.expect("checks");
    assert_eq!(all.health_checks().len(), 3);
    let west = "11111111-0000-4000-8000-000000000002";
    let status = lab.calm().await.get_health_check_status().health_check_id(west).send().await;
    let status = status.expect("a status");
    let said =
        status.health_check_observations()[0].status_report().and_then(|report| report.status());
    assert_eq!(said, Some("Success: HTTP Status Code 200, OK"), "inversion does not show here");
    lab.sleep(180).await;
    let config = sdk(http_client(lab.simulator.clone(), lab.clock.clone(), None), &lab.clock, 1);
    let metrics = aws_sdk_cloudwatch::Client::new(&config);
    let dimension =
        aws_sdk_cloudwatch::types::Dimension::builder().name("HealthCheckId").value(west);
    let now = lab.clock.now();
    let time = |seconds: i64| {
        crate::sim::tests::support::sdk_time(now - chrono::TimeDelta::seconds(seconds))
    };
    let call =
        metrics.get_metric_statistics().namespace("AWS/Route53").metric_name("HealthCheckStatus");
    let call =
        call.dimensions(dimension.build()).period(60).start_time(time(120)).end_time(time(0));
    let found =
        call.statistics(aws_sdk_cloudwatch::types::Statistic::Minimum).send().await.expect("data");
    assert!(!found.datapoints().is_empty());
    assert!(found.datapoints().iter().all(|point| point.minimum() == Some(0.0)));
}
