//! CloudWatch's alarms: what they follow, what they say, and what they tell.

use super::support::{ESTATE, Lab, code, epoch, minutes, sdk_time};
use crate::estate;
use crate::sim::{SimOptions, Simulator};
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, HistoryItemType, MetricAlarm, MetricDatum, StateValue, Statistic,
};
use aws_types::region::Region;
use serde_json::Value;

const ALARMS: &str = "alarms:
  api: { name: shop-api-down, region: us-west-2, follows: api }
  down: { name: shop-down, follows: stock, description: Stock is down, actions: [alerts] }
  west: { name: shop-west, region: us-west-2, follows: stock, actions: [west-alerts] }
  errors:
    name: shop-errors
    missing: notBreaching
    metric: { namespace: shop, name: Errors, statistic: Sum, threshold: 5 }
  idle: { name: shop-idle }
environments:
";

fn lab(faults: &[&str]) -> Lab {
    let text = ESTATE.replace("environments:\n", ALARMS);
    let estate = estate::load("shop.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
    let options = SimOptions { seed: None, faults };
    let world = Simulator::create(&estate, &estate.environments["sim"], options);
    Lab::with(world.expect("a world"), 1)
}

async fn alarm(lab: &Lab, name: &str) -> MetricAlarm {
    let answer = lab.metrics.describe_alarms().alarm_names(name).send().await.expect("answered");
    assert_eq!(answer.metric_alarms().len(), 1, "{name}");
    answer.metric_alarms()[0].clone()
}

#[tokio::test(start_paused = true)]
async fn an_alarm_follows_the_world_and_tells_its_topic() {
    let lab = lab(&[]);
    let before = alarm(&lab, "shop-down").await;
    assert_eq!(before.state_value(), Some(&StateValue::Ok));
    assert_eq!(
        before.alarm_arn(),
        Some("arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-down")
    );
    assert_eq!((before.period(), before.evaluation_periods()), (Some(60), Some(3)));
    assert_eq!(before.actions_enabled(), Some(true));
    lab.rds.stop_db_instance().db_instance_identifier("shop-stock").send().await.expect("stops");
    lab.sleep(3600).await;
    let after = alarm(&lab, "shop-down").await;
    assert_eq!(after.state_value(), Some(&StateValue::Alarm));
    let since = after.state_updated_timestamp().expect("a time").secs();
    // It stops within the hour, and three minutes later it is noticed: at the end of a minute, however
    // late somebody asks.
    assert!(since % 60 == 0 && since > epoch().timestamp() && since < epoch().timestamp() + 3600);
    let told = lab.simulator.published();
    let ours: Vec<_> = told.iter().filter(|one| one.topic.ends_with(":alerts")).collect();
    assert_eq!(ours.len(), 1, "{told:?}");
    assert_eq!(ours[0].subject.as_deref(), Some("ALARM: \"shop-down\" in US East (N. Virginia)"));
    let message: Value = serde_json::from_str(&ours[0].message).expect("JSON");
    assert_eq!(message["NewStateValue"], "ALARM");
    assert_eq!(message["OldStateValue"], "OK");
    assert_eq!(message["AlarmDescription"], "Stock is down");
    assert_eq!(message["AlarmArn"], after.alarm_arn().expect("an ARN"));
    assert_eq!(ours[0].at.timestamp(), since);
    lab.rds.start_db_instance().db_instance_identifier("shop-stock").send().await.expect("starts");
    lab.sleep(3 * 3600).await;
    assert_eq!(alarm(&lab, "shop-down").await.state_value(), Some(&StateValue::Ok));
    let history = lab.metrics.describe_alarm_history().alarm_name("shop-down");
    let history = history.history_item_type(HistoryItemType::StateUpdate).send().await;
    let items = history.expect("answered").alarm_history_items().to_vec();
    let said: Vec<&str> = items.iter().filter_map(|item| item.history_summary()).collect();
    assert_eq!(said, ["Alarm updated from ALARM to OK", "Alarm updated from OK to ALARM"]);
}

#[tokio::test(start_paused = true)]
async fn who_asks_seldom_sees_the_same_as_who_asks_often() {
    let (often, seldom) = (lab(&[]), lab(&[]));
    // Not at the beginning of a minute: the second is asked a moment after the first.
    often.sleep(30).await;
    for lab in [&often, &seldom] {
        let stop = lab.rds.stop_db_instance().db_instance_identifier("shop-stock");
        stop.send().await.expect("stops");
    }
    for _ in 0..60 {
        often.sleep(60).await;
        alarm(&often, "shop-down").await;
    }
    seldom.sleep(often.clock.elapsed().as_secs() - seldom.clock.elapsed().as_secs()).await;
    let times = [alarm(&often, "shop-down").await, alarm(&seldom, "shop-down").await]
        .map(|alarm| alarm.state_updated_timestamp().copied());
    assert_eq!(times[0], times[1]);
}

#[tokio::test(start_paused = true)]
async fn a_metric_breaks_its_threshold_after_enough_figures() {
    let lab = lab(&[]);
    let put = async |value: f64| {
        let datum = MetricDatum::builder().metric_name("Errors").value(value).build();
        let call = lab.metrics.put_metric_data().namespace("shop").metric_data(datum);
        call.send().await.expect("taken");
    };
    for minute in 0..4 {
        put(9.0).await;
        let now = alarm(&lab, "shop-errors").await;
        let wanted = if minute < 3 { StateValue::Ok } else { StateValue::Alarm };
        assert_eq!(now.state_value(), Some(&wanted), "minute {minute}");
        lab.sleep(60).await;
    }
    lab.sleep(120).await;
    let quiet = alarm(&lab, "shop-errors").await;
    assert_eq!(quiet.state_value(), Some(&StateValue::Ok), "missing data does not break it");
}

#[tokio::test(start_paused = true)]
async fn a_state_that_was_set_lasts_until_the_next_figure() {
    let lab = lab(&[]);
    let set = |name: &str, state: StateValue| {
        let call = lab.metrics.set_alarm_state().alarm_name(name).state_value(state);
        call.state_reason("a test").send()
    };
    set("shop-down", StateValue::Alarm).await.expect("set");
    let now = alarm(&lab, "shop-down").await;
    assert_eq!((now.state_value(), now.state_reason()), (Some(&StateValue::Alarm), Some("a test")));
    let since = now.state_updated_timestamp().expect("a time").secs();
    assert_eq!(since, lab.clock.now().timestamp());
    lab.sleep(60).await;
    assert_eq!(alarm(&lab, "shop-down").await.state_value(), Some(&StateValue::Ok));
    set("shop-idle", StateValue::Alarm).await.expect("set");
    lab.sleep(3600).await;
    let idle = alarm(&lab, "shop-idle").await;
    assert_eq!(idle.state_value(), Some(&StateValue::Alarm), "it has no figures");
    assert_eq!(code(set("shop-none", StateValue::Ok).await), "ResourceNotFound");
    assert_eq!(code(set("shop-down", StateValue::from("GREEN")).await), "InvalidParameterValue");
    // The drill that begins with an alarm needs it raised.
    assert!(lab.simulator.raise_alarm("us-east-1", "shop-down", lab.clock.now()));
    assert_eq!(alarm(&lab, "shop-down").await.state_value(), Some(&StateValue::Alarm));
    assert!(!lab.simulator.raise_alarm("us-west-2", "shop-down", lab.clock.now()));
}

#[tokio::test(start_paused = true)]
async fn what_is_broken_when_a_world_begins_was_noticed_before() {
    let lab = lab(&["source-gone"]);
    let now = alarm(&lab, "shop-down").await;
    assert_eq!(now.state_value(), Some(&StateValue::Alarm));
    assert_eq!(now.state_updated_timestamp(), Some(&sdk_time(epoch() - minutes(5))));
}

#[tokio::test(start_paused = true)]
async fn an_alarm_in_another_region_follows_a_service() {
    let lab = lab(&[]);
    let west = lab.metrics.config().to_builder().region(Region::from_static("us-west-2")).build();
    let west = aws_sdk_cloudwatch::Client::from_conf(west);
    let state = async || {
        let answer = west.describe_alarms().alarm_names("shop-api-down").send().await;
        let alarm = answer.expect("answered").metric_alarms()[0].clone();
        (alarm.state_value().cloned(), alarm.metric_name().map(str::to_owned))
    };
    assert_eq!(state().await, (Some(StateValue::Ok), Some("RunningTaskCount".to_owned())));
    let stop = lab.ecs.update_service().cluster("shop").service("api").desired_count(0);
    stop.send().await.expect("scaled");
    lab.sleep(1200).await;
    assert_eq!(state().await.0, Some(StateValue::Alarm));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_lost_is_noticed_in_another_one() {
    let lab = lab(&["region-lost=us-east-1/after=10m"]);
    let west = lab.metrics.config().to_builder().region(Region::from_static("us-west-2")).build();
    let west = aws_sdk_cloudwatch::Client::from_conf(west);
    lab.sleep(3600).await;
    let answer = west.describe_alarms().alarm_names("shop-api-down").send().await;
    let alarm = answer.expect("answered").metric_alarms()[0].clone();
    assert_eq!(alarm.state_value(), Some(&StateValue::Alarm));
    // Three minutes with nothing in them, and the end of the third.
    let noticed = sdk_time(epoch() + minutes(13));
    assert_eq!(alarm.state_updated_timestamp(), Some(&noticed));
    let here = lab.metrics.describe_alarms().send().await;
    assert!(here.is_err(), "nobody answers where nothing is");
}

#[tokio::test(start_paused = true)]
async fn alarms_are_put_found_and_deleted() {
    let lab = lab(&[]);
    let put = |name: &str, periods: i32| {
        let call = lab.metrics.put_metric_alarm().alarm_name(name).namespace("AWS/RDS");
        let call = call.metric_name("CPUUtilization").statistic(Statistic::Average).period(60);
        let call = call.comparison_operator(ComparisonOperator::GreaterThanThreshold);
        call.threshold(0.0).evaluation_periods(periods).send()
    };
    put("cpu", 1).await.expect("put");
    let fresh = alarm(&lab, "cpu").await;
    assert_eq!(fresh.state_value(), Some(&StateValue::InsufficientData));
    assert_eq!(code(put("a:b", 1).await), "InvalidParameterValue");
    assert_eq!(code(put("cpu", 0).await), "InvalidParameterValue");
    let all = lab.metrics.describe_alarms().max_records(2).send().await.expect("answered");
    assert_eq!(all.metric_alarms().len(), 2);
    let token = all.next_token().expect("more").to_owned();
    let rest = lab.metrics.describe_alarms().max_records(2).next_token(token).send().await;
    assert_eq!(rest.expect("answered").metric_alarms().len(), 2, "west is another region's");
    let of_metric =
        lab.metrics.describe_alarms_for_metric().namespace("shop").metric_name("Errors");
    let of_metric = of_metric.send().await.expect("answered");
    assert_eq!(of_metric.metric_alarms()[0].alarm_name(), Some("shop-errors"));
    let ok = lab.metrics.describe_alarms().state_value(StateValue::Ok).send().await;
    assert_eq!(ok.expect("answered").metric_alarms().len(), 2);
    let both = lab.metrics.describe_alarms().alarm_names("cpu").alarm_name_prefix("c").send().await;
    assert_eq!(code(both), "ValidationError");
    let gone = lab.metrics.delete_alarms().alarm_names("cpu").alarm_names("none").send().await;
    assert_eq!(code(gone), "ResourceNotFound");
    lab.metrics.delete_alarms().alarm_names("cpu").send().await.expect("deleted");
    let none = lab.metrics.describe_alarms().alarm_names("cpu").send().await.expect("answered");
    assert!(none.metric_alarms().is_empty());
}
