//! The simulator's own paths, below `/_drctl/`: faults, the world, what changed, what was published.
//!
//! **Invariant:** nothing here is AWS; an answer is JSON with a `schema_version`, a refusal too, and a
//! refused request changes nothing.

use crate::base::clock::format_instant;
use crate::estate::FAULTS;
use crate::sim::api::{SimError, WireRequest, WireResponse};
use crate::sim::simulator::Simulator;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the simulator's own paths begin.
pub(in crate::sim) const PREFIX: &str = "/_drctl";

/// Version of the answers' form.
const SCHEMA: u32 = 1;

/// Paths, methods and meanings.
const PATHS: [(&str, &str, &str); 8] = [
    ("GET", "/_drctl/faults", "faults that are on, how often each struck, and the catalogue"),
    ("PUT", "/_drctl/faults", "switch on exactly these: {\"faults\": [\"throttled=3\"]}"),
    ("POST", "/_drctl/faults", "switch these on besides: {\"faults\": [\"kms-disabled\"]}"),
    ("DELETE", "/_drctl/faults", "switch all off"),
    ("DELETE", "/_drctl/faults/NAME", "switch one off"),
    ("GET", "/_drctl/world", "time, seed, speed and counts"),
    (
        "GET",
        "/_drctl/mutations",
        "every call that changed the world; ?after=SEQUENCE for newer ones",
    ),
    ("GET", "/_drctl/published", "messages that SNS topics accepted"),
];

/// Why a request is refused.
struct Refusal {
    status: u16,
    message: String,
    help: String,
}

fn refusal(status: u16, message: impl Into<String>, help: impl Into<String>) -> Refusal {
    Refusal { status, message: message.into(), help: help.into() }
}

/// Answers one of the simulator's own paths; `speed` is how fast its time runs.
pub(in crate::sim) fn answer(
    simulator: &Simulator,
    speed: f64,
    request: &WireRequest,
    now: DateTime<Utc>,
) -> WireResponse {
    let (status, mut body) = match route(simulator, speed, request, now) {
        Ok(body) => (200, body),
        Err(Refusal { status, message, help }) => {
            (status, json!({ "error": { "message": message, "help": help } }))
        }
    };
    body["schema_version"] = json!(SCHEMA);
    let headers = BTreeMap::from([
        ("content-type".to_owned(), "application/json".to_owned()),
        ("cache-control".to_owned(), "no-store".to_owned()),
    ]);
    WireResponse { status, headers, body: format!("{body:#}\n").into_bytes() }
}

fn route(
    simulator: &Simulator,
    speed: f64,
    request: &WireRequest,
    now: DateTime<Utc>,
) -> Result<Value, Refusal> {
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default().trim_end_matches('/');
    let method = request.method.as_str();
    match (method, path) {
        ("GET", "") => Ok(json!({ "paths": paths() })),
        ("GET", "/faults") => Ok(faults(simulator)),
        ("PUT", "/faults") => switch(simulator, now, read(&request.body)?),
        ("POST", "/faults") => {
            let on = simulator.faults().into_iter().map(|(text, _)| text);
            let both = on.chain(read(&request.body)?).collect();
            switch(simulator, now, both)
        }
        ("DELETE", "/faults") => switch(simulator, now, Vec::new()),
        ("GET", "/world") => Ok(world(simulator, speed, now)),
        ("GET", "/mutations") => mutations(simulator, &request.query),
        ("GET", "/published") => Ok(json!({ "published": simulator.published() })),
        ("DELETE", one) if one.starts_with("/faults/") => {
            let name = one.trim_start_matches("/faults/");
            let on: Vec<String> = simulator.faults().into_iter().map(|(text, _)| text).collect();
            let is_it = |text: &String| text.split('=').next() == Some(name);
            if !on.iter().any(is_it) {
                let help = if on.is_empty() { "no fault is".into() } else { on.join(", ") };
                return Err(refusal(404, format!("fault `{name}` is not switched on"), help));
            }
            switch(simulator, now, on.into_iter().filter(|text| !is_it(text)).collect())
        }
        (_, "" | "/faults" | "/world" | "/mutations" | "/published") => {
            Err(refusal(405, format!("{method} is not for {PREFIX}{path}"), help()))
        }
        _ => Err(refusal(404, format!("there is no {PREFIX}{path}"), help())),
    }
}

fn paths() -> Value {
    PATHS
        .iter()
        .map(|(method, path, does)| json!({ "method": method, "path": path, "does": does }))
        .collect()
}

/// All paths in one line.
pub(in crate::sim) fn help() -> String {
    PATHS.map(|(method, path, _)| format!("{method} {path}")).join(", ")
}

fn faults(simulator: &Simulator) -> Value {
    let on: Vec<Value> = simulator
        .faults()
        .into_iter()
        .map(|(fault, struck)| json!({ "fault": fault, "struck": struck }))
        .collect();
    let catalogue: Vec<Value> = FAULTS
        .iter()
        .map(
            |entry| json!({ "name": entry.name, "value": entry.value(), "meaning": entry.meaning }),
        )
        .collect();
    json!({ "faults": on, "catalogue": catalogue })
}

/// The list in `{"faults": ["name=value"]}`.
fn read(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let help = "send {\"faults\": [\"throttled=3\", \"kms-disabled\"]}";
    let bad = |what: String| refusal(400, what, help);
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| bad(format!("the body is no JSON: {error}")))?;
    let fields = value.as_object().ok_or_else(|| bad("the body is no JSON object".to_owned()))?;
    if let Some(other) = fields.keys().find(|name| *name != "faults") {
        return Err(bad(format!("there is no field `{other}`")));
    }
    let items =
        value["faults"].as_array().ok_or_else(|| bad("`faults` must be a list".to_owned()))?;
    items
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect::<Option<_>>()
        .ok_or_else(|| bad("`faults` must be a list of texts".to_owned()))
}

fn switch(
    simulator: &Simulator,
    now: DateTime<Utc>,
    wanted: Vec<String>,
) -> Result<Value, Refusal> {
    let failed = |error: SimError| match error {
        SimError::Fault { .. } => refusal(400, error.to_string(), "GET /_drctl/faults lists them"),
        _ => refusal(500, error.to_string(), "look at the state directory"),
    };
    Simulator::check_faults(&wanted).map_err(failed)?;
    // A fault begins when it is switched on, not when the last request came.
    simulator.save(now).map_err(failed)?;
    simulator.set_faults(&wanted).map_err(failed)?;
    Ok(faults(simulator))
}

fn world(simulator: &Simulator, speed: f64, now: DateTime<Utc>) -> Value {
    let mut world = simulator.summary();
    world["time"] = json!(format_instant(now.max(simulator.time())));
    world["speed"] = json!(speed);
    world
}

fn mutations(simulator: &Simulator, query: &str) -> Result<Value, Refusal> {
    let mut after = 0;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let help = "write ?after=SEQUENCE";
        if name != "after" {
            return Err(refusal(400, format!("there is no parameter `{name}`"), help));
        }
        after = value.parse().map_err(|_| refusal(400, format!("`{value}` is no number"), help))?;
    }
    let newer: Vec<_> =
        simulator.mutations().into_iter().filter(|record| record.sequence > after).collect();
    Ok(json!({ "mutations": newer }))
}
