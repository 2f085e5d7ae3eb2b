//! The server-server API, a file an endpoint family, named like the specification's own file.
//!
//! As in `client`, a handler parses nothing and decides nothing.

pub mod keys_query;
pub mod keys_server;
pub mod openid;
pub mod version;
