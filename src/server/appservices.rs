//! Reads the registration files of application services, which the configuration names.

use std::fs;
use std::path::{Path, PathBuf};

use hearth_homeserver::appservice::{AppServices, BadRegistration};
use ruma::ServerName;
use ruma::api::appservice::Registration;
use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// The longest registration file, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How deep the values of a registration may be nested.
const DEPTH_MAX: u8 = 16;

/// Why the application services cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum AppServicesError {
    /// The file cannot be read.
    #[error("cannot read the registration of an application service, {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The file is no YAML, or no registration.
    #[error("{path} is no registration of an application service: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The registrations contradict each other or themselves.
    #[error(transparent)]
    Bad(#[from] BadRegistration),
}

/// The services of the files; a folder stands for the YAML files in it.
///
/// # Errors
///
/// The first file that cannot be used.
pub fn load_appservices(paths: &[PathBuf], server: &ServerName) -> Result<AppServices, AppServicesError> {
    let mut registrations = Vec::new();
    for path in paths {
        for file in list_files(path)? {
            registrations.push(read_registration(&file)?);
        }
    }
    Ok(AppServices::new(&registrations, server)?)
}

fn list_files(path: &Path) -> Result<Vec<PathBuf>, AppServicesError> {
    let unreadable = |error| AppServicesError::Unreadable { path: path.to_owned(), error };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            files.push(file);
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn read_registration(path: &Path) -> Result<Registration, AppServicesError> {
    let unreadable = |error| AppServicesError::Unreadable { path: path.to_owned(), error };
    let malformed = |reason: String| AppServicesError::Malformed { path: path.to_owned(), reason };
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(malformed(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let documents = YamlLoader::load_from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let [document] = documents.as_slice() else {
        return Err(malformed("it is not one YAML document".to_owned()));
    };
    let json =
        to_json(document, 0).ok_or_else(|| malformed("a key is no text, or it is nested too deep".to_owned()))?;
    serde_json::from_value(json).map_err(|error| malformed(error.to_string()))
}

/// The same value as JSON; none for what JSON does not have.
fn to_json(yaml: &Yaml, depth: u8) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(yes) => (*yes).into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::Real(text) => Value::Number(Number::from_f64(text.parse().ok()?)?),
        Yaml::String(text) => text.as_str().into(),
        Yaml::Array(items) => Value::Array(items.iter().map(|item| to_json(item, depth + 1)).collect::<Option<_>>()?),
        Yaml::Hash(fields) => {
            let mut object = Map::new();
            for (key, value) in fields {
                object.insert(key.as_str()?.to_owned(), to_json(value, depth + 1)?);
            }
            Value::Object(object)
        }
        Yaml::Alias(_) | Yaml::BadValue => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ruma::{server_name, user_id};

    use super::{AppServicesError, load_appservices};

    const IRC: &str = "id: irc
url: 'http://localhost:9000'
as_token: one
hs_token: two
sender_localpart: ircbot
rate_limited: false
namespaces:
  users:
    - exclusive: true
      regex: '@irc_.*'
  rooms: []
  aliases: []
";

    #[test]
    fn a_file_and_a_folder_of_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("irc.yaml");
        fs::write(&file, IRC).unwrap();
        fs::write(folder.path().join("README"), "not a registration").unwrap();
        for path in [file, folder.path().to_owned()] {
            let services = load_appservices(&[path], server_name!("hs1")).unwrap();
            let irc = services.find_by_token("one").unwrap();
            assert!(irc.owns_user(user_id!("@irc_anna:hs1")) && !irc.is_rate_limited);
        }
    }

    #[test]
    fn files_that_are_no_registrations_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bad.yaml");
        for text in ["id: [", "id: irc\n", "", "1: 2", &IRC.replace("one", "")] {
            fs::write(&file, text).unwrap();
            let error = load_appservices(std::slice::from_ref(&file), server_name!("hs1")).err().unwrap();
            let is_named = matches!(error, AppServicesError::Malformed { .. } | AppServicesError::Bad(_));
            assert!(is_named, "{text}: {error}");
        }
        let missing = load_appservices(&[folder.path().join("none.yaml")], server_name!("hs1")).err().unwrap();
        assert!(matches!(missing, AppServicesError::Unreadable { .. }));
    }
}
