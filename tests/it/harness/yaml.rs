//! YAML as JSON values: what the specification's documents use of it. Tags are not among it.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// A collection that is not finished yet.
enum Collection {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Object(Map<String, Value>, Option<String>),
}

/// A collection that is not finished yet, and the number of its anchor.
struct Open {
    collection: Collection,
    anchor: usize,
}

/// The one document of a text.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse_yaml(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Value> = HashMap::new();
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| error.to_string())?;
        let complete = match event {
            Event::Scalar(text, style, anchor, _) => Some((anchor, scalar(&text, style))),
            Event::Alias(anchor) => Some((0, anchors.get(&anchor).cloned().ok_or("an alias of what contains it")?)),
            Event::SequenceStart(_, anchor, _) => {
                open.push(Open { collection: Collection::List(Vec::new()), anchor });
                None
            }
            Event::MappingStart(_, anchor, _) => {
                open.push(Open { collection: Collection::Object(Map::new(), None), anchor });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|done| match done.collection {
                Collection::List(items) => (done.anchor, Value::Array(items)),
                Collection::Object(fields, _) => (done.anchor, Value::Object(fields)),
            }),
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => None,
            other => return Err(format!("{other:?} at {span:?}")),
        };
        let Some((anchor, value)) = complete else { continue };
        if anchor != 0 {
            anchors.insert(anchor, value.clone());
        }
        match open.last_mut().map(|open| &mut open.collection) {
            None => return Ok(value),
            Some(Collection::List(items)) => items.push(value),
            Some(Collection::Object(fields, key)) => match key.take() {
                Some(key) => drop(fields.insert(key, value)),
                None => *key = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
            },
        }
    }
    Ok(Value::Null)
}

/// A scalar by YAML's core schema: what is quoted is text, and so is a plain one that is nothing else.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return text.into();
    }
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => true.into(),
        "false" => false.into(),
        _ => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<f64>().map(Value::from))
            .unwrap_or_else(|_| text.into()),
    }
}

#[test]
fn yaml_becomes_json() {
    let text =
        "a: [1, '1', {b: null}]\n\"c\": |-\n  two\n  lines\n? 200\n: { d: yes, e: true, f: 1.5 }\ng:\n- &z x y\n- *z\n";
    let expected = serde_json::json!({
        "a": [1, "1", { "b": null }],
        "c": "two\nlines",
        "200": { "d": "yes", "e": true, "f": 1.5 },
        "g": ["x y", "x y"],
    });
    assert_eq!(parse_yaml(text), Ok(expected));
    assert!(parse_yaml("a: [1").is_err());
}
