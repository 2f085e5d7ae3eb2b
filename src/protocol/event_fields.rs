//! The fields of events that a client wants to be sent (client-server API, "Filtering": `event_fields`).

use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Fields that one filter may name.
const FIELDS_MAX: usize = 100;

/// Fields in dotted form, taken apart: `content.body`; a dot that belongs to a name is written `\.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFields(Vec<Vec<String>>);

impl EventFields {
    /// Takes the fields apart.
    pub fn parse(fields: &[String]) -> Self {
        Self(fields.iter().take(FIELDS_MAX).map(|field| split(field)).collect())
    }

    /// An event with these fields alone; as it is when it is no object.
    pub fn project(&self, event: &RawValue) -> Box<RawValue> {
        let Ok(Value::Object(event)) = serde_json::from_str(event.get()) else { return event.to_owned() };
        let mut out = Map::new();
        for path in &self.0 {
            copy(&event, &mut out, path);
        }
        serde_json::value::to_raw_value(&out).unwrap_or_default()
    }
}

fn split(field: &str) -> Vec<String> {
    let (mut parts, mut part, mut letters) = (Vec::new(), String::new(), field.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('.' | '\\')) => part.push(escaped),
                other => part.extend(std::iter::once('\\').chain(other)),
            },
            '.' => parts.push(std::mem::take(&mut part)),
            letter => part.push(letter),
        }
    }
    parts.push(part);
    parts
}

fn copy(from: &Map<String, Value>, to: &mut Map<String, Value>, path: &[String]) {
    let [name, rest @ ..] = path else { return };
    let Some(value) = from.get(name) else { return };
    if rest.is_empty() {
        to.insert(name.clone(), value.clone());
        return;
    }
    let Value::Object(inner) = value else { return };
    let mut found = Map::new();
    copy(inner, &mut found, rest);
    if found.is_empty() {
        return;
    }
    // Where it is no object, the whole of it is there already.
    if let Value::Object(known) = to.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())) {
        known.extend(found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::EventFields;

    #[test]
    fn only_the_named_fields_are_left() {
        let event = r#"{"content":{"body":"x","m.y":{"z":1},"other":2},"sender":"@a:b","type":"t"}"#;
        let event = RawValue::from_string(event.to_owned()).unwrap();
        let project = |fields: &[&str]| {
            let fields: Vec<String> = fields.iter().map(|&field| field.to_owned()).collect();
            EventFields::parse(&fields).project(&event).get().to_owned()
        };
        assert_eq!(project(&["type", "content.body"]), r#"{"content":{"body":"x"},"type":"t"}"#);
        assert_eq!(project(&[r"content.m\.y.z", "content.other"]), r#"{"content":{"m.y":{"z":1},"other":2}}"#);
        assert_eq!(project(&["content.nothing", "sender.x", "unknown"]), "{}");
        assert_eq!(project(&[]), "{}");
    }
}
