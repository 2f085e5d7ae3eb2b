//! Finding people by their names (C-S API, "User Directory").
//!
//! A follower of the output log ([`PeopleReader`]) keeps an index in the store. A user finds those with whom they share
//! a room and those in rooms that are open to everybody. A name that somebody has in one room only is never shown:
//! users of this server are found by their profile.

mod config;
mod find;
mod handle;
mod indexer;
mod rows;

pub use config::PeopleConfig;
pub use find::{FoundPerson, PeoplePage};
pub use handle::Directory;
pub use indexer::PeopleReader;
