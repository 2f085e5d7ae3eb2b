//! From which address a request comes, for rate limits and for the list of a user's devices.
//!
//! The listener puts [`PeerAddress`] into the request. Behind a reverse proxy that is the proxy's
//! own, so the setting `trust_forwarded_for` says whether the proxy's header may be believed.

use std::{any::Any, convert::Infallible, net::IpAddr, sync::Arc};

use axum::extract::FromRequestParts;
use http::{HeaderMap, header::USER_AGENT, request::Parts};

use crate::{config::ApiConfig, state::AppState};

/// The header in which proxies append the address that they saw.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection; a listener adds it to each request's extensions. Absent on a
/// Unix socket.
#[derive(Clone, Copy, Debug)]
pub struct PeerAddress(pub IpAddr);

/// The connection's place among all that there may be; a listener adds it to each request's extensions. What outlives
/// its request holds on to it, so that it counts for as long as it lives.
#[derive(Clone)]
pub struct ConnectionPlace(pub Arc<dyn Any + Send + Sync>);

/// The client's address, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub Option<IpAddr>);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(client_address(parts, state.config())))
    }
}

/// As far as the settings let one know.
pub fn client_address(parts: &Parts, config: &ApiConfig) -> Option<IpAddr> {
    let forwarded = config.trust_forwarded_for.then(|| forwarded_for(&parts.headers)).flatten();
    forwarded.or_else(|| parts.extensions.get::<PeerAddress>().map(|peer| peer.0))
}

/// What the client calls itself.
pub fn user_agent(headers: &HeaderMap) -> Option<&str> {
    headers.get(USER_AGENT)?.to_str().ok()
}

/// The last address in the header: the only one that our own proxy wrote.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    last.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
#[path = "client_address_tests.rs"]
mod tests;
