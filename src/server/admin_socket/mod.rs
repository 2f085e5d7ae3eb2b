//! Commands of the operator to a running server, over a Unix socket in the data folder.
//!
//! The database lets one process in, so `hearth user`, `check` and `backup` ask the server that runs,
//! and open the database themselves only when none does. Whoever may open the socket may do everything:
//! it is readable and writable by its owner alone.
//!
//! The protocol is one line of JSON each way: an [`AdminCommand`], and an [`Answer`] to it.

mod client;
mod command;
mod listener;
mod path;

pub use client::{AskError, ask};
pub use command::{AdminCommand, Answer, Operator, OperatorParts};
pub use listener::AdminListener;

/// The socket's name within the data folder.
pub const SOCKET_FILE: &str = "admin.sock";

/// The longest line that is read, in bytes, each way.
const LINE_BYTES_MAX: u64 = 1 << 20;
