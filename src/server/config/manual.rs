//! Writes the example file and the manual page from the declared sections.

use std::fmt::Write as _;

use hearth_homeserver::settings::{Kind, SettingDoc};
use serde_json::Value;

use super::check::expectation;
use super::list_sections;

const EXAMPLE_HEAD: &str = "\
# Configuration of Hearth: every setting with its default; what has none stands without a value.
# Made by `hearth config example`. Take over only what you change, and check it by `hearth config check`.
# Each setting is also an environment variable (HEARTH_SECTION__KEY), and a flag (--set section.key=value).
";

const MANUAL_HEAD: &str = "\
# Configuration

This page is made from the program; the same text stands in `config/hearth.example.toml`.

A setting comes from, in this order, the last one found counting: its default, the TOML file (`--config FILE` or `HEARTH_CONFIG`), the environment (`HEARTH_SECTION__KEY`), the command line (`--set section.key=value`; the most used ones have flags of their own, see `hearth serve --help`).
In the environment and on the command line a text needs no quotes, and a list is separated by commas.
An unknown key or a wrong value is refused, with what was expected; `hearth config check` looks without starting anything.
";

/// The example file: every setting, commented out, with its text and default.
pub fn example_file() -> String {
    let mut out = EXAMPLE_HEAD.to_owned();
    for section in list_sections() {
        out.push('\n');
        push_comment(&mut out, section.about);
        let _ = writeln!(out, "[{}]", section.name);
        for setting in section.settings {
            out.push('\n');
            push_comment(&mut out, setting.doc);
            push_choices(&mut out, &setting.kind, "#   ", "\"");
            let _ = writeln!(out, "#{} ={}", setting.key, example_value(&setting));
        }
    }
    out
}

/// The manual page: one heading a section, one a setting.
pub fn manual_page() -> String {
    let mut out = MANUAL_HEAD.to_owned();
    for section in list_sections() {
        let _ = writeln!(out, "\n## `[{}]`\n\n{}", section.name, joined(section.about));
        for setting in section.settings {
            let variable = format!("HEARTH_{}__{}", section.name, setting.key).to_uppercase();
            let _ = writeln!(out, "\n### `{}.{}`\n\n{}\n", section.name, setting.key, joined(setting.doc));
            push_choices(&mut out, &setting.kind, "- ", "`");
            if matches!(inner(&setting.kind), Kind::Choice(_)) {
                out.push('\n');
            }
            let default =
                if setting.default.is_null() { "unset".to_owned() } else { format!("`{}`", literal(&setting.default)) };
            let _ =
                writeln!(out, "Expects {}. Default: {default}. Environment: `{variable}`.", expectation(&setting.kind));
        }
    }
    out
}

fn push_comment(out: &mut String, lines: &[&str]) {
    for line in lines {
        let _ = writeln!(out, "#{}", line.trim_end());
    }
}

fn push_choices(out: &mut String, kind: &Kind, bullet: &str, quote: &str) {
    if let Kind::Choice(choices) = inner(kind) {
        for choice in *choices {
            let _ = writeln!(out, "{bullet}{quote}{}{quote}: {}", choice.word, joined(choice.doc).replace('\n', " "));
        }
    }
}

fn inner(kind: &Kind) -> &Kind {
    match kind {
        Kind::Optional(inner) => inner,
        other => other,
    }
}

fn joined(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join("\n")
}

/// What stands behind the equals sign in the example: the default; nothing where there is none.
fn example_value(setting: &SettingDoc) -> String {
    if setting.default.is_null() { String::new() } else { format!(" {}", literal(&setting.default)) }
}

/// A default as TOML. JSON and TOML write strings, numbers, truth values and lists the same way, as far as defaults go.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{example_file, manual_page};
    use crate::config::{Config, Sources};

    /// Set this variable to renew the files instead of failing.
    const RENEW: &str = "HEARTH_RENEW";

    fn check_fresh(file: &str, made: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        if std::env::var_os(RENEW).is_some() {
            std::fs::write(&path, made).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == made, "{file} is stale: run the tests once with {RENEW}=1");
    }

    #[test]
    fn the_generated_files_are_fresh() {
        check_fresh("config/hearth.example.toml", &example_file());
        check_fresh("docs/configuration.md", &manual_page());
    }

    #[test]
    fn the_example_with_all_defaults_in_force_is_the_default_configuration() {
        let mut in_force = String::new();
        for line in example_file().lines() {
            let setting = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ') && rest.contains(" = "));
            let line = setting.unwrap_or(line);
            in_force.push_str(line);
            in_force.push('\n');
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), in_force).unwrap();
        let sources = Sources { file: Some(file.path().to_owned()), ..Sources::default() };
        assert_eq!(sources.load().unwrap(), Config::default());
    }
}
