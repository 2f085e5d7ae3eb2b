//! What tests are made with: a server in this process, and clients that speak Matrix to it.

mod client;
mod conformance;
mod response;
mod server;

pub use client::{Client, PASSWORD, escape};
pub use response::Response;
pub use server::TestServer;
