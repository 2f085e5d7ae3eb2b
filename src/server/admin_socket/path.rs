//! The path of the socket in a form that the operating system takes.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use super::SOCKET_FILE;

/// The longest path of a Unix socket, in bytes, its final zero left off.
const PATH_BYTES_MAX: usize = 107;

/// Where the socket of a data folder is. A path that is too long is replaced by one through the open folder,
/// which is good for as long as this value lives.
pub(super) struct SocketPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl SocketPath {
    pub(super) fn of(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET_FILE);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self { path, _folder: None });
        }
        let folder = File::open(data)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(SOCKET_FILE);
        Ok(Self { path, _folder: Some(folder) })
    }

    pub(super) fn as_path(&self) -> &Path {
        &self.path
    }
}
