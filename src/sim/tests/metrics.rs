//! CloudWatch in its three protocols: CBOR through the SDK's client, JSON and query by hand.

use super::support::{Lab, code, epoch, minutes, sdk_time};
use crate::sim::{Simulator, WireRequest, WireResponse};
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, ScanBy, StandardUnit, Statistic,
    StatisticSet,
};
use chrono::TimeDelta;
use serde_json::{Value, json};

fn datum(name: &str, value: f64) -> MetricDatum {
    MetricDatum::builder().metric_name(name).value(value).unit(StandardUnit::Seconds).build()
}

fn of_instance(id: &str) -> Dimension {
    Dimension::builder().name("DBInstanceIdentifier").value(id).build()
}

fn query(
    id: &str,
    namespace: &str,
    name: &str,
    stat: &str,
    more: Option<Dimension>,
) -> MetricDataQuery {
    let metric = Metric::builder().namespace(namespace).metric_name(name);
    let metric = metric.set_dimensions(more.map(|one| vec![one])).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

async fn ask(lab: &Lab, queries: Vec<MetricDataQuery>, back: TimeDelta) -> GetMetricDataOutput {
    let now = lab.clock.now();
    let call = lab.metrics.get_metric_data().set_metric_data_queries(Some(queries));
    let call = call.start_time(sdk_time(now - back)).end_time(sdk_time(now + minutes(1)));
    call.send().await.expect("answered")
}

#[tokio::test(start_paused = true)]
async fn what_was_put_is_read_back_over_cbor() {
    let lab = Lab::new(&[]);
    for value in [2.0, 4.0] {
        let call = lab.metrics.put_metric_data().namespace("shop/dr");
        call.metric_data(datum("RecoveryTime", value)).send().await.expect("taken");
    }
    lab.sleep(60).await;
    let call = lab.metrics.put_metric_data().namespace("shop/dr");
    call.metric_data(datum("RecoveryTime", 9.0)).send().await.expect("taken");
    let stats = ["Average", "Sum", "Minimum", "Maximum", "SampleCount", "p50"];
    let queries = stats
        .iter()
        .enumerate()
        .map(|(index, stat)| query(&format!("m{index}"), "shop/dr", "RecoveryTime", stat, None));
    let answer = ask(&lab, queries.collect(), minutes(10)).await;
    let values: Vec<&[f64]> =
        answer.metric_data_results().iter().map(|result| result.values()).collect();
    let wanted: [&[f64]; 6] =
        [&[9.0, 3.0], &[9.0, 6.0], &[9.0, 2.0], &[9.0, 4.0], &[1.0, 2.0], &[9.0, 2.0]];
    assert_eq!(values, wanted, "newest first");
    let first = &answer.metric_data_results()[0];
    assert_eq!(first.timestamps()[1], sdk_time(epoch()));
    assert_eq!((first.id(), first.label()), (Some("m0"), Some("RecoveryTime")));
    assert_eq!(lab.simulator.mutations().len(), 3, "each call adds, none is idempotent");
}

#[tokio::test(start_paused = true)]
async fn large_bodies_arrive_compressed() {
    let lab = Lab::new(&[]);
    let data: Vec<MetricDatum> = (0..1000)
        .map(|n| datum(&format!("metric-with-a-long-name-{n:04}"), f64::from(n)))
        .collect();
    let call = lab.metrics.put_metric_data().namespace("bulk").set_metric_data(Some(data.clone()));
    call.send().await.expect("a thousand in one call");
    let listed = lab.metrics.list_metrics().namespace("bulk").send().await.expect("listed");
    assert_eq!(listed.metrics().len(), 500);
    let token = listed.next_token().expect("more").to_owned();
    let rest = lab.metrics.list_metrics().namespace("bulk").next_token(token).send().await;
    assert_eq!(rest.expect("listed").metrics().len(), 500);
    let many = [data.as_slice(), &data[..1]].concat();
    let call = lab.metrics.put_metric_data().namespace("bulk").set_metric_data(Some(many));
    assert_eq!(code(call.send().await), "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn refusals_carry_their_query_code_and_store_nothing() {
    let lab = Lab::new(&[]);
    let put = |namespace: &str, datum: MetricDatum| {
        lab.metrics.put_metric_data().namespace(namespace).metric_data(datum).send()
    };
    let refused = put("AWS/RDS", datum("x", 1.0)).await.expect_err("reserved");
    let typed = refused.into_service_error();
    assert!(typed.is_invalid_parameter_value_exception(), "{typed:?}");
    let bare = || MetricDatum::builder().metric_name("x");
    let set = |count, least| {
        let set = StatisticSet::builder().sample_count(count).sum(1.0).minimum(least).maximum(1.0);
        bare().statistic_values(set.build()).build()
    };
    let at = |by| bare().value(1.0).timestamp(sdk_time(epoch() + by)).build();
    for (datum, wanted) in [
        (bare().build(), "MissingParameter"),
        (bare().value(f64::NAN).build(), "InvalidParameterValue"),
        (bare().value(f64::INFINITY).build(), "InvalidParameterValue"),
        (bare().value(1.0).values(1.0).build(), "InvalidParameterCombination"),
        (bare().values(1.0).counts(1.0).counts(2.0).build(), "InvalidParameterValue"),
        (bare().values(1.0).counts(0.0).build(), "InvalidParameterValue"),
        (bare().value(1.0).unit("Furlongs".into()).build(), "InvalidParameterValue"),
        (bare().value(1.0).storage_resolution(30).build(), "InvalidParameterValue"),
        (set(0.0, 0.0), "InvalidParameterValue"),
        (set(1.0, 2.0), "InvalidParameterValue"),
        (at(-TimeDelta::days(15)), "InvalidParameterValue"),
        (at(TimeDelta::hours(3)), "InvalidParameterValue"),
    ] {
        let shown = format!("{datum:?}");
        let call = lab.metrics.put_metric_data().namespace("n").metric_data(self::datum("y", 1.0));
        assert_eq!(code(call.metric_data(datum).send().await), wanted, "{shown}");
    }
    let listed = lab.metrics.list_metrics().namespace("n").send().await.expect("listed");
    assert!(listed.metrics().is_empty(), "a call is taken whole or not at all");
    put("n", set(2.0, 0.5)).await.expect("a statistic set");
    let found = ask(&lab, vec![query("p", "n", "x", "p90", None)], minutes(5)).await;
    assert!(found.metric_data_results()[0].values().is_empty(), "sets have no percentiles");
}

#[tokio::test(start_paused = true)]
async fn rds_publishes_lag_of_replicas_only() {
    let lab = Lab::new(&[]);
    let lag = |id: &str| query("lag", "AWS/RDS", "ReplicaLag", "Maximum", Some(of_instance(id)));
    let values = async |id: &str| {
        let answer = ask(&lab, vec![lag(id)], minutes(10)).await;
        answer.metric_data_results()[0].values().to_vec()
    };
    let found = values("shop-orders-replica").await;
    assert!(found.len() >= 9 && found.iter().all(|lag| (0.0..10.0).contains(lag)), "{found:?}");
    assert!(values("shop-orders").await.is_empty(), "a source lags behind nobody");
    assert!(values("nobody").await.is_empty());
    lab.simulator.set_faults(&["source-gone".to_owned()]).expect("known");
    let found = values("shop-orders-replica").await;
    assert!(!found.is_empty() && found.iter().all(|lag| *lag == -1.0), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn replicas_fall_off_a_cliff_when_it_is_switched_on() {
    let lab = Lab::new(&[]);
    lab.sleep(600).await;
    lab.simulator.save(lab.clock.now()).expect("a world in memory");
    lab.simulator.set_faults(&["replica-lag-cliff=1h".to_owned()]).expect("known");
    lab.sleep(300).await;
    let replica = Some(of_instance("shop-orders-replica"));
    let lag = query("lag", "AWS/RDS", "ReplicaLag", "Maximum", replica);
    let answer = ask(&lab, vec![lag.clone()], minutes(12)).await;
    let values = answer.metric_data_results()[0].values();
    let (fallen, before): (Vec<f64>, Vec<f64>) = values.iter().partition(|lag| **lag >= 3600.0);
    assert!(fallen.len() >= 4 && before.len() >= 5, "{values:?}");
    assert!(values[0] >= 3600.0 && values[values.len() - 1] < 60.0, "newest first: {values:?}");
    lab.simulator.set_faults(&[]).expect("none");
    let answer = ask(&lab, vec![lag], minutes(2)).await;
    assert!(answer.metric_data_results()[0].values()[0] < 60.0, "it ends with the fault");
}

#[tokio::test(start_paused = true)]
async fn rds_publishes_figures_of_instances_that_answer() {
    let lab = Lab::new(&[]);
    lab.sleep(30).await;
    let instance = of_instance("shop-orders");
    let ids = [("c", "CPUUtilization"), ("f", "FreeStorageSpace"), ("d", "DatabaseConnections")];
    let queries =
        ids.map(|(id, name)| query(id, "AWS/RDS", name, "Average", Some(instance.clone())));
    let answer = ask(&lab, queries.to_vec(), minutes(60)).await;
    let [cpu, free, connections] = answer.metric_data_results() else { panic!("{answer:?}") };
    assert!(cpu.values().len() >= 59);
    assert!(cpu.values().iter().all(|percent| (0.0..100.0).contains(percent)));
    let size = 100.0 * 1024.0 * 1024.0 * 1024.0;
    assert!(free.values().iter().all(|bytes| (0.2 * size..size).contains(bytes)));
    assert!(connections.values().iter().all(|count| count.fract() == 0.0 && *count > 0.0));
    let again = ask(&lab, queries.to_vec(), minutes(60)).await;
    assert_eq!(again.metric_data_results(), answer.metric_data_results(), "functions of time");

    lab.restore("copy", minutes(30)).await.expect("accepted");
    let of_copy = query("c", "AWS/RDS", "CPUUtilization", "Average", Some(of_instance("copy")));
    let found = ask(&lab, vec![of_copy.clone()], minutes(60)).await;
    assert!(found.metric_data_results()[0].values().is_empty(), "nothing while creating");
    lab.until("copy", "available").await;
    lab.sleep(120).await;
    let found = ask(&lab, vec![of_copy], minutes(60)).await;
    assert!(!found.metric_data_results()[0].values().is_empty());
}

#[tokio::test(start_paused = true)]
async fn pages_of_points_give_each_once() {
    let lab = Lab::new(&[]);
    let instance = Some(of_instance("shop-orders"));
    let queries = vec![
        query("a", "AWS/RDS", "CPUUtilization", "Average", instance.clone()),
        query("b", "AWS/RDS", "DatabaseConnections", "Average", instance),
    ];
    let now = lab.clock.now();
    let call = || {
        let call = lab.metrics.get_metric_data().set_metric_data_queries(Some(queries.clone()));
        let call = call.start_time(sdk_time(now - minutes(60))).end_time(sdk_time(now));
        call.scan_by(ScanBy::TimestampAscending)
    };
    let whole = call().send().await.expect("answered");
    let mut pages = Vec::new();
    let mut token = None;
    loop {
        let page = call().max_datapoints(25).set_next_token(token).send().await.expect("a page");
        let points: usize = page.metric_data_results().iter().map(|r| r.values().len()).sum();
        assert!(points <= 25);
        for result in page.metric_data_results() {
            let id = result.id().expect("an id").to_owned();
            pages.extend(result.values().iter().map(|value| (id.clone(), *value)));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    let all: Vec<(String, f64)> = whole
        .metric_data_results()
        .iter()
        .flat_map(|r| r.values().iter().map(|value| (r.id().expect("an id").to_owned(), *value)))
        .collect();
    assert_eq!((pages.len(), &pages), (120, &all));
    for token in ["page-9-0", "page-x", "1"] {
        assert_eq!(code(call().next_token(token).send().await), "InvalidNextToken", "{token}");
    }
    let twice = vec![queries[0].clone(), queries[0].clone()];
    let call = lab.metrics.get_metric_data().set_metric_data_queries(Some(twice));
    let call = call.start_time(sdk_time(now - minutes(5))).end_time(sdk_time(now));
    assert_eq!(code(call.send().await), "ValidationError");
}

#[tokio::test(start_paused = true)]
async fn statistics_of_one_metric() {
    let lab = Lab::new(&[]);
    let now = lab.clock.now();
    let call = |period, hours| {
        let call = lab.metrics.get_metric_statistics().namespace("AWS/RDS");
        let call = call.metric_name("CPUUtilization").dimensions(of_instance("shop-orders"));
        let call = call.start_time(sdk_time(now - TimeDelta::hours(hours))).end_time(sdk_time(now));
        call.period(period).statistics(Statistic::Average).statistics(Statistic::Maximum)
    };
    let answer = call(300, 1).extended_statistics("p90").send().await.expect("answered");
    assert_eq!((answer.label(), answer.datapoints().len()), (Some("CPUUtilization"), 12));
    for point in answer.datapoints() {
        let p90 = point.extended_statistics().and_then(|found| found.get("p90")).copied();
        assert!(point.average() <= point.maximum() && p90 <= point.maximum(), "{point:?}");
    }
    assert_eq!(code(call(60, 48).send().await), "InvalidParameterCombination");
    assert_eq!(code(call(61, 1).send().await), "InvalidParameterValue");
    assert_eq!(code(call(60, 0).send().await), "InvalidParameterValue");
}

fn send(world: &Simulator, headers: &[(&str, &str)], path: &str, body: &str) -> WireResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let request = WireRequest {
        method: "POST".to_owned(),
        host: "monitoring.us-east-1.amazonaws.com".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    };
    world.handle(&request, epoch()).response
}

#[test]
fn the_same_in_json_and_query() {
    let world = super::support::simulator(&[]);
    let target = |name: &str| format!("GraniteServiceVersion20100801.{name}");
    let call = |name: &str, input: &Value| {
        let target = target(name);
        let headers = [("x-amz-target", target.as_str())];
        let response = send(&world, &headers, "/", &input.to_string());
        assert_eq!(response.headers["content-type"], "application/x-amz-json-1.0");
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        (response, body)
    };
    let at = epoch().timestamp();
    let put = json!({ "Namespace": "n", "MetricData": [
        { "MetricName": "m", "Values": [1.5, 2.5], "Counts": [1.0, 3.0], "Timestamp": at }] });
    assert_eq!(call("PutMetricData", &put).0.status, 200);
    let read = json!({ "StartTime": at - 60, "EndTime": at + 60, "MetricDataQueries": [
        { "Id": "q", "MetricStat": { "Stat": "Sum", "Period": 60,
            "Metric": { "Namespace": "n", "MetricName": "m" } } }] });
    let (_, answer) = call("GetMetricData", &read);
    let wanted = json!([{ "Id": "q", "Label": "m", "Timestamps": [at as f64], "Values": [9.0],
        "StatusCode": "Complete" }]);
    assert_eq!(answer["MetricDataResults"], wanted);
    let (refused, body) = call("GetMetricData", &json!({ "MetricDataQueries": [] }));
    assert_eq!(refused.status, 400);
    assert_eq!(body["__type"], "com.amazonaws.cloudwatch#ValidationError");
    assert_eq!(refused.headers["x-amzn-query-error"], "ValidationError;Sender");
    let (_, body) = call("PutMetricData", &json!({ "Namespace": "AWS/x" }));
    assert_eq!(body["__type"], "com.amazonaws.cloudwatch#InvalidParameterValueException");

    let form = "Action=GetMetricData&Version=2010-08-01&StartTime=2026-01-15T08%3A59%3A00Z&\
                EndTime=2026-01-15T09%3A01%3A00Z&MetricDataQueries.member.1.Id=q&\
                MetricDataQueries.member.1.MetricStat.Stat=Sum&\
                MetricDataQueries.member.1.MetricStat.Period=60&\
                MetricDataQueries.member.1.MetricStat.Metric.Namespace=n&\
                MetricDataQueries.member.1.MetricStat.Metric.MetricName=m";
    let response = send(&world, &[], "/", form);
    let text = String::from_utf8(response.body).expect("text");
    assert!(text.contains("<Values><member>9</member></Values>"), "{text}");
    assert!(text.contains("<Timestamps><member>2026-01-15T09:00:00Z</member>"), "{text}");
    let form = "Action=PutMetricData&Namespace=n&MetricData.member.1.MetricName=m&\
                MetricData.member.1.Value=1&MetricData.member.1.Dimensions.member.1.Name=a&\
                MetricData.member.1.Dimensions.member.1.Value=b";
    assert_eq!(send(&world, &[], "/", form).status, 200);
    let listed = String::from_utf8(send(&world, &[], "/", "Action=ListMetrics&Namespace=n").body);
    let listed = listed.expect("text");
    assert!(listed.contains("<Name>a</Name><Value>b</Value>"), "{listed}");
    let refused =
        send(&world, &[], "/", "Action=PutMetricData&Namespace=n&MetricData.member.1.MetricName=m");
    let text = String::from_utf8(refused.body).expect("text");
    assert!(text.contains("<Code>MissingParameter</Code>"), "{text}");
}

#[test]
fn bodies_that_cannot_be_read_are_refused_in_their_protocol() {
    let world = super::support::simulator(&[]);
    let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
    let cbor = [("smithy-protocol", "rpc-v2-cbor")];
    let response = send(&world, &cbor, path, "no cbor");
    assert_eq!(
        (response.status, response.headers["smithy-protocol"].as_str()),
        (400, "rpc-v2-cbor")
    );
    assert_eq!(response.headers["x-amzn-query-error"], "MalformedInput;Sender");
    let zipped = [cbor[0], ("content-encoding", "gzip")];
    assert_eq!(send(&world, &zipped, path, "no gzip").status, 400);
    let response = send(&world, &cbor, "/service/x/operation/Nonsense", "");
    assert_eq!(response.headers["x-amzn-query-error"], "InvalidAction;Sender");
    let json = [("x-amz-target", "GraniteServiceVersion20100801.GetMetricData")];
    assert_eq!(send(&world, &json, "/", "[1]").status, 400);
}
