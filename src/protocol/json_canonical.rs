//! Writing JSON in its canonical form: no space, keys in the order of the tree (sorted), few escapes.

use std::fmt::Write;

use crate::json_parse::{Json, Object};

/// Writes a value whose numbers are settled.
pub(crate) fn write_value(out: &mut String, value: &Json<'_>) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Int(number) => write_integer(out, *number),
        Json::Number(text) => out.push_str(text),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Json::Object(object) => write_object(out, object, |_| true),
    }
}

/// Writes an integer.
pub(crate) fn write_integer(out: &mut String, number: impl std::fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(out, "{number}");
}

/// Writes an object with only the keys that `keep` keeps.
pub(crate) fn write_object(out: &mut String, object: &Object<'_>, keep: impl Fn(&str) -> bool) {
    let mut writer = ObjectWriter::start(out);
    for (key, value) in object.iter().filter(|(key, _)| keep(key)) {
        write_value(writer.key(key), value);
    }
    writer.end();
}

/// Writes an object entry by entry; the caller keeps the keys sorted.
pub(crate) struct ObjectWriter<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> ObjectWriter<'o> {
    pub(crate) fn start(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    /// Writes a key; its value is to be written next, to what this returns.
    pub(crate) fn key(&mut self, key: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        write_string(self.out, key);
        self.out.push(':');
        self.out
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }
}

/// Writes a string with the escapes that canonical JSON asks for, and no others.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            b'\t' => "\\t",
            b'\n' => "\\n",
            0x0c => "\\f",
            b'\r' => "\\r",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        written = at + 1;
        if escape.is_empty() {
            // Writing to a String does not fail.
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}

/// The form of a number in room versions 1 to 5, as Python reads and writes it; `None` for a float that is
/// larger than any.
pub(crate) fn canonical_number(text: &str) -> Option<String> {
    if !text.contains(['.', 'e', 'E']) {
        return Some(if text == "-0" { "0".to_owned() } else { text.to_owned() });
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| python_float(number))
}

/// The shortest digits that read back as the same float, set as Python sets them: an exponent below 1e-4 and
/// from 1e16 on, and always a point or an exponent.
fn python_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{number}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
#[path = "json_canonical_tests.rs"]
mod tests;
