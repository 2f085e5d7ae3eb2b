use clap::{CommandFactory as _, Parser as _};
use hearth_homeserver::users::Registration;

use super::Arguments;
use crate::config::Config;

fn load(line: &str) -> Result<Config, String> {
    let arguments = Arguments::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
    arguments.sources(Vec::new())?.load().map_err(|error| error.to_string())
}

#[test]
fn the_arguments_are_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn a_trial_server_is_one_line() {
    let line = "hearth serve --server-name localhost --listen 127.0.0.1:8008 --data /tmp/d --registration open --rate-limits off";
    let config = load(line).unwrap();
    assert_eq!(config.server.name.as_deref(), Some("localhost"));
    assert_eq!(config.server.data, std::path::Path::new("/tmp/d"));
    assert_eq!(config.listeners.addresses, ["127.0.0.1:8008"]);
    assert_eq!(config.users.registration, Registration::Open);
    assert!(!config.rate_limits.enabled);
}

#[test]
fn registration_is_closed_unless_somebody_opens_it() {
    let config = load("hearth serve --server-name localhost --listen 0.0.0.0:8008").unwrap();
    assert_eq!(config.users.registration, Registration::Closed);
}

#[test]
fn flags_are_good_on_both_sides_of_the_command() {
    let config = load("hearth --data /a user promote x --set storage.lanes=8").unwrap();
    assert_eq!((config.server.data.to_str(), config.storage.lanes), (Some("/a"), 8));
    let config = load("hearth serve --listen unix:/a --listen [::1]:1").unwrap();
    assert_eq!(config.listeners.addresses, ["unix:/a", "[::1]:1"]);
}

#[test]
fn wrong_values_name_the_setting() {
    assert!(load("hearth check --set storage.lane=8").unwrap_err().contains("did you mean storage.lanes?"));
    assert!(load("hearth check --set storage").unwrap_err().contains("SECTION.KEY=VALUE"));
    assert!(load("hearth serve --registration everybody").unwrap_err().contains("users.registration: expected one of"));
}
