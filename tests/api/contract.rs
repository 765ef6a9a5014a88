//! Every answer that a test gets is held against the API's document: its status is declared, its media type, its headers,
//! and its body is as the schema says, with nothing in it that the schema does not name.

use std::{collections::BTreeSet, sync::LazyLock};

use palabre::http::{BasePath, openapi};
use reqwest::Method;
use serde_json::{Map, Value};

use crate::harness::Answer;

/// The API's document.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(openapi::document(&BasePath::default())).unwrap());

/// Holds an answer against the document, if its path and method are in it.
#[track_caller]
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let Some(operation) = operation(method, path) else {
        return;
    };
    let status = answer.status.as_str();
    let what = format!("{method} {path}: {status}");
    let response = &operation["responses"][status];
    assert!(response.is_object(), "{what} is not in the document");
    let response = resolve(response);
    for (name, header) in object(response, "headers") {
        let Some(value) = answer.headers.get(name) else {
            continue;
        };
        let value = value.to_str().unwrap();
        let schema = &resolve(header)["schema"];
        let value = match schema["type"].as_str() {
            Some("integer") => value.parse::<i64>().unwrap().into(),
            _ => Value::from(value),
        };
        conforms(schema, &value).unwrap_or_else(|wrong| panic!("{what}, {name}: {wrong}"));
    }
    assert!(answer.headers.contains_key("x-request-id"), "{what}");
    let content = object(response, "content");
    let Some(media_type) = answer.headers.get("content-type") else {
        assert!(content.is_empty(), "{what} has no body");
        return;
    };
    let media_type = media_type.to_str().unwrap();
    let media_type = media_type.split(';').next().unwrap();
    let declared = content
        .get(media_type)
        .unwrap_or_else(|| panic!("{what} is {media_type}, which is not in the document"));
    conforms(&declared["schema"], &answer.body)
        .unwrap_or_else(|wrong| panic!("{what}: {wrong} in {:#}", answer.body));
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let matches = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == parts.len()
            && template
                .iter()
                .zip(&parts)
                .all(|(known, part)| known == part || known.starts_with('{') && !part.is_empty())
    };
    let found = object(&DOCUMENT, "paths")
        .iter()
        .filter(|(template, _)| matches(template))
        // `/v1/queue/counts` before `/v1/queue/{id}`.
        .min_by_key(|(template, _)| template.matches('{').count())?;
    found.1.get(method.as_str().to_ascii_lowercase())
}

/// The fields of a field that is an object; none if it is not there.
pub fn object<'a>(value: &'a Value, field: &str) -> &'a Map<String, Value> {
    static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    value[field].as_object().unwrap_or(&NONE)
}

/// What a reference leads to, or the value itself.
pub fn resolve(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').unwrap();
            let found = DOCUMENT.pointer(pointer);
            resolve(found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
        None => value,
    }
}

/// Whether a value is as a schema says.
pub fn conforms(schema: &Value, value: &Value) -> Result<(), String> {
    check_value(schema, value, "$")?;
    check_names(schema, value, "$")
}

/// The keywords of JSON Schema that the document uses.
fn check_value(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{at} {what}"));
    for (keyword, rule) in schema.as_object().unwrap() {
        let number = |of: &Value| of.as_f64();
        let length = |of: &Value| of.as_str().map(|text| text.chars().count() as u64);
        let count = |of: &Value| of.as_array().map(|list| list.len() as u64);
        match keyword.as_str() {
            "$ref" => check_value(resolve(schema), value, at)?,
            "allOf" => {
                for part in rule.as_array().unwrap() {
                    check_value(part, value, at)?;
                }
            }
            "oneOf" | "anyOf" => {
                let outcomes: Vec<_> = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|part| check_value(part, value, at))
                    .collect();
                let fitting = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
                if fitting == 0 || keyword == "oneOf" && fitting > 1 {
                    return wrong(&format!("fits {fitting} of {keyword}: {outcomes:?}"));
                }
            }
            "type" => {
                let types = rule.as_array().cloned().unwrap_or(vec![rule.clone()]);
                if !types.iter().any(|name| is_a(name, value)) {
                    return wrong(&format!("is not of type {rule}"));
                }
            }
            "enum" if !rule.as_array().unwrap().contains(value) => {
                return wrong("is not in the enum");
            }
            "required" if value.is_object() => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        return wrong(&format!("has no {name}"));
                    }
                }
            }
            "properties" => {
                for (name, part) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        check_value(part, value, &format!("{at}.{name}"))?;
                    }
                }
            }
            "additionalProperties" if value.is_object() => {
                let known = object(schema, "properties");
                for (name, value) in value.as_object().unwrap() {
                    match rule {
                        _ if known.contains_key(name) => {}
                        Value::Bool(true) => {}
                        Value::Bool(false) => return wrong(&format!("has {name}")),
                        part => check_value(part, value, &format!("{at}.{name}"))?,
                    }
                }
            }
            "propertyNames" if value.is_object() => {
                for name in value.as_object().unwrap().keys() {
                    check_value(rule, &Value::from(name.as_str()), at)?;
                }
            }
            "items" if value.is_array() => {
                for (index, item) in value.as_array().unwrap().iter().enumerate() {
                    check_value(rule, item, &format!("{at}[{index}]"))?;
                }
            }
            "minimum" if number(value) < number(rule) && value.is_number() => {
                return wrong("is too small");
            }
            "maximum" if number(value) > number(rule) => return wrong("is too large"),
            "minLength" if length(value).is_some_and(|n| n < rule.as_u64().unwrap()) => {
                return wrong("is too short");
            }
            "maxLength" if length(value) > rule.as_u64() => return wrong("is too long"),
            "maxItems" if count(value) > rule.as_u64() => return wrong("has too many items"),
            "format" if value.is_string() => check_format(rule, value.as_str().unwrap(), at)?,
            // Patterns are for what is sent; the types of `domain` hold to them.
            "enum"
            | "required"
            | "additionalProperties"
            | "propertyNames"
            | "items"
            | "minimum"
            | "maximum"
            | "minLength"
            | "maxLength"
            | "maxItems"
            | "format"
            | "pattern"
            | "description"
            | "default"
            | "examples" => {}
            unknown => panic!("{unknown} is a keyword that this checker does not know"),
        }
    }
    Ok(())
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("{unknown} is no type"),
    }
}

fn check_format(format: &Value, text: &str, at: &str) -> Result<(), String> {
    let fits = match format.as_str().unwrap() {
        "uuid" => text.parse::<uuid::Uuid>().is_ok() && text.len() == 36,
        "date-time" => {
            text.replace(|c: char| c.is_ascii_digit(), "0") == "0000-00-00T00:00:00.000Z"
        }
        "date" => text.replace(|c: char| c.is_ascii_digit(), "0") == "0000-00-00",
        "password" => true,
        "uri" => text.split_once(':').is_some(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        unknown => panic!("{unknown} is a format that this checker does not know"),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{at} is not a {format}"))
    }
}

/// Whether a value has only fields that its schema names.
fn check_names(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    match value {
        Value::Array(items) => {
            let parts = parts(schema, "items");
            for (index, item) in items.iter().enumerate() {
                for part in &parts {
                    check_names(part, item, &format!("{at}[{index}]"))?;
                }
            }
        }
        Value::Object(fields) => {
            let mut known = BTreeSet::new();
            for part in alternatives(schema) {
                for (name, part) in object(part, "properties") {
                    known.insert(name.as_str());
                    if let Some(value) = fields.get(name) {
                        check_names(part, value, &format!("{at}.{name}"))?;
                    }
                }
            }
            if !known.is_empty()
                && let Some(unknown) = fields.keys().find(|name| !known.contains(name.as_str()))
            {
                return Err(format!("{at} has {unknown}, which is not in the document"));
            }
        }
        _ => {}
    }
    Ok(())
}

/// The values of a keyword in a schema and in all that it is made of.
fn parts<'a>(schema: &'a Value, keyword: &str) -> Vec<&'a Value> {
    let all = alternatives(schema).into_iter();
    all.filter_map(|part| part.get(keyword)).collect()
}

/// A schema and all that it is made of.
fn alternatives(schema: &Value) -> Vec<&Value> {
    let schema = resolve(schema);
    let mut all = vec![schema];
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for part in schema[keyword].as_array().into_iter().flatten() {
            all.extend(alternatives(part));
        }
    }
    all
}
