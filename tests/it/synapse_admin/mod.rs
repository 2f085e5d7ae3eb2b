//! What administrators' tools know from Synapse, a file a family of endpoints.

mod register;
mod registration_tokens;
mod server_notices;

use crate::harness::{Client, TestServer};

/// A new account that may use the administration endpoints.
async fn administrator(server: &TestServer) -> Client {
    let client = server.register("admin").await;
    let id = ruma::UserId::parse(client.user_id.as_str()).expect("an id");
    server.homeserver.users.set_admin(&id, true).await.expect("an account");
    client
}
