//! A backup made while the server runs, and putting it back.
//!
//! A backup is a directory: `database`, a checkpoint of the engine, and `manifest`, which is
//! written last and says what it is. Without a manifest it is no backup.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{
    Store,
    migrate::SCHEMA,
    open::off_thread,
    read::{address, decode_value, hex},
};
use crate::{
    engine::{OpenEngine, rocks::raise_epochs},
    error::StorageError,
    schema::meta::About,
    table::Table,
};

const DATABASE_DIR: &str = "database";
const MANIFEST_FILE: &str = "manifest";

/// First line of a manifest.
const MANIFEST_HEAD: &str = "hearth-backup 1";

/// A manifest is not longer than this.
const MANIFEST_BYTES_MAX: u64 = 4_096;

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupManifest {
    /// Number of the schema.
    pub schema: u32,
    /// The server whose data it holds.
    pub server_name: String,
    /// The database's number, in hexadecimal.
    pub database_id: String,
    /// Number of lanes.
    pub lanes: u16,
}

impl BackupManifest {
    fn to_text(&self) -> String {
        let BackupManifest { schema, server_name, database_id, lanes } = self;
        format!(
            "{MANIFEST_HEAD}\nschema {schema}\nserver_name {server_name}\ndatabase_id {database_id}\nlanes {lanes}\n"
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        lines.next().filter(|head| *head == MANIFEST_HEAD)?;
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        Some(BackupManifest {
            schema: field("schema")?.parse().ok()?,
            server_name: field("server_name")?,
            database_id: field("database_id")?,
            lanes: field("lanes")?.parse().ok()?,
        })
    }
}

impl Store {
    /// Writes a backup of the present state into `dir`, which must not exist or be empty. It is on
    /// disk when this returns.
    pub async fn backup(&self, dir: &Path) -> Result<BackupManifest, StorageError> {
        let OpenEngine::Rocks(engine) = &self.0.engine else {
            return Err(StorageError::Refused("only a database on disk can be backed up".to_owned()));
        };
        let about = address::<About>(&());
        let row = self.load_raw(About::PROFILE, about.clone()).await?.ok_or(StorageError::Down)?;
        let database = decode_value::<About>(&about, &row)?;
        let manifest = BackupManifest {
            schema: database.schema,
            server_name: database.server_name,
            database_id: hex(&database.database_id),
            lanes: database.lanes,
        };
        let target = dir.to_owned();
        off_thread(move || make_empty_dir(&target)).await??;
        engine.checkpoint(&dir.join(DATABASE_DIR)).await?;
        let (target, text) = (dir.to_owned(), manifest.to_text());
        off_thread(move || finish(&target, &text)).await??;
        Ok(manifest)
    }
}

/// Copies a backup into `data_dir`, which must not exist or be empty, and raises the epochs of its lanes: clients may
/// hold positions that were given after the backup was made, and must not wait for them to come round again. Blocks: for the command line.
///
/// # Errors
/// [`StorageError::Refused`] when it is no whole backup or the directory is not empty,
/// [`StorageError::ForeignDatabase`] and [`StorageError::NewerSchema`] as when opening.
pub fn restore(backup_dir: &Path, data_dir: &Path, server_name: &str) -> Result<BackupManifest, StorageError> {
    let manifest = read_manifest(backup_dir)?;
    if manifest.server_name != server_name {
        let (found, expected) = (manifest.server_name, server_name.to_owned());
        return Err(StorageError::ForeignDatabase { found, expected });
    }
    if manifest.schema > SCHEMA {
        return Err(StorageError::NewerSchema { found: manifest.schema, known: SCHEMA });
    }
    make_empty_dir(data_dir)?;
    // Beside the target first: a restore that is cut short leaves no half database behind.
    let beside = beside(data_dir);
    if beside.exists() {
        fs::remove_dir_all(&beside).map_err(|e| io(&beside, &e))?;
    }
    copy_dir(&backup_dir.join(DATABASE_DIR), &beside)?;
    raise_epochs(&beside)?;
    sync_dir(&beside)?;
    fs::rename(&beside, data_dir).map_err(|e| io(data_dir, &e))?;
    if let Some(parent) = data_dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync_path(parent)?;
    }
    Ok(manifest)
}

fn beside(data_dir: &Path) -> PathBuf {
    let mut name = data_dir.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    data_dir.with_file_name(name)
}

fn read_manifest(backup_dir: &Path) -> Result<BackupManifest, StorageError> {
    let path = backup_dir.join(MANIFEST_FILE);
    let refused = |what: &str| StorageError::Refused(format!("{}: {what}", path.display()));
    let length = fs::metadata(&path).map_err(|_| refused("no manifest: this is no whole backup"))?.len();
    if length > MANIFEST_BYTES_MAX {
        return Err(refused("too long for a manifest"));
    }
    let text = fs::read_to_string(&path).map_err(|e| io(&path, &e))?;
    BackupManifest::parse(&text).ok_or_else(|| refused("not a manifest that this program knows"))
}

fn make_empty_dir(dir: &Path) -> Result<(), StorageError> {
    fs::create_dir_all(dir).map_err(|e| io(dir, &e))?;
    let mut entries = fs::read_dir(dir).map_err(|e| io(dir, &e))?;
    if entries.next().is_some() {
        return Err(StorageError::Refused(format!("{} is not empty", dir.display())));
    }
    Ok(())
}

/// Makes the checkpoint durable and writes the manifest behind it.
fn finish(dir: &Path, manifest: &str) -> Result<(), StorageError> {
    sync_dir(&dir.join(DATABASE_DIR))?;
    let (path, part) = (dir.join(MANIFEST_FILE), dir.join("manifest.part"));
    let mut file = File::create(&part).map_err(|e| io(&part, &e))?;
    file.write_all(manifest.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| io(&part, &e))?;
    fs::rename(&part, &path).map_err(|e| io(&path, &e))?;
    sync_path(dir)
}

fn copy_dir(from: &Path, to: &Path) -> Result<(), StorageError> {
    fs::create_dir_all(to).map_err(|e| io(to, &e))?;
    for entry in fs::read_dir(from).map_err(|e| io(from, &e))? {
        let entry = entry.map_err(|e| io(from, &e))?;
        let target = to.join(entry.file_name());
        fs::copy(entry.path(), &target).map_err(|e| io(&target, &e))?;
    }
    Ok(())
}

/// Syncs the files of a flat directory, and the directory.
fn sync_dir(dir: &Path) -> Result<(), StorageError> {
    for entry in fs::read_dir(dir).map_err(|e| io(dir, &e))? {
        sync_path(&entry.map_err(|e| io(dir, &e))?.path())?;
    }
    sync_path(dir)
}

fn sync_path(path: &Path) -> Result<(), StorageError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| io(path, &e))
}

fn io(path: &Path, error: &std::io::Error) -> StorageError {
    StorageError::Io(format!("{}: {error}", path.display()))
}
