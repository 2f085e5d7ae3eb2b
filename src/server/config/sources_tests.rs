use std::io::Write as _;

use super::{Config, ConfigError, Sources};
use crate::config::{Durability, LogFormat};

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn load(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut written = tempfile::NamedTempFile::new().unwrap();
    written.write_all(file.as_bytes()).unwrap();
    let sources =
        Sources { file: Some(written.path().to_owned()), environment: pairs(environment), flags: pairs(flags) };
    sources.load()
}

fn problems(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
    match load(file, environment, flags) {
        Err(ConfigError::Wrong { problems, .. }) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected wrong settings, got {other:?}"),
    }
}

#[test]
fn without_sources_all_is_default() {
    assert_eq!(Sources::default().load().unwrap(), Config::default());
}

#[test]
fn flags_override_environment_overrides_file_key_by_key() {
    let file = "[server]\nname = \"a.example\"\nthreads = 3\n[storage]\nlanes = 8\n";
    let environment = [("HEARTH_SERVER__NAME", "b.example"), ("HEARTH_STORAGE__DURABILITY", "os"), ("PATH", "/bin")];
    let config = load(file, &environment, &[("server.name", "c.example"), ("logging.format", "json")]).unwrap();
    assert_eq!(config.server.name.as_deref(), Some("c.example"));
    assert_eq!(config.server.threads, 3);
    assert_eq!(config.storage.lanes, 8);
    assert_eq!(config.storage.durability, Durability::Os);
    assert_eq!(config.logging.format, LogFormat::Json);
}

#[test]
fn unknown_names_come_with_the_nearest_known_one() {
    let found = problems("[server]\nnmae = \"x\"\nlanes = 2\n[storge]\n[unlike]\n", &[], &[]);
    assert_eq!(
        found,
        [
            "server.lanes: there is no such setting; did you mean storage.lanes?",
            "server.nmae: there is no such setting; did you mean server.name?",
            "storge: there is no such section; did you mean [storage]?",
            "unlike: there is no such section",
        ]
    );
    let found = problems("", &[("HEARTH_STORAGE__LANE", "2")], &[]);
    assert_eq!(found, ["storage.lane: there is no such setting; did you mean storage.lanes?"]);
}

#[test]
fn wrong_values_say_the_path_and_what_is_expected() {
    let file = "logging = 3\n[storage]\nlanes = 70000\ndurability = \"never\"\n[server]\nname = 3\n\
                [listeners]\naddresses = \"127.0.0.1:1\"\n";
    assert_eq!(
        problems(file, &[], &[]),
        [
            "listeners.addresses: expected a list, each item text in quotes, found text",
            "logging: is a section, so it needs a table [logging], not the number 3",
            "server.name: expected text in quotes, found the number 3",
            "storage.durability: expected one of \"sync\", \"os\", found text",
            "storage.lanes: expected a whole number from 0 to 65535, found the number 70000",
        ]
    );
    assert_eq!(
        problems("", &[], &[("storage.lanes", "many")]),
        ["storage.lanes: expected a whole number from 0 to 65535"]
    );
}

#[test]
fn lists_are_written_with_commas_or_as_toml() {
    for text in ["127.0.0.1:1, unix:/run/h", "[\"127.0.0.1:1\", \"unix:/run/h\"]"] {
        let config = load("", &[("HEARTH_LISTENERS__ADDRESSES", text)], &[]).unwrap();
        assert_eq!(config.listeners.addresses, ["127.0.0.1:1", "unix:/run/h"]);
    }
    assert!(load("", &[], &[("listeners.addresses", "")]).unwrap().listeners.addresses.is_empty());
}

#[test]
fn a_file_that_is_no_toml_or_missing_is_named() {
    let broken = load("[server\n", &[], &[]).unwrap_err().to_string();
    assert!(broken.contains("is not valid TOML") && broken.contains("line 1"), "{broken}");
    let sources = Sources { file: Some("/nonexistent/hearth.toml".into()), ..Sources::default() };
    assert!(sources.load().unwrap_err().to_string().contains("/nonexistent/hearth.toml"));
}
