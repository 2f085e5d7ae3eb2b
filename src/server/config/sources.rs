//! Brings file, environment and flags together.

use std::path::{Path, PathBuf};

use hearth_homeserver::settings::Kind;
use toml::{Table, Value};

use super::check::{Problem, check_table, expectation, unknown_key};
use super::{Config, SectionDoc, list_sections};

/// The longest configuration file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the environment variables begin with.
const PREFIX: &str = "HEARTH_";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not valid TOML: {error}")]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        error: toml::de::Error,
    },
    /// Keys or values are wrong.
    #[error("{}", join_problems(.source_name, .problems))]
    Wrong {
        /// The file, the environment, or the flags.
        source_name: String,
        /// What is wrong; at least one.
        problems: Vec<Problem>,
    },
}

fn join_problems(source_name: &str, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    format!("{source_name} has wrong settings:{}", lines.concat())
}

/// Where the configuration comes from.
#[derive(Debug, Default)]
pub struct Sources {
    /// The TOML file, if one was named.
    pub file: Option<PathBuf>,
    /// The environment. Only names of the form `HEARTH_SECTION__KEY` are looked at.
    pub environment: Vec<(String, String)>,
    /// Flags, as `section.key` and the value as text. A list is comma-separated, or a TOML array.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// Reads and checks all sources.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or any source has an unknown key or a wrong value.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let sections = list_sections();
        let mut merged = Table::new();
        if let Some(path) = &self.file {
            let table = read_file(path)?;
            merge(&mut merged, checked(&sections, &path.display().to_string(), table)?);
        }
        let environment = from_environment(&sections, &self.environment)?;
        merge(&mut merged, checked(&sections, "the environment", environment)?);
        let flags = from_flags(&sections, &self.flags)?;
        merge(&mut merged, checked(&sections, "the command line", flags)?);
        merged.try_into().map_err(|error: toml::de::Error| ConfigError::Wrong {
            source_name: "the configuration".to_owned(),
            problems: vec![Problem { path: "configuration".to_owned(), what: error.message().to_owned() }],
        })
    }
}

fn read_file(path: &Path) -> Result<Table, ConfigError> {
    let unreadable = |error| ConfigError::Unreadable { path: path.to_owned(), error };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        return Err(unreadable(std::io::Error::other(format!("it is longer than {FILE_BYTES_MAX} bytes"))));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    text.parse().map_err(|error| ConfigError::NotToml { path: path.to_owned(), error })
}

fn checked(sections: &[SectionDoc], source_name: &str, table: Table) -> Result<Table, ConfigError> {
    let problems = check_table(sections, &table);
    if problems.is_empty() {
        Ok(table)
    } else {
        Err(ConfigError::Wrong { source_name: source_name.to_owned(), problems })
    }
}

fn from_environment(sections: &[SectionDoc], variables: &[(String, String)]) -> Result<Table, ConfigError> {
    let settings = variables.iter().filter_map(|(name, text)| {
        let (section, key) = name.strip_prefix(PREFIX)?.split_once("__")?;
        Some((section.to_lowercase(), key.to_lowercase(), text.as_str()))
    });
    from_texts(sections, "the environment", settings)
}

fn from_flags(sections: &[SectionDoc], flags: &[(String, String)]) -> Result<Table, ConfigError> {
    let settings = flags.iter().map(|(path, text)| {
        let (section, key) = path.split_once('.').unwrap_or((path.as_str(), ""));
        (section.to_owned(), key.to_owned(), text.as_str())
    });
    from_texts(sections, "the command line", settings)
}

fn from_texts<'a>(
    sections: &[SectionDoc],
    source_name: &str,
    settings: impl Iterator<Item = (String, String, &'a str)>,
) -> Result<Table, ConfigError> {
    let mut table = Table::new();
    let mut problems = Vec::new();
    for (section_name, key, text) in settings {
        let section = sections.iter().find(|section| section.name == section_name);
        let Some(setting) = section.and_then(|section| section.settings.iter().find(|setting| setting.key == key))
        else {
            problems.push(unknown_key(sections, &section_name, &key));
            continue;
        };
        match parse_text(&setting.kind, text) {
            Some(value) => {
                let entry = table.entry(section_name).or_insert_with(|| Value::Table(Table::new()));
                if let Value::Table(inner) = entry {
                    inner.insert(key, value);
                }
            }
            None => problems.push(Problem {
                path: format!("{section_name}.{key}"),
                what: format!("expected {}", expectation(&setting.kind).replace(" in quotes", "")),
            }),
        }
    }
    if problems.is_empty() {
        Ok(table)
    } else {
        Err(ConfigError::Wrong { source_name: source_name.to_owned(), problems })
    }
}

/// The value that a text without quotes means for a setting of this kind.
fn parse_text(kind: &Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text | Kind::Path | Kind::Choice(_) => Some(Value::String(text.to_owned())),
        Kind::Bool => text.parse().ok().map(Value::Boolean),
        Kind::Integer(..) => text.replace('_', "").parse().ok().map(Value::Integer),
        Kind::Float => text.parse().ok().map(Value::Float),
        Kind::Optional(inner) => parse_text(inner, text),
        Kind::List(_) if text.trim().is_empty() => Some(Value::Array(Vec::new())),
        Kind::List(inner) => parse_toml_list(text).or_else(|| {
            let items = text.split(',').map(|item| parse_text(inner, item.trim()));
            items.collect::<Option<_>>().map(Value::Array)
        }),
    }
}

/// The list, if the text is one in TOML; `[::1]:8008` begins like one, and is none.
fn parse_toml_list(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with('[') {
        return None;
    }
    let table: Table = format!("list = {text}").parse().ok()?;
    table.get("list").cloned()
}

fn merge(into: &mut Table, from: Table) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Table(old)), Value::Table(new)) => old.extend(new),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
