//! The WebSocket that pushes `/sync` to a client and carries its calls (`docs/websocket.md`, `api-spec/websocket.yaml`).
//!
//! A socket is an adapter: bodies come from the one function that answers a long poll, and a call goes through the same
//! router as a request of its own. Nothing here computes what changed, or decides what a user may do.
//!
//! `connect` opens a socket by the handshake in `upgrade`, `socket` is its life, `wire` its two directions over the
//! protocol in `codec`, `syncs` and `calls` what runs on it, `sockets` knows all of them.

mod calls;
mod close;
mod codec;
mod connect;
mod frame;
mod only_http;
mod session;
mod socket;
mod sockets;
mod syncs;
mod upgrade;
mod wire;

pub use connect::router;
pub use sockets::{Connections, Seat, Sockets};

/// The name under which clients find this extension.
pub const IDENTIFIER: &str = "chat.hearth.websocket";
