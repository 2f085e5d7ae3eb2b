//! Where files are while they are not yet, or perhaps no longer, needed by a row.
//!
//! Two kinds of names lie in this folder: `RANDOM.part`, an upload under way, and `HASH.RANDOM.claim`, an empty
//! file that says "the file HASH on the shelf may be of no use". A claim is made before a file goes onto the
//! shelf or before its row goes, and withdrawn when row and file agree again. So whatever a crash leaves,
//! the names here are all that has to be looked at, never the whole shelf.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearth_protocol::{Clock, Rng, random_string};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::shelf::{FileHash, make_folder, off_thread, remove_if_there};

/// How much of an upload is gathered in memory before it is written.
const WRITE_BYTES: usize = 256 * 1024;

/// Letters of a name that nobody else has.
const NAME_LEN: usize = 20;

const PART: &str = ".part";
const CLAIM: &str = ".claim";

/// What is being done with a name of this process.
#[derive(Clone, Copy)]
enum Use {
    Busy,
    /// Given up at this time (monotonic milliseconds), perhaps with a commit still on its way.
    GivenUp(u64),
}

/// The folder of uploads under way and of claims.
#[derive(Clone)]
pub(super) struct Inbox(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    rng: Arc<dyn Rng>,
    clock: Arc<dyn Clock>,
    names: Mutex<HashMap<String, Use>>,
}

impl Inbox {
    /// The folder need not exist yet.
    pub(super) fn new(folder: PathBuf, rng: Arc<dyn Rng>, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { folder, rng, clock, names: Mutex::default() }))
    }

    /// An empty file to write to. It goes when it is dropped.
    pub(super) async fn begin(&self) -> io::Result<NewFile> {
        let part = self.name(format!("{}{PART}", random_string(&*self.0.rng, NAME_LEN)));
        let (path, folder) = (part.path(), self.0.folder.clone());
        let file = off_thread(move || {
            make_folder(&folder)?;
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
        });
        let file = file.await?;
        Ok(NewFile { part, writing: Writing { file, hasher: Sha256::new(), buffer: Vec::new() }.into(), bytes: 0 })
    }

    /// Says that the file on the shelf may be of no use from now on.
    pub(super) async fn claim(&self, hash: FileHash) -> io::Result<Claim> {
        let name = format!("{}.{}{CLAIM}", hash.hex(), random_string(&*self.0.rng, NAME_LEN));
        let claim = Claim { name: self.name(name), is_settled: false };
        let (path, folder) = (claim.name.path(), self.0.folder.clone());
        off_thread(move || {
            make_folder(&folder)?;
            // Not synced: file systems write names in the order in which they were made, and the shelf syncs its own.
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
        })
        .await?;
        Ok(claim)
    }

    fn name(&self, name: String) -> Name {
        self.0.names.lock().insert(name.clone(), Use::Busy);
        Name { inbox: self.clone(), name }
    }

    /// Names that nobody works with: left by a crash, or given up at least `given_up_ms_min` ago.
    pub(super) async fn list_left(&self, given_up_ms_min: u64) -> io::Result<Vec<Left>> {
        let inbox = self.clone();
        off_thread(move || {
            let names = list_names(&inbox.0.folder)?.into_iter().filter(|name| inbox.is_left(name, given_up_ms_min));
            Ok(names.map(|name| Left { hash: claimed_by(&name), name }).collect())
        })
        .await
    }

    fn is_left(&self, name: &str, given_up_ms_min: u64) -> bool {
        match self.0.names.lock().get(name) {
            Some(Use::Busy) => false,
            Some(Use::GivenUp(at_ms)) => self.0.clock.monotonic_ms().saturating_sub(*at_ms) >= given_up_ms_min,
            None => name.ends_with(PART) || name.ends_with(CLAIM),
        }
    }

    /// The files of all claims, those of this moment's uploads included.
    pub(super) async fn list_claimed(&self) -> io::Result<HashSet<FileHash>> {
        let folder = self.0.folder.clone();
        off_thread(move || Ok(list_names(&folder)?.iter().filter_map(|name| claimed_by(name)).collect())).await
    }

    /// Removes a name that [`Self::list_left`] gave.
    pub(super) async fn forget(&self, left: Left) -> io::Result<()> {
        let path = self.0.folder.join(&left.name);
        off_thread(move || remove_if_there(&path)).await?;
        self.0.names.lock().remove(&left.name);
        Ok(())
    }
}

/// The names in a folder, which need not exist.
fn list_names(folder: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The file that a claim is of; none for other names.
fn claimed_by(name: &str) -> Option<FileHash> {
    name.strip_suffix(CLAIM).and_then(|name| name.split('.').next()).and_then(FileHash::from_hex)
}

/// A name in the inbox that nobody works with.
pub(super) struct Left {
    /// The file on the shelf that may be of no use; none for an upload that was cut off.
    pub(super) hash: Option<FileHash>,
    name: String,
}

/// A name that is in use.
struct Name {
    inbox: Inbox,
    name: String,
}

impl Name {
    fn path(&self) -> PathBuf {
        self.inbox.0.folder.join(&self.name)
    }
}

/// A file that is being written, and hashed on the way.
pub(super) struct NewFile {
    part: Name,
    /// None only while a write is under way.
    writing: Option<Writing>,
    bytes: u64,
}

struct Writing {
    file: File,
    hasher: Sha256,
    buffer: Vec<u8>,
}

impl Writing {
    fn flush(mut self) -> io::Result<Self> {
        self.hasher.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(self)
    }
}

impl NewFile {
    /// How many bytes were written.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends bytes; in memory are some hundred KiB at most.
    pub(super) async fn write(&mut self, mut chunk: &[u8]) -> io::Result<()> {
        self.bytes += chunk.len() as u64;
        while !chunk.is_empty() {
            let writing = self.writing.as_mut().ok_or_else(broken)?;
            let (now, later) = chunk.split_at(chunk.len().min(WRITE_BYTES.saturating_sub(writing.buffer.len())));
            writing.buffer.extend_from_slice(now);
            chunk = later;
            if writing.buffer.len() >= WRITE_BYTES {
                let writing = self.writing.take().ok_or_else(broken)?;
                self.writing = Some(off_thread(move || writing.flush()).await?);
            }
        }
        Ok(())
    }

    /// Ends the file: it is whole and on disk then.
    pub(super) async fn seal(mut self) -> io::Result<SealedFile> {
        let writing = self.writing.take().ok_or_else(broken)?;
        let hash = off_thread(move || {
            let writing = writing.flush()?;
            writing.file.sync_all()?;
            Ok(FileHash(writing.hasher.finalize().into()))
        });
        Ok(SealedFile { hash: hash.await?, bytes: self.bytes, part: self })
    }
}

/// A write that failed takes the file with it.
fn broken() -> io::Error {
    io::Error::other("an earlier write failed")
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Nothing to be done about an error here; the sweeper tries again at the next start.
        let _ = remove_if_there(&self.part.path());
        self.part.inbox.0.names.lock().remove(&self.part.name);
    }
}

/// A whole file on disk that is not on the shelf yet. It goes when it is dropped.
pub(super) struct SealedFile {
    /// Its hash.
    pub(super) hash: FileHash,
    /// How many bytes it has.
    pub(super) bytes: u64,
    part: NewFile,
}

impl SealedFile {
    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.part.part.path()
    }
}

/// The statement that a file on the shelf may be of no use.
/// Unless it is settled, the sweeper finds out whether that is so.
#[must_use]
pub(super) struct Claim {
    name: Name,
    is_settled: bool,
}

impl Claim {
    /// Withdraws it: there is a row that needs the file, or the file is gone.
    pub(super) async fn settle(mut self) -> io::Result<()> {
        let path = self.name.path();
        off_thread(move || remove_if_there(&path)).await?;
        self.is_settled = true;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let inner = &self.name.inbox.0;
        if self.is_settled {
            inner.names.lock().remove(&self.name.name);
        } else {
            inner.names.lock().insert(self.name.name.clone(), Use::GivenUp(inner.clock.monotonic_ms()));
        }
    }
}
