//! The rules of Matrix rooms and events, as pure functions over plain data.
//!
//! An event comes in as bytes, is checked, hashed, redacted and verified by the rules of its room's
//! version, judged against the state of its room, and goes out in the format of federation or of clients.
//!
//! This crate must never do IO, wait, read a clock or draw random numbers: time and randomness are
//! arguments ([`Clock`], [`Rng`]), and what is missing is answered by saying what is missing.

mod auth;
mod client_format;
mod clock;
mod evaluate;
mod event;
mod event_build;
mod event_fields;
mod event_sizes;
mod filter;
mod filter_relations;
mod hash;
mod ids;
mod incoming;
mod json;
mod json_canonical;
mod json_parse;
mod power;
mod push;
mod redaction;
mod relation;
mod resolve;
mod signature;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod version;
mod visibility;

#[cfg(test)]
mod sample_events;
#[cfg(test)]
mod speed_tests;

pub use auth::*;
pub use client_format::*;
pub use clock::*;
pub use evaluate::*;
pub use event::*;
pub use event_build::*;
pub use event_fields::EventFields;
pub use filter::*;
pub use filter_relations::RelatedBy;
pub use hash::*;
pub use ids::*;
pub use incoming::*;
pub use json::*;
pub use json_canonical::write_string;
pub use power::*;
pub use push::*;
pub use redaction::*;
pub use relation::*;
pub use resolve::*;
pub use signature::*;
pub use version::*;
pub use visibility::*;
