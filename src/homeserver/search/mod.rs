//! Finding events by their words.
//!
//! A follower of the output log ([`SearchReader`]) keeps an index in the store; a search reads as much of it as its
//! answer is long. Nothing here decides who may see what is found: whoever shows it passes the access gate. Nothing
//! here is the only place of a truth: the index can be built again from the log.

mod config;
mod cursor;
mod entry;
mod handle;
mod indexer;
mod postings;
mod query;
mod walk;

#[cfg(test)]
mod search_tests;

pub use config::SearchConfig;
pub use cursor::{Cursor, Group, InvalidCursor, Place};
pub use handle::Search;
pub use indexer::SearchReader;
pub use query::{Field, Query};
pub use walk::{Hit, SearchWalk};
