//! The server-server API, a file an endpoint family, named like the handlers.

mod keys_query;
mod keys_server;
mod openid;
mod version;
