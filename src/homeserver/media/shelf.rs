//! Where whole files lie for good, by the hash of their bytes.
//!
//! Today that is a folder; an object store would be another [`Shelf`]. What is on the shelf is never changed,
//! and a path is made of a hash only, never of anything that a user has sent.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use futures_util::future::{BoxFuture, FutureExt as _};

/// The SHA-256 of a file's bytes: its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileHash(pub(super) [u8; 32]);

impl FileHash {
    /// In hexadecimal.
    pub(super) fn hex(self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// From hexadecimal, as [`Self::hex`] writes it.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(hash))
    }
}

/// A place for whole files. Each operation is safe to repeat.
pub(super) trait Shelf: Send + Sync {
    /// Takes over a local file that is whole and on disk. It stays when this is done, and so does a file of the same name.
    fn put(&self, name: FileHash, from: PathBuf) -> BoxFuture<'static, io::Result<()>>;

    /// The file for reading; none if it is not there.
    fn open(&self, name: FileHash) -> BoxFuture<'static, io::Result<Option<File>>>;

    /// All files.
    fn list(&self) -> BoxFuture<'static, io::Result<Vec<FileHash>>>;

    /// Removes the file, if it is there.
    fn remove(&self, name: FileHash) -> BoxFuture<'static, io::Result<()>>;
}

/// A folder: two levels of folders by the first two bytes of the hash, then the file.
pub(super) struct DiskShelf {
    root: PathBuf,
}

impl DiskShelf {
    /// The folder need not exist yet.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, name: FileHash) -> PathBuf {
        let hex = name.hex();
        self.root.join(&hex[..2]).join(&hex[2..4]).join(hex)
    }
}

impl Shelf for DiskShelf {
    fn put(&self, name: FileHash, from: PathBuf) -> BoxFuture<'static, io::Result<()>> {
        let to = self.path(name);
        off_thread(move || {
            let folder = to.parent().unwrap_or(&to);
            make_folder(folder)?;
            if to.try_exists()? {
                fs::remove_file(&from)?;
            } else {
                fs::rename(&from, &to)?;
            }
            // Also where the file was there: whoever put it may not have come to this line yet.
            sync_folder(folder)
        })
    }

    fn open(&self, name: FileHash) -> BoxFuture<'static, io::Result<Option<File>>> {
        let path = self.path(name);
        off_thread(move || match File::open(path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn list(&self) -> BoxFuture<'static, io::Result<Vec<FileHash>>> {
        let root = self.root.clone();
        off_thread(move || {
            let mut files = Vec::new();
            for folder in list_folder(&root)? {
                for folder in list_folder(&folder)? {
                    let names = list_folder(&folder)?.into_iter();
                    files.extend(names.filter_map(|path| FileHash::from_hex(path.file_name()?.to_str()?)));
                }
            }
            Ok(files)
        })
    }

    fn remove(&self, name: FileHash) -> BoxFuture<'static, io::Result<()>> {
        let path = self.path(name);
        off_thread(move || remove_if_there(&path))
    }
}

/// Runs work on the disk where it holds up nobody.
pub(super) fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    async move { tokio::task::spawn_blocking(work).await.map_err(io::Error::other)? }.boxed()
}

/// Makes a folder and those above it, for their owner only, and sees to it that their names are on disk.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.try_exists()? {
        return Ok(());
    }
    let Some(above) = folder.parent() else { return Ok(()) };
    make_folder(above)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(above),
    }
}

/// What lies in a folder, which need not exist.
fn list_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Waits until the names in a folder are on disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes a file; no error when there is none.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::FileHash;

    #[test]
    fn a_hash_in_hexadecimal_reads_back() {
        let hash = FileHash(std::array::from_fn(|at| u8::try_from(at * 7 % 256).unwrap()));
        assert_eq!(FileHash::from_hex(&hash.hex()), Some(hash));
        for bad in ["", "zz", &"g".repeat(64), &"\u{e9}".repeat(32)] {
            assert_eq!(FileHash::from_hex(bad), None, "{bad}");
        }
    }
}
