//! JSON Schema (draft 7) from shapes and types.
//!
//! **Invariant:** what a schema refuses, the readers refuse; where a schema cannot look (names that
//! must exist elsewhere, expressions), it accepts.

use super::{ANY_NAME, FieldShape, Is, Shape};
use crate::base::value::Type;
use serde_json::{Map, Value as Json, json};

/// A duration as people write it: units from large to small, each once, at least one.
const DURATION: &str = r"^\s*(?=\d)(\d+d)?(\d+h)?(\d+m(?!s))?(\d+s)?(\d+ms)?\s*$";
/// Text with an expression inside.
const EXPRESSION: &str = r"\$\{\{";

/// The schema of a mapping.
pub fn schema(shape: &Shape) -> Json {
    let mut schema = record(shape.fields.iter());
    schema["description"] = json!(shape.summary);
    if let Some(cases) = &shape.cases {
        let case = |(word, own): &(&str, &'static [FieldShape])| {
            let mut schema = record(shape.fields.iter().chain(*own));
            schema["properties"][cases.by] = json!({ "const": word });
            json!({
                "if": { "properties": { cases.by: { "const": word } }, "required": [cases.by] },
                "then": schema,
            })
        };
        // Editors complete fields of all cases; which of them belong together, the cases say.
        let all = cases.of.iter().flat_map(|(_, own)| *own);
        let everywhere = record(shape.fields.iter().chain(all));
        schema["properties"] = everywhere["properties"].clone();
        schema["allOf"] = cases.of.iter().map(case).collect();
    }
    schema
}

fn record(fields: impl Iterator<Item = &'static FieldShape> + Clone) -> Json {
    let properties: Map<String, Json> =
        fields.clone().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> = fields.filter(|field| field.required).map(|it| it.name).collect();
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(field: &FieldShape) -> Json {
    let mut schema = value(&field.is);
    let default = field.default.map(|text| match field.is {
        Is::Bool => json!(text == "true"),
        Is::Int(..) => text.parse::<i64>().map_or(Json::Null, |number| json!(number)),
        _ => json!(text),
    });
    schema["description"] = json!(field.summary);
    if let Some(default) = default {
        schema["default"] = default;
    }
    schema
}

fn value(is: &Is) -> Json {
    match is {
        Is::Text | Is::Template => json!({ "type": "string" }),
        Is::Matching(pattern) => json!({ "type": "string", "pattern": pattern }),
        Is::Exactly(text) => json!({ "const": text }),
        Is::Words(words) => json!({ "type": "string", "enum": words() }),
        Is::Bool => json!({ "type": "boolean" }),
        Is::Int(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Is::Duration => duration_schema(),
        Is::SomeTime => json!({ "allOf": [duration_schema(), { "pattern": "[1-9]" }] }),
        Is::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Is::TextOrTexts => json!({
            "type": ["string", "array"], "items": { "type": "string" }, "minItems": 1,
            "uniqueItems": true,
        }),
        Is::List(least, inner) => {
            json!({ "type": "array", "minItems": least, "items": value(inner) })
        }
        Is::Record(shape) => schema(shape),
        Is::Map(names, inner) => {
            let mut schema =
                json!({ "type": ["object", "null"], "additionalProperties": value(inner) });
            if *names != ANY_NAME {
                schema["propertyNames"] = json!({ "pattern": names });
            }
            schema
        }
        Is::TextsOrMap(inner) => json!({
            "anyOf": [value(&Is::Texts), {
                "type": ["object", "null"], "additionalProperties": value(inner),
            }],
        }),
        Is::Condition => json!({
            "type": ["string", "boolean"], "pattern": format!(r"^(?!\s*{EXPRESSION})"),
        }),
        Is::Items => or_expression(json!({
            "type": "array", "uniqueItems": true, "items": { "type": ["string", "integer"] },
        })),
        Is::Inputs => json!({ "type": ["object", "null"] }),
        Is::Anything => json!({}),
        Is::NotYet => json!({ "not": {} }),
    }
}

/// The schema of a duration.
pub fn duration_schema() -> Json {
    json!({ "type": "string", "pattern": DURATION })
}

/// The schema, or text with an expression in it.
pub fn or_expression(schema: Json) -> Json {
    json!({ "anyOf": [schema, { "type": "string", "pattern": EXPRESSION }] })
}

/// The schema of a value of `kind`, or of an expression that may give one.
pub fn type_schema(kind: &Type) -> Json {
    match kind {
        Type::Any => json!({}),
        Type::Bool => or_expression(json!({ "type": "boolean" })),
        Type::Int => or_expression(json!({ "type": "integer" })),
        Type::Float => or_expression(json!({ "type": "number" })),
        Type::String | Type::Secret | Type::Time | Type::LatestOrTime => {
            json!({ "type": "string" })
        }
        Type::Duration => or_expression(duration_schema()),
        Type::OneOf(words) => or_expression(json!({ "type": "string", "enum": words })),
        Type::List(inner) => or_expression(json!({ "type": "array", "items": type_schema(inner) })),
        Type::Map(inner) => {
            or_expression(json!({ "type": "object", "additionalProperties": type_schema(inner) }))
        }
        Type::Record(fields) => {
            let properties: Map<String, Json> =
                fields.iter().map(|(name, kind)| (name.clone(), type_schema(kind))).collect();
            let needed = |kind: &Type| !matches!(kind, Type::Optional(_) | Type::Any);
            let required: Vec<&String> =
                fields.iter().filter(|(_, kind)| needed(kind)).map(|(name, _)| name).collect();
            or_expression(json!({
                "type": "object", "properties": properties, "required": required,
                "additionalProperties": false,
            }))
        }
        Type::Optional(inner) => json!({ "anyOf": [type_schema(inner), { "type": "null" }] }),
    }
}
