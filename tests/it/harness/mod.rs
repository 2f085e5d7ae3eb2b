//! What tests are made with: a server in this process, and clients that speak Matrix to it.

mod client;
mod conformance;
mod pictures;
mod response;
mod schema;
mod server;
mod socket;
mod spec;
mod yaml;

pub use client::{Client, PASSWORD, escape, event_id};
pub use pictures::{encoded, picture};
pub use response::Response;
pub use server::TestServer;
pub use socket::{CONNECT_PATH, TestSocket};
