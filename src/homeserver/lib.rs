//! What a homeserver does, without HTTP: users, rooms and what follows from them, over typed tables.
//!
//! A folder here imports only folders that stand before it in this order:
//! outbound, users, e2ee, media, rooms, search, people, push, federation, appservice, sync, flows, admin.
//! An upward need is met by the output log, by a port, or by moving the operation up.
//!
//! This crate must never open a socket that serves, read a configuration file, a clock or randomness
//! of its own, or start a task: what runs by itself is a [`Worker`] that the server crate starts.

pub mod admin;
pub mod appservice;
pub mod env;
pub mod federation;
pub mod flows;
pub mod hmac;
pub mod log_follower;
pub mod log_progress;
pub mod media;
pub mod metrics;
pub mod outbound;
pub mod people;
pub mod rooms;
pub mod search;
pub mod settings;
pub mod sync;
#[cfg(test)]
mod testing;
pub mod turn;
mod turns;
pub mod users;
pub mod words;
pub mod worker;

pub use env::Env;
pub use worker::{Stop, Worker};
