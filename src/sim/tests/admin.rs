//! The simulator's own paths, and requests that no service can carry out.

use super::support::{epoch, minutes, simulator};
use crate::sim::{Simulator, WireRequest, WireResponse, admin};
use proptest::prelude::*;
use serde_json::{Value, json};

fn request(method: &str, path: &str, body: &[u8]) -> WireRequest {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    WireRequest {
        method: method.to_owned(),
        host: "127.0.0.1:4577".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: std::collections::BTreeMap::new(),
        body: body.to_vec(),
    }
}

fn ask(world: &Simulator, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = request(method, path, body.as_bytes());
    let response = admin::answer(world, 60.0, &request, epoch() + minutes(5));
    assert_eq!(response.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&response.body).expect("JSON");
    assert_eq!(body["schema_version"], 1);
    (response.status, body)
}

fn on(body: &Value) -> Vec<&str> {
    let faults = body["faults"].as_array().expect("a list");
    faults.iter().filter_map(|fault| fault["fault"].as_str()).collect()
}

#[test]
fn faults_are_switched_over_http() {
    let world = simulator(&["slow"]);
    let (status, body) = ask(&world, "GET", "/_drctl/faults", &Value::Null);
    assert_eq!((status, on(&body)), (200, vec!["slow"]));
    let catalogue = body["catalogue"].as_array().expect("a list");
    assert_eq!(catalogue.len(), Simulator::fault_names().len());
    let (_, body) = ask(&world, "PUT", "/_drctl/faults", &json!({ "faults": ["throttled=2"] }));
    assert_eq!(on(&body), ["throttled=2"]);
    let more = json!({ "faults": ["kms-disabled", "throttled=3"] });
    let (_, body) = ask(&world, "POST", "/_drctl/faults", &more);
    assert_eq!(on(&body), ["kms-disabled", "throttled=3"], "the later of one kind counts");
    let (_, body) = ask(&world, "DELETE", "/_drctl/faults/throttled", &Value::Null);
    assert_eq!(on(&body), ["kms-disabled"]);
    let (status, body) = ask(&world, "DELETE", "/_drctl/faults/throttled", &Value::Null);
    assert_eq!(status, 404);
    assert!(body["error"]["help"].as_str().is_some_and(|help| help.contains("kms-disabled")));
    let (_, body) = ask(&world, "DELETE", "/_drctl/faults", &Value::Null);
    assert!(on(&body).is_empty() && world.faults().is_empty());
}

#[test]
fn bad_requests_are_refused_in_json_and_change_nothing() {
    let world = simulator(&["slow"]);
    let put = |body: &Value| ask(&world, "PUT", "/_drctl/faults", body);
    for (body, part) in [
        (Value::Null, "no JSON"),
        (json!([]), "no JSON object"),
        (json!({}), "must be a list"),
        (json!({ "faults": "slow" }), "must be a list"),
        (json!({ "faults": [1] }), "list of texts"),
        (json!({ "faults": [], "fault": [] }), "no field `fault`"),
        (json!({ "faults": ["throtled"] }), "did you mean `throttled`?"),
        (json!({ "faults": ["slow", "slow=x"] }), "a factor"),
    ] {
        let (status, answer) = put(&body);
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(status == 400 && message.contains(part), "{body}: {message}");
    }
    for (method, path, wanted) in [
        ("POST", "/_drctl/world", 405),
        ("DELETE", "/_drctl/mutations", 405),
        ("PATCH", "/_drctl/faults", 405),
        ("GET", "/_drctl/nothing", 404),
        ("GET", "/_drctl/faults/slow", 404),
        ("GET", "/_drctl/mutations?after=x", 400),
        ("GET", "/_drctl/mutations?before=1", 400),
    ] {
        assert_eq!(ask(&world, method, path, &Value::Null).0, wanted, "{method} {path}");
    }
    assert_eq!(world.faults(), [("slow".to_owned(), 0)]);
}

#[test]
fn the_world_its_mutations_and_messages_can_be_read() {
    let world = simulator(&[]);
    let (_, body) = ask(&world, "GET", "/_drctl/world", &Value::Null);
    assert_eq!((&body["estate"], &body["seed"]), (&json!("shop"), &json!(3)));
    assert_eq!((&body["time"], &body["speed"]), (&json!("2026-01-15T09:05:00Z"), &json!(60.0)));
    assert_eq!(body["regions"]["us-east-1"]["instances"], 3);
    let publish = |text: &str| {
        let form = format!(
            "Action=Publish&TopicArn=arn:aws:sns:us-east-1:123456789012:alerts&Message={text}"
        );
        let mut request = request("POST", "/", form.as_bytes());
        request.host = "sns.us-east-1.amazonaws.com".to_owned();
        assert_eq!(world.handle(&request, epoch()).response.status, 200);
    };
    publish("one");
    publish("two");
    let (_, body) = ask(&world, "GET", "/_drctl/mutations?after=1", &Value::Null);
    assert_eq!(body["mutations"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["mutations"][0]["operation"], "Publish");
    let (_, body) = ask(&world, "GET", "/_drctl/published", &Value::Null);
    assert_eq!(body["published"][1]["message"], "two");
    let (status, body) = ask(&world, "GET", "/_drctl/", &Value::Null);
    assert_eq!(status, 200);
    assert!(body["paths"].as_array().is_some_and(|paths| paths.len() >= 8));
}

fn signed(service: &str, method: &str, body: &str) -> WireRequest {
    let mut request = request(method, "/", body.as_bytes());
    let scope =
        format!("AWS4-HMAC-SHA256 Credential=AKID/20260115/eu-west-1/{service}/aws4_request");
    request.headers.insert("authorization".to_owned(), scope);
    request
}

fn text(response: &WireResponse) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[test]
fn what_no_service_can_carry_out_is_refused_in_its_form() {
    let world = simulator(&[]);
    let ask = |request: &WireRequest| world.handle(request, epoch()).response;
    let response = ask(&signed("dynamodb", "POST", ""));
    assert!(response.status == 400 && text(&response).contains("<Code>UnknownEndpoint</Code>"));
    let mut json = signed("dynamodb", "POST", "{}");
    json.headers.insert("content-type".to_owned(), "application/x-amz-json-1.0".to_owned());
    assert!(text(&ask(&json)).contains("\"__type\":\"UnknownEndpoint\""));
    let response = ask(&signed("rds", "DELETE", "Action=DescribeDBInstances"));
    assert!(response.status == 405 && text(&response).contains("MethodNotAllowed"));
    let mut get = signed("sts", "GET", "");
    get.query = "Action=GetCallerIdentity&Version=2011-06-15".to_owned();
    assert!(text(&ask(&get)).contains("<Account>123456789012</Account>"));
    let response = world.too_large(&signed("rds", "POST", ""), epoch());
    assert!(response.status == 413 && text(&response).contains("RequestEntityTooLarge"));
    let response = world.too_large(&signed("kms", "POST", ""), epoch());
    assert_eq!(response.headers["content-type"], "application/x-amz-json-1.1");
}

#[test]
fn the_date_is_the_clients_own_time() {
    let world = simulator(&[]);
    let mut request = signed("sts", "POST", "Action=GetCallerIdentity");
    for (date, wanted) in [
        ("20301224T180000Z", "Tue, 24 Dec 2030 18:00:00 GMT"),
        ("nonsense", "Thu, 15 Jan 2026 09:00:00 GMT"),
    ] {
        request.headers.insert("x-amz-date".to_owned(), date.to_owned());
        assert_eq!(world.handle(&request, epoch()).response.headers["date"], wanted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_to_the_own_paths_gets_json(
        method in "(GET|PUT|POST|DELETE|x)",
        path in "(/faults|/world|/mutations|/published|/faults/[a-z=%]{0,9}|[ -~]{0,12})",
        query in "[ -~]{0,12}",
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            "\\{\"faults\":(\\[\"[a-z=-]{0,12}\"\\]|[0-9]|null)\\}".prop_map(String::into_bytes),
        ],
    ) {
        let world = simulator(&[]);
        let mut request = request(&method, "/", &body);
        request.path = format!("/_drctl{path}");
        request.query = query;
        let response = admin::answer(&world, 1.0, &request, epoch());
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        prop_assert_eq!(response.status == 200, body["error"].is_null());
        prop_assert!([200, 400, 404, 405].contains(&response.status), "{}", response.status);
    }
}
