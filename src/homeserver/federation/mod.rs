//! Other servers: so far only what any of them may ask without being one, this server's signing keys.
//!
//! Nothing here may be asked by a client of ours, and nothing here decides what an event may do.

mod own_keys;

pub use own_keys::ServerKeys;
