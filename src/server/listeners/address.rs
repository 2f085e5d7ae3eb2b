//! Addresses, and the sockets bound to them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

/// Connections that wait in the kernel until they are accepted.
const BACKLOG: i32 = 1_024;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An IP address and port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Parses `IP:PORT`, `localhost:PORT` or `unix:PATH`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(PathBuf::from(path)));
        }
        if let Some(port) = text.strip_prefix("localhost:") {
            let port = port.parse().ok()?;
            return Some(Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        text.parse().ok().map(Self::Tcp)
    }

    /// Whether only this machine reaches it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// An address on which nothing can listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}")]
pub struct BindError {
    /// The address.
    pub address: Address,
    /// Why not.
    pub error: std::io::Error,
}

/// A socket that listens.
#[derive(Debug)]
pub struct BoundListener {
    /// Where; with the real port if port 0 was asked for.
    pub address: Address,
    pub(super) socket: BoundSocket,
}

#[derive(Debug)]
pub(super) enum BoundSocket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Drop for BoundListener {
    fn drop(&mut self) {
        if let Address::Unix(path) = &self.address {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Listens on `address`. A Unix socket gets the permissions `unix_mode`; one that was left behind is replaced.
///
/// # Errors
///
/// When the address is taken, not ours, or not permitted.
pub fn bind(address: &Address, unix_mode: u32) -> Result<BoundListener, BindError> {
    let bound = match address {
        Address::Tcp(wanted) => bind_tcp(*wanted),
        Address::Unix(path) => bind_unix(path, unix_mode),
    };
    bound.map_err(|error| BindError { address: address.clone(), error })
}

fn bind_tcp(wanted: SocketAddr) -> std::io::Result<BoundListener> {
    let socket = Socket::new(Domain::for_address(wanted), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&wanted.into())?;
    socket.listen(BACKLOG)?;
    let socket = TcpListener::from_std(socket.into())?;
    Ok(BoundListener { address: Address::Tcp(socket.local_addr()?), socket: BoundSocket::Tcp(socket) })
}

fn bind_unix(path: &Path, mode: u32) -> std::io::Result<BoundListener> {
    remove_left_behind(path)?;
    let socket = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(BoundListener { address: Address::Unix(path.to_owned()), socket: BoundSocket::Unix(socket) })
}

/// Removes the socket of a process that is gone. One that still answers is kept, so that binding fails.
fn remove_left_behind(path: &Path) -> std::io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{Address, bind};

    #[test]
    fn addresses_are_parsed() {
        for (text, shown, local) in [
            ("127.0.0.1:8008", "127.0.0.1:8008", true),
            ("[::1]:1", "[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", "[::ffff:127.0.0.1]:1", true),
            ("localhost:80", "127.0.0.1:80", true),
            ("0.0.0.0:8008", "0.0.0.0:8008", false),
            ("[::]:8008", "[::]:8008", false),
            ("unix:/run/h.sock", "unix:/run/h.sock", true),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.to_string().as_str(), address.is_local()), (shown, local), "{text}");
        }
        for text in ["", "8008", "unix:", "127.0.0.1", "example.org:80", "127.0.0.1:70000"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_unix_socket_left_behind_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let address = Address::Unix(path.clone());
        let bound = bind(&address, 0o640).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(bind(&address, 0o640).is_err(), "the first one still listens");
        drop(bound);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let bound = bind(&Address::parse("127.0.0.1:0").unwrap(), 0).unwrap();
        let error = bind(&bound.address, 0).unwrap_err().to_string();
        assert!(error.contains(&bound.address.to_string()), "{error}");
    }
}
