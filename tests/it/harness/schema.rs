//! JSON Schema, as far as the specification uses it. A keyword that is not known here is a panic, so that nothing of a
//! schema is passed over in silence.
//!
//! Not a crate: those that there are bring features of `serde_json` with them, and what is tested would then read
//! numbers otherwise than what is served.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that describe and demand nothing. Formats are the specification's own; their patterns stand beside them.
const DESCRIPTIONS: [&str; 6] = ["title", "description", "format", "default", "deprecated", "$comment"];

/// A compiled schema.
#[derive(Default)]
pub struct Schema {
    /// The types that it may have.
    types: Vec<String>,
    required: Vec<String>,
    properties: BTreeMap<String, Schema>,
    pattern_properties: Vec<(Regex, Schema)>,
    /// What properties that are not named must be; `Err` when there may be none.
    additional: Option<Result<Box<Schema>, ()>>,
    items: Option<Box<Schema>>,
    all_of: Vec<Schema>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    values: Option<Vec<Value>>,
    pattern: Option<Regex>,
    properties_min: Option<u64>,
    properties_max: Option<u64>,
}

impl Schema {
    /// Compiles a schema whose references are resolved.
    pub fn compile(schema: &Value) -> Self {
        let mut compiled = Self::default();
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            compiled.add(keyword, value);
        }
        compiled
    }

    fn add(&mut self, keyword: &str, value: &Value) {
        match keyword {
            "type" => self.types = texts(value),
            "required" => self.required = texts(value),
            "properties" => self.properties = named(value).collect(),
            "patternProperties" => {
                self.pattern_properties = named(value).map(|(key, schema)| (pattern(&key), schema)).collect();
            }
            "additionalProperties" if value == false => self.additional = Some(Err(())),
            "additionalProperties" => self.additional = Some(Ok(Box::new(Self::compile(value)))),
            "items" => self.items = Some(Box::new(Self::compile(value))),
            "allOf" => self.all_of = list(value),
            "anyOf" => self.any_of = list(value),
            "oneOf" => self.one_of = list(value),
            "enum" => self.values = value.as_array().cloned(),
            "pattern" => self.pattern = value.as_str().map(pattern),
            "minProperties" => self.properties_min = value.as_u64(),
            "maxProperties" => self.properties_max = value.as_u64(),
            keyword => assert!(
                DESCRIPTIONS.contains(&keyword) || keyword.starts_with("x-"),
                "the keyword `{keyword}` of JSON Schema is not known"
            ),
        }
    }

    /// What is wrong with a value, each with the place where it is.
    pub fn complain(&self, value: &Value) -> Vec<String> {
        let mut complaints = Vec::new();
        self.check(value, "", &mut complaints);
        complaints
    }

    fn check(&self, value: &Value, at: &str, complaints: &mut Vec<String>) {
        if !self.types.is_empty() && !self.types.iter().any(|name| is_of_type(value, name)) {
            complaints.push(format!("{at} is no {}", self.types.join(" or ")));
            return;
        }
        if self.values.as_ref().is_some_and(|values| !values.contains(value)) {
            complaints.push(format!("{at} is none of {:?}", self.values.as_ref().expect("values")));
        }
        if let (Some(pattern), Some(text)) = (&self.pattern, value.as_str())
            && !pattern.is_match(text)
        {
            complaints.push(format!("{at} does not fit {pattern}"));
        }
        self.all_of.iter().for_each(|schema| schema.check(value, at, complaints));
        let fitting = |schemas: &[Self]| schemas.iter().filter(|schema| schema.complain(value).is_empty()).count();
        if !self.any_of.is_empty() && fitting(&self.any_of) == 0 {
            complaints.push(format!("{at} fits nothing of anyOf"));
        }
        if !self.one_of.is_empty() && fitting(&self.one_of) != 1 {
            complaints.push(format!("{at} fits {} of oneOf", fitting(&self.one_of)));
        }
        match value {
            Value::Object(fields) => self.check_fields(fields, at, complaints),
            Value::Array(items) => {
                let schemas = self.items.iter().cycle();
                items.iter().zip(schemas).enumerate().for_each(|(n, (item, schema))| {
                    schema.check(item, &format!("{at}/{n}"), complaints);
                });
            }
            _ => {}
        }
    }

    fn check_fields(&self, fields: &Map<String, Value>, at: &str, complaints: &mut Vec<String>) {
        let missing = self.required.iter().filter(|name| !fields.contains_key(*name));
        complaints.extend(missing.map(|name| format!("{at}/{name} is missing")));
        let count = fields.len() as u64;
        if self.properties_min.is_some_and(|min| count < min) || self.properties_max.is_some_and(|max| count > max) {
            complaints.push(format!("{at} has {count} properties"));
        }
        for (name, value) in fields {
            let at = format!("{at}/{name}");
            let mut is_named = false;
            if let Some(schema) = self.properties.get(name) {
                is_named = true;
                schema.check(value, &at, complaints);
            }
            for (_, schema) in self.pattern_properties.iter().filter(|(pattern, _)| pattern.is_match(name)) {
                is_named = true;
                schema.check(value, &at, complaints);
            }
            match &self.additional {
                Some(Err(())) if !is_named => complaints.push(format!("{at} may not be there")),
                Some(Ok(schema)) if !is_named => schema.check(value, &at, complaints),
                _ => {}
            }
        }
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        name => panic!("the type `{name}` of JSON Schema is not known"),
    }
}

/// A text or a list of texts.
fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn list(value: &Value) -> Vec<Schema> {
    value.as_array().into_iter().flatten().map(Schema::compile).collect()
}

fn named(value: &Value) -> impl Iterator<Item = (String, Schema)> + '_ {
    value.as_object().into_iter().flatten().map(|(name, schema)| (name.clone(), Schema::compile(schema)))
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Schema;

    #[track_caller]
    fn check(schema: &Value, good: &[Value], bad: &[Value]) {
        let compiled = Schema::compile(schema);
        for value in good {
            assert_eq!(compiled.complain(value), Vec::<String>::new(), "{schema} {value}");
        }
        for value in bad {
            assert!(!compiled.complain(value).is_empty(), "{schema} {value}");
        }
    }

    #[test]
    fn each_keyword_refuses_something() {
        check(&json!({ "type": "integer" }), &[json!(1)], &[json!(1.5), json!("1"), json!(null)]);
        check(&json!({ "type": ["string", "null"] }), &[json!("a"), json!(null)], &[json!(1)]);
        check(&json!({ "enum": ["a", 1] }), &[json!("a"), json!(1)], &[json!("b")]);
        check(&json!({ "pattern": "^!" }), &[json!("!a"), json!(1)], &[json!("a!")]);
        check(&json!({ "required": ["a"] }), &[json!({ "a": 1 }), json!([])], &[json!({ "b": 1 })]);
        let text = json!({ "type": "string" });
        check(&json!({ "properties": { "a": text } }), &[json!({ "a": "", "b": 1 })], &[json!({ "a": 1 })]);
        check(&json!({ "items": text }), &[json!(["a"]), json!([])], &[json!(["a", 1])]);
        let map = json!({ "patternProperties": { "^a": text }, "additionalProperties": { "type": "integer" } });
        check(&map, &[json!({ "ab": "", "b": 1 })], &[json!({ "ab": 1 }), json!({ "b": "" })]);
        check(
            &json!({ "properties": { "a": {} }, "additionalProperties": false }),
            &[json!({ "a": 1 })],
            &[json!({ "b": 1 })],
        );
        check(
            &json!({ "minProperties": 1, "maxProperties": 1 }),
            &[json!({ "a": 1 })],
            &[json!({}), json!({ "a": 1, "b": 1 })],
        );
        check(&json!({ "allOf": [text, { "pattern": "a" }] }), &[json!("a")], &[json!(1), json!("b")]);
        check(&json!({ "anyOf": [text, { "pattern": "a" }] }), &[json!("a"), json!(1)], &[]);
        check(&json!({ "anyOf": [text, { "type": "null" }] }), &[json!("a")], &[json!(1)]);
        check(&json!({ "oneOf": [text, { "pattern": "a" }] }), &[json!("b")], &[json!("a")]);
    }

    #[test]
    fn places_are_told() {
        let schema = json!({ "properties": { "a": { "items": { "required": ["b"] } } } });
        assert_eq!(Schema::compile(&schema).complain(&json!({ "a": [{ "b": 1 }, {}] })), ["/a/1/b is missing"]);
    }

    #[test]
    #[should_panic(expected = "`minLength` of JSON Schema is not known")]
    fn an_unknown_keyword_is_not_passed_over() {
        Schema::compile(&json!({ "description": "", "x-y": 1, "minLength": 1 }));
    }
}
