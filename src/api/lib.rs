//! The edge: HTTP requests in, the homeserver's answers out.
//!
//! One endpoint family, one file: `client/room_send.rs` serves what `room_send.yaml` of the
//! specification describes, and its functions are named like the operations there. `router` lists
//! all endpoints, a line each; `extract` parses requests within limits; `caller` proves who calls;
//! `error` holds the one table from the homeserver's errors to Matrix error codes.
//!
//! This crate must never touch the storage, keep state of its own beside rate limits, or let a
//! lower layer's error text out.

mod api_error;
mod auth_page;
mod beyond_ruma;
mod caller;
mod client;
mod client_address;
mod config;
mod cors;
mod delay;
mod endpoint;
mod error;
mod error_administration;
mod error_media;
mod extract;
mod fallback;
mod federation;
mod incoming;
mod interactive;
mod json_check;
mod media_answer;
mod query;
mod rate_limit;
mod raw_filter;
mod reply;
mod router;
mod server_sent;
mod state;
mod synapse_admin;
mod synapse_requests;
mod waiting;
mod ws;

pub use client_address::{ConnectionPlace, PeerAddress};
pub use config::{ApiConfig, Rate, RateLimitConfig, SocketConfig};
pub use extract::JSON_BODY_BYTES_MAX;
pub use json_check::JSON_DEPTH_MAX;
pub use rate_limit::RateLimits;
pub use router::build_router;
pub use state::{AppState, Handles};
pub use ws::{Connections, Sockets};
