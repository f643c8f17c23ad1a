//! The part of JSON Schema 2020-12 that the schemas of claims and rules use.

use serde_json::Value;

/// Where a value does not fit a schema, and in what.
pub(crate) fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    misfits_below(schema, schema, value, "")
}

fn misfits_below(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not there"));
        return misfits_below(root, target, value, at);
    }
    let mut errors = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            errors.push(format!("{at}: {what}"));
        }
    };
    if let Some(types) = schema.get("type") {
        let names = types.as_array().cloned().unwrap_or_else(|| vec![types.clone()]);
        check(names.iter().any(|name| has_type(value, name.as_str().unwrap())), "type");
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        check(words.contains(value), "enum");
    }
    if let (Some(least), Some(number)) = (schema.get("minimum").and_then(Value::as_f64), value.as_f64()) {
        check(number >= least, "minimum");
    }
    if let (Some(pattern), Some(text)) = (schema.get("pattern").and_then(Value::as_str), value.as_str()) {
        check(pattern_holds(pattern, text), "pattern");
    }
    if let (Some(least), Some(list)) = (schema.get("minItems").and_then(Value::as_u64), value.as_array()) {
        check(list.len() as u64 >= least, "minItems");
    }
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let fitting = choices.iter().filter(|choice| misfits_below(root, choice, value, at).is_empty()).count();
        check(fitting == 1, &format!("{fitting} of oneOf fit"));
    }
    if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
        errors.extend(
            list.iter().enumerate().flat_map(|(n, item)| misfits_below(root, items, item, &format!("{at}/{n}"))),
        );
    }
    if let Some(object) = value.as_object() {
        errors.extend(misfits_of_object(root, schema, object, at));
    }
    errors
}

fn misfits_of_object(root: &Value, schema: &Value, object: &serde_json::Map<String, Value>, at: &str) -> Vec<String> {
    let mut errors = Vec::new();
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let missing = required.iter().filter(|key| !object.contains_key(key.as_str().unwrap()));
    errors.extend(missing.map(|key| format!("{at}: {key} is missing")));
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return errors };
    for (key, value) in object {
        match properties.get(key) {
            Some(property) => errors.extend(misfits_below(root, property, value, &format!("{at}/{key}"))),
            None => errors.push(format!("{at}: {key} is not known")),
        }
    }
    errors
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("type {other} is not known here"),
    }
}

/// The few patterns of the schema, by hand.
fn pattern_holds(pattern: &str, text: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match pattern {
        "^[a-z0-9._/-]+$" => text.chars().all(|c| lower(c) || c == '.' || c == '_' || c == '/'),
        "\\." => text.contains('.'),
        "^[A-Za-z]{2}$" => text.len() == 2 && text.chars().all(|c| c.is_ascii_alphabetic()),
        "^[0-9]{4}(-[0-9]{2}){0,2}$" => text.chars().all(|c| c.is_ascii_digit() || c == '-'),
        _ => text.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_lowercase()) && part.chars().all(lower)),
    }
}
