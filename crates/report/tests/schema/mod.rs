//! A JSON Schema checker of the size that the published schemas need. A word it does not know is
//! ignored, a type it does not know is a panic.

use serde_json::Value;

/// What in `value` does not follow `schema`; understands the words the schema uses.
pub(crate) fn faults(schema: &Value, value: &Value, root: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return faults(root.pointer(reference.trim_start_matches('#')).unwrap(), value, root);
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let fitting = options.iter().filter(|option| faults(option, value, root).is_empty()).count();
        return if fitting == 1 { Vec::new() } else { vec![format!("{fitting} of the alternatives fit {value}")] };
    }
    let mut found = Vec::new();
    if let Some(options) = schema["anyOf"].as_array()
        && !options.iter().any(|option| faults(option, value, root).is_empty())
    {
        found.push(format!("none of the alternatives fits {value}"));
    }
    found.extend(wrong_value(schema, value));
    if !schema["type"].is_null() && !has_type(&schema["type"], value) {
        found.push(format!("{value} is not of type {}", schema["type"]));
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        found.push(format!("{value} is not {}", schema["const"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        found.push(format!("{value} is none of {}", schema["enum"]));
    }
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten();
        found.extend(
            required.filter(|key| !object.contains_key(key.as_str().unwrap())).map(|key| format!("{key} is missing")),
        );
        for (key, member) in object {
            match schema["properties"].get(key) {
                Some(schema) => found.extend(faults(schema, member, root)),
                None if schema["additionalProperties"].is_object() => {
                    found.extend(faults(&schema["additionalProperties"], member, root));
                }
                // `anyOf` beside it describes the members.
                None if schema["additionalProperties"] == true || schema["properties"].is_null() => {}
                None => found.push(format!("{key} is not described")),
            }
        }
    }
    let length = value.as_array().map(Vec::len).or(value.as_str().map(str::len)).unwrap_or(0) as u64;
    let short = ["minItems", "minLength"].iter().any(|word| schema[word].as_u64().is_some_and(|least| length < least));
    let long = ["maxItems", "maxLength"].iter().any(|word| schema[word].as_u64().is_some_and(|most| length > most));
    if short || long {
        found.push(format!("{value} has the wrong length"));
    }
    let items = value.as_array().into_iter().flatten();
    found.extend(
        items.flat_map(
            |item| {
                if schema["items"].is_null() { Vec::new() } else { faults(&schema["items"], item, root) }
            },
        ),
    );
    found
}

/// Numbers out of range, items that stand twice, texts that are no URI.
fn wrong_value(schema: &Value, value: &Value) -> Option<String> {
    let number = value.as_i64();
    let low = schema["minimum"].as_i64().is_some_and(|least| number.is_some_and(|number| number < least));
    let high = schema["maximum"].as_i64().is_some_and(|most| number.is_some_and(|number| number > most));
    let items = value.as_array().filter(|_| schema["uniqueItems"] == true);
    let texts: Option<Vec<String>> = items.map(|items| items.iter().map(Value::to_string).collect());
    let twice = texts.is_some_and(|texts| texts.iter().collect::<std::collections::BTreeSet<_>>().len() < texts.len());
    let is_uri = |text: &str| text.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b));
    let uri = schema["format"].as_str().is_some_and(|format| format.starts_with("uri"));
    let no_uri = uri && !value.as_str().is_some_and(is_uri);
    (low || high || twice || no_uri).then(|| format!("{value} is not what {schema} describes"))
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("the schema uses a type this test does not know: {other}"),
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}
