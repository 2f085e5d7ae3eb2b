//! Where requests come in: TCP and Unix sockets, with or without TLS, HTTP/1.1 and HTTP/2.
//!
//! Every wait for a peer has a limit with a name, and so has the number of connections.
//! What a request means is not known here; a listener only hands it to a router.

mod accept;
mod address;
mod body;
mod connection;
mod limits;
mod preface;
mod tls;

pub use accept::{Edge, serve};
pub use address::{Address, BindError, BoundListener, bind};
pub use limits::ConnectionLimits;
pub use tls::{Certificate, CertificateReloader, TlsError};
