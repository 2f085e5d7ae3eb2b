//! The integration tests: one binary that runs the whole homeserver in-process, without ports.
//!
//! `HEARTH_TEST_ENGINE` is `memory` (default) or `rocksdb`; `HEARTH_TEST_LANES` is a number of
//! storage lanes (default 1). Tests of endpoints stand in `client/`, a file a family, named like
//! the file that serves it.

mod access;
mod appservices;
mod budgets;
mod callers;
mod client;
mod edge;
mod federation;
mod guests;
mod harness;
mod limits;
mod media;
mod synapse_admin;
mod url_previews;
mod ws;
