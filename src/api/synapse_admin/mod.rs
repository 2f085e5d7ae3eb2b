//! What administrators' tools call under the paths that they know from Synapse, a file a family. No part of the
//! specification; requests and answers are as those tools expect them.

pub mod register;
pub mod registration_tokens;
pub mod server_notices;
