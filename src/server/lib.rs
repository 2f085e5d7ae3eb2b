//! The server around the homeserver: configuration, command line, assembly, listeners, workers,
//! logs and figures, the operator's socket, start and stop.
//!
//! This crate knows no rule of Matrix and reads no table: it makes the parts, gives each what it needs,
//! and looks after what runs. The real clock, the real randomness and every task begin here.

pub mod admin_socket;
mod appservices;
pub mod assembly;
mod cli;
pub mod config;
pub mod identity;
pub mod listeners;
mod offline;
pub mod plan;
pub mod runtime;
pub mod serve;
pub mod system;
pub mod telemetry;
pub mod workers;

pub use cli::run;
