//! Made-up rooms for tests: single events, a room server in memory, random rooms with forks, and the
//! keys of the servers in them.
//!
//! Compiled for tests only (here, and elsewhere with the feature `testing`). Nothing that serves a user
//! may depend on it.

mod dice;
mod random_room;
mod replica;
mod sample;
mod servers;

pub use self::{
    dice::Dice,
    random_room::{RandomRoom, RandomRoomOptions},
    replica::{Received, Replica},
    sample::Sample,
    servers::{public_keys_of, signer_of},
};
