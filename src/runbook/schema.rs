//! JSON Schemas of the documents, for editors and their language servers.
//!
//! Draft 7, because that is what `yaml-language-server` understands best; and `if`/`then` by the word
//! in `uses`, because a `oneOf` over all actions answers a misspelt input with the faults of all of
//! them.
//!
//! **Invariant:** made from the readers' shapes and the actions' declarations and from nothing else.

use crate::action::spec::{ActionSpec, Field, Need};
use crate::base::shape::{Shape, duration_schema, schema, type_schema};
use crate::runbook::model::{Actions, ParameterKind};
use crate::runbook::shape::{DRILL, RUNBOOK};
use serde_json::{Map, Value as Json, json};

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schema of a file: a shape with a title.
pub fn file_schema(title: &str, shape: &Shape) -> Json {
    let mut schema = schema(shape);
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!(title);
    schema
}

/// The schema of drills.
pub fn drill_schema() -> Json {
    file_schema("drctl drill", &DRILL)
}

/// The schema of runbooks that may use `actions`.
pub fn runbook_schema(actions: &dyn Actions) -> Json {
    let mut runbook = file_schema("drctl runbook", &RUNBOOK);
    let names = actions.names();
    let specs: Vec<&ActionSpec> = names.iter().filter_map(|name| actions.spec(name)).collect();
    let step = &mut runbook["properties"]["steps"]["items"];
    let uses = &mut step["properties"]["uses"];
    uses["enum"] = json!(names);
    uses["markdownEnumDescriptions"] = specs.iter().map(|spec| json!(spec.summary)).collect();
    step["allOf"] = specs.iter().map(|spec| action(spec)).collect();
    let parameter = &mut runbook["properties"]["parameters"]["additionalProperties"];
    // A parameter with a default is not required.
    let both = json!({ "required": ["default", "required"], "properties": { "required": { "const": true } } });
    let kinds = ParameterKind::NAMES.iter().map(|(_, kind)| default_of(*kind));
    parameter["allOf"] = kinds.chain([json!({ "not": both })]).collect();
    runbook
}

/// What a step that uses the action may give it.
fn action(spec: &ActionSpec) -> Json {
    let input = |field: &Field| {
        let mut schema = type_schema(&field.kind);
        schema["description"] = json!(format!("{} ({})", field.summary, field.kind));
        (field.name.to_owned(), schema)
    };
    let inputs: Map<String, Json> = spec.inputs.iter().map(input).collect();
    let required: Vec<&str> = spec
        .inputs
        .iter()
        .filter(|field| field.need == Need::Required)
        .map(|field| field.name)
        .collect();
    let mut with = json!({
        "type": if required.is_empty() { json!(["object", "null"]) } else { json!("object") },
        "properties": inputs, "additionalProperties": false,
        "description": format!("{}: {} Its outputs: {}.", spec.name, spec.summary, outputs(spec)),
    });
    let mut then = json!({});
    if !required.is_empty() {
        with["required"] = json!(required);
        then["required"] = json!(["with"]);
    }
    then["properties"] = json!({ "with": with });
    json!({
        "if": { "properties": { "uses": { "const": spec.name } }, "required": ["uses"] },
        "then": then,
    })
}

/// What expressions can name after `steps.ID.outputs.`.
fn outputs(spec: &ActionSpec) -> String {
    let names: Vec<&str> = spec.outputs.iter().map(|field| field.name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What default and choices of a parameter of this kind are.
fn default_of(kind: ParameterKind) -> Json {
    let value = match kind {
        ParameterKind::String | ParameterKind::Instant | ParameterKind::InstantOrLatest => {
            json!({ "type": "string" })
        }
        ParameterKind::Int => json!({ "type": "integer" }),
        ParameterKind::Float => json!({ "type": "number" }),
        ParameterKind::Bool => json!({ "type": "boolean" }),
        ParameterKind::Duration => duration_schema(),
        ParameterKind::List => json!({ "type": "array" }),
        ParameterKind::Secret => json!({ "not": {} }),
    };
    let choice =
        if kind == ParameterKind::Secret { json!({ "type": "string" }) } else { value.clone() };
    json!({
        "if": { "properties": { "type": { "const": kind.name() } }, "required": ["type"] },
        "then": { "properties": { "default": value, "choices": { "items": choice } } },
    })
}
