//! The one reader of events' JSON: into a tree that borrows from the text, with sorted keys and with
//! every number that is no safe integer kept as it was written.

use std::borrow::Cow;

use crate::json::{BadJson, SAFE_INTEGER_MAX};
use crate::json_canonical::canonical_number;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// An integer within ±(2^53−1).
    Int(i64),
    /// Any other number: as written, or (after [`Json::settle_numbers`]) in lenient canonical form.
    Number(Cow<'a, str>),
    String(Cow<'a, str>),
    Array(Vec<Json<'a>>),
    Object(Object<'a>),
}

impl<'a> Json<'a> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json<'a>]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }

    pub(crate) fn as_object(&self) -> Option<&Object<'a>> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The value of a non-negative integer below 2^64.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int(number) => u64::try_from(*number).ok(),
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Refuses (`strict`) or rewrites (otherwise) each number that is no safe integer.
    pub(crate) fn settle_numbers(&mut self, strict: bool) -> Result<(), BadJson> {
        match self {
            Self::Number(text) if strict => Err(bad_number(text)),
            Self::Number(text) => {
                *text = canonical_number(text).ok_or_else(|| bad_number(text))?.into();
                Ok(())
            }
            Self::Array(items) => items.iter_mut().try_for_each(|item| item.settle_numbers(strict)),
            Self::Object(object) => object.0.iter_mut().try_for_each(|(_, value)| value.settle_numbers(strict)),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::String(_) => Ok(()),
        }
    }
}

fn bad_number(text: &str) -> BadJson {
    BadJson::Number { number: text.chars().take(40).collect() }
}

/// A JSON object: its keys sorted by code point, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// Sorts; of equal keys the last one stays.
    fn from_entries(mut entries: Vec<(Cow<'a, str>, Json<'a>)>) -> Self {
        // Most events come in canonical form already.
        if !entries.is_sorted_by(|left, right| left.0 < right.0) {
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            entries.reverse();
            entries.dedup_by(|later, kept| later.0 == kept.0);
            entries.reverse();
        }
        Self(entries)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|entry| entry.0.as_ref().cmp(key))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Json<'a>> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Json<'a>> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    pub(crate) fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: Json<'a>) {
        let key = key.into();
        match self.find(&key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }
}

/// Reads a whole text as one value nested at most `depth_max` deep.
pub(crate) fn parse(text: &str, depth_max: usize) -> Result<Json<'_>, BadJson> {
    let mut parser = Parser { text, at: 0, depth: 0, depth_max };
    parser.skip_space();
    let value = parser.value()?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.syntax("more after the value"));
    }
    Ok(value)
}

/// As [`parse`], for texts that must be an object.
pub(crate) fn parse_object(text: &str, depth_max: usize) -> Result<Object<'_>, BadJson> {
    match parse(text, depth_max)? {
        Json::Object(object) => Ok(object),
        _ => Err(BadJson::Shape("not an object".to_owned())),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    depth_max: usize,
}

impl<'a> Parser<'a> {
    fn syntax(&self, what: &str) -> BadJson {
        BadJson::Syntax(format!("{what} at byte {}", self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), BadJson> {
        if self.peek() != Some(byte) {
            return Err(self.syntax(what));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Json<'a>, BadJson> {
        match self.peek() {
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.syntax("a value was expected")),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, BadJson> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax("unknown word"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Json<'a>, BadJson>) -> Result<Json<'a>, BadJson> {
        self.depth += 1;
        if self.depth > self.depth_max {
            return Err(BadJson::TooDeep { depth_max: self.depth_max });
        }
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// After an entry: true when another one follows, false when the container is closed.
    fn goes_on(&mut self, close: u8) -> Result<bool, BadJson> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.syntax("a comma or an end was expected")),
        }
    }

    fn array(&mut self) -> Result<Json<'a>, BadJson> {
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value()?);
            if !self.goes_on(b']')? {
                return Ok(Json::Array(items));
            }
        }
    }

    fn object(&mut self) -> Result<Json<'a>, BadJson> {
        let mut entries = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Object::default()));
        }
        loop {
            let key = self.string()?;
            self.skip_space();
            self.expect(b':', "a colon was expected")?;
            self.skip_space();
            entries.push((key, self.value()?));
            if !self.goes_on(b'}')? {
                return Ok(Json::Object(Object::from_entries(entries)));
            }
        }
    }

    fn digits(&mut self) -> Result<(), BadJson> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax("a digit was expected")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Json<'a>, BadJson> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let integer_end = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        let safe = -SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX;
        Ok(match text.parse() {
            Ok(number) if self.at == integer_end && safe.contains(&number) && text != "-0" => Json::Int(number),
            _ => Json::Number(text.into()),
        })
    }

    /// Moves to the next quote, backslash or control character of a string.
    fn skip_plain(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at += plain.unwrap_or(rest.len());
    }

    fn string(&mut self) -> Result<Cow<'a, str>, BadJson> {
        self.expect(b'"', "a string was expected")?;
        let start = self.at;
        self.skip_plain();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
        }
        let mut text = self.text[start..self.at].to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(text));
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                Some(_) => return Err(self.syntax("control character in a string")),
                None => return Err(self.syntax("string without end")),
            }
            let start = self.at;
            self.skip_plain();
            text.push_str(&self.text[start..self.at]);
        }
    }

    fn escape(&mut self) -> Result<char, BadJson> {
        let letter = self.peek();
        self.at += 1;
        Ok(match letter {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.syntax("unknown escape")),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, BadJson> {
        let first = self.hex4()?;
        let code = match first {
            0xd800..=0xdbff => {
                self.expect(b'\\', "half of a surrogate pair")?;
                self.expect(b'u', "half of a surrogate pair")?;
                let second = self.hex4()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.syntax("half of a surrogate pair"));
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        char::from_u32(code).ok_or_else(|| self.syntax("half of a surrogate pair"))
    }

    fn hex4(&mut self) -> Result<u32, BadJson> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.syntax("bad escape"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
#[path = "json_parse_tests.rs"]
pub(crate) mod tests;
