//! What this server speaks. [Client-Server API, "API Versions"]
//!
//! [Client-Server API, "API Versions"]: https://spec.matrix.org/v1.19/client-server-api/#api-versions

use std::collections::BTreeMap;

use axum::extract::State;
use ruma::api::client::discovery::get_supported_versions::{Request, Response};

use crate::{
    extract::Ruma,
    reply::{Reply, Result},
    ws::{self, Sockets},
};

/// Clients take a version as a promise that all of its endpoints are there, and use the newest
/// form of an endpoint that any listed version has: without v1.11 some ask for media by the old paths.
/// So a version is added when what it added is served. End-to-end keys are not yet, which v1.1 has too,
/// but clients need that one to start at all; of v1.18 the blocking of invites is missing.
const VERSIONS: [&str; 20] = [
    "r0.5.0", "r0.6.0", "r0.6.1", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10",
    "v1.11", "v1.12", "v1.13", "v1.14", "v1.15", "v1.16", "v1.17",
];

/// Features of later versions, or of proposals, that are served already.
const FEATURES: [&str; 9] = [
    // `state_after` in `/sync`.
    "org.matrix.msc4222",
    // Profile fields of any name, by their stable path too.
    "uk.tcpip.msc4133",
    "uk.tcpip.msc4133.stable",
    // Private read receipts, and receipts in threads.
    "org.matrix.msc2285.stable",
    "org.matrix.msc3771",
    // Delayed events, and subscriptions of threads.
    "org.matrix.msc4140",
    "org.matrix.msc4306",
    // The rooms that two users share, by both paths.
    "uk.half-shot.msc2666.query_mutual_rooms",
    "uk.half-shot.msc2666.query_mutual_rooms.stable",
];

/// `GET /_matrix/client/versions`
pub async fn get_versions(State(sockets): State<Sockets>, Ruma(_): Ruma<Request>) -> Result<Response> {
    let mut response = Response::new(VERSIONS.map(str::to_owned).to_vec());
    response.unstable_features = BTreeMap::from(FEATURES.map(|feature| (feature.to_owned(), true)));
    response.unstable_features.insert(ws::IDENTIFIER.to_owned(), sockets.config().enabled);
    Ok(Reply(response))
}
