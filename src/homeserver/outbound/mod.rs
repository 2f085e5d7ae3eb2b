//! Requests to servers outside: the one place that makes them.
//!
//! What is asked for often comes from a user, and this server stands where the user does not: beside databases,
//! routers and the cloud's own services. So every address of every hop is compared with a list of networks
//! that are out of bounds, after the name was resolved and before a connection is made to that very address;
//! and time, bytes and hops are limited. No other folder may make a client of its own.

mod client;
mod config;
mod error;
mod network;
mod resolver;

pub use client::{Fetch, Fetched, Outbound};
pub use config::OutboundConfig;
pub use error::{BadNetwork, FetchError};
pub use network::Network;
pub use reqwest::Url;
pub use resolver::{Names, SystemNames};
