//! Checks one source against the declared sections: unknown keys, wrong types, values out of range.

use std::fmt;

use hearth_homeserver::settings::{Kind, SettingDoc};
use toml::{Table, Value};

use super::SectionDoc;
use super::nearest::nearest;

/// One thing that is wrong, with the path of the key and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `section.key`, or the section alone.
    pub path: String,
    /// What is wrong, and what is expected.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Everything that is wrong with `table`.
pub(super) fn check_table(sections: &[SectionDoc], table: &Table) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, value) in table {
        match (sections.iter().find(|section| section.name == name), value) {
            (Some(section), Value::Table(settings)) => check_section(sections, section, settings, &mut problems),
            (Some(_), other) => {
                let what = format!("is a section, so it needs a table [{name}], not {}", describe(other));
                problems.push(Problem { path: name.clone(), what });
            }
            (None, _) => problems.push(unknown_section(sections, name)),
        }
    }
    problems
}

fn check_section(sections: &[SectionDoc], section: &SectionDoc, table: &Table, problems: &mut Vec<Problem>) {
    for (key, value) in table {
        let Some(setting) = section.settings.iter().find(|setting| setting.key == key) else {
            problems.push(unknown_key(sections, section.name, key));
            continue;
        };
        if let Err(expected) = check_value(&setting.kind, value) {
            let what = format!("expected {expected}, found {}", describe(value));
            problems.push(Problem { path: format!("{}.{key}", section.name), what });
        }
    }
}

fn unknown_section(sections: &[SectionDoc], name: &str) -> Problem {
    let what = match nearest(name, sections.iter().map(|section| section.name)) {
        Some(known) => format!("there is no such section; did you mean [{known}]?"),
        None => match sections.iter().find(|section| has_key(section, name)) {
            Some(section) => format!("there is no such section; did you mean {name} in [{}]?", section.name),
            None => "there is no such section".to_owned(),
        },
    };
    Problem { path: name.to_owned(), what }
}

/// The problem of a key that its section does not have: with the nearest name there, or the section that has it.
pub(super) fn unknown_key(sections: &[SectionDoc], section_name: &str, key: &str) -> Problem {
    let here = sections.iter().find(|section| section.name == section_name);
    let near = here.and_then(|section| nearest(key, section.settings.iter().map(|setting| setting.key)));
    let elsewhere = sections.iter().find(|section| has_key(section, key));
    let what = match (near, elsewhere) {
        (_, Some(section)) => format!("there is no such setting; did you mean {}.{key}?", section.name),
        (Some(known), None) => format!("there is no such setting; did you mean {section_name}.{known}?"),
        (None, None) => "there is no such setting".to_owned(),
    };
    Problem { path: format!("{section_name}.{key}"), what }
}

fn has_key(section: &SectionDoc, key: &str) -> bool {
    section.settings.iter().any(|setting: &SettingDoc| setting.key == key)
}

/// Whether `value` is of the kind; the error says what is expected.
fn check_value(kind: &Kind, value: &Value) -> Result<(), String> {
    let fits = match (kind, value) {
        (Kind::Bool, Value::Boolean(_)) | (Kind::Text | Kind::Path, Value::String(_)) => true,
        (Kind::Float, Value::Float(_) | Value::Integer(_)) => true,
        (Kind::Integer(least, most), Value::Integer(number)) => (least..=most).contains(&number),
        (Kind::List(inner), Value::Array(items)) => items.iter().all(|item| check_value(inner, item).is_ok()),
        (Kind::Optional(inner), value) => return check_value(inner, value),
        (Kind::Choice(choices), Value::String(word)) => choices.iter().any(|choice| choice.word == word),
        _ => false,
    };
    if fits { Ok(()) } else { Err(expectation(kind)) }
}

/// The kind in words.
pub(super) fn expectation(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Integer(least, most) if *least == 0 && *most == i64::MAX => "a whole number of at least 0".to_owned(),
        Kind::Integer(least, most) => format!("a whole number from {least} to {most}"),
        Kind::Float => "a number".to_owned(),
        Kind::Text => "text in quotes".to_owned(),
        Kind::Path => "a path in quotes".to_owned(),
        Kind::List(inner) => format!("a list, each item {}", expectation(inner)),
        Kind::Optional(inner) => expectation(inner),
        Kind::Choice(choices) => {
            let words: Vec<String> = choices.iter().map(|choice| format!("\"{}\"", choice.word)).collect();
            format!("one of {}", words.join(", "))
        }
    }
}

/// A value as a message may show it: its type, and the value where it is short and cannot be a secret.
fn describe(value: &Value) -> String {
    match value {
        Value::String(_) => "text".to_owned(),
        Value::Integer(number) => format!("the number {number}"),
        Value::Float(number) => format!("the number {number}"),
        Value::Boolean(yes) => format!("{yes}"),
        Value::Datetime(_) => "a date".to_owned(),
        Value::Array(_) => "a list that does not fit".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}
