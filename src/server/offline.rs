//! Commands of the operator on a data folder that no server runs on.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::admin_socket::{AdminCommand, Answer};
use crate::assembly::{DATABASE_FOLDER, Homeserver, MEDIA_FOLDER, make_data_folder};
use crate::config::Config;
use crate::identity::{KEY_FILE, write_key};
use crate::plan::require_server_name;
use crate::system::SystemClock;

/// Opens the database, runs `command`, and closes it.
///
/// # Errors
///
/// When the database cannot be opened.
pub async fn run(config: &Config, command: AdminCommand) -> Result<Answer, String> {
    let data = &config.server.data;
    if !data.join(DATABASE_FOLDER).exists() && matches!(command, AdminCommand::Check | AdminCommand::Backup { .. }) {
        return Err(format!("there is no database in {}", data.display()));
    }
    let clock = Arc::new(SystemClock::new());
    let homeserver = Homeserver::open(config, clock).await.map_err(|error| error.to_string())?;
    let answer = homeserver.operator(data).run(command).await;
    homeserver.close().await;
    Ok(answer)
}

/// Puts a backup into the data folder; what to tell the operator.
///
/// # Errors
///
/// When it is no backup of this server, or the data folder holds a database or another key already.
pub fn restore(config: &Config, backup: &Path) -> Result<String, String> {
    let data = &config.server.data;
    let server_name = require_server_name(config).map_err(|error| error.to_string())?;
    let key = fs::read(backup.join(KEY_FILE))
        .map_err(|error| format!("{} holds no signing key: {error}", backup.display()))?;
    let key_path = data.join(KEY_FILE);
    if fs::read(&key_path).is_ok_and(|present| present != key) {
        return Err(format!("{} is another key than the one in the backup: move it away first", key_path.display()));
    }
    make_data_folder(data).map_err(|error| error.to_string())?;
    let database = data.join(DATABASE_FOLDER);
    hearth_storage::restore(backup, &database, server_name.as_str()).map_err(|error| error.to_string())?;
    write_key(data, &key_path, &key).map_err(|error| format!("cannot write {}: {error}", key_path.display()))?;
    let files = data.join(MEDIA_FOLDER).join("files");
    Ok(format!(
        "{} is restored from {}\nuploaded files are not in a backup: put the copy of them to {}",
        data.display(),
        backup.display(),
        files.display()
    ))
}
