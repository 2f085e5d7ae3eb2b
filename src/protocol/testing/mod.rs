//! Made-up rooms for tests: single events, a room server in memory, and random rooms with forks.
//!
//! Compiled for tests only (here, and elsewhere with the feature `testing`). Nothing that serves a user
//! may depend on it.

mod dice;
mod random_room;
mod replica;
mod sample;

pub use self::{
    dice::Dice,
    random_room::{RandomRoom, RandomRoomOptions},
    replica::{Received, Replica},
    sample::Sample,
};
